"""python3 -m forkful: runs an unchanged program with the standard library's pools replaced by forkful's.

The program finds __main__, sys.argv and sys.path as if Python had been given it directly.
"""
import os
import sys
import types

_usage = 'usage: python3 -m forkful [--report FILE] [-m MODULE | SCRIPT] [ARG ...]'
_help = f"""{_usage}

Runs a program with multiprocessing.Pool, multiprocessing.pool.Pool and
concurrent.futures.ProcessPoolExecutor replaced by forkful's: a worker that dies
costs one item and not the program, and functions made after a pool are known to
its workers.

  --report FILE   reports all calls of the program when it has ended. FILE ends in
                  .html (a page to look at), .json or .trace (for ui.perfetto.dev);
                  - is the text, on standard output
  -m MODULE       runs a module, as python3 -m does
  -h, --help      prints this
  --version       prints the version
"""


def main():
    """Runs what sys.argv names. Raises SystemExit for what cannot be run, and whatever the program raises."""
    report, module, program = _read(sys.argv[1:])
    if report is not None:
        _check_report(report)
    code, spec = _found_module(program) if module else _found_script(program)
    if report is not None:
        _begin_report(report)
    from .replacing import replace_multiprocessing
    replace_multiprocessing()
    exec(code, vars(_new_main(spec, program[0])))


def _read(arguments):
    """(the report's FILE or None, whether a module is meant, what is to be run and its arguments)"""
    report = None
    while arguments and arguments[0].startswith('-'):
        option, arguments = arguments[0], arguments[1:]
        name, equals, value = option.partition('=')
        if name == '--report':
            if not equals:
                if not arguments:
                    _refuse('--report needs the name of a file')
                value, arguments = arguments[0], arguments[1:]
            report = value
        elif option == '-m':
            if not arguments:
                _refuse('-m needs the name of a module')
            return report, True, arguments
        elif option in ('-h', '--help'):
            print(_help, end='')
            sys.exit(0)
        elif option == '--version':
            from . import __version__
            print(f'forkful {__version__}')
            sys.exit(0)
        elif option == '--':
            break
        else:
            _refuse(f'there is no option {option}; what is meant for the program comes after its name')
    if not arguments:
        _refuse('which program?')
    return report, False, arguments


def _refuse(why):
    print(f'forkful: {why}\n{_usage}', file=sys.stderr)
    sys.exit(2)


def _check_report(path):
    """Ends the program before it begins if no report could be written there: it may take hours."""
    from .reports import endings
    if path == '-':
        return
    if os.path.splitext(path)[1] not in endings:
        _refuse(f'--report {path}: a report is written to a file that ends in .html, .json or .trace, or to -'
                ' as text')
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path) or not os.access(path if os.path.exists(path) else folder, os.W_OK):
        _refuse(f'--report {path}: this file cannot be written')


def _begin_report(path):
    """Starts the process that writes it.

    The engine reads the variable when the first pool of a process is made. One is made at once, so that the
    variable is gone before the program runs others, which would write the same file.
    """
    from . import SerialPool
    before = os.environ.get('FORKFUL_REPORT')
    os.environ['FORKFUL_REPORT'] = path if path == '-' else os.path.abspath(path)
    SerialPool().terminate()
    if before is None:
        del os.environ['FORKFUL_REPORT']
    else:
        os.environ['FORKFUL_REPORT'] = before


def _found_script(program):
    """(code, spec) of a script, or of a directory or zip file with a __main__.py."""
    import io
    import pkgutil
    import runpy
    path = program[0]
    sys.argv[:] = program
    if os.path.isdir(path) or pkgutil.get_importer(path) is not None:
        sys.path[0] = os.path.abspath(path)
        try:
            _, spec, code = runpy._get_main_module_details(_NoModule)
        except _NoModule as error:
            _leave(error)
        return code, spec
    try:
        with io.open_code(os.path.abspath(path)) as file:
            text = file.read()
    except OSError as error:
        _leave(f"can't open file {os.path.abspath(path)!r}: [Errno {error.errno}] {error.strerror}", 2)
    if not getattr(sys.flags, 'safe_path', False):
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    return compile(text, os.path.abspath(path), 'exec', dont_inherit=True), None


def _found_module(program):
    """(code, spec) of a module, or of the __main__ of a package."""
    import runpy
    sys.argv[:] = ['-m', *program[1:]]      # what packages see while they are imported
    try:
        _, spec, code = runpy._get_module_details(program[0], _NoModule)
    except _NoModule as error:
        _leave(error)
    sys.argv[0] = spec.origin
    return code, spec


class _NoModule(Exception):
    pass


def _leave(why, status=1):
    print(f'forkful: {why}', file=sys.stderr)
    sys.exit(status)


def _new_main(spec, path):
    """The program's __main__, as long as the process lives: its functions are found by name to the end."""
    module = types.ModuleType('__main__')
    if spec is None:
        from importlib.machinery import SourceFileLoader
        module.__file__ = os.path.abspath(path)
        module.__loader__ = SourceFileLoader('__main__', module.__file__)
        module.__cached__ = None
    else:
        module.__file__, module.__cached__, module.__loader__ = spec.origin, spec.cached, spec.loader
        module.__package__, module.__spec__ = spec.parent, spec
    module.__builtins__ = __builtins__
    module.__annotations__ = {}
    sys.modules['__main__'] = sys.modules['__mp_main__'] = module      # the latter is multiprocessing's name
    return module


if __name__ == '__main__':
    main()
