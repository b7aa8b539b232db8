"""Figures of merit of the quantum battery, read off the continuous solution.

The integrator's interpolants are kept step by step, so a maximum is found where it is and not at
the nearest sample. E(t) = N hbar frequency_35 s55(t); the cavity's energy counts photons above n_th.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .pentacene import HBAR, Parameters
from .problem import Problem
from .segments import held_values

Function = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(steps, places in them 0..1) -> values and their slopes."""

_PROMINENCE = 1e-6
_POINTS = np.linspace(0.0, 1.0, 13)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_NODES, _WEIGHTS = 0.5 * (_NODES + 1.0), 0.5 * _WEIGHTS


@dataclass(frozen=True)
class Charging:
    """Energies [J], powers [W], times [s]. nan: the figure does not exist in the window.

    maximum_energy is the first maximum of s55 with a prominence above 1e-6 (none: the value at the end);
    minimum_energy the next minimum; extractable_work their difference; discharge_power the mean power
    between them, into the mode; maximum_power the largest E/t up to the first maximum; battery_size
    N (s55 + s33) there; emitted_energy left through the cavity's decay, energy_in_cavity is still in
    it at the minimum.
    """

    maximum_energy: float
    maximum_energy_time: float
    relative_maximum_energy: float
    global_maximum_energy: float
    global_maximum_energy_time: float
    minimum_energy: float
    minimum_energy_time: float
    extractable_work: float
    efficiency: float
    discharge_power: float
    maximum_power: float
    maximum_power_time: float
    battery_size: float
    peak_photons: float
    latency: float
    first_burst_time: float
    emitted_energy: float
    emitted_energy_at_minimum: float
    energy_in_cavity: float


