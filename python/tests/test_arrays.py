"""Arrays: ordinary ones pass as copies, shared ones as handles, and a worker that keeps one keeps its memory."""
import functools
import gc
import os
import signal
import time

import numpy
import pytest

import forkful


@pytest.fixture(scope='module')
def pool():
    with forkful.Pool(2) as made:
        yield made


def add_one(array):
    array += 1
    return array


def shared_address(array):
    return array.base.address


LAYOUTS = {
    'rows': numpy.arange(12.0).reshape(3, 4),
    'columns': numpy.asfortranarray(numpy.arange(12.0).reshape(3, 4)),
    'transposed': numpy.arange(24).reshape(2, 3, 4).transpose(2, 0, 1),
    'stepped': numpy.arange(100)[::-3],
    'broadcast': numpy.broadcast_to(numpy.arange(3), (4, 3)),
    'no dimensions': numpy.array(3.5),
    'empty': numpy.zeros((0, 5)),
    'complex': numpy.array([1 + 2j]),
    'strings': numpy.array(['a', 'öl', '日本']),
    'bytes': numpy.array([b'a', b'bc']),
    'dates': numpy.array(['2026-11-30'], 'datetime64[D]'),
    'records': numpy.array([(1, 2.5)], [('n', 'i4'), ('x', 'f8')]),
    'other byte order': numpy.arange(5, dtype='>i4'),
    'objects': numpy.array([None, 'x', [1]], object),
    'masked': numpy.ma.array([1, 2, 3], mask=[0, 1, 0]),
    'large': numpy.arange(100_000.0),
    'large columns': numpy.asfortranarray(numpy.ones((300, 400))),
    'large stepped': numpy.arange(400_000)[::2],
}


def same(value):
    return value


@pytest.mark.parametrize('name', LAYOUTS)
def test_ordinary_arrays_travel_by_value(pool, name):
    array = LAYOUTS[name]
    back, = pool.map(same, [array])
    assert type(back) is type(array) and back.dtype == array.dtype and back.shape == array.shape
    assert (back == array).all()
    assert not forkful.is_shared(back) and not numpy.shares_memory(back, array)


def test_a_large_array_is_the_workers_own_and_writable(pool):
    array = numpy.zeros(100_000)
    back, = pool.map(add_one, [array])
    assert (back == 1).all() and (array == 0).all()
    assert back.flags.writeable
    back += 1


def test_large_memory_beside_small_things_and_in_batches(pool):
    items = [{'name': i, 'a': numpy.full(20_000, i), 'b': bytearray(b'x' * 100_000)} for i in range(20)]
    for i, back in enumerate(pool.map(same, items, chunksize=7)):
        assert back['name'] == i and (back['a'] == i).all() and back['b'] == items[i]['b']
        assert type(back['b']) is bytearray


def test_read_only_memory_stays_so(pool):
    array = numpy.arange(100_000)
    array.flags.writeable = False
    back, = pool.map(same, [array])
    assert (back == array).all() and not back.flags.writeable


@pytest.mark.parametrize('when', ['before', 'after'])
def test_shared_arrays_are_changed_in_place(when):
    early = forkful.shared_array((4, 1000)) if when == 'before' else None
    with forkful.Pool(2) as pool:
        array = early if early is not None else forkful.shared_array((4, 1000))
        assert (array == 0).all()
        back = pool.map(add_one, array)
        assert (array == 1).all()
        back[2][:] = 7      # the caller has the very memory back
        assert (array[2] == 7).all()
        assert 'copied in' in str(pool.report())


def test_views_of_any_layout_are_handles(pool):
    array = forkful.shared_array((6, 8), 'i4')
    view, = pool.map(add_one, [array[::2, ::-3].T])
    assert view.shape == (3, 3) and forkful.is_shared(view)
    assert (array[::2, ::-3] == 1).all() and array.sum() == 9


@pytest.mark.parametrize('nested', [lambda a: a, lambda a: [a, 1], lambda a: {'k': (a,)}, lambda a: {1j: a}])
def test_handles_lie_anywhere_in_a_value(pool, nested):
    array = forkful.shared_array(10)
    back, = pool.map(same, [nested(array)])
    inner = back
    while not isinstance(inner, numpy.ndarray):
        inner = next(iter(inner.values())) if isinstance(inner, dict) else inner[0]
    inner[:] = 5
    assert (array == 5).all()


