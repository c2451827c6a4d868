"""Classes, items, results and exceptions that travel, and what cannot: programs as in test_shipping.py."""
import pytest


def test_classes_made_later(script):
    script('''
        import abc, collections, dataclasses, enum, functools, typing
        worker = Worker()
        @dataclasses.dataclass
        class Slice:
            size: int
            rest: list = dataclasses.field(default_factory=list)
            def twice(self):
                return Slice(scale * self.size)
        scale = 2
        got = worker(Slice.twice, Slice(4))
        assert got == Slice(8) and type(got) is Slice
        assert worker(lambda s: [f.name for f in dataclasses.fields(s)], Slice(1)) == ['size', 'rest']
        assert worker(lambda s: dataclasses.replace(s, size=5).size, Slice(1)) == 5
        twice = Slice.twice
        class Color(enum.Enum):
            RED = 1
        assert worker(lambda c: (c is Color.RED, c), Color.RED) == (True, Color.RED)
        Point = collections.namedtuple('Point', 'x y')
        assert type(worker(lambda p: p._replace(x=3), Point(1, 2))) is Point
        class Base(abc.ABC):
            @abc.abstractmethod
            def f(self): ...
        class Derived(Base):
            limit = 1
            def __init__(self):
                super().__init__()
            def f(self):
                return self.limit
            @functools.cached_property
            def g(self):
                return 7
        got = worker(lambda d: (isinstance(d, Base), d.f(), d.g, Derived().f()), Derived())
        assert got == (True, 1, 7, 1)
        def local():
            class Inner:
                def __eq__(self, other):
                    return type(other) is type(self)
            return Inner
        back = worker(lambda d: d, Derived())
        assert type(back) is Derived and worker.received < 200      # the caller has that class
        theirs = worker(lambda: local()())
        theirs.__class__.g = 1                  # the worker's class, changed by the caller:
        assert worker(lambda x: not hasattr(x, 'g'), theirs)    # who made it decides what it is
        Derived.limit = 2
        assert worker(lambda d: (d.f(), Derived().f()), Derived()) == (2, 2)
        old = Slice(1)
        @dataclasses.dataclass
        class Slice:
            other: str
        assert type(worker(lambda: Slice('x'))) is Slice
        assert type(worker(lambda s: s, old)) is type(old) is not Slice
        Inner = local()
        mine = local()
        assert type(worker(lambda x: x, mine())) is mine
        theirs = worker(lambda: local()())
        assert type(worker(lambda x: x, theirs)) is type(theirs)    # made by the worker, there and back
        assert worker(lambda x: x, theirs) == theirs
        T = typing.TypeVar('T')
        class Box(typing.Generic[T]):
            def __init__(self, x):
                self.x = x
        assert worker(lambda b: b.x, Box(3)) == 3 and type(worker(lambda b: b, Box[int](3))) is Box
        assert worker(lambda: (type(None), type(...), type(lambda: 0)))[0] is type(None)
        class Meta(type):
            def hello(cls):
                return late
        class WithMeta(metaclass=Meta):
            pass
        late = 5
        assert worker(lambda: WithMeta.hello()) == 5
    ''')


def test_closures_keep_their_cells(script):
    script('''
        worker = Worker()
        def pair():
            n = 0
            def inc():
                nonlocal n
                n += 1
                return n
            def get():
                return n
            return inc, get
        def use(inc, get):
            inc(), inc()
            return get()
        assert worker(use, *pair()) == 2                # one cell for both
        def recursive():
            def down(n):
                return 0 if n == 0 else 1 + down(n - 1)
            return down
        assert worker(recursive(), 5) == 5
        import functools
        @functools.lru_cache(maxsize=7)
        def fib(n):
            return n if n < 2 else fib(n - 1) + fib(n - 2)
        assert worker(fib, 60) == 1548008755920
        assert worker(lambda: fib.cache_parameters()['maxsize']) == 7
        def make(n):
            return lambda: n
        f = make(3)
        shipment = worker.shipper.function(f)
        assert shipment.kept and shipment.still_good()
        f.__closure__[0].cell_contents = 4
        assert not shipment.still_good() and worker(f) == 4
        def documented(a: int, b: 'str' = 0, *, c=5) -> list:
            "says so"
            return a, c
        documented.extra = 'x'
        def look(f):
            return f.__doc__, f.extra, f.__annotations__, f(1)
        same = worker(lambda: look(documented))
        assert same == ('says so', 'x', {'a': int, 'b': 'str', 'return': list}, (1, 5))
        def empty():
            if False:
                missing = 1
            return lambda: missing
        try:
            worker(empty())
        except NameError as e:
            assert 'missing' in str(e)
        else:
            raise AssertionError('a cell that is empty was not')
        assert eval('lambda: a', {'a': 3, '__name__': 'nowhere'}).__globals__ is not globals()
        assert worker(eval('lambda: a', {'a': 3, '__name__': 'nowhere'})) == 3
    ''')


