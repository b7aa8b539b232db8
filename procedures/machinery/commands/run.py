"""`maserbench run`: one procedure on one bench, watched in the terminal, ended by Ctrl-C if one wants."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from procedures import catalogue
from procedures.machinery.apparatus.bench import Bench, check_wishes, open_bench
from procedures.machinery.apparatus.opening import Opening
from procedures.machinery.apparatus.warm import warm
from procedures.machinery.continuing import check_former
from procedures.machinery.fitting import shot_checks
from procedures.machinery.lab_book.before import look_up
from procedures.machinery.records import events
from procedures.machinery.records.failures import Interrupted
from procedures.machinery.records.settings import values
from procedures.machinery.session import run
from procedures.machinery.status.stream import LOOPBACK, StatusStream
from procedures.machinery.storage.places import for_folder
from procedures.machinery.storage.run_notes import NOTHING_SAID, Remarks
from procedures.machinery.storage.runs import Run, open_run

from .assignments import assignments
from .holding import Hand
from .watch import Watcher, show_result


def run_procedure(procedure: str | None, opening: Opening, settings: Sequence[str], output: Path,
                  seed: int | None, progress: str, remarks: Remarks = NOTHING_SAID, status: int | None = None,
                  continues: Path | None = None) -> None:
    """Check everything that needs no instrument, open the bench, run, print table, answers and `run PATH`.

    `continues`: an earlier run, whose procedure and settings are taken and whose missing points are run.
    """
    procedure, given = _wanted(procedure, assignments(settings), continues)
    watcher = Watcher(progress)
    cls = catalogue.procedure(procedure)
    wishes = values(cls, given)
    check_wishes(opening.description, procedure, cls, wishes)
    if continues is not None:
        check_former(continues, procedure, wishes, opening.description)
    for_folder(output)
    look_up(output, remarks, opening.description, wishes)
    with telling(status) as stream:
        warm(print_progress)
        shot_checks.load(opening.description)
        with open_bench(opening) as opened:
            watched_run(procedure, opened, output, seed, given, watcher, stream, remarks, continues)


def _wanted(procedure: str | None, given: Mapping[str, Any],
            continues: Path | None) -> tuple[str, Mapping[str, Any]]:
    """Name and settings of what is to be run."""
    if continues is None:
        if procedure is None:
            raise ValueError("run: name a procedure ('maserbench procedures' lists them), or a run to go on "
                             "with: --continue RUN")
        return procedure, given
    with open_run(continues) as former:
        if given or procedure not in (None, former.procedure):
            raise ValueError(f"--continue {continues}: a run is continued as the {former.procedure} that it "
                             "is, with its own settings; leave out procedure and --set")
        return former.procedure, former.settings


@contextmanager
def telling(port: int | None) -> Iterator[events.Publish]:
    """Who tells dashboards of events on `port`, which is printed; nobody without one. WrongUse if taken."""
    if port is None:
        yield lambda event: None
        return
    with StatusStream(port) as stream:
        print(f"status {LOOPBACK}:{stream.port}", flush=True)
        yield stream


def print_progress(text: str) -> None:
    """A line on stderr about something that takes long."""
    import sys

    print(text, file=sys.stderr, flush=True)


def watched_run(procedure: str, bench: Bench, output: Path, seed: int | None, given: Mapping[str, Any],
                watcher: Watcher, stream: events.Publish, remarks: Remarks = NOTHING_SAID,
                continues: Path | None = None) -> Run:
    """Run and show; `run PATH` is the last line on stdout however it ends. Interrupted after Ctrl-C."""
    def publish(event: events.Event) -> None:
        stream(event)
        watcher(event)
        hand(event)

    try:
        with stop_signals() as should_stop, Hand() as hand, watcher:
            finished = run(procedure, bench, output, seed, publish, should_stop, hold=hand.hold,
                           continues=continues, **asdict(remarks), **given)
        watcher.summary()
        print(show_result(finished.result))
        if finished.state == "aborted":
            raise Interrupted(f"stopped by hand; the bench is in its safe state, {len(finished.shots)} shots "
                              f"lie in {finished.path}; --continue takes what is missing there")
        return finished
    finally:
        if watcher.path is not None:
            print(f"run {watcher.path}", flush=True)


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and SIGTERM ask the run to stop instead of tearing it apart; the safe state comes first.

    Further ones change nothing: the way into the safe state has its own short timeouts.
    """
    asked = threading.Event()
    # SIGHUP: the terminal was closed; SIGBREAK: the same, on Windows.
    wanted = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    names = [getattr(signal, name) for name in wanted if hasattr(signal, name)]
    before = {name: signal.signal(name, lambda *_: asked.set()) for name in names}
    try:
        yield asked.is_set
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