def test_what_cannot_be_written_cannot_there(pool):
    array = forkful.shared_array(10)
    array.flags.writeable = False
    with pytest.raises(ValueError, match='read-only'):
        pool.map(add_one, [array])


def test_share_copies_once_and_keeps_the_order():
    array = numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3))
    shared = forkful.share(array)
    assert forkful.is_shared(shared) and not forkful.is_shared(array)
    assert (shared == array).all() and shared.flags.f_contiguous
    assert not numpy.shares_memory(shared, array)
    assert forkful.is_shared(shared[1:]) and not forkful.is_shared(shared + 1)
    assert (forkful.share([1, 2]) == [1, 2]).all()


def test_records_are_shared_too(pool):
    array = forkful.shared_array(3, [('n', 'i4'), ('x', 'f8')])

    def fill(record):
        record['n'] = 7
    pool.map(fill, [array])
    assert (array['n'] == 7).all()


def test_python_objects_are_refused_with_a_sentence():
    with pytest.raises(TypeError, match='holds Python objects, which no other process can use'):
        forkful.shared_array(3, object)


def made(i):
    array = forkful.shared_array(10)
    array[:] = i
    return array


def test_an_array_made_by_a_worker_becomes_the_callers(pool):
    arrays = pool.map(made, range(6))
    assert [array[0] for array in arrays] == [0, 1, 2, 3, 4, 5]
    assert all(forkful.is_shared(array) and array.base.owned for array in arrays)
    arrays[3][:] = 9
    assert pool.apply(sum, (arrays[3],)) == 90
    # Also beside what has to be pickled, and where the result cannot be sent in the end.
    array, number = pool.apply(lambda: (made(5), numpy.float64(1.5)))
    assert array.base.owned and (array == 5).all() and number == 1.5
    with pytest.raises(forkful.pool.MaybeEncodingError):
        pool.apply(lambda: (made(5), open('/dev/null')))
    twice, = pool.map(lambda i: [made(i)] * 2, [4])
    assert twice[0].base is twice[1].base and twice[0].base.owned


def shared_bytes():
    """Memory that the arena has, in use or kept for reuse."""
    for number in os.listdir('/proc/self/fd'):
        try:
            if os.readlink(f'/proc/self/fd/{number}').startswith('/memfd:forkful ('):
                return os.stat(f'/proc/self/fd/{number}').st_blocks * 512
        except OSError:
            pass
    raise AssertionError('there is no arena')


MB = 1 << 20


def check_that_memory_stays_flat(once, rounds=10):
    """Where each round makes 16 MB or more, after two that find out how much is kept for reuse."""
    once()
    once()
    before = shared_bytes()
    for _ in range(rounds):
        once()
    assert shared_bytes() < before + 16 * MB


def make_and_keep(i):
    global kept
    kept = [forkful.shared_array(MB, 'u1') for _ in range(16)]
    return os.getpid()


def make_and_die(i):
    mine = [forkful.shared_array(MB, 'u1') for _ in range(16)]
    for array in mine[::3]:
        del array
    os.kill(os.getpid(), signal.SIGKILL)


def make_and_hang(i):
    make_and_keep(i)
    time.sleep(3600)


def return_and_die(i):
    os.kill(os.getpid(), signal.SIGKILL) if i == 3 else None
    return forkful.shared_array(4 * MB, 'u1')


@pytest.mark.parametrize('end', ['killed in the item', 'late', 'killed later', 'terminated', 'recycled'])
def test_what_a_worker_had_made_is_free_when_it_ends(end):
    def once(pool):
        if end == 'killed in the item':
            assert isinstance(pool.try_map(make_and_die, [0])[0].error, forkful.WorkerCrashed)
        elif end == 'late':
            assert isinstance(pool.try_map(make_and_hang, [0], timeout=0.05)[0].error, forkful.TaskTimeout)
        elif end == 'killed later':
            os.kill(pool.apply(make_and_keep, (0,)), signal.SIGKILL)
            pool.apply(abs, (1,))
        elif end == 'terminated':
            pool.apply(make_and_keep, (0,))
            pool.restart()
        else:
            pool.apply(make_and_keep, (0,))

    with forkful.Pool(1, maxtasksperchild=1 if end == 'recycled' else None) as pool:
        check_that_memory_stays_flat(lambda: once(pool))


