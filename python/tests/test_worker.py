"""What happens in Python in a zygote and in its workers. Each test is a program that forks with os.fork."""
import os
import subprocess
import sys
import textwrap

import pytest

here = os.path.dirname(os.path.abspath(__file__))
head = '''
import os, signal, sys
from multiprocessing import process, util
from forkful import worker

def forked(child):
    """Runs child() in a forked process, and returns its exit status; what it raised is printed."""
    worker.before_fork()
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    signal.alarm(30)
    try:
        child()
        os._exit(0)
    except BaseException:
        import traceback
        os.write(2, traceback.format_exc().encode())
        os._exit(1)

def starts(index=0, count=1, **more):
    worker.worker_starts(index, count, parent, **more)

parent = process.current_process()
'''


def ran(body, *options, status=0, **more):
    """(what the program wrote to stdout, to stderr); it must end with `status`."""
    command = [sys.executable, *options, '-c', head + textwrap.dedent(body)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, **more)
    assert ended.returncode == status, ended.stdout + ended.stderr
    return ended.stdout, ended.stderr


def test_the_process_object():
    out, _ = ran('''
        import multiprocessing
        def child():
            worker.zygote_starts(1)
            starts(2, 3, parent_pid=os.getppid())
            me = multiprocessing.current_process()
            assert me.name == 'ForkfulPoolWorker-3' and me._identity == (3,)
            assert me.daemon and me.worker_index == 2
            assert me.pid == me.ident == os.getpid() and me.is_alive() and me.exitcode is None
            assert me.authkey == parent.authkey
            assert 'ForkfulPoolWorker-3' in repr(me) and 'started' in repr(me)
            above = multiprocessing.parent_process()
            assert above.pid == os.getppid() and above.name == 'MainProcess' and above.is_alive()
            assert multiprocessing.active_children() == []
            outer = me.pid
            def grandchild():
                worker.worker_starts(0, 1, me, parent_pid=outer)
                assert multiprocessing.current_process().name == 'ForkfulPoolWorker-3:1'
                assert multiprocessing.parent_process().pid == outer == os.getppid()
            assert forked(grandchild) == 0
            print('seen')
            worker.flush()
        assert forked(child) == 0
        assert multiprocessing.current_process() is parent and multiprocessing.parent_process() is None
    ''')
    assert out == 'seen\n'


def test_the_parents_finalizers_do_not_run_and_after_forkers_do():
    out, err = ran('''
        class Thing: pass
        thing = Thing()
        final = util.Finalize(thing, lambda: os.write(1, b'final of %d\\n' % os.getpid()), exitpriority=1)
        forked_in = []
        util.register_after_fork(thing, lambda t: forked_in.append(os.getpid()))
        def child():
            worker.zygote_starts(1)
            assert final._key not in util._finalizer_registry
            def grandchild():
                starts()
                assert forked_in == [os.getpid()]           # not in the zygote
                assert final._key not in util._finalizer_registry
                mine = util.Finalize(None, lambda: print('mine'), exitpriority=1)
                worker.worker_leaves()
            assert forked(grandchild) == 0
        assert forked(child) == 0
        print('parent', os.getpid())
    ''')
    lines = out.splitlines()
    assert len(lines) == 3 and lines[0] == 'mine' and lines[1].startswith('parent ')
    assert lines[2] == f'final of {lines[1].split()[1]}'


def test_leaving_waits_for_threads_and_ends_children():
    out, _ = ran('''
        import multiprocessing, threading
        def child():
            worker.zygote_starts(1)
            starts()
            release = threading.Event()
            def work():
                assert release.wait(20)
                print('thread done', end='')
            threading.Thread(target=work).start()
            util.Finalize(None, release.set, exitpriority=1)
            worker.worker_leaves()          # the finalizer lets the thread end, and the thread is waited for
        assert forked(child) == 0
    ''')
    assert out == 'thread done'


def test_output_leaves_by_lines_and_the_rest_with_flush():
    for options in ([], ['-u']):
        out, err = ran('''
            r, w = os.pipe()
            def child():
                os.dup2(w, 1)
                worker.zygote_starts(1)
                starts()
                os.set_blocking(r, False)
                def came():
                    try:
                        return os.read(r, 1000)
                    except BlockingIOError:
                        return b''
                assert worker.printed[0] == 0
                print('a', 'b', 'c')
                assert came() == b'a b c\\n' and worker.printed[0] == 1
                print('rest', end='')
                assert came() == b''
                worker.flush()
                assert came() == b'rest' and worker.printed[0] == 0
                sys.stdout.writelines(['x', 'y'])
                assert worker.printed[0] == 1
                worker.flush()
                assert came() == b'xy'
                sys.stderr.write('to stderr')
                assert worker.printed[0] == 1
                worker.flush()
            assert forked(child) == 0
        ''', *options)
        assert (out, err) == ('', 'to stderr')


