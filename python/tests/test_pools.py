"""Every verb and every option on every kind of pool. What a pool does when things go wrong: test_pool_failures.py."""
import itertools
import multiprocessing.pool
import os
import pickle
import time

import pytest

import forkful

pools = {'Pool': lambda: forkful.Pool(2), 'SnapshotPool': lambda: forkful.SnapshotPool(2),
         'SerialPool': forkful.SerialPool}
with_processes = ['Pool', 'SnapshotPool']


@pytest.fixture(params=list(pools))
def pool(request, limit):
    with pools[request.param]() as made:
        yield made


@pytest.fixture(params=with_processes)
def process_pool(request, limit):
    with pools[request.param]() as made:
        yield made


def square(x):
    return x * x


def power(x, y=2):
    return x ** y


def fails_at_3(x):
    if x == 3:
        raise KeyError(x)
    return x


# ---- verbs -----------------------------------------------------------------------------------------------------

def test_each_verb_gives_what_a_loop_gives(pool):
    many, pairs = list(range(500)), [(x, x % 4) for x in range(500)]
    squares, powers = [x * x for x in many], [x ** y for x, y in pairs]
    assert pool.apply(power, (3,), {'y': 3}) == 27
    assert pool.apply_async(power, (3,), {'y': 4}).get(30) == 81
    for chunksize in (None, 1, 7, 10 ** 30):
        assert pool.map(square, many, chunksize) == squares
        assert pool.map_async(square, many, chunksize).get(30) == squares
        assert pool.starmap(power, pairs, chunksize) == powers
        assert pool.starmap_async(power, pairs, chunksize).get(30) == powers
        assert [o.value for o in pool.try_map(square, many, chunksize)] == squares
        assert [o.value for o in pool.try_starmap(power, pairs, chunksize)] == powers
    for chunksize in (1, 7, 2 ** 62):
        assert list(pool.imap(square, many, chunksize)) == squares
        assert sorted(pool.imap_unordered(square, many, chunksize)) == squares
    assert pool.submit(power, 2, y=5).result(30) == 32


def test_inputs_of_any_kind(pool):
    for given in ([], (), iter([]), range(0), {}, set()):
        assert pool.map(square, given) == pool.try_map(square, given) == list(pool.imap(square, given)) == []
        assert pool.map_async(square, given).get(30) == []
    assert pool.map(square, (x for x in (1, 2))) == pool.map(square, {1: 0, 2: 0}) == [1, 4]
    assert pool.starmap(power, ({2: 0, 3: 0}, [3, 2])) == [8, 9]
    for verb in (pool.map, pool.map_async, pool.imap, pool.starmap, pool.try_map):
        with pytest.raises(TypeError):
            verb(square, 7)
        with pytest.raises(TypeError, match='callable'):
            verb(7, [7])


def test_input_that_changes_while_the_call_runs(pool):
    """The caller's list is his: emptied, its items were read where none were."""
    given = [[x] for x in range(50000)]
    later = pool.map_async(len, given, 10)
    given.clear()
    assert sum(later.get(30)) == 50000
    given = [[x] for x in range(3000)]
    assert pool.map(len, given, 1, progress=lambda *so_far: given.clear()) == [1] * 3000


def test_callbacks_run_once_and_before_the_result_is_there(pool):
    told = []
    result = pool.map_async(square, range(5), callback=told.append, error_callback=told.append)
    result.wait(30)
    assert told == [[0, 1, 4, 9, 16]] and result.ready() and result.successful()
    result = pool.apply_async(fails_at_3, (3,), callback=told.append, error_callback=told.append)
    result.wait(30)
    assert len(told) == 2 and type(told[1]) is KeyError and not result.successful()
    with pytest.raises(KeyError):
        result.get(30)


def test_outcomes(pool):
    outcomes = pool.try_map(fails_at_3, range(6))
    assert [bool(o) for o in outcomes] == [o.ok for o in outcomes] == [True] * 3 + [False] + [True] * 2
    assert outcomes[4].value == 4 and outcomes[4].error is None
    with pytest.raises(KeyError):
        outcomes[3].value
    assert repr(outcomes[4]) == 'Outcome(4)' and 'KeyError' in repr(outcomes[3])
    assert pickle.loads(pickle.dumps(outcomes))[3].error.args == (3,)


def test_the_lowest_failure_is_raised_when_all_have_ended(pool, tmp_path):
    def leaves_a_mark(x):
        (tmp_path / str(x)).touch()
        return 1 // (x % 5 - 2)

    for verb in (pool.map, lambda *args: pool.map_async(*args).get(30)):
        with pytest.raises(ZeroDivisionError):
            verb(leaves_a_mark, range(40), 3)
        assert len(list(tmp_path.iterdir())) == 40
        for mark in tmp_path.iterdir():
            mark.unlink()


