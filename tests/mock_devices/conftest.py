"""A bench in this process without sockets, and one served by a process of its own with them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from mock_devices.bench_file import world_of
from mock_devices.clock import HandTurnedClock
from mock_devices.console import Console
from mock_devices.models import MODELS
from mock_devices.virtual_cavity import VirtualCavity
from twin.bench_description import parse

PROJECT = Path(__file__).resolve().parents[2]


VIRTUAL = (files("procedures") / "benches" / "virtual.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def virtual_text():
    """The bench file that ships."""
    return VIRTUAL


class Wire:
    """A client of one device in this process: messages in, replies out, waiting where the device waits."""

    def __init__(self, device):
        self.device, self.session = device, device.open_session()

    def send(self, text: str, wait: float = 30.0) -> bytes:
        reply = b""
        for message in self.session.framer.feed(text.encode("latin-1") + self.session.framer._ends[:1]):
            if isinstance(message, Exception):
                self.device.report(self.session, message)
                continue
            steps = self.device.execute(self.session, message)
            try:
                while True:
                    next(steps).result(wait)
            except StopIteration as end:
                reply += end.value
        return reply

    def ask(self, text: str) -> str:
        return self.send(text).decode("latin-1").rstrip("\r\n\x03")

    def words(self, channel: int) -> np.ndarray:
        block = self.send(f":WAV:SOUR CHAN{channel};:WAV:DATA?")
        digits = int(block[1:2])
        return np.frombuffer(block[2 + digits : 2 + digits + int(block[2 : 2 + digits])], "<i2")


@pytest.fixture(scope="session")
def wire_to():
    """How to talk to a device in this process: wire_to(device)."""
    return Wire


@pytest.fixture(scope="session")
def desk_of():
    """A bench of a text of one's own: desk_of(text); give it back with desk.close()."""
    return Desk


@pytest.fixture(scope="session")
def serve_file():
    """A process of its own: serve_file(path, *arguments)."""
    return Served


class Desk:
    """All devices of a bench file around one cavity, time turned by hand."""

    def __init__(self, text: str | None = None, truth_log=None, clock=None):
        self.clock = clock or HandTurnedClock()
        self.executor, self.truth_log = ThreadPoolExecutor(1), truth_log
        bench = parse(text or VIRTUAL, "virtual.toml")
        self.world = world_of(bench)
        self.cavity = VirtualCavity(self.world, self.clock, self.executor, truth_log=truth_log)
        self.faults = self.cavity.faults
        self.wires = {
            role: Wire(MODELS[r.driver](role, self.cavity, self.world)) for role, r in bench.roles.items()}
        self.console = Console(self.cavity, {}, lambda: None)
        self.console._plugs = {
            role: type("Plug", (), {"device": wire.device})() for role, wire in self.wires.items()
        }

    def close(self) -> None:
        self.executor.shutdown()
        if self.truth_log:
            self.truth_log.close()

    def __getattr__(self, role):
        return self.wires[role]

    def prepare(self, delay: float = 207e-6, seed: int = 7) -> None:
        """Everything on, as a procedure would do it."""
        self.shutter.send("SHUT:STAT OPEN")
        self.clock.advance(0.1)
        self.pump.send("/M_CPU800/18/Output Energy level/MAX")
        self.pump.send("/M_CPU800/18/Power/ON")
        self.timing.send(f"DLAY 4,2,{delay};DLAY 6,4,0;INHB 0;TSRC 5")
        self.digitiser.send(":ACQ:SRAT 500e6;POIN 20000;:TIM:REF LEFT;POS -2e-6;RANG 40e-6")
        self.digitiser.send(":WAV:FORM WORD;BYT LSBF;:CHAN2:OFFS 0.7;:CHAN3:OFFS 1.0")
        assert self.console.answer(f"begin run {seed}") == "ok"

    def shot(self) -> dict[int, np.ndarray]:
        """One armed and fired shot: words by channel."""
        self.digitiser.send(":SING")
        self.timing.send("*TRG")
        return {n: self.digitiser.words(n) for n in (1, 2, 3)}


@pytest.fixture
def desk():
    desk = Desk()
    yield desk
    desk.close()


class Client:
    """A plain socket that speaks one of the protocols."""

    ENDS = {"pump": ("\r", b"\r\n\x03"), "timing": ("\r\n", b"\r\n")}

    def __init__(self, port: int, role: str = ""):
        self.end, self.reply_end = self.ENDS.get(role, ("\n", b"\n"))
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.file = self.socket.makefile("rb")

    def send(self, text: str) -> None:
        self.socket.sendall((text + self.end).encode())

    def ask(self, text: str) -> str:
        self.send(text)
        reply = b""
        while not reply.endswith(self.reply_end):
            byte = self.file.read(1)
            if not byte:
                raise EOFError(reply)
            reply += byte
        return reply[: -len(self.reply_end)].decode()

    def block(self, text: str) -> bytes:
        self.send(text)
        digits = int(self.file.read(2)[1:])
        data = self.file.read(int(self.file.read(digits)))
        assert self.file.read(1) == b"\n"
        return data

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@pytest.fixture(scope="session")
def client_of():
    """A plain socket: client_of(port, role)."""
    return Client


class Served:
    """`python -P -m mock_devices FILE` in a process of its own."""

    def __init__(self, file: Path, *extra: str):
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mock_devices", str(file), *extra],
            cwd=PROJECT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.clients: list[Client] = []
        timer = threading.Timer(240, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        assert line.startswith("ready "), self.process.stderr.read()
        self.ready = Path(line.split(maxsplit=1)[1].strip())
        self.bench = tomllib.loads(self.ready.read_text(encoding="utf-8"))

    def port(self, role: str) -> int:
        if role == "console":
            return int(self.bench["mocks"]["console"].rpartition(":")[2])
        return int(self.bench[role]["resource"].split("::")[2])

    def client(self, role: str) -> Client:
        self.clients.append(Client(self.port(role), role))
        return self.clients[-1]

    def end(self) -> int:
        for client in self.clients:
            client.close()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()
        return code


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    (folder / "virtual.toml").write_text(VIRTUAL, encoding="utf-8")
    bench = Served(folder / "virtual.toml", "--truth-log", str(folder / "truth.jsonl"))
    bench.truth_log = folder / "truth.jsonl"
    yield bench
    if bench.process.poll() is None:
        assert bench.end() == 0
