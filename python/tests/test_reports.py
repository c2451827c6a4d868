"""Report: its figures against what was run, its forms, and what a notebook shows of it."""
import html
import json
import os
import time

import pytest

import forkful
from forkful.reports import Report, in_python

_page = '<p>use a serial_pool & "more"</p>'


class _Engine:
    """Stands in for the engine's report."""

    def __init__(self, **forms):
        self._forms = forms

    def __getattr__(self, name):
        return lambda: self._forms[name]


def _made():
    fields = {'wall_ns': 1_500_000_000, 'time_ns': {'compute': 2_000_000_000, 'idle': 1}, 'slices': 3,
              'per_worker': [{'worker': 0, 'off_core_ns': 500, 'peak_private_bytes': 7}],
              'advice': 'use a process_pool', 'timeline': None}
    text = ('map: 3 slices\nworker 0 <###>\ncopied in 1 B\nnote: long\n'
            'next: use a serial_pool here, or hand out larger chunks:\n      pool.with({.chunk = 12})\n')
    return Report(_Engine(json=json.dumps(fields), text=text, html=_page, trace='[]'))


def _sleep(seconds):
    time.sleep(seconds)
    return bytes(1000)


def test_figures_are_those_of_the_call():
    with forkful.Pool(2, timeline=True) as pool:
        began = time.monotonic()
        pool.map(_sleep, [0.01] * 6, chunksize=1)
        ended = time.monotonic()
        r = pool.report()
    assert (r.verb, r.way, r.slices, r.chunks, r.workers, r.finished) == ('map', 'process', 6, 6, 2, True)
    assert 0.03 <= r.wall <= ended - began
    assert began <= r.began <= ended - r.wall
    assert r.time.compute >= 0.06
    assert [row.worker for row in r.per_worker] == [0, 1]
    assert sum(row.slices for row in r.per_worker) == 6
    assert sum(row.time.compute for row in r.per_worker) == pytest.approx(r.time.compute)
    assert r.bytes_out >= 6000
    assert len(r.slowest) == 5 and all(0.01 <= one.time <= r.wall for one in r.slowest)
    assert len(r.timeline.chunks) == 6
    assert all(0 <= one.begin < one.end <= r.wall for one in r.timeline.chunks)
    parts = vars(r.time).values()
    assert sum(parts) == pytest.approx(r.wall * 3)


def test_a_report_stays_as_it_was():
    with forkful.Pool(1) as pool:
        pool.map(_sleep, [0, 0])
        first = pool.report()
        pool.map(_sleep, [0] * 5)
        assert (first.slices, pool.report().slices) == (2, 5)


def test_times_are_seconds_and_lists_hold_objects():
    r = _made()
    assert r.wall == 1.5
    assert r.time.compute == 2.0 and r.time.idle == 1e-9
    assert r.per_worker[0].off_core == 5e-7
    assert r.per_worker[0].peak_private == r.per_worker[0].peak_private_bytes == 7
    assert r.timeline is None
    assert r.to_dict() == {'wall': 1.5, 'time': {'compute': 2.0, 'idle': 1e-9}, 'slices': 3,
                           'per_worker': [{'worker': 0, 'off_core': 5e-7, 'peak_private_bytes': 7}],
                           'advice': 'use a Pool', 'timeline': None}
    assert 'per_worker' in dir(r)
    with pytest.raises(AttributeError, match="has no 'wal'"):
        r.wal


def test_every_field_of_the_schema_is_an_attribute():
    schema = os.path.join(os.path.dirname(__file__), '../../docs/report.schema.json')
    with open(schema) as file:
        wanted = json.load(file)['definitions']['call']['required']
    with forkful.Pool(1) as pool:
        pool.map(abs, [-1])
        r = pool.report()
    for name in wanted:
        assert hasattr(r, name[:-3] if name.endswith('_ns') else name), name


def test_text_is_python_s():
    r = _made()
    assert str(r) == r.text()
    assert str(r).endswith('next: use a SerialPool here, or hand out larger chunks:\n      chunksize=12\n')
    assert repr(r) == '<forkful.Report: map: 3 slices>'
    assert r.advice == 'use a Pool'


@pytest.mark.parametrize('engine, python', [
    ('return less, write results in place\n  (map_into), or fold them where they are made (transform_reduce)',
     'return less, write results into a shared_array, or fold them where they are made'),
    ('pass the large argument as a span of a\n      forkful::shared_vector',
     'pass the large argument as a shared_array'),
    ('keep the slices in a forkful::shared_vector, or take a std::span or std::string_view',
     'keep the slices in a shared_array'),
    ('they stay (max_slices_per_worker would end them)', 'they stay (maxtasksperchild would end them)'),
])
def test_advice_names_what_python_has(engine, python):
    assert in_python(engine) == python


def test_no_name_of_cpp_is_left_in_what_the_engine_can_say():
    source = os.path.join(os.path.dirname(__file__), '../../src/report/remarks.cpp')
    with open(source) as file:
        literals = [line.split('"', 1)[1].rsplit('"', 1)[0] for line in file if line.count('"') >= 2]
    assert sum('serial_pool' in one for one in literals) >= 2
    said = in_python('\n'.join(literals).replace('{{', '{').replace('}}', '}').replace('{}', '1'))
    assert '_pool' not in said and 'pool.with' not in said and 'pool_options' not in said


@pytest.mark.parametrize('ending, begins', [('html', '<!DOCTYPE html>'), ('json', '{'), ('trace', '{')])
def test_saves_what_the_ending_says(tmp_path, ending, begins):
    with forkful.Pool(1) as pool:
        pool.map(abs, [-1, -2])
        r = pool.report()
    path = tmp_path / f'run.{ending}'
    assert r.save(path) is None
    text = path.read_text()
    assert text.startswith(begins)
    assert text == getattr(r, ending)()
    if ending == 'json':
        assert json.loads(text)['slices'] == 2


def test_other_endings_are_refused_before_a_file_is_made(tmp_path):
    path = tmp_path / 'run.pdf'
    with pytest.raises(ValueError, match=r'\.html, \.json or \.trace') as raised:
        _made().save(str(path))
    assert str(path) in str(raised.value)
    assert not path.exists()


def test_a_notebook_gets_the_page_and_three_rows():
    shown = _made()._repr_html_()
    assert f'srcdoc="{html.escape(in_python(_page))}"' in shown
    below = shown[shown.index('</iframe>'):]
    assert below.count('<div>') == 3
    assert '<div>map: 3 slices</div><div>copied in 1 B</div>' in below
    assert '<div>next: use a SerialPool here, or hand out larger chunks: chunksize=12</div>' in below


def test_before_the_first_call_it_says_so():
    r = forkful.SerialPool().report()
    assert str(r) == 'no call has ended yet: there is nothing to report\n'
    assert r.slices == 0 and r.per_worker == []
    assert '<div>no call has ended yet' in r._repr_html_()
