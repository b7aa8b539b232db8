"""A run from beginning to end: checks, folder, PyMeasure's worker, safe state, answers.

The procedure runs in PyMeasure's worker thread; this thread only waits, watches for an abort and sees to
it that every way out passes through the verified safe state.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from secrets import randbits
from typing import Any

from pymeasure.experiment import Results
from pymeasure.experiment.workers import Worker

from procedures import catalogue

from .acquire import Acquisition
from .apparatus.bench import Bench, check_wishes
from .apparatus.guard import Guard
from .apparatus.snapshot import take_snapshot
from .apparatus.warm import warm
from .continuing import Former, former_of
from .fitting import shot_checks
from .flight_check import clear
from .hold import Hold
from .lab_book.before import Before, look_up
from .records import events, settings
from .records.failures import BenchFailure, StateUnknown, Stopped, failure_of
from .scan import Walk
from .storage import provenance
from .storage.places import for_folder
from .storage.run_folder import RunFolder, moment
from .storage.run_notes import Remarks
from .storage.runs import Run, open_run

_POLL = 0.05  # [s] between two looks at the abort button


class BenchWorker(Worker):
    """PyMeasure's worker that keeps the exception, which PyMeasure turns into a text."""

    problem: BaseException | None = None

    def handle_error(self) -> None:
        problem = sys.exception()
        if isinstance(problem, Stopped):
            return  # as asked for
        self.problem = problem
        super().handle_error()

    def shutdown(self) -> None:
        try:
            super().shutdown()
        except Exception as problem:
            self.problem = self.problem or problem
            self.recorder.stop()


def run(name: str, bench: Bench, output: str | Path = "runs", seed: int | None = None,
        publish: events.Publish | None = None, should_stop: Callable[[], bool] | None = None,
        operator: str = "", sample: str = "", tags: Sequence[str] = (), note: str = "",
        hold: Hold | None = None, continues: str | Path | None = None, **given: Any) -> Run:
    """Run a procedure of the catalogue and return its run, which lies in a new folder under `output`.

    Settings are SI numbers or text with units; `sample` is a crystal (samples.py). `publish` gets every
    event, in the worker's thread; `should_stop` is asked 20 times a second. A run that was stopped is
    returned with state "aborted". `hold` stops a run between two shots until a person lets it go on.
    `continues` is an earlier run of the same procedure with the same settings on the same bench: what is
    missing in it is taken, and the answer comes from both.
    Raises ValueError before anything is armed or stored (unknown names, units, limits, what the flight check
    refuses), BenchFailure when an instrument fails and StateUnknown when the bench could not be verified
    safe; what was stored stays.
    """
    cls = catalogue.procedure(name)
    values = settings.values(cls, given)
    check_wishes(bench.description, name, cls, values)
    moved = bench.wire_for(cls)
    if continues is not None and not issubclass(cls, Walk):
        raise ValueError(f"{name} takes one trace and no points, so there is nothing to be continued; run it "
                         "anew")
    if seed is not None and not 0 <= seed < 2**63:
        raise ValueError(f"seed = {seed} must be a whole number from 0 to 2^63 - 1")
    for_folder(Path(output))
    remarks = Remarks(operator, sample, tuple(tags), note)
    going_on = nullcontext() if continues is None else former_of(continues, name, values, bench.description)
    with going_on as former:
        _check_former(former, cls(**values), bench, seed)
        if former is not None:
            remarks = remarks.going_on(former.run.manifest)
        if seed is None and bench.description.virtual:
            seed = randbits(32)
        before = look_up(Path(output), remarks, bench.description, values, bench.origin)
        before = replace(before, notices=(*moved, *before.notices))
        publish = _nobody if publish is None else publish
        bench.guard.require()
        warm()  # compiling and loading hold up all threads, which the guard would take for a stall
        shot_checks.load(bench.description)
        clear(bench.description, values)
        folder = RunFolder(Path(output), name, partial(take_snapshot, bench), bench.description.fsync)
        gc.freeze()  # to look through all that is loaded would hold up all threads, the heartbeat's too
        try:
            return _run(name, cls, values, bench, folder, seed, before, publish, should_stop, hold, former)
        finally:
            gc.unfreeze()
            bench.guard.announce(None)
            folder.close()


def _check_former(former: Former | None, procedure: Any, bench: Bench, seed: int | None) -> None:
    """ValueError where nothing is left to be taken, or would be taken with the noise of what was."""
    if former is None:
        return
    if not _records(procedure, former):
        raise ValueError(f"all points of {former.run.path} are taken; 'maserbench replay' gives its answer")
    if bench.description.virtual and seed is not None and seed == former.run.seed:
        raise ValueError(f"seed = {seed} is that of {former.run.path.name}, whose noise would be drawn once "
                         "more; give another one, or none")


