"""The live fit as the bench sees it: shots go in, answers come out, and nothing here ever waits for a fit.

Starts and ends one process (fit_worker.py) and talks to it from a thread. Shots that the process has not
come to yet are remembered by number only and read back from the store, so that memory stays bounded
however far the fit falls behind. A process that dies is started again; the shot it died on is tried once
more and then left without an answer.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from ..apparatus.software_instruments import own_group
from ..records.events import ShotFitted
from ..records.shot import FitRow, Shot
from .fit_worker import request
from .frames import receive, send

PATIENCE = 60.0
"""[s] for the answer about one shot, which usually takes less than one."""

_ATTEMPTS = 2
_RESTARTS = 5


class LiveFit:
    """`offer` a stored shot's number, `collect` the answers. `read` gives a stored shot back.

    A shot whose fit takes longer than `patience` [s] is given up: nobody waits for ever.
    """

    def __init__(self, bench_text: str, bench_name: str, read: Callable[[int], Shot],
                 model: str = "mean_field", patience: float = PATIENCE) -> None:
        self._first = {"bench": bench_text, "name": bench_name, "model": model}
        self._read, self.patience = read, patience
        self._numbers: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[ShotFitted | int | str] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._open, self._restarts, self._ending, self._late = 0, 0, False, False
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="live fit", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Shots offered that have neither been answered nor given up."""
        return self._open

    def offer(self, number: int) -> None:
        """Have a stored shot fitted; returns at once."""
        self._open += 1
        self._numbers.put(number)

    def collect(self, timeout: float = 0.0) -> list[ShotFitted | int | str]:
        """What has come since: answers in order, numbers of shots given up, and notices as text.

        Waits up to `timeout` [s] for the first of them.
        """
        found: list[ShotFitted | int | str] = []
        try:
            found.append(self._answers.get(timeout=timeout) if timeout else self._answers.get_nowait())
            while True:
                found.append(self._answers.get_nowait())
        except queue.Empty:
            pass
        self._open -= sum(not isinstance(answer, str) for answer in found)
        return found

    def await_process(self, patience: float = 10.0) -> None:
        """Until its process has been begun: a fork holds up all threads until it is through [s]."""
        self._begun.wait(patience)

    @property
    def process_id(self) -> int | None:
        """The fit process's number while there is one."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """End the process; shots it has not answered stay without an answer."""
        self._ending = True
        self._numbers.put(None)
        process = self._process
        if process is not None:
            process.kill()
        self._thread.join(5.0)

    def _serve(self) -> None:
        try:
            self._start()
            while (number := self._numbers.get()) is not None and not self._ending:
                self._answers.put(self._answer(number))
        finally:
            self._stop()

    def _answer(self, number: int) -> ShotFitted | int:
        for _ in range(_ATTEMPTS):
            try:
                return self._ask(number)
            except (EOFError, OSError, ValueError) as lost:
                if self._ending:
                    return number
                if self._late:
                    self._answers.put(f"shot {number} was still not fitted after {self.patience:g} s")
                    self._stop()
                    self._start()
                    return number
                self._answers.put(f"the fit's process ended while it fitted shot {number} ({_said(lost)}); "
                                  "the bench goes on")
                self._stop()
                self._start()
            except Exception as failure:  # such as a store that has been closed on a full disk
                self._answers.put(f"shot {number} cannot be fitted: {_said(failure)}")
                return number
        return number

    def _ask(self, number: int) -> ShotFitted | int:
        if self._process is None:
            raise EOFError("it could not be started again")
        header, records = request(self._read(number))
        clock = threading.Timer(self.patience, self._give_up, (self._process,))
        clock.start()
        try:
            send(self._process.stdin, header, *records)  # type: ignore[arg-type]
            header, lines = receive(self._process.stdout)  # type: ignore[arg-type]
        finally:
            clock.cancel()
        if "failed" in header:
            self._answers.put(f"shot {number} cannot be fitted: {header['failed']}")
            return number
        return answered(header, lines)

    def _give_up(self, process: subprocess.Popen[bytes]) -> None:
        self._late = True
        process.kill()

    def _start(self) -> None:
        self._late = False
        self._restarts += 1
        if self._restarts > _RESTARTS or self._ending:
            return
        command = [sys.executable, "-P", "-m", "procedures.machinery.fitting.fit_worker"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         **own_group())
        self._begun.set()
        if self._ending:  # `close` came while it was being started, and found nothing to end
            self._process.kill()
        try:
            send(self._process.stdin, self._first)  # type: ignore[arg-type]
            receive(self._process.stdout)  # type: ignore[arg-type]
        except (EOFError, OSError) as lost:
            self._answers.put(f"the fit's process does not start: {_said(lost)}")
            self._stop()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            try:
                pipe.close()  # type: ignore[union-attr]
            except OSError:
                pass  # what was still buffered for a dead process is of no use


def answered(header: dict[str, Any], lines: list[Any]) -> ShotFitted:
    """The event behind a fit process's answer."""
    time, data, model, sigma = lines
    row = FitRow.from_json(header)
    row = FitRow(row.shot, row.verdict, row.parameters, row.sigma, row.sigma_model, row.chi2_per_dof,
                 row.seconds, time, model)
    return ShotFitted(row.shot, row, time, data, model, sigma)


def _said(failure: BaseException) -> str:
    return str(failure) or type(failure).__name__