def test_shared_results_that_nobody_takes_are_freed():
    with forkful.Pool(1) as pool:
        def once():
            results = pool.imap(lambda i: forkful.shared_array(4 * MB, 'u1'), range(4))
            next(results)
            results.close() if hasattr(results, 'close') else None
            del results
            pool.apply(abs, (1,))

        check_that_memory_stays_flat(once)


def keep_and_return(i):
    global kept
    kept = forkful.shared_array(4 * MB, 'u1')
    return kept


def return_kept(i):
    return kept


def keep_return_and_die(i):
    if i == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    global kept
    kept = [kept, forkful.shared_array(4 * MB, 'u1')] if i else forkful.shared_array(4 * MB, 'u1')
    return kept


@pytest.mark.parametrize('end', ['killed', 'recycled', 'restart', 'terminate', 'died with it'])
def test_shared_results_that_were_kept_and_nobody_takes_are_freed_with_their_worker(end):
    def once():
        with forkful.Pool(1, maxtasksperchild=4 if end == 'recycled' else None) as pool:
            if end == 'died with it':
                results = pool.imap(keep_return_and_die, range(5), chunksize=5)
            else:
                results = pool.imap(keep_and_return, range(4))
            assert pool.apply(abs, (1,)) == 1           # they are there
            del results
            if end in ('killed', 'restart'):
                os.kill(pool.apply(os.getpid), signal.SIGKILL) if end == 'killed' else pool.restart()
                assert pool.apply(abs, (1,)) == 1

    check_that_memory_stays_flat(once)


def drop_pending(pool):
    """As an imap is dropped, of which nothing was collected."""
    pool._pending.clear()


def test_a_result_that_nobody_took_can_be_returned_again(limit):
    with forkful.Pool(1) as pool:
        pool.apply_async(keep_and_return, (0,))
        again = pool.apply(return_kept, (0,))
        assert not again.base.owned     # it came with the other result
        drop_pending(pool)
        while not again.base.owned:     # until that is off the board
            del again
            again = pool.apply(return_kept, (0,))
        again[:] = 7
        pool.restart()
        others = [forkful.shared_array(4 * MB, 'u1') for _ in range(20)]
        assert not any(numpy.shares_memory(one, again) for one in others) and (again == 7).all()


@pytest.mark.parametrize('when', ['before', 'after'])
def test_a_result_stays_while_it_is_looked_at_that_was_also_returned_where_nobody_took_it(when):
    def once():
        with forkful.Pool(1) as pool:
            pool.apply_async(keep_and_return, (0,))
            again = pool.apply(return_kept, (0,))
            assert not again.base.owned     # it came with the other result
            if when == 'before':
                drop_pending(pool)
            pool.restart()
            drop_pending(pool)
            others = [forkful.shared_array(4 * MB, 'u1') for _ in range(4)]
            assert not any(numpy.shares_memory(one, again) for one in others)

    check_that_memory_stays_flat(once, rounds=40)


def test_a_shared_result_beside_one_that_kills_the_worker_counts():
    with forkful.Pool(1) as pool:
        def once():
            outcomes = pool.try_map(return_and_die, range(5), chunksize=5)
            assert [bool(one) for one in outcomes] == [True, True, True, False, True]
            for one in outcomes:
                if one:
                    assert one.value.base.owned and not one.value.any()
                    one.value[:] = 1
        check_that_memory_stays_flat(once)


def keep(array):
    global kept
    kept = array
    return os.getpid()


def sum_of_kept(nothing):
    return kept.sum()


def test_a_worker_that_keeps_an_array_keeps_its_memory():
    with forkful.Pool(1) as pool:
        array = forkful.share(numpy.full(50_000, 3.0))
        address = shared_address(array)
        pool.apply(keep, (array,))
        del array
        gc.collect()
        others = [forkful.share(numpy.zeros(50_000)) for _ in range(20)]
        assert address not in map(shared_address, others)
        assert pool.map(sum_of_kept, [0]) == [150_000.0]
        # It lets go: what is freed then is the next to be given out.
        pool.apply(keep, (None,))
        pool.apply(abs, (1,))
        assert address in [shared_address(forkful.shared_array(50_000)) for _ in range(3)]


