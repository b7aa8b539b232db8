"""The Wigner function of a cavity state on a grid, quick enough to be redrawn while a battery is charged.

    W(x, p) = 1/pi int dy e^{2ipy} <x - y|rho|x + y>

A state of d levels vanishes beyond |x|, |p| = K, a little outside the classical turning point of its
highest level. A lattice of spacing pi/2K in x and y therefore holds it exactly: the integral is a sum on it,
and W at any x is interpolated from it by sin(pi z)/(pi z). All of it is products of matrices; no power of
alpha and no Laguerre polynomial is formed that could overflow at large photon numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .states import density_matrix

_BEYOND = 8.0
"""K less the turning point: for every n the wave function is below 1e-15 there."""


def wigner(state: Any, x: Any, p: Any) -> np.ndarray:
    """W (len(p), len(x)) of a density matrix (d, d) in the physical gauge, at alpha = (x + ip)/sqrt 2.

    Its integral over x and p is the state's trace, that over p alone <x|rho|x>; W of the vacuum at the origin
    is 1/pi. Errors are of the order 1e-15. ValueError if `state` is not a state, or x or p no row of numbers.
    """
    rho, x, p = density_matrix(state), _axis("x", x), _axis("p", p)
    edge = np.sqrt(2.0 * len(rho) + 1.0) + _BEYOND
    half = int(np.ceil(2.0 * edge * edge / np.pi))
    spacing = edge / half
    kernel = _correlations(rho, half, spacing)
    y = spacing * np.arange(half + 1)
    kernel *= np.where(y > 0.0, 2.0, 1.0) * (spacing / np.pi)  # for y < 0 it is the complex conjugate
    inside = np.abs(p) < edge
    turns = 2.0 * np.outer(y, np.where(inside, p, 0.0))
    lattice = (kernel.real @ np.cos(turns) - kernel.imag @ np.sin(turns)) * inside
    between = np.sinc(x[:, None] / spacing - np.arange(-half, half + 1))
    return np.ascontiguousarray((between @ lattice).T)


def _axis(name: str, values: Any) -> np.ndarray:
    found = np.asarray(values, float)
    if found.ndim != 1 or not np.all(np.isfinite(found)):
        raise ValueError(f"{name}: expected a row of finite numbers (n,), found shape {found.shape}")
    return found


def _correlations(rho: np.ndarray, half: int, spacing: float) -> np.ndarray:
    """<x - y|rho|x + y> (2 half + 1, half + 1) on the lattice of x from -K to K and y from 0 to K.

    x - y and x + y are two points of one lattice, an even number of spacings apart.
    """
    waves = _waves(len(rho), spacing * np.arange(-half, half + 1))
    out = np.zeros((2 * half + 1, half + 1), complex)
    for first in (0, 1):
        some = waves[:, first::2]
        between = some.T @ rho @ some
        lower, upper = np.triu_indices(len(between))
        out[first + lower + upper, upper - lower] = between[lower, upper]
    return out


def _waves(levels: int, x: np.ndarray) -> np.ndarray:
    """Wave functions <x|n> (levels, len(x)) of the oscillator, from <x|0> upwards.

    The recurrence grows where x is classically forbidden, by more than doubles can tell from <x|0>: powers of
    two are kept apart.
    """
    out = np.empty((levels, len(x)))
    exponent = np.floor(-0.5 * x * x / np.log(2.0))
    now = np.pi**-0.25 * np.exp(-0.5 * x * x - exponent * np.log(2.0))
    before, exponent = np.zeros(len(x)), exponent.astype(int)
    for n in range(levels):
        out[n] = np.ldexp(now, exponent)
        now, before = np.sqrt(2.0 / (n + 1.0)) * x * now - np.sqrt(n / (n + 1.0)) * before, now
        shift = np.frexp(np.maximum(np.abs(now), np.abs(before)))[1]
        now, before, exponent = np.ldexp(now, -shift), np.ldexp(before, -shift), exponent + shift
    return out
