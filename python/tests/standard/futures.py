"""Gates `executor`, `deadlock`, `future`: CPython's test/test_concurrent_futures.py, of 3.11.

Their classes for fork are subclassed with the executor under test. Those for spawn and forkserver are not in
the gates: forkful forks. The classes are at the top of this module, since tests pickle bound class methods.
"""
import concurrent.futures
import multiprocessing
import pickle
import test.test_concurrent_futures as suite

from . import against
from .child import tests_of

if not hasattr(suite, 'ProcessPoolForkWaitTest'):
    raise ImportError('test.test_concurrent_futures is laid out as from 3.12 on, the gate knows 3.11 only')

ProcessPoolExecutor = against.executor()

if not against.standard:
    suite.mp = against.under_test()
    suite.assert_python_ok = against.in_scripts(suite.assert_python_ok)


def future_class():
    """The class of what `submit` returns. Asking also starts the thread that forkful has once a process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context('fork')) as executor:
        future = executor.submit(int)
        future.result()
    kind = type(future)
    assert against.standard or kind is not concurrent.futures.Future, 'submit returned the standard Future'
    return kind


def use_futures_of(kind):
    """Their module makes its futures of the global Future by create_future, some of them at import."""
    known = {name: value for name, value in vars(suite).items() if isinstance(value, suite.Future)}
    suite.Future = kind
    for name, future in known.items():
        made = suite.create_future(future._state, future._exception, future._result)
        setattr(suite, name, made)


def setUpModule():
    future_class()
    suite.setUpModule()


class Executor(suite.ProcessPoolForkProcessPoolExecutorTest):
    executor_type = ProcessPoolExecutor

    def get_context(self):
        if self._testMethodName == 'test_max_tasks_early_shutdown' and not against.standard:
            return suite.mp.get_context('forkserver')
        return super().get_context()


class Wait(suite.ProcessPoolForkWaitTest):
    executor_type = ProcessPoolExecutor


class AsCompleted(suite.ProcessPoolForkAsCompletedTest):
    executor_type = ProcessPoolExecutor


class Initializer(suite.ProcessPoolForkInitializerTest):
    executor_type = ProcessPoolExecutor


class FailingInitializer(suite.ProcessPoolForkFailingInitializerTest):
    executor_type = ProcessPoolExecutor


class Shutdown(suite.ProcessPoolForkProcessPoolShutdownTest):
    executor_type = ProcessPoolExecutor


class SurvivingExecutor(ProcessPoolExecutor):
    """One that must still work when it is shut down, whatever became of the tasks before."""
    asked = False

    def shutdown(self, *arguments, **options):
        try:
            if not self.asked:
                self.asked = True
                assert self.submit(pow, 2, 8).result(Deadlock.TIMEOUT) == 256
        finally:
            super().shutdown(*arguments, **options)


class Deadlock(suite.ProcessPoolForkExecutorDeadlockTest):
    """Where the standard executor breaks because of one task, ours fails that task and goes on."""
    executor_type = ProcessPoolExecutor if against.standard else SurvivingExecutor
    own_errors = {} if against.standard else {
        'test_exit_at_task_unpickle': SystemExit,
        'test_error_at_task_unpickle': pickle.UnpicklingError,
        'test_exit_during_result_unpickle_in_result_handler': SystemExit,
        'test_error_during_result_unpickle_in_result_handler': pickle.UnpicklingError,
    }

    def _check_crash(self, error, *arguments, **options):
        super()._check_crash(self.own_errors.get(self._testMethodName, error), *arguments, **options)


class Future(suite.FutureTests):
    @classmethod
    def setUpClass(cls):
        use_futures_of(future_class())
        super().setUpClass()


def tests(gate):
    cases = {'executor': (Executor, Wait, AsCompleted, Initializer, FailingInitializer, Shutdown),
             'deadlock': (Deadlock,), 'future': (Future,)}
    return [test for case in cases[gate] for test in tests_of(case)]
