"""Steady states below an exact trap of a lossless cavity, in closed form (Sec. 3 and Eq. 15).

Level n is a trap if theta sqrt(n) is Q pi. Levels below the first one are closed: what starts there stays.
"""

from __future__ import annotations

import numpy as np

from .collisions import gauge
from .parameters import Parameters


def incoherent_populations(q: float, levels: int) -> np.ndarray:
    """p_n (levels,) ~ r^n, r = (1 - q)/q: what incoherent qubits make of levels below a trap.

    Detailed balance, at any theta, detuning and Q. Eq. (11) has m + 1 where it should have m = `levels`.
    """
    _checked(q, levels)
    if q in (0.0, 1.0):
        return np.asarray(np.arange(levels) == (levels - 1 if q == 0.0 else 0), float)
    log = np.arange(levels) * (np.log1p(-q) - np.log(q))
    p = np.exp(log - log.max())
    return np.asarray(p / p.sum())


def cotangent_state(parameters: Parameters, levels: int) -> np.ndarray:
    """psi (levels,), physical gauge: the pure state that |c| = 1 and resonance make of levels below a trap.

    psi_n = -i e^{i arg c} sqrt(r) cot(theta sqrt(n)/2) psi_{n-1} (Eq. 15 with its phase), which holds if
    theta sqrt(levels) is an odd multiple of pi; an even one leaves a mixture. ValueError otherwise.
    """
    m = parameters
    _checked(m.q, levels)
    turns = m.theta * np.sqrt(levels) / np.pi
    if abs(m.c) != 1.0 or m.detuning_ratio != 0.0 or m.collision != "jaynes_cummings":
        raise ValueError(f"c = {m.c:g}, detuning_ratio = {m.detuning_ratio:g}, collision={m.collision!r}: "
                         "the cotangent state is that of |c| = 1, resonance and jaynes_cummings")
    if round(turns) % 2 == 0 or abs(turns - round(turns)) > 1e-12 * turns:
        raise ValueError(f"levels = {levels}: theta sqrt(levels) = {turns:.12g} pi must be an odd multiple "
                         "of pi")
    if m.q in (0.0, 1.0):
        return np.asarray(incoherent_populations(m.q, levels) + 0j)
    tangent = np.tan(0.5 * m.theta * np.sqrt(np.arange(1, levels)))
    log = np.cumsum(np.concatenate(([0.0], 0.5 * np.log((1.0 - m.q) / m.q) - np.log(np.abs(tangent)))))
    sign = np.cumprod(np.concatenate(([1.0], np.sign(tangent))))
    psi = sign * np.exp(log - log.max()) * gauge(m, levels)
    return np.asarray(psi / np.linalg.norm(psi))


def _checked(q: float, levels: int) -> None:
    if not 0.0 <= q <= 1.0:
        raise ValueError(f"q = {q:g} must be in 0 .. 1")
    if not (isinstance(levels, (int, np.integer)) and levels >= 1):
        raise ValueError(f"levels = {levels!r} must be a whole number of at least 1")
