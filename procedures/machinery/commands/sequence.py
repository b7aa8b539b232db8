"""`maserbench sequence`: a plan of several runs, printed, made, and gone on with."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from procedures import catalogue
from procedures.machinery.apparatus.bench import describe_bench, open_bench
from procedures.machinery.apparatus.warm import warm
from procedures.machinery.flight_check import Flight
from procedures.machinery.records import events
from procedures.machinery.records.failures import Interrupted
from procedures.machinery.sequence import Began, Sequence, check_plan, read_plan_file, run_sequence
from procedures.machinery.sequence_plan import PlannedRun, SequencePlan
from twin.quantity import show

from .holding import Hand
from .run import print_progress, stop_signals
from .watch import Watcher, show_result


def sequence(plan: Path | None, continues: Path | None, bench: str, output: Path, seed: int | None,
             dry_run: bool, progress: str) -> None:
    """Check the plan, print it, and unless `dry_run` make its runs; `sequence PATH` is the last line."""
    place = plan or continues
    if place is None or (plan is not None and continues is not None):
        raise ValueError("sequence: name the file of a plan, or with --continue the folder of a sequence "
                         "that ended early; one of them")
    if continues is not None and seed is not None:
        raise ValueError("--seed: a sequence is continued with its own seed; leave it out")
    shown, description = Shown(progress), describe_bench(bench)
    seed = secrets.randbits(32) if seed is None else seed
    known = None if continues is None else Sequence(continues)
    wanted = known.plan if known is not None else read_plan_file(place, seed)
    warm(print_progress)
    print("\n".join(_told(wanted, check_plan(wanted, description), known)), flush=True)
    if not dry_run:
        _make(place, bench, output, seed, shown)


def _make(place: Path, bench: str, output: Path, seed: int, shown: Shown) -> None:
    with open_bench(bench) as opened, stop_signals() as should_stop, Hand() as hand:
        shown.hand = hand
        try:
            done = run_sequence(place, opened, output, seed, shown, should_stop, hand.hold)
        finally:
            shown.close()
    finished = [past for past in done.past.values() if past.state != "failed" and done.is_over(past)]
    print(f"{len(finished)} of {len(done.plan.runs)} runs finished")
    print(f"sequence {done.path}", flush=True)
    if done.state != "finished":
        raise Interrupted("stopped by hand; the bench is in its safe state. What is missing is made by: "
                          f"maserbench sequence --continue {done.path}")


class Shown:
    """Every run of a sequence as `maserbench run` shows it, each under a line of its own."""

    def __init__(self, progress: str) -> None:
        self.hand: Hand | None = None
        self._progress, self._watcher = progress, Watcher(progress)
        self._open = False

    def __call__(self, event: Any) -> None:
        if isinstance(event, Began):
            self.close()
            print(f"run {event.planned.number + 1} of {event.total}: {_name(event.planned)}", flush=True)
            self._watcher, self._open = Watcher(self._progress), True
            self._watcher.__enter__()
            return
        self._watcher(event)
        if self.hand is not None:
            self.hand(event)
        if isinstance(event, events.RunEnded):
            self.close()
            self._watcher.summary()
            print(f"{show_result(event.result)}\nrun {event.path}".lstrip(), flush=True)

    def close(self) -> None:
        """What is drawn on the terminal stays as it is."""
        if self._open:
            self._open = False
            self._watcher.__exit__()


def _told(plan: SequencePlan, flights: list[Flight | None], known: Sequence | None) -> Iterator[str]:
    yield f"{plan.title or 'sequence'}: {len(plan.runs)} runs, about {show(plan.duration, 's', 3)}"
    past = known.past if known is not None else {}
    for planned, flight in zip(plan.runs, flights, strict=True):
        state = f"  ({past[planned.number].state})" if planned.number in past else ""
        port = "" if flight is None else f", {flight.levels['burst: port']:.1f} dBm at the port"
        wait = f"wait {show(planned.wait, 's', 3)}, " if planned.wait else ""
        took = show(planned.duration, "s", 3)
        yield f"{planned.number + 1:>4}  {_name(planned)}: {wait}about {took}{port}{state}"
    for text in dict.fromkeys(text for flight in flights if flight is not None for text in flight.warned):
        yield f"note: {text}"


def _name(planned: PlannedRun) -> str:
    units = {setting.name: setting.unit for setting in catalogue.settings(planned.procedure)}
    told = (f"{name}={_value(planned.settings[name], units[name])}" for name in planned.scanned)
    return " ".join([planned.procedure, *told])


def _value(value: Any, unit: str) -> str:
    return show(value, unit) if isinstance(value, float) else str(value)
