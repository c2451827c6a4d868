"""__init__.pyi against the module (mypy's stubtest), and what a type checker makes of programs."""
import ast
import os
import shutil
import subprocess
import sys

import pytest

import forkful

pytest.importorskip('mypy')

_stub = os.path.join(os.path.dirname(os.path.dirname(__file__)), 'forkful', '__init__.pyi')
# Modules of the package have no stubs; the rest is wrong in typeshed's own multiprocessing, or private there.
_allowed = '''forkful\\.[a-z_]+
forkful.JoinableQueue
forkful.Queue
forkful.SimpleQueue
forkful.ThreadPool.Process
'''


@pytest.fixture
def stubs(tmp_path):
    """A folder with nothing of forkful but its stub, so that its modules are not taken for stubs."""
    (tmp_path / 'forkful').mkdir()
    shutil.copy(_stub, tmp_path / 'forkful')
    return tmp_path


def _with_bases_written_out(stub):
    """The stub, where each class has what its private bases have: stubtest does not look into those."""
    lines = stub.read_text().splitlines()
    classes = {one.name: one for one in ast.parse('\n'.join(lines)).body if isinstance(one, ast.ClassDef)}
    written_out = 0
    for one in reversed(classes.values()):      # from the end, so that the lines before stay where they are
        own = {getattr(member, 'name', None) for member in one.body}
        for base in one.bases:
            if getattr(base, 'id', '').startswith('_') and base.id in classes:
                for member in classes[base.id].body:
                    if getattr(member, 'name', '') not in own:
                        first = min([member.lineno, *(line.lineno for line in getattr(member, 'decorator_list', ()))])
                        lines[one.end_lineno:one.end_lineno] = lines[first - 1:member.end_lineno]
                        written_out += 1
    assert written_out > 30
    stub.write_text('\n'.join(lines) + '\n')


def _mypy(folder, *arguments):
    environment = {**os.environ, 'MYPYPATH': str(folder),
                   'PYTHONPATH': os.pathsep.join(p for p in sys.path if p)}
    return subprocess.run([sys.executable, '-m', *arguments], cwd=folder, env=environment,
                          capture_output=True, text=True, timeout=300)


def test_the_stub_is_what_the_module_has(stubs):
    _with_bases_written_out(stubs / 'forkful' / '__init__.pyi')
    (stubs / 'allowed').write_text(_allowed)
    done = _mypy(stubs, 'mypy.stubtest', '--allowlist', 'allowed', 'forkful')
    assert done.returncode == 0, done.stdout + done.stderr


def test_stubtest_sees_what_is_wrong(stubs):
    stub = stubs / 'forkful' / '__init__.pyi'
    stub.write_text(stub.read_text().replace('def report(', 'def told('))
    _with_bases_written_out(stub)
    (stubs / 'allowed').write_text(_allowed)
    done = _mypy(stubs, 'mypy.stubtest', '--allowlist', 'allowed', 'forkful')
    assert done.returncode != 0
    for name in 'ProcessPoolExecutor', 'Pool', 'SnapshotPool', 'SerialPool':
        assert f'forkful.{name}.told is not present at runtime' in done.stdout


def test_types_come_out_as_they_went_in(stubs):
    (stubs / 'program.py').write_text('''
import forkful
import forkful as multiprocessing

def length(text: str) -> int:
    return len(text)

with forkful.Pool(2) as pool:
    reveal_type(pool)
    reveal_type(pool.map(length, ['a']))
    reveal_type(pool.apply_async(length, ('a',)).get())
    reveal_type(pool.submit(length, 'a').result())
    reveal_type([one.value for one in pool.try_map(length, ['a'], attempts=2)])
    reveal_type(pool.report().per_worker[0].time.compute)
    for number in pool.imap(length, ['a'], progress=lambda so_far: print(so_far.done)):
        reveal_type(number)
reveal_type(multiprocessing.get_context('fork').Pool(2))
reveal_type(multiprocessing.Process(target=length))
pool.map(length, [1])
pool.map(length, ['a'], progress='yes')
pool.submit(length, 1)
''')
    done = _mypy(stubs, 'mypy', '--strict', 'program.py')
    revealed = [line.split('"')[1] for line in done.stdout.splitlines() if 'Revealed type' in line]
    assert revealed == ['forkful.Pool', 'builtins.list[builtins.int]', 'builtins.int', 'builtins.int',
                        'builtins.list[builtins.int]', 'builtins.float', 'builtins.int', 'forkful.Pool',
                        'multiprocessing.context.Process'], done.stdout
    wrong = [line.split(':')[1] for line in done.stdout.splitlines() if ' error: ' in line]
    assert wrong == ['19', '20', '21'], done.stdout


def test_the_package_says_that_it_is_typed():
    assert os.path.exists(os.path.join(os.path.dirname(forkful.__file__), 'py.typed'))


def test_every_public_thing_has_a_sentence():
    names = ['Pool', 'SnapshotPool', 'SerialPool', 'ProcessPoolExecutor', 'Outcome', 'Progress', 'Report',
             'Error', 'get_context', 'register_joblib', 'replace_multiprocessing']
    assert [name for name in names if not getattr(forkful, name).__doc__] == []
