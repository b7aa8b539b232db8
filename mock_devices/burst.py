"""What the crystal and the cavity do in one shot: the twin's physics with the true parameters.

A pure function of a frozen order, so that it can run in a worker thread and be repeated bit by bit.
"""

from __future__ import annotations

import cmath
import dataclasses
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from twin import simulate
from twin.drive import Drive, Frame, Sampled, Steps
from twin.optical_pump import OpticalPump, pump_drive
from twin.pentacene import Parameters
from twin.spread import Spread

from .streams import SHOT, stream
from .tone import SILENCE, Incoming

STEP = 5e-9  # [s] grid of the simulated field
DARK = 1e-12  # [J] a pulse below it excites nobody
_FAR = 50.0  # over kappa: a tone further off seeds nothing, and what it leaves in the mode no filter passes
_PASSED = 2.0 * math.pi * 15e6  # [rad/s] off the line: half of the width of the receive chain's filter
_SETTLED = 16.0  # over kappa [1/s]: the time after which a tone stands in the mode, to e^-8


@dataclass(frozen=True)
class Order:
    """One shot to be computed. `pulses`: (energy in the crystal [J], first light [s after the trigger]).

    `stream`: (seed, shot); the record lasts from `begin` to `until` [s after the trigger]. `incoming` waves
    arrive at a loop of `external_decay` [rad/s], with the same phase in every shot if `phase_locked`. While
    the bench's `gate` (rise, fall) [s after the trigger] is high the mode decays with `gated_decay` [rad/s],
    None: as always. `turning`: Omega_45 [rad/s] of a tone on 4-5 while the gate is low and while it is high,
    and how far the tone lies above the line [rad/s]. `mean_field`: the fit's own dynamics from a thermal seed
    drawn once, to which a wave only adds (richness 0), else the stochastic reading, which it drives
    throughout.
    """

    parameters: Parameters
    pump: OpticalPump
    pulses: tuple[tuple[float, float], ...]
    stream: tuple[int, int]
    until: float
    mean_field: bool
    incoming: Incoming = SILENCE
    external_decay: float = 0.0
    phase_locked: bool = False
    begin: float = 0.0
    spread: Spread | None = None
    gate: tuple[float, float] | None = None
    gated_decay: float | None = None
    turning: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def gated(self, start: float, low: Any, high: Any) -> Any:
        """What is `low` and, while the gate is high, `high`, on a clock that begins at `start`."""
        if self.gate is None or low == high:
            return low
        rise, fall = (edge - start for edge in self.gate)
        if fall <= 0.0:
            return low
        return Steps((rise, fall), (low, high, low)) if rise > 0.0 else Steps((fall,), (high, low))

    def at(self, moment: float, low: Any, high: Any) -> Any:
        """The same at a moment after the trigger."""
        return high if self.gate is not None and self.gate[0] <= moment < self.gate[1] else low


@dataclass(frozen=True, eq=False)
class Burst:
    """The mode's complex field from `start` [s after the trigger] every STEP; `drive` begins at `lit`.

    The field is in the frame of `frequency` [Hz]. `seed_photons` is None where no single number seeded it,
    `drive` where no light came. `reflected` (like the field) is what the loop sends back of incoming waves,
    told as the field that would radiate it; None where nothing comes in.
    """

    start: float
    field: np.ndarray
    frequency: float = 0.0
    drive: Drive | None = None
    seed_photons: float | None = None
    lit: int = 0
    reflected: np.ndarray | None = None

    @property
    def leaving(self) -> np.ndarray:
        """The field that would radiate all that leaves the loop."""
        return self.field if self.reflected is None else self.field + self.reflected

    @property
    def peak_photons(self) -> float:
        """Largest photon number."""
        return float(np.max(np.abs(self.field) ** 2)) if self.field.size else 0.0


_NOTHING = np.zeros(4, complex)
_NO_LIGHT = Drive(pump_rate=0.0)


def compute(order: Order) -> Burst:
    """The burst of an order; a field of zeros when no light reaches the crystal or it comes after the end."""
    pulses = tuple(p for p in order.pulses if p[0] > DARK and p[1] < order.until)
    if not order.incoming:
        return _undriven(order, pulses)
    near = abs(order.incoming.detuning) < _FAR * order.parameters.cavity_decay
    if near and not order.mean_field:
        burst = _driven(order, pulses)
    elif pulses:
        burst = _undriven(order, pulses)
    else:
        burst = _ringing(order)
    return dataclasses.replace(burst, reflected=_reflected(order, burst))


def _undriven(order: Order, pulses: tuple[tuple[float, float], ...]) -> Burst:
    if not pulses:
        return Burst(order.until, _NOTHING)
    start = pulses[0][1]
    drive = _drive(order, [(energy, first - start) for energy, first in pulses], start)
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
    light = _drive(order, [(energy, moment - start) for energy, moment in pulses], start)
    driven = dataclasses.replace(light, cavity_drive=order.gated(start, *_amplitudes(order)),
                                 cavity_drive_detuning=order.incoming.detuning)
    times = STEP * np.arange(math.ceil((order.until - start) / STEP) + 3)
    alone = _drive(order, [(energy, moment - first) for energy, moment in pulses], first) if pulses else None
    return Burst(start, _shot(order, driven, times), _frame(order), alone, lit=lit)


