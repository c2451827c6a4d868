"""What happens in Python round a fork and in a worker: plain functions that the C++ host calls, with the GIL.

    parent   before_fork
    zygote   PyOS_AfterFork_Child, zygote_starts
    worker   PyOS_AfterFork_Child, worker_starts; flush after each hand-out that set `printed`; worker_leaves

Without a zygote a worker is forked from the caller, and calls zygote_starts first.

Invariants:
- A stream that another thread of the parent may have been writing to is never used, flushed or closed in a
  child: its lock is held for ever (python/cpython#91776). It is replaced, and kept alive, since letting it go
  would flush it.
- Nothing of the parent's is run in a child: no finalizer, and no handler of Ctrl-C.
"""
import gc
import io
import itertools
import os
import signal
import sys
import threading
from multiprocessing import process, util

from . import arrivals

printed = bytearray(1)      # not 0: something was written to stdout or stderr since the last flush()
_kept = []                  # streams that are never to be closed


# ---- streams -----------------------------------------------------------------------------------------------

def _flush_streams():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:       # None, closed, a full disk, a broken pipe: as the interpreter at its end
            pass


def before_fork():
    """In the parent: what is in its buffers is written once, not by each child again."""
    _flush_streams()


def _renewed(stream):
    """The same file behind buffers, and so locks, of its own; `stream` itself if it has no buffer to lock."""
    if type(stream) is not io.TextIOWrapper or type(stream.buffer) is not io.BufferedWriter:
        return stream
    try:
        raw = io.FileIO(stream.buffer.raw.fileno(), 'w', closefd=False)
        return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, stream.errors,
                                line_buffering=stream.line_buffering, write_through=stream.write_through)
    except Exception:           # closed
        return stream


def _renew_streams():
    """Replaces sys.stdout, sys.stderr, and the streams of all handlers of `logging`."""
    made = {}

    def new(stream):
        if id(stream) not in made:
            _kept.append(stream)
            made[id(stream)] = _renewed(stream)
        return made[id(stream)]

    for name in ('stdout', 'stderr', '__stdout__', '__stderr__'):
        setattr(sys, name, new(getattr(sys, name)))
    logging = sys.modules.get('logging')
    for reference in list(logging._handlerList) if logging else ():
        own = getattr(reference(), '__dict__', {})      # that of some handlers is a property
        if own.get('stream') is not None:
            own['stream'] = new(own['stream'])


def _no_stdin():
    """Descriptor 0 and sys.stdin read from /dev/null: no worker takes what is typed for the parent."""
    old = sys.stdin
    _kept.append(old)           # closing it could wait for a thread of the parent that reads
    try:
        number = old.fileno() if old is not None else 0
    except Exception:
        number = -1
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        if number == 0:         # else 0 is none of Python's business
            os.dup2(null, 0)
            os.close(null)
            null = 0
        sys.stdin = open(null, encoding='utf-8', closefd=False)
    except OSError:
        sys.stdin = None


def _ignore(number, frame):
    """Ctrl-C reaches workers too, but the parent's KeyboardInterrupt is what ends the call. SIG_IGN would do
    in a worker, but programs that it starts would inherit it."""


def _no_interrupts():
    signal.set_wakeup_fd(-1)    # the parent's event loop would be told of our signals
    signal.signal(signal.SIGINT, _ignore)


# ---- zygote and worker -----------------------------------------------------------------------------------

def zygote_starts(threads):
    """In the zygote; `threads` is how many ran in the parent at the fork. All objects are frozen, so that no
    collection in a worker touches, and so copies, them. What was registered to run after a fork runs in
    workers only: the proxies of managers would connect, and count the zygote as one that uses them."""
    if threads > 1:
        _renew_streams()
    _no_interrupts()
    _no_stdin()
    util._finalizer_registry.clear()
    gc.freeze()


class WorkerProcess(process.BaseProcess):
    """What multiprocessing.current_process() is in a worker."""

    def __init__(self, index, count, parent, parent_pid):
        self._identity = (*parent._identity, count)
        self._config = {**parent._config, 'daemon': True}
        self._parent_name = parent.name
        self._parent_pid = parent_pid
        self._popen = None
        self._closed = False
        self._name = 'ForkfulPoolWorker-' + ':'.join(map(str, self._identity))
        self.worker_index = index


class _Parent(process._ParentProcess):
    """What multiprocessing.parent_process() is in a worker; it opens a descriptor only if it is asked."""

    def __init__(self, name, pid):
        super().__init__(name, pid, None)

    @property
    def _sentinel(self):
        if self._descriptor is None:
            self._descriptor = os.pidfd_open(self.pid)
        return self._descriptor

    @_sentinel.setter
    def _sentinel(self, nothing):
        self._descriptor = None


def _watch(stream):
    """Lines leave at once and whole, in pieces not even under -u, and each write sets `printed`."""
    try:
        stream.reconfigure(line_buffering=True, write_through=False)
    except Exception:           # no TextIOWrapper
        pass
    try:
        write = stream.write

        def watched(text, flag=printed):
            flag[0] = 1
            return write(text)
        stream.write = watched
    except Exception:           # no such attribute can be set: lines still leave
        pass


def worker_starts(index, count, parent_process, initializer=None, initargs=(), parent_pid=None):
    """In a worker: `index` of the pool's, and the `count`-th that `parent_process` started, whose process is
    `parent_pid` (the zygote may be between them). Raises what the initializer raises."""
    if parent_pid is None:
        parent_pid = os.getppid()
    process._process_counter = itertools.count(1)
    process._children = set()
    process._current_process = WorkerProcess(index, count, parent_process, parent_pid)
    process._parent_process = _Parent(parent_process.name, parent_pid)
    util._finalizer_registry.clear()        # again: there may be no zygote
    util._run_after_forkers()
    arrivals.forget()
    _no_interrupts()
    _watch(sys.stdout)
    if sys.stderr is not sys.stdout:
        _watch(sys.stderr)
    printed[0] = 0
    if initializer is not None:
        initializer(*initargs)


def flush():
    """At the end of a hand-out that set `printed`: what has no line end yet leaves too."""
    printed[0] = 0
    _flush_streams()


def worker_leaves():
    """In a worker that ends in good order: ends its children, runs its finalizers, waits for its threads,
    flushes, as long as that takes. The host leaves by _exit() then."""
    try:
        util._exit_function()
    finally:
        try:
            threading._shutdown()
        finally:
            flush()
