"""Functions and globals that travel: each test is a program that forks a worker and binds things later.

The programs run as __main__, in ways that differ in what Python knows of it: from a file, by -c, from stdin.
"""
import os

import pytest


@pytest.mark.parametrize('how', ['file', '-c', 'stdin'])
def test_functions_made_later(script, how):
    script('''
        def before(x):
            return x + 1
        worker = Worker()
        assert worker(before, 1) == 2
        assert len(worker.ship(before)[1].data) < 100               # by reference
        def after(x):
            return 10 * x
        assert worker(after, 4) == 40
        assert worker(lambda x: after(x) + before(x), 1) == 12
        def adder(n):
            def add(x):
                return x + n
            return add
        assert worker(adder(5), 1) == 6
        def fib(n):
            return n if n < 2 else fib(n - 1) + fib(n - 2)
        assert worker(fib, 10) == 55
        def even(n):
            return True if n == 0 else odd(n - 1)
        def odd(n):
            return False if n == 0 else even(n - 1)
        assert worker(even, 10) is True and worker(odd, 10) is False
    ''', how)


def test_redefined_functions_and_rebound_globals(script):
    script('''
        factor = 3
        def f(x):
            return factor * x
        worker = Worker()
        assert worker(f, 2) == 6
        factor = 4
        assert worker(f, 2) == 8                # f itself still goes by reference
        old = f
        def f(x):
            return -factor * x
        assert worker(f, 2) == -8 and worker(old, 2) == 8
        factor = 3                              # what the worker was forked with: it has 4 now
        assert worker(f, 2) == -6 and worker(old, 2) == 6
        f = old
        assert worker(f, 2) == 6
        def g(x):
            return f(x) + 1
        assert worker(g, 2) == 7
        f = lambda x: 100
        assert worker(g, 2) == 101
        f = old
        assert worker(g, 2) == 7
        f.__code__ = (lambda x: 'changed').__code__
    ''')


def test_one_name_many_callables(script):
    script('''
        def f(x):
            return factor * x
        def g(x):
            return factor * x + 1
        worker = Worker()
        factor = 3
        assert worker(f, 2) == 6 and worker(f, 2) == 6
        factor = 4
        assert worker(g, 2) == 9
        factor = 3
        assert worker(f, 2) == 6                # its first shipment was not loaded last
        early = worker.ship(f)
        assert early[1].still_good()
        factor = 4
        worker.shipper.function(g)
        factor = 3
        assert not early[1].still_good()        # workers may have the 4 by now
        early = worker.ship(f)
        factor = 5
        late = worker.ship(f)
        assert [worker(f, 1, shipped=s) for s in (early, late, early, late)] == [3, 5, 3, 5]
    ''')


def test_floats_whose_address_is_used_again(script):
    script('''
        def f(x):
            return factor * x
        factor = 0.5 * float('2')
        photograph = shipping.Photograph()
        assert not photograph.changed('factor', factor)
        ids = {id(factor)}
        worker = Worker()
        for i in range(2, 50):
            factor = i * float('1')
            ids.add(id(factor))
            assert worker(f, 2) == 2.0 * i
            del factor
        assert len(ids) < 48                    # addresses were used again, so ids would not have done
        assert photograph.changed('factor', 1.0)
    ''')


def test_what_the_initializer_binds_stays(script):
    script('''
        state = None
        _private = None
        def init():
            global state, _private, helper
            state, _private = 'ready', 'too'
            helper = lambda: 'made by the worker'
        def look(x):
            return state, _private, x
        worker = Worker(init)
        assert worker(look, 1) == ('ready', 'too', 1)
        def later(x):
            return state, _private, x
        assert worker(later, 2) == ('ready', 'too', 2)
        assert worker(lambda: helper()) == 'made by the worker'
        state = 'rebound'
        assert worker(later, 3) == ('rebound', 'too', 3)
        assert worker(look, 3) == ('rebound', 'too', 3)
    ''')


def test_globals_that_functions_bind_in_the_worker(script):
    script('''
        def remember(x):
            global kept
            kept = x
        def recall():
            return kept
        def count():
            global counter
            counter += 1
            return counter
        worker = Worker()
        assert worker(remember, 'this') is None
        assert worker(recall) == 'this'
        counter = 10
        assert [worker(count) for _ in range(3)] == [11, 12, 13]
        assert counter == 10                            # nothing that comes back changes the caller
        other = []
        def both():
            return count(), other
        assert [worker(both) for _ in range(2)] == [(14, []), (15, [])]    # shipped anew, counter not
        counter = 20
        assert worker(both) == (21, [])
        def drop():
            global dropped
            del dropped
        dropped = 30
        assert worker(drop) is None and dropped == 30
    ''')


