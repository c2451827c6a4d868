"""joblib on forkful: results, exceptions, deaths, nesting, and that the workers are forkful's."""
import os
import signal
import subprocess
import sys

import pytest

joblib = pytest.importorskip('joblib')
from joblib import Parallel, delayed, parallel_backend  # noqa: E402

import forkful  # noqa: E402

forkful.register_joblib()


def _square(value):
    return value * value, os.getpid(), forkful.in_worker()


def _fail(value):
    if value == 3:
        raise ZeroDivisionError(f'value {value}')
    return value


def _die(value):
    if value == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def _interrupt(value):
    raise KeyboardInterrupt


def _nested(value):
    return sum(Parallel(n_jobs=2)(delayed(abs)(-x) for x in range(value)))


def test_parallel_runs_in_forkful_s_workers():
    got = Parallel(n_jobs=2, backend='forkful')(delayed(_square)(x) for x in range(50))
    assert [value for value, _, _ in got] == [x * x for x in range(50)]
    assert all(in_worker for _, _, in_worker in got)
    assert os.getpid() not in {pid for _, pid, _ in got} and len({pid for _, pid, _ in got}) <= 2


def test_parallel_backend_as_a_context():
    with parallel_backend('forkful', n_jobs=2):
        got = Parallel()(delayed(_square)(x) for x in range(8))
    assert [(value, in_worker) for value, _, in_worker in got] == [(x * x, True) for x in range(8)]


def test_a_pool_is_used_again_within_a_context():
    with Parallel(n_jobs=2, backend='forkful') as parallel:
        first = {pid for _, pid, _ in parallel(delayed(_square)(x) for x in range(20))}
        second = {pid for _, pid, _ in parallel(delayed(_square)(x) for x in range(20))}
    assert first & second


def test_lambdas_and_closures_go():
    factor = 3
    got = Parallel(n_jobs=2, backend='forkful')(delayed(lambda x: x * factor)(x) for x in range(4))
    assert got == [0, 3, 6, 9]


def test_what_a_task_raises_is_raised():
    with pytest.raises(ZeroDivisionError, match='value 3') as raised:
        Parallel(n_jobs=2, backend='forkful')(delayed(_fail)(x) for x in range(6))
    assert '_fail' in str(raised.value.__cause__)


def test_a_worker_that_dies_is_told_and_joblib_goes_on():
    parallel = Parallel(n_jobs=2, backend='forkful')
    with pytest.raises(forkful.WorkerCrashed) as raised:
        parallel(delayed(_die)(x) for x in range(6))
    assert raised.value.signal == signal.SIGKILL
    assert parallel(delayed(abs)(-x) for x in range(6)) == list(range(6))


def test_an_interrupt_in_a_task_does_not_end_the_caller():
    with pytest.raises(Exception) as raised:
        Parallel(n_jobs=2, backend='forkful')(delayed(_interrupt)(x) for x in range(2))
    assert type(raised.value).__name__ in ('WorkerInterrupt', 'KeyboardInterrupt')
    if hasattr(joblib._parallel_backends, 'SafeFunction'):
        assert not isinstance(raised.value, KeyboardInterrupt)


def test_one_job_runs_here():
    got = Parallel(n_jobs=1, backend='forkful')(delayed(_square)(x) for x in range(3))
    assert got == [(x * x, os.getpid(), False) for x in range(3)]


def test_nested_calls_run_in_their_worker():
    assert Parallel(n_jobs=2, backend='forkful')(delayed(_nested)(x) for x in range(5)) == [0, 0, 1, 3, 6]


@pytest.mark.parametrize('asked, threads', [(None, 1), (3, 3)])
def test_inner_threads(monkeypatch, asked, threads):
    made = []

    class Pool(forkful.Pool):
        def __init__(self, processes, *, inner_threads):
            made.append((processes, inner_threads))
            super().__init__(processes, inner_threads=inner_threads)
    monkeypatch.setattr('forkful.joblib.Pool', Pool)
    jobs = 2 * forkful.cpu_count()
    with parallel_backend('forkful', n_jobs=jobs, inner_max_num_threads=asked):
        assert Parallel()(delayed(abs)(-x) for x in range(3)) == [0, 1, 2]
    assert made == [(jobs, threads)]


def test_joblib_is_imported_only_when_it_is_asked_for():
    code = ('import sys, forkful\nprint("joblib" in sys.modules)\nforkful.register_joblib()\n'
            'print("joblib" in sys.modules, sys.modules["joblib"].__name__, forkful.register_joblib())')
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run([sys.executable, '-c', code], env=environment, capture_output=True, text=True,
                          timeout=60)
    assert done.stdout == 'False\nTrue joblib None\n', done.stderr
