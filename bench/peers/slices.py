"""Slices of a chosen length, for METG: `slices.py LIBRARY CHUNKSIZE` (0: as Pool.map chooses) answers "COUNT BITES" with seconds."""
import ctypes
import itertools
import multiprocessing
import sys
import time

from turns import serve

run = ctypes.CDLL(sys.argv[1]).forkful_bench_run
run.argtypes = [ctypes.c_uint64, ctypes.c_uint64]
run.restype = ctypes.c_uint64


def eat_one(slice_, steps):
    run(slice_, steps)


def ask(line):
    count, steps = map(int, line.split())
    began = time.perf_counter()
    pool.starmap(eat_one, zip(range(count), itertools.repeat(steps)), chunksize)
    return time.perf_counter() - began


if __name__ == "__main__":
    chunksize = int(sys.argv[2]) or None
    with multiprocessing.Pool(2) as pool:
        serve(lambda: (0, "-"), ask)
