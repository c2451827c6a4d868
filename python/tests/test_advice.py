"""advise(): verdicts that do not hang on noise, what cannot be sent, and its words."""
import html
import json
import threading
import time

import pytest

import forkful
from forkful.advice import Advice, _time_in_two, _why_no_thread


def _sleep(seconds):
    time.sleep(seconds)
    return seconds


def _count(times):
    total = 0
    for number in range(times):
        total += number * number
    return total


def _same(value):
    return value


def _make_lock(_):
    return threading.Lock()


def _fail_at(value):
    if value == 0:
        raise KeyError('item zero')
    return value


def _ways(advice):
    return {way.way: way for way in advice.ways}


@pytest.fixture
def threads_can(monkeypatch):
    monkeypatch.setattr('forkful.advice._why_no_thread', lambda func, items: '')


def test_sleeping_is_faster_in_parallel(threads_can):
    advice = forkful.advise(_sleep, [0.003] * 300)
    assert advice.way in ('thread', 'process', 'snapshot')
    assert not advice.verdict.startswith("don't")       # how sure it is hangs on the machine's noise
    assert advice.parallel == advice.verdict.startswith('go parallel: ')
    assert advice.slices == 300 and advice.slice >= 0.003
    ways = _ways(advice)
    assert list(ways) == ['serial', 'thread', 'snapshot', 'process']
    assert all(way.possible and way.why_not == '' for way in ways.values())
    assert ways['serial'].time == pytest.approx(300 * advice.slice, rel=0.05)
    assert all(way.low <= way.time <= way.high for way in ways.values())
    assert max(ways[way].time for way in ('thread', 'snapshot', 'process')) < 0.8 * ways['serial'].time
    assert not advice.already_parallel


@pytest.mark.parametrize('alone, in_two, can', [(0.001, 0.0011, True), (0.001, 0.002, False),
                                                (0.001, 0.004, False)])
def test_threads_that_are_not_faster_cannot(monkeypatch, alone, in_two, can):
    monkeypatch.setattr('forkful.advice._time_of', lambda func, items, count: alone)
    monkeypatch.setattr('forkful.advice._time_in_two', lambda func, items, count: in_two)
    why = _why_no_thread(_same, [1, 2])
    assert why == '' if can else f'two were {2 * alone / in_two:.1f} x as fast as one' in why


def test_both_threads_run_items_and_what_one_raises_is_raised():
    ran = []
    _time_in_two(lambda item: ran.append((threading.get_ident(), item)), ['a', 'b'], 3)
    assert sorted(item for _, item in ran) == ['a', 'a', 'a', 'a', 'b', 'b']
    assert len({thread for thread, _ in ran}) == 2
    caller = threading.get_ident()

    def fail(item):
        if threading.get_ident() != caller:
            raise KeyError(item)
    with pytest.raises(KeyError, match='a'):
        _time_in_two(fail, ['a'], 1)


def test_threads_take_turns_at_python_code():
    ways = _ways(forkful.advise(_count, [5_000] * 500))
    assert not ways['thread'].possible
    assert 'the interpreter lock' in ways['thread'].why_not
    assert ways['process'].possible and ways['snapshot'].possible


def test_too_little_work_does_not_pay():
    advice = forkful.advise(_same, range(500))
    assert not advice.parallel
    assert _ways(advice)['process'].time > 2 * _ways(advice)['serial'].time
    assert advice.break_even > advice.slice > 0
    assert _ways(advice)['process'].bytes_copied > 500


# The talk's last line. A product is so long that one is all that advise looks at.
def test_a_matrix_product_is_parallel_already():
    numpy = pytest.importorskip('numpy')
    matrix = numpy.ones((1000, 1000))
    matrix @ matrix
    with open('/proc/self/maps') as maps:
        if 'libopenblas' not in maps.read() and 'openblas-pthread' not in maps.read():
            pytest.skip('this BLAS has one thread: libopenblas0-pthread has more')
    if forkful.cpu_count() < 2:
        pytest.skip('one CPU')
    for _ in range(50):         # whether its threads run at the same time is the scheduler's choice
        advice = forkful.advise(lambda matrix: matrix @ matrix, [matrix] * 8)
        if advice.already_parallel:
            break
    assert advice.already_parallel, str(advice)
    assert advice.parallel_by == 'OpenBLAS' and not advice.parallel
    assert "don't go parallel: the callable is parallel already (by OpenBLAS)" in advice.verdict


