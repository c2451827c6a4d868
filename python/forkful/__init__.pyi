"""forkful: process pools that survive crashes. `import forkful as multiprocessing` is a drop-in."""
import builtins
import concurrent.futures
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future as _StandardFuture
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import (
    Array as Array,
    AuthenticationError as AuthenticationError,
    Barrier as Barrier,
    BoundedSemaphore as BoundedSemaphore,
    BufferTooShort as BufferTooShort,
    Condition as Condition,
    Event as Event,
    JoinableQueue as JoinableQueue,
    Lock as Lock,
    Manager as Manager,
    Pipe as Pipe,
    Process as Process,
    ProcessError as ProcessError,
    Queue as Queue,
    RawArray as RawArray,
    RawValue as RawValue,
    RLock as RLock,
    Semaphore as Semaphore,
    SimpleQueue as SimpleQueue,
    TimeoutError as TimeoutError,
    Value as Value,
    active_children as active_children,
    current_process as current_process,
    freeze_support as freeze_support,
    get_all_start_methods as get_all_start_methods,
    get_logger as get_logger,
    get_start_method as get_start_method,
    log_to_stderr as log_to_stderr,
    parent_process as parent_process,
    set_start_method as set_start_method,
)
from multiprocessing.context import BaseContext, SpawnContext
from multiprocessing.pool import ThreadPool as ThreadPool
from types import TracebackType
from typing import Any, Generic, NamedTuple, TypeVar, Union, overload

from typing_extensions import Literal, ParamSpec, Self

_T = TypeVar('_T')
_S = TypeVar('_S')
_P = ParamSpec('_P')
_Progress = Union[bool, Callable[[Progress], object], None]

__version__: str

class _AsyncResult(Generic[_T]):
    def get(self, timeout: float | None = None) -> _T:
        """The value, or raises what the call raised; TimeoutError after so many seconds."""
    def wait(self, timeout: float | None = None) -> None:
        """Returns when it is done, or after so many seconds."""
    def ready(self) -> bool:
        """Whether it is done."""
    def successful(self) -> bool:
        """Whether it is done without an exception; ValueError while it is not done."""

class _IMapIterator(Iterator[_T]):
    def next(self, timeout: float | None = None) -> _T:
        """The next result; an item's exception is raised in its place, and the rest follows."""
    def __next__(self) -> _T: ...

