"""The works of the figures P1 to P12b, each for every contestant: what is called, and what is on the clock.

A contestant is a context manager that gives a call of no arguments; figures.py times it, in a process of its own.
Two workers everywhere. Peers are set up as their documentation recommends: the executor gets the chunks that
Pool.map would make, joblib keeps its workers between calls.
"""
import contextlib
import dataclasses
import functools
import os
import pickle
import subprocess
import sys
import time

WORKERS = 2


@dataclasses.dataclass
class Figure:
    title: str
    ways: dict              # name -> contestant; 'forkful' is one; those of `floors` are no peers
    goals: tuple = ()       # (sentence, what has to hold of Measured)
    repeats: int = 1        # calls a round
    per: int = 1            # units a call: times are for one
    rounds: int = 5
    idle: float = 0         # seconds before each call
    floors: tuple = ()
    digest: object = repr   # of what a call returns: the same for all but floors. None: nothing to compare
    counts_processor: bool = True   # not where workers do not outlive a call


@dataclasses.dataclass
class Timed:
    """What a call returns that has its own clock."""
    seconds: float
    value: object = None
    note: str = ''


# ---- pools, one for each way ---------------------------------------------------------------------------------

def forkful_pool():
    import forkful
    return forkful.Pool(WORKERS)


def standard_pool():
    import multiprocessing
    return multiprocessing.get_context('fork').Pool(WORKERS)


def executor():
    import concurrent.futures
    import multiprocessing
    return concurrent.futures.ProcessPoolExecutor(WORKERS, multiprocessing.get_context('fork'))


def joblib_parallel():
    import joblib
    return joblib.Parallel(n_jobs=WORKERS)


