"""`maserbench align`: one number and its trend in a terminal, while hands are on piston, loop or mirror."""

from __future__ import annotations

import math
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence

from procedures.machinery.align import Align, Reading, wishes
from procedures.machinery.apparatus.bench import describe_bench, open_bench
from procedures.machinery.apparatus.warm import warm
from procedures.machinery.records import events
from twin.quantity import nearest, read, show

from .assignments import assignments
from .run import print_progress, stop_signals
from .watch import STYLES

_POLL = 0.1  # [s] between two looks at whether somebody wants the end


def align(kind: str, bench: str, given: Sequence[str], seconds: str | None, progress: str) -> None:
    """Show readings until Ctrl-C or for so many seconds; ends in the verified safe state, with 0."""
    if progress not in STYLES:
        raise ValueError(f"--progress: {nearest(progress, STYLES)}")
    for_so_long = math.inf if seconds is None else read(seconds, "s", "--seconds")
    if not for_so_long > 0.0:
        raise ValueError(f"--seconds {seconds}: expected a time above 0")
    settings = assignments(given, example="pump_energy=0.5mJ")
    wishes(kind, describe_bench(bench), settings)
    if kind == "peak":
        warm(print_progress)
    line = Line(refreshed=sys.stdout.isatty() and progress != "plain")
    with open_bench(bench) as opened, stop_signals() as should_stop:
        _shown(Align(kind, opened, settings, _say), line, for_so_long, should_stop)
    line.end()
    print("the bench is in its safe state; nothing was stored", file=sys.stderr)


def _say(event: events.Event) -> None:
    """What a run would write down."""
    if isinstance(event, events.Armed):
        print(f"armed by {event.user} on {event.host}: {event.reason} at {show(event.pump_energy, 'J', 3)}, "
              f"{show(event.repetition_rate, 'Hz', 3)}", file=sys.stderr)
    elif isinstance(event, events.Notice):
        print(f"note: {event.text}", file=sys.stderr)


def _shown(aligned: Align, line: Line, for_so_long: float, should_stop: Callable[[], bool]) -> None:
    """The iteration in a thread of its own, so that an instrument that hangs cannot hold up the end."""
    told: queue.SimpleQueue[Reading | BaseException | None] = queue.SimpleQueue()

    def iterate() -> None:
        try:
            for reading in aligned.readings():
                told.put(reading)
            told.put(None)
        except BaseException as failure:
            told.put(failure)

    threading.Thread(target=iterate, name="align", daemon=True).start()
    end, cut = math.inf, False
    while True:
        if not cut and (should_stop() or time.monotonic() > end):
            cut = True
            aligned.cut_short()
        try:
            reading = told.get(timeout=_POLL)
        except queue.Empty:
            continue
        if reading is None:
            return
        if isinstance(reading, BaseException):
            raise reading
        end = min(end, time.monotonic() + for_so_long)  # from the first reading on
        if not cut:
            line.show(text_of(aligned.kind, reading))


class Line:
    """One line that is written over, or a new one each time."""

    def __init__(self, refreshed: bool) -> None:
        self._refreshed, self._shown = refreshed, False

    def show(self, text: str) -> None:
        if self._refreshed:
            print(f"\r\x1b[K{text}", end="", flush=True)
        else:
            print(text, flush=True)
        self._shown = True

    def end(self) -> None:
        """The cursor below what was shown."""
        if self._refreshed and self._shown:
            print()


def text_of(kind: str, reading: Reading) -> str:
    """A reading as a line: the number, where it goes, the best so far, and what was read beside it."""
    parts = [f"{kind} {_number(kind, reading.value, reading.unit)}"]
    if reading.direction:
        rate = show(reading.trend, reading.unit, 2) if reading.unit else f"{reading.trend:+.2g}"
        parts.append(reading.direction if reading.direction == "steady" else f"{reading.direction} {rate}/s")
    if math.isfinite(reading.best):
        parts.append(f"best {_number(kind, reading.best, reading.unit)}")
    if "energy" in reading.beside:
        parts.append(f"pulse {show(reading.beside['energy'], 'J', 3)}")
    if "from_the_molecules" in reading.beside:
        parts.append(f"{reading.beside['from_the_molecules'] / 1e3:+.1f} kHz from the molecules")
    if "coupling_factor" in reading.beside:
        parts.append(f"k {reading.beside['coupling_factor']:.3f}")
    return "   ".join(parts)


def _number(kind: str, value: float, unit: str) -> str:
    if not math.isfinite(value):
        return "-"
    return {"peak": f"{value:.2f} {unit}", "frequency": f"{1e-6 * value:.4f} MHz"}.get(kind, f"{value:.0f}")
