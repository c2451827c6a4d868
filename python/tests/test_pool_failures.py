"""What a pool does when something goes wrong: exceptions of all kinds, what cannot be sent, workers that die, forks,
pools in pools, pools that are forgotten. """
import gc
import multiprocessing
import multiprocessing.pool
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings

import pytest

import forkful

with_processes = {'Pool': lambda: forkful.Pool(2), 'SnapshotPool': lambda: forkful.SnapshotPool(2)}


@pytest.fixture(params=list(with_processes))
def pool(request, limit):
    with with_processes[request.param]() as made:
        yield made


def square(x):
    return x * x


class TwoArguments(Exception):
    def __init__(self, first, second):
        super().__init__(first)
        self.second = second


class WithLock(Exception):
    def __init__(self):
        super().__init__('has a lock')
        self.lock = threading.Lock()


class RefusesToBePickled(Exception):
    def __reduce__(self):
        raise self


class RefusesEverything(RefusesToBePickled):
    def __repr__(self):
        raise ValueError('no repr')
    __str__ = __repr__


class DoesNotLoad(Exception):
    def __reduce__(self):
        return int, ('x',)


class LoadsAsSomethingElse(Exception):
    def __reduce__(self):
        return int, ('7',)


class RefersToItself(Exception):
    def __init__(self, name='circle'):
        super().__init__(name)
        self.me = [self]


travelling = {
    'KeyboardInterrupt': KeyboardInterrupt, 'SystemExit': lambda: SystemExit(4), 'GeneratorExit': GeneratorExit,
    'BaseException': BaseException, 'MemoryError': MemoryError, 'RecursionError': RecursionError,
    'StopIteration': StopIteration, 'FileNotFoundError': lambda: OSError(2, 'x', 'file'),
    'UnicodeDecodeError': lambda: UnicodeDecodeError('a', b'b', 0, 1, 'c'), 'ValueError': lambda: ValueError('\ud800'),
    'RefersToItself': RefersToItself, 'WorkerCrashed': lambda: forkful.WorkerCrashed('nested', index=5),
}
unsendable = {'TwoArguments': lambda: TwoArguments(1, 2), 'WithLock': WithLock, 'RefusesEverything': RefusesEverything,
              'RefusesToBePickled': RefusesToBePickled, 'DoesNotLoad': DoesNotLoad,
              'LoadsAsSomethingElse': LoadsAsSomethingElse}


def throws(name):
    raise {**travelling, **unsendable}[name]()


@pytest.mark.parametrize('name', travelling)
def test_exceptions_arrive_as_they_were(pool, name):
    expected = travelling[name]()
    for verb in (lambda: pool.map(throws, [name]), lambda: pool.submit(throws, name).result(30),
                 lambda: next(pool.imap(throws, [name]))):
        with pytest.raises(type(expected)) as raised:
            verb()
        assert type(raised.value) is type(expected) and raised.value.args == expected.args
        assert type(raised.value.__cause__) is multiprocessing.pool.RemoteTraceback
        assert 'in throws' in str(raised.value.__cause__)
    assert pool.map(square, [3]) == [9]


@pytest.mark.parametrize('name', unsendable)
def test_exceptions_that_cannot_travel(pool, name):
    outcomes = pool.try_map(throws, [name, 'KeyboardInterrupt', name])
    assert type(outcomes[1].error) is KeyboardInterrupt
    for outcome in (outcomes[0], outcomes[2]):
        assert type(outcome.error) is multiprocessing.pool.MaybeEncodingError
        assert 'in throws' in str(outcome.error.__cause__) and name in outcome.error.value
    with pytest.raises(multiprocessing.pool.MaybeEncodingError):
        pool.map(throws, [name])


def nested(depth):
    made = []
    for _ in range(depth):
        made = [made]
    return made


makers = {'lock': threading.Lock, 'generator': lambda: (x for x in 'a'), 'frame': sys._getframe,
          'too deep': lambda: nested(100000), 'RefusesToBePickled': RefusesToBePickled}