class _Verbs:
    def apply(self, func: Callable[..., _T], args: Iterable[Any] = (), kwds: Mapping[str, Any] = {}) -> _T:
        """func(*args, **kwds), in a worker."""
    def apply_async(self, func: Callable[..., _T], args: Iterable[Any] = (), kwds: Mapping[str, Any] = {},
                    callback: Callable[[_T], object] | None = None,
                    error_callback: Callable[[BaseException], object] | None = None, *,
                    timeout: float | None = None, attempts: int = 1) -> _AsyncResult[_T]:
        """apply, whose result is had later."""
    def map(self, func: Callable[[_S], _T], iterable: Iterable[_S], chunksize: int | None = None, *,
            timeout: float | None = None, attempts: int = 1, progress: _Progress = None,
            fail_fast: bool = False) -> list[_T]:
        """[func(x) for x in iterable]. Raises what the lowest item that failed raised, when all ended."""
    def starmap(self, func: Callable[..., _T], iterable: Iterable[Iterable[Any]],
                chunksize: int | None = None, *, timeout: float | None = None, attempts: int = 1,
                progress: _Progress = None, fail_fast: bool = False) -> list[_T]:
        """[func(*x) for x in iterable], as map."""
    def try_map(self, func: Callable[[_S], _T], iterable: Iterable[_S], chunksize: int | None = None, *,
                timeout: float | None = None, attempts: int = 1, progress: _Progress = None,
                fail_fast: bool = False) -> list[Outcome[_T]]:
        """An Outcome for each item: one bad item costs one item."""
    def try_starmap(self, func: Callable[..., _T], iterable: Iterable[Iterable[Any]],
                    chunksize: int | None = None, *, timeout: float | None = None, attempts: int = 1,
                    progress: _Progress = None, fail_fast: bool = False) -> list[Outcome[_T]]:
        """starmap, with an Outcome for each item."""
    def map_async(self, func: Callable[[_S], _T], iterable: Iterable[_S], chunksize: int | None = None,
                  callback: Callable[[list[_T]], object] | None = None,
                  error_callback: Callable[[BaseException], object] | None = None, *,
                  timeout: float | None = None, attempts: int = 1, progress: _Progress = None,
                  fail_fast: bool = False) -> _AsyncResult[list[_T]]:
        """map, whose results are had later."""
    def starmap_async(self, func: Callable[..., _T], iterable: Iterable[Iterable[Any]],
                      chunksize: int | None = None, callback: Callable[[list[_T]], object] | None = None,
                      error_callback: Callable[[BaseException], object] | None = None, *,
                      timeout: float | None = None, attempts: int = 1, progress: _Progress = None,
                      fail_fast: bool = False) -> _AsyncResult[list[_T]]:
        """starmap, whose results are had later."""
    def imap(self, func: Callable[[_S], _T], iterable: Iterable[_S], chunksize: int = 1, *,
             buffersize: int | None = None, timeout: float | None = None, attempts: int = 1,
             progress: _Progress = None, fail_fast: bool = False) -> _IMapIterator[_T]:
        """An iterator over results, in order. Reads `iterable` as results are taken."""
    def imap_unordered(self, func: Callable[[_S], _T], iterable: Iterable[_S], chunksize: int = 1, *,
                       buffersize: int | None = None, timeout: float | None = None, attempts: int = 1,
                       progress: _Progress = None, fail_fast: bool = False) -> _IMapIterator[_T]:
        """An iterator over results, as they come."""
    def submit(self, func: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _StandardFuture[_T]:
        """A concurrent.futures.Future of func(*args, **kwargs)."""
    @property
    def size(self) -> int:
        """How many workers it has."""
    def restart(self) -> None:
        """Lets what was submitted finish, and goes on with new workers, of the program as it is by now."""
    def resize(self, processes: int) -> None:
        """restart() with so many workers."""
    def report(self) -> Report:
        """The Report of the last call that this thread finished on the pool."""
    def close(self) -> None:
        """Takes no more calls."""
    def terminate(self) -> None:
        """Ends all workers now. Calls that run raise Cancelled."""
    def join(self) -> None:
        """After close(): waits for what was submitted, and until the workers have left in good order."""
    def __enter__(self) -> Self: ...
    def __exit__(self, exc_type: type[BaseException] | None, exc_val: BaseException | None,
                 exc_tb: TracebackType | None) -> None: ...

class Pool(_Verbs):
    """multiprocessing.Pool, whose workers may crash and hang, and know functions that were made after it."""
    def __init__(self, processes: int | None = None, initializer: Callable[..., object] | None = None,
                 initargs: Iterable[Any] = (), maxtasksperchild: int | None = None,
                 context: BaseContext | None = None, *, inner_threads: int = 1,
                 memory_limit: int | None = None, pin: bool = False, timeline: bool = False) -> None: ...

class SnapshotPool(_Verbs):
    """Workers are forked at each call and see callable and items where they lie; only results travel."""
    def __init__(self, processes: int | None = None, *, inner_threads: int = 1,
                 memory_limit: int | None = None, timeline: bool = False) -> None: ...

class SerialPool(_Verbs):
    """The same verbs in the caller, in order: for pdb, and to compare with."""
    def __init__(self) -> None: ...

class ProcessPoolExecutor(concurrent.futures.Executor):
    """concurrent.futures.ProcessPoolExecutor; a worker that dies costs the future that it held."""
    def __init__(self, max_workers: int | None = None, mp_context: BaseContext | None = None,
                 initializer: Callable[..., object] | None = None, initargs: Iterable[Any] = (), *,
                 max_tasks_per_child: int | None = None, inner_threads: int = 1,
                 memory_limit: int | None = None, pin: bool = False, timeline: bool = False) -> None: ...
    def report(self) -> Report:
        """The Report of the call that this thread finished last."""

class Outcome(Generic[_T]):
    """What became of one item of try_map: its value, or the exception that it met."""
    error: BaseException | None
    def __init__(self, value: _T = ..., error: BaseException | None = None) -> None: ...
    @property
    def ok(self) -> bool:
        """It has a value."""
    @property
    def value(self) -> _T:
        """What the item returned; raises `error` if there is one."""
    def __bool__(self) -> bool: ...

class Progress(NamedTuple):
    """What a progress callable gets."""
    done: int
    total: int
    elapsed: float
    busy: int

class _TimeSplit:
    start: float
    pass_in: float
    wake: float
    compute: float
    idle: float
    pass_out: float
    reassemble: float

class _WorkerRow:
    worker: int
    slices: int
    chunks: int
    deaths: int
    time: _TimeSplit
    page_faults: int
    bytes_copied_on_write: int
    peak_memory_bytes: int
    peak_private_bytes: int
    off_core: float
    missing: bool

class _SlowSlices:
    call: int
    first: int
    count: int
    worker: int
    time: float
    off_core: float

class Report:
    """Of one call. `str(r)` is the text that a person reads; times are seconds (docs/report.md)."""
    def __init__(self, engine_report: object) -> None: ...
    way: str
    verb: str
    pool: int
    call: int
    calls: int
    finished: bool
    began: float
    wall: float
    slices: int
    chunks: int
    workers: int
    queued: float
    away: float
    beside_others: bool
    time: _TimeSplit
    caller: _TimeSplit
    per_worker: list[_WorkerRow]
    imbalance: float
    bytes_in: int
    bytes_broadcast: int
    bytes_out: int
    bytes_shared: int
    bytes_copied_on_write: int
    page_faults: int
    peak_memory_bytes: int
    arena_bytes: int
    slowest: list[_SlowSlices]
    deaths: int
    retries: int
    threads_at_fork: int
    warnings: list[str]
    advice: str
    timeline: Any
    def text(self) -> str:
        """At most 80 columns, without colour, ending in a newline."""
    def html(self) -> str:
        """One page for a browser, which needs no network."""
    def json(self) -> str:
        """One JSON object: the fields of docs/report.md, times in nanoseconds."""
    def trace(self) -> str:
        """For ui.perfetto.dev, in Chrome's JSON format."""
    def to_dict(self) -> dict[str, Any]:
        """The attributes as dicts, lists and plain values, times as seconds."""
    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a file: `.html`, `.json` or `.trace`; ValueError for other endings."""

class _Way:
    way: str
    workers: int
    possible: bool
    why_not: str
    time: float
    low: float
    high: float
    bytes_copied: int

class Advice:
    """What advise() says: `str(a)` is the text; times are seconds (docs/advice.md)."""
    verdict: str
    way: str
    parallel: bool
    too_close: bool
    ways: list[_Way]
    slices: int
    slice: float
    break_even: float
    dominating_cost: str
    flip: str
    already_parallel: bool
    parallel_by: str
    def __init__(self, engine_advice: object) -> None: ...
    def text(self) -> str:
        """Verdict, a line a way, break-even, largest cost, and what would change the verdict."""
    def json(self) -> str:
        """One JSON object: the fields of docs/advice.md, times in nanoseconds."""
    def to_dict(self) -> dict[str, Any]:
        """The attributes as dicts, lists and plain values, times as seconds."""

def advise(func: Callable[[_S], object], iterable: Iterable[_S], *, workers: int | None = None) -> Advice:
    """Runs some of the items and says whether going parallel pays, and which way."""

class Error(Exception):
    """Base of what forkful itself raises. `str(e)` is a sentence; `code` is a short stable name."""
    code: str
    def __init__(self, *args: object, **fields: Any) -> None: ...

class WorkerCrashed(Error, BrokenProcessPool):
    """A worker ended while it held the item. The pool goes on."""
    index: int
    worker: int
    attempt: int
    signal: int
    exit_status: int
    frames: Sequence[str]
    traceback: str

class TaskTimeout(Error, builtins.TimeoutError):
    """An item ran longer than `seconds` on its last attempt."""
    index: int
    worker: int
    attempt: int
    seconds: float
    traceback: str

class StartFailed(Error, BrokenProcessPool, OSError):
    """No process or no memory could be had, or an initializer failed."""
    trouble: str

class Cancelled(Error, concurrent.futures.CancelledError):
    """`terminate()` or `cancel()` stopped the work before it was done."""

class PoolClosed(Error, ValueError):
    """A verb was called on a pool that takes no more work."""

class WrongProcess(Error, RuntimeError):
    """A pool was used in a process that did not make it."""

class ArenaExhausted(Error, MemoryError):
    """There was no shared memory left."""
    index: int | None

def shared_array(shape: int | Sequence[int], dtype: Any = ..., order: Literal['C', 'F'] = 'C') -> Any:
    """A numpy.ndarray of zeros in shared memory, which passes as a handle and is changed in place."""

def share(array: Any) -> Any:
    """A copy of the array in shared memory."""

def is_shared(array: Any) -> bool:
    """Whether it lies in shared memory."""

def init() -> None:
    """Lets workers of later pools start from a copy of the program as it is now. For the first line of a script."""

def cpu_count() -> int:
    """How many CPUs this process may use."""

def worker_index() -> int:
    """0 ... n-1 in a worker, else -1."""

def in_worker() -> bool:
    """Whether this process is a worker."""

class _Context(BaseContext):
    def Pool(self, processes: int | None = None,    # type: ignore[override]
             initializer: Callable[..., object] | None = None, initargs: Iterable[Any] = (),
             maxtasksperchild: int | None = None, *, inner_threads: int = 1, memory_limit: int | None = None,
             pin: bool = False, timeline: bool = False) -> Pool: ...

@overload
def get_context(method: Literal['spawn']) -> SpawnContext: ...
@overload
def get_context(method: Literal['fork', 'forkserver'] | None = None) -> _Context: ...
@overload
def get_context(method: str) -> BaseContext:
    """multiprocessing's context; its `Pool` is forkful's unless it spawns."""

def register_joblib() -> None:
    """Makes the name 'forkful' known to joblib, which it imports."""

def replace_multiprocessing() -> None:
    """Puts forkful's pools where programs find the standard library's."""

def __getattr__(name: str) -> Any:
    """multiprocessing's, for every name that is not forkful's own."""
