"""A bench of software instruments served from a thread of this process, and how to connect to it."""

from __future__ import annotations

import asyncio
import threading
from importlib.resources import files

import pytest

import instruments
from mock_devices.serve import assemble


class BenchHere:
    """All roles, served on an event loop in a thread: devices can be looked into, drivers talk over TCP."""

    def __init__(self, text: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.bench = assemble(text, "bench.toml")
        self.cavity, self.devices = self.bench.cavity, self.bench.devices
        self._run(self.bench.bind())
        self._run(self.bench.start())

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    def resource(self, role: str) -> str:
        return f"TCPIP::127.0.0.1::{self.bench.endpoints[role].port}::SOCKET"

    def connect(self, role: str):
        driver = self.bench.description.roles[role].driver
        return instruments.connect(driver, self.resource(role), role, timeout=5.0)

    def close(self) -> None:
        self._run(self.bench.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture(scope="session")
def every_role_text():
    """The bench file that ships, which has a table for each role."""
    return (files("procedures") / "benches" / "virtual.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def serve_here():
    """Serves the bench of a file's text until the module's tests are done."""
    served = []

    def serve(text: str) -> BenchHere:
        served.append(BenchHere(text))
        return served[-1]

    yield serve
    for bench in served:
        bench.close()


@pytest.fixture(scope="module")
def bench_here(serve_here, every_role_text):
    return serve_here(every_role_text)


@pytest.fixture(scope="session")
def infiniivision_text():
    """The bench file that ships with an InfiniiVision for its digitiser: two channels of eight bits."""
    text = (files("procedures") / "benches" / "virtual.toml").read_text(encoding="utf-8")
    for old, new in (("keysight_infiniium.KeysightInfiniium", "keysight_infiniivision.KeysightInfiniiVision"),
                     ("bits = 10", "bits = 8"), (", log = 3", "")):
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def infiniivision_here(serve_here, infiniivision_text):
    return serve_here(infiniivision_text)
