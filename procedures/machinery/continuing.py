"""Going on with a run that ended early: what it has taken, what is missing, and one answer from both.

The later run refers to the former in its manifest; neither is ever changed. A run that continues one that
continues another has all three in its answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.bench_description import BenchDescription, parse

from .fitting.shot_checks import to_be_fitted
from .fitting.shot_fit import MODEL, fit_shot
from .records.points import key_of
from .records.rows import Rows
from .records.shot import FitRow, Shot
from .storage.measured import Measured, joined
from .storage.runs import Run, open_run

_SAME = ("receivers", "photodiode", "pump", "expected", "reference")
"""What of a bench file a shot's numbers depend on."""

Fitting = Callable[[BenchDescription, Shot], FitRow | None]


@dataclass(frozen=True)
class Former:
    """The run that is continued, open inside a `with`, and what was measured in it and in those before it."""

    run: Run
    measured: Measured

    def place(self, later: Path) -> str:
        """How the manifest of the `later` run names it: the way from one folder to the other."""
        return Path(os.path.relpath(self.run.path, later)).as_posix()

    def __enter__(self) -> Former:
        return self

    def __exit__(self, *exc: object) -> None:
        self.run.close()


def former_of(path: str | Path, name: str, values: Mapping[str, Any], bench: BenchDescription) -> Former:
    """The run at `path`; ValueError where this procedure, with these settings, cannot go on with it."""
    run = open_run(path)
    try:
        _check(run, name, values, bench)
        measured = measured_of(run, completed)
        return Former(run, measured)
    except BaseException:
        run.close()
        raise


def check_former(path: str | Path, name: str, values: Mapping[str, Any], bench: BenchDescription) -> None:
    """ValueError as `former_of`, at once: nothing is fitted for it."""
    with open_run(path) as run:
        _check(run, name, values, bench)


def _check(run: Run, name: str, values: Mapping[str, Any], bench: BenchDescription) -> None:
    if run.state not in ("aborted", "killed"):
        why = "is still running" if run.state == "running" else "has all its points"
        raise ValueError(f"{run.path} {why}; only a run that ended early is continued")
    if run.procedure != name:
        raise ValueError(f"{run.path} is a {run.procedure} and no {name}; a run is continued by its own "
                         "procedure")
    if len(run.shots) and key_of(run.shots[0].settings) is None:
        raise ValueError(f"{run.path.name} does not say which shot belongs to which point, as it comes "
                         "from an earlier version; start a new run")
    for setting, value in values.items():
        if run.settings.get(setting, value) != value:
            raise ValueError(f"{setting} = {value!r}, but {run.path.name} was taken with "
                             f"{run.settings[setting]!r}; a run is continued with its own settings")
    check_bench(run, bench)


def check_bench(run: Run, bench: BenchDescription) -> None:
    """ValueError where the bench file has changed since a run in what the numbers depend on."""
    then = parse(run.bench_text, f"the bench file of {run.path.name}")
    for part in _SAME:
        if getattr(then, part) != getattr(bench, part):
            raise ValueError(f"the bench file says something else about {part} than it did when "
                             f"{run.path.name} was taken; what two benches have measured makes no common "
                             "answer, so begin anew")


def measured_of(run: Run, fit: Fitting) -> Measured:
    """What is stored of a run and of those that it continues, every shot with what `fit` says to it."""
    bench, rows = parse(run.bench_text, f"the bench file of {run.path.name}"), Rows()
    for shot in run.shots:
        rows.stored(shot)
        rows.completed(shot.number, fit(bench, shot))
    now = Measured(bench, run.shots, rows)
    return now if run.former is None else joined(measured_of(run.former, fit), now)


def as_stored(bench: BenchDescription, shot: Shot) -> FitRow | None:
    """The fit that the run itself holds."""
    return shot.fit


def completed(bench: BenchDescription, shot: Shot) -> FitRow | None:
    """The fit that the run holds, made now where the run's end came before it."""
    return shot.fit or fit_of(bench, shot, MODEL)


def anew(model: str) -> Fitting:
    """Every burst is fitted once more."""
    return lambda bench, shot: fit_of(bench, shot, model)


def fit_of(bench: BenchDescription, shot: Shot, model: str) -> FitRow | None:
    """The twin's answer to a stored shot; None for a sweep, a dark record, a control and a spoiled mode."""
    return fit_shot(bench, shot, model).row if to_be_fitted(bench, shot) else None
