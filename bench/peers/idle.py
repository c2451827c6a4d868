# A warm Pool of 2 that runs 200 slices when it is asked to, and is left alone between.
import multiprocessing
import sys
import time


def chew(i):
    x = i
    for _ in range(500):
        x = (x * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
    return i


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        print("ready", flush=True)
        for line in sys.stdin:
            began = time.perf_counter()
            total = sum(pool.map(chew, range(200)))
            print(time.perf_counter() - began, total, flush=True)
