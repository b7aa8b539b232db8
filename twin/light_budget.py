"""Photons: how many a pumped crystal would absorb, and how many its light has.

A pump rate xi = sigma P/(h nu A) is that of a thin crystal, which hardly weakens the beam. Turned round, xi
stands for a beam that brings xi A/sigma photons per second. Of N molecules with s11 - s22 = d it would take
N xi d, which is more than the beam brings as soon as N d > A/sigma: about 1e15 molecules. A thick crystal
bleaches from its front instead (`optical_pump`), and such a drive says how many photons it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .drive import AREA, CROSS_SECTION, PLANCK_TIMES_C, WAVELENGTH, Drive
from .pentacene import Parameters
from .pumped import GROUND, lit, triplets_per_molecule
from .quantity import show

_MARGIN = 1.005
"""Straight lines between the knots of a sampled pulse may overshoot by 2 in 1000."""
_MOST_STEPS = 300_000
"""A budget that costs more than 20 ms is left undone: a warning must not be what one waits for."""
_TRIALS = 24
"""Times that are looked at."""


@dataclass(frozen=True)
class LightBudget:
    """Photons `absorbed` and `available` up to a time [s]; `assumed`: by a thin crystal's formula."""

    time: float
    absorbed: float
    available: float
    assumed: bool
    molecules: float

    @property
    def advice(self) -> str | None:
        """What to think of it; None as long as there is light for every excitation."""
        if self.absorbed <= _MARGIN * self.available + 1.0:
            return None
        energy = PLANCK_TIMES_C / WAVELENGTH
        spent, had = show(self.absorbed * energy, "J", 3), show(self.available * energy, "J", 3)
        found = (f"photon budget: up to {show(self.time, 's', 3)} the crystal would absorb "
                 f"{self.absorbed:.3g} photons ({spent}), but its light has {self.available:.3g} ({had})")
        if not self.assumed:
            return found + "; lower pump_rate or raise pulse_photons"
        depth = self.molecules * CROSS_SECTION / AREA
        return (f"{found} if pump_rate is sigma P/(h nu A), sigma = {CROSS_SECTION:g} m2, A = {AREA:g} m2. "
                f"That holds for a thin crystal; here the optical depth is {depth:.3g}. Take the pulse of "
                "twin.optical_pump.pump_drive, or tell Drive its pulse_photons")


def light_budget(p: Parameters, drive: Drive, until: float, start: float = 0.0,
                 populations: Sequence[float] = GROUND) -> LightBudget:
    """The budget between `start` and `until` [s], for molecules that begin with `populations` (5,).

    Photons are `drive.pulse_photons`, or those of the beam that its pump rate stands for in a thin crystal.
    """
    known = drive.pulse_photons
    window = _window(drive, start, until)
    if window is None:
        return LightBudget(until, 0.0, known or 0.0, known is None, p.molecules)
    if _steps(p, window) > _MOST_STEPS:
        return LightBudget(until, 0.0, known or 0.0, known is None, p.molecules)
    # What enters S1 leaves it again, so absorption is counted by what crosses, less what was in S1 before;
    # where nothing crosses, let one in a second do the counting.
    crossing = max(p.intersystem_crossing, 1.0)
    crossed = triplets_per_molecule(p.replace(intersystem_crossing=crossing), window, populations)
    taken_up = crossed * (p.spontaneous_emission + crossing) / crossing - float(populations[1])
    absorbed = p.molecules * taken_up
    available = AREA / CROSS_SECTION * _exposure(window) if known is None else known
    return LightBudget(until, absorbed, available, known is None, p.molecules)


def tightest_budget(p: Parameters, drive: Drive, until: float, start: float = 0.0,
                    populations: Sequence[float] = GROUND) -> LightBudget:
    """The budget at the time up to `until` [s] when most photons are missing.

    A beam that goes on makes good in the end what the model took in advance. Of known photons the end tells.
    """
    window = _window(drive, start, until)
    thin = p.molecules * CROSS_SECTION <= AREA
    if window is None or drive.pulse_photons is not None or thin:
        return light_budget(p, drive, until, start, populations)
    on = window.pump_on_at
    edges = [e for e in window.edges() if on < e < until]
    times = {*edges[:: len(edges) // _TRIALS + 1], *(on + (until - on) * np.geomspace(1e-6, 1.0, _TRIALS))}
    found = [light_budget(p, drive, float(t), start, populations) for t in times]
    return max(found, key=lambda budget: budget.absorbed - budget.available)


def _window(drive: Drive, start: float, until: float) -> Drive | None:
    """The drive with its pump on between the two times [s] at most; None: it never is."""
    on = max(drive.pump_on_at, start)
    off = until if drive.pump_off_at is None else min(drive.pump_off_at, until)
    return drive.replace(pump_on_at=on, pump_off_at=off) if off > on else None


def _steps(p: Parameters, drive: Drive) -> float:
    """Steps that `pumped` takes for a drive."""
    edges, rates = lit(drive)
    if not len(edges):
        return 0.0
    fastest = 2.0 * rates.max(axis=1) + p.spontaneous_emission + p.intersystem_crossing
    return float(np.sum((edges[:, 1] - edges[:, 0]) * fastest) / 0.03)


def _exposure(drive: Drive) -> float:
    """Integral of the pump rate over a drive that stops, by Simpson's rule in each stretch."""
    edges, rates = lit(drive)
    return float(np.sum((edges[:, 1] - edges[:, 0]) * (rates @ [1.0, 4.0, 1.0]) / 6.0)) if len(edges) else 0.0
