"""The pools. The module has multiprocessing.pool's names, too."""
import threading
import time
from multiprocessing import util
from multiprocessing.pool import CLOSE, INIT, RUN, TERMINATE, MaybeEncodingError, RemoteTraceback, ThreadPool

from . import _core, callbacks, shipping, template  # noqa: F401
from .driver import Driver
from .results import ApplyResult, AsyncResult, IMapIterator, IMapUnorderedIterator, MapResult
from .verbs import Verbs, as_list, name_of
from .workers import LATE_SIGNAL, Side

__all__ = ['Pool', 'SnapshotPool', 'SerialPool', 'ThreadPool', 'ApplyResult', 'AsyncResult', 'MapResult',
           'IMapIterator',
           'IMapUnorderedIterator', 'MaybeEncodingError', 'RemoteTraceback', 'INIT', 'RUN', 'CLOSE', 'TERMINATE']

_kept_payloads = 32     # callables whose bytes a pool keeps
_start_takes = 10       # seconds: an initializer that takes longer may wait for what the program does later


class Pool(Verbs):
    """multiprocessing.Pool, whose workers may crash, hang and leak, and know functions that were made after
    it.

    `processes`: None is as many as CPUs that this process may use. `initializer(*initargs)` runs once in each
    worker. `maxtasksperchild`: a worker is replaced after so many hand-outs (chunks). `inner_threads`: of
    BLAS, OpenMP, oneTBB in each worker; 0 leaves them alone. `memory_limit`: bytes that a worker may take;
    past it the item fails with MemoryError. `pin`: each worker on a core of its own. `timeline`: the report
    draws which worker ran what when. Raises StartFailed where no worker can be had or the initializer fails;
    where that takes more than 10 s, the first call does.
    """
    def __init__(self, processes=None, initializer=None, initargs=(), maxtasksperchild=None, context=None, *,
                 inner_threads=1, memory_limit=None, pin=False, timeline=False):
        super().__init__()
        if processes is None:
            processes = _core.cpu_count()
        if processes < 1:
            raise ValueError('Number of processes must be at least 1')
        if maxtasksperchild is not None and (not isinstance(maxtasksperchild, int) or maxtasksperchild <= 0):
            raise ValueError('maxtasksperchild must be a positive int or None')
        if initializer is not None and not callable(initializer):
            raise TypeError('initializer must be a callable')
        check_context(context)
        self._processes = processes
        self._payloads = {}
        self._making = dict(chunks_per_worker=maxtasksperchild or 0, memory_limit=memory_limit or 0,
                            inner_threads=inner_threads, pin=pin, timeline=timeline)
        self._initializer, self._initargs = initializer, initargs
        self._start()
        self._finalizer = util.Finalize(self, _end, args=(self._engine, self._driver), exitpriority=15)
        self._state = RUN

    def _start(self):
        of_init, shipped = template.photograph(), None
        self._side = Side(self._processes, self._initializer, self._initargs, of_init)
        if of_init is not None:
            self._shipper = shipping.Shipper(of_init, shipping.Photograph())
            shipped = self._side.shipped(self._shipper)
        self._engine = _core.Engine(where=_core.Running.SHIPPED, side=self._side, workers=self._processes,
                                    late_signal=LATE_SIGNAL, shipped=shipped, **self._making)
        self._stack_of = self._side.stacks.of
        if self._side.photograph is not of_init:        # a zygote was forked
            self._shipper = shipping.Shipper(self._side.photograph)
        self._driver = Driver(self._engine)
        if self._initializer is not None and self._waits_for_start:
            self._wait_for_start()

    _waits_for_start = True

    def _wait_for_start(self):
        """Until a worker is through its initializer."""
        end = time.monotonic() + _start_takes
        try:
            while not self._engine.started(0.05) and time.monotonic() < end:
                pass
        except BaseException:       # Ctrl-C as well
            self._engine.terminate()
            raise

    def _hand_over(self, func):
        try:
            known = self._payloads.get(func)
        except TypeError:       # it has no hash
            known = None
        if known is not None and known[1].still_good():
            return known[0]
        shipment = self._shipper.function(func)
        made = _core.Payload(shipment.data, name_of(func))
        if shipment.kept:
            if len(self._payloads) >= _kept_payloads:
                self._payloads.clear()
            self._payloads[func] = made, shipment
        return made

    def _no_thread_waits(self, result, call):
        self._driver.take(call, result)

    def _forget(self, result, call):
        super()._forget(result, call)
        self._driver.drop(call)

    def terminate(self):
        """Ends all workers now. Calls that run raise Cancelled."""
        super().terminate()
        self._engine.terminate()
        self._driver.stop()
        for result in list(self._pending):
            result.look()

    def join(self):
        """After close(): waits for what was submitted, and until the workers have left in good order."""
        super().join()
        self._driver.stop()
        while not self._engine.finish(0.05):
            pass
        self._finalizer.cancel()

    def _start_again(self, processes):
        self._driver.stop()
        self._finalizer.cancel()
        self._engine.terminate()
        self._processes = processes or self._processes
        self._payloads.clear()
        self._start()
        self._finalizer = util.Finalize(self, _end, args=(self._engine, self._driver), exitpriority=15)

    # What programs and tests of multiprocessing look at.

    @property
    def _pool(self):
        return list(self._side.members())

    def _repopulate_pool(self):
        self.map(_nothing, [None])


class SnapshotPool(Verbs):
    """Workers are forked at each call, and see callable and items where they lie: nothing of them is pickled,
    results are."""

    def __init__(self, processes=None, *, inner_threads=1, memory_limit=None, timeline=False):
        super().__init__()
        if processes is None:
            processes = _core.cpu_count()
        if processes < 1:
            raise ValueError('Number of processes must be at least 1')
        self._processes = processes
        self._making = dict(inner_threads=inner_threads, memory_limit=memory_limit or 0, timeline=timeline)
        self._start()
        self._state = RUN

    def _start(self):
        self._side = Side(self._processes, None, ())
        self._stack_of = self._side.stacks.of
        self._engine = _core.Engine(where=_core.Running.SNAPSHOT, side=self._side, workers=self._processes,
                                    late_signal=LATE_SIGNAL, **self._making)

    def _start_again(self, processes):
        self._engine.terminate()
        self._processes = processes or self._processes
        self._start()

    # What workers are to see has to be there when they are forked.
    _reads_ahead = False

    def _as_input(self, iterable):
        return as_list(iterable)

    def _no_thread_waits(self, result, call):
        threading.Thread(target=result.carry_on, args=(None,), name='forkful-driver', daemon=True).start()

    def terminate(self):
        super().terminate()
        self._engine.terminate()


class SerialPool(Verbs):
    """The same verbs in the caller, in order: for pdb, and to compare with. *_async and submit run at once."""

    def __init__(self):
        super().__init__()
        self._start()
        self._state = RUN

    _begins_at_once = False     # its input may have no end

    def _start(self):
        self._engine = _core.Engine(where=_core.Running.HERE, side=None, workers=1)

    def _start_again(self, processes):
        self._start()


def check_context(context):
    """Raises ValueError for a context whose workers are not forked."""
    method = context.get_start_method() if context is not None else 'fork'
    if method == 'spawn':
        raise ValueError("forkful's workers are forked, and this context spawns: use "
                         "multiprocessing.get_context('spawn').Pool of the standard library (CUDA needs it)")


def _end(engine, driver):
    engine.terminate()
    driver.stop()


def _nothing(value):
    return value
