"""Futures: concurrent.futures' own, carried on by the thread that waits for one, or else by the pool's driver."""
import concurrent.futures
import time

from . import errors
from .results import Carried, lowest
from .verbs import APPLY


class Future(concurrent.futures.Future):
    """As concurrent.futures.Future: wait, as_completed, asyncio.wrap_future and run_in_executor take it."""
    _task = None

    def cancel(self):
        """True if no worker has begun it, and none will."""
        task = self._task
        if task is None:
            return super().cancel()
        task.cancel()
        return self.cancelled()

    def running(self):
        """A worker has begun it, and it is not done."""
        task = self._task
        return super().running() or (task is not None and not self.done() and task.begun())

    def result(self, timeout=None):
        return super().result(self._carried_on(timeout))

    def exception(self, timeout=None):
        return super().exception(self._carried_on(timeout))

    def _carried_on(self, timeout):
        """Carries it on for so many seconds. Returns how many are left."""
        task = self._task
        if task is None or self.done():
            return timeout
        end = None if timeout is None else time.monotonic() + timeout
        task.carry_on(timeout)
        return None if end is None else max(0.0, end - time.monotonic())


class _Task(Carried):
    """The call of a future."""

    def __init__(self, pool, call, future):
        self.future = future
        future._task = self
        super().__init__(pool, call)

    def cancel(self):
        call = self._call
        if call is not None and call.cancel():
            self.carry_on(None)     # it has ended: only the thread that finishes it has to be waited for

    def begun(self):
        call = self._call
        return call is None or call.begun()

    def _settle(self, results, failures):
        future = self.future
        future._task = None
        if future.done():       # Ctrl-C came just then
            return
        error = lowest(failures) if failures else None
        if isinstance(error, errors.Cancelled) and error.__cause__ is None:     # else the callable raised it
            concurrent.futures.Future.cancel(future)
            future.set_running_or_notify_cancel()
        elif error is None:
            future.set_result(results[0])
        else:
            future.set_exception(error)
        self.future = None


def submit(pool, func, args, kwargs):
    """A Future of func(*args, **kwargs) on the pool."""
    call = pool._begin('submit', APPLY, func, [(args, dict(kwargs))], {})
    future = Future()
    task = _Task(pool, call, future)
    pool._no_thread_waits(task, call)
    task.look()
    return future
