"""Many kills, many pools, many futures: nothing is lost or left. FORKFUL_PYTHON_SOAK=1: the whole number of them."""
import concurrent.futures
import gc
import logging
import os
import signal
import threading

import pytest

import forkful

times = 1000 if os.environ.get('FORKFUL_PYTHON_SOAK') == '1' else 50


def square(x):
    return x * x


def children():
    with open(f'/proc/self/task/{os.getpid()}/children') as names:
        return len(names.read().split())


def resident():
    with open('/proc/self/statm') as statm:
        return int(statm.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def test_workers_that_are_killed_beside_threads_that_log(limit, tmp_path):
    """A worker forked while a thread is inside of a stream's lock must not use that stream."""
    log = logging.getLogger('soak')
    handler = logging.FileHandler(tmp_path / 'log')
    log.addHandler(handler)
    log.propagate = False
    over = threading.Event()

    def writes():
        while not over.is_set():
            log.error('x' * 200)

    threads = [threading.Thread(target=writes) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        def dies(x):
            log.error('in the worker')
            os.kill(os.getpid(), signal.SIGKILL)

        with forkful.Pool(2) as pool:
            for _ in range(times):
                assert type(pool.try_map(dies, [1])[0].error) is forkful.WorkerCrashed
            assert pool.map(square, range(10), timeout=20) == [x * x for x in range(10)]
    finally:
        over.set()
        for thread in threads:
            thread.join()
        log.removeHandler(handler)
        handler.close()
    assert 'in the worker' in (tmp_path / 'log').read_text()


@pytest.mark.parametrize('kind', [forkful.Pool, forkful.SnapshotPool])
def test_pools_leave_nothing(kind, limit):
    def one(number):
        with kind(2) as pool:
            assert pool.map(square, range(4)) == [0, 1, 4, 9]
            assert pool.map_async(square, [number], callback=str).get(30) == [number * number]
            if number % 2:
                pool.close()
                pool.join()

    def held():
        for thread in threading.enumerate():    # those that carried a call to its end
            if thread is not threading.current_thread():
                thread.join(30)
        gc.collect()
        return len(os.listdir('/proc/self/fd')), children(), threading.active_count()

    for number in range(10):
        one(number)
    before, memory = held(), resident()
    for number in range(times):
        one(number)
    assert all(now <= then for now, then in zip(held(), before))
    assert resident() - memory < (4 << 20) + times * 4096


@pytest.mark.parametrize('at_once', [True, False])
def test_a_pool_that_has_ended_has_no_process_and_so_no_descriptor_of_ours(at_once, limit):
    reads, writes = os.pipe()
    before = children()
    pool = forkful.Pool(2)
    assert pool.map(square, range(4)) == [0, 1, 4, 9]
    if at_once:
        pool.terminate()
    else:
        pool.close()
        pool.join()
    os.close(writes)
    assert os.read(reads, 1) == b''     # the end: nobody has the other one
    os.close(reads)
    assert children() == before and pool.size == 2
    pool.restart()
    assert pool.map(square, range(4)) == [0, 1, 4, 9]
    pool.terminate()


def test_ten_thousand_futures(limit):
    with forkful.ProcessPoolExecutor(2) as executor:
        futures = [executor.submit(square, x) for x in range(10000)]
        assert sum(future.result(30) for future in concurrent.futures.as_completed(futures, 40)) == sum(
            x * x for x in range(10000))
        del futures
        assert list(executor.map(square, range(1000))) == [x * x for x in range(1000)]