def test_what_a_killed_worker_kept_is_free():
    with forkful.Pool(1) as pool:
        array = forkful.shared_array(50_000)
        address = shared_address(array)
        pid = pool.apply(keep, (array,))
        del array
        os.kill(pid, signal.SIGKILL)
        assert pool.apply(os.getpid) != pid
        forkful.shared_array(1)     # its end looks
        assert address in [shared_address(forkful.shared_array(50_000)) for _ in range(3)]


def test_a_kept_array_comes_back_after_the_caller_let_go():
    with forkful.Pool(1) as pool:
        array = forkful.share(numpy.full(1000, 3.0))
        pool.apply(keep, (array,))
        del array
        back, = pool.map(lambda nothing: kept, [0])
        assert (back == 3).all() and back.base.owned


seen = forkful.share(numpy.full(1000, 5.0))


def sum_of_seen(nothing):
    return seen.sum()


def test_a_global_array_stays_for_the_workers_that_see_it():
    global seen
    with forkful.Pool(1) as pool:
        address = shared_address(seen)
        seen = None
        gc.collect()
        assert address not in [shared_address(forkful.shared_array(1000)) for _ in range(20)]
        assert pool.map(lambda nothing: __import__('test_arrays').seen.sum(), [0]) == [5000.0]


def test_snapshot_and_serial_pools_change_shared_arrays_in_place():
    for pool in forkful.SnapshotPool(2), forkful.SerialPool():
        array = forkful.shared_array((3, 10))
        pool.map(add_one, array)
        assert (array == 1).all()


def test_a_fork_frees_nothing_of_its_parent():
    array = forkful.share(numpy.full(1000, 2.0))
    pid = os.fork()
    if pid == 0:
        try:
            del array
            gc.collect()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    assert shared_address(array) not in [shared_address(forkful.shared_array(1000)) for _ in range(5)]
    assert (array == 2).all()


def made_of(i):
    return numpy.full(LARGE, float(i))


LARGE = 100_000     # floats: enough for a view


def is_view(array):
    base = array
    while isinstance(base, numpy.ndarray):
        base = base.base
    return isinstance(base, memoryview) and type(base.obj).__name__ == 'View'


def test_a_large_result_is_a_private_view(pool):
    one, two = pool.map(made_of, [1, 2])
    assert is_view(one) and not one.flags.owndata and one.flags.writeable and not forkful.is_shared(one)
    one[:1000] = 7
    assert one[:1000].sum() == 7000 and one[1000:].sum() == LARGE - 1000 and (two == 2).all()
    with pytest.raises(ValueError, match='resize'):
        one.resize(2 * LARGE)
    assert one.copy().flags.owndata
    small, = pool.map(numpy.zeros, [20_000])
    assert not is_view(small)


def test_a_view_goes_with_its_last_array_and_its_memory_is_used_again(pool):
    def mappings():
        with open('/proc/self/maps') as maps:
            return sum('memfd:forkful' in line for line in maps)

    def once():
        arrays = pool.map(made_of, range(16))
        part = arrays[3][5:10]
        assert mappings() > few
        del arrays
        gc.collect()
        assert (part == 3).all()

    few = mappings()
    once()
    before = shared_bytes()
    for _ in range(20):
        once()
        assert mappings() == few
    assert shared_bytes() < before + 16 * LARGE * 8     # of 20 times that


def test_a_large_result_keeps_no_memory_of_others_of_its_chunk():
    with forkful.Pool(1) as pool:
        def once():
            return pool.map(made_of_one_third, range(6), chunksize=6)[3]

        once()
        once()
        before = shared_bytes()
        kept = [once() for _ in range(30)]
        assert all(map(is_view, kept)) and shared_bytes() < before + 30 * 1.5 * kept[0].nbytes


def made_of_one_third(i):
    return numpy.full(37_500, float(i))


def test_views_outlive_their_pool():
    with forkful.Pool(2) as pool:
        arrays = pool.map(made_of, range(4))
    with forkful.Pool(2) as pool:
        pool.map(made_of, range(100, 116))
        assert [(array == i).all() for i, array in enumerate(arrays)] == [True] * 4


