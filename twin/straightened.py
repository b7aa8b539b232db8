"""Coordinates in which the search runs straight.

A record fixes the time of a burst far better than anything else. So coupling, decays and seed are
tied by "ln seed + 2 lambda t = what the data say", with lambda the growth rate of the amplitude:
in logarithms a bent trough, along which a search creeps for a hundred steps. With
w = ln seed + 2 lambda t (t: when the burst was seen) in place of ln seed the trough is straight.
"""

from __future__ import annotations

import dataclasses
import math
from functools import cached_property

import numpy as np

from .coordinates import Coordinates
from .levenberg_marquardt import Evaluation, Minimum
from .trace_library import growth_rate

_LARGEST = 100.0  # logarithm; no trial step may overflow


@dataclasses.dataclass(frozen=True, eq=False)
class Straightened:
    """The map between coordinates u (k,) and searched ones w (k,); `delay` [s] from first light to burst.

    `delay` 0 makes it the identity, which is needed where the seed has a prior of its own.
    """

    at: Coordinates
    delay: float

    def searched(self, u: np.ndarray) -> np.ndarray:
        return self._shifted(u, 1.0)

    def fitted(self, w: np.ndarray) -> np.ndarray:
        return self._shifted(w, -1.0)

    def evaluation(self, u: np.ndarray, found: Evaluation) -> Evaluation:
        """Derivatives by u turned into derivatives by w."""
        if self._seed < 0:
            return found
        return dataclasses.replace(
            found, jacobian=found.jacobian - np.outer(found.jacobian[:, self._seed], self._gain(u)[1]))

    def minimum(self, found: Minimum) -> Minimum:
        """The minimum, told in u."""
        u = self.fitted(found.at)
        turn = np.eye(len(u))
        if self._seed >= 0:
            turn[self._seed] += self._gain(u)[1]
        return dataclasses.replace(found, at=u, normal=turn.T @ found.normal @ turn)

    @cached_property
    def _seed(self) -> int:
        return self.at.names.index("seed_photons") if "seed_photons" in self.at.names and self.delay else -1

    @cached_property
    def _places(self) -> tuple[int, int, int]:
        """Where coupling, cavity decay and dephasing stand in u; -1: not fitted."""
        names = self.at.names
        coupling = next((n for n in ("collective_coupling", "coupling") if n in names), "")
        return tuple(names.index(n) if n in names else -1  # type: ignore[return-value]
                     for n in (coupling, "cavity_decay", "dephasing_35"))

    def _shifted(self, u: np.ndarray, sign: float) -> np.ndarray:
        shifted = np.array(u, float)
        if self._seed >= 0:
            shifted[self._seed] += sign * self._gain(u)[0]
        return shifted

    def _gain(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        """2 lambda t and its derivatives by u (k,); the seed's own coordinate does not matter."""
        p, at = self.at.parameters, self._places
        values = [math.exp(min(u[i], _LARGEST)) if i >= 0 else declared for i, declared in
                  zip(at, (self.at.collective_coupling, p.cavity_decay, p.dephasing_35), strict=True)]
        coupling, kappa, chi = values
        if at[0] >= 0 and self.at.names[at[0]] == "coupling":
            coupling *= self.at.collective_coupling / p.coupling
        coherence = chi + p.coherence_decay_35 - p.dephasing_35
        inversion, unequal = p.branching[2] - p.branching[0], 0.5 * kappa - coherence
        root = math.sqrt(0.25 * unequal**2 + coupling**2 * inversion)
        slope = np.zeros(len(u))
        for i, change in zip(at, (coupling**2 * inversion / root, kappa * (0.125 * unequal / root - 0.25),
                                  -chi * (0.25 * unequal / root + 0.5)), strict=True):
            if i >= 0:
                slope[i] = 2.0 * self.delay * change
        return 2.0 * self.delay * growth_rate(coupling, kappa, coherence, inversion), slope
