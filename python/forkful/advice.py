"""Is it worth it? advise() runs a few items and says which way is the fastest, and what would change that."""
import html
import re
import threading
import time

from . import _core, callbacks, shipping  # noqa: F401
from .reports import Fields, in_python
from .verbs import as_list

_trial = 0.001          # seconds of items; two rounds of that, alone and in two threads, take about 6 ms
_most = 0.05            # what three items may take, or else this share of all of them:
_most_of_all = 0.01
_faster = 1.5           # from so many times on threads do not take turns

_untried = 'not tried'
_pool_in_a_row = re.compile(r'^  (?:thread|snapshot|process)_pool[^ ]*(?: of \d+)? *', re.MULTILINE)


def advise(func, iterable, *, workers=None):
    """An Advice about `[func(x) for x in iterable]`, with at most so many workers (None: a CPU each).

    Runs some of the items here, in two threads for some milliseconds, and in forked copies of the process,
    and drops the results: for about 0.1 s, or 2 % of the whole, but a few items at least. The first time
    since the machine booted it measures the machine, too, for 50 ms (docs/machine.md). `iterable` is read to
    its end. Raises what an item raises.
    """
    if not callable(func):
        raise TypeError(f'advise takes a callable, and {func!r} is none')
    if workers is not None and workers < 1:
        raise ValueError(f'workers is {workers!r}: it has to be at least 1, or None for a CPU each')
    items = as_list(iterable)
    shipper = shipping.Shipper(shipping.Photograph())       # as of a pool that is made now
    try:
        size, no_process = len(shipper.function(func).data), ''
    except Exception as error:
        size, no_process = -1, f'its function cannot be sent: {type(error).__name__}: {error}'
    no_thread = _why_no_thread(func, items)
    return Advice(_core.advise(func, items, shipper, size, workers or 0, no_thread, no_process))


class Advice(Fields):
    """`str(a)` is the text that a person reads. Attributes, of which times are seconds (docs/advice.md):

    `verdict` (a sentence), `parallel` (going parallel pays), `too_close`, `way` (the fastest: 'serial',
    'thread', 'snapshot' or 'process'), `ways` (a list with `way`, `workers`, `possible`, `why_not`, `time`,
    `low`, `high`, `bytes_copied`), `slices`, `slice`, `break_even` (from which time of an item it pays; 0: never),
    `dominating_cost`, `flip` (what would turn the verdict), `already_parallel`, `parallel_by`.
    """

    def __init__(self, engine_advice):
        self._of = engine_advice

    def text(self):
        """Verdict, a line a way, break-even, largest cost, and what would change the verdict."""
        text = self._of.text().replace(f'not possible: {_untried}', _untried)
        return in_python(_pool_in_a_row.sub(lambda row: in_python(row[0]).ljust(len(row[0])), text))

    __str__ = text

    def json(self):
        """One JSON object: the fields of docs/advice.md, times in nanoseconds."""
        return in_python(self._of.json())

    def __repr__(self):
        return f'<forkful.Advice: {self.verdict}>'

    def _repr_html_(self):
        first, _, rest = self.text().partition('\n  ')
        return (f'<p><strong>{html.escape(" ".join(first.split()))}</strong></p>\n'
                f'<pre>{html.escape("  " + rest) if rest else ""}</pre>')


def _why_no_thread(func, items):
    """Whether two threads run items faster than one: an empty text, or a sentence that says why not."""
    if len(items) < 2:
        return ''
    began = time.perf_counter()
    func(items[0])
    cold = time.perf_counter() - began
    if 3 * cold > max(_most, _most_of_all * cold * len(items)):
        return f'{_untried}, as an item takes so long; threads help where it lets go of the interpreter lock'
    count = max(1, int(_trial / max(cold, 1e-7)))
    _time_of(func, items, min(count, 10))       # warm
    rounds = [(_time_of(func, items, count), _time_in_two(func, items, count)) for _ in range(2)]
    alone, in_two = map(min, zip(*rounds))
    faster = 2 * alone / max(in_two, 1e-9)
    if faster >= _faster:
        return ''
    return f'the interpreter lock makes them take turns: two were {faster:.1f} x as fast as one'


def _time_of(func, items, count):
    began = time.perf_counter()
    for index in range(count):
        func(items[index % len(items)])
    return time.perf_counter() - began


def _time_in_two(func, items, count):
    """Seconds until two threads, one of them this one, have run that many each."""
    raised = []
    both = threading.Barrier(2)

    def other():
        both.wait()
        try:
            _time_of(func, items, count)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    both.wait()
    began = time.perf_counter()
    _time_of(func, items, count)
    thread.join()
    took = time.perf_counter() - began
    if raised:
        raise raised[0]
    return took
