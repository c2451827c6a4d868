"""What __main__ was when workers were forked, what of it code can reach, and what of a value may change.

Three questions about programs, answered without running or pickling anything; shipping.py decides by them.

- Photograph: is this global still what the workers have?
- Reach: which globals of __main__ can a value's code read? Followed are names in code and in code within it;
  defaults, closures, attributes of functions; methods, bases and attributes of classes of __main__; partials,
  bound methods, decorators; attributes of instances and members of containers. Bounds: a container of more
  than 1000 members, and whatever comes after 20 000 visited values, is not looked into. Names that code makes
  up (`globals()[x]`) are not seen.
- Parts: is all that goes by value immutable, and is it still what it was?
"""
import collections
import dis
import functools
import itertools
import os
import re
import sys
import types
import weakref

_atoms = frozenset({
    type(None), bool, int, float, complex, str, bytes, range, type(Ellipsis), type(NotImplemented),
    types.WrapperDescriptorType, types.MethodDescriptorType, types.GetSetDescriptorType,
    types.MemberDescriptorType})
_bound = frozenset({types.MethodType, types.BuiltinFunctionType, types.MethodWrapperType})
_containers = frozenset({list, tuple, set, frozenset, collections.deque})
_mappings = frozenset({dict, collections.OrderedDict, collections.defaultdict, types.MappingProxyType})
lru_cache_type = type(functools.lru_cache()(lambda: None))


class absent:
    """Stands for the value of a name that is not bound. Pickled by reference, as the class that it is."""


class untouched:
    """Stands for the value of a name of which a receiver is to have the version, but not the value: its own code is
    about to bind it. Pickled as `absent` is."""


# IPython binds these anew with every cell. They are not recorded, so they count as changed if code reads one.
_history = re.compile(r'_{1,3}|_i{1,3}|_i?\d+|_[iod]h|In|Out')


def hold(value):
    """A reference to `value` for `holds`: weak, or strong where there is no weak one."""
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: value


def holds(held, value):
    """Whether `held` was made of this very object. A dead weak reference gives None, but held no None."""
    return held() is value and (value is not None or type(held) is not weakref.ref)


# By number, weak references without a callback: what Ctrl-C raises in one of those is told, and lost.
_photographs = {}
_numbers = itertools.count(1)


def photograph(number):
    """The Photograph of that number, or None."""
    held = _photographs.get(number)
    return held and held()


class Photograph:
    """What __main__ and sys.path are now; made just before workers are forked, and inherited by them.

    `pid` made it; `number` names it to `photograph` as long as it lives; `globals` is __main__'s dictionary
    itself; `path` a copy of sys.path; `modules` the names in sys.modules. Costs 0.2 µs a global.
    """

    def __init__(self):
        self.pid = os.getpid()
        self.number = next(_numbers)
        for number in [number for number, held in _photographs.items() if held() is None]:
            del _photographs[number]
        _photographs[self.number] = weakref.ref(self)
        self.globals = sys.modules['__main__'].__dict__
        self.path = list(sys.path)
        self.modules = frozenset(sys.modules)
        self._held = {name: hold(value) for name, value in self.globals.copy().items()
                      if not _history.fullmatch(name)}

    def changed(self, name, value):
        """Whether the global `name` was not bound to `value` then (`absent`: not bound at all). Ids
        would prove nothing: the address of a float is used again at once."""
        held = self._held.get(name)
        return value is not absent if held is None else not holds(held, value)

    def recall(self, name):
        """What the global `name` was, or None: it is no more."""
        held = self._held.get(name)
        return None if held is None else held()


def found(obj):
    """The name of the loaded module in which `obj` is found by its qualified name, or None."""
    name = getattr(obj, '__qualname__', None) or getattr(obj, '__name__', None)
    module = getattr(obj, '__module__', None)
    if type(name) is not str or type(module) is not str:
        return None
    at = sys.modules.get(module)
    try:
        for part in name.split('.'):
            at = getattr(at, part)
    except Exception:       # a module may make its names up, and fail at it
        return None
    return module if at is obj else None


