"""python3 -m forkful and replace_multiprocessing: programs that know nothing of forkful, run on it."""
import json
import os
import subprocess
import sys
import textwrap
import zipfile

import pytest

_environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(p for p in sys.path if p)}
_environment.pop('FORKFUL_REPORT', None)

_program = '''
import multiprocessing, sys
def square(x):
    return x * x
if __name__ == '__main__':
    with multiprocessing.Pool(2) as pool:
        print(type(pool).__module__.split('.')[0], pool.map(square, range(4)), sys.argv[1:])
'''
_expected = "forkful [0, 1, 4, 9] ['--report', 'x']\n"


def _run(*arguments, cwd, **more):
    return subprocess.run([sys.executable, *arguments], cwd=cwd, env=_environment, capture_output=True,
                          text=True, timeout=120, **more)


def _on_forkful(folder, program, *arguments, options=()):
    path = folder / 'program.py'
    path.write_text(textwrap.dedent(program))
    done = _run('-m', 'forkful', *options, 'program.py', *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_script_runs_on_forkful(tmp_path):
    assert _on_forkful(tmp_path, _program, '--report', 'x') == _expected


def test_without_us_it_does_not(tmp_path):
    (tmp_path / 'program.py').write_text(_program)
    done = _run('program.py', '--report', 'x', cwd=tmp_path)
    assert done.stdout == _expected.replace('forkful', 'multiprocessing')


def test_every_door_leads_to_forkful(tmp_path):
    assert _on_forkful(tmp_path, '''
        import concurrent.futures, concurrent.futures.process, multiprocessing, multiprocessing.pool
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import Pool
        from multiprocessing.pool import Pool as Other
        import forkful

        def square(x):
            return x * x

        class Mine(multiprocessing.pool.Pool):
            pass

        if __name__ == '__main__':
            fork = multiprocessing.get_context('fork')
            for made in Pool, Other, multiprocessing.Pool, multiprocessing.pool.Pool, fork.Pool, Mine:
                with made(2) as pool:
                    print(isinstance(pool, forkful.Pool), isinstance(pool, Other), pool.map(square, [2, 3]))
            for made in (ProcessPoolExecutor, concurrent.futures.ProcessPoolExecutor,
                         concurrent.futures.process.ProcessPoolExecutor):
                with made(2) as pool:
                    print(isinstance(pool, forkful.ProcessPoolExecutor), isinstance(pool, made),
                          *pool.map(square, [2, 3]))
        ''').splitlines() == ['True True [4, 9]'] * 6 + ['True True 4 9'] * 3


def test_threads_and_spawned_workers_stay_the_standard_library_s(tmp_path):
    assert _on_forkful(tmp_path, '''
        import multiprocessing, os, sys
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing.pool import ThreadPool

        def where(x):
            return x, 'forkful' in sys.modules

        if __name__ == '__main__':
            with ThreadPool(2) as pool:
                print(pool.map(lambda x: (x, os.getpid()), [1, 2]) == [(1, os.getpid()), (2, os.getpid())])
            spawn = multiprocessing.get_context('spawn')
            with spawn.Pool(1) as pool:
                print(type(pool).__module__, pool.map(where, [5]))
            with ProcessPoolExecutor(1, mp_context=spawn) as pool:
                print(type(pool).__module__, list(pool.map(where, [6])))
            multiprocessing.set_start_method('spawn', force=True)
            with multiprocessing.Pool(1) as pool:
                print(type(pool).__module__, pool.map(where, [7]))
            with multiprocessing.pool.Pool(1) as pool:
                print(type(pool).__module__, pool.map(where, [8]))
        ''').splitlines() == ['True', 'multiprocessing.pool [(5, False)]',
                              'concurrent.futures.process [(6, False)]',
                              'multiprocessing.pool [(7, False)]', 'multiprocessing.pool [(8, False)]']


def test_replacing_twice_is_replacing_once():
    code = '''if True:
        import forkful, multiprocessing.pool
        standard = multiprocessing.pool
        forkful.replace_multiprocessing()
        replaced = multiprocessing.pool
        forkful.replace_multiprocessing()
        print(replaced is not standard, multiprocessing.pool is replaced)
    '''
    done = subprocess.run([sys.executable, '-c', code], env=_environment, capture_output=True, text=True,
                          timeout=60)
    assert done.stdout == 'True True\n', done.stderr


def test_a_killed_worker_costs_one_item(tmp_path):
    assert _on_forkful(tmp_path, '''
        import multiprocessing, os, signal

        def work(x):
            if x == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return x

        if __name__ == '__main__':
            with multiprocessing.Pool(2) as pool:
                tasks = [pool.apply_async(work, (x,)) for x in range(5)]
                for task in tasks:
                    try:
                        print(task.get(60))
                    except Exception as error:
                        print(type(error).__name__)
        ''') == '0\n1\nWorkerCrashed\n3\n4\n'


_names = '''
import atexit, sys
here = globals()
print(sorted(name for name in here if name.startswith('__')))
print(__name__, __file__, __package__, __spec__ and __spec__.name, type(__loader__).__name__)
print(sys.argv, sys.path[0], sys.modules['__main__'].__dict__ is here)
atexit.register(lambda: print('at exit', sys.modules['__main__'].__dict__ is here))
'''


def test_the_program_finds_itself_as_if_run_directly(tmp_path):
    folder = tmp_path / 'folder'
    folder.mkdir()
    (folder / 'program.py').write_text(_names)
    link = tmp_path / 'link.py'
    link.symlink_to(folder / 'program.py')
    for path in 'folder/program.py', str(folder / 'program.py'), 'link.py':
        ours = _run('-m', 'forkful', path, 'a', '-b', cwd=tmp_path)
        directly = _run(path, 'a', '-b', cwd=tmp_path)
        assert directly.stdout.endswith('at exit True\n') and str(folder) in directly.stdout
        assert ours.stdout == directly.stdout, path


def test_modules_packages_folders_and_archives_run(tmp_path):
    (tmp_path / 'module.py').write_text(_program + _names)
    package = tmp_path / 'package'
    package.mkdir()
    (package / '__init__.py').write_text('import sys\nprint(sys.argv)\n')
    (package / '__main__.py').write_text(_program + _names)
    with zipfile.ZipFile(tmp_path / 'archive.pyz', 'w') as archive:
        archive.writestr('__main__.py', _program + _names)
    for what in ['-m', 'module'], ['-m', 'package'], ['package'], ['archive.pyz']:
        ours = _run('-m', 'forkful', *what, '--report', 'x', cwd=tmp_path)
        directly = _run(*what, '--report', 'x', cwd=tmp_path)
        assert _expected in ours.stdout, ours.stderr
        assert ours.stdout == directly.stdout.replace('multiprocessing', 'forkful'), what


def test_how_it_ends_is_the_program_s(tmp_path):
    (tmp_path / 'leaves.py').write_text('import sys\nsys.exit(7)\n')
    assert _run('-m', 'forkful', 'leaves.py', cwd=tmp_path).returncode == 7
    (tmp_path / 'raises.py').write_text('def f():\n    raise KeyError("seven")\nf()\n')
    done = _run('-m', 'forkful', 'raises.py', cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.endswith(f'  File "{tmp_path}/raises.py", line 2, in f\n    raise KeyError("seven")\n'
                                "KeyError: 'seven'\n")


@pytest.mark.parametrize('form', ['html', 'json', 'trace'])
def test_a_report_of_the_whole_program(tmp_path, form):
    program = _program + '''
        import os, subprocess
        print(os.environ.get('FORKFUL_REPORT'))
        other = 'import forkful; forkful.SerialPool().map(abs, [1])'
        subprocess.run([sys.executable, '-c', other], check=True, timeout=60)
        os.chdir('/')
        with multiprocessing.Pool(2) as pool:
            pool.map(square, range(7))
'''.replace('\n        ', '\n    ')
    assert _on_forkful(tmp_path, program, options=['--report', f'run.{form}']).splitlines()[-1] == 'None'
    text = (tmp_path / f'run.{form}').read_text()
    if form == 'html':
        assert text.startswith('<!DOCTYPE html>')
        return
    found = json.loads(text)
    if form == 'json':
        assert [(call['verb'], call['slices']) for call in found['calls']] == [('map', 4), ('map', 7)]


def test_a_report_as_text(tmp_path):
    out = _on_forkful(tmp_path, _program, options=['--report=-'])
    assert out.startswith('forkful [0, 1, 4, 9]') and 'map: 4 slices in ' in out


def test_a_program_without_pools_has_an_empty_report(tmp_path):
    assert _on_forkful(tmp_path, 'print(1)\n', options=['--report', 'run.json']) == '1\n'
    assert json.loads((tmp_path / 'run.json').read_text())['calls'] == []


@pytest.mark.parametrize('arguments, status, said', [
    ([], 2, 'which program?'),
    (['missing.py'], 2, "can't open file '{}/missing.py': [Errno 2] No such file or directory"),
    (['-m', 'missing_module'], 1, 'No module named missing_module'),
    (['-m'], 2, '-m needs the name of a module'),
    (['folder'], 1, "can't find '__main__' module in '{}/folder'"),
    (['--report'], 2, '--report needs the name of a file'),
    (['--report', 'run.pdf', 'program.py'], 2, 'written to a file that ends in .html, .json or .trace'),
    (['--report', 'nowhere/run.html', 'program.py'], 2, 'nowhere/run.html: this file cannot be written'),
    (['--reprot', 'run.html', 'program.py'], 2, 'there is no option --reprot'),
])
def test_errors_are_sentences(tmp_path, arguments, status, said):
    (tmp_path / 'program.py').write_text('print("ran")\n')
    (tmp_path / 'folder').mkdir()
    done = _run('-m', 'forkful', *arguments, cwd=tmp_path)
    assert done.returncode == status
    assert done.stdout == ''
    assert done.stderr.startswith('forkful: ') and 'Traceback' not in done.stderr
    assert said.format(os.path.realpath(tmp_path)) in done.stderr


def test_help_and_version(tmp_path):
    done = _run('-m', 'forkful', '--help', cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.startswith('usage: python3 -m forkful [--report FILE] ')
    assert max(map(len, done.stdout.splitlines())) <= 84
    assert _run('-m', 'forkful', '--version', cwd=tmp_path).stdout.startswith('forkful 0.')


def test_joblib_s_own_back_end_runs_on_forkful(tmp_path):
    pytest.importorskip('joblib')
    assert _on_forkful(tmp_path, '''
        from joblib import Parallel, delayed
        import sys

        def square(x):
            import forkful
            return x * x, forkful.in_worker()

        if __name__ == '__main__':
            print(Parallel(n_jobs=2, backend='multiprocessing')(delayed(square)(x) for x in range(3)))
        ''') == '[(0, True), (1, True), (4, True)]\n'