def test_imap_goes_on_behind_a_failure(pool):
    results = pool.imap(fails_at_3, range(6))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError):
        next(results)
    assert results.next(30) == 4 and list(results) == [5]
    with pytest.raises(StopIteration):
        next(results)


def test_errors_of_the_input_come_in_their_place(pool):
    def counted():
        yield from range(3)
        raise OSError('input')

    with pytest.raises(OSError, match='input'):
        pool.map(square, counted())
    if isinstance(pool, forkful.SnapshotPool):      # reads all of it first
        with pytest.raises(OSError, match='input'):
            pool.imap(square, counted())
        return
    results = pool.imap(square, counted())
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    with pytest.raises(OSError, match='input') as raised:
        next(results)
    assert raised.value.__cause__ is None


# ---- options ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('option, value, error', [
    ('timeout', 0, ValueError), ('timeout', -1, ValueError), ('timeout', float('nan'), ValueError),
    ('timeout', float('inf'), ValueError), ('timeout', 'x', TypeError), ('attempts', 0, ValueError),
    ('attempts', 256, ValueError), ('attempts', 1.5, TypeError), ('attempts', None, TypeError),
    ('chunksize', 'x', TypeError), ('chunksize', 1.5, TypeError), ('progress', 7, TypeError),
    ('chunk_size', 1, TypeError), ('lazy', True, TypeError)])
def test_bad_options(pool, option, value, error):
    for verb in (pool.map, pool.map_async, pool.starmap, pool.imap, pool.imap_unordered, pool.try_map):
        with pytest.raises(error) as raised:
            verb(square, [], **{option: value})
        assert '_core' not in str(raised.value)     # a sentence, no signature of C++ functions
    assert pool.map(square, [3], timeout=9, attempts=255, fail_fast=True, progress=None, chunksize=0) == [9]


@pytest.mark.parametrize('option, value, error', [
    ('buffersize', 0, ValueError), ('buffersize', -1, ValueError), ('buffersize', 1.5, TypeError),
    ('chunksize', 0, ValueError), ('chunksize', None, TypeError)])
def test_bad_options_of_imap(pool, option, value, error):
    with pytest.raises(error):
        pool.imap(square, [], **{option: value})
    assert list(pool.imap(square, [3], buffersize=10 ** 30)) == [9]


@pytest.mark.parametrize('kind', [forkful.Pool, forkful.SnapshotPool])
def test_bad_numbers_of_workers(kind, limit):
    for processes, error in ((0, ValueError), (-1, ValueError), ('x', TypeError), (1.5, TypeError)):
        with pytest.raises(error):
            kind(processes)
    for option in ({'memory_limit': -1}, {'inner_threads': -1}):
        with pytest.raises((TypeError, ValueError)):
            kind(1, **option)
    for maxtasksperchild in (0, -1, 1.5, 'x'):
        with pytest.raises(ValueError):
            forkful.Pool(1, maxtasksperchild=maxtasksperchild)
    with pytest.raises(TypeError):
        forkful.Pool(1, initializer=3)
    with pytest.raises(ValueError, match='spawn'):
        forkful.Pool(1, context=multiprocessing.get_context('spawn'))


def test_timeout_costs_one_item(process_pool):
    def sleeps_at_1(x):
        time.sleep(100 if x == 1 else 0)
        return x

    began = time.monotonic()
    outcomes = process_pool.try_map(sleeps_at_1, range(4), timeout=0.3)
    assert [o.ok for o in outcomes] == [True, False, True, True] and time.monotonic() - began < 30
    error = outcomes[1].error
    assert type(error) is forkful.TaskTimeout and isinstance(error, TimeoutError)
    assert (error.index, error.attempt, error.seconds) == (1, 1, 0.3)
    with pytest.raises(forkful.TaskTimeout):
        process_pool.apply_async(sleeps_at_1, (1,), timeout=0.3).get(30)
    assert process_pool.map(sleeps_at_1, [5]) == [5]


def test_attempts(process_pool, tmp_path):
    mark = tmp_path / 'tried'

    def dies_once(x):
        if x == 2 and not mark.exists():
            mark.touch()
            os._exit(3)
        return x

    assert process_pool.map(dies_once, range(4), attempts=2) == [0, 1, 2, 3]
    mark.unlink()
    with pytest.raises(forkful.WorkerCrashed, match='exit status 3'):
        process_pool.map(dies_once, range(4))
    mark.unlink()
    assert process_pool.apply_async(dies_once, (2,), attempts=2).get(30) == 2


