"""Python's own stack of an item that crashed its worker, or was too late."""
import ctypes
import os
import signal
import sys
import threading

import pytest

import forkful

here = os.path.basename(__file__)


def crash(signal_number):
    if signal_number == signal.SIGSEGV:
        ctypes.string_at(0)
    elif signal_number:
        os.kill(os.getpid(), signal_number)
    return signal_number


def outer(signal_number):
    return crash(signal_number)


def line_of(function, offset):
    return function.__code__.co_firstlineno + offset


@pytest.mark.parametrize('kind', [forkful.Pool, forkful.SnapshotPool])
def test_a_crash_names_the_line_and_all_callers(kind):
    with kind(1) as pool:
        good, bad, after = pool.try_map(outer, [0, signal.SIGABRT, 0])
        assert good.ok and after.ok
        error = bad.error
        assert error.signal == signal.SIGABRT and error.index == 1
        lines = error.traceback.splitlines()
        assert lines == [f'  File "{__file__}", line {line_of(crash, 4)} in crash',
                         f'  File "{__file__}", line {line_of(outer, 1)} in outer']
        assert f'at crash ({here}:{line_of(crash, 4)})' in str(error)


def test_each_of_several_crashes_has_its_own_stack():
    def other(number):
        return crash(number)

    with forkful.Pool(2) as pool:
        for _ in range(3):
            outcomes = pool.try_map(lambda item: (outer if item[0] else other)(item[1]),
                                    [(i % 2, signal.SIGABRT if i % 3 == 0 else 0) for i in range(12)], chunksize=5)
            for i, outcome in enumerate(outcomes):
                assert outcome.ok == (i % 3 != 0)
                if not outcome.ok:
                    assert (' in outer' in outcome.error.traceback) == (i % 2 == 1)
                    assert (' in other' in outcome.error.traceback) == (i % 2 == 0)


def test_sigkill_leaves_no_stack_and_not_that_of_another():
    with forkful.Pool(1) as pool:
        outcomes = pool.try_map(outer, [signal.SIGSEGV, signal.SIGKILL])
        assert 'in outer' in outcomes[0].error.traceback
        assert outcomes[1].error.traceback == ''


def wait_for_ever(nothing):
    threading.Event().wait()


def test_a_late_item_names_the_line_where_it_hung():
    with forkful.Pool(1) as pool:
        for _ in range(20):     # on a busy machine it may not get to write it before it is killed
            with pytest.raises(forkful.TaskTimeout) as raised:
                pool.map(wait_for_ever, [0], timeout=0.05)
            assert raised.value.seconds == 0.05
            if raised.value.traceback:
                break
        assert f'line {line_of(wait_for_ever, 1)} in wait_for_ever' in raised.value.traceback
        assert pool.map(abs, [-1]) == [1]


def test_no_line_of_forkful_is_shown():
    with forkful.Pool(1) as pool:
        error = pool.try_map(sys.exc_info and outer, [signal.SIGABRT])[0].error
        assert os.path.dirname(forkful.__file__) not in error.traceback and 'pytest' not in error.traceback
        assert 'in outer' in error.traceback


def test_files_of_stacks_end_with_the_pool():
    before = len(os.listdir('/proc/self/fd'))
    for _ in range(3):
        pool = forkful.Pool(2)
        pool.map(abs, range(3))
        pool.close()
        pool.join()
        del pool
    assert len(os.listdir('/proc/self/fd')) <= before
