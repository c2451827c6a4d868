"""get_context, and forkful.pool beside multiprocessing.pool."""
import multiprocessing
import multiprocessing.pool
import subprocess
import sys

import pytest

import forkful
import forkful.pool


def _square(value):
    return value * value


def _set(value):
    global _was_set
    _was_set = value


def _what_was_set(_):
    return _was_set


@pytest.mark.parametrize('method', ['fork', 'forkserver'])
def test_pools_of_contexts_are_forkful_s(method):
    context = forkful.get_context(method)
    real = multiprocessing.get_context(method)
    with context.Pool(1, _set, (method,), maxtasksperchild=5) as pool:
        assert type(pool) is forkful.Pool
        assert pool.size == 1
        assert pool.map(_what_was_set, [0]) == [method]
    assert isinstance(context, type(real)) and isinstance(context, multiprocessing.context.BaseContext)
    assert context.get_start_method() == method
    assert context.get_context() is context is forkful.get_context(method)
    assert real.Pool.__func__ is multiprocessing.context.BaseContext.Pool


def test_forkful_s_own_keywords_go_through():
    with forkful.get_context('fork').Pool(2, timeline=True) as pool:
        pool.map(_square, [1, 2])
        assert pool.report().timeline is not None


def test_everything_else_is_multiprocessing_s():
    context = forkful.get_context('fork')
    assert context.Process is multiprocessing.get_context('fork').Process
    queue, lock = context.SimpleQueue(), context.Lock()
    process = context.Process(target=lambda: queue.put(7))
    with lock:
        process.start()
    assert queue.get() == 7
    process.join(60)
    assert process.exitcode == 0
    assert context.cpu_count() == multiprocessing.cpu_count()
    with pytest.raises(ValueError, match='cannot find context'):
        forkful.get_context('spoon')


def test_spawn_stays_the_standard_library_s():
    assert forkful.get_context('spawn') is multiprocessing.get_context('spawn')
    with forkful.get_context('spawn').Pool(1) as pool:
        assert type(pool) is multiprocessing.pool.Pool
        assert pool.map(abs, [-1, -2]) == [1, 2]


def test_pools_take_contexts_and_refuse_spawn():
    for context in forkful.get_context('fork'), multiprocessing.get_context('forkserver'):
        with forkful.Pool(1, context=context) as pool:
            assert pool.map(_square, [3]) == [9]
    spawn = multiprocessing.get_context('spawn')
    with pytest.raises(ValueError, match=r"get_context\('spawn'\)\.Pool"):
        forkful.Pool(1, context=spawn)
    with pytest.raises(ValueError, match=r"get_context\('spawn'\)"):
        forkful.ProcessPoolExecutor(1, mp_context=spawn)


@pytest.mark.parametrize('settled, default', [(None, 'Pool'), ('forkserver', 'Pool'), ('spawn', 'standard')])
def test_without_a_method_it_is_the_program_s(settled, default):
    code = f'''
import forkful as multiprocessing
if {settled!r}: multiprocessing.set_start_method({settled!r})
context = multiprocessing.get_context()
print(context.get_start_method())
with context.Pool(1) as pool:
    print("Pool" if type(pool) is multiprocessing.Pool else "standard", pool.map(abs, [-3]))
'''
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=60,
                          env={**__import__('os').environ, 'PYTHONPATH': ':'.join(p for p in sys.path if p)})
    assert done.stdout.splitlines() == [settled or 'fork', f'{default} [3]'], done.stderr


def test_the_standard_executor_takes_our_contexts():
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(1, mp_context=forkful.get_context('fork')) as executor:
        assert executor.submit(_square, 5).result(60) == 25


def test_forkful_pool_has_multiprocessing_pool_s_names():
    ours, standard = forkful.pool, multiprocessing.pool
    for name in 'ThreadPool', 'RemoteTraceback', 'MaybeEncodingError', 'INIT', 'RUN', 'CLOSE', 'TERMINATE':
        assert getattr(ours, name) is getattr(standard, name), name
    assert ours.Pool is forkful.Pool
    assert ours.ApplyResult is ours.AsyncResult
    with forkful.Pool(1) as pool:
        assert isinstance(pool.apply_async(_square, (2,)), ours.AsyncResult)
        assert isinstance(pool.map_async(_square, [2]), ours.MapResult)
        assert isinstance(pool.imap(_square, [2]), ours.IMapIterator)
        assert isinstance(pool.imap_unordered(_square, [2]), ours.IMapUnorderedIterator)