def top_name(obj):
    """The name in its module under which `obj`, or the class that has it, is bound."""
    return (getattr(obj, '__qualname__', None) or obj.__name__).partition('.')[0]


def contents_of(function):
    """What is in the function's closure: a tuple (content,) for each cell, () for one that is empty."""
    found = []
    for cell in function.__closure__ or ():
        try:
            found.append((cell.cell_contents,))
        except ValueError:
            found.append(())
    return found


_readers = frozenset({'LOAD_GLOBAL', 'LOAD_NAME', 'DELETE_GLOBAL', 'LOAD_FROM_DICT_OR_GLOBALS'})


@functools.lru_cache(4096)
def names_of(code):
    """(names of globals that the code, and code within it, may read; all names in it, attributes too; names of globals
    that it may bind)."""
    read, every, bound, todo = {}, set(), set(), [code]
    while todo:
        code = todo.pop()
        every.update(code.co_names)
        for at in dis.get_instructions(code):
            if at.opname in _readers:
                read[at.argval] = None
            elif at.opname == 'STORE_GLOBAL':
                bound.add(at.argval)
        todo.extend(constant for constant in code.co_consts if type(constant) is types.CodeType)
    return tuple(read), frozenset(every), frozenset(bound)


def unwrapped(member):
    """The functions behind a member of a class: of a method, a static or class method, a property."""
    kind = type(member)
    if issubclass(kind, property):
        return [member.fget, member.fset, member.fdel]
    return [member.__func__ if issubclass(kind, (staticmethod, classmethod)) else member]


class Reach:
    """The globals of __main__ that values can reach, found one value after another; nothing is visited twice.

    `names` maps each to (its value or `absent`, what reads it). What was visited is kept alive: ids stay.
    """

    def __init__(self, photograph, by_reference):
        self.names = {}
        self._globals = photograph.globals
        self._old_modules = photograph.modules
        self._by_reference = by_reference
        self._seen = {}
        self._new_modules = None

    def explore(self, value):
        """Names reached from `value` that were not reached before, and 'import NAME' for submodules that its
        code names and that were loaded since the photograph."""
        fresh, stack = [], [value]
        while stack:
            value = stack.pop()
            kind = type(value)
            if kind in _atoms or id(value) in self._seen:
                continue
            self._seen[id(value)] = value
            if kind is types.FunctionType:
                self._function(value, stack, fresh)
            elif issubclass(kind, type):
                if value.__module__ == '__main__' or not self._by_reference(value):
                    stack += kind, *value.__mro__
                    for member in list(vars(value).values()):
                        stack.extend(unwrapped(member))
            elif kind in _bound:
                stack += getattr(value, '__func__', None), value.__self__
            elif kind is not types.ModuleType and len(self._seen) < 20000:
                stack.append(kind)
                self._members(value, kind, stack)
        return fresh

    def bound(self):
        """The globals that functions which were visited bind, and that none of them reads."""
        return {name for visited in self._seen.values() if type(visited) is types.FunctionType
                if visited.__globals__ is self._globals for name in names_of(visited.__code__)[2]} - self.names.keys()

    def name(self, name, user, fresh, stack=None, words=()):
        """Notes that `user` reads the global `name`; what it is bound to is to be visited."""
        value = self._globals.get(name, absent)
        if name not in self.names:
            self.names[name] = value, user
            fresh.append(name)
            if stack is not None:
                stack.append(value)
        if type(value) is types.ModuleType:
            self._submodules(value.__name__ + '.', user, words, fresh)

    def _function(self, function, stack, fresh):
        here = function.__globals__ is self._globals
        if here or function.__module__ == '__main__' or not self._by_reference(function):
            stack.extend(function.__defaults__ or ())
            stack.extend((function.__kwdefaults__ or {}).values())
            stack.extend(function.__dict__.values())
            for content in contents_of(function):
                stack.extend(content)
        read, words, _ = names_of(function.__code__)
        if here:
            for name in read:
                self.name(name, function, fresh, stack, words)
        elif home_of(function) is None:
            stack.extend(function.__globals__[name] for name in read if name in function.__globals__)

    def _submodules(self, prefix, user, words, fresh):
        if self._new_modules is None:
            self._new_modules = [name for name in list(sys.modules) if name not in self._old_modules]
        for module in self._new_modules:
            if module.startswith(prefix) and words.issuperset(module[len(prefix):].split('.')):
                name = 'import ' + module
                if name not in self.names:
                    self.names[name] = absent, user
                    fresh.append(name)

    @staticmethod
    def _members(value, kind, stack):
        if kind is functools.partial:
            stack.append(value.func)
            stack.extend(value.args)
            stack.extend(value.keywords.values())
            return
        if kind in _containers and len(value) <= 1000:
            stack.extend(value)
        elif kind in _mappings and len(value) <= 1000:
            stack.extend(list(value.values()))
        try:
            inside = object.__getattribute__(value, '__dict__')     # a proxy would ask what it stands for
        except Exception:
            return
        if type(inside) is dict and len(inside) <= 1000:
            stack.extend(list(inside.values()))


