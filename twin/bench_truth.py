"""What a virtual bench really is: deviations from what its file declares.

Only the software instruments look at this. Numbers are absolute, in the units of the declared
quantity, or relative to it, as text: "+1.5%" (except in [truth.cavity]).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .bench_faults import FaultOrder
from .optical_pump import OpticalPump
from .parameters import Record
from .pentacene import Parameters
from .quantity import quantity, read
from .receiver import Receiver

RICHNESS = (0, 1, 2)
_RELATIVE = re.compile(r"\s*([+-]\s*\d+(?:\.\d*)?)\s*%\s*")


@dataclass(frozen=True)
class CavityTruth(Record):
    """The mode as it is and as it drifts. None: as declared by the receivers."""

    loaded_quality: float | None = quantity(None, "", 1.0, 1e12, "Q_L")
    coupling_factor: float | None = quantity(None, "", 1e-9, 1e9, "k of the loop")
    detuning: float = quantity(0.0, "Hz", -1e8, 1e8, "mode minus declared frequency at the start of a run")
    walk: float = quantity(0.0, "Hz", 0.0, 1e8, "random walk: standard deviation after one minute")
    temperature_coefficient: float = quantity(2.73e6, "Hz/K", -1e9, 1e9, "of the mode", "Curie-Weiss, STO")
    temperature_swing: float = quantity(0.0, "K", 0.0, 100.0, "amplitude of the room's swing")
    temperature_period: float = quantity(1200.0, "s", 1.0, 1e7, "period of that swing")

    def _checked(self, name: str, value: Any, q: Any) -> Any:
        if value is None and name in ("loaded_quality", "coupling_factor"):
            return None
        return super()._checked(name, value, q)


@dataclass(frozen=True)
class Imperfections(Record):
    """What richness 2 adds to a bench; each may also stand alone. None: as `richness` has it."""

    couplings: float | None = quantity(None, "", 1.0, 100.0, "bins of a standing wave's couplings; 1: alike")
    line_width: float | None = quantity(None, "Hz", 0.0, 1e9, "full width of the inhomogeneous line")
    ripple: float | None = quantity(None, "dB", 0.0, 10.0, "log detector: amplitude about its straight line")
    trigger_jitter: float | None = quantity(None, "s", 0.0, 1e-6, "digitiser against trigger, rms")
    warm_up: float | None = quantity(None, "", 0.0, 1.0, "share of the pulse energy that a cold laser lacks")
    warm_up_time: float | None = quantity(None, "s", 1e-3, 1e6, "time constant with which that goes")
    bleaching: float | None = quantity(None, "", 0.0, 1.0, "share of the molecules lost in a strong shot")
    bleaching_fluence: float | None = quantity(None, "J/m2", 0.0, 1e9, "fluence in the crystal from then on")

    def _checked(self, name: str, value: Any, q: Any) -> Any:
        if value is None:
            return None
        number = super()._checked(name, value, q)
        if name == "couplings" and number != int(number):
            raise ValueError(f"couplings = {number:g} must be a whole number of bins")
        return number

    def at(self, richness: int) -> Imperfections:
        """All of them as numbers."""
        usual = _RICH if richness == 2 else _PLAIN
        return Imperfections(**{name: usual[name] if getattr(self, name) is None else getattr(self, name)
                                for name in usual})


_PLAIN = {"couplings": 1.0, "line_width": 0.0, "ripple": 0.0, "trigger_jitter": 0.0, "warm_up": 0.0,
          "warm_up_time": 400.0, "bleaching": 0.0, "bleaching_fluence": 3e3}
_RICH = _PLAIN | {"couplings": 10.0, "line_width": 0.7e6, "ripple": 0.1, "trigger_jitter": 0.1e-9,
                  "warm_up": 0.05, "bleaching": 3e-6}


def settle(value: Any, declared: float | None, unit: str, name: str) -> float:
    """The true number behind a deviation: absolute, or "+x%" of what is declared."""
    match = _RELATIVE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return read(value, unit, name)
    if declared is None:
        raise ValueError(f"{name}: {value!r} is relative, but nothing is declared to which it could relate")
    return declared * (1.0 + float(match.group(1).replace(" ", "")) / 100.0)


@dataclass(frozen=True)
class Truth:
    """`[truth]`: how rich the physics is, and the deviations, each still as the file has them.

    `richness` 0: the fit's own mean field with a thermal seed and noise, no drift, uniform coupling;
    1: jitter, drift; 2: also spread couplings, an inhomogeneous line and detector ripple. `faults` strike
    every run anew.
    """

    richness: int = 1
    pentacene: Mapping[str, Any] = field(default_factory=dict)
    receivers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cavity: CavityTruth = field(default_factory=CavityTruth)
    pump_deviations: Mapping[str, Any] = field(default_factory=dict)
    imperfections: Imperfections = field(default_factory=Imperfections)
    faults: tuple[FaultOrder, ...] = ()

    def parameters(self, declared: Parameters) -> Parameters:
        """The true crystal and mode. A true Q_L moves cavity_decay unless [truth.pentacene] does."""
        names = declared.quantities()
        changes = {name: settle(value, declared.value(name), names[name].unit, name)
                   for name, value in self.pentacene.items()}
        if self.cavity.loaded_quality is not None:
            changes.setdefault("cavity_decay", declared.cavity_frequency / self.cavity.loaded_quality)
        if self.cavity.detuning:
            changes.setdefault("cavity_frequency",
                               declared.cavity_frequency + 2.0 * math.pi * self.cavity.detuning)
        return declared.replace(**changes)

    def receiver(self, name: str, declared: Receiver) -> Receiver:
        """The true receive channel `name`."""
        changes: dict[str, Any] = {}
        for key in ("loaded_quality", "coupling_factor"):
            if getattr(self.cavity, key) is not None:
                changes[key] = getattr(self.cavity, key)
        return deviated(declared, {**changes, **self.receivers.get(name, {})})

    def pump(self, declared: OpticalPump) -> OpticalPump:
        """The true laser and beam."""
        return deviated(declared, self.pump_deviations)


def deviated(declared: Any, deviations: Mapping[str, Any]) -> Any:
    """`declared` with deviations applied; tables of names deviate name by name."""
    quantities = declared.quantities()
    changes: dict[str, Any] = {}
    for name, value in deviations.items():
        if name in quantities:
            changes[name] = settle(value, getattr(declared, name), quantities[name].unit, name)
        elif isinstance(value, Mapping):
            changes[name] = {**getattr(declared, name), **value}
        else:
            changes[name] = value
    return declared.replace(**changes)
