# A Pool of 2 whose memory is watched: memory.py bookkeeping|argument|shared N
#   bookkeeping  N slices of a byte, each made 1 more
#   argument     N numbers that both workers read, passed to each as an argument
#   shared       the same in multiprocessing.shared_memory
# A round says how many bytes of data there are at its end that were not there before, and what was computed.
import multiprocessing
import sys
from multiprocessing import shared_memory

import numpy


def run_slice(slice_):
    return (slice_ + 1) & 255


def total(array):
    return float(array.sum())


def total_shared(name):
    block = shared_memory.SharedMemory(name)
    array = numpy.ndarray(n, dtype=numpy.float64, buffer=block.buf)
    result = float(array.sum())
    del array
    block.close()
    return result


def bookkeeping(pool):
    return 8 * n, sum(pool.map(run_slice, table)) * 10  # its slices are a tenth of the others'


def argument(pool):
    array = numpy.ones(n)
    return 0, f"{sum(pool.map(total, [array, array], chunksize=1)):.0f}"


def shared(pool):
    block = shared_memory.SharedMemory(create=True, size=n * 8)
    array = numpy.ndarray(n, dtype=numpy.float64, buffer=block.buf)
    array[:] = 1
    result = f"{sum(pool.map(total_shared, [block.name] * 2, chunksize=1)):.0f}"
    del array
    block.close()
    block.unlink()
    return 0, result


n = int(sys.argv[2])
if __name__ == "__main__":
    work = {"bookkeeping": bookkeeping, "argument": argument, "shared": shared}[sys.argv[1]]
    table = bytes(n) if work is bookkeeping else b""
    with multiprocessing.Pool(2) as pool:
        pool.map(run_slice, range(2))
        print("ready", flush=True)
        for line in sys.stdin:
            print(*work(pool), flush=True)
