"""Programs that know nothing of forkful, run on it: the standard library's pools are replaced by name.

Invariants:
- What asks for spawned workers (by a context, or by set_start_method) gets the standard library's: CUDA needs
  it, and forkful forks.
- The module multiprocessing.pool is replaced by a copy, not changed: methods of the standard Pool and of
  ThreadPool, which stay what they are, look for `Pool` in their own module.
"""
import concurrent.futures
import concurrent.futures.process
import multiprocessing
import multiprocessing.pool
import sys
import types

from .executor import ProcessPoolExecutor as _Executor
from .pool import Pool as _Pool

_StandardPool = multiprocessing.pool.Pool
_StandardExecutor = concurrent.futures.process.ProcessPoolExecutor


def replace_multiprocessing():
    """Puts forkful's pools where programs find the standard library's. Does nothing the second time.

    These are multiprocessing.Pool, multiprocessing.pool.Pool, `Pool` of contexts, and ProcessPoolExecutor of
    concurrent.futures and concurrent.futures.process. What was imported by name before stays what it is, so
    this comes before the imports of the program: `python3 -m forkful SCRIPT` does that.
    """
    standard = multiprocessing.pool
    if standard.Pool is not _StandardPool:
        return
    module = types.ModuleType(standard.__name__)
    vars(module).update(vars(standard), Pool=Pool)
    sys.modules[standard.__name__] = multiprocessing.pool = module     # multiprocessing.Pool looks there, too
    concurrent.futures.ProcessPoolExecutor = ProcessPoolExecutor
    concurrent.futures.process.ProcessPoolExecutor = ProcessPoolExecutor


def _spawns(context):
    """Whether a pool with this context is to spawn its workers. Settles nothing, as get_context() would."""
    if context is None:
        return multiprocessing.get_start_method(allow_none=True) == 'spawn'
    return context.get_start_method() == 'spawn'


class Pool(_Pool):
    """What replaces multiprocessing.pool.Pool."""

    def __new__(cls, processes=None, initializer=None, initargs=(), maxtasksperchild=None, context=None,
                **_own):
        if cls is Pool and _spawns(context):
            return _StandardPool(processes, initializer, initargs, maxtasksperchild, context)
        return super().__new__(cls)


class ProcessPoolExecutor(_Executor):
    """What replaces concurrent.futures.ProcessPoolExecutor."""

    def __new__(cls, max_workers=None, mp_context=None, *args, **kwargs):
        if cls is ProcessPoolExecutor and _spawns(mp_context):
            return _StandardExecutor(max_workers, mp_context, *args, **kwargs)
        return super().__new__(cls)
