"""What the crystal and the cavity do in one shot: the twin's physics with the true parameters.

A pure function of a frozen order, so that it can run in a worker thread and be repeated bit by bit.
"""

from __future__ import annotations

import cmath
import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from twin import simulate
from twin.drive import Drive, Sampled
from twin.optical_pump import OpticalPump, pump_drive
from twin.pentacene import Parameters
from twin.spread import Spread

from .streams import SHOT, stream

STEP = 5e-9  # [s] grid of the simulated field
DARK = 1e-12  # [J] a pulse below it excites nobody
_FAR = 50.0  # over kappa: a tone further off seeds nothing, and what it leaves in the mode no filter passes
_SETTLED = 16.0  # over kappa [1/s]: the time after which a tone stands in the mode, to e^-8


@dataclass(frozen=True)
class Order:
    """One shot to be computed. `pulses`: (energy in the crystal [J], first light [s after the trigger]).

    `stream`: (seed, shot); the record lasts from `begin` to `until` [s after the trigger]. `leaked_photons`
    is what a source left on holds in the empty mode, at `leak_detuning` [rad/s] from it, with the same phase
    in every shot if `phase_locked`. `mean_field`: the fit's own dynamics from a thermal seed drawn once, to
    which a leak only adds (richness 0), else the stochastic reading, which the leak drives throughout.
    """

    parameters: Parameters
    pump: OpticalPump
    pulses: tuple[tuple[float, float], ...]
    stream: tuple[int, int]
    until: float
    mean_field: bool
    leaked_photons: float = 0.0
    leak_detuning: float = 0.0
    phase_locked: bool = False
    begin: float = 0.0
    spread: Spread | None = None


@dataclass(frozen=True, eq=False)
class Burst:
    """The mode's complex field from `start` [s after the trigger] every STEP; `drive` begins at `lit`.

    The field is in the frame of `frequency` [Hz]. `seed_photons` is None where no single number seeded it,
    `drive` where no light came.
    """

    start: float
    field: np.ndarray
    frequency: float = 0.0
    drive: Drive | None = None
    seed_photons: float | None = None
    lit: int = 0

    @property
    def peak_photons(self) -> float:
        """Largest photon number."""
        return float(np.max(np.abs(self.field) ** 2)) if self.field.size else 0.0


_NOTHING = np.zeros(4, complex)
_NO_LIGHT = Drive(pump_rate=0.0)


def compute(order: Order) -> Burst:
    """The burst of an order; a field of zeros when no light reaches the crystal or it comes after the end."""
    pulses = tuple(p for p in order.pulses if p[0] > DARK and p[1] < order.until)
    near = abs(order.leak_detuning) < _FAR * order.parameters.cavity_decay
    if order.leaked_photons > 0.0 and near and not order.mean_field:
        return _driven(order, pulses)
    if not pulses:
        return Burst(order.until, _NOTHING)
    start = pulses[0][1]
    drive = _drive(order, [(energy, first - start) for energy, first in pulses])
    times = STEP * np.arange(max(8, math.ceil((order.until - start) / STEP) + 3))
    if order.mean_field:
        return _mean_field(order, drive, start, times)
    return Burst(start, _shot(order, drive, times), _frame(order), drive)


def _shot(order: Order, drive: Drive, times: np.ndarray) -> np.ndarray:
    seed, shot = order.stream
    return simulate(order.parameters, drive, times, model="stochastic", seed=(seed, SHOT, shot),
                    spread=order.spread).field


def _driven(order: Order, pulses: tuple[tuple[float, float], ...]) -> Burst:
    """A tone in the mode since long before the record begins, and the pulses under it, if any."""
    p = order.parameters
    first = pulses[0][1] if pulses else order.begin
    lit = math.ceil((first - min(order.begin, first) + _SETTLED / p.cavity_decay) / STEP)
    start = first - lit * STEP
    turn = 0.0 if order.phase_locked else stream(order.stream[0], "leak", order.stream[1]).random()
    size, phase = math.hypot(0.5 * p.cavity_decay, order.leak_detuning), 2.0 * math.pi * turn
    size *= math.sqrt(order.leaked_photons)  # |eps|^2 = n (kappa^2/4 + detuning^2)
    light = _drive(order, [(energy, moment - start) for energy, moment in pulses]) if pulses else _NO_LIGHT
    driven = dataclasses.replace(light, cavity_drive=cmath.rect(size, phase),
                                 cavity_drive_detuning=order.leak_detuning)
    times = STEP * np.arange(math.ceil((order.until - start) / STEP) + 3)
    alone = _drive(order, [(energy, moment - first) for energy, moment in pulses]) if pulses else None
    return Burst(start, _shot(order, driven, times), _frame(order), alone, lit=lit)


def _mean_field(order: Order, drive: Drive, start: float, times: np.ndarray) -> Burst:
    """One thermal seed, and what leaks in, amplified without further noise; the phase is the seed's."""
    seed, shot = order.stream
    random = np.random.default_rng(np.random.SeedSequence((seed, SHOT, shot)))
    leaked = math.sqrt(order.leaked_photons) * np.exp(2j * math.pi * random.random())
    thermal = math.sqrt(0.5 * order.parameters.thermal_photons) * complex(*random.normal(size=2))
    seed_photons = abs(thermal + leaked) ** 2
    run = simulate(order.parameters, drive, times, model="mean_field", seed_photons=seed_photons,
                   spread=order.spread)
    phase = np.exp(1j * np.angle(thermal + leaked))
    return Burst(start, run.field * phase, _frame(order), drive, seed_photons)


def _frame(order: Order) -> float:
    """Frequency [Hz] of the frame in which the twin tells the field: that of the molecules."""
    return order.parameters.frequency_35 / (2.0 * math.pi)


def _drive(order: Order, pulses: list[tuple[float, float]]) -> Drive:
    """The pulses' light on a common clock; later ones follow as if the crystal were fresh."""
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
