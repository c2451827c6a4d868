"""One pickle in the making: what goes by reference, what by value, and which late names go along.

Everything is decided while pickling: each function and each class that the pickler meets, however deep, takes
the late names along that it can reach and that are not in this pickle yet. They come when it is complete, so
that functions and classes may reach each other in circles.
"""
import functools
import importlib
import io
import linecache
import marshal
import pickle
import types
import weakref
from multiprocessing.reduction import ForkingPickler

from . import arrivals
from .reach import Reach, contents_of, found, home_of, lru_cache_type, top_name

# Reducers of further exact types, like copyreg's: type -> function(object) -> reduction or NotImplemented.
# By type: (object, towards the parent) -> a reduction, or NotImplemented.
reducers = {}

_native = frozenset({type(None), type(Ellipsis), type(NotImplemented)})     # classes that pickle itself knows
# What dataclasses compares by identity.
_sentinels = {'_FIELD_BASE': None, '_MISSING_TYPE': 'MISSING', '_KW_ONLY_TYPE': 'KW_ONLY',
              '_HAS_DEFAULT_FACTORY_CLASS': '_HAS_DEFAULT_FACTORY'}
# What classes consist of: cloudpickle knows it.
_members = frozenset({classmethod, staticmethod, property, types.GetSetDescriptorType, types.MappingProxyType,
                      types.CodeType, weakref.WeakSet})
# What is of use only in the process that made it. Methods that no worker calls may well use a global of these
# (`pool.map(self.step, …)`), so they are left out in silence, as workers of the standard library lack them.
_at_home = frozenset({
    ('multiprocessing.pool', 'Pool'), ('multiprocessing.pool', 'ApplyResult'),
    ('multiprocessing.pool', 'IMapIterator'), ('multiprocessing.process', 'BaseProcess'),
    ('multiprocessing.managers', 'BaseManager'), ('threading', 'Thread'),
    ('concurrent.futures._base', 'Executor'), ('concurrent.futures._base', 'Future')})
_at_home_of_forkful = frozenset({'Pool', 'SnapshotPool', 'SerialPool', 'AsyncResult', 'IMapIterator', 'Call'})


def stays_at_home(kind):
    """Whether objects of this type do not go as late names: pools, executors, processes, threads, results."""
    return any((base.__module__, base.__name__) in _at_home
               or base.__module__.partition('.')[0] == 'forkful' and base.__name__ in _at_home_of_forkful
               for base in kind.__mro__)


LARGE = 64 << 10     # bytes that are worth a place of their own


class ItemPickler(pickle.Pickler):
    """pickle, protocol 5, with another way for what the receiver does not find by name."""

    def __init__(self, file, reduce, apart=None):
        def keep(buffer):
            if memoryview(buffer).nbytes < LARGE:
                return True         # pickled with the rest
            apart.append(buffer)
        super().__init__(file, 5, buffer_callback=None if apart is None else keep)
        self._reduce = reduce

    def reducer_override(self, obj):
        return self._reduce(obj)


class _Step:
    """Calls `call(obj, state)` at the place in a pickle where it stands."""
    __slots__ = ('_made',)

    def __init__(self, call, obj, state):
        self._made = call, (obj, state)

    def __reduce__(self):
        return self._made


