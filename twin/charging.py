"""Figures of merit of the quantum battery, read off the continuous solution.

The integrator's interpolants are kept step by step, so a maximum is found where it is and not at
the nearest sample. E(t) = N hbar frequency_35 s55(t); the cavity's energy counts photons above n_th.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .curve import Curve
from .pentacene import HBAR
from .problem import Problem

_PROMINENCE = 1e-6


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


def charging(pieces: Sequence[tuple[Problem, float]], rtol: float) -> Charging:
    """The figures of merit; times to 0.05 ns, values to 1e-6.

    `pieces`: problems with the times [s] at which they end, each continuing the one before it.
    """
    p = pieces[-1][0].parameters
    curve = Curve(pieces, rtol)
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
    size = curve.at(curve.energy, size_time) + curve.value("s33", size_time)
    peak, latency, burst = _bursts(curve, p.thermal_photons)
    photon = HBAR * p.cavity_frequency

    def emitted(until: float) -> float:
        """Photons that left above the thermal ones."""
        return curve.integral(lambda s, x: curve.decay[s] * (curve.photons(s, x)[0] - p.thermal_photons),
                              until)

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


def _largest_power(curve: Curve, t_max: float) -> tuple[float, float]:
    times, values = curve.extrema(curve.power)
    if np.isfinite(t_max):
        keep = times <= t_max
        times = np.append(times[keep], t_max)
        values = np.append(values[keep], curve.at(curve.power, t_max))
    best = int(np.argmax(values))
    return float(times[best]), float(values[best])


def _bursts(curve: Curve, thermal: float) -> tuple[float, float, float]:
    times, values = curve.extrema(curve.photons)
    top = int(np.argmax(values))
    exists = top != len(values) - 1
    prominent = (prominences(values) > 0.01 * values) & (values > 10.0 * thermal)
    first = np.flatnonzero(prominent)
    return (float(values[top]) if exists else np.nan, float(times[top]) if exists else np.nan,
            float(times[first[0]]) if len(first) else np.nan)