def test_fail_fast(pool, tmp_path):
    def fails_first(x):
        if x == 0:
            raise KeyError(x)
        time.sleep(0.002)
        (tmp_path / str(x)).touch()

    with pytest.raises(KeyError):
        pool.map(fails_first, range(2000), 1, fail_fast=True)
    begun = len(list(tmp_path.iterdir()))
    assert begun < 1999
    with pytest.raises(KeyError):
        pool.map_async(fails_first, range(2000), 1, fail_fast=True).get(30)
    outcomes = pool.try_map(fails_first, range(2000), 1, fail_fast=True)
    assert type(outcomes[0].error) is KeyError and type(outcomes[-1].error) is forkful.Cancelled


def test_progress(pool):
    told = []
    assert pool.map(lambda x: time.sleep(0.01), range(40), 1, progress=lambda so_far, *more: told.append(so_far))
    assert told and len(told) < 40

    def raises(*so_far):
        raise LookupError('progress')
    with pytest.raises(LookupError, match='progress'):
        pool.map(square, range(50), progress=raises)
    assert pool.map(square, [2]) == [4]


@pytest.mark.parametrize('kind', ['Pool', 'SerialPool'])
@pytest.mark.parametrize('verb', ['imap', 'imap_unordered'])
def test_unbounded_input_is_read_as_results_are_taken(kind, verb, limit):
    with pools[kind]() as pool:
        for buffersize in (1, 8, 100):
            read = itertools.count()
            results = getattr(pool, verb)(square, map(lambda x: next(read), itertools.repeat(0)), buffersize=buffersize)
            taken = [next(results) for _ in range(300)]
            assert verb == 'imap_unordered' or taken == [x * x for x in range(300)]
            assert next(read) <= 300 + buffersize + 1
        assert len(list(itertools.islice(getattr(pool, verb)(square, itertools.count()), 5000))) == 5000


# ---- the pool --------------------------------------------------------------------------------------------------

def test_iterators_outlive_close_and_join(pool):
    results = pool.imap(square, range(5000))
    begun = pool.imap_unordered(square, iter(range(300)), 7)
    first = next(begun)
    pool.close()
    pool.join()
    assert list(results) == [x * x for x in range(5000)]
    assert sorted([first, *begun]) == [x * x for x in range(300)]


def test_restart_and_resize(pool):
    later = pool.map_async(square, range(2000), 1)
    pool.restart()
    assert later.get(30) == [x * x for x in range(2000)]
    pool.resize(3)
    assert pool.size == (1 if isinstance(pool, forkful.SerialPool) else 3)
    assert pool.map(square, range(9), 1) == [x * x for x in range(9)]
    for bad in (0, -1):
        with pytest.raises(ValueError):
            pool.resize(bad)
    pool.close()
    pool.join()
    pool.restart()
    assert pool.map(square, [3]) == [9]
    pool.terminate()
    with pytest.raises(forkful.PoolClosed, match='restart'):
        pool.map(square, [3])
    pool.restart()
    assert pool.map(square, [4]) == [16] and pool.submit(square, 5).result(30) == 25


def test_closed(pool):
    assert 'state=RUN' in repr(pool)
    with pytest.raises(ValueError, match='still running'):
        pool.join()
    with pytest.raises(NotImplementedError, match='pickled'):
        pickle.dumps(pool)
    pool.close()
    for verb in (pool.map, pool.apply, pool.map_async, pool.imap, pool.try_map, pool.submit, pool.starmap):
        with pytest.raises(forkful.PoolClosed) as raised:
            verb(square, [1])
        assert isinstance(raised.value, ValueError)
    with pytest.raises(ValueError):
        pool.__enter__()
    pool.join()
    pool.terminate()
    pool.join()
    assert 'state=TERMINATE' in repr(pool)


def test_names():
    assert forkful.ThreadPool is multiprocessing.pool.ThreadPool
    assert forkful.Queue and forkful.Process is multiprocessing.Process
    for name in ('RemoteTraceback', 'MaybeEncodingError', 'RUN', 'CLOSE', 'TERMINATE'):
        assert getattr(forkful.pool, name) is getattr(multiprocessing.pool, name)
    assert forkful.TimeoutError is multiprocessing.TimeoutError
    assert not forkful.in_worker() and forkful.worker_index() == -1 and forkful.cpu_count() >= 1
    with pytest.raises(AttributeError):
        forkful.no_such_name
    with forkful.Pool(2) as pool:
        where = pool.map(lambda x: (forkful.in_worker(), forkful.worker_index()), range(50), 1)
        assert set(where) <= {(True, 0), (True, 1)}
