"""The cavity between two collisions: exp(L t_r) of Eq. (16), exact for any gamma t_r.

Decay at temperature is pure loss with transmission T followed by an amplifier of gain G,

    G = 1 + nbar (1 - exp(-gamma t_r))        T = exp(-gamma t_r)/G

    loss       x_nm <- sum_l w_l(n) w_l(m) x_{n+l,m+l}       w_l(n)^2 = C(n+l,l) T^n (1-T)^l
    amplifier  x_nm <- sum_l v_l(n-l) v_l(m-l) x_{n-l,m-l}   v_l(k)^2 = C(k+l,l) G^-(k+1) ((G-1)/G)^l

All terms are positive, so nothing cancels. Divided by square roots of factorials both sums are correlations
along the diagonals with one number for each l, and run over a window outside which terms are below 1e-18.
The factorials are those of n/mu with mu = d/e, and factors of exp(mu/8) are moved between the three
numbers of a term: that keeps them within the range of doubles up to 2000 levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaln, nbdtrc, xlogy

_FAINT = 1e-18


@dataclass(frozen=True, eq=False)
class Correlation:
    """x <- after * sum_l weight_l (before * x)[n +- l, m +- l]; before, after (d,) on rows and on columns.

    `first`, `last` (d,): the window of l for each row, last excluded; `weight` (longest window,).
    """

    before: np.ndarray
    after: np.ndarray
    weight: np.ndarray
    first: np.ndarray
    last: np.ndarray


@dataclass(frozen=True, eq=False)
class Damping:
    """Loss, then the amplifier; `escaped` (d,): chance of each level to end above the highest one."""

    loss: Correlation
    amplifier: Correlation
    escaped: np.ndarray


@lru_cache(maxsize=8)
def damping(loss: float, thermal_photons: float, dimension: int) -> Damping:
    """The channel of one interval gamma t_r = `loss` on `dimension` levels."""
    decayed = -np.expm1(-loss)
    gain = 1.0 + thermal_photons * decayed
    transmission = np.exp(-loss) / gain
    # 1 - T without cancellation
    absorbed = (decayed + thermal_photons * decayed) / gain
    excess = thermal_photons * decayed / gain
    binomials = _log_binomials(dimension)
    return Damping(_loss(transmission, absorbed, binomials), _amplifier(gain, excess, binomials),
                   _escaped(transmission, absorbed, excess, binomials))


def _roots(dimension: int) -> np.ndarray:
    """sqrt(n!/mu^n) (d,)."""
    n = np.arange(dimension, dtype=float)
    n[0] = 1.0
    scaled = np.sqrt(n * (np.e / dimension))
    scaled[0] = 1.0
    return np.cumprod(scaled)


def _weights(chance: float, dimension: int) -> np.ndarray:
    """(chance mu)^l/l! exp(-mu/2) (d,)."""
    n, mu = np.arange(1, dimension, dtype=float), dimension / np.e
    return np.cumprod(np.concatenate(([np.exp(-0.5 * mu)], chance * mu / n)))


def _loss(transmission: float, absorbed: float, binomials: np.ndarray) -> Correlation:
    dimension = len(binomials)
    roots, n, shift = _roots(dimension), np.arange(dimension), np.exp(0.125 * dimension / np.e)
    power = transmission ** (0.5 * n)
    level, start = n[:, None], n[None, :]
    size = 0.5 * (binomials[np.minimum(start + level, dimension - 1), start]
                  + xlogy(start, transmission) + xlogy(level, absorbed))
    first, last = _windows(np.where(start + level < dimension, size, -np.inf))
    return Correlation(roots * shift**3, power / roots / shift, _weights(absorbed, dimension), first, last)


def _amplifier(gain: float, excess: float, binomials: np.ndarray) -> Correlation:
    dimension = len(binomials)
    roots, n, shift = _roots(dimension), np.arange(dimension), np.exp(0.125 * dimension / np.e)
    power = gain ** (-0.5 * n)
    level, end = n[:, None], n[None, :]
    size = 0.5 * (binomials.T + xlogy(level, excess) - (end - level + 1) * np.log(gain))
    first, last = _windows(size)
    return Correlation(power / roots / shift, roots * (shift**3 / np.sqrt(gain)), _weights(excess, dimension),
                       first, last)


def _log_binomials(dimension: int) -> np.ndarray:
    """ln C(n, k) (d, d), -inf for k > n."""
    n = np.arange(dimension)
    log = gammaln(n + 1.0)
    return np.where(n[:, None] >= n, log[:, None] - log - log[np.abs(n[:, None] - n)], -np.inf)


def _windows(size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last l for each row n, from log sizes (l, n): the largest partner has m >= n."""
    partner = np.maximum.accumulate(size[:, ::-1], axis=1)[:, ::-1]
    seen = size + partner > np.log(_FAINT)
    seen[0] |= ~seen.any(axis=0)
    first = np.argmax(seen, axis=0)
    last = len(seen) - np.argmax(seen[::-1], axis=0)
    return first.astype(np.int64), last.astype(np.int64)


def _escaped(transmission: float, absorbed: float, excess: float, binomials: np.ndarray) -> np.ndarray:
    """P(end >= d | n) (d,): binomial loss to k, then negative-binomial gain of at least d - k."""
    dimension = len(binomials)
    k, n = np.arange(dimension), np.arange(dimension)[:, None]
    if excess == 0.0:
        return np.zeros(dimension)
    kept = np.exp(binomials + xlogy(k, transmission) + xlogy(np.maximum(n - k, 0), absorbed))
    return kept @ nbdtrc(dimension - k - 1, k + 1, 1.0 - excess)
