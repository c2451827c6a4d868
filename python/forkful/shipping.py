"""What travels to workers and back: callables with the globals that they need, items, results, exceptions.

A function or class goes *by reference* if the receiver has it under its name, else *by value*; then its
globals are the receiving module's own, so that initializers, functions that were there and functions that
came later meet in one __main__. Globals of __main__ that were bound (or deleted) since the workers were
forked, and that can be reached from what is sent, go along and are bound there: these are *late names*.
Towards the parent there are none: nothing that comes back changes the caller's __main__.

The parts: reach.py looks at programs, pickling.py makes one pickle, this file knows what a pool's workers
have, and arrivals.py is the receiving side.

Invariants:
- A late name has a version, a new one whenever it goes with another object or one that can change unseen.
- Once late, a name is late for ever: bound to its first value again, it differs from what the workers have.
- Workers of init()'s template have __main__ as it was then, not as when their pool was made. A name that was bound
  in between is late, but *settled*: it keeps its version until it is bound anew. So a worker gets it once, and what its
  initializer makes of it stays, as if it had been forked when the pool was made.
"""
import functools
import itertools
import os
import pickle
import sys
import traceback
import types
from multiprocessing.reduction import ForkingPickler

# Names that others use from here: all that travels is to be had of this module.
from .arrivals import enter, find_class, forget, load_call, load_exception, loads, run_initializer  # noqa: F401
from .arrivals import bind
from .pickling import ItemPickler, Pickling, reducers  # noqa: F401
from .reach import Parts, Photograph, Reach, absent, contents_of, found, hold, holds, top_name, untouched


class _Sent:
    """What a late name was last sent as. Holds the value only if that can tell something later. `parts`: None if it
    is settled."""
    __slots__ = ('version', '_value', '_parts')

    def __init__(self, version, value, parts):
        self.version = version
        self._value = None if parts is not None and parts.mutable else hold(value)
        self._parts = parts

    @property
    def settled(self):
        return self._parts is None

    def is_still(self, value):
        return (self._value is not None and holds(self._value, value)
                and (self._parts is None or self._parts.unchanged()))


class _Now:
    """Binds late names at the place in a pickle where it stands."""
    __slots__ = ('late',)

    def __init__(self, late):
        self.late = late

    def __reduce__(self):
        return bind, (None, self.late)


class Shipment:
    """A callable, pickled. `data`: the bytes. `kept`: all that goes by value is immutable, so `data` may be
    sent in later calls too, as long as `still_good()`."""
    __slots__ = ('data', 'kept', '_shipper', '_names', '_late', '_parts', '_path', '_modules', '_epoch')

    def __init__(self, data, shipper, pickling, parts):
        self.data, self.kept = data, not parts.mutable
        self._shipper, self._parts = shipper, parts
        names = pickling.reach.names.items()
        self._names = [(name, value) for name, (value, user) in names if not name.startswith('import ')]
        self._late = {name: version for name, (version, value) in pickling.late.items()}
        self._path, self._modules, self._epoch = shipper.path, len(sys.modules), shipper.epoch

    def still_good(self):
        """Whether nothing that it depends on was changed since it was made. 0.4 µs, and 0.04 µs a global."""
        shipper = self._shipper
        bound = shipper.photograph.globals
        for name, value in self._names:
            if bound.get(name, absent) is not value:
                return False
        if shipper.epoch != self._epoch:
            for name, value in self._names:
                sent = shipper.late.get(name)
                if (sent and sent.version) != self._late.get(name):
                    return False
            self._epoch = shipper.epoch
        return (shipper.path is self._path and sys.path == self._path and len(sys.modules) == self._modules
                and self._parts.unchanged())


