"""The thread that carries on the calls that no thread waits for: one a pool, started by the first such call.

It sleeps in the engine's port, and is not woken while nothing that was left to it can be carried on. A thread
that waits for such a call carries it on itself meanwhile; the thread that ends it finishes it.
"""
import os
import sys
import threading
import traceback
import weakref

from . import _core

_drivers = {}       # id -> weak reference, without a callback: what Ctrl-C raises in one of those is lost


class Driver:
    """Takes results (results.py) of the calls of one engine."""

    def __init__(self, engine):
        self._engine = engine
        self._lock = threading.Lock()
        self._port = self._thread = None
        self._stopped = False

    def take(self, call, result):
        """Carries `call` on until it has ended; `result.look()` is what it calls for that, on its thread."""
        with self._lock:
            if self._thread is None and not self._stopped:
                self._port = _core.Port(self._engine)
                self._thread = threading.Thread(target=_drive, args=(self._port, weakref.ref(self)),
                                                name='forkful-driver', daemon=True)
                _drivers[id(self)] = weakref.ref(self)
                self._thread.start()
            if self._port is not None:
                self._port.take(call, result)

    def drop(self, call):
        """The call has ended, or the thread is not to carry it on any more."""
        if self._port is not None:
            self._port.drop(call)

    def stop(self):
        """Ends the thread, and waits until it has ended (not when it is the thread that asks)."""
        with self._lock:
            self._stopped = True
            _drivers.pop(id(self), None)
            thread = self._thread
        if thread is None:
            return
        self._port.ring()
        if thread is not threading.current_thread():
            try:
                thread.join()
            except RuntimeError:        # Ctrl-C came while it was being started: it sees by itself that it was stopped
                pass


def _drive(port, driver):
    while True:
        result = port.next()
        if result is None:
            alive = driver()
            if alive is None or alive._stopped:
                return
            alive = None
            continue
        try:
            result.look()
        except BaseException:
            unraisable(result, 'Exception ignored in')
        result = None


class _Unraisable:
    """What a program's sys.unraisablehook takes, made by hand: for an exception that no caller can be given."""

    def __init__(self, where, what):
        self.exc_type, self.exc_value, self.exc_traceback = sys.exc_info()
        self.err_msg, self.object = what, where


def unraisable(where, what):
    """Tells of the exception in flight on stderr, as Python does of those it cannot raise."""
    if sys.unraisablehook is not sys.__unraisablehook__:
        sys.unraisablehook(_Unraisable(where, what))
    elif sys.stderr is not None:        # Python's own hook takes what it has made itself, only
        print(f'{what}: {where!r}\n{traceback.format_exc()}', end='', file=sys.stderr, flush=True)


def _stop_all():
    for reference in list(_drivers.values()):
        driver = reference()
        if driver is not None:
            driver.stop()


# In a child their threads do not run, and their locks may be held for ever.
os.register_at_fork(after_in_child=_drivers.clear)
# Before the interpreter begins to end: a daemon thread that is in the engine then would never come back.
threading._register_atexit(_stop_all)
