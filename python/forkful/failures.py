"""What the engine says of a failure, as the exception that the user gets."""
from signal import SIGKILL

from . import errors

# failure_kind of include/forkful/errors.hpp.
_EXCEPTION, _CRASH, _TIMEOUT, _MEMORY, _CANCELLED, _CODEC = range(6)


def of_item(verb, kind, what, index, worker, attempt, attempts, signal, exit_status, frames, seconds, traceback=''):
    """The exception of one item; `what` is the engine's own sentence, or what C++ code threw."""
    if kind == _CRASH:
        if signal == SIGKILL:
            traceback = ''      # the worker wrote none: what is there is of an item that was late, and came to its end
        return errors.crashed(verb, index, worker, attempt, attempts, signal, exit_status, frames, traceback)
    if kind == _TIMEOUT:
        return errors.timed_out(verb, index, worker, attempt, attempts, seconds, traceback)
    if kind == _CANCELLED:
        return errors.cancelled(verb, index)
    if kind == _MEMORY:
        return errors.arena_exhausted(verb, index, what)
    if kind == _CODEC:
        return errors.other('codec_error', what)
    return RuntimeError(what)


_of_call = {
    'start_failed': errors.start_failed,
    'cancelled': lambda sentence: errors.cancelled(None),
    'pool_closed': lambda sentence: errors.pool_closed(),
    'wrong_process': errors.WrongProcess,
    'arena_exhausted': lambda sentence: errors.arena_exhausted(why=sentence),
}


def of_call(code, sentence):
    """The exception of a whole call, or of a pool, by the engine's error code."""
    made = _of_call.get(code)
    return made(sentence) if made else errors.other(code, sentence)