def _nobody(event: events.Event) -> None:
    """Nobody watches."""


def _run(name: str, cls: type, values: dict[str, Any], bench: Bench, folder: RunFolder, seed: int | None,
         before: Before, publish: events.Publish, should_stop: Callable[[], bool] | None, hold: Hold | None,
         former: Former | None) -> Run:
    bench.seed = seed
    procedure = cls(**values)
    total = _records(procedure, former)
    earlier, place = (former.measured, former.place(folder.path)) if former is not None else (None, None)
    acquisition = Acquisition(bench, folder, publish, total, hold, earlier)
    folder.write_manifest(provenance.manifest(
        folder.path.name, name, moment(), seed, bench.origin, values, bench.description.name,
        bench.description.text, bench.identities, before.remarks, before.calibrations, place))
    acquisition.note(events.RunStarted(folder.path, name, values, bench.origin, total))
    for text in before.notices:
        acquisition.note(events.Notice(text))
    procedure.acquisition = acquisition
    worker = BenchWorker(Results(procedure, str(folder.path / "run.csv")), port=None)
    watched = _watch(worker, acquisition, bench.guard, should_stop)
    bench.guard.announce(None)  # all is off; what is left is arithmetic, which may take its time
    finished = _end(folder, procedure, acquisition, worker.problem, watched)
    if watched.raised is not None:
        raise watched.raised
    return finished


def _records(procedure: Any, former: Former | None) -> int:
    """How many are to be taken, as far as that is known before."""
    if not isinstance(procedure, Walk):
        return int(getattr(procedure, "shots", 1))
    plan = procedure.plan()
    return plan.total(plan.shots - (0 if former is None else len(former.measured.visited())))


@dataclass
class _Watched:
    """What came from outside while a run was under way."""

    stopped: bool = False
    raised: BaseException | None = None
    guard_lost: str = ""


def _watch(worker: BenchWorker, acquisition: Acquisition, guard: Guard,
           should_stop: Callable[[], bool] | None) -> _Watched:
    """Run the worker to its end. Whoever wants it to end earlier gets the bench off first, then the end."""
    seen, off = _Watched(), False
    worker.start()
    while worker.is_alive():
        try:
            threading.Thread.join(worker, _POLL)  # PyMeasure's own join stops the worker when it is over
            if off:
                continue
            seen.guard_lost = guard.problem
            if not seen.stopped:
                seen.stopped = bool(seen.guard_lost or (should_stop is not None and should_stop()))
            if seen.stopped:
                worker.stop()
                acquisition.cut_short()
                off = True
        except BaseException as raised:  # Ctrl-C, or should_stop itself: the laser must not go on without us
            seen.stopped, seen.raised = True, raised
    if worker.problem is not None:  # a guard that took over is the cause of what failed then
        seen.guard_lost = guard.problem
    return seen


def _end(folder: RunFolder, procedure: Any, acquisition: Acquisition, problem: BaseException | None,
         watched: _Watched) -> Run:
    result, taken = dict[str, Any](), problem is None
    try:
        result = procedure.answer(acquisition.measured) if taken else {}
        folder.finish(result)
    except Exception as failed:  # the folder's rights, or arithmetic: the run ends as any other
        problem = problem or failed
    if watched.guard_lost:
        problem = BenchFailure(f"{watched.guard_lost}; without a guard no run goes on")
    elif watched.stopped and problem is not None:  # what fails in a bench that is being turned off
        acquisition.note(events.Notice(f"while it was being stopped: {failure_of(problem)}"))
        problem = None
    message = failure_of(problem) if problem is not None else "stopped by hand" if watched.stopped else ""
    state = "finished" if not message else "aborted"
    safe = acquisition.make_safe()
    if not safe.verified:
        message = (f"{message.rstrip('.') or 'the run is over'}. STATE UNKNOWN, use the emergency stop: "
                   f"{safe.message}")
    acquisition.note(events.RunEnded(folder.path, state, message, result, len(acquisition.measured.shots)))
    if not safe.verified:
        raise StateUnknown(message) from problem
    if taken and isinstance(problem, ValueError):
        raise problem  # the bench file does not declare what the answer needs: no fault of an instrument
    if problem is not None:
        raise BenchFailure(f"{message.rstrip('.')}. The bench is in its safe state; what was stored lies in "
                           f"{folder.path}") from problem
    return open_run(folder.path)