def test_reached_in_nested_ways(script):
    script('''
        import collections, functools
        def deco(f):
            @functools.wraps(f)
            def wrapper(*args):
                return f(*args)
            return wrapper
        @deco
        def decorated():
            return late
        def plain(*ignored):
            return late
        class Before:
            def method(self):
                return late
            @staticmethod
            def static():
                return late
            @classmethod
            def class_method(cls):
                return late
            @property
            def attribute(self):
                return late
            def __call__(self):
                return late
        class Derived(Before):
            pass
        class Holder:
            __slots__ = ('f', '__weakref__')
        table = {'a': [plain]}
        known = Before()
        ordered = collections.OrderedDict(x=plain)
        def by_default(f=plain):
            return f()
        def by_keyword(*, f=plain):
            return f()
        def closes(f):
            return lambda: f()
        closed = closes(plain)
        def by_attribute():
            return by_attribute.f()
        by_attribute.f = plain
        def nested():
            def inner():
                return [late for _ in range(1)][0]
            return inner()
        def class_body():
            class Local:
                value = late
            return Local.value
        @functools.singledispatch
        def dispatch(x):
            return None
        @dispatch.register(int)
        def of_int(x):
            return late
        @functools.lru_cache(None)
        def cached():
            return late
        def through_table():
            return table['a'][0]()
        def through_instance():
            return known.attribute
        def through_ordered():
            return ordered['x']()
        before = dict(globals())
        worker = Worker()
        late = 'late'
        calls = [
            decorated, plain, Before().method, Before.static, Before.class_method, Before(), Derived().method,
            lambda: Before().attribute, by_default, by_keyword, by_attribute, closed, nested, class_body,
            cached, through_table, through_instance, through_ordered, functools.partial(plain, 1),
            functools.partial(functools.partial(plain, 1), 2), functools.partial(dispatch, 1),
            lambda: dispatch(1), lambda: Derived.static(), lambda: (lambda: late)()]
        for i, call in enumerate(calls):
            fresh = Worker()                    # has `late` of now: to be changed once more
            late = f'later {i}'
            assert fresh(call) == late, call
            fresh.end()
        holder = Holder()
        holder.f = plain
        late = 'in an item'
        assert worker(lambda h: h.f(), holder) == 'in an item'
        late = 'in another'
        def caller(f):
            return f()
        assert worker(caller, plain) == 'in another'
        late = 'in a third'
        assert worker(caller, [known][0].method) == 'in a third'
    ''')


def test_deleted_names(script):
    script('''
        import builtins
        gone = 1
        def f():
            return gone
        def g(x):
            return sum(x)
        worker = Worker()
        assert worker(f) == 1 and worker(g, [1, 2]) == 3
        sum = len
        assert worker(g, [5, 6]) == 2
        del sum
        assert worker(g, [5, 6]) == 11
        del gone
        try:
            worker(f)
        except NameError as e:
            assert "'gone'" in str(e)
        else:
            raise AssertionError('deleted here, and still there')
    ''')


def test_what_is_kept(script):
    script('''
        limit, table = 3, {}
        def pure(x):
            return x + limit
        def with_table(x):
            return table, x
        worker = Worker()
        for f in (pure, with_table, len, int, str.upper):
            shipment = worker.shipper.function(f)
            assert shipment.kept and shipment.still_good(), f     # all by reference
        before = worker.shipper.function(pure)
        limit = 4
        assert not before.still_good()
        now = worker.shipper.function(pure)
        assert now.kept and now.still_good()
        table = {1: 2}
        assert now.still_good() and not worker.shipper.function(with_table).kept
        assert worker(with_table, 1) == ({1: 2}, 1)
        table[3] = 4                                     # late, and changed where it is
        assert worker(with_table, 1) == ({1: 2, 3: 4}, 1)
        def helper():
            return limit
        def one(): return helper()
        def two(): return helper() + 1
        a, b = worker.shipper.function(one), worker.shipper.function(two)
        assert a.kept and b.kept and a.still_good() and b.still_good()   # they do not push each other out
        def helper():
            return 0
        assert not a.still_good() and not b.still_good()
        import functools
        assert worker.shipper.function(functools.partial(one, 1)).kept
        assert not worker.shipper.function(functools.partial(one, [])).kept
        assert not worker.shipper.function([].append).kept
        class Late:
            size = 1
            def f(self): return self.size
        def uses(): return Late().f()
        first = worker.shipper.function(uses)
        assert first.kept and first.still_good() and worker(uses) == 1
        Late.size = 2
        assert not first.still_good() and worker(uses) == 2
        fresh = worker.shipper.function(uses)
        assert fresh.still_good()
        absent_yet = lambda: unbound
        shipment = worker.shipper.function(absent_yet)
        unbound = 1
        assert not shipment.still_good() and worker(absent_yet) == 1
    ''')


