"""The verbs of all pools: multiprocessing.Pool's, with its names, arguments and manners, and what forkful
adds."""
import operator
import warnings
import weakref
from multiprocessing.pool import CLOSE, INIT, RUN, TERMINATE

from . import _core, errors, shipping
from .outcome import Outcome
from .results import ApplyResult, IMapIterator, IMapUnorderedIterator, MapResult, Running, concluded, lowest

ONE, STAR, APPLY = _core.Calling.ONE, _core.Calling.STAR, _core.Calling.APPLY
_ahead = 2047       # chunks that imap reads ahead: what fits the engine's board
_most = 1 << 40     # items: more than there are
_longest = 9e9      # seconds that the engine can count


class Verbs:
    """Base of Pool, SnapshotPool and SerialPool, which set `_engine`, and say how a callable is handed over.

    Options of every verb that takes an iterable: `timeout` (seconds an item may take; its worker is killed
    then), `attempts` (how often an item may be begun whose worker dies or is late), `progress` (True: a bar
    on stderr; a callable: called with a Progress, in the thread that waits, at most ten times a second),
    `fail_fast` (True: the first failure keeps what was not begun from being run).
    """
    _state = INIT
    _engine = None
    _stack_of = None        # Python's stack of an item that ended its worker (stacks.py)
    _load_exception = staticmethod(shipping.load_exception)

    def __init__(self):
        self._pending = {}      # results that are not done, in their order
        self._streams = weakref.WeakSet()       # what imap returned
        self._shipper = None
        self._settings = {}     # of verbs whose calls have no options

    # ---- what pools differ in ------------------------------------------------------------------------------------

    def _hand_over(self, func):
        """What the engine is given for `func`."""
        return func

    _reads_ahead = True     # imap's input is read while results are taken
    _begins_at_once = True  # imap's, before a result is asked for

    def _as_input(self, iterable):
        return iter(iterable)

    def _no_thread_waits(self, result, call):
        """`call` is to be carried on though no thread waits for it."""

    # ---- calls ---------------------------------------------------------------------------------------------------

    def _begin(self, verb, how, func, values, options):
        self._check_running()
        if not callable(func):
            raise TypeError(f'{verb} takes a callable, and {func!r} is none')
        settings = None if options else self._settings.get(verb)
        if settings is None:
            settings = self._settings_of(verb, how, **options)
            if not options:
                self._settings[verb] = settings
        return _core.Call(self._engine, self._hand_over(func), values, settings)

    def _settings_of(self, verb, how, chunksize=None, timeout=None, attempts=1, progress=None, fail_fast=False,
                     _read={}, **unknown):
        if unknown:
            raise TypeError(f'{verb}() got an unexpected keyword argument {min(unknown)!r}')
        if timeout is not None and not 0 < timeout <= _longest:
            raise ValueError(f'timeout is {timeout!r}: it has to be more than 0 seconds, or None for no limit')
        if not 1 <= operator.index(attempts) <= 255:
            raise ValueError(f'attempts is {attempts!r}: it has to be from 1 to 255')
        chunk = 0 if chunksize is None else min(max(1, operator.index(chunksize)), _most)
        if progress is not None:
            from .progress import for_call
            progress = for_call(progress, verb)
        return _core.CallSettings(verb=verb, how=how, shipper=self._shipper, load_exception=self._load_exception,
                                  stack_of=self._stack_of, chunk=chunk, timeout=timeout or 0, attempts=attempts,
                                  fail_fast=fail_fast, progress=progress, **_read)

    def _run(self, verb, how, func, values, options):
        """Results in their order, and failures by index."""
        call = self._begin(verb, how, func, values, options)
        running = Running()
        self._pending[running] = None
        try:
            call.advance()
            results, failures, error = concluded(call)
        except BaseException:
            call.stop()     # a signal handler raised: the caller will not look at it any more
            raise
        finally:
            self._pending.pop(running, None)
            running.set()
        if error is not None and not (failures and options.get('fail_fast') and isinstance(error, errors.Cancelled)):
            raise error
        return results, failures

    def _map(self, verb, how, func, iterable, options):
        results, failures = self._run(verb, how, func, as_list(iterable), options)
        if failures:
            raise lowest(failures)
        return results

    def _try_map(self, verb, how, func, iterable, options):
        results, failures = self._run(verb, how, func, as_list(iterable), options)
        failures = failures or {}
        return [Outcome(value, failures.get(index)) for index, value in enumerate(results)]

    def apply(self, func, args=(), kwds={}):
        """func(*args, **kwds), in a worker."""
        return self._map('apply', APPLY, func, [(tuple(args), dict(kwds))], {})[0]

    def map(self, func, iterable, chunksize=None, **options):
        """[func(x) for x in iterable]. Raises what the lowest item that failed raised, when all have ended."""
        return self._map('map', ONE, func, iterable, with_chunk(chunksize, options))

    def starmap(self, func, iterable, chunksize=None, **options):
        """[func(*x) for x in iterable], as map."""
        return self._map('starmap', STAR, func, iterable, with_chunk(chunksize, options))

    def try_map(self, func, iterable, chunksize=None, **options):
        """An Outcome for each item: one bad item costs one item."""
        return self._try_map('try_map', ONE, func, iterable, with_chunk(chunksize, options))

    def try_starmap(self, func, iterable, chunksize=None, **options):
        return self._try_map('try_starmap', STAR, func, iterable, with_chunk(chunksize, options))

    def apply_async(self, func, args=(), kwds={}, callback=None, error_callback=None, *, timeout=None, attempts=1):
        options = {} if timeout is None and attempts == 1 else dict(timeout=timeout, attempts=attempts)
        call = self._begin('apply_async', APPLY, func, [(tuple(args), dict(kwds))], options)
        result = ApplyResult(self, call, callback, error_callback)
        # A thread that waits for one carries it on. What does not fit the board needs the pool's driver.
        if callback is not None or error_callback is not None or len(self._pending) > _ahead // 2:
            self._no_thread_waits(result, call)
        result.look()
        return result

    def map_async(self, func, iterable, chunksize=None, callback=None, error_callback=None, **options):
        return self._later('map_async', ONE, func, iterable, chunksize, callback, error_callback, options)

    def starmap_async(self, func, iterable, chunksize=None, callback=None, error_callback=None, **options):
        return self._later('starmap_async', STAR, func, iterable, chunksize, callback, error_callback, options)

    def _later(self, verb, how, func, iterable, chunksize, callback, error_callback, options):
        self._check_running()
        call = self._begin(verb, how, func, as_list(iterable), with_chunk(chunksize, options))
        result = MapResult(self, call, callback, error_callback)
        self._no_thread_waits(result, call)
        result.look()
        return result

    def imap(self, func, iterable, chunksize=1, *, buffersize=None, **options):
        """An iterator over results, in order. Reads `iterable` as results are taken: at most `buffersize`
        items ahead."""
        return self._stream(IMapIterator, 'imap', func, iterable, chunksize, buffersize, options)

    def imap_unordered(self, func, iterable, chunksize=1, *, buffersize=None, **options):
        return self._stream(IMapUnorderedIterator, 'imap_unordered', func, iterable, chunksize, buffersize, options)

    def _stream(self, kind, verb, func, iterable, chunksize, buffersize, options):
        self._check_running()
        if operator.index(chunksize) < 1:
            raise ValueError(f'Chunksize must be 1+, not {chunksize:n}')
        if buffersize is not None and operator.index(buffersize) < 1:
            raise ValueError(f'buffersize must be 1 or more, or None, not {buffersize!r}')
        window = min(buffersize or _ahead * chunksize, _most)
        read = dict(lazy=self._reads_ahead, stream=True, window=window, unordered=kind is IMapUnorderedIterator)
        options.update(chunksize=chunksize, _read=read)
        call = self._begin(verb, ONE, func, self._as_input(iterable), options)
        return kind(self, call)

    def submit(self, func, /, *args, **kwargs):
        """A concurrent.futures.Future of func(*args, **kwargs)."""
        from .futures import submit
        return submit(self, func, args, kwargs)

    def _forget(self, result, call):
        """It is done."""
        self._pending.pop(result, None)

    # ---- the pool itself -----------------------------------------------------------------------------------------

    @property
    def size(self):
        """How many workers it has."""
        return self._engine.size

    def report(self):
        """The Report of the last call that this thread finished on the pool."""
        from .reports import Report
        return Report(self._engine.last_report())

    def _check_running(self):
        if self._state != RUN:
            raise errors.pool_closed()

    def close(self):
        if self._state == RUN:
            self._state = CLOSE

    def terminate(self):
        self._state = TERMINATE

    def join(self):
        if self._state == RUN:
            raise ValueError('Pool is still running')
        self._finish_pending()

    def restart(self):
        """Lets what was submitted finish, and goes on with new workers: with all that the program is by now. Also
        after close() and terminate()."""
        self._renew(None)

    def resize(self, processes):
        """restart() with so many workers. (A SerialPool has one, always.)"""
        if processes < 1:
            raise ValueError('Number of processes must be at least 1')
        self._renew(processes)

    def _renew(self, processes):
        self._finish_pending()
        self._state = TERMINATE     # should no worker start
        self._start_again(processes)
        self._settings.clear()
        self._state = RUN

    def _finish_pending(self):
        """Waits for what was submitted, and for the input of iterators that the program still has."""
        for stream in list(self._streams):
            stream.carry_on(None)
        while self._pending:
            for result in list(self._pending):
                result.carry_on(None)

    def __enter__(self):
        self._check_running()
        return self

    def __exit__(self, *exception):
        self.terminate()

    def __reduce__(self):
        raise NotImplementedError('pool objects cannot be passed between processes or pickled')

    def __repr__(self):
        cls = type(self)
        return f'<{cls.__module__}.{cls.__qualname__} state={self._state} pool_size={self.size if self._engine else 0}>'

    def __del__(self, _warn=warnings.warn, RUN=RUN):
        if self._state == RUN:
            _warn(f'unclosed running multiprocessing pool {self!r}', ResourceWarning, source=self)


def name_of(func):
    """Of a callable, for people."""
    return str(getattr(func, '__name__', ''))


def with_chunk(chunksize, options):
    """The options of a verb, this one among them."""
    if chunksize is not None:
        options['chunksize'] = chunksize
    return options


def as_list(iterable):
    """A list of its own: the caller's may change while a call runs."""
    return list(iterable)
