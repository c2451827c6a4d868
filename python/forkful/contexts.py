"""Contexts of multiprocessing whose Pool is forkful's."""
import functools
import multiprocessing

from .pool import Pool as _Pool


def get_context(method=None):
    """multiprocessing.get_context(method), whose `Pool` is forkful's, with forkful's own keywords, too.

    A context that spawns keeps the standard library's Pool, since forkful's workers are forked; so does that
    of None where set_start_method('spawn') was called. All else of a context is multiprocessing's. Raises
    ValueError for methods that there are not.
    """
    real = multiprocessing.get_context(method)
    return real if real.get_start_method() == 'spawn' else _of(type(real))


@functools.lru_cache(maxsize=None)
def _of(real):
    """One context for each class of them, as multiprocessing has; a subclass, so that isinstance holds."""
    def Pool(self, processes=None, initializer=None, initargs=(), maxtasksperchild=None, **own):
        """A forkful.Pool."""
        return _Pool(processes, initializer, initargs, maxtasksperchild, context=self.get_context(), **own)
    return type(real.__name__, (real,), {'Pool': Pool, '__module__': __name__})()