@pytest.mark.parametrize('what', makers)
def test_results_that_cannot_be_sent_cost_one_item(pool, what):
    outcomes = pool.try_map(lambda x: makers[what]() if x == 1 else x, range(4), 4)
    assert [o.ok for o in outcomes] == [True, False, True, True] and outcomes[3].value == 3
    assert type(outcomes[1].error) is multiprocessing.pool.MaybeEncodingError
    with forkful.ProcessPoolExecutor(1) as executor:
        future = executor.submit(makers[what])
        assert type(future.exception(30)) is not multiprocessing.pool.MaybeEncodingError
        assert executor.submit(square, 4).result(30) == 16


@pytest.mark.parametrize('what', makers)
def test_items_that_cannot_be_sent_cost_one_item(limit, what):
    with forkful.Pool(2) as pool:
        outcomes = pool.try_map(str, [0, makers[what](), [object()], {1, 2}], 4)
        assert [o.ok for o in outcomes] == [True, False, True, True] and outcomes[0].value == '0'
        assert isinstance(outcomes[1].error, Exception) and not isinstance(outcomes[1].error, forkful.Error)
        with pytest.raises(type(outcomes[1].error)):
            pool.apply(str, (makers[what](),))
        with pytest.raises(type(outcomes[1].error)):
            list(pool.imap(str, (makers[what]() for _ in range(3))))
        assert pool.map(square, [3]) == [9]


class EndsTheProcessWhenLoaded:
    def __reduce__(self):
        return os._exit, (7,)


def test_workers_that_die(pool):
    def dies(how):
        if how == 'exit':
            os._exit(3)
        if how is not None:
            os.kill(os.getpid(), how)
        return os.getpid()

    outcomes = pool.try_map(dies, [None, 'exit', None, signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, None], 1)
    assert [o.ok for o in outcomes] == [True, False, True, False, False, False, True]
    for index, number in ((3, signal.SIGKILL), (4, signal.SIGSEGV), (5, signal.SIGTERM)):
        error = outcomes[index].error
        assert type(error) is forkful.WorkerCrashed and (error.index, error.signal) == (index, number)
    assert outcomes[1].error.exit_status == 3
    for number in (signal.SIGKILL, signal.SIGTERM):
        with pytest.raises(forkful.WorkerCrashed):
            pool.apply(dies, (number,))
    assert [type(pool.submit(dies, 'exit').exception(30)) for _ in range(5)] == [forkful.WorkerCrashed] * 5
    assert pool.map(square, range(100), 1) == [x * x for x in range(100)]


def test_what_ends_the_process_that_loads_it(limit):
    with forkful.Pool(2) as pool:
        assert isinstance(pool.try_map(str, [EndsTheProcessWhenLoaded()])[0].error, forkful.WorkerCrashed)
        assert pool.map(square, [3]) == [9]


def test_threads_and_forks_in_a_task(pool):
    def forks(x):
        pid = os.fork()
        if pid == 0:
            return 'the child comes back'
        return os.waitpid(pid, 0)[0] == pid

    def leaves_a_thread(x):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        return threading.active_count()

    assert pool.map(forks, range(6), 1) == [True] * 6
    assert min(pool.map(leaves_a_thread, range(4), 1)) >= 2
    assert pool.map(square, [3]) == [9]


