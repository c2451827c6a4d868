"""What a gate's process does: it runs the tests that have not ended and tells of each over a pipe.

Told are lines of JSON: ["planned", names], ["begins", name], ["ended", name, outcome, text],
["trouble", sentence].
"""
import faulthandler
import importlib
import json
import os
import sys
import unittest

from . import against
from .differences import LEFT_OUT

MODULES = {'pool': 'pool', 'executor': 'futures', 'deadlock': 'futures', 'future': 'futures',
           'joblib': 'joblibs'}


class Teller:
    """Tells the parent. Written at once, so that neither a crash nor a fork loses or doubles a line."""

    def __init__(self, order):
        self.fd = order['told']
        self.set_aside = set(order['ended'])
        if not order['standard']:
            self.set_aside.update(LEFT_OUT[order['gate']])

    def __call__(self, *news):
        line = json.dumps(news).encode() + b'\n'
        while line:
            line = line[os.write(self.fd, line):]

    def plan(self, tests, name):
        """Tells of all tests; returns those that are to be run."""
        self('planned', [name(test) for test in tests])
        return [test for test in tests if name(test) not in self.set_aside]


def main(order):
    faulthandler.enable()
    tell = Teller(order)
    against.name, against.standard = order['against'], order['standard']
    try:
        against.under_test()
        if not against.standard:
            against.refuse_the_standard_ones()
        gate = importlib.import_module(f'standard.{MODULES[order["gate"]]}')
    except ImportError as error:
        tell('trouble', f'{sys.executable} cannot import what the gate needs: {error} (Debian: the tests are '
                        f'in libpython3.11-testsuite and python3-joblib; forkful is found by PYTHONPATH)')
        return 0
    if order['gate'] == 'joblib':
        gate.run(tell)
    else:
        run(gate.tests(order['gate']), tell)
    return 0


def run(tests, tell):
    """Runs unittest's tests."""
    from test import support
    left = tell.plan(tests, short_name)
    unittest.TestSuite(left).run(Result(tell))
    if support.environment_altered:
        tell('trouble', 'a class of tests left processes or threads behind')


def short_name(test):
    return f'{type(test).__name__}.{test._testMethodName}'


def tests_of(case, prefix='test'):
    loader = unittest.TestLoader()
    loader.testMethodPrefix = prefix
    return list(loader.loadTestsFromTestCase(case))


class Result(unittest.TestResult):
    """Tells of each test. What fails outside of a test (setUpClass, tearDownModule) is told as a trouble."""

    def __init__(self, tell):
        super().__init__()
        self.tell = tell
        self.outcome = None

    def startTest(self, test):
        super().startTest(test)
        self.outcome = 'passed', ''
        self.tell('begins', short_name(test))

    def stopTest(self, test):
        from test import support
        super().stopTest(test)
        if support.environment_altered:
            support.environment_altered = False
            self.fails(test, 'it left processes or threads behind')
        self.tell('ended', short_name(test), *self.outcome)

    def fails(self, test, text):
        if isinstance(test, unittest.TestCase):
            known = self.outcome[1] if self.outcome[0] == 'failed' else ''
            self.outcome = 'failed', known + text
        else:
            self.tell('trouble', f'{test.id()}: {text}')

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.fails(test, self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        self.fails(test, self.errors[-1][1])

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.fails(test, f'{subtest.id()}: {error[1]!r}')

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        if isinstance(test, unittest.TestCase):
            self.outcome = 'skipped', reason
        else:
            self.fails(test, f'skipped: {reason}')
