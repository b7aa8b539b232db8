"""Strangers on the wire: several clients at once send whatever comes to mind to real devices.

    pytest -m campaign tests/mock_devices/test_scpi_fuzz.py     a million messages; otherwise a short form

Held: nobody crashes or hangs; each client still gets its own answers and its own error queue; memory stays.
"""

from __future__ import annotations

import asyncio
import random
import re
import socket
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from mock_devices.clock import RealClock
from mock_devices.tcp_server import Endpoint

CLIENTS = 4
BATCH = 50
ROLES = ("microwave", "energy", "shutter", "analyser")
LEGAL = [b"*IDN?", b"*ESR?", b"*STB?", b"*OPC", b"*OPC?", b"*WAI", b"*CLS", b"*RST", b"SYST:ERR?",
         b":SYST:ERR:COUN?", b"FREQ 1.45GHZ", b":FREQ?", b"POW -20DBM", b"POW?", b"OUTP ON;OUTP?",
         b":FREQ MIN;:FREQ?", b"SENS:CORR:WAV 590", b"MEAS:ENER?", b"INIT:CONT OFF", b"SWE:POIN 101",
         b"FREQ:CENT 1.4GHZ;SPAN 5 MHZ", b"TRAC? TRACE1", b"CALC:MARK1:X?", b"SHUT:STAT OPEN;STAT?",
         b"DISP:ANN:AMPL:UNIT \"DBM\"", b"PULM:INT:PWID 1US"]
SPICE = [b";", b":", b"?", b",", b"#", b"#15abcde", b"#0", b"#9", b"#H1F", b"'", b'"', b"*", b" ", b"\t",
         b"\x00", b"\xff", b"1e999", b"-1e-999", b"NAN", b"MAX", b"MIN", b"MHZ", b"(@1,2)", b"A" * 300,
         b"1" * 400]
WAITS = re.compile(rb"EXT|TRIG", re.IGNORECASE)
"""A sweep that waits for a trigger which nobody gives waits by right."""


class Server:
    """The devices of a desk on real ports, on a loop in another thread that keeps what it complains of."""

    def __init__(self, desk):
        self.loop, self.complaints = asyncio.new_event_loop(), []
        self.loop.set_exception_handler(lambda loop, context: self.complaints.append(context))
        self.endpoints = {role: Endpoint(getattr(desk, role).device) for role in ROLES}
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        for endpoint in self.endpoints.values():
            self.call(endpoint.serve())

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def close(self):
        for endpoint in self.endpoints.values():
            self.call(endpoint.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


class Stranger:
    """One client of one device, with a seed of its own."""

    def __init__(self, endpoint, seed):
        self.random, self.heard = random.Random(seed), b""
        self.socket = socket.create_connection(("127.0.0.1", endpoint.port), 20)
        self.reader = threading.Thread(target=self._listen, daemon=True)
        self.arrived = threading.Condition()
        self.reader.start()

    def _listen(self):
        try:
            while data := self.socket.recv(1 << 16):
                with self.arrived:
                    self.heard = (self.heard + data)[-(1 << 20):]
                    self.arrived.notify()
        except OSError:
            pass

    def message(self) -> bytes:
        """A legal one, a mutated one, or noise; none that the device would be right to wait for."""
        kind = self.random.random()
        if kind < 0.3:
            text = b";".join(self.random.choices(LEGAL, k=self.random.randint(1, 3)))
        elif kind < 0.8:
            text = bytearray(self.random.choice(LEGAL))
            for _ in range(self.random.randint(1, 4)):
                at = self.random.randint(0, len(text))
                text[at:at + self.random.randint(0, 2)] = self.random.choice(SPICE)
        else:
            text = self.random.randbytes(self.random.randint(0, 60))
        # A block that is announced swallows what follows, as it must: keep the announcements short.
        text = re.sub(rb"#[3-9]\d", b"#11", bytes(text))
        return (b"*CLS" if WAITS.search(text) else text) + b"\n"

    def batch(self):
        self.socket.sendall(b"".join(self.message() for _ in range(BATCH)))

    def is_answered(self) -> None:
        """Its own registers and its own queue, whatever was sent before and by whomever."""
        a, b = self.random.randrange(1, 256), self.random.randrange(1, 64)
        self.socket.sendall(b"\n" * 120 + b"*CLS;*ESE %d;*SRE %d\n:NO:SUCH:HEADER\n" % (a, b)
                            + b"SYST:ERR?;:SYST:ERR?;*ESE?;*SRE?;*ESE?\n")
        token = re.compile(rb"[^\n]*-113[^\n]*;\+?0[^\n]*;%d;%d;%d\r?\n" % (a, b, a))
        end = time.monotonic() + 20.0
        with self.arrived:
            while not token.search(self.heard):
                assert self.arrived.wait(end - time.monotonic()), f"last heard {self.heard[-300:]!r}"
            self.heard = b""

    def close(self):
        self.socket.close()


@pytest.fixture
def server(desk_of):
    desk = desk_of(clock=RealClock(1e6))      # a sweep of hours, which somebody will order, is soon over
    served = Server(desk)
    yield served
    served.close()
    desk.close()


def strangers_at_work(server, messages, capfd):
    """`messages` in all, by CLIENTS clients on every device in turn; then everything still works."""
    rounds = messages // (CLIENTS * BATCH)

    def work(number):
        for first, role in enumerate(ROLES):
            stranger = Stranger(server.endpoints[role], 100 * first + number)
            try:
                for _ in range(rounds // len(ROLES)):
                    stranger.batch()
                    stranger.is_answered()
            finally:
                stranger.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(work, number) for number in range(CLIENTS)]:
            done.result()
    assert not server.complaints
    assert "Traceback" not in capfd.readouterr().err      # devices print what they did not expect


def test_four_strangers_at_once_are_each_answered_and_break_nothing(server, capfd):
    strangers_at_work(server, 8000, capfd)


@pytest.mark.campaign
@pytest.mark.timeout(900)
def test_a_million_strange_messages_break_nothing_and_leave_no_memory(server, capfd):
    strangers_at_work(server, 40_000, capfd)
    tracemalloc.start()
    strangers_at_work(server, 200_000, capfd)
    first = tracemalloc.get_traced_memory()[0]
    strangers_at_work(server, 200_000, capfd)
    second = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    strangers_at_work(server, 600_000, capfd)
    assert second - first < 1_000_000


@pytest.mark.parametrize("announced", [b"#9999999999", b"#41x23", b"#5abcde", b"#"])
def test_malformed_and_gigantic_blocks_are_refused_within_a_second(server, announced):
    with socket.create_connection(("127.0.0.1", server.endpoints["microwave"].port), 5) as client:
        began = time.monotonic()
        client.sendall(b"DISP:ANN:AMPL:UNIT " + announced + b"\n\nSYST:ERR?\n")
        said = client.makefile("rb").readline()
        assert time.monotonic() - began < 1.0
        assert int(said.split(b",")[0]) < 0


def test_a_client_that_never_reads_is_bounded_and_harms_nobody(server):
    address = "127.0.0.1", server.endpoints["analyser"].port
    with socket.create_connection(address, 5) as greedy, socket.create_connection(address, 5) as other:
        greedy.settimeout(0.5)
        with pytest.raises(TimeoutError):      # the server stops reading: this sender has to wait
            for _ in range(3000):
                greedy.sendall(b"TRAC? TRACE1\n" * 5000)
        other.sendall(b"*IDN?\n")
        assert b"SIMULATED" in other.recv(200)
