"""forkful.init(): programs whose workers come from its template."""
import signal
import subprocess
import sys
import textwrap

import pytest

forkful_init = 'import forkful\nforkful.init()\nimport os, sys\n'

# Counts forks of the program itself from here on.
counts_forks = '''
forks = []
os.register_at_fork(before=lambda: forks.append(None))
'''


@pytest.fixture
def program(script):
    """Runs a program that begins with init(), and forks no more after it."""
    def run(body, forks=0, **how):
        script(forkful_init + counts_forks + textwrap.dedent(body) + f'\nassert len(forks) == {forks}, forks\n', **how)
    return run


# ---- what workers know -------------------------------------------------------------------------------------

@pytest.mark.parametrize('how', ['file', '-c', 'stdin'])
def test_workers_have_the_globals_of_init_and_what_came_later_travels(script, how):
    script('''
        import forkful, os
        before = ['init']
        def of_init():
            return before, sorted(globals())
        forkful.init()
        before.append('later')              # in place: stays as the worker has it
        factor = 2
        def scaled(x):
            return x * factor, os.getppid()
        class Point:
            def __init__(self, x):
                self.x = x
        with forkful.Pool(2) as pool:
            seen, names = pool.apply(of_init)
            assert seen == ['init'] and 'of_init' in names, (seen, names)
            assert 'factor' not in names and 'Point' not in names, names
            assert pool.map(scaled, range(3)) == [(0, os.getpid()), (2, os.getpid()), (4, os.getpid())]
            factor = 3
            assert pool.map(scaled, [1])[0][0] == 3
            def scaled(x):
                return -x * factor
            assert pool.map(scaled, range(3)) == [0, -3, -6]
            moved = pool.map(lambda point: Point(point.x + 1), [Point(1)])
            assert type(moved[0]) is Point and moved[0].x == 2
            before = 'bound anew'
            assert pool.apply(of_init)[0] == 'bound anew'
    ''', how=how)


def test_globals_bound_between_init_and_the_pool_are_sent_once(program):
    program('''
        pickled = []
        class Table(dict):
            def __reduce__(self):
                pickled.append(self)
                return Table, (), None, None, iter(self.items())
        table = Table(x=1)
        def look(x):
            table.setdefault('seen', []).append(x)
            return len(table['seen']), table['x']
        with forkful.Pool(1) as pool:
            assert pool.map(look, range(3)) == [(1, 1), (2, 1), (3, 1)]
            table['x'] = 2                              # as with a pool that was forked now: not seen
            assert pool.map(look, range(2)) == [(4, 1), (5, 1)]
            assert len(pickled) == 1, pickled
            first = table
            table = Table(x=3)
            assert pool.map(look, range(2)) == [(1, 3), (2, 3)]
            table = first                               # is not what the worker has
            assert pool.map(look, range(2)) == [(1, 2), (2, 2)]
    ''')


def test_modules_imported_later_are_imported_again_in_workers(program, tmp_path):
    (tmp_path / 'later.py').write_text('import os\nof = os.getpid()\ndef where():\n    return of, os.getpid()\n')
    program(f'''
        sys.path.append({str(tmp_path)!r})
        import later
        with forkful.Pool(2) as pool:
            for of, worker in pool.map(lambda i: later.where(), range(4)):
                assert of == worker != os.getpid()
            of, worker = pool.apply(later.where)
            assert of == worker
    ''')


# ---- the initializer ---------------------------------------------------------------------------------------

def test_initializers_and_tasks_meet_in_the_globals(program):
    program('''
        number, cache, models = None, {}, []
        class Model:
            def __init__(self, scale):
                self.scale = scale
        def load(scale):
            global number
            number = scale
            cache['scale'] = scale
        def setup(scale, model, *more):
            load(scale)
            models.append(model)
            assert more == (1, 'two') and type(model) is Model
        def work(x):
            return x * number + cache['scale'] + models[0].scale
        for replaced in (None, 1):
            with forkful.Pool(2, setup, [10, Model(5), 1, 'two'], replaced) as pool:
                for _ in range(2):
                    assert pool.map(work, range(5), chunksize=1) == [15, 25, 35, 45, 55]
                number = 1000                       # bound anew: travels
                assert pool.map(work, [1]) == [1015]
                number = None
                pool.restart()
                assert pool.map(work, [1]) == [25]
        assert number is None and cache == {} and models == []
    ''')


