"""Items that are pickled together, sent once, sent again: one bad item costs one item, and what is shared is shared."""
import os
import threading

import pytest

import forkful


class Slotted:
    """Not plain: pickled, with others of its hand-out."""
    __slots__ = ('value',)

    def __init__(self, value):
        self.value = value

    def __getstate__(self):
        return self.value

    def __setstate__(self, value):
        self.value = value


class Bad(Slotted):
    """`value` says what loading it does."""

    def __setstate__(self, value):
        if value == 'raise':
            raise ValueError('this one cannot be loaded')
        if value == 'die':
            os.abort()
        if value == 'exit':
            os._exit(3)
        self.value = value


class Unpicklable(Slotted):
    def __getstate__(self):
        raise TypeError('this one cannot be pickled')


def value_of(item):
    return item.value


@pytest.fixture(scope='module')
def pool():
    with forkful.Pool(2) as made:
        yield made


def test_many_of_them(pool):
    items = [Slotted(i) for i in range(500)]
    assert pool.map(value_of, items) == list(range(500))
    assert list(pool.imap(value_of, items, chunksize=50)) == list(range(500))


@pytest.mark.parametrize('chunksize', [1, 4, 20])
def test_an_item_that_cannot_be_loaded_costs_itself(pool, chunksize):
    items = [Bad(i) for i in range(20)]
    items[0], items[7] = Bad('raise'), Bad('raise')
    outcomes = pool.try_map(value_of, items, chunksize=chunksize)
    for i, outcome in enumerate(outcomes):
        if i in (0, 7):
            assert type(outcome.error) is ValueError
        else:
            assert outcome.value == i


@pytest.mark.parametrize('how, attribute, value', [('die', 'signal', 6), ('exit', 'exit_status', 3)])
@pytest.mark.parametrize('at', [0, 2, 4])
def test_an_item_that_kills_while_it_is_loaded_is_the_one_to_blame(pool, how, attribute, value, at):
    items = [Bad(i) for i in range(5)]
    items[at] = Bad(how)
    outcomes = pool.try_map(value_of, items, chunksize=5)
    for i, outcome in enumerate(outcomes):
        if i == at:
            assert type(outcome.error) is forkful.WorkerCrashed and outcome.error.index == at
            assert getattr(outcome.error, attribute) == value
        else:
            assert outcome.value == i
    with pytest.raises(forkful.WorkerCrashed, match=f'item {at} of map '):
        pool.map(value_of, items, chunksize=5)
    result = pool.map_async(value_of, items, chunksize=5)
    with pytest.raises(forkful.WorkerCrashed, match=f'item {at} of map_async '):
        result.get(30)


def test_an_item_that_cannot_be_pickled_costs_itself(pool):
    items = [Slotted(i) for i in range(10)]
    items[3] = Unpicklable(3)
    outcomes = pool.try_map(value_of, items, chunksize=10)
    assert [o.value if o.ok else type(o.error) for o in outcomes] == [0, 1, 2, TypeError, 4, 5, 6, 7, 8, 9]


def test_one_that_was_begun_is_never_run_again(pool, tmp_path):
    """The others of the batch are run once each, whatever becomes of the batch."""
    def note(item):
        (tmp_path / f'{item.value}-{os.getpid()}-{threading.get_ident()}-{os.urandom(4).hex()}').touch()
    items = [Bad(i) for i in range(8)]
    items[5] = Bad('die')
    pool.try_map(note, items, chunksize=8)
    assert sorted(int(name.name.split('-')[0]) for name in tmp_path.iterdir()) == [0, 1, 2, 3, 4, 6, 7]


class Table(dict):
    """Counts how often it is pickled, in the caller."""
    pickled = 0

    def __reduce__(self):
        Table.pickled += 1
        return Table, (dict(self),)


def look_up(table, key):
    return table[key], id(table), os.getpid()


def test_what_goes_along_with_each_item_is_sent_once(pool):
    table = Table({i: i * i for i in range(100)})
    results = pool.starmap(look_up, [(table, i) for i in range(100)], chunksize=5)
    assert [value for value, _, _ in results] == [i * i for i in range(100)]
    assert Table.pickled == 1
    # In a chunk they share it.
    for begin in range(0, 100, 5):
        assert len({at for _, at, _ in results[begin:begin + 5]}) == 1


def test_an_item_that_changes_what_it_shares_changes_it_for_its_chunk_only(pool):
    def append(shared, number):
        shared.append(number)
        return len(shared)
    shared = []
    assert pool.starmap(append, [(shared, i) for i in range(6)], chunksize=1) == [1] * 6
    assert pool.starmap(append, [(shared, i) for i in range(6)], chunksize=3) == [1, 2, 3] * 2
    assert pool.map(lambda one: one.append(0) or len(one), [shared] * 4, chunksize=1) == [1] * 4
    assert shared == []


def test_a_value_that_changes_while_its_input_is_read_is_sent_as_it_is_then(pool):
    def refilled():
        numbers = [0]
        for i in range(20):
            numbers[0] = i
            yield numbers
    assert list(pool.imap(lambda numbers: numbers[0], refilled())) == list(range(20))
    assert list(pool.imap(lambda pair: pair[0][0], ((one, 1) for one in refilled()))) == list(range(20))


def test_what_is_twice_in_a_value_is_one_there(pool):
    shared = ([],)

    def both(value):
        value[0][0].append(1)
        return value[1][0]
    assert pool.map(both, [(shared, shared)]) == [[1]]


def test_a_call_that_is_left_half_way_is_kept_for_its_workers(pool):
    """What they read of it must not be given to others meanwhile."""
    def slow(item):
        if item % 5 == 3:
            os.abort()
        return item
    for _ in range(5):
        stream = pool.imap_unordered(slow, range(40), chunksize=4)
        del stream
        for _ in range(5):
            assert pool.starmap(pow, [(i, 2) for i in range(20)]) == [i * i for i in range(20)]


def test_items_of_a_stream_are_let_go_of(pool):
    import weakref

    class Thing:
        pass
    alive = weakref.WeakSet()

    def things():
        for _ in range(300):
            thing = Thing()
            alive.add(thing)
            yield thing
    most = 0
    for _ in pool.imap(lambda thing: 1, things(), buffersize=4):
        most = max(most, len(alive))
    assert most < 50


def test_it_is_sent_anew_in_each_call(pool):
    table = [0]
    for number in range(4):
        table[0] = number
        assert pool.starmap(lambda t, i: t[0], [(table, i) for i in range(10)], chunksize=2) == [number] * 10


def test_the_same_object_many_times(pool):
    item = {'a': [1, 2]}
    assert pool.map(lambda d: d['a'], [item] * 50, chunksize=3) == [[1, 2]] * 50
    large = bytearray(200_000)
    assert pool.map(len, [large] * 20) == [200_000] * 20


def test_what_cannot_be_sent_fails_with_each_of_its_items(pool):
    lock = threading.Lock()
    outcomes = pool.try_starmap(lambda a, b: b, [(lock if i % 2 else None, i) for i in range(6)], chunksize=3)
    assert [o.ok for o in outcomes] == [True, False, True, False, True, False]
    assert all('lock' in str(outcomes[i].error) for i in (1, 3, 5))


def test_nothing_is_kept_when_the_call_has_ended(pool):
    import gc
    import weakref

    class Thing:
        pass
    thing = Thing()
    thing.me = [1]
    seen = weakref.ref(thing)
    assert pool.starmap(lambda t, i: i, [(thing, i) for i in range(6)]) == list(range(6))
    del thing
    gc.collect()
    assert seen() is None
