"""What is done to the crystal and the cavity during one shot: pumping, tones, switching.

The clock is absolute and shared with the times asked of a simulation. Everything that
jumps says when (`edges`), because an adaptive integrator steps over a short pulse
without noticing: the integrator restarts at every edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .parameters import Record
from .quantity import Quantity, check, nearest, quantity


@dataclass(frozen=True)
class Steps:
    """Piecewise constant: values[0] before edges[0], values[i] from edges[i-1] on. Times in [s], rising."""

    edges: tuple[float, ...]
    values: tuple[complex, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", tuple(float(e) for e in self.edges))
        object.__setattr__(self, "values", tuple(self.values))
        if len(self.values) != len(self.edges) + 1:
            raise ValueError(f"Steps: {len(self.edges)} edges need {len(self.edges) + 1} values, "
                             f"found {len(self.values)}")
        if not all(math.isfinite(e) for e in self.edges) or any(
                a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError(f"Steps: edges = {self.edges} must be finite and rise")
        if not all(isinstance(v, (int, float, complex, np.number)) and np.isfinite(v) for v in self.values):
            raise ValueError(f"Steps: values = {self.values} must be finite numbers")

    def at(self, time: float) -> complex:
        """The value that holds just after `time`."""
        return self.values[int(np.searchsorted(self.edges, time, side="right"))]


@dataclass(frozen=True)
class Square:
    """`rate` [1/s] from `start` to `stop` [s], 0 outside."""

    rate: float
    start: float
    stop: float

    def __post_init__(self) -> None:
        if not (self.start < self.stop and math.isfinite(self.start) and math.isfinite(self.stop)):
            raise ValueError(f"Square: start = {self.start:g} s must lie before stop = {self.stop:g} s, "
                             "both finite")

    @property
    def edges(self) -> tuple[float, ...]:
        return (self.start, self.stop)


@dataclass(frozen=True)
class Gaussian:
    """`peak_rate` [1/s] times exp(-4 ln2 ((t - centre)/fwhm)^2); beyond 6 fwhm it is 0 to every digit."""

    peak_rate: float
    centre: float
    fwhm: float

    def __post_init__(self) -> None:
        if not (self.fwhm > 0.0 and math.isfinite(self.fwhm) and math.isfinite(self.centre)):
            raise ValueError(f"Gaussian: fwhm = {self.fwhm:g} s must be positive and "
                             f"centre = {self.centre:g} s finite")

    @property
    def edges(self) -> tuple[float, ...]:
        # Quarter widths: no step can leap over the pulse, however long the dark time before it.
        return tuple(self.centre + self.fwhm * x for x in (-6.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 6.0))


@dataclass(frozen=True, eq=False)
class Sampled:
    """A recorded pulse: linear between (times [s], rates [1/s]), 0 outside. Rates must not be negative."""

    times: np.ndarray
    rates: np.ndarray

    def __post_init__(self) -> None:
        times, rates = np.array(self.times, float), np.array(self.rates, float)
        if times.ndim != 1 or times.shape != rates.shape or len(times) < 2:
            raise ValueError(f"Sampled: times {times.shape} and rates {rates.shape} must be two equal rows")
        if not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0):
            raise ValueError("Sampled: times must be finite and rise")
        if not np.all(np.isfinite(rates)) or np.any(rates < 0):
            raise ValueError("Sampled: rates must be finite and not negative")
        times.flags.writeable = rates.flags.writeable = False
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "rates", rates)

    @property
    def edges(self) -> tuple[float, ...]:
        return tuple(self.times)

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, Sampled) and np.array_equal(self.times, other.times)
                and np.array_equal(self.rates, other.rates))

    __hash__ = None  # type: ignore[assignment]


_FRAME_ENERGY = Quantity("rad/s", -1e12, 1e12)


@dataclass(frozen=True)
class Frame:
    """Rotating frame by hand: energies of levels 3, 4, 5 and detuning of the mode [rad/s]."""

    e3: float = 0.0
    e4: float = 0.0
    e5: float = 0.0
    cavity: float = 0.0

    def __post_init__(self) -> None:
        for name in ("e3", "e4", "e5", "cavity"):
            check(f"Frame.{name}", getattr(self, name), _FRAME_ENERGY)


PLANCK_TIMES_C = 6.62607015e-34 * 299792458.0  # [J m]
AREA = 1.9e-6  # [m2] pumped part of the crystal; Wu, Phys. Rev. Lett. 127, 053604 (2021), supplement
CROSS_SECTION = 2e-21  # [m2] of one molecule at 592 nm; public pentacene maser parameter file
WAVELENGTH = 592e-9  # [m]


def pump_rate_from_power(power: float, area: float = AREA, cross_section: float = CROSS_SECTION,
                         wavelength: float = WAVELENGTH) -> float:
    """xi = sigma P/(h nu A) [1/s] in a thin crystal: 3.137 kHz per watt for the paper's values.

    power [W], area [m2], cross_section [m2], wavelength [m]. ValueError outside their ranges.
    """
    ranges = (("power", power, Quantity("W", 0.0, 1e15)), ("area", area, Quantity("m2", 1e-18, 1.0)),
              ("cross_section", cross_section, Quantity("m2", 0.0, 1e-12)),
              ("wavelength", wavelength, Quantity("m", 1e-8, 1e-3)))
    p, a, sigma, length = (check(name, value, q) for name, value, q in ranges)
    return sigma * p * length / (PLANCK_TIMES_C * a)


CLOSEST = 1e-18
"""Times [s] nearer than this are one."""

Pump = float | Steps | Square | Gaussian | Sampled
_FRAMES = ("resonant", "printed")


@dataclass(frozen=True)
class Drive(Record):
    """One shot's drive. Tones: H = hbar Omega (sigma + sigma+); the cavity's: hbar (eps a+ + eps* a).

    `pump_on_at` and `pump_off_at` gate whatever `pump_rate` says. `cavity_decay` None takes the
    parameter's value; Steps switch it. `frame`: "resonant" makes every driven transition exactly
    resonant; "printed" is H_bat as the paper prints it; a `Frame` sets the energies by hand, and
    cavity_frequency is then ignored. `pulse_photons` moves nothing; it is what the photon budget is held
    against (`light_budget`).
    """

    scalars: ClassVar = ("pump_rate", "rabi_35", "rabi_45", "rabi_34", "cavity_drive")

    pump_rate: Any = quantity(6.2e7, "1/s", 0.0, 1e13, "optical pumping rate xi", "Wang 2025")
    pump_on_at: float = quantity(0.0, "s", meaning="pumping starts")
    pump_off_at: float | None = quantity(None, "s", meaning="pumping stops; None: never")
    rabi_35: Any = quantity(0.0, "rad/s", -1e12, 1e12, "Omega of the tone on 3-5")
    rabi_45: Any = quantity(0.0, "rad/s", -1e12, 1e12, "Omega of the tone on 4-5")
    rabi_34: Any = quantity(0.0, "rad/s", -1e12, 1e12, "Omega of the tone on 3-4")
    cavity_drive: Any = quantity(0.0, "rad/s", -1e18, 1e18, "coherent drive eps of the mode, may be complex")
    cavity_drive_detuning: float = quantity(0.0, "rad/s", -1e11, 1e11,
                                           "frequency of that drive - cavity_frequency")
    cavity_decay: Any = quantity(None, "rad/s", 0.0, 1e13, "Steps that switch the cavity's decay rate")
    frame: str | Frame = "resonant"
    pulse_photons: float | None = quantity(None, "", 0.0, 1e30, "photons of the light behind pump_rate; "
                                           "None: those of sigma P/(h nu A), a thin crystal's")

    def _checked(self, name: str, value: Any, q: Quantity) -> Any:
        if value is None:
            if name in ("pump_off_at", "cavity_decay", "pulse_photons"):
                return None
            raise ValueError(f"{name}: expected a number [{q.unit}], found None")
        if isinstance(value, Steps):
            if name in ("pump_on_at", "pump_off_at", "cavity_drive_detuning", "pulse_photons"):
                raise ValueError(f"{name}: expected one number [{q.unit}], found Steps")
            for v in value.values:
                self._bounded(name, v, q)
            return value
        if name == "pump_rate" and isinstance(value, (Square, Gaussian, Sampled)):
            check(name, float(np.max(value.rates)) if isinstance(value, Sampled) else
                  value.rate if isinstance(value, Square) else value.peak_rate, q)
            return value
        return self._bounded(name, value, q)

    @staticmethod
    def _bounded(name: str, value: Any, q: Quantity) -> Any:
        if name == "cavity_drive" and isinstance(value, complex):
            check(name, value.real, q)
            check(name, value.imag, q)
            return value
        return check(name, value, q)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.frame, Frame) and self.frame not in _FRAMES:
            raise ValueError("frame: " + nearest(str(self.frame), _FRAMES))
        if self.pump_off_at is not None and self.pump_off_at < self.pump_on_at:
            raise ValueError(f"pump_off_at = {self.pump_off_at:g} s lies before "
                             f"pump_on_at = {self.pump_on_at:g} s")

    def edges(self) -> tuple[float, ...]:
        """All times [s] at which anything jumps or bends, rising, at least 1e-18 s apart."""
        found = {self.pump_on_at}
        if self.pump_off_at is not None:
            found.add(self.pump_off_at)
        for name in (*self.scalars, "cavity_decay"):
            found.update(getattr(getattr(self, name), "edges", ()))
        kept: list[float] = []
        for edge in sorted(found):  # two edges a rounding error apart are one: no step fits between them
            if not kept or edge - kept[-1] > CLOSEST:
                kept.append(edge)
        return tuple(kept)


    @property
    def last_light(self) -> float:
        """From when on [s] the pump stays dark; inf if it never stops."""
        pump, off = self.pump_rate, math.inf if self.pump_off_at is None else self.pump_off_at
        stepped_down = isinstance(pump, Steps) and pump.values[-1] == 0
        if stepped_down or isinstance(pump, (Square, Gaussian, Sampled)):
            return min(off, *pump.edges[-1:])
        return self.pump_on_at if pump == 0.0 else off


def pump_line(pump: Pump, start: float, stop: float) -> tuple[float, float]:
    """(value at start, value at stop) of a pump that is linear between two neighbouring edges [1/s].

    A Gaussian is not; the integrator evaluates it, see `integrate`.
    """
    middle = 0.5 * (start + stop)
    if isinstance(pump, Steps):
        value = float(np.real(pump.at(middle)))
        return value, value
    if isinstance(pump, Square):
        value = pump.rate if pump.start <= middle < pump.stop else 0.0
        return value, value
    if isinstance(pump, Sampled):
        if not pump.times[0] <= middle <= pump.times[-1]:
            return 0.0, 0.0
        first, last = np.interp([start, stop], pump.times, pump.rates)
        return float(first), float(last)
    value = float(pump)  # type: ignore[arg-type]
    return value, value