def ways_of_map(func, make_items, star=False, ways=('forkful', 'Pool', 'executor', 'joblib')):
    """Warm pools that map `func` over the items, which each contestant makes for itself."""
    @contextlib.contextmanager
    def of_pool(make):
        with make() as pool:
            items = make_items()
            verb = pool.starmap if star else pool.map
            yield lambda: verb(func, items)

    @contextlib.contextmanager
    def of_executor():
        with executor() as pool:
            items = make_items()
            chunk = max(1, -(-len(items) // (4 * WORKERS)))
            if star:
                yield lambda: list(pool.map(func, *zip(*items), chunksize=chunk))
            else:
                yield lambda: list(pool.map(func, items, chunksize=chunk))

    @contextlib.contextmanager
    def of_joblib():
        from joblib import delayed
        with joblib_parallel() as parallel:
            items = make_items()
            yield lambda: parallel(delayed(func)(*(item if star else (item,))) for item in items)

    every = {'forkful': functools.partial(of_pool, forkful_pool), 'Pool': functools.partial(of_pool, standard_pool),
             'executor': of_executor, 'joblib': of_joblib}
    return {way: every[way] for way in ways}


def alone(work, make_items=lambda: None):
    """A floor: `work(items)` without any worker."""
    @contextlib.contextmanager
    def here():
        items = make_items()
        yield lambda: work(items)
    return here


# ---- P1 to P3: strings ---------------------------------------------------------------------------------------

def eat(slice):
    return slice + '_eaten'


def slices(count):
    return lambda: [f'slice_{i}' for i in range(count)]


def pickled(func, star=False):
    """Items and results through pickle, there and back, and nothing else."""
    def work(items):
        there = pickle.loads(pickle.dumps(items, pickle.HIGHEST_PROTOCOL))
        results = [func(*item) for item in there] if star else [func(item) for item in there]
        return pickle.loads(pickle.dumps(results, pickle.HIGHEST_PROTOCOL))
    return work


def looped(func):
    return lambda items: [func(item) for item in items]


# ---- P4: arrays ----------------------------------------------------------------------------------------------

ARRAYS, LENGTH = 32, 1_000_000


def arrays():
    import numpy
    return [numpy.full(LENGTH, float(i)) for i in range(ARRAYS)]


def double(array):
    return array * 2


def double_in_place(array):
    if not array.flags.writeable:   # joblib maps large arguments read-only
        array = array.copy()
    array *= 2
    return array


def copied_in(items):
    """Each argument copied once into memory that is there already."""
    import numpy
    if not hasattr(copied_in, 'block'):
        copied_in.block = numpy.empty_like(items[0])
    for item in items:
        numpy.copyto(copied_in.block, item)


def copied_there_and_back(items):
    """Each argument copied in, and each result into fresh memory."""
    copied_in(items)
    return [item.copy() for item in items]


def ends(values):
    return repr([(float(value[0]), float(value[-1])) for value in values])


def touch(array):
    array[0] += 1


def double_all(array):
    array *= 2


def in_place(func, length):
    """Arrays in shared memory that stay where they are: forkful's, and the standard library's inherited by fork."""
    @contextlib.contextmanager
    def ours():
        import forkful
        with forkful.Pool(WORKERS) as pool:
            table = forkful.shared_array((ARRAYS, length))
            yield lambda: pool.map(func, table)

    @contextlib.contextmanager
    def theirs():
        import multiprocessing
        import numpy
        global inherited
        inherited = numpy.frombuffer(multiprocessing.RawArray('d', ARRAYS * length)).reshape(ARRAYS, length)
        with standard_pool() as pool:
            yield lambda: pool.map(functools.partial(of_inherited, func), range(ARRAYS))

    return {'forkful': ours, 'Pool': theirs}


def of_inherited(func, index):
    return func(inherited[index])


# ---- P5 to P7: calls one by one --------------------------------------------------------------------------------

def add_one(value):
    return value + 1


def one_call(pool):
    return lambda: pool.apply_async(add_one, (1,)).get()


def one_future(pool):
    return lambda: pool.submit(add_one, 1).result()


def many_calls(pool):
    return lambda: [result.get() for result in [pool.apply_async(add_one, (i,)) for i in range(1000)]]


def many_futures(pool):
    return lambda: [future.result() for future in [pool.submit(add_one, i) for i in range(1000)]]


def stream(pool):
    if hasattr(pool, 'imap'):
        return lambda: sum(pool.imap(add_one, range(5000)))
    return lambda: sum(pool.map(add_one, range(5000)))


def on(make, call):
    @contextlib.contextmanager
    def warm():
        with make() as pool:
            yield call(pool)
    return warm


# ---- P8: starting ----------------------------------------------------------------------------------------------

def starts(count, after_init=False):
    """A pool of two is made, maps four numbers, and is gone, in a program of `count` objects. `after_init`: forkful's
    workers come from what init() made before these; `forked` is forkful without that.

    joblib is left out: it keeps its workers, and starting them takes a hundred times as long.
    """
    def make_objects():
        return [float(i) for i in range(count)]

    def make_objects_after_init():
        import forkful
        forkful.init()
        return make_objects()

    def of(make, objects=make_objects):
        def call(objects):
            with make() as pool:
                return sum(pool.map(add_one, range(4)))
        return alone(call, objects)

    def forks(objects):
        for _ in range(WORKERS):
            if os.fork() == 0:
                os._exit(0)
        for _ in range(WORKERS):
            os.wait()
        return 10

    peers = {'Pool': of(standard_pool), 'executor': of(executor), '2 forks': alone(forks, make_objects)}
    if after_init:
        return {'forkful': of(forkful_pool, make_objects_after_init), 'forked': of(forkful_pool), **peers}
    return {'forkful': of(forkful_pool), **peers}


# ---- P9, P10: objects ------------------------------------------------------------------------------------------

@dataclasses.dataclass
class Slice:
    name: str
    weight: float
    layers: int


def plain_objects():
    return [Slice(f'slice_{i}', i / 2, i % 5) for i in range(20_000)]


def heavier(slice):
    return Slice(slice.name, slice.weight * 2, slice.layers)


def shared_table():
    table = {f'key {i}': [i, i + 1, i + 2] for i in range(2000)}
    return [(table, i) for i in range(1000)]


def looked_up(table, i):
    return table[f'key {i}'][1]


# ---- P11, P12: memory, import ------------------------------------------------------------------------------------

def private_bytes():
    with open('/proc/self/smaps_rollup') as file:
        return 1024 * sum(int(line.split()[1]) for line in file if line.startswith('Private_Dirty'))


def collect(nothing):
    import gc
    before, began = private_bytes(), time.perf_counter()
    gc.collect()
    return time.perf_counter() - began, private_bytes() - before


def collections(make):
    """A full collection in a fresh worker of a program with `count` containers."""
    def call(objects):
        with make() as pool:
            seconds, copied = list(pool.map(collect, [0]))[0]
            return Timed(seconds, note=f'{max(0, copied) / 1e6:.0f} MB copied')
    return alone(call, lambda: [[i] for i in range(2_000_000)])


def imports(module):
    # With bytecode: the turn that is not counted writes it.
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONDONTWRITEBYTECODE'}
    program = f'import time; began = time.perf_counter(); import {module}; print(time.perf_counter() - began)'

    def call(nothing):
        return Timed(float(subprocess.run([sys.executable, '-c', program], env=environment, check=True,
                                          capture_output=True).stdout))
    return alone(call)


# ---- the figures -------------------------------------------------------------------------------------------------

def times(peer, least):
    return f'{least:g} x faster than {peer}', lambda measured: measured.ratio(peer) >= least


def at_most(factor, floor):
    return f'at most {factor:g} x {floor}', lambda measured: measured.ratio(floor) >= 1 / factor


def below(seconds, text):
    return f'at most {text}', lambda measured: measured.median('forkful') <= seconds


def figures():
    return {
        'P1': Figure('map of 4 strings', {**ways_of_map(eat, slices(4)), 'pickle': alone(pickled(eat), slices(4))},
                     (times('Pool', 20),), repeats=100, rounds=20, floors=('pickle',)),
        'P2': Figure('the same after 5 ms idle', ways_of_map(eat, slices(4)), (times('Pool', 4),), repeats=10,
                     rounds=15, idle=0.005),
        'P3': Figure('map of 20 000 strings', {
            **ways_of_map(eat, slices(20_000)), 'pickle': alone(pickled(eat), slices(20_000)),
            'loop': alone(looped(eat), slices(20_000))},
            (times('Pool', 2.5), at_most(1, 'pickle')), repeats=2, rounds=12, floors=('pickle', 'loop')),
        'P4': Figure('32 x 8 MB, a * 2', {
            **ways_of_map(double, arrays), 'memcpy': alone(copied_there_and_back, arrays)},
            (times('Pool', 8), at_most(1, 'memcpy')), rounds=3, floors=('memcpy',), digest=ends),
        'P4b': Figure('32 x 8 MB, a *= 2; return a', {
            **ways_of_map(double_in_place, arrays, ways=('forkful', 'Pool')), 'memcpy in': alone(copied_in, arrays)},
            (at_most(2, 'memcpy in'),), rounds=3, floors=('memcpy in',), digest=ends),
        'P4c': Figure('32 shared arrays of 8 MB, a *= 2', in_place(double_all, LENGTH), rounds=7),
        'P4d': Figure('32 shared arrays of 8 MB, touched', in_place(touch, LENGTH), (below(0.3e-3, '0.3 ms'),),
                      repeats=20, rounds=10),
        'P4e': Figure('32 shared arrays of 8 KB, touched', in_place(touch, 1000), (below(0.3e-3, '0.3 ms'),),
                      repeats=20, rounds=10),
        'P5': Figure('one apply_async().get()', {
            'forkful': on(forkful_pool, one_call), 'Pool': on(standard_pool, one_call)},
            (times('Pool', 5),), repeats=200, rounds=15),
        'P5b': Figure('one submit().result()', {
            'forkful': on(forkful_pool, one_future), 'executor': on(executor, one_future)},
            (times('executor', 5),), repeats=200, rounds=15),
        'P6': Figure('1000 apply_async, then got, each', {
            'forkful': on(forkful_pool, many_calls), 'Pool': on(standard_pool, many_calls)},
            (('at most 5 us of processor time', lambda measured: measured.processor('forkful') <= 5e-6),),
            repeats=3, per=1000, rounds=10),
        'P6b': Figure('1000 submit, then got, each', {
            'forkful': on(forkful_pool, many_futures), 'executor': on(executor, many_futures)},
            (('at most 5 us of processor time', lambda measured: measured.processor('forkful') <= 5e-6),),
            repeats=3, per=1000, rounds=10),
        'P7': Figure('imap of 5000, chunks of 1, an item', {
            'forkful': on(forkful_pool, stream), 'Pool': on(standard_pool, stream), 'executor': on(executor, stream)},
            (times('Pool', 8),), per=5000, rounds=8),
        'P8': Figure('start, map, stop', starts(0), (at_most(0.75, 'Pool'),), repeats=2, rounds=12,
                     floors=('2 forks',), counts_processor=False),
        'P8b': Figure('the same beside 10 M objects, after init()', starts(10_000_000, after_init=True),
                      (times('Pool', 5), times('forked', 5)), rounds=6, floors=('2 forks',), counts_processor=False),
        'P9': Figure('map of 20 000 dataclass instances', {
            **ways_of_map(heavier, plain_objects), 'pickle': alone(pickled(heavier), plain_objects)},
            (times('Pool', 2.5),), rounds=8, floors=('pickle',)),
        'P10': Figure('starmap of 1000 (a dict of 2000 lists, i)', ways_of_map(looked_up, shared_table, star=True),
                      (at_most(1.2, 'Pool'),), rounds=2),
        'P11': Figure('full collection in a worker, 2 M lists', {
            'forkful': collections(forkful_pool), 'Pool': collections(standard_pool),
            'executor': collections(executor)},
            (below(0.03, '30 ms'),), rounds=3, digest=None, counts_processor=False),
        'P12': Figure('import', {
            'forkful': imports('forkful'), 'multiprocessing': imports('multiprocessing')},
            (below(0.025, '25 ms'),), rounds=4, digest=None, counts_processor=False),
        'P12b': Figure('import of the pool', {
            'forkful': imports('forkful.pool'), 'Pool': imports('multiprocessing.pool'),
            'executor': imports('concurrent.futures.process'), 'joblib': imports('joblib')},
            (below(0.025, '25 ms'),), rounds=4, digest=None, counts_processor=False),
    }
