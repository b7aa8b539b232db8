"""The crystal as it really is: molecules that are not alike, and what strong pulses destroy for good."""

from __future__ import annotations

import math

import numpy as np

from twin.optical_pump import OpticalPump
from twin.spread import Spread

_STEP = 2.0  # standard deviations of the line between two bins of one coupling
_REACH = 3.4  # standard deviations; beyond, 7e-4 of the molecules


def unlike_molecules(couplings: int, line_width: float) -> Spread | None:
    """Bins for a standing wave's couplings and a Gaussian line of full width `line_width` [Hz].

    None where all are alike. Each coupling has its own few lines, in equal steps but shifted against those of
    the others: a third of the bins that one line for all would need, and no echo when the lines of one
    coupling are back in phase, since the others are not.
    """
    if couplings == 1 and line_width == 0.0:
        return None
    wave = Spread.standing_wave(couplings) if couplings > 1 else Spread()
    if line_width == 0.0:
        return wave
    if couplings == 1:
        return Spread.inhomogeneous(2.0 * math.pi * line_width)
    sigma = 2.0 * math.pi * line_width / (2.0 * math.sqrt(2.0 * math.log(2.0)))
    rows: list[tuple[float, float, float]] = []
    for i, (coupling, share) in enumerate(zip(wave.couplings, wave.weights, strict=True)):
        x = _STEP * (np.arange(-4, 5) + _shift(i, couplings))
        x = x[np.abs(x) <= _REACH]
        line = np.exp(-0.5 * x * x)
        rows += [(coupling, share * w, sigma * d) for w, d in zip(line / line.sum(), x, strict=True)]
    return Spread(*zip(*rows, strict=True))


def _shift(i: int, count: int) -> float:
    """-0.5 .. 0.5 of a step, each value once, neighbours far apart (steps of the golden section)."""
    golden = (math.sqrt(5.0) - 1.0) / 2.0
    return float(np.argsort(np.argsort(golden * np.arange(count) % 1.0))[i] + 0.5) / count - 0.5


class Bleaching:
    """The share of the molecules that is left: pulses of more than `fluence` [J/m2] destroy `loss` of them.

    A run starts with a fresh crystal, so that two runs with one seed give the same.
    """

    def __init__(self, pump: OpticalPump, loss: float, fluence: float) -> None:
        self._pump, self._loss, self._fluence = pump, loss, fluence
        self.left = 1.0

    def restart(self) -> None:
        """A fresh crystal."""
        self.left = 1.0

    def pulse(self, energy: float) -> None:
        """Light of `energy` [J] has gone through."""
        if energy * self._pump.efficiency / self._pump.area > self._fluence:
            self.left *= 1.0 - self._loss