def test_nothing_to_do():
    advice = forkful.advise(_same, [])
    assert advice.slices == 0 and not advice.parallel
    assert str(advice) == 'nothing to do: there are no slices\n'


def test_workers_are_a_limit():
    advice = forkful.advise(_sleep, iter([0.002] * 50), workers=1)
    assert [way.workers for way in advice.ways] == [1, 1, 1, 1]
    for wrong in 0, -1:
        with pytest.raises(ValueError, match='at least 1'):
            forkful.advise(_same, [1], workers=wrong)
    with pytest.raises(TypeError, match='callable'):
        forkful.advise(3, [1])


def test_what_an_item_raises_is_raised():
    with pytest.raises(KeyError, match='item zero'):
        forkful.advise(_fail_at, range(5))


def test_the_input_stays_as_it_was():
    items = [[1, 2], [3]]
    forkful.advise(len, items)
    assert items == [[1, 2], [3]]


def test_items_that_cannot_be_sent_need_a_snapshot_pool():
    ways = _ways(forkful.advise(lambda lock: lock.locked(), [threading.Lock() for _ in range(20)]))
    assert not ways['process'].possible
    assert ways['process'].why_not.startswith('its items cannot be sent: TypeError: cannot pickle')
    assert ways['snapshot'].possible


def test_a_function_that_cannot_be_sent_needs_a_snapshot_pool():
    lock = threading.Lock()
    ways = _ways(forkful.advise(lambda value: lock.locked(), range(20)))
    assert not ways['process'].possible
    assert ways['process'].why_not.startswith('its function cannot be sent: ')
    assert ways['snapshot'].possible


def test_results_that_cannot_be_sent_leave_the_loop():
    advice = forkful.advise(_make_lock, range(20))
    ways = _ways(advice)
    assert 'its results cannot be sent' in ways['process'].why_not
    assert 'its results cannot be sent' in ways['snapshot'].why_not
    assert advice.way == 'serial'


def test_its_words_are_python_s(threads_can):
    advice = forkful.advise(_sleep, [0.002] * 200)
    text = str(advice)
    assert text.startswith(advice.verdict.split(';')[0][:60])
    assert '\n  ThreadPool of 2 ' in text and '\n  SnapshotPool of 2 ' in text and '\n  Pool of 2 ' in text
    assert '_pool' not in text and '_pool' not in advice.json()
    rows = [line for line in text.splitlines() if line.endswith(' copied')]
    assert len(rows) == 4 and len({len(row) for row in rows}) == 1
    assert max(len(line) for line in text.splitlines()) <= 80
    assert repr(advice) == f'<forkful.Advice: {advice.verdict}>'


def test_long_items_are_not_tried_in_threads():
    advice = forkful.advise(_sleep, [0.03] * 4)
    assert 'ThreadPool           not tried, as an item takes so long' in str(advice)
    assert not _ways(advice)['thread'].possible


def test_a_notebook_gets_the_verdict_first():
    advice = forkful.advise(_same, range(100))
    shown = advice._repr_html_()
    assert shown.startswith(f'<p><strong>{html.escape(advice.verdict)}</strong></p>')
    assert '<pre>  loop ' in shown


def test_attributes_are_the_figures_of_json():
    advice = forkful.advise(_same, range(100))
    figures = json.loads(advice.json())
    assert {name.removesuffix('_ns') for name in figures} == set(advice.to_dict())
    assert advice.to_dict()['slice'] == figures['slice_ns'] / 1e9
    assert isinstance(advice, Advice) and forkful.Advice is Advice


def test_it_works_beside_other_threads_and_in_workers():
    stop = threading.Event()
    busy = threading.Thread(target=lambda: [sum(range(1000)) for _ in iter(stop.is_set, True)])
    busy.start()
    try:
        assert forkful.advise(_sleep, [0.002] * 100).slices == 100
    finally:
        stop.set()
        busy.join()
    with forkful.Pool(1) as pool:
        assert pool.map(_advise, [10, 20]) == [10, 20]


def _advise(items):
    return forkful.advise(_same, range(items)).slices