def test_history_of_ipython_is_not_recorded(script):
    script('''
        import gc, sys
        class Big(list):
            __slots__ = ()                      # no weak reference
        def made(x): return x
        _, __, _5, _i5, _oh, Out, In, _mine = Big(), Big(), Big(), Big(), Big(), Big(), Big(), 5
        counts = [sys.getrefcount(x) for x in (_, _5, Out)]
        photograph = shipping.Photograph()
        assert [sys.getrefcount(x) for x in (_, _5, Out)] == counts
        for name in ('_', '__', '_5', '_i5', '_oh', 'Out', 'In'):
            assert photograph.changed(name, globals()[name])
        assert not photograph.changed('_mine', _mine) and photograph.changed('_mine', 6)
        assert not photograph.changed('made', made) and photograph.changed('made', lambda x: x)
        assert not photograph.changed('never', shipping.absent)
        assert photograph.changed('made', shipping.absent)
        worker = Worker()
        _ = 'result of a cell'
        assert worker(lambda: _) == 'result of a cell'
        def _helper(): return 3
        assert worker(lambda: _helper()) == 3
    ''')


def test_weak_references(script):
    script('''
        import gc, weakref
        class Thing: pass
        thing = Thing()
        photograph = shipping.Photograph()
        watch = weakref.ref(thing)
        assert not photograph.changed('thing', thing)
        thing = None
        gc.collect()
        assert watch() is None                  # the photograph did not keep it
        assert photograph.changed('thing', None)
    ''')


def test_modules_and_path(script, tmp_path):
    os.makedirs(tmp_path / 'more' / 'package')
    (tmp_path / 'more' / 'helpers.py').write_text('def f(x):\n    return x + 100\nclass C:\n    pass\n')
    (tmp_path / 'more' / 'package' / '__init__.py').write_text('')
    (tmp_path / 'more' / 'package' / 'inner.py').write_text('value = 7\n')
    script(f'''
        more = {str(tmp_path / 'more')!r}
        def f(x):
            return x
        worker = Worker()
        kept = worker.shipper.function(f)
        sys.path.append(more)
        assert not kept.still_good()
        import helpers
        assert worker(helpers.f, 1) == 101                      # imported there, with the new path
        assert b'helpers' in worker.ship(helpers.f)[1].data and worker.ship(helpers.f)[1].kept
        assert worker(lambda: helpers.f(2)) == 102
        assert type(worker(helpers.C)) is helpers.C
        assert worker(lambda: sys.path[-1]) == more
        import package
        assert worker(lambda: package.__name__) == 'package'
        import package.inner
        assert worker(lambda: package.inner.value) == 7         # a submodule that came later
        sys.path.remove(more)
        assert worker(lambda: more in sys.path) is False
        import json as js
        assert worker(lambda: js.dumps([1])) == '[1]'
        made = type(sys)('made')
        exec('def g(): return 4', made.__dict__)
        assert worker(made.g) == 4                              # of a module that nobody can import
    ''')


def test_cloudpickle_is_imported_when_it_is_needed(script):
    script('''
        def before(x): return x
        class Known: pass
        worker = Worker()
        def after(x, n=3): return before(x) + n
        assert worker(before, 1) == 1 and worker(after, 1) == 4
        assert worker(lambda k: type(k), Known()) is Known
        assert 'cloudpickle' not in sys.modules
        assert worker(lambda: 'cloudpickle' in sys.modules) is False
        class Later: pass
        assert type(worker(Later)) is Later
        assert 'cloudpickle' in sys.modules
        assert not {'numpy', 'joblib', 'IPython'} & set(sys.modules)
    ''')


