"""Python's own stacks of workers that crash or are killed because an item took too long: faulthandler writes them.

Each worker has a file in memory, which its successors inherit and append to, and a place in shared memory where the
engine's side (python/core/worker.cpp) writes which item of which call it begins. A worker that starts writes a line
with what its predecessor had there: so what lies before that line is the stack of that item. Nothing is lost when the
caller asks late, and nothing has to be done at the time of the crash.
"""
import faulthandler
import fcntl
import mmap
import os
import re
import signal
import struct

from . import _core

_place = struct.Struct('QQ')                    # call, item
_mark = re.compile(r'^#(\d+) (\d+)\n', re.MULTILINE)
_LOADING = 1 << 63                              # beside the call's number: its values are being loaded, together
_most = 1 << 20                                 # bytes of a worker's file
LATE_SIGNAL = signal.SIGRTMAX - 1               # a worker's, when its item has had its time

_here = os.path.dirname(os.path.abspath(__file__))
_own = re.compile(rf'^  File "{re.escape(_here)}/', re.MULTILINE)


def common_memory(size, of_init):
    """Zeros that workers share. `of_init`: also those of init()'s template, which has no memory that is mapped now."""
    return mmap.mmap(-1, size) if of_init is None else _core.Block(size)


def _file_of(pid, number, device, inode):
    """A descriptor for the file that process `pid` has as `number`. If it cannot be had (the process may have closed
    it, or may no longer be looked at), for one that the parent will not read."""
    path = f'/proc/{pid}/fd/{number}'
    try:
        found = os.stat(path)
        if (found.st_dev, found.st_ino) == (device, inode):
            return os.open(path, os.O_RDWR | os.O_APPEND)
    except OSError:
        pass
    return os.memfd_create('forkful-stack')


class Stacks:
    """One a pool. Owns a descriptor a worker."""

    def __init__(self, workers, of_init=None):
        """`of_init`: whether workers are to come from init()'s template."""
        self.places = common_memory(_place.size * workers, of_init)
        self._files = [os.memfd_create('forkful-stack') for _ in range(workers)]
        self._closes_them = _core.Descriptors(self._files)
        for file in self._files:
            fcntl.fcntl(file, fcntl.F_SETFL, os.O_APPEND)

    def shipped(self):
        """What `arrived` needs."""
        files = [(file, found.st_dev, found.st_ino) for file in self._files for found in (os.fstat(file),)]
        return self.places.address, files

    @classmethod
    def arrived(cls, workers, pid, shipped):
        """In a worker of init()'s template: those of a pool of process `pid`."""
        address, files = shipped
        stacks = cls.__new__(cls)
        stacks.places = _core.shared_memory(address, _place.size * workers)
        stacks._files = _Elsewhere(pid, files)
        return stacks

    def begin(self, worker):
        """In a worker that starts. Returns where its place begins in `places`."""
        file, at = self._files[worker], worker * _place.size
        if os.fstat(file).st_size > _most:
            os.ftruncate(file, 0)
        os.write(file, b'#%d %d\n' % _place.unpack_from(self.places, at))
        _place.pack_into(self.places, at, 0, 0)
        faulthandler.enable(file, all_threads=False)
        faulthandler.register(LATE_SIGNAL, file, all_threads=False)
        return at

    def of(self, worker, call, item):
        """(stack, whether values were being loaded) of the item of the call that ended the worker. The stack has the
        innermost line first; '' if there is none."""
        # First what it has there: a successor writes it into the file before it begins anew.
        held = _place.unpack_from(self.places, worker * _place.size)
        file = self._files[worker]
        text = os.pread(file, os.fstat(file).st_size, 0).decode(errors='replace')
        ends = [(int(mark[1]), int(mark[2]), mark.start(), mark.end()) for mark in _mark.finditer(text)]
        ends.append((*held, len(text), len(text)))
        for number in range(len(ends) - 1, -1, -1):
            of, index, end, _ = ends[number]
            if of & ~_LOADING == call and index == item:
                begin = ends[number - 1][3] if number else 0
                return _frames(text[begin:end]), of & _LOADING != 0
        return '', False


class _Elsewhere:
    """The files of another process, opened when they are asked for."""

    def __init__(self, pid, files):
        self._pid, self._files = pid, files

    def __getitem__(self, worker):
        return _file_of(self._pid, *self._files[worker])


def _frames(text):
    """The lines of the last stack in `text` that are the user's."""
    begins = text.rfind('most recent call first):\n')
    if begins < 0:
        return ''
    text = text[text.index('\n', begins) + 1:]
    ends = text.find('\n\n')
    lines = text if ends < 0 else text[:ends + 1]
    own = _own.search(lines)
    return lines[:own.start()] if own else lines
