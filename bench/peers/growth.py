# Pools started, used once and stopped, of as many workers as each line says: "workers N".
import multiprocessing
import sys
import time


def same(x):
    return x


if __name__ == "__main__":
    print("ready", flush=True)
    for line in sys.stdin:
        workers = int(line.split()[1])
        began = time.perf_counter()
        with multiprocessing.Pool(workers) as pool:
            pool.map(same, range(workers))
        print(time.perf_counter() - began, flush=True)
