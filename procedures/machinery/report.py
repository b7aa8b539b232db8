"""A stored run as a page to read: what, when, with which settings, what came out, what was odd.

Reads the run's folder and writes nothing. The answers are those of result.json; a run that has none (killed,
say) is asked again from its stored shots.
"""

from __future__ import annotations

import math
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from procedures import catalogue
from twin.quantity import show

from .drawing.picture import Picture
from .records.answers import UNITS
from .replay import answer
from .storage.measured import Measured
from .storage.runs import Run

_WIDTH = 100
_NOTICES = 12  # shown of them; the others are in events.jsonl
_FEW = ("verdict", "verdicts", "bursts")


def answer_of(run: Run, measured: Measured) -> dict[str, Any]:
    """As stored, else computed once more; a single burst's values with the errors of its own fit."""
    found = dict(run.result or answer(run, measured))
    good = measured.rows.resolved()
    if len(good) == 1 and good[0].fit is not None:
        errors = {f"{name}_sigma": sigma for name, sigma in good[0].fit.sigma.items() if name in found}
        found = errors | found
    return found


def picture_of(run: Run, measured: Measured) -> Picture | None:
    """The procedure's own picture of the run; None where it has none, or the shots do not carry it."""
    from procedures.pictures import picture_of as draw

    return draw(run.procedure, measured, answer_of(run, measured), run.settings)


def report(run: Run, measured: Measured) -> str:
    """The page as text."""
    return "\n".join([*_head(run), "", *_settings(run), "", *_shots(measured),
                      *_answers(answer_of(run, measured)), *_notices(run)])


def _head(run: Run) -> Iterator[str]:
    known = run.procedure in catalogue.names()
    summary = catalogue.summary(catalogue.procedure(run.procedure)) if known else "Bursts from elsewhere."
    yield f"{run.procedure} ({run.state}): {summary}"
    title = tomllib.loads(run.bench_text).get("title")
    on = f"a {run.manifest['origin']} bench" + (f": {title}" if title else "")
    yield from textwrap.wrap(f"{run.path.name}, {_when(run)}, on {on}", _WIDTH)
    if run.seed is not None:
        yield f"seed {run.seed}"


def _when(run: Run) -> str:
    began = datetime.fromisoformat(run.manifest["started"])
    moments = [event["moment"] for event in run.events]
    took = (datetime.fromisoformat(moments[-1]) - began).total_seconds() if moments else 0.0
    return f"{began.day} {began:%B %Y %H:%M:%S} UTC, {took:.0f} s"


def _settings(run: Run) -> Iterator[str]:
    yield "settings"
    declared = catalogue.settings(run.procedure) if run.procedure in catalogue.names() else []
    known = {setting.name: setting for setting in declared}
    for name, value in run.settings.items():
        setting = known.get(name)
        text = show(value, setting.unit, 6) if setting and isinstance(value, float) else str(value)
        yield f"    {name:<20} {text:<16} {setting.meaning if setting else ''}".rstrip()


def _shots(measured: Measured) -> Iterator[str]:
    verdicts = {name: count for name, count in measured.rows.verdicts().items() if name != "NOT_FITTED"}
    told = ", ".join(f"{count} {name}" for name, count in sorted(verdicts.items(), key=lambda v: -v[1]))
    yield f"records: {len(measured.shots)}" + (f", fitted: {told}" if told else "")
    yield ""


def _answers(result: Mapping[str, Any]) -> Iterator[str]:
    yield "answers"
    told = {name: value for name, value in result.items() if not _is_error(name, result)}
    if set(told) <= set(_FEW) and "verdict" not in told:
        yield "    none: the shots do not carry them"
    for name, value in told.items():
        if name == "verdict" and value != "OK":
            yield f"    {value}"
        elif name not in ("verdict", "verdicts"):
            yield f"    {name:<20} {with_error(value, result.get(f'{name}_sigma'), UNITS.get(name, ''))}"


def _is_error(name: str, result: Mapping[str, Any]) -> bool:
    return name.endswith("_sigma") and name.removesuffix("_sigma") in result


def _notices(run: Run) -> Iterator[str]:
    notices = [event["text"] for event in run.events if event["event"] == "Notice"]
    if notices:
        yield from ("", "notices")
    for text in notices[:_NOTICES]:
        yield from textwrap.wrap(text, _WIDTH, initial_indent="    ", subsequent_indent="      ")
    if len(notices) > _NOTICES:
        yield f"    and {len(notices) - _NOTICES} more in events.jsonl"


def with_error(value: Any, sigma: float | None, unit: str) -> str:
    """A value with as many digits as its error allows, and the error with two; six where there is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return str(value)
    if isinstance(value, int):
        return str(value)
    if not sigma or not math.isfinite(sigma):
        return show(value, unit, 6)
    number, _, prefixed = show(value, unit, 17).partition(" ")
    scale = value / float(number) if float(number) else 1.0
    if abs(value / scale) < 1e5:
        return f"{_digits(value / scale, sigma / scale)} {prefixed}".rstrip()
    power = math.floor(math.log10(abs(value)))
    return f"({_digits(value / 10.0**power, sigma / 10.0**power)})e{power} {unit}".rstrip()


def _digits(value: float, sigma: float) -> str:
    places = 1 - math.floor(math.log10(sigma))
    return f"{round(value, places):.{max(places, 0)}f} ± {round(sigma, places):.{max(places, 0)}f}"
