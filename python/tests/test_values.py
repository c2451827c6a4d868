"""Values on their way to a worker and back: each kind as itself, as a member, among others of its chunk."""
import array
import cProfile
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import math
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import types
import uuid

import pytest

import forkful

numpy = pytest.importorskip('numpy')


class Plain:
    def __init__(self, **members):
        self.__dict__.update(members)

    def __eq__(self, other):
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self):
        return 7


class Derived(Plain):
    pass


class Slots:
    __slots__ = ('a', 'b')

    def __init__(self, a):
        self.a = a

    def __eq__(self, other):
        return type(self) is type(other) and self.a == other.a and not hasattr(other, 'b')


class SlotsAndDict(Slots):
    pass


class WithState(Plain):
    def __getstate__(self):
        return {'kept': self.kept}

    def __setstate__(self, state):
        self.__dict__.update(state, restored=True)


class WithArguments:
    def __new__(cls, size):
        made = super().__new__(cls)
        made.size = size
        return made

    def __getnewargs__(self):
        return self.size,

    def __eq__(self, other):
        return type(self) is type(other) and self.size == other.size


class OfInt(int):
    pass


class OfDict(dict):
    pass


class OfList(list):
    pass


class OfStr(str):
    pass


class Color(enum.Enum):
    RED = 1


class Flags(enum.IntFlag):
    A = 1
    B = 2


class Guarded:
    """Sets its attributes in a way of its own, which is not to be asked."""
    def __init__(self):
        self.__dict__['x'] = 1

    def __setattr__(self, name, value):
        raise AttributeError(name)

    def __eq__(self, other):
        return type(other) is Guarded and other.x == 1


Point = collections.namedtuple('Point', 'x y')
Frozen = dataclasses.make_dataclass('Frozen', ['x', 'y'], frozen=True, namespace={'__module__': __name__})


@dataclasses.dataclass
class Record:
    name: str
    rest: list = dataclasses.field(default_factory=list)


def deep(depth, make):
    value = 'bottom'
    for _ in range(depth):
        value = make(value)
    return value


values = [
    None, True, False, ..., NotImplemented, 0, -1, 2 ** 63 - 1, -2 ** 63, 2 ** 63, -2 ** 63 - 1, 10 ** 5000,
    0.0, -0.0, 1e308, 5e-324, math.inf, 1j, '', 'a', 'é', 'ÿ', 'Ā', '\uffff', '😀', '\ud800', 'a\udfff\0b',
    'x' * 70000, 'é' * 70000, '€' * 70000, '😀' * 70000, b'', b'\0\xff', b'y' * 65535, b'y' * 65536,
    b'y' * 3_000_000, bytearray(b'z'), bytearray(b'z' * 70000), (), (1,), [], [1, 'a', None], {}, {'a': 1},
    {1: {2: {3: []}}}, set(), {1, 'a', (2, 3)}, frozenset(), frozenset({1, 2}),
    {frozenset({1}): {frozenset({frozenset({2})})}}, {(1, (2, 3)): 'x'},
    {1: 'int', '1': 'str', 1.5: 'float', None: 'none'}, {float('inf'): 1}, [[]] * 3, [(), [], {}, set()],
    deep(31, lambda v: [v]), deep(33, lambda v: (v,)), deep(40, lambda v: {'k': v}),
    deep(200, lambda v: [v, v] if v == 'bottom' else [v]), deep(34, lambda v: frozenset([v])),
    deep(10, lambda v: Plain(inner=[v])), range(3), slice(1, 2, 3), int, len, str.upper, [].append.__class__,
    math.pi, decimal.Decimal('1.10'), fractions.Fraction(1, 3),
    datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.timezone.utc), uuid.UUID(int=5),
    pathlib.PurePosixPath('/a'), collections.OrderedDict([('b', 1), ('a', 2)]), collections.Counter('aab'),
    collections.deque([1, 2], 3), array.array('d', [1.5]), collections.defaultdict(list, a=[1]),
    types.SimpleNamespace(a=1), Plain(), Plain(a=1, b=[2, {'c': (3,)}]), Derived(x=Plain(y=1)),
    {Plain(a=1): Plain(a=2)}, {Plain(a=1)}, Slots(4), SlotsAndDict(4), WithArguments(3), OfInt(3),
    OfDict(a=1), OfList([1]), OfStr('s'), Color.RED, Flags.A | Flags.B, Point(1, [2]), Frozen(1, [2]),
    Record('a', [Record('b')]), Guarded(), Exception('e').args, [Plain(a=i, b=str(i)) for i in range(300)],
    {i: str(i) for i in range(5000)}, list(range(100000)), memoryview(b'abc').tobytes(),
]