def test_initializers_by_reference_lambdas_and_shared_arrays(program, tmp_path):
    pytest.importorskip('numpy')
    (tmp_path / 'later.py').write_text('found = None\ndef setup(value):\n    global found\n    found = value\n'
                                       'def get(_):\n    return found\n')
    program(f'''
        sys.path.append({str(tmp_path)!r})
        import later
        table = forkful.shared_array(3)
        with forkful.Pool(2, later.setup, (7,)) as pool:
            assert pool.map(later.get, range(3)) == [7, 7, 7]
        def add(_):
            shared[worker] += 1
            return worker
        with forkful.Pool(1, lambda t: globals().update(shared=t, worker=forkful.worker_index()), (table,)) as pool:
            assert pool.map(lambda _: shared[0], range(2)) == [0, 0]
            assert pool.map(add, range(2)) == [0, 0]
        assert list(table) == [2, 0, 0]
    ''')


@pytest.mark.parametrize('what, said', [
    ('forkful.Pool(1, print, (1, forkful.Lock()))', 'argument 1 of the initializer cannot be sent'),
    ('forkful.Pool(1, uses_lock)', "the global 'lock' of __main__, which uses_lock uses, cannot be sent"),
    ('forkful.ProcessPoolExecutor(1, initializer=uses_lock).submit(abs, 1)', "the global 'lock' of __main__"),
])
def test_what_cannot_be_sent_to_an_initializer_is_named(program, what, said):
    program(f'''
        lock = forkful.Lock()
        def uses_lock():
            lock.acquire()
        try:
            {what}
        except Exception as error:
            told = str(error)
        assert {said!r} in told, told
        assert 'bind it to a global before init(), or do without init()' in told, told
    ''')


def test_what_was_bound_before_init_is_inherited(script):
    script('''
        import forkful
        lock = forkful.Lock()
        counter = forkful.Value('i', 0)
        def setup():
            with lock:
                counter.value += 1
        forkful.init()
        with forkful.Pool(2, setup) as pool:
            pool.map(abs, range(10))
            pool.close()
            pool.join()
        assert counter.value == 2, counter.value
    ''')


def test_an_initializer_that_raises_is_told(program):
    program('''
        def setup(n):
            raise ValueError(f'no oven {n}')
        try:
            forkful.Pool(2, setup, (3,))
        except forkful.StartFailed as error:
            assert 'ValueError: no oven 3' in str(error), error
        else:
            raise AssertionError
    ''')


# ---- what else a pool gives its workers --------------------------------------------------------------------

def test_workers_are_who_they_are(program):
    program('''
        import multiprocessing
        me = multiprocessing.current_process()
        me.name, me.authkey = 'the caller', b'later'
        def who(_):
            this = multiprocessing.current_process()
            parent = multiprocessing.parent_process()
            return (this.name, this._identity, this.daemon, bytes(this.authkey), forkful.worker_index(),
                    forkful.in_worker(), parent.name, parent.pid, os.getpid(), sys.stdin.read(),
                    os.environ.get('OMP_NUM_THREADS'), os.popen('echo $OMP_NUM_THREADS').read())
        with forkful.Pool(2, inner_threads=1) as pool:
            members = {member.pid: member.name for member in pool._pool}
            for one in pool.map(who, range(6)):
                name, identity, daemon, key, index, inside, parent, caller, pid, read, *threads = one
                assert name == members[pid] and identity == (index + 1,) and daemon and inside, name
                assert key == b'later' and parent == 'the caller' and caller == os.getpid() and read == ''
                assert threads[1] == '1\\n', threads
        assert len(members) == 2
    ''')


def test_a_crash_and_a_late_item_have_their_stacks(program):
    program('''
        import time
        def crash(x):
            os.abort()
        def outer(x):
            return crash(x) if x == 1 else time.sleep(60) if x == 2 else x
        with forkful.Pool(2) as pool:
            for _ in range(2):
                good, crashed, late, last = pool.try_map(outer, range(4), timeout=0.3)
                assert good.value == 0 and last.value == 3
                assert ' in crash\\n' in crashed.error.traceback and ' in outer' in crashed.error.traceback
                assert type(late.error) is forkful.TaskTimeout and ' in outer' in late.error.traceback
    ''')


# Numbers of descriptors say nothing: here the files of the first worker are gone, and another file has one's number.
def test_a_stack_goes_into_no_file_that_took_its_number(program, tmp_path):
    program(f'''
        with forkful.Pool(1) as pool:
            pool.map(abs, [1])
            own = open({str(tmp_path / "own")!r}, 'w+b')
            os.dup2(own.fileno(), pool._side.stacks._files[0])
            outcomes = pool.try_map(lambda x: os.abort(), range(3))
            assert all(type(outcome.error) is forkful.WorkerCrashed for outcome in outcomes)
            assert pool.map(abs, [-1]) == [1]
            assert own.seek(0, 2) == 0
    ''')


