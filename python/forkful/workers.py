"""A pool's workers: what the engine's host (python/core/host.hpp) asks of Python at forks, and what
Pool._pool lists."""
import mmap
import os
import signal
import struct
import time
from multiprocessing import process

from . import _core, arrays, shipping, worker
from .stacks import LATE_SIGNAL, Stacks  # noqa: F401

_entry = struct.Struct('qq')    # a worker's pid, and how many there were before it at its index


class Side:
    """One a pool; workers and zygote have their copies of it."""

    def __init__(self, workers, initializer, initargs):
        self._parent, self._parent_pid = process.current_process(), os.getpid()
        self._initializer, self._initargs = initializer, initargs
        self._table = mmap.mmap(-1, _entry.size * workers)      # shared with the workers
        self.workers = workers
        self.photograph = None
        self.stacks = Stacks(workers)

    def before_fork(self):
        """In the caller, before the zygote is forked (or a worker, where there is none): how many threads
        run."""
        worker.before_fork()
        self.photograph = shipping.Photograph()
        self._kept = arrays.all_blocks()    # workers may reach them by their globals, as long as they live
        return len(os.listdir('/proc/self/task'))

    def zygote_starts(self, threads):
        worker.zygote_starts(threads)

    def worker_starts(self):
        index = _core.worker_index()
        _, before = self._at(index)
        _entry.pack_into(self._table, index * _entry.size, os.getpid(), before + 1)
        _core.set_worker_shipper(shipping.Shipper(self.photograph))
        _core.set_flush(worker.flush, worker.printed)
        _core.set_place(self.stacks.places, self.stacks.begin(index))
        worker.worker_starts(index, 1 + index + self.workers * before, self._parent, self._initializer,
                             self._initargs, self._parent_pid)

    def worker_leaves(self):
        worker.worker_leaves()

    def members(self):
        """Those that were started last, by index. Those that are starting are waited for, for up to 10 s."""
        patience = time.monotonic() + 10
        for index in range(self.workers):
            pid, count = self._at(index)
            while not count and time.monotonic() < patience:
                time.sleep(0.001)
                pid, count = self._at(index)
            if count:
                yield Member(pid, f'ForkfulPoolWorker-{1 + index + self.workers * (count - 1)}')

    def _at(self, index):
        return _entry.unpack_from(self._table, index * _entry.size)


class Member:
    """A worker as Pool._pool lists it: the part of multiprocessing.Process that makes sense for somebody
    else's child."""
    daemon = True

    def __init__(self, pid, name):
        self.pid = self.ident = pid
        self.name = name

    def __repr__(self):
        return f'<{self.name} pid={self.pid}>'

    @property
    def exitcode(self):
        """None while it runs; how it ended is the engine's to know (0 here)."""
        return None if self.is_alive() else 0

    @property
    def sentinel(self):
        """A descriptor that is readable once it has ended; the caller's to close."""
        return os.pidfd_open(self.pid)

    def is_alive(self):
        try:
            with open(f'/proc/{self.pid}/stat') as stat:
                return stat.read().rsplit(')', 1)[1].split()[0] not in 'ZX'
        except OSError:
            return False

    def join(self, timeout=None):
        """Waits until it has ended, or for so many seconds."""
        import select
        try:
            descriptor = self.sentinel
        except OSError:
            return
        try:
            select.select([descriptor], [], [], timeout)
        finally:
            os.close(descriptor)

    def terminate(self):
        self._send(signal.SIGTERM)

    def kill(self):
        self._send(signal.SIGKILL)

    def _send(self, number):
        if self.is_alive():
            os.kill(self.pid, number)
