"""NumPy arrays in shared memory: they, their views and slices pass as handles, both ways; workers change them in place.

Values are values: only what was made by `shared_array` or `share` is shared. An ordinary array that happens to lie
in shared memory would be changed behind the back of the code that holds it.
"""
import weakref

from . import _core, callbacks  # noqa: F401
from .pickling import reducers

_known = weakref.WeakValueDictionary()      # by address: the blocks that this process has


def shared_array(shape, dtype=float, order='C'):
    """An array of zeros in shared memory. Raises ArenaExhausted where there is none, TypeError for Python objects."""
    import numpy
    dtype = numpy.dtype(dtype)
    if dtype.hasobject:
        raise TypeError(f'{dtype} holds Python objects, which no other process can use: a shared array takes numbers, '
                        'fixed-length strings, dates and records of them')
    count = 1
    for length in (shape if hasattr(shape, '__len__') else (shape,)):
        count *= length
    block = _core.Block(count * dtype.itemsize)
    _known[block.address] = block
    _expect_arrays(numpy)
    return numpy.ndarray(shape, dtype, block, 0, None, order)


def share(array):
    """A copy of the array in shared memory; what is no array becomes one first."""
    import numpy
    array = numpy.asarray(array)
    column_major = array.flags.f_contiguous and not array.flags.c_contiguous
    made = shared_array(array.shape, array.dtype, 'F' if column_major else 'C')
    made[...] = array
    return made


def is_shared(array):
    """Whether it lies in shared memory, and passes as a handle."""
    return _block_of(array) is not None


def all_blocks():
    """Those that there are now."""
    return list(_known.values())


def _block_of(array):
    """The block that it lies in, or None."""
    while type(array) is not _core.Block:
        array = array.obj if type(array) is memoryview else getattr(array, 'base', None)
        if array is None:
            return None
    return array


def _handle(array, upward):
    """What `_attach` makes the same array of in another process; None: it is not shared."""
    block = _block_of(array)
    if block is None:
        return None
    given = upward and block.owned
    if given and not block.made_here:
        return None         # a worker of this worker made it, where the parent does not see it
    if given:
        block.mark()        # it goes with the frame that is being written
    place = array.__array_interface__['data'][0] - block.address
    dtype = array.dtype
    return (block.address, block.bytes, given, place, array.shape, array.strides,
            dtype.str if dtype.names is None else dtype, array.flags.writeable)


def _plain_handle(array, upward):
    """The same without an object in it; None also for records, whose fields only a pickled dtype tells."""
    return _handle(array, upward) if array.dtype.names is None else None


def _attach(address, size, given, place, shape, strides, dtype, writeable):
    import numpy
    _expect_arrays(numpy)
    block = _known.get(address)
    if block is None:
        block = _known[address] = _core.Block.of_another(address, size)
    if given:
        block.adopt()
    array = numpy.ndarray(shape, dtype, block, place, strides)
    if not writeable:
        array.flags.writeable = False
    return array


def _reduce(array, upward):
    """The same inside of what is pickled."""
    handle = _handle(array, upward)
    return NotImplemented if handle is None else (_attach, handle)


def _expect_arrays(numpy):
    """Its arrays may be shared from now on."""
    if numpy.ndarray not in reducers:
        reducers[numpy.ndarray] = _reduce
        _core.expect_arrays(numpy.ndarray, _plain_handle)


_core.set_attach(_attach)