class Pickling:
    """`late`: name -> (version, value) of what went along; `reach.names`: all that was looked at, except with
    `quiet` what is known to need nothing; `by_value`: functions that went by value. A trial takes no late
    names along and uses no `reducers`: no effects."""

    def __init__(self, shipper, quiet=False, trial=False):
        self.shipper = shipper
        self.reach = Reach(shipper.photograph, shipper.by_reference)
        self.late = {}
        self.by_value = []
        self._quiet = quiet
        self._trial = trial
        self._cloud = None

    def dump(self, value, apart=None):
        file = io.BytesIO()
        ItemPickler(file, self.reduce, apart).dump(value)
        return file.getvalue()

    def late_of(self, obj):
        """[(name, version, value)] that `obj` can reach and that are not yet in this pickle."""
        shipper, reach = self.shipper, self.reach
        if shipper.upward or self._trial:
            return []
        fresh = reach.explore(obj)
        if found(obj) == '__main__':
            reach.name(top_name(obj), obj, fresh)
        late = []
        for name in fresh:
            value = reach.names[name][0]
            if name.startswith('import '):
                late.append((name, 0, None))
            elif shipper.is_late(name, value) and not stays_at_home(type(value)):
                version = shipper.version(name, value)
                self.late[name] = version, value
                late.append((name, version, value))
        return late

    def reduce(self, obj):
        """The reduction of `obj`, or NotImplemented: pickle's own way."""
        kind = type(obj)
        if kind is types.FunctionType:
            return self._function(obj)
        if issubclass(kind, type):
            return self._class(obj)
        if kind is types.MethodType and getattr(obj.__self__, obj.__name__, None) != obj:
            return types.MethodType, (obj.__func__, obj.__self__)       # no such name, as of a lambda
        special = None if self._trial else reducers.get(kind)
        if special is not None:
            return special(obj, self.shipper.upward)
        special = ForkingPickler._extra_reducers.get(kind)
        if special is not None:
            return special(obj)
        if kind is types.ModuleType:
            if obj.__name__ in self.shipper.photograph.modules or getattr(obj, '__spec__', None) is not None:
                return importlib.import_module, (obj.__name__,)
            return self._by_cloudpickle(obj)
        if kind is types.CellType:
            return types.CellType, ()       # its function fills it
        if kind is lru_cache_type:
            named = self._named(obj)
            if named is None:
                return arrivals.make_lru_cache, (obj.__wrapped__, obj.cache_parameters())
            return named
        if kind is functools.cached_property:       # has a lock, before 3.12
            return arrivals.make_cached_property, (obj.func, obj.attrname)
        if kind.__module__ == 'dataclasses' and kind.__name__ in _sentinels:
            return arrivals.find_class, ('dataclasses', _sentinels[kind.__name__] or obj.name)
        if kind.__module__ == 'typing' and kind.__name__ == 'TypeVar':
            named = self._named(obj)
            return self._by_cloudpickle(obj) if named is None else named
        return self._by_cloudpickle(obj) if kind in _members else NotImplemented

    def _named(self, obj):
        """The reduction of what the receiver has under its name, else None."""
        if not self.shipper.by_reference(obj):
            return None
        if obj.__module__ != '__main__':
            return NotImplemented
        name = getattr(obj, '__qualname__', None) or obj.__name__
        if self.shipper.upward:
            return arrivals.recall, (self.shipper.photograph.number, name)
        if self._quiet and self.shipper.is_quiet(obj):
            return NotImplemented
        late = self.late_of(obj)
        if not late:
            return NotImplemented
        return arrivals.find_class, (obj.__module__, name), late, None, None, arrivals.bind

    @staticmethod
    def _made(make, args, obj, state, setter, late):
        """The reduction of an `obj` that goes by value. Late names are made last: they may be instances of
        `obj`, or methods of these, which cannot be had while `obj` has no state."""
        if not late:
            return make, args, state, None, None, setter
        return make, args, (_Step(setter, obj, state), late), None, None, arrivals.bind_after

    def _function(self, function):
        named = self._named(function)
        if named is not None:
            return named
        late = self.late_of(function)
        self.by_value.append(function)
        home = home_of(function)
        if home is None:        # made by exec with a dictionary of its own: takes what it uses of that along
            make, args, state, _, _, setter = self._by_cloudpickle(function)
            return self._made(make, args, function, state, setter, late)
        state = (function.__defaults__, function.__kwdefaults__, contents_of(function), function.__qualname__,
                 function.__doc__, self._annotations(function), function.__dict__, function.__module__)
        code = function.__code__
        source = linecache.cache.get(code.co_filename)
        if source is not None and (len(source) != 4 or source[1] is not None):
            source = None       # a file: the receiver reads it itself
        args = home, marshal.dumps(code), function.__name__, function.__closure__, source
        return self._made(arrivals.make_function, args, function, state, arrivals.set_function, late)

    def _annotations(self, function):
        """Those that are sure to be pickled: hardly a call uses them, so none is to fail for them."""
        try:
            annotations = function.__annotations__
        except Exception:       # evaluated now, from 3.14
            return {}
        return {name: value for name, value in annotations.items() if value is None or type(value) is str
                or issubclass(type(value), type) and self.shipper.by_reference(value)}

    def _class(self, cls):
        if cls in _native:
            return NotImplemented
        named = self._named(cls)
        if named is not None:
            return named
        upward = self.shipper.upward
        id = arrivals.id_above(cls) if upward else None
        if id is not None:
            return arrivals.known_class, (id, cls.__qualname__)
        late = self.late_of(cls)
        made = self._by_cloudpickle(cls)
        if made is NotImplemented or len(made) < 6:     # a type that has a name in `types` only
            return made
        id = arrivals.id_of(cls)
        if not upward:
            self.shipper.keep(cls, id)
        make, args, state, _, _, setter = made
        args = id, arrivals.BELOW if upward else arrivals.ABOVE, make, args
        return self._made(arrivals.make_class, args, cls, (setter, state), arrivals.set_class, late)

    def _by_cloudpickle(self, obj):
        if self._cloud is None:
            import cloudpickle      # takes 18 ms, so only here
            self._cloud = cloudpickle.CloudPickler(io.BytesIO())
        if type(obj) is types.FunctionType or issubclass(type(obj), type):
            return self._cloud.reducer_override(obj)
        return self._cloud.dispatch_table[type(obj)](obj)
