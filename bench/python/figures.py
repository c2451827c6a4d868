"""figures.py [--long] [P1 P4 ...]: the Python module beside multiprocessing.Pool, ProcessPoolExecutor and joblib.

A line a figure. Printed are the median and the 10th percentile; for peers and floors also how many times as long as
forkful they take, which is the median of the ratios of single turns. Contestants take turns, each in a process of its
own, in the other direction in every second turn; the first turn is not counted. A figure takes no more turns after 5
seconds, but two at least. Their results have to be the same, or this exits with 1. `--long` takes four times as many
turns, for up to a minute. Processor time is that of the caller and its workers, which says more than the clock where
other programs are busy. works.py has what they do.
"""
import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time

import works


class Measured:
    """The turns of one figure: for each contestant a list of rounds, each with its times."""

    def __init__(self, figure):
        self.figure = figure
        self.rounds = {way: [] for way in figure.ways}

    def median(self, way):
        return statistics.median(second for one in self.rounds[way] for second in one['seconds'])

    def lowest(self, way):
        seconds = sorted(second for one in self.rounds[way] for second in one['seconds'])
        return seconds[len(seconds) // 10]

    def processor(self, way):
        """Seconds of processor time for one unit, of the caller and the workers."""
        return statistics.median(one['processor'] for one in self.rounds[way])

    def ratio(self, way):
        """How many times as long as forkful it takes."""
        turns = zip(self.rounds[way], self.rounds['forkful'])
        return statistics.median(statistics.median(theirs['seconds']) / statistics.median(ours['seconds'])
                                 for theirs, ours in turns)

    def line(self, name):
        figure, parts = self.figure, []
        for way in figure.ways:
            text = f'{way} {duration(self.median(way))} ({duration(self.lowest(way))})'
            if way != 'forkful':
                text += f' {self.ratio(way):.3g} x'
            if figure.counts_processor and way not in figure.floors:
                text += f', processor {duration(self.processor(way))}'
                if way != 'forkful':
                    text += f' {self.processor(way) / self.processor("forkful"):.3g} x'
            if self.rounds[way][-1]['note']:
                text += f', {self.rounds[way][-1]["note"]}'
            parts.append(text)
        parts += [f'{goal}: {"yes" if reached(self) else "no"}' for goal, reached in figure.goals]
        return f'{name:<4} {figure.title}: ' + '; '.join(parts)


def duration(seconds):
    for unit, size in (('s', 1), ('ms', 1e-3), ('us', 1e-6)):
        if seconds >= size:
            break
    return f'{seconds / size:.3g} {unit}'


# ---- a contestant ------------------------------------------------------------------------------------------------

def contend(name, way):
    """The other end: a round for every line of stdin."""
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    figure = works.figures()[name]
    with figure.ways[way]() as call:
        print('ready', file=answers, flush=True)
        for _ in sys.stdin:
            print(json.dumps(one_round(figure, way, call)), file=answers, flush=True)


def one_round(figure, way, call):
    seconds, value, note = [], None, ''
    used = processor_time() if figure.counts_processor else 0
    for _ in range(figure.repeats):
        if figure.idle:
            time.sleep(figure.idle)
        value = None        # the memory of the last one is there again
        began = time.perf_counter()
        value = call()
        took = time.perf_counter() - began
        if isinstance(value, works.Timed):
            took, note = value.seconds, value.note
        seconds.append(took / figure.per)
    used = (processor_time() - used) / (figure.repeats * figure.per) if figure.counts_processor else 0
    check = ''
    if figure.digest is not None and way not in figure.floors:
        check = hashlib.sha1(figure.digest(value).encode()).hexdigest()
    return {'seconds': seconds, 'check': check, 'processor': used, 'note': note}


def processor_time():
    """Of this process and all that descend from it and live, in seconds."""
    total, pids = 0, [os.getpid()]
    while pids:
        pid = pids.pop()
        for thread in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{thread}/schedstat') as file:
                total += int(file.read().split()[0])
            with open(f'/proc/{pid}/task/{thread}/children') as file:
                pids += map(int, file.read().split())
    return total / 1e9


# ---- turns -------------------------------------------------------------------------------------------------------

class Contestant:
    def __init__(self, name, way):
        command = [sys.executable, __file__, '--contend', name, way]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != 'ready\n':
            raise RuntimeError(f'{way} could not start on {name}')

    def round(self):
        self.process.stdin.write('round\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f'{self.process.args[-1]} ended early, see above')
        return json.loads(answer)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def measure(name, figure, long):
    """Raises AssertionError if two contestants computed different things."""
    contestants = {way: Contestant(name, way) for way in figure.ways}
    measured, checks = Measured(figure), {}
    enough = time.monotonic() + (60 if long else 5)
    try:
        for turn in range(-1, figure.rounds * (4 if long else 1)):
            if turn >= 2 and time.monotonic() > enough:
                break
            for way in sorted(contestants, key=list(figure.ways).index, reverse=turn % 2 == 0):
                time.sleep(0.005)
                answer = contestants[way].round()
                if way not in figure.floors:
                    checks[way] = answer['check']
                if turn >= 0:
                    measured.rounds[way].append(answer)
    finally:
        for contestant in contestants.values():
            contestant.end()
    assert len(set(checks.values())) == 1, f'{name}: contestants computed different things: {checks}'
    return measured


def ticks():
    """(busy, all) seconds that the machine's processors had so far."""
    with open('/proc/stat') as file:
        fields = [int(field) / os.sysconf('SC_CLK_TCK') for field in file.readline().split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


def own():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main():
    known = works.figures()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('figures', nargs='*', metavar='FIGURE', help=f'one of {" ".join(known)}')
    parser.add_argument('--long', action='store_true', help='four times as many turns')
    parser.add_argument('--contend', nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contend:
        return contend(*given.contend)
    for name in given.figures:
        if name not in known:
            parser.error(f'there is no figure {name}; there are: {" ".join(known)}')
    print(f'Python {sys.version.split()[0]}, {works.WORKERS} workers, {len(os.sched_getaffinity(0))} CPUs;'
          ' median (p10), and how many times as long as forkful')
    status, (busy, all), mine = 0, ticks(), own()
    for name in given.figures or known:
        try:
            print(measure(name, works.figures()[name], given.long).line(name), flush=True)
        except AssertionError as error:
            print(error, file=sys.stderr)
            status = 1
    now_busy, now_all = ticks()
    others = (now_busy - busy - (own() - mine)) / (now_all - all)
    if others > 0.1:
        print(f'The machine was busy: other programs used {others:.0%} of it. Ratios hold better than times.')
    return status


if __name__ == '__main__':
    sys.exit(main())
