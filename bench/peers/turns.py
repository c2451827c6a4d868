"""The other end of peer_process: says "ready", then does a round for every line "round" and answers "SECONDS... CHECK".

serve(work): work() does one round and returns (seconds or a list of seconds, what was computed or "-").
serve(work, ask=f): any other line goes to f(line), whose answer is printed.
"""
import sys


def serve(work, ask=None):
    print("ready", flush=True)
    for line in sys.stdin:
        line = line.strip()
        if line == "round":
            times, check = work()
            if not isinstance(times, list):
                times = [times]
            print(" ".join(f"{t:.9f}" for t in times), check, flush=True)
        elif ask is not None:
            print(ask(line), flush=True)