def _ringing(order: Order) -> Burst:
    """A tone in an empty mode, without noise: between the gate's edges the field relaxes to what it holds."""
    p, waves = order.parameters, _amplitudes(order)
    start = order.begin - math.ceil(_SETTLED / p.cavity_decay / STEP) * STEP
    times = STEP * np.arange(math.ceil((order.until - start) / STEP) + 3)
    offset = p.cavity_frequency - p.frequency_35
    turn = -1j * (offset + order.incoming.detuning)
    field, edges, left = np.empty(len(times), complex), [e - start for e in order.gate or ()], None
    for begin, end in pairwise([0.0, *(e for e in edges if e > 0.0), math.inf]):
        kappa = order.at(begin + start, p.cavity_decay, order.gated_decay or p.cavity_decay)
        decay = 0.5 * kappa + 1j * offset
        settled = -1j * order.at(begin + start, *waves) / (decay + turn)
        away = 0.0 if left is None else left - settled * np.exp(turn * begin)

        def at(t: Any, settled: complex = settled, away: complex = away, decay: complex = decay,
               begin: float = begin) -> Any:
            return settled * np.exp(turn * t) + away * np.exp(-decay * (t - begin))

        here = (times >= begin) & (times < end)
        field[here] = at(times[here])
        left = at(end) if end < math.inf else None
    return Burst(start, field, _frame(order))


def _amplitudes(order: Order) -> tuple[complex, complex]:
    """eps [rad/s] while the gate is low and high: |eps|^2 = n (kappa^2/4 + detuning^2)."""
    turn = 0.0 if order.phase_locked else stream(order.stream[0], "leak", order.stream[1]).random()
    size = math.hypot(0.5 * order.parameters.cavity_decay, order.incoming.detuning)
    low, high = (cmath.rect(size * math.sqrt(n), 2.0 * math.pi * turn)
                 for n in (order.incoming.low, order.incoming.high))
    return low, high


def _reflected(order: Order, burst: Burst) -> np.ndarray | None:
    """i eps/kappa_ext turning with the tone; None for one that the chain's filter keeps out.

    With da/dt = -i eps - kappa/2 a, what leaves is sqrt(kappa_ext) a - a_in, sqrt(kappa_ext) a_in = -i eps.
    """
    p = order.parameters
    turn = p.cavity_frequency - p.frequency_35 + order.incoming.detuning
    if not order.external_decay or abs(turn) > _PASSED:
        return None
    times = STEP * np.arange(len(burst.field))
    low, high = _amplitudes(order)
    amplitude = np.full(len(times), low)
    if order.gate is not None:
        rise, fall = order.gate
        amplitude[(times + burst.start >= rise) & (times + burst.start < fall)] = high
    return np.asarray(1j * amplitude / order.external_decay * np.exp(-1j * turn * times))


def _mean_field(order: Order, drive: Drive, start: float, times: np.ndarray) -> Burst:
    """One thermal seed, and what leaks in, amplified without further noise; the phase is the seed's."""
    seed, shot = order.stream
    random = np.random.default_rng(np.random.SeedSequence((seed, SHOT, shot)))
    held = order.at(start, order.incoming.low, order.incoming.high)
    leaked = math.sqrt(held) * np.exp(2j * math.pi * random.random())
    thermal = math.sqrt(0.5 * order.parameters.thermal_photons) * complex(*random.normal(size=2))
    seed_photons = abs(thermal + leaked) ** 2
    run = simulate(order.parameters, drive, times, model="mean_field", seed_photons=seed_photons,
                   spread=order.spread)
    phase = np.exp(1j * np.angle(thermal + leaked))
    return Burst(start, run.field * phase, _frame(order), drive, seed_photons)


def _frame(order: Order) -> float:
    """Frequency [Hz] of the frame in which the twin tells the field: that of the molecules."""
    return order.parameters.frequency_35 / (2.0 * math.pi)


def _drive(order: Order, pulses: list[tuple[float, float]], start: float) -> Drive:
    """The pulses' light and what the gate does, on a clock that begins at `start`."""
    light = _light(order, pulses) if pulses else _NO_LIGHT
    changes: dict[str, Any] = {}
    low, high, away = order.turning
    if low or high:
        # In the tone's own frame level 4 lies `away` higher; the mode stays where it is.
        offset = order.parameters.cavity_frequency - order.parameters.frequency_35
        changes |= {"rabi_45": order.gated(start, low, high), "frame": Frame(e4=away, cavity=offset)}
    if order.gated_decay is not None:
        decay = order.gated(start, order.parameters.cavity_decay, order.gated_decay)
        changes |= {"cavity_decay": decay} if isinstance(decay, Steps) else {}
    return dataclasses.replace(light, **changes) if changes else light


def _light(order: Order, pulses: list[tuple[float, float]]) -> Drive:
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
