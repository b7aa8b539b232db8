"""Populations under the pump alone: triplets made and photons absorbed, with no maser in the way.

The maser's own transitions move molecules between triplet sublevels and do not matter to S0 and S1 as long as
the pulse lasts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit

from .drive import Drive, Gaussian, Sampled, Square, Steps
from .pentacene import Parameters

GROUND = (1.0, 0.0, 0.0, 0.0, 0.0)


def triplets_per_molecule(p: Parameters, drive: Drive, start: Sequence[float] = GROUND) -> float:
    """Phi: the integral of intersystem_crossing s22 dt over a drive's pulse, once S1 has emptied.

    `start`: populations (5,) when it begins. Triplets that decay during a long pulse and are pumped again
    count again; the maser's own transitions do not matter to S1. ValueError where the pumping never stops.
    """
    edges, rates = lit(drive)
    if not edges.size:
        return 0.0
    k3, k4, k5 = p.triplet_decay
    return float(_crossed(edges, rates, p.spontaneous_emission, p.intersystem_crossing,
                          np.array(p.branching), np.array([k3, k4, k5]),
                          np.array([p.spin_lattice_34, p.spin_lattice_35, p.spin_lattice_45]),
                          np.array([*start, 0.0])))


def lit(drive: Drive) -> tuple[np.ndarray, np.ndarray]:
    """(start, stop) [s] of each stretch and xi at its start, middle and stop; dark ones included."""
    pump, stop = drive.pump_rate, drive.pump_off_at
    inner = [e for e in getattr(pump, "edges", ())]
    if isinstance(pump, (int, float)) or (isinstance(pump, Steps) and pump.values[-1] != 0.0):
        if stop is None and pump != 0.0:
            raise ValueError("the pump never stops, so triplets per molecule have no limit; set pump_off_at")
        inner = [*inner, drive.pump_on_at if stop is None else stop]
    last = inner[-1] if stop is None else min(stop, inner[-1])
    points = sorted({e for e in inner if drive.pump_on_at < e < last} | {drive.pump_on_at, last})
    if last <= drive.pump_on_at:
        return np.empty((0, 2)), np.empty((0, 3))
    if isinstance(pump, Gaussian):
        points = sorted({float(x) for a, b in pairwise(points)
                         for x in np.linspace(a, b, 33)})
    edges = np.array(list(pairwise(points)))
    return edges, np.array([_line(pump, a, b) for a, b in edges])


def _line(pump: Any, start: float, stop: float) -> tuple[float, float, float]:
    middle = 0.5 * (start + stop)
    if isinstance(pump, Sampled):
        return tuple(np.interp([start, middle, stop], pump.times, pump.rates, left=0.0, right=0.0))
    if isinstance(pump, Gaussian):
        x = (np.array([start, middle, stop]) - pump.centre) / pump.fwhm
        return tuple(pump.peak_rate * np.exp(-4.0 * math.log(2.0) * x**2))
    if isinstance(pump, Square):
        value = pump.rate if pump.start <= middle < pump.stop else 0.0
    else:
        value = float(np.real(pump.at(middle))) if isinstance(pump, Steps) else float(pump)
    return value, value, value


@njit(cache=True)
def _crossed(edges: np.ndarray, rates: np.ndarray, emission: float, crossing: float, branching: np.ndarray,
             decay: np.ndarray, lattice: np.ndarray, s: np.ndarray) -> float:
    """RK4 over all stretches of s (6,): s11 .. s55, triplets made; then S1 empties."""
    ks = np.zeros((4, 6))
    trial = np.empty(6)
    for i in range(edges.shape[0]):
        length = edges[i, 1] - edges[i, 0]
        fastest = 2.0 * rates[i].max() + emission + crossing
        steps = int(np.ceil(length * fastest / 0.03)) + 2
        h = length / steps
        for n in range(steps):
            for stage in range(4):
                part = (0.0, 0.5, 0.5, 1.0)[stage]
                for j in range(6):  # written out: array expressions would allocate
                    trial[j] = s[j] + (part * h * ks[stage - 1, j] if stage else 0.0)
                xi = _quadratic(rates[i], (n + part) / steps)
                _populations(trial, xi, emission, crossing, branching, decay, lattice, ks[stage])
            for j in range(6):
                s[j] += h * (ks[0, j] + 2.0 * ks[1, j] + 2.0 * ks[2, j] + ks[3, j]) / 6.0
    return s[5] + s[1] * crossing / (emission + crossing) if crossing > 0.0 else 0.0


@njit(cache=True)
def _quadratic(values: np.ndarray, x: float) -> float:
    """Through three equally spaced values; x in 0..1."""
    first, middle, last = values
    return first + x * (4.0 * middle - 3.0 * first - last) + 2.0 * x * x * (first - 2.0 * middle + last)


@njit(cache=True)
def _populations(s: np.ndarray, xi: float, emission: float, crossing: float, branching: np.ndarray,
                 decay: np.ndarray, lattice: np.ndarray, out: np.ndarray) -> None:
    exchange_34 = lattice[0] * (s[3] - s[2])
    exchange_35 = lattice[1] * (s[4] - s[2])
    exchange_45 = lattice[2] * (s[4] - s[3])
    out[0] = -xi * (s[0] - s[1]) + emission * s[1] + decay[0] * s[2] + decay[1] * s[3] + decay[2] * s[4]
    out[1] = xi * (s[0] - s[1]) - (emission + crossing) * s[1]
    out[2] = branching[0] * crossing * s[1] - decay[0] * s[2] + exchange_34 + exchange_35
    out[3] = branching[1] * crossing * s[1] - decay[1] * s[3] - exchange_34 + exchange_45
    out[4] = branching[2] * crossing * s[1] - decay[2] * s[4] - exchange_35 - exchange_45
    out[5] = crossing * s[1]
