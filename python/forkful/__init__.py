"""forkful: process pools that survive crashes. `import forkful as multiprocessing` is a drop-in.

Every name that is not forkful's own is multiprocessing's. Like multiprocessing, it loads what a pool needs when the
first name is used that needs it.
"""
import importlib
import multiprocessing
from multiprocessing import TimeoutError  # noqa: F401

from . import _core

__version__ = _core.__version__
cpu_count = _core.cpu_count
worker_index = _core.worker_index
in_worker = _core.in_worker

# Where the other names lie.
_doors = {name: module for module, names in {
    'advice': ['advise', 'Advice'],
    'arrays': ['is_shared', 'share', 'shared_array'],
    'contexts': ['get_context'],
    'errors': ['ArenaExhausted', 'Cancelled', 'Error', 'PoolClosed', 'StartFailed', 'TaskTimeout', 'WorkerCrashed',
               'WrongProcess'],
    'executor': ['ProcessPoolExecutor'],
    'joblib': ['register_joblib'],
    'outcome': ['Outcome'],
    'pool': ['Pool', 'SerialPool', 'SnapshotPool', 'ThreadPool'],
    'progress': ['Progress'],
    'replacing': ['replace_multiprocessing'],
    'reports': ['Report'],
    'template': ['init'],
}.items() for name in names}

# Without register_joblib, which needs joblib.
__all__ = sorted({*multiprocessing.__all__, *_doors, 'cpu_count', 'worker_index', 'in_worker', 'pool'}
                 - {'register_joblib'})


def __getattr__(name):
    if name == 'pool':      # a module of both
        return importlib.import_module(f'{__name__}.pool')
    if name in _doors:
        return getattr(importlib.import_module(f'{__name__}.{_doors[name]}'), name)
    return getattr(multiprocessing, name)


def __dir__():
    return sorted({*globals(), *_doors, 'pool'})
