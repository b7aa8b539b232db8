"""Molecules that are not alike: a spread of couplings and of transition frequencies, in bins.

Convention: `Parameters.coupling` is the root mean square over the molecules, so that G = g sqrt(N) is the
collective coupling whatever the spread. A bin holds the share `weight` of the molecules; its coupling is
relative to the root mean square; by its detuning its lines 3-5 and 3-4 lie above `frequency_35` and
`frequency_34`. The line 4-5 stays: what is inhomogeneous is D, which moves X-Z and Y-Z alike, and X-Y is
2|E|.

Bins are points of a quadrature. Lines in equal steps come back in phase after 2 pi/step, so the step must be
below pi over the time for which a coherence lives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .quantity import nearest

MOST = 4096
"""Bins of one spread; each costs as much as an ordinary shot."""
_SHAPES = ("gaussian", "lorentzian")
_WIDEST = 4.5  # standard deviations of a Gaussian line; beyond, 7e-6 of the molecules


@dataclass(frozen=True)
class Spread:
    """Bins of equal molecules: relative couplings, weights and detunings [rad/s], rows of one length (B,).

    Without weights all bins are equal, without detunings none is detuned. Weights are scaled to sum to 1,
    couplings to a root mean square of 1. Products combine independent spreads:
    `Spread.standing_wave() * Spread.inhomogeneous(2 * pi * 0.7e6)`. ValueError for rows that do not fit.
    """

    couplings: tuple[float, ...] = (1.0,)
    weights: tuple[float, ...] = ()
    detunings: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        couplings = _row("couplings", self.couplings, lowest=0.0)
        bins = len(couplings)
        weights = _row("weights", self.weights if len(self.weights) else np.ones(bins), lowest=0.0)
        detunings = _row("detunings", self.detunings if len(self.detunings) else np.zeros(bins))
        if not len(weights) == len(detunings) == bins:
            raise ValueError(f"Spread: {bins} couplings, {len(weights)} weights and {len(detunings)} "
                             "detunings must be as many")
        if np.any(weights == 0.0):
            raise ValueError("Spread: weights must be positive; leave out a bin that holds no molecules")
        weights = weights / weights.sum()
        square = float(weights @ couplings**2)
        if square == 0.0:
            raise ValueError("Spread: at least one coupling must be positive")
        for name, row in (("couplings", couplings / math.sqrt(square)), ("weights", weights),
                          ("detunings", detunings)):
            object.__setattr__(self, name, tuple(row.tolist()))

    def __len__(self) -> int:
        return len(self.couplings)

    def __mul__(self, other: Spread) -> Spread:
        """Both at once, independent of each other: every bin of one with every bin of the other."""
        if not isinstance(other, Spread):
            return NotImplemented
        (r, w, d), (r2, w2, d2) = self.rows, other.rows
        return Spread(tuple(np.outer(r, r2).ravel()), tuple(np.outer(w, w2).ravel()),
                      tuple(np.add.outer(d, d2).ravel()))

    @property
    def rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Couplings, weights, detunings [rad/s] as arrays (B,)."""
        return np.array(self.couplings), np.array(self.weights), np.array(self.detunings)

    @property
    def is_detuned(self) -> bool:
        """True if any bin's line lies off the nominal one."""
        return any(self.detunings)

    @classmethod
    def standing_wave(cls, bins: int = 10) -> Spread:
        """Molecules spread evenly along a half wave: coupling ~ |sin|, by Gauss and Legendre."""
        x, w = np.polynomial.legendre.leggauss(_count(bins))
        return cls(tuple(np.sin(0.25 * math.pi * (x + 1.0))), tuple(w))

    @classmethod
    def of_field(cls, amplitudes: Any, bins: int = 10) -> Spread:
        """From the mode's amplitude at places with equally many molecules each (a field map), by quantiles.

        A bin's coupling is the root mean square of its members, so the collective coupling is kept exactly.
        """
        found = np.sort(_row("amplitudes", np.ravel(amplitudes), lowest=0.0, most=None))
        parts = [part for part in np.array_split(found, _count(bins)) if len(part)]
        return cls(tuple(math.sqrt(float(np.mean(part**2))) for part in parts),
                   tuple(float(len(part)) for part in parts))

    @classmethod
    def inhomogeneous(cls, fwhm: float, bins: int = 21, shape: str = "gaussian") -> Spread:
        """A line of full width at half maximum `fwhm` [rad/s] about the nominal one.

        "gaussian": equal steps out to 4.5 standard deviations. "lorentzian": quantiles of equal weight, right
        near the line; its endless wings need many more bins, and where nothing saturates `dephasing_35`
        larger by fwhm/2 is the same, exactly and for nothing.
        """
        if not (math.isfinite(fwhm) and 0.0 < fwhm <= 1e11):
            raise ValueError(f"fwhm = {fwhm:g} rad/s is outside its range 0 .. 1e11 rad/s")
        if shape not in _SHAPES:
            raise ValueError("shape: " + nearest(str(shape), _SHAPES))
        k = _count(bins)
        if shape == "lorentzian":
            quantiles = (np.arange(k) + 0.5) / k - 0.5
            return cls((1.0,) * k, (), tuple(0.5 * fwhm * np.tan(math.pi * quantiles)))
        if k == 1:
            return cls()
        # Few bins: as wide as makes what is cut off and what the steps leave out equally small.
        reach = min(math.sqrt(math.pi * (k - 1)), _WIDEST)
        x = np.linspace(-reach, reach, k)
        sigma = fwhm / (2.0 * math.sqrt(2.0 * math.log(2.0)))
        return cls((1.0,) * k, tuple(np.exp(-0.5 * x * x)), tuple(sigma * x))


def _count(bins: int) -> int:
    if isinstance(bins, bool) or int(bins) != bins or not 1 <= bins <= MOST:
        raise ValueError(f"bins = {bins!r} must be a whole number from 1 to {MOST}")
    return int(bins)


def _row(name: str, values: Sequence[float] | np.ndarray, lowest: float = -1e12,
         most: int | None = MOST) -> np.ndarray:
    try:
        row = np.array(values, float)
    except (TypeError, ValueError):
        raise ValueError(f"Spread: {name} must be a row of numbers, found {values!r}") from None
    if row.ndim != 1 or not len(row) or (most is not None and len(row) > most):
        raise ValueError(f"Spread: {name} must be a row of 1 to {most or 'any number of'} numbers, "
                         f"found shape {row.shape}")
    if not np.all(np.isfinite(row)) or np.any(row < lowest) or np.any(row > 1e12):
        raise ValueError(f"Spread: {name} must be finite and within {lowest:g} .. 1e12, found "
                         f"{row.min():g} .. {row.max():g}")
    return row
