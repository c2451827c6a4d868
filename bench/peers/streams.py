"""Streams of 10 000 small slices: seconds a slice (imap CHUNKSIZE, submit), from one result to the next (gaps CHUNKSIZE), of one
submit that is waited for (one)."""
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from turns import serve

SLICES = 10_000


def square(piece):
    return piece * piece


def per_slice(call):
    def work():
        began = time.perf_counter()
        total = call()
        return (time.perf_counter() - began) / SLICES, str(total)

    return work


def gaps(pool, chunksize):
    times = []
    before = time.perf_counter()
    for _ in pool.imap(square, range(SLICES), chunksize):
        now = time.perf_counter()
        times.append(now - before)
        before = now
    return times, "-"


def submit_all(executor):
    futures = [executor.submit(square, piece) for piece in range(SLICES)]
    return sum(future.result() for future in futures)


def one_by_one(executor):
    times = []
    for piece in range(500):
        began = time.perf_counter()
        executor.submit(square, piece).result()
        times.append(time.perf_counter() - began)
    return times, "-"


if __name__ == "__main__":
    way = sys.argv[1]
    if way in ("imap", "gaps"):
        chunksize = int(sys.argv[2])
        with multiprocessing.Pool(2) as pool:
            if way == "imap":
                serve(per_slice(lambda: sum(pool.imap(square, range(SLICES), chunksize))))
            else:
                serve(lambda: gaps(pool, chunksize))
    else:
        with ProcessPoolExecutor(2) as executor:
            if way == "submit":
                serve(per_slice(lambda: submit_all(executor)))
            else:
                serve(lambda: one_by_one(executor))
