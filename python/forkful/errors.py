"""forkful's own exceptions, and the sentences they carry.

Every sentence says what happened, why, and what to do now, and is made here, from fields: no other file
words one. The engine has the same sentences in C++'s words (src/errors/sentences.cpp); docs/errors.md has an entry
for each `code`.

Invariants:
- What an exception knows beside its sentence lies in its `__dict__`, so the default pickling keeps it: a
  worker may raise what a pool of its own gave it.
- Several bases, so that `except` clauses written for the standard library's pools and executors keep working.
"""
import builtins
import concurrent.futures
import os
import re
import signal as _signal
from concurrent.futures.process import BrokenProcessPool


class Error(Exception):
    """Base of what forkful itself raises. `str(e)` is a sentence; `code` is a short stable name."""
    code = 'error'

    def __init__(self, *args, **fields):
        super().__init__(*args)
        self.__dict__.update(fields)


class WorkerCrashed(Error, BrokenProcessPool):
    """A worker ended while it held the item, and the item had no attempts left. The pool goes on.

    `signal` ended it (0: none), or it left with `exit_status` (-1: unknown). `traceback` is Python's stack of
    the crash, innermost line first, `frames` the machine's; either may be empty (SIGKILL leaves none).
    """
    code = 'worker_crashed'
    index = worker = 0
    attempt = 1
    signal = exit_status = 0
    frames = ()
    traceback = ''


class TaskTimeout(Error, builtins.TimeoutError):
    """An item ran longer than `seconds` on its last attempt, and its worker was killed at `traceback`."""
    code = 'slice_timeout'
    index = worker = 0
    attempt = 1
    seconds = 0.0
    traceback = ''


class StartFailed(Error, BrokenProcessPool, OSError):
    """No process or no memory could be had, or an initializer failed: `trouble` says which."""
    code = 'start_failed'
    trouble = ''


class Cancelled(Error, concurrent.futures.CancelledError):
    """`terminate()` or `cancel()` stopped the work before it was done."""
    code = 'cancelled'


class PoolClosed(Error, ValueError):
    """A verb was called on a pool that takes no more work."""
    code = 'pool_closed'


class WrongProcess(Error, RuntimeError):
    """A pool was used in a process that did not make it."""
    code = 'wrong_process'


class ArenaExhausted(Error, MemoryError):
    """There was no shared memory left; `index` is the item that met it, or None."""
    code = 'arena_exhausted'
    index = None


# Verbs without items, as the subject of a sentence.
_calls = {
    'submit': 'the submitted call',
    'apply': 'the call of apply',
    'apply_async': 'the call of apply_async',
}

# The verb that gives an outcome an item where this one raises.
_forgiving = dict.fromkeys(('map', 'map_async', 'imap', 'imap_unordered'), 'try_map')
_forgiving.update(dict.fromkeys(('starmap', 'starmap_async'), 'try_starmap'))

_line = re.compile(r'^  File "(.*)", line (\d+) in (.*)$', re.MULTILINE)


def _subject(verb, index):
    return _calls.get(verb) or f'item {index} of {verb}'


def _place(traceback, frames):
    """' at eat (cake.py:12)' from the first line of Python's stack, else ' in ' and the innermost frame."""
    found = _line.search(traceback or '')
    if found:
        file, line, function = found.groups()
        return f' at {function} ({os.path.basename(file)}:{line})'
    return f' in {frames[0][:120]}' if frames else ''


def _tried(attempt, attempts):
    return f' on attempt {attempt} of {attempts}' if attempts > 1 else ''


def _way_out(cure, verb, attempts):
    said = f'{cure}; '
    if verb in _forgiving:
        said += f'{_forgiving[verb]} keeps the other results; '
    what = 'a call' if verb in _calls else 'an item'
    return f'{said}attempts={attempts + 1} repeats {what} that fails by chance.'


def signal_text(number):
    """'SIGSEGV, segmentation fault'."""
    try:
        name, meaning = _signal.Signals(number).name, _signal.strsignal(number)
    except ValueError:
        return f'signal {number}'
    if meaning[1:2].islower():      # "CPU time limit exceeded" and "I/O possible" keep their capitals
        meaning = meaning[0].lower() + meaning[1:]
    return f'{name}, {meaning}'


_memory = ('it, or an extension module that it calls, touched memory that it may not touch, or overflowed the'
           ' stack')
_limit = 'it went past a resource limit of this process (ulimit -a lists them)'
_instruction = 'it ran an instruction that ends a program: a built-in trap, or a module built for another CPU'
_reasons = {
    _signal.SIGSEGV: _memory,
    _signal.SIGBUS: _memory,
    _signal.SIGABRT: 'an extension module called abort(), as failed assertions and damaged heaps do',
    _signal.SIGFPE: 'an extension module divided an integer by zero, or overflowed a division',
    _signal.SIGILL: _instruction,
    _signal.SIGTRAP: _instruction,
    _signal.SIGKILL: 'it was killed from outside, often by the kernel for want of memory (dmesg tells)',
    _signal.SIGXCPU: _limit,
    _signal.SIGXFSZ: _limit,
    _signal.SIGSYS: 'it made a system call that a filter of this process forbids',
}


