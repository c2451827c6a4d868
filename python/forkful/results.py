"""Results that are had later: what *_async and imap return, with multiprocessing's names and manners."""
import threading
import time
import types
from multiprocessing import TimeoutError

from .driver import unraisable
from .errors import Cancelled


_nothing = object()


def lowest(failures):
    """The exception of the lowest index."""
    return failures[min(failures)]


def concluded(call):
    """(results, failures or None, what the whole call raises or None) of a call that has ended."""
    try:
        return *call.conclude(), None
    except BaseException as error:
        return *call.take(), error


class _Done:
    """A threading.Event that is set once, at a tenth of the cost: a lock that is held until then."""
    __slots__ = ('is_set', '_lock')

    def __init__(self):
        self.is_set = False
        self._lock = threading.Lock()
        self._lock.acquire()

    def set(self):
        if not self.is_set:
            self.is_set = True
            self._lock.release()

    def wait(self, timeout=None):
        if not self.is_set and self._lock.acquire(timeout=-1 if timeout is None else timeout):
            self._lock.release()


class Running(_Done):
    """A call whose thread waits for it, among a pool's pending ones: join() waits for it as well."""
    __slots__ = ()

    def carry_on(self, timeout):
        self.wait(timeout)

    def look(self):
        return self.is_set


class Carried:
    """A call that any thread may carry on and that one thread finishes. Base of all results that are had later.

    `_settle(results, failures)` is called once, by the thread that ended it; `_done` is set after that.
    """

    def __init__(self, pool, call):
        self._pool, self._call = pool, call
        self._lock = threading.Lock()
        self._done = _Done()
        pool._pending[self] = None

    def look(self):
        """Carries it on without waiting. True: it is done."""
        call = self._call
        if call is not None and call.look():
            self._finish(call)
        return self._done.is_set

    def carry_on(self, timeout):
        """The same for so many seconds; None: until it is done."""
        end = None if timeout is None else time.monotonic() + timeout
        call = self._call
        if call is not None and call.advance(-1 if end is None else max(0.0, timeout)):
            self._finish(call)
        if self._call is None:      # another thread finishes it, and may be in a callback
            self._done.wait(None if end is None else max(0.0, end - time.monotonic()))
        return self._done.is_set

    def _finish(self, call):
        mine = False
        try:
            with self._lock:
                if self._call is None:
                    return
                self._call = None
                mine = True
            self._conclude(call)
        except BaseException as error:      # Ctrl-C: a thread that waits for it gets it, too
            if mine and not self._done.is_set:
                self._pool._pending.pop(self, None)
                self._settle((), {-1: error})
            raise
        finally:
            if mine:
                self._pool = None
                self._done.set()

    def _conclude(self, call):
        pool = self._pool
        results, failures, error = concluded(call)
        if error is not None and not (failures and isinstance(error, Cancelled) and
                                      not isinstance(lowest(failures), Cancelled)):
            failures = {-1: error}
        pool._forget(self, call)
        self._settle(results, failures)


class AsyncResult(Carried):
    """Of apply_async, and as MapResult of map_async and starmap_async."""

    def __init__(self, pool, call, callback=None, error_callback=None):
        self._callback, self._error_callback = callback, error_callback
        super().__init__(pool, call)

    def _value_of(self, results):
        return results[0]

    def _settle(self, results, failures):
        self._success = not failures
        self._value = lowest(failures) if failures else self._value_of(results)
        callback = self._callback if self._success else self._error_callback
        self._callback = self._error_callback = None
        if callback is None:
            return
        try:
            callback(self._value)
        except BaseException:
            unraisable(callback, 'Exception ignored in a callback of a forkful pool')

    def ready(self):
        return self._done.is_set or self.look()

    def successful(self):
        if not self.ready():
            raise ValueError(f'{self!r} not ready')
        return self._success

    def wait(self, timeout=None):
        if not self._done.is_set:
            self.carry_on(timeout)

    def get(self, timeout=None):
        self.wait(timeout)
        if not self._done.is_set:
            raise TimeoutError
        if self._success:
            return self._value
        raise self._value

    __class_getitem__ = classmethod(types.GenericAlias)


ApplyResult = AsyncResult


class MapResult(AsyncResult):
    def _value_of(self, results):
        return results


class IMapIterator:
    """Results in the order of their items; an item's exception is raised in its place, and the rest follows."""

    def __init__(self, pool, call):
        self._pool, self._call = pool, call
        self._lock = threading.Lock()
        pool._streams.add(self)
        if pool._begins_at_once:
            call.look()

    def carry_on(self, timeout):
        """To the end of its input; what comes of it is kept for the thread that takes it."""
        with self._lock:
            call = self._call
            if call is not None:
                call.advance()

    def __iter__(self):
        return self

    def next(self, timeout=None):
        end = None if timeout is None else time.monotonic() + timeout
        if not self._lock.acquire(timeout=-1 if timeout is None else max(0, timeout)):
            raise TimeoutError
        try:
            return self._next(end)
        finally:
            self._lock.release()

    def _next(self, end):
        call = self._call
        while call is not None:
            value = call.take_next(_nothing)
            if value is not _nothing:
                return value
            if call.ended:
                self._call = self._pool = None
                call.conclude()     # raises what the input raised
                break
            left = -1 if end is None else end - time.monotonic()
            if end is not None and left < 0:
                raise TimeoutError
            call.advance(left, 1)
        raise StopIteration

    def __next__(self):
        call = self._call
        if call is not None:        # what has arrived is had without the lock
            value = call.take_next(_nothing)
            if value is not _nothing:
                return value
        return self.next()


class IMapUnorderedIterator(IMapIterator):
    """Results as they come."""
