"""A pool's workers: what the engine's host (python/core/host.hpp) asks of Python at forks, and what
Pool._pool lists."""
import functools
import os
import pickle
import signal
import struct
import time
import types
from multiprocessing import process

from . import _core, arrays, shipping, worker
from .stacks import LATE_SIGNAL, Stacks, common_memory  # noqa: F401

_entry = struct.Struct('qq')    # a worker's pid, and how many there were before it at its index


class InWorkers:
    """What workers have of their pool."""

    def __init__(self, workers, photograph, parent, parent_pid, table, stacks, initializer, initargs):
        self.workers, self.photograph = workers, photograph
        self.stacks, self._table = stacks, table
        self._parent, self._parent_pid = parent, parent_pid
        self._initializer, self._initargs = initializer, initargs

    @classmethod
    def arrived(cls, shipped, photograph):
        """In a worker of init()'s template: of the bytes that Side.shipped made."""
        workers, parent, parent_pid, table, stacks, start = pickle.loads(shipped)
        parent['_config']['authkey'] = process.AuthenticationString(parent['_config']['authkey'])
        return cls(workers, photograph, types.SimpleNamespace(**parent), parent_pid,
                   _core.shared_memory(table, _entry.size * workers), Stacks.arrived(workers, parent_pid, stacks),
                   start and functools.partial(shipping.run_initializer, start), ())

    def worker_starts(self, shipped=None):
        """`shipped`: see template.py; None here."""
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

    def _at(self, index):
        return _entry.unpack_from(self._table, index * _entry.size)


class Side(InWorkers):
    """One a pool; its own zygote, and workers that come from there, have their copies of it."""

    def __init__(self, workers, initializer, initargs, of_init=None):
        """`of_init`: what __main__ was at init(), if workers are to come from its template."""
        super().__init__(workers, of_init, process.current_process(), os.getpid(),
                         common_memory(_entry.size * workers, of_init), Stacks(workers, of_init), initializer, initargs)

    def shipped(self, shipper):
        """The bytes from which workers of init()'s template make their InWorkers. Raises what cannot be sent."""
        worker.before_fork()        # what workers print comes after what was printed until now
        parent = {name: getattr(self._parent, name) for name in ('name', '_identity')}
        parent['_config'] = {**self._parent._config, 'authkey': bytes(self._parent.authkey)}
        start = self._initializer and shipper.initializer(self._initializer, self._initargs)
        return pickle.dumps((self.workers, parent, self._parent_pid, self._table.address, self.stacks.shipped(), start))

    def before_fork(self):
        """In the caller, before the zygote is forked (or a worker, where there is none): how many threads
        run."""
        worker.before_fork()
        self.photograph = shipping.Photograph()
        self._kept = arrays.all_blocks()    # workers may reach them by their globals, as long as they live
        return len(os.listdir('/proc/self/task'))

    def zygote_starts(self, threads):
        worker.zygote_starts(threads)

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


class Member:
    """A worker as Pool._pool lists it: the part of multiprocessing.Process that makes sense for
    another process's child."""
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