def test_memory_limits_and_printing(script, tmp_path):
    script(f'''
        import forkful, os, sys
        file = open({str(tmp_path / "printed")!r}, 'w', buffering=1 << 16)
        sys.stdout, before = file, sys.stdout
        print('before init')
        forkful.init()
        print('before the pool')
        def work(x):
            print('item', x)
            return len(bytearray(x))
        with forkful.Pool(2, memory_limit=1 << 28) as pool:
            small, large = pool.try_map(work, [10, 1 << 30])
        print('after')
        file.close()
        sys.stdout = before
        assert small.value == 10 and type(large.error) is MemoryError, large.error
        lines = open(file.name).read().splitlines()
        assert lines[:2] == ['before init', 'before the pool'] and lines[-1] == 'after', lines
        assert sorted(lines[2:4]) == ['item 10', f'item {{1 << 30}}'] and len(lines) == 5, lines
    ''')


# ---- what it is for ----------------------------------------------------------------------------------------

openmp = '''
import ctypes
def in_parallel(x):
    library = ctypes.CDLL('libgomp.so.1')
    library.GOMP_parallel(ctypes.cast(library.omp_get_thread_num, ctypes.c_void_p), None, 2, 0)
    return x
'''


def test_openmp_used_in_the_program_since_does_no_harm(program):
    program(openmp + textwrap.dedent('''
        in_parallel(0)
        assert len(os.listdir('/proc/self/task')) == 2
        with forkful.Pool(2, inner_threads=0) as pool:
            assert pool.map(in_parallel, range(4), timeout=20) == [0, 1, 2, 3]
            assert not any('thread' in warning for warning in pool.report().warnings), pool.report().warnings
    '''))


def test_blas_at_work_in_another_thread_does_not_stop_the_pool(program):
    pytest.importorskip('numpy')
    program('''
        import numpy, threading
        matrix = numpy.ones((300, 300))
        enough = threading.Event()
        def compute():
            while not enough.is_set():
                matrix @ matrix
        others = [threading.Thread(target=compute, daemon=True) for _ in range(2)]
        for other in others:
            other.start()
        small = numpy.ones((100, 100))
        with forkful.Pool(2) as pool:
            assert pool.map(lambda i: float((small @ small)[0, 0]) + i, range(4), timeout=30) == [100, 101, 102, 103]
        enough.set()
        for other in others:
            other.join()
    ''')


# ---- when it is called -------------------------------------------------------------------------------------

def test_other_threads_are_named_and_the_second_init_is_harmless(script):
    script('''
        import forkful, threading
        enough = threading.Event()
        def begin(name):
            other = threading.Thread(target=enough.wait, name=name, daemon=True)
            other.start()
            return other
        others = [begin('baker')]
        for names, run in (['baker'], 'another thread runs (baker)'), (['icer'], '2 other threads run (baker, icer)'):
            try:
                forkful.init()
                raise AssertionError
            except forkful.StartFailed as error:
                assert run in str(error) and 'first line of the script' in str(error), error
                assert run in error.trouble
            others.append(begin('icer'))
        enough.set()
        for other in others:
            other.join()
        forkful.init()
        enough.clear()
        other = begin('baker')
        forkful.init()                      # threads may run by now
        late = 3
        with forkful.Pool(2) as pool:
            assert 'late' not in pool.apply(lambda: sorted(globals()))
        enough.set()
    ''')


def test_after_pools_were_made(script):
    script('''
        import forkful, gc, os
        early = forkful.Pool(2)
        assert early.map(abs, [-1, -2]) == [1, 2]
        forkful.init()
        late = 3
        with forkful.Pool(2) as pool:
            assert pool.map(lambda x: x * late, range(3)) == [0, 3, 6]
            assert early.map(lambda x: x * late, range(3)) == [0, 3, 6]
            early.terminate()
            assert pool.map(lambda x: x * late, range(3)) == [0, 3, 6]
    ''')


def test_in_workers_it_does_nothing_and_they_may_have_pools(program):
    program('''
        import threading
        def nested(x):
            forkful.init()
            added = 10
            with forkful.Pool(2, id, (threading.Lock(),)) as pool:      # nothing is pickled for it
                return pool.map(lambda y: x + y + added, range(3)), pool.apply(os.getppid) == os.getpid()
        with forkful.Pool(2) as pool:
            assert pool.map(nested, range(3)) == [([x + 10, x + 11, x + 12], True) for x in range(3)]
        with forkful.SnapshotPool(1) as pool:
            assert pool.map(nested, range(1)) == [([10, 11, 12], True)]
    ''', forks=1)       # the snapshot's


def test_a_forked_child_makes_its_own(program):
    program('''
        import threading
        late = 5
        def names(_):
            return 'late' in globals(), 'later' in globals(), os.getppid()
        for again, expected in (False, (True, True)), (True, (True, False)):
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    if again:
                        forkful.init()
                    later = 6
                    with forkful.Pool(2, *() if again else (id, (threading.Lock(),))) as pool:
                        assert pool.map(names, range(3)) == [(*expected, os.getpid())] * 3
                    status = 0
                finally:
                    os._exit(status)
            assert os.waitpid(pid, 0)[1] == 0
        later = 6
        with forkful.Pool(1) as pool:
            assert pool.map(names, range(1)) == [(False, False, os.getpid())]
    ''', forks=2)


