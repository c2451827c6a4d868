"""The module under test, and how it is put in the place of the standard library's.

`under_test()` imports it; the modules of the gates call it when they are imported, in the child only.
"""
import concurrent.futures
import concurrent.futures.process
import importlib
import multiprocessing.pool
import os
import re
import sys

name = None  # set by child.main, as `standard`, before a gate is imported
standard = None  # whether the standard library itself is under test


def under_test():
    return importlib.import_module(name)


def executor():
    return concurrent.futures.ProcessPoolExecutor if standard else under_test().ProcessPoolExecutor


def in_scripts(assert_python_ok):
    """An assert_python_ok for the tests that run a script: the script imports from the module under test."""
    def run(option, script, **environment):
        ours = re.sub(r'from (multiprocessing|concurrent\.futures) import', f'from {name} import', script)
        assert ours != script, f'the script imports nothing that {name} stands for:\n{script}'
        # With a variable set the script is not isolated. The import before it is for test_hang_gh83386.
        return assert_python_ok(option, f'import {name} as multiprocessing\n{ours}',
                                PYTHONPATH=os.pathsep.join(sys.path), **environment)
    return assert_python_ok if standard else run


def refuse_the_standard_ones():
    """A test that makes a pool of the standard library's fails from now on: it would test nothing of ours."""
    for kind in (multiprocessing.pool.Pool, concurrent.futures.process.ProcessPoolExecutor):
        kind.__init__ = refusing(kind, kind.__init__)


def refusing(kind, make):
    def __init__(self, *arguments, **options):
        assert type(self) is not kind, f'the test made a {kind.__module__}.{kind.__qualname__}'
        make(self, *arguments, **options)
    return __init__
