"""What a run's end and its answers look like as one paragraph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from procedures.machinery.records.answers import UNITS
from procedures.machinery.records.events import RunEnded

from .fitted_names import FITTED
from .number_text import concise, engineering


def outcome(event: RunEnded) -> str:
    """How the run ended and what it found."""
    first = {"finished": "Finished.", "aborted": "Stopped.", "killed": "This run was killed before its end.",
             "running": "This run is still under way."}[event.state]
    message = f" {event.message[:1].upper()}{event.message[1:].rstrip('.')}." if event.message else ""
    answers = result_text(event.result)
    return f"{first}{message} {answers}".strip()


def result_text(result: Mapping[str, Any]) -> str:
    """"12 OK, 3 NO BURST; threshold energy 14.73(12) µJ"."""
    found = [_verdicts(result["verdicts"])] if isinstance(result.get("verdicts"), Mapping) else []
    for name, value in result.items():
        if isinstance(value, (int, float)) and not name.endswith("_sigma"):
            found.append(_answer(name, float(value), result.get(f"{name}_sigma")))
        elif isinstance(value, str):
            found.append(f"{name.replace('_', ' ')} {value}")
    return "; ".join(found)


def _answer(name: str, value: float, sigma: float | None) -> str:
    words = name.replace("_", " ")
    if name in FITTED:
        f = FITTED[name]
        return f"{words} {_pair(value, sigma, f.scale)} {f.unit}".rstrip()
    unit = UNITS.get(name, "")
    if not unit:
        return f"{words} {_pair(value, sigma, 1.0)}"
    _, _, prefixed = engineering(value, unit).partition(" ")
    scale = value / float(engineering(value, unit, 15).split(" ")[0])
    return f"{words} {_pair(value, sigma, scale)} {prefixed}"


def _pair(value: float, sigma: float | None, scale: float) -> str:
    return concise(value / scale, None if sigma is None else sigma / scale)


def _verdicts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items()) or "no shot"
