"""One resonant collision with its damping in decimal arithmetic of any number of digits.

Doubles do not know a population below 1e-18 beside one of 1, and wells of the micromaser leak 1e-20 in one
collision. A few applications of this map are enough to refine what doubles have found (`slow_modes`); it is
a thousand times slower than the compiled one. The equations are those of `collisions` and `damping`, with
theta, q, c and the loss taken for exactly the doubles that they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from .parameters import Parameters

Decimals = np.ndarray
"""An array of Decimal."""
_ONE, _TWO = Decimal(1), Decimal(2)


def decimals(values: np.ndarray) -> Decimals:
    """Doubles as the decimals that they are."""
    return np.asarray(np.frompyfunc(Decimal, 1, 1)(np.asarray(values, float).astype(object)))


def cosine_and_sine(angle: Decimal, digits: int) -> tuple[Decimal, Decimal]:
    """By the series of a small part of the angle, doubled again."""
    halvings = max(0, int(abs(angle)).bit_length() + 10)
    small = angle / _TWO**halvings
    cos = sin = Decimal(0)
    term, n = _ONE, 0
    while abs(term) > Decimal(10) ** -(digits + 5):
        if n % 2 == 0:
            cos += term if n % 4 == 0 else -term
        else:
            sin += term if n % 4 == 1 else -term
        n += 1
        term = term * small / n
    for _ in range(halvings):
        sin, cos = _TWO * sin * cos, _ONE - _TWO * sin * sin
    return cos, sin


@dataclass(frozen=True, eq=False)
class _Correlation:
    """As `damping.Correlation`, in decimals, as long as a term is seen; `sign` +1 for loss, -1 for gain."""

    before: Decimals
    after: Decimals
    weight: list[Decimal]
    sign: int

    def apply(self, state: Decimals) -> Decimals:
        levels = len(state)
        scaled = state * np.multiply.outer(self.before, self.before)
        out = scaled * self.weight[0]
        for apart, weight in enumerate(self.weight[1:levels], 1):
            kept, moved = slice(0, levels - apart), slice(apart, levels)
            to, origin = (kept, moved) if self.sign > 0 else (moved, kept)
            out[to, to] += scaled[origin, origin] * weight
        return np.asarray(out * np.multiply.outer(self.after, self.after))


class ExtendedCollision:
    """The map on real symmetric matrices of decimals (levels, levels); call it within a decimal context."""

    def __init__(self, m: Parameters, first: int, last: int, digits: int) -> None:
        theta, q, c = Decimal(m.theta), Decimal(m.q), Decimal(abs(m.c))
        turns = [cosine_and_sine(theta * Decimal(n).sqrt(), digits) for n in range(first, last + 1)]
        cos, sin = (np.array(part, object) for part in zip(*turns, strict=True))
        self._q, self._between = q, c * (q * (_ONE - q)).sqrt()
        self._ee, self._gg, self._eg, self._ge = cos[1:], cos[:-1], -sin[1:], sin[:-1]
        self._damping = _damping(m, first, last, digits) if m.loss > 0.0 else []

    def apply(self, state: Decimals) -> Decimals:
        out = self._collided(state)
        for correlation in self._damping:
            out = correlation.apply(out)
        return out

    def _collided(self, state: Decimals) -> Decimals:
        levels, outer = len(state), np.multiply.outer
        wide = np.full((levels + 2, levels + 2), Decimal(0), object)
        wide[1:-1, 1:-1] = state
        q, p = self._q, _ONE - self._q
        same = (p * outer(self._ee, self._ee) + q * outer(self._gg, self._gg)) * state
        raised = p * outer(self._ge, self._ge) * wide[:-2, :-2]
        lowered = q * outer(self._eg, self._eg) * wide[2:, 2:]
        if not self._between:
            return np.asarray(same + raised + lowered)
        beside = self._between * (outer(self._ee, self._eg) * wide[1:-1, 2:]
                                  + outer(self._gg, self._ge) * wide[1:-1, :-2])
        return np.asarray(same + raised + lowered + beside + beside.T)


def _damping(m: Parameters, first: int, last: int, digits: int) -> list[_Correlation]:
    """Loss, then the amplifier, on levels first .. last - 1."""
    kept = (-Decimal(m.loss)).exp()
    gain = _ONE + Decimal(m.thermal_photons) * (_ONE - kept)
    through = kept / gain
    roots = [_ONE]
    for n in range(1, last):
        roots.append(roots[-1] * Decimal(n).sqrt())
    root = np.array(roots[first:], object)
    fades = np.array([through.sqrt() ** n for n in range(first, last)], object)
    grows = np.array([_ONE / gain.sqrt() ** n for n in range(first, last)], object)
    return [_Correlation(root, fades / root, _weights(_ONE - through, last, digits), 1),
            _Correlation(grows / root, root / gain.sqrt(), _weights(_ONE - _ONE / gain, last, digits), -1)]


def _weights(chance: Decimal, levels: int, digits: int) -> list[Decimal]:
    """chance^l/l! for l < levels, up to the l whose binomial term is below the last digit."""
    weights: list[Any] = [_ONE]
    seen = _ONE
    for apart in range(1, levels):
        seen *= chance * (levels + apart) / apart
        if seen < Decimal(10) ** -(digits + 5) or not chance:
            break
        weights.append(weights[-1] * chance / apart)
    return weights
