"""What a continuous-wave source puts out: on, off with a leak, or gated by the bench's microwave gate."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twin.receiver import Receiver

AT_THE_LOOP = ("microwave", "vna")
"""Roles whose sources feed the cavity's loop; microwave_45 has a coil of its own, as 107 MHz cannot pass."""


@dataclass(frozen=True)
class Tone:
    """`frequency` [Hz] and `power` [dBm] set, whether the output is `on`, and pulsed by the gate if `gated`.

    Switched off or gated shut, a source still leaks, `isolation` [dB] below its level.
    """

    frequency: float = 1.4495e9
    power: float = -135.0
    on: bool = False
    gated: bool = False
    isolation: float = 80.0

    def level(self, gate: bool = False) -> float:
        """What leaves the connector [dBm] while the bench's gate is high or low."""
        passes = self.on and (gate or not self.gated)
        return self.power if passes else self.power - self.isolation


@dataclass(frozen=True)
class Incoming:
    """The waves that arrive at the loop, by the photons they would hold in the empty mode while the bench's
    gate is `high` and while it is `low`; `detuning` [rad/s] of the strongest from the mode."""

    high: float = 0.0
    low: float = 0.0
    detuning: float = 0.0

    def __bool__(self) -> bool:
        """True if anything comes in."""
        return max(self.high, self.low) > 0.0


SILENCE = Incoming()


def held_photons(tone: Tone, gate: bool, frequency: float, quality: float, receiver: Receiver) -> float:
    """Photons that a tone at the loop holds in the empty mode: n = 4 kappa_ext P/(hbar omega kappa^2) on
    resonance, the steady state of a driven mode; less by its Lorentzian off it.

    `frequency` [Hz] and loaded `quality` of the mode; kappa_ext and the photon's watts are the receiver's.
    """
    kappa = 2.0 * math.pi * frequency / quality
    detuning = 2.0 * quality * (tone.frequency - frequency) / frequency
    quantum = receiver.watts_per_photon / receiver.external_decay
    arriving = 1e-3 * 10.0 ** (tone.level(gate) / 10.0) / quantum
    return 4.0 * receiver.external_decay / kappa**2 * arriving / (1.0 + detuning**2)