def crashed(verb, index, worker, attempt=1, attempts=1, signal=0, exit_status=0, frames=(), traceback=''):
    """The WorkerCrashed of an item: `signal` ended its worker, or it left with `exit_status` (-1: lost)."""
    frames = list(frames)
    who, tried = _subject(verb, index), _tried(attempt, attempts)
    if signal:
        why = _reasons.get(signal, 'it raised this signal, or another process sent it')
        how = signal_text(signal)
        said = f'{who} crashed worker {worker} ({how}){_place(traceback, frames)}{tried}: {why}.'
        cure = 'Run it on a SerialPool under pdb'
    elif exit_status < 0:
        said = (f'{who} ended worker {worker} (status unknown){tried}: its status was lost, because this'
                ' process ignores SIGCHLD or waits for any child.')
        cure = 'Wait for your own children by their pid and leave SIGCHLD at its default to see why'
    else:
        said = (f'{who} ended worker {worker} (exit status {exit_status}){tried}: it called os._exit(), or an'
                ' extension module called exit(), which ends the worker.')
        cure = 'Return or raise instead'
    return WorkerCrashed(
        f'{said} {_way_out(cure, verb, attempts)}', index=index, worker=worker, attempt=attempt,
        signal=signal, exit_status=exit_status, frames=frames, traceback=traceback or '')


def timed_out(verb, index, worker, attempt=1, attempts=1, seconds=0.0, traceback=''):
    """The TaskTimeout of an item that ran longer than `seconds`."""
    said = (f'{_subject(verb, index)} ran longer than its timeout of {seconds:g} s in worker {worker}'
            f'{_place(traceback, ())}{_tried(attempt, attempts)}: it hangs or needs more time, and the worker'
            ' was killed.')
    way_out = _way_out('Raise timeout, or run it on a SerialPool under pdb', verb, attempts)
    return TaskTimeout(f'{said} {way_out}', index=index, worker=worker, attempt=attempt, seconds=seconds,
                       traceback=traceback or '')


def start_failed(trouble):
    """The StartFailed for `trouble`: what the engine said, or what an initializer raised."""
    said = 'the pool could not start: '
    told = trouble[len(said):] if trouble.startswith(said) else trouble
    return StartFailed(f'{said}{told.rstrip(".")}. A SerialPool always starts.', trouble=trouble)


def init_refused(others):
    """The StartFailed of an init() beside threads with these names."""
    run = 'another thread runs' if len(others) == 1 else f'{len(others)} other threads run'
    trouble = f'forkful.init() was called while {run} ({", ".join(others)})'
    return StartFailed(f"{trouble}: call it as the first line of the script, before anything starts threads. (NumPy's"
                       ' OpenBLAS starts some when it is imported; OPENBLAS_NUM_THREADS=1 prevents that.)',
                       trouble=trouble)


def cancelled(verb, index=0):
    """The Cancelled of an item, or of a call without items."""
    who = 'the call' if verb is None else _subject(verb, index)
    if verb is None or verb in _calls:
        return Cancelled(f'{who} was not finished: cancel() or terminate() stopped it. Make it again if it is'
                         ' still wanted.')
    return Cancelled(f'{who} was not finished: cancel() or terminate() stopped the call. Call again for the'
                     ' items that are missing.')


def pool_closed():
    """The PoolClosed of a verb called after close() or terminate()."""
    return PoolClosed('Pool not running: close() or terminate() was called on it. Make a new pool, or call'
                      ' restart() on it.')


def wrong_process(maker):
    """The WrongProcess of a pool that process `maker` made, used in this one."""
    return WrongProcess(f'this pool belongs to process {maker} and was inherited by process {os.getpid()}'
                        ' through fork: its workers are not children of this process. Make a pool here.')


def arena_exhausted(verb=None, index=None, why=''):
    """The ArenaExhausted of an item (`index` None: of none). `why`: what the engine said."""
    who = 'forkful' if index is None else _subject(verb, index)
    because = why.rstrip('.') or 'the limits of this process (ulimit -v, a container) allow no more'
    return ArenaExhausted(
        f'{who} found no shared memory left: {because}. Raise the limit, let go of shared arrays, or pass'
        ' less at a time: imap keeps only a window of its input in memory.', index=index)


def other(code, sentence):
    """An Error with a code of the engine's that has no class of its own here (codec_error)."""
    return Error(sentence, code=code)


def add_note(error, verb, index, worker=None, name=''):
    """Notes which item raised `error`, or whose argument could not be sent (`worker` None). Needs 3.11."""
    if hasattr(error, 'add_note'):
        what = verb if not name else f'{verb}({name})'
        where = 'as it was sent' if worker is None else f'worker {worker}'
        item = '' if verb in _calls else f'item {index} of '
        error.add_note(f'forkful: {item}{what}, {where}')
