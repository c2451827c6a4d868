"""32 arrays of 8 MB and 2 processes.

pool, joblib     pickled (or memory-mapped) there and back, as they do it by themselves
shared_copied    copied into multiprocessing.shared_memory, changed there, copied out into fresh arrays
shared           they stay in shared memory; one number of each is touched
"""
import multiprocessing
import sys
import time
from multiprocessing import shared_memory

import numpy

from turns import serve

ARRAYS = 32
LENGTH = 1_000_000


def change(array):
    if not array.flags.writeable:  # joblib maps large arguments read-only
        array = array.copy()
    array[0] += 1
    return array


def attach(name):
    global memory, table
    memory = shared_memory.SharedMemory(name=name)
    table = numpy.ndarray((ARRAYS, LENGTH), dtype=float, buffer=memory.buf)


def touch(index):
    table[index, 0] += 1


def digest(arrays):
    return str(int(sum(each[0] + each[-1] for each in arrays)))


def timed(call):
    def work():
        began = time.perf_counter()
        result = call()
        return time.perf_counter() - began, digest(result)

    return work


def there_and_back(pool, shared):
    for i in range(ARRAYS):
        shared[i] = cake[i]
    pool.map(touch, range(ARRAYS))
    return [shared[i].copy() for i in range(ARRAYS)]


def touches(pool):
    times = []
    for i in range(-20, 200):
        began = time.perf_counter()
        pool.map(touch, range(ARRAYS))
        if i >= 0:
            times.append(time.perf_counter() - began)
    return times, "-"


if __name__ == "__main__":
    way = sys.argv[1]
    cake = [numpy.ones(LENGTH) for _ in range(ARRAYS)]
    if way == "pool":
        with multiprocessing.Pool(2) as pool:
            serve(timed(lambda: pool.map(change, cake)))
    elif way == "joblib":
        from joblib import Parallel, delayed

        with Parallel(n_jobs=2) as parallel:
            serve(timed(lambda: parallel(delayed(change)(array) for array in cake)))
    else:
        block = shared_memory.SharedMemory(create=True, size=ARRAYS * LENGTH * 8)
        try:
            shared = numpy.ndarray((ARRAYS, LENGTH), dtype=float, buffer=block.buf)
            shared[:] = 1
            with multiprocessing.Pool(2, attach, (block.name,)) as pool:
                if way == "shared":
                    serve(lambda: touches(pool))
                else:
                    serve(timed(lambda: there_and_back(pool, shared)))
            del shared
        finally:
            block.close()
            block.unlink()
