"""Runs programs that are tests. forkful itself comes from PYTHONPATH, as it was built."""
import faulthandler
import os
import subprocess
import sys
import textwrap

import pytest

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here]

head = f'''
import sys
sys.path[:0] = [{here!r}]
from forked import Worker, shipping
'''


@pytest.fixture
def limit():
    """A test that hangs ends the run, with the stacks of all threads."""
    faulthandler.dump_traceback_later(50, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def script(tmp_path):
    """Runs a program as __main__ (`how`: from a file, by -c, from stdin). It must get to its end."""
    def run(body, how='file'):
        program = head + textwrap.dedent(body) + '\nprint("done")\n'
        file = tmp_path / 'program.py'
        file.write_text(program)
        command = {'file': [str(file)], '-c': ['-c', program], 'stdin': ['-']}[how]
        given = program if how == 'stdin' else None
        ended = subprocess.run([sys.executable, *command], input=given, capture_output=True, text=True,
                               timeout=60)
        assert ended.returncode == 0 and ended.stdout == 'done\n', ended.stdout + ended.stderr
    return run