def test_a_line_is_one_write_even_unbuffered():
    out, err = ran('''
        import io
        class Counting(io.FileIO):
            writes = []
            def write(self, data):
                self.writes.append(bytes(data))
                return len(data)
        def child():
            sys.stdout = io.TextIOWrapper(Counting(os.dup(1), 'w'), 'utf-8', write_through=True)
            starts()
            print(1, 2, 3)
            assert Counting.writes == [b'1 2 3\\n'], Counting.writes
        assert forked(child) == 0
    ''')


def test_what_the_parent_had_buffered_is_written_once():
    out, _ = ran('''
        print('from the parent', end='')        # stdout is a pipe: it stays in the buffer
        def child():
            worker.zygote_starts(2)
            starts()
            print(' child', end='')
            worker.worker_leaves()
        assert forked(child) == 0
        assert forked(child) == 0
    ''')
    assert out == 'from the parent child child'


def test_streams_that_are_no_files():
    for stream in ('None', 'io.StringIO()', 'Mine()'):
        ran(f'''
            import io
            class Mine:
                __slots__ = ()
                def write(self, text): pass
                def flush(self): raise OSError('no')
            sys.stdout = {stream}
            def child():
                worker.zygote_starts(2)
                starts()
                print('anything')
                worker.flush()
                worker.worker_leaves()
            assert forked(child) == 0
            sys.stdout = None
        ''')
    ran('''
        sys.stdout.close()
        def child():
            worker.zygote_starts(2)
            starts()
            worker.worker_leaves()
        assert forked(child) == 0
    ''')


def test_locks_that_other_threads_hold_at_the_fork():
    """python/cpython#91776: a thread is inside BufferedWriter.write while the process is forked."""
    out, err = ran('''
        import io, logging, threading
        r, w = os.pipe()
        blocked = io.TextIOWrapper(io.BufferedWriter(io.FileIO(w, 'w')), 'utf-8')
        handler = logging.StreamHandler(blocked)
        log = logging.getLogger('log')
        log.addHandler(handler)
        log.propagate = False
        old, sys.stdout = sys.stdout, blocked
        def fill():
            blocked.write('x' * (1 << 20))      # more than a pipe takes: waits, and holds the buffer's lock
        thread = threading.Thread(target=fill, daemon=True)
        thread.start()
        import fcntl, struct, termios       # until the pipe is full, so that the thread is in write()
        while struct.unpack('i', fcntl.ioctl(r, termios.FIONREAD, b'1234'))[0] < 65536:
            os.sched_yield()
        def child():
            worker.zygote_starts(2)
            starts()
            assert sys.stdout is not blocked and handler.stream is sys.stdout
            print('printed')
            log.warning('logged')
            worker.flush()
            worker.worker_leaves()
        pid = os.fork()                         # without before_fork: it would wait for the thread
        if pid == 0:
            signal.alarm(20)
            try:
                child()
                os._exit(0)
            except BaseException:
                import traceback
                os.write(2, traceback.format_exc().encode())
                os._exit(1)
        signal.alarm(30)
        data = b''
        while b'logged' not in data:
            data += os.read(r, 1 << 20)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert b'printed\\n' in data
        old.write('fine\\n')
        old.flush()
        os._exit(0)
    ''', '-Wignore')
    assert (out, err) == ('fine\n', '')


def test_handlers_of_logging_keep_their_files(tmp_path):
    file = tmp_path / 'log'
    out, err = ran(f'''
        import logging
        handler = logging.FileHandler({str(file)!r})
        logging.getLogger().addHandler(handler)
        logging.getLogger().addHandler(logging.StreamHandler(sys.stderr))
        logging.warning('parent')
        def child():
            worker.zygote_starts(3)
            starts()
            logging.warning('child')
            logging.getLogger('other').addHandler(logging.lastResort)
            logging.getLogger('other').warning('twice')
        assert forked(child) == 0
        logging.warning('parent again')
    ''')
    assert file.read_text() == 'parent\nchild\ntwice\nparent again\n'
    assert err == 'parent\nchild\ntwice\ntwice\nparent again\n'


