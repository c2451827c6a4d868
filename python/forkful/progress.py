"""How far a call has come: what a program's progress callable gets, and what draws where there is none.

`progress=True` is the engine's bar on stderr, but in a notebook's kernel, where no line can be drawn again, a
<progress> element of the cell. IPython is not imported by forkful: a program that runs in a kernel has it.
"""
import html
import sys
from typing import NamedTuple


class Progress(NamedTuple):
    """What a progress callable gets, in the thread that waits for the call, at most ten times a second."""
    done: int           #: items that were run or have failed; those of chunks that are being run are included
    total: int          #: items of the call; 0: not known yet (imap reads its input while results are taken)
    elapsed: float      #: seconds since the call began
    busy: int           #: workers that are running an item


def for_call(asked, verb):
    """What the engine is given for a verb's `progress`: None, True (its bar), or what it calls with 4 values.

    Raises TypeError for what is neither a bool, None nor callable.
    """
    if asked is None or asked is False:
        return None
    if asked is True:
        shell = _kernel_shell()
        return True if shell is None else _InCell(verb)
    if not callable(asked):
        raise TypeError(f'progress takes True or a callable, and {asked!r} is neither')
    return _Told(asked)


class _Told:
    """Calls the user's callable until that raises: it ends the call, and the engine tells that end, too."""

    def __init__(self, asked):
        self._asked = asked

    def __call__(self, *values):
        asked, self._asked = self._asked, None
        if asked is not None:
            asked(Progress(*values))
            self._asked = asked


def _kernel_shell():
    """IPython's shell where it runs in a kernel; None in a terminal and in plain Python."""
    ipython = sys.modules.get('IPython')
    shell = getattr(ipython, 'get_ipython', lambda: None)()
    return shell if getattr(shell, 'kernel', None) is not None else None


class _InCell:
    """A <progress> in the output of a notebook's cell, shown at the first call."""

    def __init__(self, verb):
        self._verb = verb
        self._shown = None

    def __call__(self, *values):
        drawn = _Drawn(self._verb, Progress(*values))
        if self._shown is not None:
            self._shown.update(drawn)
            return
        from IPython.display import display
        self._shown = display(drawn, display_id=True)


class _Drawn:
    """A state of the bar, as a notebook and as a terminal show it."""

    def __init__(self, verb, so_far):
        done, total, elapsed, busy = so_far
        known = f'{done}/{total}' if total else f'{done}'
        self._text = f'{verb} {known}, {elapsed:.1f} s' + (f', {busy} busy' if busy else '')
        self._where = f' value="{done}" max="{total}"' if total else ''

    def __repr__(self):
        return self._text

    def _repr_html_(self):
        return f'<progress{self._where} style="width:40%"></progress> <code>{html.escape(self._text)}</code>'
