"""All software instruments of one bench file, served from one process until told to stop."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin.bench_description import BenchDescription, BenchFileError, parse
from twin.bench_faults import read_order

from .bench_file import world_of
from .clock import RealClock
from .console import Console
from .line_faults import tamper_for
from .models import MODELS
from .tcp_server import Endpoint
from .truth_log import TruthLog
from .virtual_cavity import VirtualCavity
from .warm_up import warm_up

GRACE = 5.0  # [s] that a bench outlives its killed controller
_LOOK = 0.5  # [s] between looks at the parent
_GLANCE = 0.05  # [s] between looks at whether the bench is safe
_SYNCHRONIZE, _TIMED_OUT = 0x00100000, 0x102  # Windows: right to wait for a process; it still runs


class CannotServe(Exception):
    """Why the software instruments of a bench do not start, in one line."""


@dataclass
class Bench:
    """The served bench: devices around one cavity, their endpoints, the console."""

    description: BenchDescription
    cavity: VirtualCavity
    devices: dict[str, Any]
    endpoints: dict[str, Endpoint]
    console: Console
    console_endpoint: Endpoint
    truth_log: TruthLog
    executor: ThreadPoolExecutor
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def ready_text(self) -> str:
        """The bench file as it is served: real ports, the console, no [truth]."""
        ports = {role: endpoint.port for role, endpoint in self.endpoints.items()}
        console = self.console_endpoint
        return self.description.with_ports(ports, f"{console.host}:{console.port}")

    def inject(self, name: str, severity: float | None = None, at: str = "", role: str = "digitiser") -> None:
        """A fault by name, `at` "shot:N", "time:S", "probability:P" or at once; ValueError with advice.

        For tests that hold the bench in their own process; others use the console.
        """
        words = [name, f"role={role}"]
        words += [f"severity={severity!r}"] if severity is not None else []
        words += [f"at={at}"] if at else []
        self.console.inject(read_order(" ".join(words)))

    async def bind(self) -> None:
        """All ports are bound, or none stays: CannotServe names the one that is taken."""
        for role, endpoint in (*self.endpoints.items(), ("console", self.console_endpoint)):
            try:
                endpoint.listen()
            except OSError as refused:
                await self.close()
                raise CannotServe(f"{role}: port {endpoint.port} on {endpoint.host} cannot be opened "
                                  f"({refused.strerror or refused}); is another bench running? "
                                  "Port 0 lets the server choose") from None

    async def start(self) -> None:
        """Answers on all ports."""
        for endpoint in (*self.endpoints.values(), self.console_endpoint):
            await endpoint.serve()

    async def close(self) -> None:
        """Safe, disconnected, written."""
        self.cavity.make_safe()
        digitiser = self.devices.get("digitiser")
        if digitiser is not None:
            digitiser.disarm()
        for endpoint in (*self.endpoints.values(), self.console_endpoint):
            await endpoint.close()
        await asyncio.to_thread(self.executor.shutdown, True)
        self.truth_log.close()


def assemble(text: str, name: str, truth_log: Path | None = None) -> Bench:
    """The bench of a file's text, not yet listening; BenchFileError, CannotServe."""
    description = parse(text, name)
    served = {role: r for role, r in description.roles.items() if r.software}
    if not description.virtual or not served:
        raise CannotServe(f"{name}: no role is played by a software instrument; virtual = true is missing, "
                          "or every resource is elsewhere")
    missing = [f"{role} ({r.driver})" for role, r in served.items() if r.driver not in MODELS]
    if missing:
        raise CannotServe(f"{name}: no software instrument plays {', '.join(missing)}; there are those of "
                          + ", ".join(MODELS))
    world, log = world_of(description), TruthLog(truth_log)
    executor = ThreadPoolExecutor(1, "physics")
    cavity = VirtualCavity(world, RealClock(world.time_scale), executor, truth_log=log)
    cavity.blade.present = "shutter" in served
    devices = {role: MODELS[r.driver](role, cavity, world) for role, r in served.items()}
    endpoints: dict[str, Endpoint] = {}
    stopping = asyncio.Event()
    console = Console(cavity, endpoints, stopping.set)
    for role, device in devices.items():
        _, port = served[role].address or ("", 0)
        endpoints[role] = Endpoint(device, port, tamper=tamper_for(role, cavity.faults), after=console.look)
    port = int(description.console.rpartition(":")[2]) if description.console else 0
    return Bench(description, cavity, devices, endpoints, console, Endpoint(console, port), log, executor,
                 stopping)


async def serve(text: str, name: str, truth_log: Path | None = None, parent: int | None = None,
                ready: Callable[[Path], None] = lambda path: None,
                stopping: Callable[[asyncio.Event], None] = lambda event: None) -> None:
    """Serves until `stop`, a signal, or GRACE after `parent` (a process number) has vanished.

    `ready` is called with the file that describes the served bench; `stopping` gets the event that ends it.
    """
    bench = assemble(text, name, truth_log)
    stopping(bench.stopping)
    await bench.bind()  # before the long part, so that a taken port is told at once
    await asyncio.get_running_loop().run_in_executor(bench.executor, warm_up, bench.cavity.world)
    await bench.start()
    with tempfile.TemporaryDirectory(prefix="maserbench-") as folder:
        path = Path(folder) / "bench.toml"
        path.write_text(bench.ready_text(), encoding="utf-8")
        ready(path)
        _listen_to_stdin(bench.console)
        tasks = [asyncio.create_task(_look(bench.console))]
        if parent:
            tasks.append(asyncio.create_task(_watch(parent, bench)))
        try:
            await bench.stopping.wait()
        finally:
            for task in tasks:
                task.cancel()
            await bench.close()


async def _look(console: Console) -> None:
    """Blades that arrive and watchdogs that bite change the bench without any message."""
    while True:
        console.look()
        await asyncio.sleep(_GLANCE)


async def _watch(parent: int, bench: Bench) -> None:
    """A controller that was killed: the laser gets GRACE to be made safe by others, then everything ends."""
    while _alive(parent):
        await asyncio.sleep(_LOOK)
    await asyncio.sleep(GRACE)
    bench.stopping.set()


def _alive(process: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected by its parent does not."""
    if sys.platform == "win32":
        handle = ctypes.windll.kernel32.OpenProcess(_SYNCHRONIZE, False, process)
        running = bool(handle) and ctypes.windll.kernel32.WaitForSingleObject(handle, 0) == _TIMED_OUT
        ctypes.windll.kernel32.CloseHandle(handle)
        return running
    try:
        if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return False
    except OSError:
        pass  # no such file system, or no such process: asked below
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _listen_to_stdin(console: Console) -> None:
    """Lines on stdin are answered on stdout; its end changes nothing."""
    loop = asyncio.get_running_loop()

    def answer(line: str) -> None:
        print(console.answer(line), flush=True)

    def read(descriptor: int) -> None:
        waiting = b""
        try:  # not through sys.stdin: a thread blocked inside its buffer aborts the interpreter's exit
            while chunk := os.read(descriptor, 4096):
                *lines, waiting = (waiting + chunk).split(b"\n")
                for line in lines:
                    if line.strip():
                        loop.call_soon_threadsafe(answer, line.decode("utf-8", "replace"))
        except (OSError, RuntimeError):
            pass  # closed, or the loop has ended: nobody to answer

    try:
        descriptor = sys.stdin.fileno()
    except (AttributeError, ValueError, OSError):
        return  # no stdin, or one that is no file
    threading.Thread(target=read, args=(descriptor,), name="stdin", daemon=True).start()


__all__ = ["Bench", "BenchFileError", "CannotServe", "assemble", "serve"]
