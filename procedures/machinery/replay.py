"""A stored run once more through the pipeline: the same events, fits and answers as when it was taken.

Reads the run's folder and writes nothing. With the same version and model the numbers are the same to the
last digit; another model, or a later version, shows what it would have said.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

from procedures import catalogue
from twin.bench_description import BenchDescription, parse

from .continuing import anew, measured_of
from .fitting.shot_checks import to_be_fitted
from .fitting.shot_fit import fit_shot
from .records import events
from .records.rows import Rows
from .records.shot import FitRow, Origin, Shot
from .storage.measured import Measured, joined
from .storage.runs import Run


def replay(run: Run, model: str = "mean_field", bench: BenchDescription | None = None,
           real_time: bool = False) -> Iterator[events.Event]:
    """The run's events, as fast as possible or at the pace at which it was taken.

    `bench` None: the bench file that the run itself holds. ValueError for a run that holds no shots.
    """
    shots = run.shots
    if not len(shots):
        raise ValueError(f"run {run.path} holds no shots")
    description = bench or parse(run.bench_text, f"the bench file of {run.path.name}")
    rows, began, first = Rows(), time.monotonic(), shots[0].moment
    yield events.RunStarted(run.path, run.procedure, run.settings, Origin(run.manifest["origin"]), len(shots))
    for shot in shots:
        if real_time:
            time.sleep(max(0.0, began + _seconds(first, shot.moment) - time.monotonic()))
        yield events.ShotStored(shot)
        rows.stored(shot)
        yield from _fitted(description, shot, model, rows)
        yield events.Progress(shot.number + 1, len(shots))
    measured = Measured(description, shots, rows)
    if run.former is not None:
        measured = joined(measured_of(run.former, anew(model)), measured)
    yield events.RunEnded(run.path, run.state, "", answer(run, measured), len(shots))


def _fitted(description: BenchDescription, shot: Shot, model: str, rows: Rows) -> Iterator[events.Event]:
    """The twin's answer to a burst; a sweep, a dark record and a spoiled mode have none."""
    lit = to_be_fitted(description, shot)
    fitted = fit_shot(description, shot, model) if lit else None
    rows.completed(shot.number, fitted.row if fitted else None)
    if fitted is not None:
        yield fitted


def answer(run: Run, measured: Measured) -> dict[str, object]:
    """What the run's procedure answers; {} where no procedure made it (bursts that others recorded)."""
    if run.procedure not in catalogue.names():
        return {}
    return dict(catalogue.procedure(run.procedure)(**run.settings).answer(measured))


def same(one: FitRow, other: FitRow) -> bool:
    """Whether two answers agree to the last digit, the time that they took aside."""
    ours, theirs = one.as_json(), other.as_json()
    return {**ours, "seconds": 0.0} == {**theirs, "seconds": 0.0}


def _seconds(first: str, moment: str) -> float:
    """Time [s] between two moments in ISO 8601."""
    return (datetime.fromisoformat(moment) - datetime.fromisoformat(first)).total_seconds()
