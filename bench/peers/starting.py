# Pools of 2 started, used once and stopped: starting.py pool|executor|forkserver GIGABYTES
# The gigabytes are private memory of this program, touched before the first round.
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor


def square(x):
    return x * x


def pool():
    with multiprocessing.Pool(2) as workers:
        return sum(workers.map(square, [1, 2, 3, 4]))


def executor():
    with ProcessPoolExecutor(2) as workers:
        return sum(workers.map(square, [1, 2, 3, 4]))


def forkserver():
    with multiprocessing.get_context("forkserver").Pool(2) as workers:
        return sum(workers.map(square, [1, 2, 3, 4]))


if __name__ == "__main__":
    work = {"pool": pool, "executor": executor, "forkserver": forkserver}[sys.argv[1]]
    large = b"\x01" * (int(sys.argv[2]) << 30)
    print("ready", flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        result = work()
        print(time.perf_counter() - began, result, flush=True)
