"""The module as it is installed: a wheel, in an environment of its own."""
import os
import subprocess
import sys
import zipfile

import pytest

import forkful

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
built = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(forkful.__file__))))


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp('wheel')
    done = subprocess.run(
        [sys.executable, '-m', 'pip', 'wheel', root, '--no-deps', '--no-index', '-q', '-w', folder, '--config-settings',
         f'build-dir={built}'], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    made, = folder.iterdir()
    return made


def test_a_wheel_holds_the_module_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    here = os.path.dirname(forkful.__file__)
    expected = {f'forkful/{name}' for name in os.listdir(here) if not name.startswith('__pycache__')}
    assert {name for name in names if name.startswith('forkful/')} == expected
    assert {'forkful/__init__.py', 'forkful/__init__.pyi', 'forkful/py.typed'} < expected
    assert sorted(name.split('/')[1] for name in names if '.dist-info/' in name) == ['METADATA', 'RECORD', 'WHEEL']


def test_it_installs_and_runs_in_a_fresh_environment(wheel, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}
    subprocess.run([sys.executable, '-m', 'venv', '--system-site-packages', tmp_path / 'env'], check=True, timeout=120)
    python = tmp_path / 'env/bin/python3'
    done = subprocess.run([python, '-m', 'pip', 'install', '--no-deps', '--no-index', '-q', wheel], env=environment,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    program = ('import forkful\n'
               'print(forkful.__file__)\n'
               'with forkful.Pool(2) as pool:\n'
               '    print(pool.map(abs, [-1, -2]))\n')
    done = subprocess.run([python, '-c', program], env=environment, capture_output=True, text=True, timeout=60,
                          cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    where, results = done.stdout.splitlines()
    assert where.startswith(str(tmp_path / 'env')) and results == '[1, 2]'
    assert forkful.__version__ in wheel.name
