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

from functools import lru_cache

import numpy as np
from scipy.linalg import expm
from scipy.sparse import coo_array, csr_array, dia_array, diags_array
from scipy.special import jv, nbdtrc

from .collisions import gauge
from .damping import damping
from .diagonal import damping_matrix, stays_diagonal
from .parameters import Parameters
from .real_gauge import in_gauge, is_real

MOST_LEVELS = 400
"""Working out the collision takes about a second on 100 levels, and minutes on so many."""
_FAINT = 1e-18
_GROWTH = 6.0
"""Largest damping in one step of the expansion: rounding grows by the exponential of a part of it."""
_MOST_STEPS = 64
"""Beyond, one dense exponential is quicker."""


@lru_cache(maxsize=2)
def interval(m: Parameters, levels: int, orders: int) -> csr_array:
    """One collision and the loss up to the next (rows, columns), for as many orders; one: populations alone.

    Columns are the elements of a state as `DuringCharge` keeps them. Rows are the same without the mirror,
    and a last one: the weight that goes above the highest level.
    """
    between = damping((1.0 - m.interaction_fraction) * m.loss, m.thermal_photons, levels)
    first = _collision(m, levels, 0)
    mirror = levels - 1 if orders > 1 else 0
    row, column, parts = 0, mirror - (levels - 1), []
    for order in range(orders):
        collided = (_collision(m, levels, order) if order else first)[: levels - order]
        parts.append(_placed(damping_matrix(between, order) @ collided, row, column))
        column = mirror + row
        row += levels - order
    leak = first[levels:].sum(axis=0) + between.escaped @ first[:levels]
    parts.append(_placed(leak[None, :], row, mirror - (levels - 1)))
    values, rows, columns = (np.concatenate(part) for part in zip(*parts, strict=True))
    return coo_array((values, (rows, columns)), shape=(row + 1, mirror + row)).tocsr()


def _placed(block: np.ndarray, row: int, column: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What counts of a block whose first element stands there: values, rows, columns."""
    rows, columns = np.nonzero(np.abs(block) > _FAINT)
    return block[rows, columns], row + rows, column + columns


def _collision(m: Parameters, levels: int, order: int) -> np.ndarray:
    """The collision alone (top - K + 1, inputs), from levels below `levels` to all up to `top`.

    Inputs are the elements of the cavity's orders K - 1, K and K + 1, one order behind the other.
    """
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
    """Excitations that are worked with: so many that nothing comes back from beyond within a collision.

    It would have to climb there against the decay, in any time with a chance of nbar/(1 + nbar) for each
    photon, and in this time with that of the amplifier.
    """
    if m.thermal_photons == 0.0:
        return levels
    ever = int(np.log(_FAINT) / np.log(m.thermal_photons / (1.0 + m.thermal_photons))) + 1
    gain = 1.0 - m.thermal_photons * np.expm1(-m.loss * m.interaction_fraction)
    now = nbdtrc(np.arange(ever), levels + 1, 1.0 / gain) < _FAINT
    return levels + 1 + (int(np.argmax(now)) if now.any() else ever)


def _generator(m: Parameters, order: int, top: int) -> dia_array:
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
    Chem. Phys. 81, 3967, 1984). The damping lies across that axis: a strong one is taken in steps.
    """
    transposed = _generator(m, order, top).T.tocsr()
    half = 0.5 * m.detuning_ratio
    turn = m.theta * (np.sqrt(top + half * half) + np.sqrt(top - order + half * half)) + 1.0
    decay = 2.0 * m.loss * m.interaction_fraction * (2.0 * m.thermal_photons + 1.0) * (top + 1.0)
    steps = max(1, int(np.ceil(decay / _GROWTH)))
    if steps > _MOST_STEPS:
        return np.asarray(expm(transposed.toarray()) @ out)
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

    Its own form is R (d, d), real where it stays so; or populations (d,) where they are all there is.
    """

    def __init__(self, m: Parameters, state: np.ndarray) -> None:
        self.levels = d = len(state)
        if d > MOST_LEVELS:
            raise ValueError(f"dimension = {d}: loss during the collision is worked out on at most "
                             f"{MOST_LEVELS} levels; give no more of them, or interaction_fraction = 0")
        self._phases, self._orders = gauge(m, d), d if state.ndim == 2 else 1
        self._interval = interval(m, d, self._orders)
        self._rows = np.concatenate([np.arange(d - order) for order in range(self._orders)])
        self._columns = self._rows + np.repeat(np.arange(self._orders), d - np.arange(self._orders))
        self._put(state[self._rows, self._columns] if state.ndim == 2 else state)

    @staticmethod
    def own(m: Parameters, state: np.ndarray) -> np.ndarray:
        if stays_diagonal(m, state):
            return np.real(np.diag(state)).copy()
        turned = in_gauge(m, state)
        return np.real(turned) if m.detuning_ratio == 0.0 and is_real(m, state) else turned

    def _put(self, upper: np.ndarray) -> None:
        """The orders 0, 1, ..., behind the mirror of the first."""
        self._state = np.concatenate((np.conj(upper[self.levels : 2 * self.levels - 1]), upper))

    @property
    def _upper(self) -> np.ndarray:
        return self._state[len(self._state) - len(self._rows) :]

    def advance(self, count: int, dimension: int) -> np.ndarray:
        """(count, 6), as `Charge.advance` of stepping.py."""
        rows, n = np.zeros((count, 6)), np.arange(dimension)
        weights = np.where(self._rows == self._columns, 1.0, 2.0) * (self._columns < dimension)
        for row in rows:
            found = self._interval @ self._state
            self._put(found[:-1])
            p = self.populations
            row[:3] = p[:dimension].sum(), n @ p[:dimension], (n * n) @ p[:dimension]
            row[3:5] = np.sum(weights * np.square(np.abs(self._upper))), p[dimension:].sum()
            row[5] = np.real(found[-1])
        return rows

    def scale(self, factor: float) -> None:
        self._state *= factor

    @property
    def populations(self) -> np.ndarray:
        return np.real(self._upper[: self.levels]).copy()

    @property
    def matrix(self) -> np.ndarray:
        return self._matrix() * self._phases[:, None] * np.conj(self._phases)[None, :]

    @property
    def snapshot(self) -> np.ndarray:
        """R (d, d) or populations (d,), from which the run can go on."""
        return self.populations if self._orders == 1 else self._matrix()

    @property
    def spectrum_state(self) -> np.ndarray:
        return self.snapshot

    def _matrix(self) -> np.ndarray:
        out = np.zeros((self.levels, self.levels), self._state.dtype)
        out[self._columns, self._rows] = np.conj(self._upper)
        out[self._rows, self._columns] = self._upper
        return out
