"""What `forkful tour --python` gives to an interpreter: runs a step's lines as a notebook runs a cell.

Arguments: the directory of the tool, what earlier cells have made, the lines, and what the lines find in sys.argv[1:].
Without lines it only looks whether the module is there. Leaves with 0, with 1 after an exception, with `no_module` and
one line that says why. All that it prints is ASCII, in whole lines.
"""
import sys

if sys.path[0] == '':       # the working directory: what lies there is no module of ours
    del sys.path[0]

import ast              # noqa: E402
import linecache        # noqa: E402
import os               # noqa: E402
import traceback        # noqa: E402
import types            # noqa: E402

no_module = 3


def find_module(tool):
    """Imports forkful: what Python finds by itself (PYTHONPATH, an installed one), else what is beside the tool."""
    version = 'python%d.%d' % sys.version_info[:2]
    try:
        import forkful      # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != 'forkful':
            raise
        sys.path += [os.path.join(tool, '..', place) for place in (
            'python', f'lib/{version}/site-packages', f'lib/{version}/dist-packages', 'lib/python3/dist-packages')]
        import forkful      # noqa: F401


def run(before, lines):
    """As in a notebook, the value of a last line that is an expression is printed. Returns the exit status."""
    main = types.ModuleType('__main__')
    main.__builtins__ = __builtins__
    sys.modules['__main__'] = main
    name = '<the tour>'
    linecache.cache[name] = len(lines), None, lines.splitlines(keepends=True), name
    try:
        exec(compile(before, '<before>', 'exec'), vars(main))
        cell = ast.parse(lines, name)
        value = cell.body.pop() if isinstance(cell.body[-1], ast.Expr) else None
        exec(compile(cell, name, 'exec'), vars(main))
        if value is not None:
            made = eval(compile(ast.Expression(value.value), name, 'eval'), vars(main))
            if made is not None:
                print(repr(made))
    except ModuleNotFoundError as error:
        if error.name != 'numpy':
            return told(error)
        print("(left out: this Python has no NumPy; Debian's package is python3-numpy)")
    except Exception as error:
        return told(error)
    return 0


def told(error):
    """Prints the exception, without our own lines."""
    traceback.print_exception(type(error), error, error.__traceback__.tb_next)
    return 1


def start():
    for stream in sys.stdout, sys.stderr:
        stream.reconfigure(encoding='ascii', errors='backslashreplace', line_buffering=True)
    os.environ.pop('FORKFUL_REPORT', None)      # is about the tool's own calls, and has one writer
    tool, before, lines, *sys.argv[1:] = sys.argv[1:]
    try:
        find_module(tool)
    except ImportError as error:
        print(f'{type(error).__name__}: {error}')
        return no_module
    return run(before, lines) if lines else 0


sys.exit(start())