def test_a_worker_that_is_a_parent(script):
    script('''
        value = 1
        def look():
            return value
        def nested(inner):
            global value
            mine = Worker()
            try:
                first = mine(look)
                value = 'set by the outer worker'
                second = mine(look)
                return first, second, mine(inner), mine(type)
            finally:
                mine.end()
        nested.__code__ = nested.__code__
        worker = Worker()
        value = 2
        class Later: pass
        class Type: pass
        def make(x=None): return Later()
        type = lambda: Later
        got = worker(nested, make)
        assert got[:2] == (2, 'set by the outer worker')    # versions of the outer pool mean nothing inside
        assert isinstance(got[2], Later) and got[3] is Later
        assert value == 2
    ''')


def test_replaced_workers_have_the_same_photograph(script):
    script('''
        def f(): return factor
        factor = 1
        worker = Worker()
        second = Worker(pool=worker)
        factor = 2
        assert worker(f) == second(f) == 2
        kept = worker.ship(f)
        assert kept[1].still_good() and second(f, shipped=kept) == 2 and worker(f, shipped=kept) == 2
    ''')


def test_large_containers_do_not_cost_a_walk(script):
    script('''
        import time
        table = [[i] for i in range(200000)]
        def f(i): return table[i]
        worker = Worker()
        shipment = worker.shipper.function(f)
        assert shipment.kept and len(shipment.data) < 100 and worker(f, 7) == [7]
        from forkful.reach import Reach
        reach = Reach(worker.shipper.photograph, worker.shipper.by_reference)
        reach.explore(f)
        assert len(reach._seen) < 10 and 'table' in reach.names
    ''')


@pytest.mark.parametrize('seed', range(5))
def test_a_worker_sees_what_the_caller_sees(script, seed):
    """Any order of definitions, bindings, deletions and calls of functions that reach each other."""
    script(f'''
        import random, re
        chance = random.Random({seed})
        values, functions = ['a', 'b', 'c'], ['f', 'g', 'h', 'k']
        def bind(name):
            globals()[name] = chance.choice([
                chance.randrange(3), float(chance.randrange(99)), [chance.random()], str(chance.random()),
                (1, chance.randrange(2)), None])
        def define(name):
            later = functions[functions.index(name) + 1:]       # calls go one way, so that all end
            parts = [chance.choice(values) for _ in range(2)]
            parts += [other + '()' for other in later if chance.random() < 0.5]
            how = chance.randrange(4)
            text = ', '.join(parts)
            if how == 0:
                exec(f'def {{name}}(): return [{{text}}, {{chance.random()}}]', globals())
            elif how == 1:
                exec(f'{{name}} = lambda n={{chance.random()}}: [{{text}}, n]', globals())
            elif how == 2:
                exec(f'def make(n):\\n def inner(): return [{{text}}, n]\\n return inner\\n'
                     f'{{name}} = make({{chance.random()}})', globals())
            else:
                exec(f'class {{name}}_class:\\n def run(self): return [{{text}}, {{chance.random()}}]\\n'
                     f'{{name}} = {{name}}_class().run', globals())
        def tried(call, *args):
            try:
                return re.sub(' at 0x[0-9a-f]+', '', repr(call(*args)))
            except Exception as e:
                return type(e).__name__ + str(e)
        for name in values[:2]:
            bind(name)
        for name in functions[1:]:
            define(name)
        first = Worker()
        workers = [first, Worker(pool=first)]
        kept, seen = set(), []
        for step in range(400):
            action = chance.random()
            if action < 0.2:
                bind(chance.choice(values))
            elif action < 0.25:
                globals().pop(chance.choice(values + functions), None)
            elif action < 0.4:
                define(chance.choice(functions))
            elif len(kept) > 3 and action < 0.5:
                globals()[chance.choice(values + functions)] = chance.choice(seen)      # an old value again
            else:
                name = chance.choice(functions)
                function = globals().get(name)
                if callable(function):
                    worker = chance.choice(workers)
                    there, here = tried(worker, function), tried(function)
                    assert there == here, (step, name, there, here)
                    kept.add(step)
                    seen.append(function)
        assert len(kept) > 100
    ''')
