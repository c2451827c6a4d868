"""forkful's exceptions: bases, attributes, sentences, and that they pickle with all they know."""
import builtins
import concurrent.futures
import os
import pickle
import signal
import sys
from concurrent.futures.process import BrokenProcessPool

import pytest

from forkful import errors
from forkful.outcome import Outcome

stack = '''Fatal Python error: Segmentation fault

Current thread 0x00007f5d (most recent call first):
  File "/home/me/cake.py", line 12 in eat
  File "/home/me/cake.py", line 30 in serve
'''


def crash(verb='map', **fields):
    given = dict(index=5, worker=1, attempt=1, attempts=1, signal=signal.SIGSEGV, exit_status=0, frames=[],
                 traceback=stack)
    return errors.crashed(verb, **{**given, **fields})


def test_a_crash_names_item_worker_signal_and_line():
    assert str(crash()) == (
        'item 5 of map crashed worker 1 (SIGSEGV, segmentation fault) at eat (cake.py:12): it, or an'
        ' extension module that it calls, touched memory that it may not touch, or overflowed the stack. Run'
        ' it on a SerialPool under pdb;'
        ' try_map keeps the other results; attempts=2 repeats an item that fails by chance.')


def test_a_crash_knows_its_fields():
    e = crash(frames=['f at a.c:1'], attempt=2, attempts=3)
    assert (e.index, e.worker, e.attempt, e.signal, e.exit_status, e.frames, e.traceback) == (
        5, 1, 2, signal.SIGSEGV, 0, ['f at a.c:1'], stack)
    assert ' on attempt 2 of 3: ' in str(e) and 'attempts=4 repeats' in str(e)


@pytest.mark.parametrize('verb, subject, forgiving', [
    ('map', 'item 5 of map ', 'try_map keeps'),
    ('imap_unordered', 'item 5 of imap_unordered ', 'try_map keeps'),
    ('starmap_async', 'item 5 of starmap_async ', 'try_starmap keeps'),
    ('try_map', 'item 5 of try_map ', None),
    ('apply', 'the call of apply ', None), ('submit', 'the submitted call ', None)])
def test_the_sentence_fits_the_verb(verb, subject, forgiving):
    said = str(crash(verb))
    assert said.startswith(subject + 'crashed worker 1 (')
    assert ('keeps the other results' in said) == (forgiving is not None)
    assert forgiving is None or forgiving in said
    assert said.endswith(f'repeats {"a call" if "call" in subject else "an item"} that fails by chance.')


def test_where_a_crash_was_without_a_python_stack():
    said = str(crash(traceback='', frames=['run(int) at cake.cpp:12', 'main']))
    assert ') in run(int) at cake.cpp:12: ' in said
    said = str(crash(traceback='', signal=signal.SIGKILL))
    assert 'crashed worker 1 (SIGKILL, killed): it was killed from outside' in said
    assert '(signal 50): it raised this signal' in str(crash(traceback='', signal=50))


def test_a_worker_that_left():
    assert str(crash('submit', signal=0, exit_status=3)).startswith(
        'the submitted call ended worker 1 (exit status 3): it called os._exit()')
    assert 'status was lost' in str(crash(signal=0, exit_status=-1))


def test_a_timeout():
    e = errors.timed_out('map', 7, 3, 2, 2, 1.5, stack)
    assert str(e) == (
        'item 7 of map ran longer than its timeout of 1.5 s in worker 3 at eat (cake.py:12) on attempt 2 of'
        ' 2: it hangs or needs more time, and the worker was killed. Raise timeout, or run it on a SerialPool'
        ' under pdb; try_map keeps the other results; attempts=3 repeats an item that fails by chance.')
    assert (e.index, e.worker, e.attempt, e.seconds, e.traceback) == (7, 3, 2, 1.5, stack)


def test_the_others():
    assert str(errors.start_failed('fork: Resource temporarily unavailable')) == (
        'the pool could not start: fork: Resource temporarily unavailable. A SerialPool always starts.')
    assert str(errors.start_failed('the pool could not start: no')).count('the pool could not start') == 1
    assert errors.start_failed('no').trouble == 'no'
    assert str(errors.cancelled('map', 9)).startswith('item 9 of map was not finished: ')
    assert str(errors.cancelled('submit')).startswith('the submitted call was not finished: ')
    assert str(errors.pool_closed()).startswith('Pool not running')
    assert f'process 4 and was inherited by process {os.getpid()} ' in str(errors.wrong_process(4))
    full = str(errors.arena_exhausted('map', 2, 'full.'))
    assert full.startswith('item 2 of map found no shared memory left: full. Raise')
    assert errors.arena_exhausted('map', 2).index == 2 and errors.arena_exhausted().index is None
    assert errors.other('codec_error', 'garbage').code == 'codec_error'


every = {
    'worker_crashed': (crash(), [BrokenProcessPool, RuntimeError]),
    'slice_timeout': (errors.timed_out('apply', 0, 1, 1, 1, 2.0), [builtins.TimeoutError, OSError]),
    'start_failed': (errors.start_failed('no'), [BrokenProcessPool, OSError]),
    'cancelled': (errors.cancelled('map', 1), [concurrent.futures.CancelledError]),
    'pool_closed': (errors.pool_closed(), [ValueError]),
    'wrong_process': (errors.wrong_process(1), [RuntimeError]),
    'arena_exhausted': (errors.arena_exhausted('map', 3), [MemoryError]),
    'codec_error': (errors.other('codec_error', 'garbage'), []),
}


@pytest.mark.parametrize('code', every)
def test_bases_code_and_pickling(code):
    e, bases = every[code]
    for base in [errors.Error, Exception, *bases]:
        assert isinstance(e, base)
    assert e.code == code
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        back = pickle.loads(pickle.dumps(e, protocol))
        assert type(back) is type(e) and str(back) == str(e) and back.code == code
        assert back.__dict__ == e.__dict__


def test_they_can_be_made_without_fields():
    for cls in (errors.WorkerCrashed, errors.TaskTimeout, errors.StartFailed, errors.ArenaExhausted):
        e = cls('why')
        assert str(e) == 'why' and pickle.loads(pickle.dumps(e)).args == ('why',)
    assert errors.WorkerCrashed('why').index == 0


@pytest.mark.skipif(sys.version_info < (3, 11), reason='add_note is of 3.11')
def test_notes():
    e = KeyError('x')
    errors.add_note(e, 'map', 7, 1, 'f')
    errors.add_note(e, 'map', 8)
    errors.add_note(e, 'submit', 0, 2)
    assert e.__notes__ == ['forkful: item 7 of map(f), worker 1', 'forkful: item 8 of map, as it was sent',
                           'forkful: submit, worker 2']


def test_outcome():
    good, bad = Outcome(3), Outcome(error=KeyError('x'))
    assert good and good.ok and good.value == 3 and good.error is None and repr(good) == 'Outcome(3)'
    assert not bad and not bad.ok and repr(bad) == "Outcome(error=KeyError('x'))"
    with pytest.raises(KeyError):
        bad.value
    assert pickle.loads(pickle.dumps(good)).value == 3 and not pickle.loads(pickle.dumps(bad)).ok