def test_what_cannot_be_sent_is_named(script):
    script('''
        import functools, pickle, threading
        worker = Worker()
        lock = threading.Lock()
        def f(x):
            with lock:
                return x
        def said(func, kind=TypeError):
            try:
                worker.shipper.function(func)
            except kind as e:
                assert type(e) is kind and e.__cause__ is not None, e
                return str(e)
            raise AssertionError('was sent')
        why = "cannot pickle '_thread.lock' object"
        sentence = (f"the global 'lock' of __main__, which f uses, cannot be sent to a worker ({why}): pass"
                    " it as an argument, make the pool after it, or use SnapshotPool")
        assert said(f) == sentence
        assert said(lambda x: f(x)) == sentence
        assert said(functools.partial(f, 1)) == sentence
        def closes():
            guard = threading.Lock()
            def inner():
                return guard
            return inner
        closed = "the variable 'guard', which closes.<locals>.inner closes over, cannot be sent to a worker "
        assert said(closes()) == closed + f"({why}): pass it as an argument, or use SnapshotPool"
        late = closes()
        assert said(lambda: late()).startswith(closed)
        partial = functools.partial(print, threading.Lock())
        assert said(partial).startswith('an argument of the partial of print cannot')
        assert said(lambda x=threading.Lock(): x).startswith('a default of <lambda> cannot')
        class Model:
            def __init__(self): self.guard = threading.Lock()
            def run(self): pass
            def __call__(self): pass
        for call in (Model().run, Model()):
            assert said(call).startswith("the attribute 'guard' of the Model object cannot be sent")
            assert said(call).endswith('leave it out in __getstate__, or use SnapshotPool')
        class Refuses:
            def __reduce__(self): raise pickle.PicklingError('I refuse')
            def __call__(self): pass
        refuses = Refuses()
        assert said(lambda: refuses, pickle.PicklingError).startswith("the global 'refuses' of __main__,")
        assert said(refuses) == 'the Refuses object cannot be sent to a worker (I refuse): use SnapshotPool'
        try:
            worker.shipper.dumps([1, threading.Lock()])
        except TypeError as e:
            assert str(e) == why                # an item: as pickle says it
        else:
            raise AssertionError('was sent')
        try:
            worker.shipper.dumps([f])
        except TypeError as e:
            assert str(e) == sentence           # an item that brings a global along
        else:
            raise AssertionError('was sent')
        class Full:
            def __reduce__(self): raise MemoryError('full')
        full = Full()
        try:
            worker.shipper.function(lambda: full)
        except MemoryError as e:
            assert str(e) == 'full'             # says nothing about the value
        else:
            raise AssertionError('was sent')
        assert worker(len, [1, 2]) == 2         # and all goes on
    ''')


def test_pools_stay_at_home(script):
    script('''
        import concurrent.futures, multiprocessing.pool, threading
        worker = Worker()
        pool = multiprocessing.pool.ThreadPool(1)
        executor = concurrent.futures.ThreadPoolExecutor(1)
        thread = threading.Thread(target=print)
        class Simulation:
            def run(self):
                return pool.map(self.step, range(3)), executor, thread
            def step(self, i):
                return i + 1
        assert worker(Simulation().step, 1) == 2
        try:
            worker(lambda: pool)
        except NameError as e:
            assert "'pool'" in str(e)
        else:
            raise AssertionError('a pool travelled')
        pool.terminate()
    ''')