class _Curve:
    """The recorded steps as polynomials: value and slope of each variable anywhere."""

    names = ("s55", "s33", "mu", "x.re", "x.im")

    def __init__(self, pieces: Sequence[tuple[Problem, float]], rtol: float) -> None:
        parts = [self._recorded(problem, end, rtol) for problem, end in pieces]
        self.starts, self.lengths, self.poly, self.decay = map(np.concatenate, zip(*parts, strict=True))
        self.molecules = pieces[-1][0].parameters.molecules

    def _recorded(self, problem: Problem, end: float, rtol: float) -> tuple[np.ndarray, ...]:
        """Starts, lengths, polynomials (steps, 8, names) and the cavity's decay rate of each step."""
        found = problem.run(np.array([end]), self.names, rtol, record=4096)
        kappa, middles = problem.parameters.cavity_decay, found.starts + 0.5 * found.lengths
        decay = [held_values(problem.drive, m).get("cavity_decay", kappa) for m in middles]
        return found.starts, found.lengths, found.polynomials, np.array(decay)

    def read(self, name: str, steps: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Value and slope [1/s] of a variable at fractions x of the steps (broadcast)."""
        c = self.poly[steps, :, self.names.index(name)]
        y = 1.0 - x
        v, dv = c[..., 7], np.zeros_like(x)
        for k in range(6, 0, -1):
            factor, sign = (x, 1.0) if k % 2 == 0 else (y, -1.0)
            v, dv = c[..., k] + factor * v, sign * v + factor * dv
        v, dv = c[..., 0] + x * v, v + x * dv
        return v, dv / self.lengths[steps]

    def photons(self, steps: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value, slope = self.read("mu", steps, x)
        for name in ("x.re", "x.im"):
            v, dv = self.read(name, steps, x)
            value, slope = value + v * v, slope + 2.0 * v * dv
        return self.molecules * value, self.molecules * slope

    def energy(self, steps: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.read("s55", steps, x)

    def power(self, steps: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """s55/t and its slope."""
        t = self.starts[steps] + x * self.lengths[steps]
        v, dv = self.read("s55", steps, x)
        later = np.where(t > 0.0, t, np.inf)
        return v / later, dv / later - v / later**2

    def extrema(self, function: Function) -> tuple[np.ndarray, np.ndarray]:
        """Times and values of the ends of the window and of every turning point between them."""
        steps = np.arange(len(self.starts))[:, None]
        x = np.broadcast_to(_POINTS, (len(self.starts), len(_POINTS)))
        _, slope = function(np.broadcast_to(steps, x.shape), x)
        sign = np.sign(slope).ravel()
        where = np.flatnonzero(sign[:-1] * sign[1:] < 0)
        first, second = where // len(_POINTS), (where + 1) // len(_POINTS)
        low = x.ravel()[where]
        # A turn between the end of one step and the start of the next is a kink at an edge.
        high = np.where(first == second, x.ravel()[where + 1], 1.0)
        rising = sign[where]
        for _ in range(50):
            middle = 0.5 * (low + high)
            s = np.sign(function(first, middle)[1])
            same = s == rising
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        values = function(first, high)[0]
        times = self.starts[first] + high * self.lengths[first]
        begin, end = np.array([0]), np.array([len(self.starts) - 1])
        zero, one = np.zeros(1), np.ones(1)
        return (np.concatenate(([self.starts[0]], times, [self.starts[-1] + self.lengths[-1]])),
                np.concatenate((function(begin, zero)[0], values, function(end, one)[0])))

    def at(self, function: Function, time: float) -> float:
        step = np.array([max(0, int(np.searchsorted(self.starts, time, side="right")) - 1)])
        x = (time - self.starts[step]) / self.lengths[step]
        return float(function(step, np.clip(x, 0.0, 1.0))[0][0])


def charging(pieces: Sequence[tuple[Problem, float]], rtol: float) -> Charging:
    """The figures of merit; times to 0.05 ns, values to 1e-6.

    `pieces`: problems with the times [s] at which they end, each continuing the one before it.
    """
    p = pieces[-1][0].parameters
    curve = _Curve(pieces, rtol)
    unit = p.molecules * HBAR * p.frequency_35
    times, values = curve.extrema(curve.energy)
    first, low = _first_swing(values)
    t_max = times[first] if first is not None else np.nan
    t_min = times[low] if low is not None else np.nan
    e_max = values[first] if first is not None else values[-1]
    e_min = values[low] if low is not None else np.nan
    top = int(np.argmax(values))
    power_time, power = _largest_power(curve, t_max)
    size_time = t_max if first is not None else times[-1]
    size = curve.at(curve.energy, size_time) + curve.at(lambda s, x: curve.read("s33", s, x), size_time)
    peak, latency, burst = _bursts(curve, p.thermal_photons)
    photon = HBAR * p.cavity_frequency
    emitted = _emitted(curve, p)
    in_cavity = curve.at(curve.photons, t_min) - p.thermal_photons if low is not None else np.nan
    work = e_max - e_min
    figures = dict(
        maximum_energy=unit * e_max, maximum_energy_time=t_max, relative_maximum_energy=e_max,
        global_maximum_energy=unit * values[top], global_maximum_energy_time=times[top],
        minimum_energy=unit * e_min, minimum_energy_time=t_min, extractable_work=unit * work,
        efficiency=work / e_max if e_max > 0 else np.nan, discharge_power=unit * work / (t_min - t_max),
        maximum_power=unit * power, maximum_power_time=power_time, battery_size=p.molecules * size,
        peak_photons=peak, latency=latency, first_burst_time=burst,
        emitted_energy=photon * emitted(pieces[-1][1]),
        emitted_energy_at_minimum=photon * emitted(t_min) if low is not None else np.nan,
        energy_in_cavity=photon * in_cavity)
    return Charging(**{name: float(value) for name, value in figures.items()})


def prominences(values: np.ndarray) -> np.ndarray:
    """How far each interior maximum of a zigzag stands above the higher of the two saddles beside it."""
    found = np.full(len(values), -np.inf)
    for i in range(1, len(values) - 1):
        if not (values[i] > values[i - 1] and values[i] > values[i + 1]):
            continue
        saddle = -np.inf
        for side in (values[i - 1::-1], values[i + 1:]):
            higher = np.flatnonzero(side > values[i])
            saddle = max(saddle, side[: higher[0]].min() if len(higher) else side.min())
        found[i] = values[i] - saddle
    return found


def _first_swing(values: np.ndarray) -> tuple[int | None, int | None]:
    """Indices of the first maximum above the prominence and of the minimum that follows it."""
    maxima = np.flatnonzero(prominences(values) > _PROMINENCE)
    if not len(maxima):
        return None, None
    minima = np.flatnonzero(prominences(-values) > _PROMINENCE)
    after = minima[minima > maxima[0]]
    return int(maxima[0]), int(after[0]) if len(after) else None


def _largest_power(curve: _Curve, t_max: float) -> tuple[float, float]:
    times, values = curve.extrema(curve.power)
    if np.isfinite(t_max):
        keep = times <= t_max
        times = np.append(times[keep], t_max)
        values = np.append(values[keep], curve.at(curve.power, t_max))
    best = int(np.argmax(values))
    return float(times[best]), float(values[best])


def _bursts(curve: _Curve, thermal: float) -> tuple[float, float, float]:
    times, values = curve.extrema(curve.photons)
    top = int(np.argmax(values))
    exists = top != len(values) - 1
    prominent = (prominences(values) > 0.01 * values) & (values > 10.0 * thermal)
    first = np.flatnonzero(prominent)
    return (float(values[top]) if exists else np.nan, float(times[top]) if exists else np.nan,
            float(times[first[0]]) if len(first) else np.nan)


def _emitted(curve: _Curve, p: Parameters) -> Callable[[float], float]:
    """Photons that left above the thermal ones, as a function of the time up to which they are counted."""

    def until(time: float) -> float:
        share = np.clip((time - curve.starts) / curve.lengths, 0.0, 1.0)
        steps = np.flatnonzero(share > 0)
        x = share[steps][:, None] * _NODES
        n = curve.photons(np.broadcast_to(steps[:, None], x.shape), x)[0] - p.thermal_photons
        return float(np.sum(curve.decay[steps] * share[steps] * curve.lengths[steps] * (n @ _WEIGHTS)))

    return until