class Shipper:
    """Pickles for one pool: in the parent, towards its workers; made in a worker with the photograph that it
    inherited, towards the parent."""

    def __init__(self, photograph, made=None):
        """`made`: the photograph of when the pool was made, if that of its workers is init()'s."""
        self.photograph = photograph
        self.made = made
        self.upward = photograph.pid != os.getpid()
        self.late = {}                  # name -> _Sent
        self.epoch = 0                  # counts changes of `late`
        self.path = photograph.path     # what the workers' sys.path is to be
        self._path = None
        self._classes = {}
        self._quiet = {}
        self._count = itertools.count(1)

    def is_late(self, name, value):
        """Whether workers may have something else than `value` (or `absent`) under this name of __main__."""
        return name in self.late or self.photograph.changed(name, value)

    def by_reference(self, obj):
        """Whether the receiver has this function or class under its name."""
        module = found(obj)
        if module is None:
            return False
        if module != '__main__':
            spec = getattr(sys.modules[module], '__spec__', None)
            return spec is not None or module in self.photograph.modules
        name = top_name(obj)
        value = self.photograph.globals.get(name, absent)
        if self.upward:
            return not self.photograph.changed(name, value)
        return not self.is_late(name, value)

    def version(self, name, value):
        """The version with which the late name goes with `value` now. Workers know those of one parent."""
        sent = self.late.get(name)
        if sent is None or not sent.is_still(value):
            parts = None
            if sent is not None or self.made is None or self.made.changed(name, value):
                parts = Parts(self.by_reference)
                parts.add(value)
            sent = self.late[name] = _Sent(next(self._count), value, parts)
            self.epoch += 1
        return sent.version

    def is_quiet(self, obj):
        """Whether `obj`, which goes by reference, can reach no late name. 0.1 µs a global, once known."""
        bound = self.photograph.globals
        known = self._quiet.get(id(obj))
        if known is not None and known[0] is obj and known[2] == len(sys.modules):
            if all(bound.get(name, absent) is value and name not in self.late for name, value in known[1]):
                return True
        reach = Reach(self.photograph, self.by_reference)
        for name in reach.explore(obj):
            if name.startswith('import ') or self.is_late(name, reach.names[name][0]):
                return False
        if len(self._quiet) >= 1000:
            self._quiet.clear()
        names = [(name, value) for name, (value, user) in reach.names.items()]
        self._quiet[id(obj)] = obj, names, len(sys.modules)
        return True

    def keep(self, cls, id):
        """Keeps the last 1000 classes that went by value: results of workers name them by their ids."""
        self._classes[id] = cls
        if len(self._classes) > 1000:
            del self._classes[next(iter(self._classes))]

    def function(self, func):
        """The Shipment of a callable and of the late names that it can reach. Raises TypeError,
        AttributeError or PicklingError that names what cannot be sent, and the way out."""
        if sys.path != self.path:
            self.path = list(sys.path)
            self._path = _Now([('sys.path', next(self._count), self.path)])
        pickling = Pickling(self)
        try:
            data = pickling.dump((self._path, func))
        except MemoryError:
            raise
        except Exception as error:
            why = _culprit(error, pickling, func)
            if why is None:
                why = TypeError(f'{_title(func)} cannot be sent to a worker ({error}): use SnapshotPool')
            raise why from error
        parts = Parts(self.by_reference)
        parts.add(func)
        for name, (version, value) in pickling.late.items():
            if not self.late[name].settled:
                parts.add(value)
        return Shipment(data, self, pickling, parts)

    def initializer(self, func, args):
        """What `run_initializer` needs, in workers of init()'s template: picklable. Names that it binds there are to be
        as settled as those it reads. Raises as `function`."""
        data, args = self.function(func).data, tuple(args)
        reach = Reach(self.photograph, self.by_reference)
        reach.explore(func)
        bound = [(name, self.photograph.globals.get(name, absent)) for name in reach.bound()]
        bound = [(name, self.version(name, value), untouched) for name, value in bound if self.is_late(name, value)]
        try:
            return bound, data, self.dumps(args)
        except MemoryError:
            raise
        except Exception as error:
            for number, value in enumerate(args):
                try:
                    Pickling(self, trial=True).dump(value)
                except Exception as why:
                    raise TypeError(f'argument {number} of the initializer cannot be sent to a worker that comes from'
                                    f' the template of init() ({why}): {self.way_out}') from error
            raise

    @property
    def way_out(self):
        """What to do about a global that cannot be sent."""
        if self.made is not None:
            return 'bind it to a global before init(), or do without init()'
        return 'pass it as an argument, make the pool after it, or use SnapshotPool'

    def dumps(self, value, apart=None):
        """The bytes of an item, of a list of items or of a result. Raises what pickling raises. Its large memory is
        not among them where there is a list `apart`, but appended to that as pickle.PickleBuffer objects."""
        pickling = Pickling(self, quiet=True)
        try:
            return pickling.dump(value, apart)
        except MemoryError:
            raise
        except Exception as error:
            why = None if self.upward else _culprit(error, pickling)
            if why is None:
                raise
            raise why from error

    def exception(self, error):
        """The bytes of an exception, its traceback as text with it. Never raises: see `load_exception`."""
        try:
            return pickle.dumps((Pickling(self).dump(error), None, _text(error), _traceback(error)))
        except Exception as why:
            return self._failed(why, error, error)

    def unsendable(self, why, value):
        """The bytes that say that pickling the result `value` raised `why`."""
        return self._failed(why, value, why)

    def _failed(self, why, value, told):
        try:
            data = Pickling(self).dump(why)
        except Exception:
            data = None
        return pickle.dumps((data, _text(why), _text(value), _traceback(told)))

    def plain_class(self, cls):
        """Whether instances are what their `__dict__` says, and workers have the class by its name and need
        no late name for its methods."""
        import copyreg
        if type(cls) is not type or cls.__flags__ & 1 << 20:        # has abstract methods
            return False
        if cls in reducers or cls in copyreg.dispatch_table or cls in ForkingPickler._extra_reducers:
            return False
        for name in ('__reduce_ex__', '__reduce__', '__new__', '__getstate__'):
            if getattr(cls, name, None) is not getattr(object, name, None):
                return False
        if any(hasattr(cls, name) for name in ('__getnewargs_ex__', '__getnewargs__', '__setstate__')):
            return False
        if not cls.__dictoffset__ or cls.__itemsize__ or cls.__basicsize__ > _Plain.__basicsize__:     # state in C
            return False
        if any('__slots__' in vars(base) for base in cls.__mro__):
            return False
        return self.by_reference(cls) and (self.upward or self.is_quiet(cls))


