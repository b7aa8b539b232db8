"""The names that a fit knows, as coordinates that behave: logarithms of what is positive.

A coordinate u has a name, a kind and a unit:  "log": value = exp(u);  "linear": value = origin +
unit u;  "square": value = unit sqrt(u), for the detuning, of which an envelope knows the modulus
only and which enters as its square. Units are chosen such that u known to better than 0.4 means
"the data say something about it".

From coordinates the twin's own parameters follow, and the chain of derivatives between the two.
`collective_coupling` is g sqrt(N Phi) with the declared drive's Phi, varied through g at fixed N;
where `molecules` or `triplets` is free beside it, it is kept while N moves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .crossing import triplets_per_molecule
from .drive import Drive, Frame, Gaussian, Sampled, Square, Steps
from .pentacene import NAMES, Parameters
from .quantity import nearest

OWN = ("collective_coupling", "triplets", "seed_photons", "amplitude_scale", "detuning", "start", "baseline",
       "pump_rate")
FREE_NAMES = (*OWN, *NAMES)
UNITS = {"collective_coupling": "rad/s", "triplets": "", "seed_photons": "", "amplitude_scale": "",
         "detuning": "rad/s", "start": "s", "baseline": "V", "pump_rate": "1/s",
         **{name: q.unit for name, q in Parameters.quantities().items()}}
"""SI unit of every name that can be fitted."""

DERIVED = ("triplets", "molecules", "coupling", "pump_rate")
"""Names that carry the calibration of the photon number with them: marked as derived in results."""

_SMALLEST_SQUARE = 1e-6


@dataclass(frozen=True)
class Coordinate:
    """One fitted name; see the module docstring."""

    name: str
    kind: str
    unit: float = 1.0
    origin: float = 0.0

    def value(self, u: float) -> float:
        if self.kind == "log":
            return math.exp(u)
        if self.kind == "square":
            return self.unit * math.sqrt(max(u, _SMALLEST_SQUARE))
        return self.origin + self.unit * u

    def sigma(self, u: float, sigma: float) -> float:
        """Standard deviation of the value from that of u."""
        if self.kind == "log":
            return math.exp(min(u, 600.0)) * sigma
        if self.kind == "square":
            return self.unit * sigma / (2.0 * math.sqrt(u)) if u > sigma else self.unit * math.sqrt(sigma)
        return self.unit * sigma

    def of(self, value: float) -> float:
        if self.kind == "log":
            return math.log(value)
        if self.kind == "square":
            return (value / self.unit) ** 2
        return (value - self.origin) / self.unit

    def sigma_of(self, value: float, sigma: float) -> float:
        """Standard deviation of u from that of the value."""
        if self.kind == "log":
            return sigma / value
        if self.kind == "square":
            return max(2.0 * abs(value) * sigma, sigma**2) / self.unit**2
        return sigma / self.unit


@dataclass(frozen=True)
class Point:
    """What a set of coordinates means to the twin."""

    parameters: Parameters
    drive: Drive
    seed_photons: float
    amplitude_scale: float
    start: float
    baseline: float


@dataclass(frozen=True, eq=False)
class Coordinates:
    """All fitted names, asked for or not, in the order of the vector u (k,)."""

    fitted: tuple[Coordinate, ...]
    parameters: Parameters
    drive: Drive
    triplets_per_molecule: float
    engine_names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        found = [_ENGINE.get(c.name, c.name) for c in self.fitted]
        names = dict.fromkeys(n for n in found if n in NAMES or n in ("pump_rate", "seed_photons"))
        if "collective_coupling" in self.names and "molecules" in names:
            names.setdefault("coupling")
        object.__setattr__(self, "engine_names", tuple(names))

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.fitted)

    @cached_property
    def collective_coupling(self) -> float:
        """As declared [rad/s]."""
        return self.parameters.coupling * math.sqrt(self.triplets)

    @property
    def triplets(self) -> float:
        """N Phi as declared."""
        return self.parameters.molecules * max(self.triplets_per_molecule, 1e-300)

    def declared(self, start: float, baseline: float) -> dict[str, float]:
        """What each fitted name is before any fit."""
        p = self.parameters
        own = {"collective_coupling": self.collective_coupling, "triplets": self.triplets,
               "seed_photons": max(p.thermal_photons, 1.0), "amplitude_scale": 1.0, "start": start,
               "detuning": abs(p.cavity_frequency - p.frequency_35), "baseline": baseline,
               "pump_rate": _pump_scale(self.drive)}
        return {n: own[n] if n in own else p.value(n) for n in self.names}

    def vector(self, values: Mapping[str, float]) -> np.ndarray:
        return np.array([c.of(values[c.name]) for c in self.fitted])

    def beyond(self, u: np.ndarray) -> np.ndarray:
        """By how much squares lie below 0 (k,), where a model can only be continued in a straight line."""
        return np.array([min(x - _SMALLEST_SQUARE, 0.0) if c.kind == "square" else 0.0
                         for c, x in zip(self.fitted, u, strict=True)])

    def point(self, u: np.ndarray, start: float, baseline: float) -> Point | None:
        """The twin's parameters at u; None outside their bounds. `start`, `baseline`: where not fitted."""
        try:
            values = {c.name: c.value(x) for c, x in zip(self.fitted, u, strict=True)}
        except OverflowError:
            return None
        changes = {n: v for n, v in values.items() if n in NAMES}
        p = self.parameters
        if "triplets" in values:
            changes["molecules"] = values["triplets"] / self.triplets_per_molecule
        if "collective_coupling" in values:
            molecules = changes.get("molecules", p.molecules)
            root = math.sqrt(molecules * self.triplets_per_molecule)
            changes["coupling"] = values["collective_coupling"] / root
        if "detuning" in values:
            changes["cavity_frequency"] = p.frequency_35 + values["detuning"]
        try:
            return Point(p.replace(**changes), _pumped(self.drive, values.get("pump_rate")),
                         values.get("seed_photons", max(p.thermal_photons, 1e-30)),
                         values.get("amplitude_scale", 1.0), values.get("start", start),
                         values.get("baseline", baseline))
        except ValueError:
            return None

    def chain(self, u: np.ndarray, at: Point) -> np.ndarray:
        """d(engine's parameter)/d(coordinate) (engine names, k)."""
        matrix = np.zeros((len(self.engine_names), len(self.fitted)))
        row = {n: i for i, n in enumerate(self.engine_names)}
        for j, (c, x) in enumerate(zip(self.fitted, u, strict=True)):
            name = _ENGINE.get(c.name, c.name)
            if name not in row:
                continue
            if c.kind == "square":
                matrix[row[name], j] = c.unit / (2.0 * math.sqrt(max(x, _SMALLEST_SQUARE)))
            elif c.kind == "linear":
                matrix[row[name], j] = c.unit
            elif name == "seed_photons":
                matrix[row[name], j] = at.seed_photons
            elif name == "pump_rate":
                matrix[row[name], j] = float(at.drive.pump_rate) if _is_number(at.drive.pump_rate) else 1.0
            else:
                matrix[row[name], j] = at.parameters.value(name)
            if name == "molecules" and "collective_coupling" in self.names:
                matrix[row["coupling"], j] -= 0.5 * at.parameters.coupling
        return matrix


