"""The tests of the standard library and of joblib that forkful does not run as they are: name -> reason.

Both tables apply to forkful only. A name that is no test any more is an error of its gate.
"""
PRIVATE = 'reads private parts of the standard executor: '
MEMMAP = "looks for joblib's own memmap files; forkful passes arrays in its own way"

LEFT_OUT = {
    'pool': {},
    'executor': {
        'Executor.test_max_workers_too_large': 'a limit of Windows',
        'Executor.test_killed_child': PRIVATE + '_processes; and a killed worker does not break ours',
        'Executor.test_saturation': PRIVATE + '_processes',
        'Executor.test_idle_process_reuse_one': PRIVATE + '_processes; skips itself under fork',
        'Executor.test_idle_process_reuse_multiple': PRIVATE + '_processes; skips itself under fork',
        'Executor.test_max_tasks_per_child': 'wants a ValueError under fork; ours replaces workers, too',
        'Executor.test_max_tasks_per_child_defaults_to_spawn_context':
            PRIVATE + '_mp_context; ours never spawns',
        'FailingInitializer.test_initializer':
            PRIVATE + '_broken; and it wants a log record, where ours raises StartFailed',
        'Shutdown.test_processes_terminate': PRIVATE + '_processes',
        'Shutdown.test_context_manager_shutdown': PRIVATE + '_processes',
        'Shutdown.test_del_shutdown': PRIVATE + '_executor_manager_thread, _call_queue',
        'Shutdown.test_shutdown_no_wait': PRIVATE + '_executor_manager_thread, _call_queue',
    },
    'deadlock': {
        'Deadlock.test_shutdown_deadlock_pickle': PRIVATE + '_executor_manager_thread',
    },
    'future': {},
    'joblib': {
        'test_auto_memmap_on_arrays_from_generator[forkful]': MEMMAP,
        'test_memmapping_leaks[forkful]': MEMMAP,
        'test_nested_loop[back_compat_backend-forkful]':
            "the outer loop is loky's: in its new interpreters nobody has registered forkful",
        'test_nested_parallel_warnings[multiprocessing-forkful-True]':
            'wants a warning that the inner loop is serial; ours may start processes in a daemon',
        'test_nested_parallel_warnings[threading-forkful-True]':
            'wants a warning that the inner loop is serial; ours may start processes beside threads',
        'test_background_thread_parallelism[forkful]': 'does not use its parameter: it would test loky',
        'test_parallel_thread_limit[forkful]': "needs joblib's OpenMP helper, which Debian does not build",
    },
}

ONE_FAILS = 'the task fails as what it raised, where the standard executor breaks; and the executor goes on'

CHANGED = {
    'pool': {
        'WithProcessesTestPoolWorkerErrors.test_unpickleable_result':
            'the result is a generator instead of a lambda, since lambdas travel',
    },
    'executor': {
        'Executor.test_max_tasks_early_shutdown':
            'asks for a forkserver context, since it skips itself under fork',
        'Shutdown.test_hang_gh83386':
            'its script gets the import that it lacks; on the standard executor it skips itself',
    },
    'deadlock': {
        'Deadlock.test_exit_at_task_unpickle': ONE_FAILS,
        'Deadlock.test_error_at_task_unpickle': ONE_FAILS,
        'Deadlock.test_exit_during_result_unpickle_in_result_handler': ONE_FAILS,
        'Deadlock.test_error_during_result_unpickle_in_result_handler': ONE_FAILS,
    },
    'future': {},
    'joblib': {},
}