class _Plain:
    pass


# ---- what cannot be sent -----------------------------------------------------------------------------------

def _title(func):
    return getattr(func, '__qualname__', None) or f'the {type(func).__name__} object'


def _text(value):
    """repr(value) of whatever has one, and no more of it than a person reads."""
    try:
        text = repr(value)
    except Exception as why:
        return f'<{type(value).__name__} object whose repr raised {type(why).__name__}>'
    return text if len(text) < 10000 else text[:10000] + '...'


def _traceback(error):
    return '\n"""\n%s"""' % ''.join(traceback.format_exception(type(error), error, error.__traceback__))


def _suspects(pickling, func):
    """(what it is, value, the way out) of all that went along without being named by the caller."""
    way_out = pickling.shipper.way_out
    for name, (version, value) in pickling.late.items():
        user = pickling.reach.names[name][1]
        using = '' if user is value else f', which {_title(user)} uses,'
        yield f'the global {name!r} of __main__{using}', value, way_out
    way_out = 'pass it as an argument, or use SnapshotPool'
    for function in pickling.by_value:
        title = function.__qualname__
        for name, content in zip(function.__code__.co_freevars, contents_of(function)):
            for value in content:
                yield f'the variable {name!r}, which {title} closes over,', value, way_out
        for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            yield f'a default of {title}', value, way_out
        for name, value in function.__dict__.items():
            yield f'the attribute {name!r} of {title}', value, way_out
    if isinstance(func, functools.partial):
        for value in (*func.args, *func.keywords.values()):
            yield f'an argument of the partial of {_title(func.func)}', value, way_out
    owner = getattr(func, '__self__', func)
    inside = getattr(owner, '__dict__', None)
    if type(inside) is dict and type(owner) is not types.FunctionType:
        for name, value in inside.items():
            yield (f'the attribute {name!r} of the {type(owner).__name__} object', value,
                   'leave it out in __getstate__, or use SnapshotPool')


def _culprit(error, pickling, func=None):
    """`error` as a sentence that names the one thing that cannot be sent even alone, or None."""
    suspects = sorted(_suspects(pickling, func), key=lambda suspect: callable(suspect[1]))
    for what, value, way_out in suspects:       # a lock comes before the function that has it
        try:
            Pickling(pickling.shipper, trial=True).dump(value)
        except Exception as why:
            kind = type(error) if type(error) in (AttributeError, pickle.PicklingError) else TypeError
            return kind(f'{what} cannot be sent to a worker ({why}): {way_out}')
    return None
