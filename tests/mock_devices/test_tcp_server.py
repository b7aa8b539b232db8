"""The sockets: many clients, slow readers, cut plugs, spoilt replies."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from concurrent.futures import Future
from typing import ClassVar

import numpy as np
import pytest

from mock_devices.faults import Faults
from mock_devices.line_faults import tamper_for
from mock_devices.scpi import block
from mock_devices.scpi_device import ScpiDevice, action, query, setting
from mock_devices.scpi_values import Text
from mock_devices.tcp_server import Endpoint

MEGA = np.arange(1_000_000, dtype="<i2")


class Echo(ScpiDevice):
    identity: ClassVar = "Echo"
    message_limit: ClassVar = 4096
    commands: ClassVar = (
        setting(":TEXT", "text", Text(), ""),
        query(":SAY", lambda self, request: request.values[0], Text()),
        query(":BLOCk", lambda self, request: block(MEGA.tobytes())),
        action(":STARt", lambda self, request: setattr(self, "operation", Future())),
    )
    operation: Future | None = None

    def pending(self):
        return self.operation if self.operation and not self.operation.done() else None


class Running:
    """An endpoint on a loop in another thread."""

    def __init__(self, tamper=None):
        self.device, self.loop = Echo(), asyncio.new_event_loop()
        self.endpoint = Endpoint(self.device, tamper=tamper)
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.call(self.endpoint.serve())

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def soon(self, function):
        async def act():
            return function()

        return self.call(act())

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.endpoint.port), 10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, connection.makefile("rb")

    def close(self):
        self.call(self.endpoint.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def running():
    running = Running()
    yield running
    running.close()


def ask(client, text: bytes) -> bytes:
    client[0].sendall(text + b"\n")
    return client[1].readline()


def read_block(file) -> bytes:
    digits = int(file.read(2)[1:])
    return file.read(int(file.read(digits)))


def let_go(*clients):
    for connection, file in clients:
        file.close()
        connection.close()


def test_four_clients_at_once_get_each_their_own_answers(running):
    wrong = []

    def work(name: int) -> None:
        client = running.connect()
        for i in range(200):
            if ask(client, b":SAY? 'c%d-%d'" % (name, i)) != b"c%d-%d\n" % (name, i):
                wrong.append((name, i))
            client[0].sendall(b":NONE%d\n" % name)
        error = ask(client, b"SYST:ERR?")
        if b":NONE%d" % name not in error:
            wrong.append(error)
        let_go(client)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_only_loopback_can_reach_it(running):
    assert running.endpoint._listening.getsockname()[0] == "127.0.0.1"


def test_a_million_points_leave_at_more_than_300_megabytes_a_second(running):
    client = running.connect()
    best = 0.0
    for _ in range(8):
        start = time.perf_counter()
        client[0].sendall(b":BLOC?\n")
        data = read_block(client[1])
        best = max(best, len(data) / (time.perf_counter() - start) / 1e6)
        assert client[1].read(1) == b"\n"
    let_go(client)
    assert data == MEGA.tobytes()
    assert best > 300.0, f"{best:.0f} MB/s"


def test_a_slow_reader_holds_up_nobody_else_and_gets_everything(running):
    slow, quick = running.connect(), running.connect()
    slow[0].sendall(b":BLOC?\n" * 40)  # 80 MB wait behind a closed window
    time.sleep(0.2)
    start = time.perf_counter()
    assert ask(quick, b"*IDN?") == b"Echo\n"
    assert time.perf_counter() - start < 1.0
    for _ in range(40):
        assert len(read_block(slow[1])) == MEGA.nbytes and slow[1].read(1) == b"\n"
    let_go(slow, quick)


def test_while_one_client_waits_for_opc_another_is_answered(running):
    waiting, other = running.connect(), running.connect()
    waiting[0].sendall(b":STAR;*OPC?\n")
    time.sleep(0.1)
    assert ask(other, b"*IDN?") == b"Echo\n"
    waiting[0].settimeout(0.1)
    with pytest.raises(TimeoutError):
        waiting[0].recv(1)
    waiting[0].settimeout(10)
    running.soon(lambda: running.device.operation.set_result(None))
    assert waiting[0].recv(10) == b"1\n"
    let_go(waiting, other)


def test_a_client_that_leaves_while_it_waits_is_forgotten(running):
    client = running.connect()
    client[0].sendall(b":STAR;*OPC?\n")
    time.sleep(0.1)
    assert running.endpoint.clients == 1
    let_go(client)
    deadline = time.monotonic() + 5
    while running.endpoint.clients and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running.endpoint.clients == 0 and running.device.sessions == []


def test_an_oversized_message_is_refused_and_the_conversation_goes_on(running):
    client = running.connect()
    client[0].sendall(b":TEXT '" + b"x" * 100_000 + b"'\n")
    assert ask(client, b"SYST:ERR?").startswith(b'-363,"Input buffer overrun')
    client[0].sendall(b":TEXT #9999999999")
    time.sleep(0.1)
    client[0].sendall(b"\n")
    assert ask(client, b"SYST:ERR?").startswith(b'-363,"Input buffer overrun')
    let_go(client)


def test_a_pulled_plug_cuts_and_refuses_until_it_is_back_on_the_same_port(running):
    client, port = running.connect(), running.endpoint.port
    assert ask(client, b"*IDN?") == b"Echo\n"
    running.soon(running.endpoint.unplug)
    with pytest.raises(OSError):
        assert client[1].read() == b""
        raise ConnectionError("closed")
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 2)
    running.soon(running.endpoint.plug)
    again = running.connect()
    assert running.endpoint.port == port and ask(again, b"*IDN?") == b"Echo\n"
    let_go(client, again)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("half_block", len(MEGA.tobytes()) // 2), ("dropped_connection", len(MEGA.tobytes()) // 2)],
)
def test_a_spoilt_block_is_short(fault, expected):
    faults = Faults()
    running = Running(tamper_for("digitiser", faults))
    faults.inject(fault)
    client = running.connect()
    client[0].settimeout(0.5)
    client[0].sendall(b":BLOC?\n")
    got = bytearray()
    try:
        while data := client[0].recv(1 << 20):
            got += data
    except TimeoutError:
        assert fault == "half_block"
    assert abs(len(got) - expected) < 10
    let_go(client)
    running.close()


def test_a_late_reply_and_a_wrong_length_strike_once():
    faults = Faults()
    running = Running(tamper_for("digitiser", faults))
    faults.inject("timeout severity=0.3")
    client = running.connect()
    start = time.perf_counter()
    assert ask(client, b"*IDN?") == b"Echo\n" and time.perf_counter() - start > 0.28
    faults.inject("wrong_length severity=2")
    client[0].sendall(b":BLOC?;*IDN?\n")
    assert client[1].read(9) == b"#72000002"
    let_go(client)
    running.close()


def test_a_hung_instrument_answers_nothing_until_the_connection_is_opened_anew():
    faults = Faults()
    running = Running(tamper_for("digitiser", faults))
    faults.inject("scope_hang")
    client = running.connect()
    client[0].settimeout(0.3)
    client[0].sendall(b"*IDN?\n*IDN?\n")
    with pytest.raises(TimeoutError):
        client[0].recv(1)
    let_go(client)
    again = running.connect()
    assert ask(again, b"*IDN?") == b"Echo\n"
    deadline = time.monotonic() + 5
    while running.endpoint.clients > 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running.endpoint.clients == 1
    let_go(again)
    running.close()
