"""forkful.init(): a copy of the program as it is now, the template. The workers of pools made later are cloned from it.

The engine makes and asks it (docs/protocol.md, 18). It has none of what came after init(), so a pool ships what its
workers need: their InWorkers (workers.py), by value or by reference as callables go (shipping.py).
"""
import os
import threading
import time

from . import _core, arrays, callbacks, errors, shipping, worker  # noqa: F401
from .workers import InWorkers

_of_init = None     # of this process, if that has a template; else of one that it was forked from


class Template:
    """What is done in Python round the template's fork, in it and in its workers. One a process."""

    def __init__(self):
        self.photograph = None

    def before_fork(self):
        worker.before_fork()
        self.photograph = shipping.Photograph()
        self._kept = arrays.all_blocks()        # workers may reach them by their globals
        return len(os.listdir('/proc/self/task'))

    def zygote_starts(self, threads):
        worker.zygote_starts(threads)

    def worker_starts(self, shipped):
        InWorkers.arrived(shipped, self.photograph).worker_starts()

    def worker_leaves(self):
        worker.worker_leaves()


def init():
    """Lets the workers of pools made later start from a copy of the program as it is now: as fast as now, however
    large the program becomes, and safely, whatever threads it runs by then. To be called as the first line of a script.

    Such workers have `__main__`'s globals, environment and working directory as they are now; what is bound later
    travels with what needs it, and modules that are imported later are imported in each worker again. Does nothing the
    second time, and in workers. Raises StartFailed beside other threads. What the machine refuses is no error: pools
    are then forked, and their reports say so.
    """
    global _of_init
    if not _core.template_is_due():
        return
    others = _other_threads()
    if others:
        raise errors.init_refused(others)
    try:
        import cloudpickle  # noqa: F401    classes that come later need it: so workers need not import it
    except ImportError:
        pass
    _of_init = Template()
    _core.init(_of_init)
    if _of_init.photograph is None:     # it came to no fork
        _of_init.photograph = shipping.Photograph()


def photograph():
    """What __main__ was at the init() of this process; None without one."""
    return _of_init.photograph if _core.has_template() else None


def _other_threads():
    """What the threads beside this one are called. One that was joined may need a moment to end: it gets a second."""
    here, patience = threading.get_native_id(), time.monotonic() + 1
    while True:
        known = {thread.native_id: thread.name for thread in threading.enumerate()}
        others = [known.get(task) for task in sorted(map(int, os.listdir('/proc/self/task'))) if task != here]
        if not others or all(others) or time.monotonic() > patience:
            return [name or 'one that a library has started' for name in others]
        time.sleep(0.001)
