"""The laser pulse in the crystal: energy to pump rate, with absorption, bleaching and photon budget.

A uniform pump rate xi assumes a thin crystal; bench crystals are thick. For the average over the
crystal Beer-Lambert with bleaching is exact: from a flux F [photons/s] it absorbs
F (1 - exp(-OD d)), d = s11 - s22, OD = N sigma/A, because every slice obeys d ln F/dz = -n sigma d.
The uniform rate that absorbs the same is xi = F (1 - exp(-OD d))/(N d).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit

from .drive import PLANCK_TIMES_C, Drive, Sampled, pump_rate_from_power
from .parameters import Record
from .pentacene import Parameters
from .pumped import triplets_per_molecule
from .quantity import Quantity, quantity, show

__all__ = ["KNOTS", "LEAD", "OpticalPump", "photon_budget", "pump_drive", "pump_rate_from_power",
           "triplets_per_molecule"]

KNOTS = 31
_HALF_SPAN = 1.75  # in FWHM; beyond, 4e-5 of the pulse, which is shared out over the rest
LEAD = _HALF_SPAN - 0.5  # in FWHM: from the first light to the half height of the leading edge
_SUBSTEPS = 8  # between knots, at least; a pulse that saturates at once needs more


@dataclass(frozen=True)
class OpticalPump(Record):
    """A pulsed laser, its beam in the crystal, and the calibration of its energy.

    `energy_table`: ((Q-switch delay after the lamp trigger [s], pulse energy [J]), ...), both rising.
    """

    energy_table: tuple[tuple[float, float], ...] = ((150e-6, 0.0), (200e-6, 5e-3))
    wavelength: float = quantity(590e-9, "m", 1e-7, 1e-5, "wavelength")
    area: float = quantity(1.9e-6, "m2", 1e-12, 1.0, "area of the pumped part", "Wu 2020, supplement")
    cross_section: float = quantity(2e-21, "m2", 0.0, 1e-15, "absorption cross section of one molecule",
                                    "public pentacene maser parameter file, 592 nm")
    fwhm: float = quantity(5.5e-9, "s", 1e-12, 1e-3, "length of the pulse")
    efficiency: float = quantity(0.15, "", 0.0, 1.0, "share of the energy that reaches the doped volume",
                                 "5 mJ give -10 dBm at the port")
    arrival: float = quantity(200e-9, "s", -1e-3, 1e-3, "first light after the Q-switch trigger")
    arrival_jitter: float = quantity(0.8e-9, "s", 0.0, 1e-3, "standard deviation of that")
    energy_jitter: float = quantity(0.0, "", 0.0, 1.0, "relative standard deviation of the energy")
    energy_decline: float = quantity(0.0, "", 0.0, 1.0, "share of the energy lost per shot, by ageing lamps")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "energy_table", _checked_table(self.energy_table))

    @property
    def delays(self) -> np.ndarray:
        return np.array([delay for delay, _ in self.energy_table])

    @property
    def energies(self) -> np.ndarray:
        return np.array([energy for _, energy in self.energy_table])

    def energy_at(self, delay: float) -> float:
        """Pulse energy [J] at a Q-switch delay [s]; 0 outside the table, where nothing was calibrated."""
        if not self.delays[0] <= delay <= self.delays[-1]:
            return 0.0
        return float(np.interp(delay, self.delays, self.energies))

    def delay_for(self, energy: float) -> float:
        """Q-switch delay [s] that gives `energy` [J]; ValueError outside the calibrated range."""
        lowest, highest = self.energies[0], self.energies[-1]
        if not lowest <= energy <= highest:
            raise ValueError(f"pump_energy = {show(energy, 'J')} is outside the calibrated range "
                             f"{show(lowest, 'J')} .. {show(highest, 'J')} of [pump] energy_table")
        return float(np.interp(energy, self.energies, self.delays))

    @property
    def lead(self) -> float:
        """Time [s] from the first light to the half height of the leading edge."""
        return LEAD * self.fwhm

    def photons(self, energy: float) -> float:
        """Photons of a pulse of `energy` [J] that reach the doped volume."""
        return self.efficiency * energy * self.wavelength / PLANCK_TIMES_C

    def optical_depth(self, molecules: float) -> float:
        """OD = N sigma/A in nepers, all molecules in the ground state."""
        return molecules * self.cross_section / self.area


def _checked_table(table: Any) -> tuple[tuple[float, float], ...]:
    q = (Quantity("s", 0.0, 1.0), Quantity("J", 0.0, 1e3))
    try:
        rows = tuple((float(delay), float(energy)) for delay, energy in table)
    except (TypeError, ValueError):
        raise ValueError(f"energy_table: expected pairs [delay [s], energy [J]], found {table!r}") from None
    for row in rows:
        for value, bounds in zip(row, q, strict=True):
            if not bounds.minimum <= value <= bounds.maximum:
                raise ValueError(f"energy_table: {value:g} {bounds.unit} is outside {bounds.minimum:g} .. "
                                 f"{bounds.maximum:g} {bounds.unit}")
    rising = all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(rows))
    if len(rows) < 2 or not rising:
        raise ValueError(f"energy_table: {rows!r}: delays and energies must both rise, over 2 rows or more")
    return rows


def pump_drive(p: Parameters, pump: OpticalPump, energy: float, start: float = 0.0) -> Drive:
    """The drive of one pulse of `energy` [J] whose first light falls at `start` [s].

    The rate is the uniform one that absorbs what the crystal absorbs, so no energy excites more molecules
    than it has photons.
    """
    if not (math.isfinite(energy) and energy >= 0.0):
        raise ValueError(f"pump_energy = {energy:g} J must be finite and not negative")
    times = np.linspace(0.0, 2.0 * _HALF_SPAN * pump.fwhm, KNOTS)
    rates = _rates(pump.photons(energy), pump.fwhm, pump.optical_depth(p.molecules), p.molecules,
                   p.spontaneous_emission, p.intersystem_crossing)
    return Drive(pump_rate=Sampled(start + times, rates), pump_on_at=start, pump_off_at=start + times[-1],
                 pulse_photons=pump.photons(energy))


@njit(cache=True)
def _share(depth: float) -> float:
    """(1 - exp(-x))/x."""
    return -np.expm1(-depth) / depth if abs(depth) > 1e-8 else 1.0 - 0.5 * depth


@njit(cache=True)
def _rates(photons: float, fwhm: float, depth: float, molecules: float, emission: float,
           crossing: float) -> np.ndarray:
    """xi [1/s] at the knots, from the two-level problem with crossing, by RK4."""
    sharpness = 4.0 * np.log(2.0) / fwhm**2
    centre = _HALF_SPAN * fwhm
    peak = photons * np.sqrt(sharpness / np.pi) / math.erf(np.sqrt(sharpness) * centre)
    rates = np.empty(KNOTS)
    interval = 2.0 * centre / (KNOTS - 1)
    fastest = 2.0 * peak * depth / molecules + emission + crossing
    substeps = max(_SUBSTEPS, int(np.ceil(interval * fastest / 0.5)))
    step = interval / substeps
    ground, excited = 1.0, 0.0
    ks = np.empty((4, 2))
    offsets = (0.0, 0.5, 0.5, 1.0)
    for i in range((KNOTS - 1) * substeps + 1):
        for stage in range(4):
            shift = offsets[stage] * step
            g = ground + (shift * ks[stage - 1, 0] if stage else 0.0)
            e = excited + (shift * ks[stage - 1, 1] if stage else 0.0)
            flux = peak * np.exp(-sharpness * (i * step + shift - centre) ** 2)
            rate = flux * depth / molecules * _share(depth * (g - e))
            if stage == 0 and i % substeps == 0:
                rates[i // substeps] = rate
            ks[stage, 0] = -rate * (g - e) + emission * e
            ks[stage, 1] = rate * (g - e) - (emission + crossing) * e
        ground += step * (ks[0, 0] + 2.0 * ks[1, 0] + 2.0 * ks[2, 0] + ks[3, 0]) / 6.0
        excited += step * (ks[0, 1] + 2.0 * ks[1, 1] + 2.0 * ks[2, 1] + ks[3, 1]) / 6.0
    return rates


def photon_budget(p: Parameters, drive: Drive, pump: OpticalPump, energy: float) -> str | None:
    """The advice when a drive makes more triplets than a pulse of `energy` [J] has photons for; else None."""
    made = p.molecules * triplets_per_molecule(p, drive)
    allowed = pump.photons(energy) * p.intersystem_crossing / max(
        p.intersystem_crossing + p.spontaneous_emission, 1e-300)
    if made <= allowed * 1.005:  # straight lines between the knots may overshoot by 2 in 1000
        return None
    return (f"the drive makes {made:.3g} triplets, but {show(energy, 'J')} bring {pump.photons(energy):.3g} "
            f"photons, enough for {allowed:.3g}: a uniform pump rate does not hold in a thick crystal; "
            "use the bench's own pulse")
