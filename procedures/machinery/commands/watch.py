"""A run as a terminal shows it: a live table with a progress bar, plain lines, and the table at the end.

Consumes the same events as the window. On a terminal the table grows in place; anywhere else (a file, a
pipe) one line per shot is enough, and `--progress plain` gives the lines that programs wait for.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from procedures.machinery.records import events
from procedures.machinery.records.answers import UNITS
from procedures.machinery.records.shot import FitRow, Shot
from twin.quantity import nearest, show

_COLUMNS = {"collective_coupling": ("G", 1e6, "Mrad/s"), "cavity_decay": ("kappa", 1e6, "/us"),
            "dephasing_35": ("chi", 1e6, "/us"), "seed_photons": ("seed", 1e3, "k")}
_ROWS_SHOWN, _ROWS_KEPT = 24, 200
STYLES = ("auto", "plain")


class Watcher:
    """Call it with every event; use it as a context around the run."""

    def __init__(self, style: str = "auto", errors: bool = True) -> None:
        if style not in STYLES:
            raise ValueError(f"--progress: {nearest(style, STYLES)}")
        wide = None if sys.stdout.isatty() else 170
        self._console = Console(width=wide, highlight=False, soft_wrap=False)
        self._errors = Console(stderr=True, highlight=False)
        self._plain = style == "plain"
        self._shots: dict[int, Shot] = {}
        self._fits: dict[int, FitRow] = {}
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
                   TimeElapsedColumn())
        self._bar = Progress(*columns, console=self._console)
        self._task = self._bar.add_task("starting", total=None)
        self._live: Live | None = None
        self._held = False
        self.path: Path | None = None

    def __enter__(self) -> Watcher:
        if self._console.is_terminal and not self._plain:
            self._live = Live(self._picture(), console=self._console, refresh_per_second=8, transient=True)
            self._live.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._live is not None:
            self._live.__exit__(None, None, None)
            self._live = None

    def __call__(self, event: events.Event) -> None:
        kind = type(event).__name__
        getattr(self, f"_{kind}", lambda e: None)(event)
        if self._live is not None:
            self._live.update(self._picture())

    def _RunStarted(self, event: events.RunStarted) -> None:
        self.path = event.path
        self._bar.update(self._task, description=event.procedure, total=event.shots)
        if not self._plain:
            self._say(f"{event.procedure} on a {event.origin.value} bench, {event.shots} shots: {event.path}")

    def _ShotStored(self, event: events.ShotStored) -> None:
        self._shots[event.shot.number] = dataclasses.replace(event.shot, waveforms={}, traces={})
        for forgotten in list(self._shots)[:-_ROWS_KEPT]:
            del self._shots[forgotten]
            self._fits.pop(forgotten, None)
        self._bar.update(self._task, completed=event.shot.number + 1)
        if self._plain:
            print(f"shot {event.shot.number} stored", flush=True)

    def _ShotFitted(self, event: events.ShotFitted) -> None:
        if event.number not in self._shots:
            return  # a fit so far behind that its row is forgotten; run.csv has it
        self._fits[event.number] = FitRow.from_json(event.row.as_json())
        if self._live is None and not self._plain:
            self._say(_line(self._shots[event.number], event.row))

    def _Progress(self, event: events.Progress) -> None:
        self._bar.update(self._task, completed=event.done, total=event.total)
        if event.text:
            self._bar.update(self._task, description=event.text)

    def _Armed(self, event: events.Armed) -> None:
        if self._held:
            self._held = False
            self._errors.print(f"armed again by {event.user}", markup=False)

    def _Paused(self, event: events.Paused) -> None:
        self._held = True
        self._errors.print(f"held before shot {event.shot}: laser off, read back", markup=False)

    def _Notice(self, event: events.Notice) -> None:
        where = self._errors if self._live is None else self._live.console
        where.print(f"note: {event.text}", markup=False)

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    def _picture(self) -> Group:
        return Group(self._table(list(self._shots)[-_ROWS_SHOWN:]), self._bar)

    def _table(self, numbers: list[int]) -> Table:
        table = Table(caption="each value ± statistical error ± declared model error", caption_justify="left")
        for title in ("shot", "energy"):
            table.add_column(title, justify="right")
        table.add_column("verdict")
        for symbol, _, unit in _COLUMNS.values():
            table.add_column(f"{symbol} [{unit}]".replace("[", r"\["), justify="right")
        for title in ("chi2/dof", "ms"):
            table.add_column(title, justify="right")
        for number in numbers:
            table.add_row(*_cells(self._shots[number], self._fits.get(number)))
        return table

    def summary(self) -> None:
        """The table, once the run is over; of a long run its end."""
        if any(shot.energy == shot.energy or shot.number in self._fits for shot in self._shots.values()):
            self._console.print(self._table(list(self._shots)))
            if (first := min(self._shots)) > 0 and self.path is not None:
                self._say(f"shots 0 to {first - 1} stand in {self.path / 'run.csv'}")


def _cells(shot: Shot, fit: FitRow | None) -> list[str]:
    left = [str(shot.number), show(shot.energy, "J") if shot.energy == shot.energy else "-"]
    if fit is None:
        return [*left, "CONTROL" if shot.control else "...", *("" for _ in _COLUMNS), "", ""]
    values = [_value(name, fit, scale) for name, (_, scale, _) in _COLUMNS.items()]
    quality = "" if fit.chi2_per_dof is None else f"{fit.chi2_per_dof:.3f}"
    return [*left, fit.verdict.name, *values, quality, f"{1e3 * fit.seconds:.0f}"]


def _value(name: str, fit: FitRow, scale: float) -> str:
    if name not in fit.parameters:
        return ""
    errors = [fit.sigma.get(name), fit.sigma_model.get(name)]
    tail = "".join(f" ±{e / scale:.2g}" for e in errors if e is not None)
    return f"{fit.parameters[name] / scale:.4g}{tail}"


def _line(shot: Shot, fit: FitRow) -> str:
    number, energy, verdict, *values, quality, took = _cells(shot, fit)
    parts = [f"{symbol} {value} {unit}"
             for (symbol, _, unit), value in zip(_COLUMNS.values(), values, strict=True) if value]
    parts += [f"chi2/dof {quality}"] if quality else []
    return f"shot {number:>4}  {energy:>9}  {verdict:<17}" + "  ".join([*parts, f"{took} ms"])


def show_result(result: Mapping[str, object]) -> str:
    """A run's answers as lines of text."""
    lines = []
    for name, value in result.items():
        if name.endswith("_sigma") and name.removesuffix("_sigma") in result:
            continue
        if isinstance(value, float):
            error = result.get(name + "_sigma")
            value = show(value, UNITS.get(name, ""), 5)
            value += f" ± {show(error, UNITS.get(name, ''), 3)}" if isinstance(error, float) else ""
        if isinstance(value, dict):
            value = ", ".join(f"{key} {number}" for key, number in value.items())
        lines.append(f"{name}: {value}")
    return "\n".join(lines)
