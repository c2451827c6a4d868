"""Gate `joblib`: the tests of joblib/test/test_parallel.py (1.2) that have a process back end as parameter.

'forkful' takes the place of 'loky' in each parametrisation, and the tests that then have it as a parameter
are the gate. On the standard library nothing is replaced: the gate is what has joblib's own back ends.
"""
import sys

import joblib  # noqa: F401  where it is missing, the gate says so
import pytest

from . import against

SUITE = 'joblib.test.test_parallel'
REPLACED = 'loky'
SCRIPTS = ('UNPICKLABLE_CALLABLE_SCRIPT_TEMPLATE_NO_MAIN', 'UNPICKLABLE_CALLABLE_SCRIPT_TEMPLATE_MAIN')
back_ends = {'loky', 'multiprocessing'} if against.standard else {'forkful'}


def run(tell):
    if not against.standard:
        against.under_test().register_joblib()
    options = ['-q', '--capture=no', '-p', 'no:cacheprovider', '--pyargs', SUITE]
    status = pytest.main(options, plugins=[Plugin(tell)])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        tell('trouble', f'pytest ended with {pytest.ExitCode(status)!r}')


def replaced(value):
    if isinstance(value, tuple):
        return tuple(map(replaced, value))
    return 'forkful' if isinstance(value, str) and value == REPLACED else value


def with_ours(mark):
    if mark.name != 'parametrize':
        return mark
    names, values, *rest = mark.args
    values = list(values)
    ours = [replaced(value) for value in values]
    if ours != values:
        values = [value for place, value in enumerate(ours) if value not in ours[:place]]
    return pytest.mark.parametrize(names, values, *rest, **mark.kwargs).mark


class Plugin:
    """Replaces, selects, and tells of each test."""

    def __init__(self, tell):
        self.tell = tell
        self.outcome = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, collector, name, obj):
        if not against.standard and name.startswith('test_') and hasattr(obj, 'pytestmark'):
            obj.pytestmark = [with_ours(mark) for mark in obj.pytestmark]

    def pytest_collection_modifyitems(self, items):
        suite = sys.modules[SUITE]
        if not against.standard:
            for script in SCRIPTS:
                text = getattr(suite, script)
                setattr(suite, script, f'import {against.name}\n{against.name}.register_joblib()\n{text}')
        ours = [item for item in items if has_back_end(item)]
        items[:] = self.tell.plan(ours, lambda item: item.name)

    def pytest_runtest_protocol(self, item):
        self.outcome = 'passed', ''
        self.tell('begins', item.name)

    def pytest_runtest_logreport(self, report):
        if report.skipped:
            self.outcome = 'skipped', getattr(report, 'wasxfail', None) or report.longrepr[2]
        elif report.failed:
            self.outcome = 'failed', report.longreprtext

    def pytest_runtest_logfinish(self, nodeid):
        self.tell('ended', nodeid.split('::', 1)[1], *self.outcome)


def has_back_end(item):
    parameters = item.callspec.params.values() if hasattr(item, 'callspec') else ()
    return any(isinstance(value, str) and value in back_ends for value in parameters)