def test_stdin_is_empty():
    out, _ = ran('''
        import subprocess
        def child():
            worker.zygote_starts(1)
            starts()
            assert sys.stdin.read() == '' and os.read(0, 10) == b''
            assert subprocess.run(['cat'], capture_output=True, timeout=20).stdout == b''
            try:
                input()
            except EOFError:
                print('nothing to read')
        assert forked(child) == 0
        print(sys.stdin.read())
    ''', input='for the parent')
    assert out == 'nothing to read\nfor the parent\n'


def test_a_descriptor_0_of_the_programs_own_is_left_alone():
    ran('''
        import io
        sys.stdin = io.StringIO('text')
        r, w = os.pipe()
        os.dup2(r, 0)
        os.write(w, b'mine')
        def child():
            worker.zygote_starts(1)
            assert sys.stdin.read() == '' and os.read(0, 10) == b'mine'
        assert forked(child) == 0
    ''')


handlers = ['loud', 'signal.default_int_handler', 'signal.SIG_DFL', 'signal.SIG_IGN']


@pytest.mark.parametrize('handler', handlers)
def test_ctrl_c_is_ignored_silently(handler):
    out, err = ran(f'''
        import subprocess
        def loud(number, frame):
            os.write(2, b'the handler of the parent')
            raise SystemExit(5)
        r, w = os.pipe()
        os.set_blocking(w, False)
        signal.set_wakeup_fd(w)
        signal.signal(signal.SIGINT, {handler})
        def child():
            worker.zygote_starts(1)
            os.kill(os.getpid(), signal.SIGINT)
            starts()
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGINT)
            look = 'import signal; print(signal.getsignal(2) is signal.default_int_handler)'
            print('went on', subprocess.run([sys.executable, '-c', look], capture_output=True, text=True,
                                            timeout=20).stdout, end='')
            worker.flush()
        assert forked(child) == 0
        os.set_blocking(r, False)
        try:
            assert not os.read(r, 10)
        except BlockingIOError:
            print('nobody told the parent')
    ''')
    assert out == 'went on True\nnobody told the parent\n'     # a program that it starts can be interrupted
    assert err == ''


def test_a_task_may_raise_keyboard_interrupt_and_the_initializer_may_set_handlers():
    out, _ = ran('''
        def handler(number, frame):
            print('mine')
        def child():
            worker.zygote_starts(1)
            starts(initializer=signal.signal, initargs=(signal.SIGINT, handler))
            os.kill(os.getpid(), signal.SIGINT)
            try:
                raise KeyboardInterrupt
            except KeyboardInterrupt:
                print('raised')
        assert forked(child) == 0
    ''')
    assert out == 'mine\nraised\n'


def test_the_initializer_runs_last_and_what_it_raises_is_raised():
    out, _ = ran('''
        def init(x):
            print(process.current_process().name, x, sys.stdout.line_buffering)
            raise LookupError(x)
        def child():
            try:
                starts(4, 5, initializer=init, initargs=('x',))
            except LookupError as e:
                print('raised', e)
        assert forked(child) == 0
    ''')
    assert out == 'ForkfulPoolWorker-5 x True\nraised x\n'


def test_what_was_there_is_frozen():
    out, _ = ran('''
        import gc
        before = gc.get_freeze_count()
        inherited = [[] for _ in range(1000)]
        inherited.append(inherited)
        def child():
            worker.zygote_starts(1)
            assert gc.get_freeze_count() > before + 1000
            assert not any(o is inherited for o in gc.get_objects())
            print('frozen')
        assert forked(child) == 0
        assert gc.get_freeze_count() == before
    ''')
    assert out == 'frozen\n'


def test_a_worker_forgets_the_versions_that_its_parent_knew_as_a_worker():
    ran('''
        from forkful import arrivals
        arrivals.bind(None, [('bound', 7, 'by the outer pool')])
        assert bound == 'by the outer pool'
        def child():
            starts()
            assert bound == 'by the outer pool'
            arrivals.bind(None, [('bound', 7, 'by the inner pool')])
            assert bound == 'by the inner pool'
        assert forked(child) == 0
    ''')


def test_leaving_flushes_even_if_a_finalizer_fails():
    out, err = ran('''
        def child():
            starts()
            def fails():
                raise RuntimeError('in a finalizer')
            util.Finalize(None, fails, exitpriority=1)
            print('kept', end='')
            worker.worker_leaves()
        assert forked(child) == 0
    ''')
    assert out == 'kept' and 'in a finalizer' in err