def home_of(function):
    """The name of the module whose dictionary is the function's globals, or None."""
    for name in (function.__globals__.get('__name__'), '__main__'):
        if getattr(sys.modules.get(name), '__dict__', None) is function.__globals__:
            return name
    return None


class Parts:
    """What of a value goes by value. `mutable`: some of it can change unseen; else `unchanged()` tells."""

    def __init__(self, by_reference):
        self.mutable = False
        self._by_reference = by_reference
        self._functions, self._cells, self._mappings = [], [], []
        self._seen = {}

    def add(self, value):
        stack = [value]
        while stack and not self.mutable:
            value = stack.pop()
            kind = type(value)
            if kind in _atoms or kind is types.ModuleType or id(value) in self._seen:
                continue
            self._seen[id(value)] = value
            if kind in (tuple, frozenset):
                stack.extend(value)
            elif kind is functools.partial:
                stack += value.func, *value.args, *value.keywords.values()
                self.mutable = bool(value.__dict__)
            elif kind in _bound:
                stack += getattr(value, '__func__', None), value.__self__
            elif kind is types.FunctionType:
                self._function(value, stack)
            elif kind is lru_cache_type:
                if not self._by_reference(value):
                    stack.append(value.__wrapped__)
            elif issubclass(kind, type):
                if not self._by_reference(value):
                    self._class(value, stack)
            else:
                self.mutable = True

    def _function(self, function, stack):
        if self._by_reference(function):
            return
        self._functions.append((function, function.__code__, function.__defaults__))
        stack.extend(function.__defaults__ or ())
        if function.__kwdefaults__:
            self._mapping(function.__kwdefaults__)
            stack.extend(function.__kwdefaults__.values())
        self.mutable = bool(function.__dict__.keys() - {'__wrapped__'}) or home_of(function) is None
        for cell, content in zip(function.__closure__ or (), contents_of(function)):
            if not content:
                self.mutable = True
            else:
                self._cells.append((cell, content[0]))
                stack.extend(content)

    def _class(self, cls, stack):
        stack.extend(cls.__bases__)
        for name, member in self._mapping(vars(cls)):
            for part in unwrapped(member):
                if not name.startswith('__') or type(part) is types.FunctionType:
                    stack.append(part)

    def _mapping(self, mapping):
        members = tuple(mapping.items())
        self._mappings.append((mapping, members))
        return members

    def unchanged(self):
        for function, code, defaults in self._functions:
            if function.__code__ is not code or function.__defaults__ is not defaults:
                return False
        for cell, content in self._cells:
            try:
                if cell.cell_contents is not content:
                    return False
            except ValueError:
                return False
        for mapping, members in self._mappings:
            if len(mapping) != len(members):
                return False
            if any(mapping.get(name, absent) is not value for name, value in members):
                return False
        return True