def test_results_and_exceptions(script):
    script('''
        import concurrent.futures.process, multiprocessing.pool, pickle, threading
        class Before(Exception):
            def f(self): pass
        initial = Before, Before.f
        def before(): return initial[0]
        def method(): return initial[1]
        worker = Worker()
        class Late(Exception):
            def __init__(self, a, b):
                super().__init__(a)
                self.b = b
            def __reduce__(self):
                return Late, (self.args[0], self.b)
        class Awkward(Exception):
            def __init__(self, a, b):
                super().__init__('only one')
        def fails(kind, *args):
            raise kind(*args)  # here
        def raised(*call):
            try:
                worker(*call)
            except BaseException as e:
                return e
            raise AssertionError('raised nothing')
        for kind, args in ((ValueError, (1,)), (Before, ('x',)), (Late, (1, 2)), (SystemExit, (3,)),
                           (KeyboardInterrupt, ())):
            e = raised(fails, kind, *args)
            assert type(e) is kind and e.args == args[:1] or kind is SystemExit
            assert type(e.__cause__) is multiprocessing.pool.RemoteTraceback
            assert 'in fails' in e.__cause__.tb and e.__cause__.tb.startswith('\\n"""\\nTraceback')
        assert raised(fails, Late, 1, 2).b == 2
        assert 'raise kind(*args)  # here' in raised(fails, ValueError, 1).__cause__.tb
        e = raised(fails, Awkward, 1, 2)        # cannot be rebuilt
        assert type(e) is multiprocessing.pool.MaybeEncodingError
        assert 'Awkward' in e.value and 'missing 1 required' in e.exc
        assert 'in fails' in e.__cause__.tb
        e = raised(lambda: threading.Lock())
        assert type(e) is multiprocessing.pool.MaybeEncodingError
        assert e.exc == """TypeError("cannot pickle '_thread.lock' object")""" and '_thread.lock' in e.value
        def unsendable_exception():
            e = ValueError(threading.Lock())
            raise e
        e = raised(unsendable_exception)
        assert type(e) is multiprocessing.pool.MaybeEncodingError
        assert 'in unsendable_exception' in e.__cause__.tb

        ship = worker.shipper
        e = shipping.load_exception(ship.unsendable(TypeError('no'), [1]), executor=True)
        assert type(e) is TypeError and type(e.__cause__) is concurrent.futures.process._RemoteTraceback
        e = shipping.load_exception(ship.exception(ValueError(threading.Lock())), executor=True)
        assert type(e) is TypeError and 'cannot pickle' in str(e)
        class NoRepr:
            def __repr__(self): raise RuntimeError
        e = shipping.load_exception(ship.unsendable(TypeError('no'), NoRepr()))
        assert e.value == '<NoRepr object whose repr raised RuntimeError>'
        assert len(shipping.load_exception(ship.unsendable(TypeError('no'), 'x' * 10**6)).value) < 11000

        factor = 2
        back = worker(lambda: (lambda x: factor * x))
        factor = 7
        assert back(3) == 21                    # its globals are the caller's
        assert worker(lambda: Late) is Late
        late, old = fails, Late
        def kept():
            return old, late
        class Late: pass
        def fails(): return 'the new one'
        assert worker(lambda: (fails(), Late))[0] == 'the new one'
        assert worker(kept)[0] is old and worker(kept)[1].__code__ == late.__code__
        assert worker(lambda: [Before, len, print]) == [Before, len, print]
        class Before: pass
        assert worker(before) is initial[0] is not Before and worker(method) is initial[1]
    ''')


def test_items(script):
    script('''
        import multiprocessing.reduction
        class Special: pass
        class Other: pass
        worker = Worker()
        shared = [1]
        got = worker(lambda a, b: (a is b, [a, b]), shared, shared)
        assert got[0] and got[1][0] is got[1][1]                    # one object stays one
        assert worker(lambda fs: [f(2) for f in fs], [lambda x: x + 1, abs]) == [3, 2]
        multiprocessing.reduction.ForkingPickler.register(Special, lambda s: (str, ('by ForkingPickler',)))
        assert worker(lambda s: s, Special()) == 'by ForkingPickler'
        shipping.reducers[Other] = lambda o, upward: (str, ('by reducers',))
        assert worker(lambda s: s, Other()) == 'by reducers'
        shipping.reducers[Other] = lambda o, upward: NotImplemented
        assert type(worker(lambda s: s, Other())) is Other
        shipping.reducers[Other] = lambda o, upward: (str, ('in a global',))
        other = Other()
        assert worker(lambda: other) == 'in a global'
        value = {1: [2.5, b'x', 'é']}
        assert shipping.loads(memoryview(worker.shipper.dumps(value))) == value
        assert shipping.find_class('collections', 'OrderedDict.fromkeys').__name__ == 'fromkeys'
    ''')


