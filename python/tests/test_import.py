"""What `import forkful` loads, and what only the first use of a name does: all of it in fresh interpreters."""
import subprocess
import sys

import pytest

# What a program without arrays, notebooks and old-style functions never pays for.
_never = {'cloudpickle', 'numpy', 'joblib', 'IPython', 'ipykernel', 'asyncio', 'ctypes', 'typing', 'json', 'html',
          'uuid', 'inspect', 'unittest', 'multiprocessing.managers', 'multiprocessing.shared_memory', 'forkful.joblib',
          'forkful.replacing', 'forkful.reports', 'forkful.advice', 'forkful.executor'}


def run(program):
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def loaded(statements):
    return set(run(f'{statements}\nimport sys\nprint(*sys.modules)'))


def test_import_loads_what_multiprocessing_loads_and_the_extension():
    assert loaded('import forkful') - loaded('import multiprocessing, importlib') == {'forkful', 'forkful._core'}


def test_a_pool_loads_only_what_pools_need():
    modules = loaded('import forkful\nwith forkful.Pool(2) as pool:\n    assert pool.map(abs, [-1, -2]) == [1, 2]\n'
                     '    assert not pool.try_map(int, ["x"])[0].ok')
    assert 'forkful.pool' in modules
    assert not modules & _never


def test_a_pool_has_its_exceptions_before_it_needs_them():
    assert 'forkful.errors' in loaded('import forkful\nforkful.Pool')


@pytest.mark.parametrize('name, home', [
    ('Pool', 'forkful.pool'), ('SerialPool', 'forkful.pool'), ('SnapshotPool', 'forkful.pool'),
    ('ThreadPool', 'multiprocessing.pool'), ('ProcessPoolExecutor', 'forkful.executor'),
    ('WorkerCrashed', 'forkful.errors'), ('Error', 'forkful.errors'), ('Outcome', 'forkful.outcome'),
    ('shared_array', 'forkful.arrays'), ('share', 'forkful.arrays'), ('is_shared', 'forkful.arrays'),
    ('advise', 'forkful.advice'), ('Report', 'forkful.reports'), ('Progress', 'forkful.progress'),
    ('get_context', 'forkful.contexts'), ('replace_multiprocessing', 'forkful.replacing'),
    ('Process', 'multiprocessing.context'), ('TimeoutError', 'multiprocessing.context')])
def test_each_name_is_found_first_thing(name, home):
    assert run(f'import forkful\nprint(forkful.{name}.__module__)') == [home]


def test_pool_is_a_module_of_forkful_s_own():
    assert run('import multiprocessing.pool, forkful\nprint(forkful.pool.__name__)') == ['forkful.pool']


def test_names_are_listed_before_they_are_loaded():
    names = set(run('import forkful\nprint(*dir(forkful))'))
    assert {'Pool', 'ProcessPoolExecutor', 'WorkerCrashed', 'shared_array', 'advise', 'cpu_count', 'pool'} <= names


def test_what_is_no_name_is_an_attribute_error():
    assert run('import forkful\ntry:\n    forkful.Pol\nexcept AttributeError as error:\n    print("Pol" in str(error))'
               ) == ['True']


def test_without_a_pool_the_engine_s_errors_are_forkful_s():
    pytest.importorskip('numpy')
    assert run('import forkful\ntry:\n    forkful.shared_array(1 << 55)\nexcept MemoryError as error:\n'
               '    print(type(error).__name__)') == ['ArenaExhausted']


def test_star_has_the_names_of_both():
    names = run('from forkful import *\nprint(*(one.__module__ for one in (Pool, shared_array, WorkerCrashed, init)), '
                'Process.__name__, Queue.__name__, cpu_count() > 0)')
    assert names == ['forkful.pool', 'forkful.arrays', 'forkful.errors', 'forkful.template', 'Process', 'Queue', 'True']
