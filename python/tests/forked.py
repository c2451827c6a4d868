"""A worker made by os.fork, for tests of what travels: it loads what the parent's Shipper makes.

Everything that waits has a limit. Used by scripts that tests run as `__main__` (see test_shipping.py).
"""
import multiprocessing.connection
import os
import pickle
import signal
import sys
import traceback

from forkful import shipping

LIMIT = 30      # seconds for an answer


class Worker:
    """One process forked now. `pool` is another Worker, whose Shipper and photograph this one shares."""

    def __init__(self, initializer=None, pool=None):
        self.shipper = pool.shipper if pool else shipping.Shipper(shipping.Photograph())
        self._payloads = {} if pool is None else pool._payloads
        self._here, there = multiprocessing.connection.Pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                signal.alarm(2 * LIMIT)
                self._here.close()
                shipping.forget()
                if initializer:
                    initializer()
                serve(there, shipping.Shipper(self.shipper.photograph))
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        there.close()

    def ship(self, func):
        """The Shipment of `func`: that of before if it may be sent again."""
        known = self._payloads.get(id(func))
        if known and known[1].kept and known[1].still_good():
            return known
        known = self._payloads[id(func)] = func, self.shipper.function(func), os.urandom(8)
        return known

    def __call__(self, func, *args, shipped=None):
        """func(*args) in the worker, or raises what it raised."""
        _, shipment, number = shipped or self.ship(func)
        self._here.send_bytes(pickle.dumps((number, shipment.data, self.shipper.dumps(args))))
        if not self._here.poll(LIMIT):
            raise AssertionError('no answer from the worker')
        what, data = pickle.loads(self._here.recv_bytes())
        self.received = len(data)
        if what == 'value':
            return shipping.loads(data)
        raise shipping.load_exception(data)

    def end(self):
        self._here.close()
        os.waitpid(self.pid, 0)


def serve(there, shipper):
    loaded, last = {}, None
    while there.poll(LIMIT):
        try:
            number, payload, args = pickle.loads(there.recv_bytes())
        except EOFError:
            return
        try:
            if number not in loaded:
                loaded[number] = shipping.load_call(memoryview(payload))
            func, late = loaded[number]
            if late is not None and last is not number:
                shipping.enter(late)
            last = number
            value = func(*shipping.loads(memoryview(args)))
        except BaseException as error:
            there.send_bytes(pickle.dumps(('error', shipper.exception(error))))
            continue
        try:
            answer = 'value', shipper.dumps(value)
        except Exception as why:
            answer = 'error', shipper.unsendable(why, value)
        there.send_bytes(pickle.dumps(answer))