def test_methods_that_are_not_found_under_their_names(script):
    script('''
        class C:
            f = lambda self, x: ('f', x)
            def __mangled(self, x):
                return ('mangled', x)
            def get(self):
                return self.__mangled
            @classmethod
            def build(cls, x):
                return cls, x
        worker = Worker()
        assert worker(C().f, 1) == ('f', 1) and worker(C().get(), 2) == ('mangled', 2)
        assert worker(C.build, 3) == (C, 3) and b'build' in worker.ship(C.build)[1].data
        assert len(worker.ship(C.build)[1].data) < 100          # by reference
        assert worker([5, 6].index, 6) == 1
    ''')


def test_tracebacks_show_the_lines_of_cells(script):
    script('''
        import linecache
        worker = Worker()
        text = 'def cell(x):\\n    return 1 // x  # in a cell\\n'
        exec(compile(text, '<cell 7>', 'exec'))
        linecache.cache['<cell 7>'] = len(text), None, text.splitlines(True), '<cell 7>'
        try:
            worker(cell, 0)
        except ZeroDivisionError as e:
            assert 'return 1 // x  # in a cell' in e.__cause__.tb
        else:
            raise AssertionError('raised nothing')
    ''')


def test_items_of_classes_that_reach_what_came_later(script):
    script('''
        class Model:
            __slots__ = ('x',)
            def __init__(self, x): self.x = x
            def run(self): return self.x * factor
        worker = Worker()
        def call(model): return model.run()
        def shipped(): return len(worker.shipper.dumps(Model(1)))
        small = shipped()
        assert small < 100 and worker.shipper.is_quiet(Model)
        factor = 3
        assert not worker.shipper.is_quiet(Model) and shipped() > small
        assert worker(call, Model(2)) == 6
        factor = 4
        assert worker(call, Model(2)) == 8
    ''')


def test_plain_classes(script):
    script('''
        import abc, copyreg, dataclasses, enum, fractions
        class Plain: pass
        class Child(Plain): pass
        @dataclasses.dataclass
        class Data:
            x: int
        class Slots: __slots__ = ('x',)
        class OfSlots(Slots): pass
        class State:
            def __getstate__(self): return {}
        class SetState:
            def __setstate__(self, s): pass
        class Reduce:
            def __reduce__(self): return Reduce, ()
        class New:
            def __new__(cls): return object.__new__(cls)
        class Args:
            def __getnewargs__(self): return ()
        class OfDict(dict): pass
        class OfTuple(tuple): pass
        class Meta(type): pass
        class WithMeta(metaclass=Meta): pass
        class Abstract(abc.ABC): pass
        class Error(Exception): pass
        class Registered: pass
        copyreg.pickle(Registered, lambda r: (Registered, ()))
        class Color(enum.Enum):
            RED = 1
        class Uses:
            def f(self): return late
        def local():
            class Local: pass
            return Local
        late = 0
        worker = Worker()
        plain = worker.shipper.plain_class
        assert plain(Plain) and plain(Child) and plain(Data) and plain(Uses)
        for cls in (Slots, OfSlots, State, SetState, Reduce, New, Args, OfDict, OfTuple, WithMeta, Abstract,
                    Error, Registered, Color, local(), int, list, object, fractions.Fraction):
            assert not plain(cls), cls
        late = 1
        assert plain(Plain) and not plain(Uses)         # its method needs what the workers lack
        class Plain: pass
        assert not plain(Plain)
    ''')


def test_numpy(script):
    pytest.importorskip('numpy')
    script('''
        import numpy as np
        def before(a): return a.sum()
        worker = Worker()
        a = np.arange(10)
        assert worker(before, a) == 45 and worker(lambda: a.sum()) == 45
        b = np.ones(3)
        assert (worker(lambda: a[:3] + b) == [1, 2, 3]).all()
        assert worker(np.add, 1, 2) == 3
        a += 1                                  # late, and changed where it is
        assert worker(lambda: a.sum()) == 55
    ''')
