"""When a pulse makes its triplets: molecules in S0 and S1 alone, before any masing.

Only the first crossing of each molecule counts, so that the figure belongs to the pulse and not
to what the triplets do later:  s1' = -xi s1 + (xi + k_sp) s2,  s2' = xi s1 - (xi + k_sp + k_isc) s2.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit

from .drive import Drive, Gaussian, Sampled, Square, Steps
from .optical_pump import triplets_per_molecule as pulse_triplets
from .pentacene import Parameters

_FINE = 0.15  # step times fastest rate: fourth order then errs by less than 1e-6
_ENDLESS = 50e-6  # [s] what a pump that never stops is followed for


@dataclass(frozen=True)
class Crossing:
    """Rate into the triplets per molecule [1/s] (T,) at `times` [s] (T,), and its integral Phi."""

    times: np.ndarray
    rate: np.ndarray
    triplets: float


def crossing(parameters: Parameters, drive: Drive) -> Crossing:
    """The crossing that this drive's pump alone makes in molecules that start in S0."""
    fastest = _peak(drive.pump_rate) * 2.0 + parameters.spontaneous_emission + parameters.intersystem_crossing
    edges = _pump_edges(drive)
    last = edges[-1] + 16.0 / (parameters.spontaneous_emission + parameters.intersystem_crossing + 1e3)
    times = _grid(np.append(edges, last), _FINE / fastest)
    inside = 0.5 * (times[1:] + times[:-1])
    quarter = 0.499999 * np.diff(times)
    rates = np.stack([pump_at(drive, t) for t in (inside - quarter, inside, inside + quarter)])
    s2, total = _populate(times, rates, parameters.spontaneous_emission, parameters.intersystem_crossing)
    return Crossing(times, parameters.intersystem_crossing * s2, float(total))


def triplets_per_molecule(parameters: Parameters, drive: Drive) -> float:
    """Phi of a drive, as `optical_pump` counts it; of a pump that never stops, each molecule counted once."""
    endless = drive.pump_off_at is None and not isinstance(drive.pump_rate, (Square, Gaussian, Sampled))
    return crossing(parameters, drive).triplets if endless else pulse_triplets(parameters, drive)


def first_light(drive: Drive) -> float:
    """When the pump first shines [s] on the drive's clock: there the seed starts to grow."""
    return float(_pump_edges(drive)[0])


def pulse_length(drive: Drive) -> float:
    """From the first light to the last [s]; 50 us for a pump that never stops."""
    edges = _pump_edges(drive)
    return float(edges[-1] - edges[0])


def pump_at(drive: Drive, times: np.ndarray) -> np.ndarray:
    """The pump rate [1/s] (T,) that `drive` has at `times` [s]."""
    pump = drive.pump_rate
    if isinstance(pump, Steps):
        rate = np.real(np.array(pump.values))[np.searchsorted(pump.edges, times, side="right")]
    elif isinstance(pump, Square):
        rate = pump.rate * ((times >= pump.start) & (times < pump.stop))
    elif isinstance(pump, Gaussian):
        rate = pump.peak_rate * np.exp(-4.0 * np.log(2.0) * ((times - pump.centre) / pump.fwhm) ** 2)
    elif isinstance(pump, Sampled):
        rate = np.interp(times, pump.times, pump.rates, left=0.0, right=0.0)
    else:
        rate = np.full(np.shape(times), float(pump))
    on = times >= drive.pump_on_at
    return rate * (on if drive.pump_off_at is None else on & (times < drive.pump_off_at))


def _peak(pump: object) -> float:
    if isinstance(pump, Steps):
        return float(np.max(np.real(pump.values)))
    if isinstance(pump, Sampled):
        return float(np.max(pump.rates))
    return float(getattr(pump, "rate", getattr(pump, "peak_rate", pump)))  # type: ignore[arg-type]


def _pump_edges(drive: Drive) -> np.ndarray:
    """Where the pump jumps or bends, from first to last light [s]."""
    first = drive.pump_on_at
    found = {first, *(e for e in getattr(drive.pump_rate, "edges", ()) if e > first)}
    endless = not isinstance(drive.pump_rate, (Square, Gaussian, Sampled))
    last = drive.pump_off_at
    if last is None and endless:
        last = max(found) + _ENDLESS
    if last is not None:
        found = {e for e in found if e < last} | {last}
    edges = np.array(sorted(found))
    dark = isinstance(drive.pump_rate, (Square, Gaussian, Sampled)) and len(edges) > 1 and not np.any(
        pump_at(drive, np.array([0.5 * (edges[0] + edges[1])])))
    return edges[1:] if dark else edges


def _grid(edges: np.ndarray, step: float) -> np.ndarray:
    parts = [np.linspace(a, b, max(2, int(np.ceil((b - a) / step)) + 1))[:-1]
             for a, b in pairwise(edges) if b > a]
    return np.append(np.concatenate(parts), edges[-1])


@njit(cache=True)
def _populate(times: np.ndarray, rates: np.ndarray, emission: float, crossing_rate: float
              ) -> tuple[np.ndarray, float]:
    s2_all = np.zeros(times.size)
    s1, s2, made = 1.0, 0.0, 0.0
    for i in range(times.size - 1):
        h = times[i + 1] - times[i]
        k1 = k2 = 0.0
        d1 = d2 = dm = 0.0
        for stage in range(4):
            ahead = 0.0 if stage == 0 else (h if stage == 3 else 0.5 * h)
            a, b = s1 + ahead * k1, s2 + ahead * k2
            xi = rates[0, i] if stage == 0 else (rates[2, i] if stage == 3 else rates[1, i])
            k1 = -xi * a + (xi + emission) * b
            k2 = xi * a - (xi + emission + crossing_rate) * b
            weight = h / 6.0 if stage in (0, 3) else h / 3.0
            d1 += weight * k1
            d2 += weight * k2
            dm += weight * crossing_rate * b
        s1, s2, made = s1 + d1, s2 + d2, made + dm
        s2_all[i + 1] = s2
    return s2_all, made + s2 * crossing_rate / (emission + crossing_rate + 1e-300)
