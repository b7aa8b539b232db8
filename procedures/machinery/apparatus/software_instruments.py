"""The software instruments of a virtual bench as another process: started, spoken to, ended.

The only link is the wire: a command line to start them, sockets to the instruments, and the console, one line
in, one line out, which is how a run tells them its seed. No import crosses over.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from functools import cached_property
from pathlib import Path
from typing import Any

from ..records.failures import BenchFailure

_START_TIME = 120.0  # [s] compiling the twin for the first time included
_END_TIME = 5.0


def own_group() -> dict[str, Any]:
    """How `Popen` puts a process into a group of its own."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


class Console:
    """The back door of the software instruments. One line in, one line out."""

    def __init__(self, address: str, timeout: float = 10.0) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._socket = socket.create_connection((host, int(port)), timeout)
        except OSError as refused:
            raise BenchFailure(f"the console of the software instruments at {address} does not answer "
                               f"({refused}); start them with 'maserbench mocks'") from None
        self._lines = self._socket.makefile("r", encoding="utf-8", newline="\n")
        self._lock = threading.Lock()

    def ask(self, line: str) -> str:
        """The answer to one line; BenchFailure for `error ...` and for silence."""
        with self._lock:
            try:
                self._socket.sendall(line.encode() + b"\n")
                answer = self._lines.readline().strip()
            except OSError as lost:
                raise BenchFailure(f"the console of the software instruments broke off: {lost}") from None
        if not answer or answer.startswith("error"):
            raise BenchFailure(f"the software instruments answer {answer or 'nothing'!r} to {line!r}")
        return answer

    def state(self) -> dict[str, Any]:
        """What the bench really does: laser, shutter, rf, since, shots."""
        return json.loads(self.ask("state"))

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


class SoftwareInstruments:
    """One process that serves all software instruments of a bench file. It starts while others go on."""

    def __init__(self, bench_file: Path, truth_log: Path | None = None) -> None:
        command = [sys.executable, "-P", "-m", "mock_devices", str(bench_file), "--parent", str(os.getpid())]
        if truth_log is not None:
            command += ["--truth-log", str(truth_log)]
        # A group of its own: Ctrl-C in a terminal is for the controller, which then makes the bench safe.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=self._said, text=True, **own_group())

    @cached_property
    def ready(self) -> Path:
        """The bench file with the real ports, once they all answer; BenchFailure when they never will."""
        try:
            return self._await_ready()
        except BaseException:
            self.close()
            raise

    @property
    def process_id(self) -> int:
        return self._process.pid

    def _await_ready(self) -> Path:
        clock = threading.Timer(_START_TIME, self._process.kill)
        clock.start()
        try:
            for line in self._process.stdout:  # type: ignore[union-attr]
                word, _, path = line.strip().partition(" ")
                if word == "ready":
                    return Path(path)
        finally:
            clock.cancel()
        raise BenchFailure(f"the software instruments did not start: {self._last_words()}")

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return " ".join(lines[-3:]) or "they said nothing"

    def abandon(self) -> None:
        """End the process that nobody has used yet, without waiting for it to be ready."""
        self._process.terminate()
        self.close()

    def close(self) -> None:
        """End the process: asked, then told, then made to."""
        process = self._process
        for end in (self._ask_to_stop, process.terminate, process.kill):
            if process.poll() is not None:
                break
            end()
            try:
                process.wait(_END_TIME)
            except subprocess.TimeoutExpired:
                continue
        for pipe in (process.stdin, process.stdout):
            try:
                pipe.close()  # type: ignore[union-attr]
            except OSError:
                pass  # a line that a dead process never read
        self._said.close()

    def _ask_to_stop(self) -> None:
        try:
            self._process.stdin.write("stop\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        except OSError:
            pass  # it has ended by itself in the meantime
