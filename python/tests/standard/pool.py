"""Gate `pool`: CPython's tests of multiprocessing.Pool (test/_test_multiprocessing.py), of processes.

Their module reads `multiprocessing` as a global and ProcessesMixin takes Pool from it: both are set to the
module under test, then their own function makes the classes. It makes them here, since tests pickle bound
class methods.
"""
import test._test_multiprocessing as suite
import test.support.script_helper as script_helper

from . import against
from .child import tests_of

module = against.under_test()


def generator_as_result():
    return (slice for slice in 'cake')


if not against.standard:
    suite.multiprocessing = module
    suite.ProcessesMixin.Pool = staticmethod(module.Pool)
    suite.unpickleable_result = generator_as_result
    script_helper.assert_python_ok = against.in_scripts(script_helper.assert_python_ok)
    with module.Pool(1) as first:  # starts forkful's one thread a process: no test leaves it behind
        first.map_async(int, '1').get()
    first.join()

suite.install_tests_in_module_dict(globals(), 'fork')


def tests(gate):
    names = globals()
    return (tests_of(names['WithProcessesTestPool']) + tests_of(names['WithProcessesTestPoolWorkerErrors']) +
            tests_of(names['WithProcessesTestPoolWorkerLifetime']) +
            tests_of(names['TestInitializers'], 'test_pool') +
            tests_of(names['TestStdinBadfiledescriptor'], 'test_pool'))
