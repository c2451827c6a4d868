"""concurrent.futures.ProcessPoolExecutor on a forkful pool."""
import concurrent.futures
import functools
import itertools
import os
import threading
import weakref
from concurrent.futures.process import BrokenProcessPool

from . import _core, errors, futures, shipping
from .pool import Pool, check_context

_executors = weakref.WeakSet()
_finishing = set()      # threads that wait for the pools of executors that are gone
_ending = False


class _Workers(Pool):
    _load_exception = functools.partial(shipping.load_exception, executor=True)
    _waits_for_start = False        # futures tell what came of it; an event loop may have called submit()


class ProcessPoolExecutor(concurrent.futures.Executor):
    """The standard one's names and manners; a worker that dies costs the future that it held, and the
    executor goes on."""

    def __init__(self, max_workers=None, mp_context=None, initializer=None, initargs=(), *, max_tasks_per_child=None,
                 inner_threads=1, memory_limit=None, pin=False, timeline=False):
        if max_workers is not None and max_workers <= 0:
            raise ValueError('max_workers must be greater than 0')
        if initializer is not None and not callable(initializer):
            raise TypeError('initializer must be a callable')
        if max_tasks_per_child is not None:
            if not isinstance(max_tasks_per_child, int):
                raise TypeError('max_tasks_per_child must be an integer')
            if max_tasks_per_child <= 0:
                raise ValueError('max_tasks_per_child must be >= 1')
        check_context(mp_context)
        self._max_workers = max_workers or _core.cpu_count()
        self._mp_context = mp_context
        self._lock = threading.Lock()
        self._shut_down = False
        self._broken = None
        self._pool = None
        self._making = dict(maxtasksperchild=max_tasks_per_child, inner_threads=inner_threads,
                            memory_limit=memory_limit, pin=pin, timeline=timeline)
        self._initializer, self._initargs = initializer, initargs
        _executors.add(self)

    def submit(self, fn, /, *args, **kwargs):
        with self._lock:
            if self._broken is not None:
                raise BrokenProcessPool(self._broken)
            if self._shut_down:
                raise RuntimeError('cannot schedule new futures after shutdown')
            if _ending:
                raise RuntimeError('cannot schedule new futures after interpreter shutdown')
            try:
                if self._pool is None:
                    self._pool = _Workers(self._max_workers, self._initializer, self._initargs, **self._making)
                    self._forgotten = weakref.finalize(self, _finish_later, self._pool, os.getpid())
                    self._forgotten.atexit = False
                return futures.submit(self._pool, fn, args, kwargs)
            except errors.StartFailed as error:
                self._broken = str(error)
                raise

    def map(self, fn, *iterables, timeout=None, chunksize=1):
        if chunksize < 1:
            raise ValueError('chunksize must be >= 1.')
        if chunksize == 1:
            return super().map(fn, *iterables, timeout=timeout)
        values = zip(*iterables)
        chunks = iter(lambda: tuple(itertools.islice(values, chunksize)), ())
        return _flat(super().map(_Chunk(fn), chunks, timeout=timeout))

    def report(self):
        """The Report of the call that this thread finished last."""
        if self._pool is None:
            raise ValueError('nothing was submitted yet')
        return self._pool.report()

    def shutdown(self, wait=True, *, cancel_futures=False):
        with self._lock:
            self._shut_down = True
            pool = self._pool
        if pool is None:
            return
        if cancel_futures:
            # Those that idle workers are about to begin are as good as begun: the standard one's are in its call queue.
            for task in list(pool._pending)[self._max_workers + 1:]:
                task.cancel()
        pool.close()
        if wait:
            self._forgotten.detach()
            pool.join()


def _finish_later(pool, made_by):
    """Of an executor that the program let go of: what was submitted is done all the same, also at its end."""
    if os.getpid() != made_by:
        return
    pool.close()
    thread = threading.Thread(target=_finish, args=(pool,), name='forkful-executor', daemon=True)
    _finishing.add(thread)
    thread.start()


def _finish(pool):
    pool.join()
    _finishing.discard(threading.current_thread())


class _Chunk:
    def __init__(self, fn):
        self._fn = fn

    def __call__(self, values):
        return [self._fn(*one) for one in values]


def _flat(chunks):
    for chunk in chunks:
        chunk.reverse()
        while chunk:
            yield chunk.pop()


def _finish_all():
    global _ending
    _ending = True
    for executor in list(_executors):
        executor.shutdown(wait=True)
    for thread in list(_finishing):
        thread.join()


# In a child they are the parent's, and their locks may be held for ever.
os.register_at_fork(after_in_child=_executors.clear)
os.register_at_fork(after_in_child=_finishing.clear)
threading._register_atexit(_finish_all)
