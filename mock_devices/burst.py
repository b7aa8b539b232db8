"""What the crystal and the cavity do in one shot: the twin's physics with the true parameters.

A pure function of a frozen order, so that it can run in a worker thread and be repeated bit by bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from twin import simulate
from twin.drive import Drive, Sampled
from twin.optical_pump import OpticalPump, pump_drive
from twin.pentacene import Parameters

from .streams import SHOT

STEP = 5e-9  # [s] grid of the simulated field
DARK = 1e-12  # [J] a pulse below it excites nobody


@dataclass(frozen=True)
class Order:
    """One shot to be computed. `pulses`: (energy in the crystal [J], first light [s after the trigger]).

    `stream`: (seed, shot). `leaked_photons` is what a source left on holds in the mode. `mean_field`: the
    fit's own dynamics from a thermal seed drawn once (richness 0), else the stochastic reading.
    """

    parameters: Parameters
    pump: OpticalPump
    pulses: tuple[tuple[float, float], ...]
    stream: tuple[int, int]
    until: float
    mean_field: bool
    leaked_photons: float = 0.0


@dataclass(frozen=True, eq=False)
class Burst:
    """The mode's complex field from `start` [s after the trigger] every STEP; `drive` begins there, too.

    `seed_photons` is None where no single number seeded it.
    """

    start: float
    field: np.ndarray
    drive: Drive | None = None
    seed_photons: float | None = None

    @property
    def peak_photons(self) -> float:
        """Largest photon number."""
        return float(np.max(np.abs(self.field) ** 2)) if self.field.size else 0.0


_NOTHING = np.zeros(4, complex)


def compute(order: Order) -> Burst:
    """The burst of an order; a field of zeros when no light reaches the crystal or it comes after the end."""
    pulses = tuple(p for p in order.pulses if p[0] > DARK)
    if not pulses:
        return Burst(0.0, _NOTHING)
    start = pulses[0][1]
    if start >= order.until:
        return Burst(order.until, _NOTHING)
    drive = _drive(order, [(energy, first - start) for energy, first in pulses])
    times = STEP * np.arange(max(8, math.ceil((order.until - start) / STEP) + 3))
    seed, shot = order.stream
    random = np.random.default_rng(np.random.SeedSequence((seed, SHOT, shot)))
    leaked = math.sqrt(order.leaked_photons) * np.exp(2j * math.pi * random.random())
    if order.mean_field or order.leaked_photons > 0.0:
        return _mean_field(order, drive, start, times, random, leaked)
    run = simulate(order.parameters, drive, times, model="stochastic", seed=(seed, SHOT, shot))
    return Burst(start, run.field, drive)


def _mean_field(order: Order, drive: Drive, start: float, times: np.ndarray, random: np.random.Generator,
                leaked: complex) -> Burst:
    """One thermal seed, and what leaks in, amplified without further noise; the phase is the seed's."""
    thermal = math.sqrt(0.5 * order.parameters.thermal_photons) * complex(*random.normal(size=2))
    seed = abs(thermal + leaked) ** 2
    run = simulate(order.parameters, drive, times, model="mean_field", seed_photons=seed)
    phase = np.exp(1j * np.angle(thermal + leaked))
    return Burst(start, run.field * phase, drive, seed)


def _drive(order: Order, pulses: list[tuple[float, float]]) -> Drive:
    """The first pulse's first light at t = 0; later ones follow as if the crystal were fresh."""
    first, *others = (pump_drive(order.parameters, order.pump, energy, max(0.0, later))
                      for energy, later in pulses)
    if not others:
        return first
    times, rates = [first.pump_rate.times], [first.pump_rate.rates]
    for drive in others:
        times.append(drive.pump_rate.times)
        rates.append(drive.pump_rate.rates)
        rates[-2] = np.append(rates[-2][:-1], 0.0)
        rates[-1] = np.append(0.0, rates[-1][1:])
    return Drive(pump_rate=Sampled(np.concatenate(times), np.concatenate(rates)),
                 pump_off_at=float(times[-1][-1]))