def test_without_its_template_a_pool_is_forked_and_says_so(program):
    program('''
        import select, signal
        late = 5
        def names(_):
            return 'late' in globals()
        [template] = map(int, open(f'/proc/self/task/{os.getpid()}/children').read().split())
        early = forkful.Pool(1, abs, (-1,))
        assert early.map(names, [1]) == [False]
        ended = os.pidfd_open(template)
        os.kill(template, signal.SIGKILL)
        assert select.select([ended], [], [], 30)[0]
        with forkful.Pool(2, abs, (-1,)) as pool:
            assert pool.map(names, range(3)) == [True] * 3
            assert pool.map(lambda x: (x, late), range(3)) == [(0, 5), (1, 5), (2, 5)]
            [said] = [one for one in pool.report().warnings if 'init' in one]
            assert 'forkful::init made has ended (signal 9)' in said, said
        assert early.map(names, [1]) == [False]
        assert not early.try_map(lambda _: os._exit(1), [1])[0]
        assert early.map(names, range(3)) == [True] * 3
        [said] = [one for one in early.report().warnings if 'init' in one]
        assert 'workers are forked from the caller' in said and 'has ended (signal 9)' in said, said
        early.terminate()
    ''', forks=2)


# ---- other pools -------------------------------------------------------------------------------------------

def test_snapshots_executors_and_restarts(program):
    program('''
        late, counted = 5, []
        def names(_):
            return 'late' in globals(), os.getppid() == os.getpid()
        with forkful.SnapshotPool(1) as pool:
            assert pool.map(lambda x: x + late, range(3)) == [5, 6, 7]
            assert pool.map(names, [1])[0][0]
        assert len(forks) == 2
        forks.clear()
        def setup(n):
            global counted
            counted = n
        with forkful.ProcessPoolExecutor(2, initializer=setup, initargs=(4,)) as executor:
            assert not executor.submit(names, 1).result()[0]
            assert list(executor.map(lambda x: x + late + counted, range(3))) == [9, 10, 11]
        with forkful.Pool(1) as pool:
            assert not pool.map(names, [1])[0][0]
            counted.append(1)
            assert pool.map(lambda _: counted, [1]) == [[1]]
            counted.append(2)
            assert pool.map(lambda _: counted, [1]) == [[1]]
            pool.restart()
            assert pool.map(lambda _: counted, [1]) == [[1, 2]]
            pool.resize(2)
            assert len({pid for pid in pool.map(lambda _: os.getpid(), range(50), chunksize=1)}) <= 2
            assert pool.size == 2
    ''')


def test_joblib(program):
    pytest.importorskip('joblib')
    program('''
        from joblib import Parallel, delayed
        forkful.register_joblib()
        late = 5
        def work(x):
            return x + late, os.getppid()
        assert Parallel(n_jobs=2, backend='forkful')(delayed(work)(x) for x in range(4)) == [
            (x + 5, os.getpid()) for x in range(4)]
    ''')


def test_two_pools_have_what_is_theirs(program):
    program('''
        kept = None
        def setup(n):
            global kept
            kept = n
        with forkful.Pool(2, setup, (1,)) as one, forkful.Pool(2, setup, (2,)) as two:
            assert one.map(lambda _: kept, range(4)) == [1] * 4
            assert two.map(lambda _: kept, range(4)) == [2] * 4
    ''')


# ---- ends --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('end', ['', 'sys.exit(0)', 'os._exit(0)', 'os.kill(os.getpid(), 9)'])
def test_nothing_is_left(end):
    body = forkful_init + f'pool = forkful.Pool(2)\nassert pool.map(abs, [-1]) == [1]\n{end}\n'
    process = subprocess.Popen([sys.executable, '-c', body], start_new_session=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    said = process.communicate(timeout=30)[0]       # all that have this pipe are gone, or it would not return
    assert process.returncode == (-signal.SIGKILL if 'kill' in end else 0), said
    assert said == '' or 'ResourceWarning' in said


def test_many_pools_leave_nothing_behind(program):
    program('''
        import gc
        def resources():
            gc.collect()
            return len(os.listdir('/proc/self/fd')), len(os.listdir('/proc/self/task'))
        def one():
            with forkful.Pool(1, abs, (-1,)) as pool:
                assert pool.map(abs, [-1]) == [1]
        for _ in range(3):
            one()
        before = resources()
        for _ in range(30):
            one()
        assert resources() == before
    ''')
