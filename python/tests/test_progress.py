"""progress=: what a callable gets, the bar of a terminal, and the element of a notebook's cell."""
import os
import pty
import select
import subprocess
import sys
import time
import types

import pytest

import forkful
from forkful.progress import Progress, for_call

_environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(p for p in sys.path if p), 'TERM': 'xterm',
                'COLUMNS': '80'}


def _sleep(seconds):
    time.sleep(seconds)
    return 1


def test_a_callable_gets_how_far_the_call_has_come():
    seen = []
    with forkful.Pool(2) as pool:
        assert pool.map(_sleep, [0.02] * 20, chunksize=1, progress=seen.append) == [1] * 20
    assert all(type(one) is Progress for one in seen)
    last = seen[-1]
    assert (last.done, last.total, last.busy) == (20, 20, 0)
    assert last.elapsed >= 0.2
    assert len(seen) >= 2 and [one.done for one in seen] == sorted(one.done for one in seen)
    assert all(0 <= one.busy <= 2 for one in seen)


def test_it_is_a_tuple_with_names():
    assert Progress(1, 2, 3.0, 4) == (1, 2, 3.0, 4)
    assert Progress._fields == ('done', 'total', 'elapsed', 'busy')


def test_what_it_raises_ends_the_call():
    seen = []

    def stop(so_far):
        seen.append(so_far)
        raise KeyError('enough')
    with forkful.Pool(1) as pool:
        with pytest.raises(KeyError, match='enough'):
            pool.map(_sleep, [0.01] * 50, chunksize=1, progress=stop)
        assert len(seen) == 1 and 0 < seen[0].done < seen[0].total == 50
        assert pool.map(_sleep, [0]) == [1]


@pytest.mark.parametrize('asked', [None, False])
def test_none_is_asked_for(asked):
    assert for_call(asked, 'map') is None


def test_true_is_the_engine_s_bar_where_there_is_no_kernel(monkeypatch):
    monkeypatch.delitem(sys.modules, 'IPython', raising=False)
    assert for_call(True, 'map') is True
    terminal = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace())
    monkeypatch.setitem(sys.modules, 'IPython', terminal)
    assert for_call(True, 'map') is True
    monkeypatch.setitem(sys.modules, 'IPython', types.SimpleNamespace(get_ipython=lambda: None))
    assert for_call(True, 'map') is True


@pytest.mark.parametrize('asked', [1, 'yes', [print]])
def test_anything_else_is_refused(asked):
    with forkful.SerialPool() as pool, pytest.raises(TypeError, match='True or a callable'):
        pool.map(abs, [1], progress=asked)


def test_a_kernel_gets_one_element_that_is_updated(monkeypatch):
    drawn = []

    class Handle:
        def update(self, what):
            drawn.append(('update', what))

    def display(what, display_id=None):
        assert display_id is True
        drawn.append(('display', what))
        return Handle()
    ipython = types.ModuleType('IPython')
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    ipython.display = types.ModuleType('IPython.display')
    ipython.display.display = display
    monkeypatch.setitem(sys.modules, 'IPython', ipython)
    monkeypatch.setitem(sys.modules, 'IPython.display', ipython.display)
    with forkful.Pool(2) as pool:
        pool.map(_sleep, [0.02] * 20, chunksize=1, progress=True)
    assert [how for how, _ in drawn] == ['display'] + ['update'] * (len(drawn) - 1)
    assert len(drawn) >= 2
    last = drawn[-1][1]
    assert '<progress value="20" max="20"' in last._repr_html_()
    assert repr(last).startswith('map 20/20, ')
    for_call(True, 'i<map')(3, 0, 0.5, 1)
    assert drawn[-1][1]._repr_html_() == ('<progress style="width:40%"></progress>'
                                          ' <code>i&lt;map 3, 0.5 s, 1 busy</code>')


def test_ipython_is_not_imported():
    code = ('import forkful, sys\nforkful.SerialPool().map(abs, [1], progress=True)\n'
            'print(sorted({"IPython", "numpy", "joblib"} & set(sys.modules)))')
    done = subprocess.run([sys.executable, '-c', code], env=_environment, capture_output=True, text=True,
                          timeout=60)
    assert done.stdout == '[]\n'


def test_a_terminal_gets_a_bar():
    code = ('import forkful, time\n'
            'with forkful.Pool(2) as pool: pool.map(time.sleep, [0.05] * 12, progress=True)')
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, '-c', code], env=_environment, stderr=theirs) as program:
        os.close(theirs)
        seen = b''
        end = time.monotonic() + 60
        while time.monotonic() < end and select.select([ours], [], [], 60)[0]:
            try:
                seen += os.read(ours, 65536)
            except OSError:     # its end: the program has closed the terminal
                break
        assert program.wait(60) == 0
    os.close(ours)
    assert b'map [' in seen and b'12' in seen and b'###' in seen
