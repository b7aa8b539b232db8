"""The fits of a run while it goes on: taken up when they come, never waited for between two shots.

Completes rows, and writes them to run.csv and fits.jsonl; knows no instrument.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twin.bench_description import BenchDescription, without_truth

from .fitting.live_fit import LiveFit
from .records import events
from .records.rows import Rows
from .records.shot import FitRow, Shot
from .storage.run_folder import RunFolder


class FitsBeside:
    """`rows` of all shots, each complete once its fit has answered, or when there is none for it.

    `note` tells all who watch; `emit` is the procedure's, which puts a row into run.csv.
    """

    def __init__(self, folder: RunFolder, note: events.Publish) -> None:
        self.rows, self._folder, self._note = Rows(), folder, note
        self._fit: LiveFit | None = None
        self.emit: Callable[[str, dict[str, Any]], None]

    def start(self, bench: BenchDescription) -> None:
        """The process that fits, which loads the twin meanwhile."""
        self._fit = LiveFit(without_truth(bench.text), bench.name, self._folder.read)

    def await_process(self) -> None:
        """Until the process has been begun, where there is one."""
        if self._fit is not None:
            self._fit.await_process()

    def stored(self, shot: Shot) -> None:
        """A shot is on disk; its row is begun."""
        self.rows.stored(shot)

    def offer(self, number: int) -> None:
        """A stored shot to be fitted."""
        assert self._fit is not None
        self._fit.offer(number)

    def complete(self, number: int, fit: FitRow | None = None) -> None:
        """The row of a shot whose fit is known, or that has none."""
        self.emit("results", self.rows.completed(number, fit).as_csv())

    @property
    def waiting(self) -> int:
        """Shots whose fit has not answered yet."""
        return 0 if self._fit is None else self._fit.waiting

    def collect(self, timeout: float = 0.0) -> None:
        """Take up what has been answered since, waiting at most `timeout` [s] for it."""
        for answer in [] if self._fit is None else self._fit.collect(timeout):
            if isinstance(answer, str):
                self._note(events.Notice(answer))
            elif isinstance(answer, int):
                self._note(events.Notice(f"shot {answer} stays without a fit; 'maserbench fit' can try "
                                         "again"))
                self.complete(answer)
            else:
                self._folder.fitted(answer.row)
                self.complete(answer.number, answer.row)
                self._note(answer)

    def close(self) -> None:
        """End the process, and complete the rows that stay without an answer."""
        if self._fit is not None:
            self._fit.close()
        for number in self.rows.pending():
            self.complete(number)
