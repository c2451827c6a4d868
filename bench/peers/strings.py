"""map of 20 000 short strings by 2 processes: `strings.py pool` or `strings.py joblib`."""
import multiprocessing
import sys
import time

from turns import serve

CAKE = [f"slice_{i}" for i in range(20_000)]


def run_slice(piece):
    return piece + "_eaten"


def rounds(call, count):
    def work():
        times = []
        for i in range(-1, count):
            began = time.perf_counter()
            result = call()
            if i >= 0:
                times.append(time.perf_counter() - began)
        return times, f"{sum(len(each) for each in result)}:{result[0]}:{result[-1]}"

    return work


if __name__ == "__main__":
    if sys.argv[1] == "pool":
        with multiprocessing.Pool(2) as pool:
            serve(rounds(lambda: pool.map(run_slice, CAKE), 5))
    else:
        from joblib import Parallel, delayed

        with Parallel(n_jobs=2) as parallel:
            serve(rounds(lambda: parallel(delayed(run_slice)(piece) for piece in CAKE), 1))
