"""The standard library's own tests of process pools, and joblib's, run against forkful.

    /usr/bin/python3 python/tests/standard_library.py GATE... [--against MODULE] [--left-out]

A gate is one group of those tests (GATES); without one all are run. forkful must be importable (PYTHONPATH).
`--against multiprocessing` runs the same harness on the standard library: what fails there is the harness's
fault.

Each gate runs in a process of its own, which tells what it does over a pipe. A test that says nothing for
LIMIT seconds, or takes the process with it, has failed; the tests behind it run in a new process. The exit
status is 0 only if every test that standard/differences.py does not leave out has passed.
"""
import argparse
import dataclasses
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

from standard.differences import CHANGED, LEFT_OUT

GATES = ('pool', 'executor', 'deadlock', 'future', 'joblib')
STANDARD = 'multiprocessing'
LIMIT = 60  # seconds without news after which a test has hung; the longest takes 7
OUTPUT = 4000  # characters shown of what a lost test printed


@dataclasses.dataclass
class Tally:
    """What is known of a gate: its tests, how each ended, and troubles that belong to no test."""
    planned: set = dataclasses.field(default_factory=set)
    ended: dict = dataclasses.field(default_factory=dict)
    troubles: list = dataclasses.field(default_factory=list)

    def those(self, outcome):
        return sorted(name for name, (how, _) in self.ended.items() if how == outcome)


class Child:
    """A process that runs the tests of a gate that have not ended yet. Owns its process group and output."""

    def __init__(self, gate, against, tally):
        self.tally = tally
        self.begun = None
        self.output = tempfile.TemporaryFile()
        self.shown_from = 0
        self.news, told = os.pipe()
        order = json.dumps({'gate': gate, 'against': against, 'standard': against == STANDARD,
                            'ended': sorted(tally.ended), 'told': told})
        self.process = subprocess.Popen(
            [sys.executable, __file__, '--child', order], stdin=subprocess.DEVNULL, stdout=self.output,
            stderr=self.output, pass_fds=[told], start_new_session=True)
        os.close(told)

    def follow(self):
        """Books what the child tells until it ends. Returns None, or what befell it."""
        text = b''
        heard = time.monotonic()
        while True:
            over = self.process.poll() is not None  # asked before reading: its last news is still in the pipe
            if select.select([self.news], [], [], 0 if over else 0.2)[0]:
                piece = os.read(self.news, 65536)
                *lines, text = (text + piece).split(b'\n')
                for line in lines:
                    self.book(*json.loads(line))
                heard = time.monotonic()
                if piece:
                    continue
            if over:
                status = self.process.returncode
                return None if status == 0 else f'ended its process ({describe(status)})'
            if time.monotonic() - heard > LIMIT:
                self.process.send_signal(signal.SIGABRT)  # faulthandler prints where every thread is
                self.wait_for_traceback()
                return f'hung for {LIMIT} s'

    def book(self, what, name, *rest):
        if what == 'planned':
            self.tally.planned.update(name)
        elif what == 'begins':
            self.begun = name
            self.shown_from = os.fstat(self.output.fileno()).st_size
        elif what == 'ended':
            self.begun = None
            self.tally.ended[name] = rest
        else:
            self.tally.troubles.append(name)

    def wait_for_traceback(self):
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass

    def close(self):
        """Kills what is left of the process group. Returns what was printed since the last test began."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.news)
        with self.output:
            self.output.seek(self.shown_from)
            return self.output.read().decode(errors='replace')[-OUTPUT:]


def describe(status):
    return f'signal {signal.Signals(-status).name}' if status < 0 else f'exit status {status}'


def run(gate, against):
    """Runs a gate, in as many processes as it takes. Returns its Tally."""
    tally = Tally()
    while True:
        ended_before = len(tally.ended)
        child = Child(gate, against, tally)
        try:
            mishap = child.follow()
        finally:
            output = child.close()
        if mishap is None:
            return tally
        if child.begun is not None:
            tally.ended[child.begun] = ('failed', f'{mishap}. It printed:\n{output}')
            continue
        tally.troubles.append(f'the process of the tests {mishap} outside of any test. It printed:\n{output}')
        if len(tally.ended) == ended_before:
            return tally


def judge(gate, against, tally, seconds):
    """Prints what is wrong and, as the last line, the figures. Returns whether all is well."""
    left_out, changed = ({}, {}) if against == STANDARD else (LEFT_OUT[gate], CHANGED[gate])
    troubles = list(tally.troubles)
    if tally.planned:
        troubles += [f'{name} is in standard/differences.py, but there is no such test'
                     for name in sorted({**left_out, **changed}.keys() - tally.planned)]
    due = tally.planned - left_out.keys()
    passed, skipped, failed = (tally.those(outcome) for outcome in ('passed', 'skipped', 'failed'))
    troubles += [f'{name} failed: {tally.ended[name][1]}' for name in failed]
    troubles += [f'{name} did not run' for name in sorted(due - tally.ended.keys())]
    for name in skipped:
        reason = tally.ended[name][1]
        if against == STANDARD:
            print(f'{gate}: {name} skips itself: {reason}')
        else:
            troubles.append(f'{name} skips itself ({reason}), and standard/differences.py does not say why')
    if not due:
        troubles.append(f'0 of 0 tests: {sys.executable} has no tests for this gate')
    for trouble in troubles:
        print(f'{gate}: {trouble}')
    themselves = f', {len(skipped)} skip themselves' if skipped else ''
    print(f'{gate}: {len(passed)} of {len(due)} passed{themselves}, {len(changed.keys() & due)} changed, '
          f'{len(left_out)} left out ({seconds:.1f} s)', flush=True)
    return not troubles


def gate(name):
    if name not in GATES:
        raise argparse.ArgumentTypeError(f'there is no gate {name!r}; there are {", ".join(GATES)}')
    return name


def main():
    if sys.argv[1:2] == ['--child']:
        from standard import child
        return child.main(json.loads(sys.argv[2]))
    arguments = argparse.ArgumentParser(description='Runs tests of the standard library against forkful.')
    arguments.add_argument('gates', metavar='GATE', nargs='*', type=gate, help=', '.join(GATES) + '; or all')
    arguments.add_argument('--against', metavar='MODULE', default='forkful', help='the module under test')
    arguments.add_argument('--left-out', action='store_true', help='print the tests left out or changed, why')
    asked = arguments.parse_args()
    well = True
    for name in asked.gates or GATES:
        if asked.left_out:
            for what, table in (('left out', LEFT_OUT), ('changed', CHANGED)):
                for test, reason in table[name].items():
                    print(f'{name}: {test} {what}: {reason}')
            continue
        start = time.monotonic()
        tally = run(name, asked.against)
        well = judge(name, asked.against, tally, time.monotonic() - start) and well
    return 0 if well else 1


if __name__ == '__main__':
    sys.exit(main())
