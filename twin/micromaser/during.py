"""Loss that acts while the qubit is still inside: the Jaynes-Cummings collision as a master equation.

Eq. (16) splits collision and loss, which needs t_r >> tau. Here, with f = tau/t_r, qubit and cavity evolve
together for the time tau under

    theta (-i[H/g, rho]) + f gamma t_r (Lindbladian of Eq. 17)/gamma

and the rest of the loss, (1 - f) gamma t_r, follows once the qubit has left. H conserves the excitations
N = n + [qubit excited] on either side of rho, and a jump changes both by one. So the difference of N between
the two sides, the order K, is conserved: each K is a problem of its own, of 4 numbers for each N. What
the qubit's trace leaves of it is a matrix for each order of the cavity, worked out once; it takes in the
cavity's orders K - 1, K and K + 1, since the qubit's coherence carries one.

In the gauge of `collisions.gauge`, with e^{i arg c} for the excited qubit, all of it is real at resonance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.special import jv, nbdtrc

from .collisions import gauge
from .damping import damping
from .diagonal import damping_matrix
from .parameters import Parameters
from .real_gauge import in_gauge, is_real

_UNSEEN = 1e-18
_GROWTH = 6.0
"""Largest damping of one step of the expansion: rounding grows by the exponential of about half of it."""


@dataclass(frozen=True, eq=False)
class Interval:
    """One collision and the loss up to the next, on the orders of a state (d, d).

    orders[K] (d - K, inputs) acts on the cavity's orders K - 1, K, K + 1 one behind the other; `leak` (inputs
    of order 0,) is the weight that goes above the highest level.
    """

    orders: tuple[np.ndarray, ...]
    leak: np.ndarray


@lru_cache(maxsize=1)
def interval(m: Parameters, levels: int) -> Interval:
    """The interval of `m` on so many levels."""
    between = damping((1.0 - m.interaction_fraction) * m.loss, m.thermal_photons, levels)
    first = _collision(m, levels, 0)
    maps = [first[:levels], *(_collision(m, levels, order)[: levels - order] for order in range(1, levels))]
    return Interval(tuple(damping_matrix(between, order) @ one for order, one in enumerate(maps)),
                    first[levels:].sum(axis=0) + between.escaped @ first[:levels])


def _collision(m: Parameters, levels: int, order: int) -> np.ndarray:
    """The collision alone (top - K + 1, inputs): from an order of `levels` levels to one of all up to `top`."""
    size, top = levels - order, _top(m, levels)
    every = np.arange(top - order + 1)
    traced = np.zeros((len(every), 4, len(every)))
    traced[every[1:], 0, every[:-1]] = 1.0  # n photons beside an excited qubit: N = n + 1
    traced[every, 3, every] = 1.0
    found = _evolved(m, order, top, traced.reshape(-1, len(every))).reshape(traced.shape)
    coherence = abs(m.c) * np.sqrt(m.q * (1.0 - m.q))
    raised = found[1:size, 2] if order == 0 else found[: size + 1, 2]
    kept = (1.0 - m.q) * found[1 : size + 1, 0] + m.q * found[:size, 3]
    return np.concatenate((coherence * raised, kept, coherence * found[1:size, 1])).T


def _top(m: Parameters, levels: int) -> int:
    """Excitations that are worked with: so many that nothing comes back from beyond within a collision."""
    gain = -m.thermal_photons * np.expm1(-m.loss * m.interaction_fraction)
    more = np.arange((levels + 64) * int(2.0 + 45.0 * gain))
    return levels + 1 + int(np.argmax(nbdtrc(more, levels + 1, 1.0 / (1.0 + gain)) < _UNSEEN))


def _generator(m: Parameters, order: int, top: int) -> csr_array:
    """What acts on rho, times tau, for one order: index 4 N + 2 a + b, a and b = 0 for an excited qubit.

    N is that of rho's rows, N + K that of its columns. States that do not exist (-1 photons) couple to none.
    """
    excitations = np.arange(top - order + 1.0)[:, None]
    a, b = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    n, k = excitations - 1.0 + a, excitations + order - 1.0 + b
    loss, hot = m.loss * m.interaction_fraction, m.thermal_photons
    still = -0.5 * loss * ((hot + 1.0) * (n + k) + hot * (n + k + 2.0))
    if m.detuning_ratio != 0.0:
        still = still + 1j * m.theta * m.detuning_ratio * (a - b)
    row, column = m.theta * np.sqrt(excitations), m.theta * np.sqrt(excitations + order)
    jump = loss * np.sqrt(np.maximum(n, 0.0) * np.maximum(k, 0.0))
    full = np.zeros_like(n)
    bands = {0: still, 2: -row * (a == 0), -2: row * (a == 1), 1: -column * (b == 0), -1: column * (b == 1),
             4: (hot + 1.0) * np.concatenate((jump[1:], full[:1])), -4: hot * jump}
    length = full.size
    return diags_array([(band + full).ravel()[max(-k, 0) : length - max(k, 0)] for k, band in bands.items()],
                       offsets=list(bands), shape=(length, length))


def _evolved(m: Parameters, order: int, top: int, out: np.ndarray) -> np.ndarray:
    """exp(G)^T out, in Chebyshev polynomials along the imaginary axis, where H has its eigenvalues.

    exp(R A) = J_0(R) + 2 sum_k J_k(R) phi_k(A), phi_{k+1} = 2 A phi_k + phi_{k-1} (Tal-Ezer and Kosloff, J.
    Chem. Phys. 81, 3967, 1984). The damping lies across that axis, so strong damping is taken in steps.
    """
    transposed = _generator(m, order, top).T.tocsr()
    half = 0.5 * m.detuning_ratio
    turn = m.theta * (np.sqrt(top + half * half) + np.sqrt(top - order + half * half)) + 1.0
    decay = 2.0 * m.loss * m.interaction_fraction * (2.0 * m.thermal_photons + 1.0) * (top + 1.0)
    steps = max(1, int(np.ceil(decay / _GROWTH)))
    turn /= steps
    scaled = transposed * (1.0 / (steps * turn))
    weights = 2.0 * jv(np.arange(int(turn + 12.0 * np.cbrt(turn)) + 22), turn)
    for _ in range(steps):
        before, now = out, scaled @ out
        out = 0.5 * weights[0] * before + weights[1] * now
        for weight in weights[2:]:
            before, now = now, 2.0 * (scaled @ now) + before
            out += weight * now
    return out


class DuringCharge:
    """A Hermitian matrix R in the gauge of the collisions, kept by orders: R_{n, n+K} for K = -1, 0, 1, ...

    Its own form is R (d, d), real where it stays so.
    """

    def __init__(self, m: Parameters, state: np.ndarray) -> None:
        self.levels = d = len(state)
        self._phases, self._interval = gauge(m, d), interval(m, d)
        self._rows = np.concatenate([np.arange(d - order) for order in range(d)])
        self._columns = self._rows + np.repeat(np.arange(d), d - np.arange(d))
        ends = np.cumsum([0, d - 1, *(d - np.arange(d)), 0])
        self._inputs = [slice(first, last) for first, last in zip(ends[:-3], ends[3:], strict=True)]
        self._put([state[self._rows, self._columns]])

    @staticmethod
    def own(m: Parameters, state: np.ndarray) -> np.ndarray:
        turned = in_gauge(m, state)
        return np.real(turned) if m.detuning_ratio == 0.0 and is_real(m, state) else turned

    def _put(self, orders: list[np.ndarray]) -> None:
        """The orders 0, 1, ..., with the mirror of the first in front."""
        upper = np.concatenate(orders)
        self._flat = np.concatenate((np.conj(upper[self.levels : 2 * self.levels - 1]), upper))

    @property
    def _upper(self) -> np.ndarray:
        return self._flat[self.levels - 1 :]

    def advance(self, count: int, dimension: int) -> np.ndarray:
        """(count, 6), as `Charge.advance` of stepping.py."""
        rows, n = np.zeros((count, 6)), np.arange(dimension)
        weights = np.where(self._rows == self._columns, 1.0, 2.0) * (self._columns < dimension)
        for row in rows:
            row[5] = np.real(self._interval.leak @ self._flat[self._inputs[0]])
            self._put([one @ self._flat[inputs]
                       for one, inputs in zip(self._interval.orders, self._inputs, strict=True)])
            p = self.populations
            row[:3] = p[:dimension].sum(), n @ p[:dimension], (n * n) @ p[:dimension]
            row[3:5] = weights @ np.square(np.abs(self._upper)), p[dimension:].sum()
        return rows

    def scale(self, factor: float) -> None:
        self._flat *= factor

    @property
    def populations(self) -> np.ndarray:
        return np.real(self._upper[: self.levels]).copy()

    @property
    def matrix(self) -> np.ndarray:
        return self.snapshot * self._phases[:, None] * np.conj(self._phases)[None, :]

    @property
    def snapshot(self) -> np.ndarray:
        """R (d, d), from which the run can go on."""
        out = np.empty((self.levels, self.levels), self._flat.dtype)
        out[self._columns, self._rows] = np.conj(self._upper)
        out[self._rows, self._columns] = self._upper
        return out

    @property
    def spectrum_state(self) -> np.ndarray:
        return self.snapshot
