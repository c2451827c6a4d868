"""map of 4 short strings on a warm multiprocessing.Pool of 2, back to back."""
import multiprocessing
import time

from turns import serve

CAKE = ["slice_0", "slice_1", "slice_2", "slice_3"]


def run_slice(piece):
    return piece + "_eaten"


def work():
    times = []
    for i in range(-20, 200):
        began = time.perf_counter()
        result = pool.map(run_slice, CAKE)
        if i >= 0:
            times.append(time.perf_counter() - began)
    return times, "".join(piece + "/" for piece in result)


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        serve(work)