def same(a, b):
    """Equal, of the same types all through; -0.0 is not 0.0; dicts in the same order."""
    if type(a) is not type(b):
        return False
    if type(a) in (list, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if type(a) is dict:
        return same(list(a.items()), list(b.items()))
    if isinstance(a, Plain):
        return same(a.__dict__, b.__dict__)
    if type(a) is float:
        return a.hex() == b.hex()
    return a == b


@pytest.fixture(scope='module')
def pool():
    with forkful.Pool(2) as made:
        yield made


def identity(x):
    return x


def test_each_kind_alone(limit, pool):
    for index, value in enumerate(values):
        got = pool.map(identity, [value])[0]
        assert same(got, value), (index, str(value)[:100])


def test_all_kinds_in_one_chunk(limit, pool):
    for order in (values, values[::-1], random.Random(1).sample(values, len(values))):
        assert all(map(same, pool.map(identity, order, len(order)), order))
        assert all(map(same, pool.imap(identity, order, 10), order))


@pytest.mark.parametrize('around', [lambda v: [v], lambda v: (v, v), lambda v: {'k': v, 'l': [v]},
                                    lambda v: Plain(it=v),
                                    lambda v: [[v], Plain(it=(v,)), 1]])
def test_all_kinds_as_members(limit, pool, around):
    assert all(map(same, pool.map(identity, map(around, values), 16), map(around, values)))


def test_snapshots_send_results_the_same_way(limit):
    with forkful.SnapshotPool(2) as pool:
        assert all(map(same, pool.map(identity, values, 9), values))


def test_nan_and_restored_state(limit, pool):
    assert math.isnan(pool.apply(identity, (math.nan,)))
    got = pool.apply(identity, (WithState(kept=1, lost=2),))
    assert got.__dict__ == {'kept': 1, 'restored': True}
    assert pool.apply(functools.partial(identity, x=3)) == 3


def test_what_is_shared_stays_shared(limit, pool):
    def shape(value):
        first, second, pair, instance, again = value
        return first is second, pair[0] is first, pair[1] is pair, instance.it is first, again is instance
    inner, circle = [1], []
    circle += inner, circle
    one = Plain(it=inner)
    value = (inner, inner, circle, one, one)
    assert shape(value) == (True,) * 5
    for chunk in (1, 3):
        assert pool.map(shape, [value] * 3, chunk) == [(True,) * 5] * 3
    back = pool.map(identity, [value, [value]], 2)
    assert shape(back[0]) == shape(back[1][0]) == (True,) * 5
    me = Plain()
    me.me = me
    got = pool.apply(identity, (me,))
    assert got.me is got and got is not me
    assert pool.apply(lambda v: v['d'] is v, ((lambda d: d.update(d=d) or d)({}),))


def test_attribute_names_are_interned_and_instances_their_own(limit, pool):
    got = pool.map(identity, [Plain(some_name=[1]), Plain(some_name=[2])], 2)
    assert [sys.intern(name) is name for one in got for name in one.__dict__] == [True, True]
    got[0].some_name.append(3)
    assert got[1].some_name == [2]


changing = """
import sys, types
import forkful
module = sys.modules['late_module'] = types.ModuleType('late_module')
class X:
    def __init__(self):
        self.inner = [1]
X.__module__, X.__qualname__ = 'late_module', 'X'
def look_up(name):      # runs when the codec asks what X is
    if name != 'X':
        raise AttributeError(name)
    clears.clear()
    return X
module.__getattr__ = look_up
clears = []
with forkful.Pool(1) as pool:
    for make in (lambda: [X() for _ in range(50)], lambda: {i: X() for i in range(50)},
    lambda: [[X()] for _ in range(50)],
                 lambda: {i: (i, X()) for i in range(50)}, lambda: [X()], lambda: {X(): [X()] for _ in range(50)},
                 lambda: {(X(),): X()}):
        for _ in range(20):
            clears = make()
            try:
                assert pool.map(len, [clears])[0] in (0, 1)
            except RuntimeError as error:
                assert 'changed size' in str(error)
    clears = []
    assert len(pool.map(lambda x: x, [[X()]])[0]) == 1
print('done')
"""


def test_a_container_that_changes_while_it_is_sent():
    """Code of the program's runs in between, as another thread's may."""
    ended = subprocess.run([sys.executable, '-c', changing], capture_output=True, text=True, timeout=60,
                           env={**os.environ, 'PYTHONMALLOC': 'debug'})
    assert (ended.returncode, ended.stdout) == (0, 'done\n'), ended.stderr


class CState(list):
    pass


class Connection(sqlite3.Connection):
    pass


def test_classes_with_state_in_c_are_not_taken_for_plain(limit, pool):
    import io
    for value in (io.StringIO('text'), io.BytesIO(b'bytes'), random.Random(3), iter([1, 2]), CState([4])):
        got = pool.apply(identity, (value,))
        assert type(got) is type(value)
    assert pool.apply(identity, (io.StringIO('text'),)).getvalue() == 'text'
    for value in (Connection(':memory:'), cProfile.Profile()):
        for verb in (lambda: pool.map(identity, [value]), lambda: pool.map(identity, [[value], [value]])):
            with pytest.raises(TypeError, match='cannot pickle'):
                verb()
    assert pool.apply(identity, (random.Random(3),)).random() == random.Random(3).random()


arrays = {
    'int': numpy.arange(10), 'empty': numpy.zeros((0, 3)), 'scalar': numpy.array(5.0),
    'number': numpy.float32(1.5), '0-d': numpy.zeros(()), 'bool': numpy.array([True, False]),
    'complex': numpy.array([1j]), 'float16': numpy.arange(3, dtype='f2'),
    'big endian': numpy.arange(5, dtype='>i4'), 'str': numpy.array(['a', 'é€😀']),
    'bytes': numpy.array([b'a', b'bc']), 'object': numpy.array([1, 'a', None, [2]], dtype=object),
    'datetime': numpy.array(['2026-01-02', 'NaT'], dtype='M8[D]'),
    'timedelta': numpy.array([3], dtype='m8[ns]'),
    'structured': numpy.array([(1, 2.5, 'x')], dtype=[('a', 'i4'), ('b', 'f8'), ('c', 'U3')]),
    'nested': numpy.zeros(2, dtype=[('a', [('b', 'i2', (2, 2))])]),
    'objects in it': numpy.array([(1, [2])], dtype=[('a', 'i4'), ('o', 'O')]),
    'record': numpy.rec.array([(1, 2.0)], dtype=[('a', 'i4'), ('b', 'f8')]),
    'matrix': numpy.arange(2).reshape(1, 2).view(numpy.matrix),
    'void': numpy.array([b'ab'], 'V2'), 'masked': numpy.ma.masked_array([1, 2, 3], [0, 1, 0]),
    'large': numpy.arange(100000.0), 'large bytes': numpy.zeros(70000, 'u1'),
    'fortran': numpy.asfortranarray(numpy.arange(90000).reshape(300, 300)),
    'strided': numpy.arange(90000)[::3], 'reversed': numpy.arange(90000)[::-1],
    'transposed': numpy.arange(60000).reshape(10, 20, 300).transpose(2, 0, 1),
    'broadcast': numpy.broadcast_to(numpy.arange(300.0), (300, 300)),
    'sliced': numpy.arange(90000).reshape(300, 300)[10:200, 5:7], 'long double': numpy.arange(3, dtype='g'),
    'aligned': numpy.zeros(3, dtype=numpy.dtype([('a', 'i1'), ('b', 'f8')], align=True)),
    'one of many axes': numpy.zeros((1,) * 20 + (70000,)), 'nat': numpy.datetime64('NaT'),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize('name', arrays)
def test_arrays(limit, pool, name):
    given = arrays[name]
    for got in (pool.apply(identity, (given,)), pool.map(identity, [[given, 1], [given]], 2)[0][0],
                pool.apply(lambda: arrays[name])):
        assert type(got) is type(given) and got.dtype == given.dtype and got.shape == given.shape
        assert got.dtype.isalignedstruct == given.dtype.isalignedstruct
        assert repr(numpy.ma.getmask(got)) == repr(numpy.ma.getmask(given))
        assert repr(got) == repr(given) and (given.dtype.hasobject or got.tobytes() == given.tobytes())
        if isinstance(got, numpy.ndarray):
            assert pool.apply(lambda a: a.flags.writeable, (given,)) or not given.flags.writeable
            assert got.flags.writeable or not given.flags.writeable
            assert not numpy.shares_memory(got, given)


def test_array_order_and_memmap(limit, pool, tmp_path):
    assert pool.apply(identity, (arrays['fortran'],)).flags.f_contiguous
    on_disk = numpy.memmap(tmp_path / 'a', 'f8', 'w+', shape=(20000,))
    on_disk[:] = numpy.arange(20000)
    assert pool.apply(lambda a: float(a.sum()), (on_disk,)) == float(on_disk.sum())
    assert numpy.array_equal(pool.apply(identity, (on_disk,)), on_disk)


def test_a_worker_changes_its_copy_only(limit, pool):
    for size in (10, 100000):
        given = numpy.zeros(size)

        def fill(a):
            a += 1
            return a
        assert (pool.apply(fill, (given,)) == 1).all() and not given.any()
        read_only = numpy.zeros(size)
        read_only.flags.writeable = False
        assert (pool.apply(lambda a: a + 1, (read_only,)) == 1).all()
        assert all((one == 1).all() for one in pool.map(fill, [given] * 5, 5)[:1]) and not given.any()
