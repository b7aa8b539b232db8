"""Several runs one after another, each a run like any other; what became of each stands in one small file.

    sequence.toml    the plan as it was given
    sequence.jsonl   seed and bench, then what was begun and what became of it; held locked meanwhile

The runs lie beside this folder and are named by the way to them. A failure of the bench ends a sequence
whatever its steps say: a laser that tripped is armed again by a person who continues it, by nothing else.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from instruments.errors import InstrumentError
from procedures import catalogue
from twin.bench_description import BenchDescription

from .apparatus.bench import Bench, check_wishes
from .continuing import check_bench
from .flight_check import Flight, clear
from .hold import Hold
from .records import events
from .records.failures import BenchFailure, failure_of
from .records.points import key_of
from .scan import Walk
from .sequence_plan import PlannedRun, SequencePlan, read_plan
from .session import run
from .storage.event_log import moment, read_lines, write_line
from .storage.file_lock import hold as lock
from .storage.runs import Run, open_run

_POLL = 0.05  # [s] between two looks at the abort button while waiting


@dataclass(frozen=True)
class Began:
    """A sequence comes to one of its runs."""

    planned: PlannedRun
    total: int


@dataclass(frozen=True)
class Past:
    """What became of one run: its folder ("" where none was made) and "finished", "aborted" or "failed"."""

    number: int
    folder: str
    state: str
    message: str = ""


class Sequence:
    """A sequence's folder, new or continued."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.rows = list(read_lines(self.path / "sequence.jsonl"))
        if not self.rows:
            raise FileNotFoundError(f"{path} is no sequence: it holds no sequence.jsonl")
        self.seed = int(self.rows[0]["seed"])
        text = (self.path / "sequence.toml").read_text("utf-8")
        self.plan = read_plan(text, str(self.path / "sequence.toml"), self.seed)

    @property
    def past(self) -> Mapping[int, Past]:
        """What is known of each run that was begun, by its number."""
        found: dict[int, Past] = {}
        for row in self.rows[1:]:
            number = int(row["run"])
            folder = row.get("folder") or (found[number].folder if number in found else "")
            found[number] = Past(number, folder, row["state"], row.get("message", ""))
        return found

    def is_over(self, past: Past) -> bool:
        """Whether nothing of a run is left to be done; its own folder knows, where a kill came between."""
        if past.state == "begun" and (self.path / past.folder / "manifest.toml").is_file():
            with open_run(self.path / past.folder) as begun:
                return begun.state == "finished"
        return past.state in ("finished", "failed")

    @property
    def runs(self) -> list[Run]:
        """The runs that were finished, in the order of the plan."""
        done = [past for _, past in sorted(self.past.items())
                if past.state != "failed" and self.is_over(past)]
        return [open_run(self.path / past.folder) for past in done]

    @property
    def state(self) -> str:
        """"finished" when every run of the plan has come to its end, else "aborted"."""
        over = sum(self.is_over(past) for past in self.past.values())
        return "finished" if over == len(self.plan.runs) else "aborted"


def opened(plan: str | Path, bench: BenchDescription, output: str | Path, seed: int | None) -> Sequence:
    """The sequence in a folder, or a new one for a file, whose every run may be made on that bench."""
    path = Path(plan)
    if path.is_dir():
        sequence = Sequence(path)
        check_plan(sequence.plan, bench)
        for finished in sequence.runs:
            with finished:
                check_bench(finished, bench)
        return sequence
    seed = secrets.randbits(32) if seed is None else seed
    read = read_plan_file(path, seed)
    check_plan(read, bench)
    return _new(read, seed, bench.name, Path(output))


def read_plan_file(path: Path, seed: int) -> SequencePlan:
    """The plan in a file; FileNotFoundError, ValueError."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no plan {path}; a sequence is a TOML file with [[step]] tables; "
                                "to go on with one that was begun, give its folder to --continue")
    try:
        return read_plan(path.read_text("utf-8"), str(path), seed)
    except UnicodeDecodeError as broken:
        raise ValueError(f"plan {path} is not UTF-8 text: {broken}") from None


def _new(plan: SequencePlan, seed: int, bench: str, output: Path) -> Sequence:
    """DIR/<UTC time>-sequence-<4 hex> with the plan in it."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = Path(output) / f"{stamp}-sequence-{secrets.token_hex(2)}"
    path.mkdir(parents=True, exist_ok=False)
    (path / "sequence.toml").write_text(plan.text, "utf-8")
    with (path / "sequence.jsonl").open("w", encoding="utf-8") as file:
        write_line(file, {"moment": moment(), "format": 1, "title": plan.title, "seed": seed, "bench": bench,
                          "runs": len(plan.runs)})
    return Sequence(path)


