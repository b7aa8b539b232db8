"""All procedures by their stable short names: the only way in which a name becomes a class."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pymeasure.experiment import Procedure

from twin.quantity import nearest

from .machinery.records.settings import Setting, describe, values

_PLACES = {
    "single_shot": ("single_shot", "SingleShot"),
    "pump_threshold": ("pump_threshold", "PumpThreshold"),
    "cavity_sweep": ("cavity_sweep", "CavitySweep"),
    "vector_sweep": ("vector_sweep", "VectorSweep"),
    "shot_statistics": ("shot_statistics", "ShotStatistics"),
    "strong_coupling": ("strong_coupling", "StrongCoupling"),
    "emission_spectrum": ("emission_spectrum", "EmissionSpectrum"),
    "ring_down": ("ring_down", "RingDown"),
    "receiver_calibration": ("receiver_calibration", "ReceiverCalibration"),
    "seeded_delay": ("seeded_delay", "SeededDelay"),
    "pump_probe": ("pump_probe", "PumpProbe"),
    "drive_scan": ("drive_scan", "DriveScan"),
    "battery_store": ("battery_store", "BatteryStore"),
    "frequency_tuning": ("frequency_tuning", "FrequencyTuning"),
    "detuning_scan": ("detuning_scan", "DetuningScan"),
    "quality_scan": ("quality_scan", "QualityScan"),
}
_FORMER_NAMES: Mapping[str, str] = {}
"""A procedure that is renamed keeps its former name here, so that old runs and scripts still find it."""


def names() -> tuple[str, ...]:
    """The short names, in the order in which a newcomer should meet them."""
    return tuple(_PLACES)


def procedure(name: str) -> type[Procedure]:
    """The class behind a short name; ValueError with the nearest known name."""
    known = _FORMER_NAMES.get(name, name)
    if known not in _PLACES:
        raise ValueError(f"procedure: {nearest(name, _PLACES)}")
    module, cls = _PLACES[known]
    return getattr(import_module(f"procedures.{module}"), cls)


def name_of(cls: type[Procedure]) -> str:
    """The short name of a procedure's class."""
    for name, (module, found) in _PLACES.items():
        if cls.__name__ == found and cls.__module__ == f"procedures.{module}":
            return name
    raise ValueError(f"{cls.__module__}.{cls.__name__} is not in the catalogue")


def summary(cls: type[Procedure]) -> str:
    """The first sentence of the class's docstring."""
    return (cls.__doc__ or "").strip().split("\n")[0]


def settings(name: str) -> list[Setting]:
    """The settings of a procedure, for forms and the command line."""
    return describe(procedure(name))


def duration(name: str, given: Mapping[str, Any] | None = None) -> float:
    """About how long a run takes [s], beside what instruments need to answer; ValueError for settings."""
    cls = procedure(name)
    return float(cls(**values(cls, given or {})).duration())


def as_json(only: str | None = None) -> dict[str, Any]:
    """The catalogue, or `only` one of it, as `maserbench procedures --json` prints it."""
    if only is not None:
        about = dataclasses.asdict(procedure(only).ABOUT)
        meanings = {setting.name: setting.meaning for setting in settings(only)}
        return {**_entry(only), "about": about, "duration": duration(only), "meanings": meanings}
    return {"procedures": [_entry(name) for name in names()]}


def _entry(name: str) -> dict[str, Any]:
    cls = procedure(name)
    columns = ("name", "unit", "default", "minimum", "maximum", "choices")
    return {"name": name, "summary": summary(cls), "roles": list(cls.ROLES),
            "settings": [{c: getattr(s, c) for c in columns} for s in settings(name)]}
