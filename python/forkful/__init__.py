"""forkful: process pools that survive crashes. `import forkful as multiprocessing` is a drop-in.

Every name that is not forkful's own is multiprocessing's.
"""
import importlib
import multiprocessing
from multiprocessing import TimeoutError  # noqa: F401

from . import _core, errors, failures, shipping
from .errors import (ArenaExhausted, Cancelled, Error, PoolClosed, StartFailed, TaskTimeout,  # noqa: F401
                     WorkerCrashed, WrongProcess)

_core.setup(shipping.loads, shipping.load_call, shipping.enter, shipping.find_class, errors.add_note, failures.of_item,
            failures.of_call)

from .arrays import is_shared, share, shared_array  # noqa: E402, F401
from .outcome import Outcome  # noqa: E402, F401
from .pool import Pool, SerialPool, SnapshotPool, ThreadPool  # noqa: E402, F401

__version__ = _core.__version__
cpu_count = _core.cpu_count
worker_index = _core.worker_index
in_worker = _core.in_worker

# Where the names lie that few programs use: imported when they are.
_doors = {'ProcessPoolExecutor': 'executor', 'register_joblib': 'joblib', 'replace_multiprocessing': 'replacing',
          'get_context': 'contexts', 'Progress': 'progress', 'Report': 'reports', 'advise': 'advice',
          'Advice': 'advice'}


def __getattr__(name):
    if name in _doors:
        return getattr(importlib.import_module(f'{__name__}.{_doors[name]}'), name)
    return getattr(multiprocessing, name)
