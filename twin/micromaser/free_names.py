"""The names that a fit of the micromaser knows, as coordinates in which its curves are smooth.

From the vacuum neither energies nor populations know the phase of c or the sign of the detuning: both enter
as squares, and their squares are what is varied. The other coordinates are the parameters themselves. Each
has a natural unit: a coordinate that data leave open by 0.4 of it is as good as unknown (`twin.identify`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..quantity import nearest
from .parameters import Parameters

FREE = ("theta", "q", "c", "loss", "thermal_photons", "detuning_ratio")
"""What may be fitted. "c" and "detuning_ratio" are told as moduli; the phase and the sign given are kept."""

_POWER = {"c": 2, "detuning_ratio": 2}
_UNITS = {"theta": 0.0, "q": 0.5, "c": 0.5, "loss": 0.1, "thermal_photons": 0.5, "detuning_ratio": 1.0}
"""Smallest natural units; a coordinate that is larger is its own unit. theta always is."""


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The free names in the order of the vector u (k,), around declared parameters."""

    names: tuple[str, ...]
    declared: Parameters

    def of(self, m: Parameters) -> np.ndarray:
        """u (k,) of parameters."""
        return np.array([abs(m.value(n)) ** _POWER.get(n, 1) for n in self.names])

    def parameters(self, u: np.ndarray) -> Parameters:
        return self.declared.replace(**{
            n: _along(self.declared.value(n), v) for n, v in self.told(u).items()})

    def told(self, u: np.ndarray) -> dict[str, float]:
        """Name -> value, moduli for "c" and "detuning_ratio"."""
        return {n: float(v ** (1.0 / _POWER.get(n, 1))) for n, v in zip(self.names, u, strict=True)}

    def stretch(self, u: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """d value/d u (k,); for a square that may be 0, the slope that turns its sigma into a bound."""
        power = np.array([_POWER.get(n, 1) for n in self.names])
        return np.where(power == 2, 0.5 / np.sqrt(np.maximum(u, 0.25 * sigma)), 1.0)

    def units(self, u: np.ndarray) -> np.ndarray:
        """Natural units (k,) at u."""
        return np.maximum(u, [_UNITS[n] for n in self.names])

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest u (k,)."""
        quantities = Parameters.quantities()
        highest = [quantities[n].maximum ** _POWER.get(n, 1) for n in self.names]
        return np.array([1e-6 if n == "theta" else 0.0 for n in self.names]), np.array(highest)


def coordinates(m: Parameters, free: Sequence[str]) -> Coordinates:
    """The coordinates asked for; ValueError for a name that is unknown or that cannot be free here."""
    names = (free,) if isinstance(free, str) else tuple(dict.fromkeys(free))
    if not names:
        raise ValueError("free: name at least one of " + ", ".join(FREE))
    for name in names:
        if name not in FREE:
            raise ValueError("free: " + nearest(str(name), FREE))
    if "theta" in names and m.theta == 0.0:
        raise ValueError("theta = 0 is no start for a fit: such qubits leave nothing; give a guess > 0")
    if "detuning_ratio" in names and m.collision != "jaynes_cummings":
        raise ValueError(f"free: detuning_ratio must stay 0 for collision={m.collision!r}")
    return Coordinates(names, m)


def _along(declared: complex, size: float) -> complex:
    """`size` with the phase (or sign) of the declared value."""
    return size * (declared / abs(declared)) if declared else size