@pytest.mark.parametrize('fork', ['os.fork', 'Pool'])
def test_a_forked_child_keeps_the_views_that_it_inherited(pool, fork):
    global inherited
    inherited = pool.map(made_of, [5, 5])
    inherited[0][0] = 6
    readable, writable = os.pipe()
    other = forkful.Pool(1) if fork == 'Pool' else None
    pid = os.fork() if fork == 'os.fork' else None
    if pid == 0:
        try:
            os.read(readable, 1)
            os._exit(0 if look_at_inherited() == [6, 5, 5] else 1)
        finally:
            os._exit(2)
    inherited = None
    gc.collect()
    pool.map(made_of, range(100, 132))      # the memory is used again
    if pid is not None:
        os.write(writable, b'.')
        assert os.waitpid(pid, 0)[1] == 0
    else:
        with other:
            assert other.apply(lambda: __import__('test_arrays').look_at_inherited()) == [6, 5, 5]
    os.close(readable)
    os.close(writable)


def look_at_inherited():
    return [float(inherited[0][0]), float(inherited[0][1:].min()), float(inherited[1].max())]


def keep_all(*arrays):
    global kept
    kept = kept + list(arrays) if isinstance(kept, list) else list(arrays)
    return len(kept)


kept = None


def test_a_worker_that_keeps_an_ordinary_argument_keeps_what_was_in_it():
    with forkful.Pool(1) as pool:
        pool.map(keep_all, [made_of(i) for i in range(5)], chunksize=3)
        pool.starmap(keep_all, [(made_of(5), i) for i in range(2)])
        for i in range(20):
            pool.map(same, [made_of(-1.0)] * 4)
        found = pool.apply(lambda: [(float(one.min()), float(one.max())) for one in __import__('test_arrays').kept
                                    if isinstance(one, numpy.ndarray)])
        assert found == [(i, i) for i in range(5)] + [(5, 5)] * 2


def change_and_die_at_first(path, array):
    assert (array == 1).all()
    array += 1
    if not os.path.exists(path):
        open(path, 'w').close()
        os.kill(os.getpid(), signal.SIGKILL)
    return array


def test_an_attempt_sees_its_argument_as_it_was(pool, tmp_path):
    shared = functools.partial(change_and_die_at_first, str(tmp_path / 'died'))
    back = pool.map(shared, [numpy.ones(LARGE) for _ in range(3)], attempts=2, chunksize=3)
    assert (tmp_path / 'died').exists() and all((array == 2).all() for array in back)


def test_where_no_view_can_be_had_arrays_are_copied(script):
    script("""
        import resource
        import numpy
        import forkful

        def view(array):
            while isinstance(array, numpy.ndarray):
                array = array.base
            return type(getattr(array, 'obj', array)).__name__

        def made(i):
            return numpy.full(100_000, float(i))

        with forkful.Pool(1) as pool:
            many = pool.map(made, range(3), chunksize=1)
            bytearray(8 << 20)                      # malloc maps less for itself from now on
            free, above = bytearray(4 << 20), bytearray(100)
            del free                                # it has memory for copies
            used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used, resource.RLIM_INFINITY))
            few = pool.map(made, [7], chunksize=1)
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            assert (view(many[0]), view(few[0])) == ('View', 'bytearray') and (few[0] == 7).all()
    """)


def test_there_are_only_so_many_views_at_a_time():
    before = forkful._core.limit_views(0)
    forkful._core.limit_views(3)
    try:
        with forkful.Pool(1) as pool:
            arrays = pool.map(made_of, range(8))
            assert sum(map(is_view, arrays)) == 3 and [array[-1] for array in arrays] == list(range(8))
            del arrays
            gc.collect()
            assert all(map(is_view, pool.map(made_of, range(3))))
    finally:
        forkful._core.limit_views(before)


def total(array):
    return float(array.sum())


def test_large_arguments_are_not_all_copied_at_once():
    with forkful.Pool(1) as pool:
        pool.map(total, [numpy.ones(MB)] * 4)
        before = shared_bytes()
        array = numpy.ones(MB)      # of 8 MB
        assert pool.map(total, [array[i:] for i in range(64)]) == [MB - i for i in range(64)]
        assert shared_bytes() < before + 100 * MB       # of 512