def test_a_pool_in_a_pool(pool):
    def inner(x):
        with forkful.Pool(2) as mine:
            assert multiprocessing.current_process().daemon
            outcomes = mine.try_map(lambda y: 1 // (y - 1) + x, range(3))
            assert type(outcomes[1].error) is ZeroDivisionError
            return mine.map(lambda y: y + x, range(3)), forkful.SerialPool().map(square, [x])
    assert pool.map(inner, range(4), 1) == [([x, x + 1, x + 2], [x * x]) for x in range(4)]

    def nested_crash(x):
        with forkful.Pool(1) as mine:
            mine.map(os._exit, [x])
    with pytest.raises(forkful.WorkerCrashed) as raised:
        pool.map(nested_crash, [9])
    assert raised.value.exit_status == 9


def test_an_inherited_pool_is_refused(pool):
    iterator, pending = pool.imap(square, range(10)), pool.apply_async(time.sleep, (0.2,))
    assert next(iterator) == 0
    verbs = (lambda: pool.map(square, [1]), lambda: pool.apply_async(square, (1,)), lambda: pool.submit(square, 1),
             lambda: list(pool.imap(square, [1])), lambda: next(iterator), lambda: pending.get(3), pool.restart,
             lambda: pool.try_map(square, [1]), lambda: pool.map_async(square, [1]))
    pid = os.fork()
    if pid == 0:
        refused = 0
        try:
            signal.alarm(20)
            for verb in verbs:
                try:
                    verb()
                except forkful.WrongProcess:
                    refused += 1
            with forkful.Pool(1) as mine:
                refused += mine.map(square, [1]) == [1]
        finally:
            os._exit(refused)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == len(verbs) + 1
    assert pending.get(30) is None and list(iterator) == [x * x for x in range(1, 10)] and pool.map(square, [7]) == [49]


def children():
    with open(f'/proc/self/task/{os.getpid()}/children') as names:
        return set(names.read().split())


@pytest.mark.parametrize('use', ['nothing', 'map', 'pending', 'iterator', 'callback'])
def test_a_forgotten_pool_leaves_no_process(use, limit):
    before = children()
    pool = forkful.Pool(2)
    if use == 'map':
        pool.map(square, range(10))
    elif use == 'pending':
        pool.apply_async(time.sleep, (60,))
    elif use == 'iterator':
        next(pool.imap(square, range(10 ** 9)))
    elif use == 'callback':
        called = threading.Event()
        result = pool.map_async(square, [6], callback=lambda value: called.set())
        assert called.wait(30) and result.get(30) == [36]
    workers = [member.pid for member in pool._pool]
    assert len(workers) == 2 and all(os.path.exists(f'/proc/{pid}') for pid in workers)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('always')
        del pool
        gc.collect()
        categories = [one.category for one in told]
        told.clear()        # each has the pool as its source
    assert categories == [ResourceWarning]
    gc.collect()
    until = time.monotonic() + 20
    while time.monotonic() < until and (children() - before or any(os.path.exists(f'/proc/{pid}') for pid in workers)):
        time.sleep(0.001)
    assert not children() - before and not any(os.path.exists(f'/proc/{pid}') for pid in workers)


kept = []


def test_initializers(limit):
    before = children()
    with forkful.Pool(2, kept.append, (5,)) as pool:
        assert pool.map(lambda x: kept + [x], range(3)) == [[5, 0], [5, 1], [5, 2]] and kept == []
        pool.restart()
        assert pool.apply(lambda: kept) == [5]
    for initializer, initargs, told in ((divmod, (1, 0), 'ZeroDivisionError'), (os._exit, (3,), '3'),
                                        (square, 3, 'TypeError'), (sys.exit, (3,), 'SystemExit')):
        began = time.monotonic()
        with pytest.raises(forkful.StartFailed, match=told):
            forkful.Pool(2, initializer, initargs)
        assert time.monotonic() - began < 20
    assert children() == before


def fail_if(path):
    if os.path.exists(path):
        raise ValueError('no oven')


def test_new_workers_whose_initializer_raises_end_the_restart(tmp_path):
    path = tmp_path / 'there'
    with forkful.Pool(2, fail_if, (path,)) as pool:
        assert pool.map(square, [3]) == [9]
        path.touch()
        with pytest.raises(forkful.StartFailed, match='no oven'):
            pool.restart()
        with pytest.raises(forkful.PoolClosed):
            pool.map(square, [3])
        path.unlink()
        pool.restart()
        assert pool.map(square, [3]) == [9]


def test_an_initializer_may_wait_for_what_the_program_does_later(monkeypatch):
    monkeypatch.setattr('forkful.pool._start_takes', 0.1)
    queue = multiprocessing.SimpleQueue()
    with forkful.Pool(2, lambda: kept.append(queue.get())) as pool:
        for value in (5, 5):
            queue.put(value)
        assert pool.map(lambda x: kept, [0, 1]) == [[5], [5]]


def test_ctrl_c_while_an_initializer_runs(script):
    script('''
        import os, signal, time
        import forkful

        def hang(pid):
            os.kill(pid, signal.SIGINT)
            time.sleep(3600)

        try:
            forkful.Pool(1, hang, (os.getpid(),))
        except KeyboardInterrupt:
            pass
        else:
            raise AssertionError
        try:
            os.wait()
        except ChildProcessError:
            pass
        else:
            raise AssertionError('it left a process')
    ''')


def test_what_an_executor_starts_with_is_told_by_its_futures():
    with forkful.ProcessPoolExecutor(2, initializer=divmod, initargs=(1, 0)) as executor:
        future = executor.submit(square, 3)
        assert isinstance(future.exception(), forkful.StartFailed)


def test_later_functions_classes_and_globals():
    """In a program of its own: __main__ is what is special here."""
    program = '''
        import forkful
        pools = [forkful.Pool(2), forkful.SnapshotPool(2), forkful.SerialPool()]
        for scale in (3, 5):
            def f(x):
                return Result(g(x) * scale)
            def g(x):
                return x + 1
            class Result:
                def __init__(self, value): self.value = value
            for pool in pools:
                assert [r.value for r in pool.map(f, range(3))] == [scale, 2 * scale, 3 * scale], pool
                assert type(pool.apply(f, (1,))) is Result
                assert pool.map(lambda x: x * scale, [2]) == [2 * scale]
                assert [r.value for r in pool.imap(f, range(2))] == [scale, 2 * scale]
                assert pool.submit(f, 1).result(30).value == 2 * scale
        for pool in pools:
            pool.terminate()
        print('done')
    '''
    ended = subprocess.run([sys.executable, '-c', textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ('done\n', '')


@pytest.mark.skipif(sys.version_info < (3, 11), reason='exceptions have no notes before')
def test_an_exception_says_whose_it_is():
    def divide(number):
        return 1 // number

    with forkful.Pool(1) as pool:
        with pytest.raises(ZeroDivisionError) as raised:
            pool.map(divide, [1, 2, 0])
        assert raised.value.__notes__ == ['forkful: item 2 of map(divide), worker 0']
        with pytest.raises(ZeroDivisionError) as raised:
            pool.apply(divide, (0,))
        assert raised.value.__notes__ == ['forkful: apply(divide), worker 0']
        with pytest.raises(TypeError) as raised:
            pool.map(divide, [1, open(__file__)])
        assert raised.value.__notes__ == ['forkful: item 1 of map(divide), as it was sent']


def test_an_executor_that_nobody_has_any_more_does_what_was_submitted(tmp_path):
    program = textwrap.dedent("""
        import os, forkful
        def dot(number):
            os.write(1, b'.')
        def submitted():
            executor = forkful.ProcessPoolExecutor(2)
            for number in range(6):
                executor.submit(dot, number)
            return executor
        submitted().shutdown(wait=False)
        submitted()
        kept = submitted()
    """)
    file = tmp_path / 'program.py'
    file.write_text(program)
    done = subprocess.run([sys.executable, '-W', 'error', file], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, '.' * 18, '')


def test_join_waits_for_the_calls_of_other_threads():
    begun = threading.Event()

    def feed():
        for number in range(50):
            if number == 10:
                begun.set()
            yield number

    with forkful.Pool(2) as pool:
        results = []
        thread = threading.Thread(target=lambda: results.append(pool.map(lambda x: time.sleep(0.002) or x, feed())))
        thread.start()
        begun.wait(30)
        while not pool._pending:
            time.sleep(0.001)
        pool.close()
        pool.join()
        thread.join(30)
        assert results == [list(range(50))]


def test_a_call_that_raises_cancelled_is_not_cancelled():
    def raises():
        raise forkful.Cancelled('in the task')
    with forkful.Pool(1) as pool:
        future = pool.submit(raises)
        assert type(future.exception(30)) is forkful.Cancelled and not future.cancelled()


@pytest.mark.parametrize('kind', [forkful.Pool, forkful.SnapshotPool])
@pytest.mark.parametrize('attempts', [1, 3])
def test_no_item_is_begun_more_often_than_its_attempts(kind, attempts):
    """Also where items are so short that many are run at a time, and next to one that ends its worker."""
    reads, writes = os.pipe()

    def counted(number):
        os.write(writes, b'%d\n' % number)
        if number == 500:
            os._exit(3)
        return number

    with kind(2) as pool:
        outcomes = pool.try_map(counted, range(1000), attempts=attempts)
    os.close(writes)
    with os.fdopen(reads) as lines:
        begun = [int(line) for line in lines]
    assert sorted(begun) == sorted([*range(500), *[500] * attempts, *range(501, 1000)])
    assert [number for number, outcome in enumerate(outcomes) if not outcome.ok] == [500]
    assert outcomes[500].error.attempt == attempts