def check_plan(plan: SequencePlan, description: BenchDescription) -> list[Flight | None]:
    """The flight of every run (None: no laser), once for those alike; ValueError for what must not be."""
    flights: dict[str, Flight | None] = {}
    found = []
    for planned in plan.runs:
        try:
            check_wishes(description, planned.procedure, catalogue.procedure(planned.procedure),
                         planned.settings)
            key = f"{planned.procedure} {sorted(planned.settings.items())}"
            if key not in flights:
                flights[key] = clear(description, planned.settings)
        except ValueError as wrong:
            raise ValueError(f"run {planned.number} of the sequence, {planned.procedure}: {wrong}") from None
        found.append(flights[key])
    return found


def run_sequence(plan: str | Path, bench: Bench, output: str | Path = "runs", seed: int | None = None,
                 publish: Callable[[Any], None] | None = None,
                 should_stop: Callable[[], bool] | None = None, hold: Hold | None = None) -> Sequence:
    """Make the runs of a plan's file, or those that an interrupted sequence's folder still lacks.

    `publish` gets `Began` and every event of every run. A run that ended early is gone on with. Raises what
    `run` raises, except for failures that are not the bench's in steps that go on.
    """
    publish = publish or (lambda event: None)
    sequence = opened(plan, bench.description, output, seed)
    with (sequence.path / "sequence.jsonl").open("a", encoding="utf-8") as log:
        try:
            lock(log)
        except OSError:
            raise ValueError(f"{sequence.path} is being run by another program") from None
        if not (sequence.path / "sequence.jsonl").read_bytes().endswith(b"\n"):
            log.write("\n")  # a kill may have torn the last line
        past = sequence.past
        for planned in sequence.plan.runs:
            known = past.get(planned.number)
            if known is not None and sequence.is_over(known):
                continue
            publish(Began(planned, len(sequence.plan.runs)))
            if not _waited(bench.seconds(planned.wait), should_stop):
                break
            if not _made(sequence, planned, known, bench, log, publish, should_stop, hold):
                break
    return Sequence(sequence.path)


def _waited(seconds: float, should_stop: Callable[[], bool] | None) -> bool:
    """False when somebody has asked for the end meanwhile."""
    end = time.monotonic() + seconds
    while not (should_stop is not None and should_stop()):
        if (left := end - time.monotonic()) <= 0.0:
            return True
        time.sleep(min(left, _POLL))
    return False


def _made(sequence: Sequence, planned: PlannedRun, known: Past | None, bench: Bench, log: Any,
          publish: Callable[[Any], None], should_stop: Callable[[], bool] | None, hold: Hold | None) -> bool:
    """One run; False when it was stopped by hand."""
    def told(event: events.Event) -> None:
        if isinstance(event, events.RunStarted):
            note("begun", folder=f"../{event.path.name}")
        publish(event)

    def note(state: str, **more: str) -> None:
        write_line(log, {"moment": moment(), "run": planned.number, "state": state, **more})

    try:
        place = sequence.path / known.folder if known is not None and known.folder else None
        done = run(planned.procedure, bench, sequence.path.parent, seed=_seed(sequence, planned),
                   publish=told, should_stop=should_stop, hold=hold, continues=_unfinished(place, planned),
                   **planned.settings)
    except BaseException as failure:
        own = isinstance(failure, Exception) and not _of_the_bench(failure)
        note("failed" if own and planned.goes_on else "aborted", message=failure_of(failure))
        if not own or not planned.goes_on:
            raise
        return True
    note(done.state)
    done.close()
    return done.state == "finished"


def _of_the_bench(failure: BaseException) -> bool:
    """Whether what went wrong was an instrument, the guard, the disk or the safe state, or may have been."""
    if not isinstance(failure, BenchFailure):
        return isinstance(failure, (InstrumentError, OSError))
    cause = failure.__cause__  # a run wraps whatever ended it, once its bench is safe
    outside = cause is None or isinstance(cause, (BenchFailure, InstrumentError, OSError))
    return outside or failure.exit_code != 1


def _seed(sequence: Sequence, planned: PlannedRun) -> int:
    """A run's own seed; another one for what is taken after an interruption, whose shots count anew."""
    attempts = sum(row.get("run") == planned.number and row["state"] == "begun" for row in sequence.rows)
    return int(np.random.SeedSequence([sequence.seed, planned.number, attempts]).generate_state(1)[0])


def _unfinished(path: Path | None, planned: PlannedRun) -> Path | None:
    """The run that ended early at `path`, or the one before it if it took nothing; None: there is nothing to
    go on with."""
    cls = catalogue.procedure(planned.procedure)
    if path is None or not issubclass(cls, Walk) or not (path / "manifest.toml").is_file():
        return None
    with open_run(path) as begun:
        if begun.state not in ("aborted", "killed"):
            return None
        if not _taken(begun):
            return None if begun.former is None else _unfinished(begun.former.path, planned)
        return path if _taken(begun, chain=True) < cls(**planned.settings).plan().shots else None


def _taken(begun: Run, chain: bool = False) -> int:
    """Shots at points of a run, or of those as well that it continues."""
    own = sum(key_of(shot.settings) is not None for shot in begun.shots)
    return own + (_taken(begun.former, chain) if chain and begun.former is not None else 0)
