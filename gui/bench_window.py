"""The window: form, plot, table and report, put together, and what happens when a run tells something.

Takes events from a source (a run that is under way or one on disk) and hands them to the parts. Closing it
during a run stops the run safely first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from procedures import Shot
from procedures.machinery.records import events

from .arrangement import StatusLine, arrange
from .banner import Banner
from .bench_panel import BenchPanel
from .event_source import BenchOpened, Failed, Idle, PictureReady, Told
from .fit_report import FitReport
from .qt import Qt, QtCore, QtGui, QtWidgets, application
from .result_text import outcome
from .run_panel import RunPanel
from .run_source import RunSource
from .shot_plot import PERIOD, ShotPlot
from .shot_table import ShotTable
from .stored_run import StoredRun
from .theme import Theme, apply

_SILENT = 2.0  # [s] without an answer of the twin after which the newest raw record is shown instead
_BEHIND = 2  # shots; more than that without an answer is said
Source = RunSource | StoredRun


class BenchWindow(QtWidgets.QMainWindow):
    """`source` is what is shown; with a StoredRun the form is closed, since there is nothing to run."""

    def __init__(self, source: Source, theme: Theme, bench: str, roles: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.source, self.theme, self.bench = source, theme, bench
        self.can_run = isinstance(source, RunSource)
        self.unknown_state = ""  # why nobody may rely on the bench being safe; empty while one may
        self._stored: StoredRun | None = source if isinstance(source, StoredRun) else None
        self._path: Path | None = None
        self._closing = self._fresh = False
        self._newest, self._fitted, self._answered = -1, -1, 0.0
        self.plot, self.table, self.report = ShotPlot(theme), ShotTable(theme), FitReport()
        self.panel, self.banner, self.bench_panel = RunPanel(), Banner(), BenchPanel(roles)
        self.follow, self.status = QtWidgets.QPushButton("Follow newest"), StatusLine(bench)
        arrange(self)
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PERIOD)
        self._timer.timeout.connect(self._fetch)
        self._connect()

    # runs

    def run(self, procedure: str, settings: Mapping[str, Any], seed: int | None) -> None:
        """Start a run; what is wrong with it stands in the banner."""
        if not isinstance(self.source, RunSource):
            return
        try:
            self.source.start(procedure, settings, seed)
        except ValueError as wrong:
            self.banner.say(str(wrong), "error")
            return
        self.banner.say("")
        self.bench_panel.show_state("connecting …", "muted")
        self.panel.set_busy(True)
        self.panel.show_progress(0, 0, "starting")

    def stop_safe(self) -> None:
        """End everything that is under way and bring the bench into its verified safe state."""
        if not isinstance(self.source, RunSource):
            return
        self.source.stop()
        self.panel.set_busy(True, stopping=True)
        self.bench_panel.show_state("going to the safe state …", "warning")

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        """Safe state first, then close."""
        if not (isinstance(self.source, RunSource) and self.source.busy):
            self._forget_stored()
            event.accept()
            return
        event.ignore()
        if not self._closing:
            self._closing = True
            self.banner.say("Stopping safely; the window closes once the bench is read back safe.")
            self.stop_safe()

    # what the source tells

    def _fetch(self) -> None:
        stored: list[Shot] = []
        for event in self.source.take() + self._extra():
            if isinstance(event, events.ShotStored):
                stored.append(event.shot)
                continue
            self._add(stored)
            getattr(self, f"_on_{type(event).__name__}", _ignore)(event)
        self._add(stored)
        if self._fresh and self.follow.isChecked():
            self._show_newest()
        self._fresh = False

    def _extra(self) -> list[Told]:
        """What the reader of old shots has to tell, when it is not the source itself."""
        return [] if self._stored in (None, self.source) else [
            e for e in self._stored.take() if isinstance(e, PictureReady | Failed)]

    def _add(self, stored: list[Shot]) -> None:
        if stored:
            self.table.shots.add(stored)
            self._newest, self._fresh = stored[-1].number, True
            self._fitted = max([self._fitted, *(s.number for s in stored if s.fit is not None)])
            stored.clear()

    def _on_RunStarted(self, event: events.RunStarted) -> None:
        self._path, self._newest, self._fitted = event.path, -1, -1
        self._forget_stored()
        self.table.shots.clear()
        self.plot.clear("Waiting for the first shot")
        self.report.show_fit(None)
        self.follow.setChecked(True)
        self.panel.show_progress(0, event.shots)
        self.status.show_run(event.path, event.origin)
        self.setWindowTitle(f"{event.path.name} – maserbench")
        if isinstance(self.source, RunSource):
            self.bench_panel.show_state("run under way, the laser may fire", "warning")

    def _on_ShotFitted(self, event: events.ShotFitted) -> None:
        self.table.shots.set_fit(event.number, event.row)
        self._fitted, self._fresh = max(self._fitted, event.number), True
        self._answered = time.monotonic()
        if not self.follow.isChecked() and event.number == self.table.selected():
            self.show_shot(event.number)

    def _on_Progress(self, event: events.Progress) -> None:
        behind = self._newest - self._fitted
        lag = f"twin {behind} shots behind" if self._fitted >= 0 and behind > _BEHIND else ""
        self.panel.show_progress(event.done, event.total, event.text or lag)

    def _on_Notice(self, event: events.Notice) -> None:
        self.banner.say(event.text, "note")

    def _on_BenchOpened(self, event: BenchOpened) -> None:
        self.bench_panel.show_bench(event)

    def _on_SafeState(self, event: events.SafeState) -> None:
        self.bench_panel.show_safe_state(event)
        self.unknown_state = "" if event.verified else event.message

    def _on_RunEnded(self, event: events.RunEnded) -> None:
        self.table.shots.settle()
        if (shown := self.table.selected()) is not None:
            self._report(shown)
        done = event.state == "finished"
        self.banner.say(outcome(event), "done" if done else "note")
        self.panel.rest(event.state)

    def _on_PictureReady(self, event: PictureReady) -> None:
        if event.number == self.table.selected():
            self.show_shot(event.number)

    def _on_Failed(self, event: Failed) -> None:
        self.banner.say(event.text, "error")
        self.panel.rest("ended early")
        if event.code == 4:
            self.unknown_state = event.text
            self.bench_panel.show_state("STATE UNKNOWN, use the emergency stop", "danger")
        elif self.bench_panel.state_text.endswith("…"):
            self.bench_panel.show_state("not connected", "muted")

    def _on_Idle(self, _: Idle) -> None:
        if isinstance(self.source, RunSource):
            self.source.busy = False
            self.panel.set_busy(False)
            if self.panel.bar.maximum() == 0:
                self.panel.rest("ready")
        if self._closing:
            self.close()

    # which shot is on screen

    def show_shot(self, number: int) -> None:
        """A shot by its number: from memory, else from disk once the run is over."""
        picture = self.source.gallery.picture(number)
        if picture is None and self._stored not in (None, self.source):
            picture = self._stored.gallery.picture(number)
        self._report(number)
        if picture is not None:
            self.plot.show_picture(picture)
        else:
            self._read_back(number)

    def _report(self, number: int) -> None:
        waiting = "Waiting for the twin" if self.table.shots.waiting else "Not fitted"
        self.report.show_fit(self.table.shots.fit(number), waiting)

    def _show_newest(self) -> None:
        silent = time.monotonic() - self._answered > _SILENT and self._newest - self._fitted > _BEHIND
        number = self._newest if self._fitted < 0 or silent else self._fitted
        self.table.select(number)
        self.show_shot(number)

    def _chosen(self, number: int) -> None:
        self.follow.setChecked(False)
        self.show_shot(number)

    def _followed(self, on: bool) -> None:
        if on and self._newest >= 0:
            self._show_newest()

    def _read_back(self, number: int) -> None:
        self.plot.clear(f"Reading shot {number} from disk")
        if self._stored is None:
            if self._path is None or (isinstance(self.source, RunSource) and self.source.busy):
                self.plot.clear(f"Shot {number} is on disk; it can be shown when the run is over.")
                return
            self._stored = StoredRun(self._path)
            self._stored.news.connect(self._timer.start, Qt.ConnectionType.QueuedConnection)
        self._stored.want(number)

    def _forget_stored(self) -> None:
        if self._stored not in (None, self.source):
            self._stored.close()
            self._stored = None

    def _connect(self) -> None:
        self.source.news.connect(self._wake, Qt.ConnectionType.QueuedConnection)
        self.panel.run.connect(self.run)
        self.panel.stop.connect(self.stop_safe)
        self.panel.wrong.connect(lambda text: self.banner.say(text, "error"))
        self.table.chosen.connect(self._chosen)
        self.follow.toggled.connect(self._followed)
        for keys in ("F12", "Esc, Esc"):
            shortcut = QtGui.QShortcut(QtGui.QKeySequence(keys), self, self.stop_safe)
            shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut)
        self._wake()

    def _wake(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def set_theme(self, theme: Theme) -> None:
        """Dress the window and all that is drawn in it."""
        self.theme = self.table.shots.theme = theme
        apply(application(), theme)
        self.plot.set_theme(theme)


def _ignore(event: Told) -> None:
    """An event that this window has no place for."""
