"""The picture of every procedure: one function each, from what was measured and answered, and nothing else.

    picture_of("pump_threshold", measured, answer, settings) -> Picture

What is drawn is declared here once, as numbers with units, for files and windows alike. A procedure whose
shots do not carry its picture (a run cut short) gives None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ..machinery.drawing.picture import Picture
from ..machinery.storage.measured import Measured

Answer = Mapping[str, Any]
Draw = Callable[[Measured, Answer, Mapping[str, Any]], Picture | None]

_PLACES = {
    "single_shot": "bursts", "pump_threshold": "scans", "strong_coupling": "scans", "quality_scan": "scans",
    "shot_statistics": "statistics", "emission_spectrum": "frequencies", "frequency_tuning": "frequencies",
    "detuning_scan": "frequencies", "cavity_sweep": "resonance", "vector_sweep": "resonance",
    "ring_down": "resonance", "receiver_calibration": "calibration", "seeded_delay": "tones",
    "pump_probe": "tones", "drive_scan": "gated", "battery_store": "gated",
}
"""Procedure -> the module here that holds a function of that name."""
_ALIKE = {"import": "single_shot"}
"""Bursts that others recorded are shown as ours are."""


def has_picture(procedure: str) -> bool:
    """Whether anything is declared for a procedure."""
    return _ALIKE.get(procedure, procedure) in _PLACES


def picture_of(procedure: str, measured: Measured, answer: Answer, settings: Mapping[str, Any]
               ) -> Picture | None:
    """The procedure's own picture; None where what was measured does not carry it, or none is declared."""
    if not has_picture(procedure) or not len(measured.shots):
        return None
    return function(procedure)(measured, answer, settings)


def function(procedure: str) -> Draw:
    """What declares the picture of a procedure; its docstring says what is drawn."""
    name = _ALIKE.get(procedure, procedure)
    found: Draw = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    return found
