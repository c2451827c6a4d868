"""The receiving side of shipping.py: loads what a Shipper pickled, and binds what came with it.

Invariants:
- A late name (see shipping.py) is bound once for each version: what the worker's own code makes of it stays.
- A class keeps its identity there and back. Each that went by value has an id, and arrives as the class that
  it was before; the process that made it never takes its state from others.
- Versions are those of this process's parent: a worker forgets what it inherited (`forget`).
"""
import functools
import importlib
import linecache
import marshal
import os
import pickle
import sys
import types
import weakref

from .reach import absent, photograph, untouched

_versions = {}      # late name -> the version that is bound here
_arrived = None     # late names of the payload that is being loaded

_ids = weakref.WeakKeyDictionary()          # class -> (id, process that noted it, whence it came)
_classes = weakref.WeakValueDictionary()    # id -> class
HERE, ABOVE, BELOW = 'here', 'above', 'below'


def forget():
    """Empties what a worker inherits of versions: it may itself be the child of a worker."""
    _versions.clear()


def loads(view, apart=()):
    """The value that `Shipper.dumps` took; `apart`: its large memory. Raises what its loading raises."""
    return pickle.loads(view, buffers=apart)


def load_call(view):
    """(callable, late) of a shipment. `late` is None, or to be given to `enter` when this callable is called
    after another one: both may have brought the same global, with different values."""
    global _arrived
    outer, _arrived = _arrived, []
    try:
        return pickle.loads(view)[1], _arrived or None
    finally:
        _arrived = outer


def enter(late):
    """Binds again those of a callable's late names that others have bound since. 0.1 µs a name."""
    bind(None, late)


def run_initializer(shipped):
    """Runs what Shipper.initializer shipped. Raises what that raises, and what its loading raises."""
    claimed, call, args = shipped
    bind(None, claimed)
    func, _ = load_call(call)
    func(*loads(args))


def load_exception(view, executor=False):
    """The exception of `Shipper.exception` or `.unsendable`; its `__cause__` is the worker's traceback.

    A result that could not be sent is a MaybeEncodingError, or for an executor the pickling error itself; so
    is an exception that cannot be rebuilt here. The classes of `__cause__` are those of the standard
    library's pool, or executor.
    """
    data, exc, value, text = pickle.loads(view)
    error = None
    if data is not None and (executor or exc is None):
        try:
            error = pickle.loads(data)
        except Exception as why:
            exc = repr(why)
    if executor:
        from concurrent.futures.process import _RemoteTraceback as RemoteTraceback
        if not isinstance(error, BaseException):
            error = pickle.PicklingError(f'{value} could not come back: {exc}')
    else:
        from multiprocessing.pool import MaybeEncodingError, RemoteTraceback
        if not isinstance(error, BaseException):
            error = MaybeEncodingError.__new__(MaybeEncodingError, exc, value)      # __init__: repr of reprs
            error.exc, error.value = exc, value
    error.__cause__ = RemoteTraceback(text)
    return error


def find_class(module, qualname):
    """What is called `qualname` in `module`, which is imported if it is not loaded."""
    at = importlib.import_module(module)
    for part in qualname.split('.'):
        at = getattr(at, part)
    return at


# ---- what reductions call, and nothing else ---------------------------------------------------------------

def recall(number, qualname):
    """What was called `qualname` in __main__ when photograph `number` was made, which is what the sender has.
    What is called so now, if that is no more."""
    known = photograph(number)
    name, *rest = qualname.split('.')
    at = None if known is None else known.recall(name)
    if at is None:
        return find_class('__main__', qualname)
    for part in rest:
        at = getattr(at, part)
    return at


def bind(obj, late):
    """Binds names of __main__ as the parent has them. Returns `obj`."""
    main = sys.modules['__main__'].__dict__
    for name, version, value in late:
        if _versions.get(name) == version:
            continue
        if name == 'sys.path':
            sys.path[:] = value
        elif name.startswith('import '):
            importlib.import_module(name[7:])
        elif value is absent:
            main.pop(name, None)
        elif value is not untouched:
            main[name] = value
        _versions[name] = version
    if _arrived is not None:
        _arrived.extend(late)
    return obj


def make_function(home, code, name, cells, source):
    code = marshal.loads(code)
    if source is not None:      # of a notebook's cell: tracebacks show its lines
        linecache.cache[code.co_filename] = source
    return types.FunctionType(code, importlib.import_module(home).__dict__, name, None, cells)


def set_function(function, state):
    (function.__defaults__, function.__kwdefaults__, contents, function.__qualname__, function.__doc__,
     function.__annotations__, attributes, function.__module__) = state
    for cell, content in zip(function.__closure__ or (), contents):
        if content:
            cell.cell_contents = content[0]
    function.__dict__.update(attributes)


def bind_after(obj, steps):
    """`steps`: the completed `obj` again, and late names, whose values may have needed it complete."""
    bind(obj, steps[1])


def make_lru_cache(function, parameters):
    return functools.lru_cache(**parameters)(function)


def make_cached_property(function, name):
    made = functools.cached_property(function)
    made.attrname = name
    return made


def make_class(id, origin, make, args):
    cls = _classes.get(id)
    if cls is None:
        cls = _classes[id] = make(*args)
        _ids.setdefault(cls, (id, os.getpid(), origin))
    return cls


def set_class(cls, state):
    setter, own = state
    if _ids[cls][1:] != (os.getpid(), HERE):
        setter(cls, own)


def known_class(id, name):
    cls = _classes.get(id)
    if cls is None:
        raise pickle.UnpicklingError(f'the class {name} of this result is gone here: keep a reference to it')
    return cls


def id_of(cls):
    """The id under which a class goes by value; the process that asks first is the one that made it."""
    known = _ids.get(cls)
    if known is None:
        known = _ids[cls] = os.urandom(16), os.getpid(), HERE
        _classes[known[0]] = cls
    return known[0]


def id_above(cls):
    """The id of a class that the parent of this process has, because it came from there; else None."""
    known = _ids.get(cls)
    return known[0] if known and (known[1] != os.getpid() or known[2] == ABOVE) else None