_ENGINE = {"collective_coupling": "coupling", "triplets": "molecules", "detuning": "cavity_frequency"}


def coordinates(parameters: Parameters, drive: Drive, names: Sequence[str], noise: float) -> Coordinates:
    """Coordinates for `names`; `noise` [V] is the baseline's unit. ValueError for what cannot be fitted."""
    _check_names(names, parameters, drive)
    phi = triplets_per_molecule(parameters, drive)
    half_width = 0.5 * parameters.cavity_decay
    unit = 1.0 / max(parameters.coupling * math.sqrt(parameters.molecules * phi), parameters.cavity_decay)
    made = []
    for name in names:
        if name == "start":
            made.append(Coordinate(name, "linear", unit))
        elif name == "baseline":
            made.append(Coordinate(name, "linear", noise))
        elif name == "detuning":
            made.append(Coordinate(name, "square", half_width))
        elif name.startswith("frequency_") or name == "cavity_frequency":
            made.append(Coordinate(name, "linear", half_width, parameters.value(name)))
        else:
            made.append(Coordinate(name, "log"))
    return Coordinates(tuple(made), parameters, drive, phi)


def _check_names(names: Sequence[str], parameters: Parameters, drive: Drive) -> None:
    for name in names:
        if name not in FREE_NAMES:
            raise ValueError("free: " + nearest(str(name), FREE_NAMES))
        if name.startswith("branching_"):
            raise ValueError(f"free: {name} cannot be freed alone, because the three shares sum to 1")
        if name in NAMES and parameters.value(name) <= 0.0:
            raise ValueError(f"free: {name} is declared as 0 but fitted as a logarithm; declare it positive")
    for one, other in (("collective_coupling", "coupling"), ("triplets", "molecules"),
                       ("detuning", "cavity_frequency"), ("detuning", "frequency_35")):
        if one in names and other in names:
            raise ValueError(f"free: {one} and {other} are one parameter under two names; free one of them")
    if "detuning" in names and isinstance(drive.frame, Frame):
        raise ValueError("free: a Frame set by hand says what the detuning is; use frame=\"resonant\"")


def _is_number(pump: Any) -> bool:
    return isinstance(pump, (int, float))


def _pump_scale(drive: Drive) -> float:
    return max(float(drive.pump_rate), 1e-300) if _is_number(drive.pump_rate) else 1.0


def _pumped(drive: Drive, value: float | None) -> Drive:
    """The drive with another pump: a rate [1/s], or for a shaped pump a common factor."""
    pump = drive.pump_rate
    if value is None:
        return drive
    if isinstance(pump, Square):
        return drive.replace(pump_rate=Square(value * pump.rate, pump.start, pump.stop))
    if isinstance(pump, Gaussian):
        return drive.replace(pump_rate=Gaussian(value * pump.peak_rate, pump.centre, pump.fwhm))
    if isinstance(pump, Sampled):
        return drive.replace(pump_rate=Sampled(pump.times, value * pump.rates))
    if isinstance(pump, Steps):
        return drive.replace(pump_rate=Steps(pump.edges, tuple(value * v for v in pump.values)))
    return drive.replace(pump_rate=value)
