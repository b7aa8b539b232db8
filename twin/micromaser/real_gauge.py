"""States that are real in the gauge of the collisions: the fast path for resonant Jaynes-Cummings."""

from __future__ import annotations

import numpy as np

from . import kernels
from .collisions import blocks, gauge, pure_parts
from .damping import Damping, damping
from .parameters import Parameters

_IMAGINARY = 1e-14


def in_gauge(m: Parameters, state: np.ndarray) -> np.ndarray:
    """R (d, d) with rho_nm = u_n u_m^* R_nm."""
    u = gauge(m, len(state))
    return np.asarray(state * np.conj(u)[:, None] * u[None, :])


def is_real(m: Parameters, state: np.ndarray) -> bool:
    """True if the state has no imaginary part in the gauge, so that no collision gives it one."""
    return bool(np.max(np.abs(np.imag(in_gauge(m, state)))) <= _IMAGINARY)


class Channel:
    """Damping in the form that the kernels take; `pair`: working storage (2, side, side)."""

    def __init__(self, d: Damping) -> None:
        self.dimension = len(d.escaped)
        size = kernels.side(self.dimension)
        between = d.loss.after * d.amplifier.before
        self.scales = np.ascontiguousarray([d.loss.before, between, d.amplifier.after])
        self.lost, self.gained = (np.concatenate((np.zeros(8), c.weight, np.zeros(8)))
                                  for c in (d.loss, d.amplifier))
        self.windows = d.loss.first, d.loss.last, d.amplifier.first, d.amplifier.last
        self.pair = aligned(2, size)
        self.escaped = d.escaped

    def apply(self, frame: np.ndarray) -> None:
        """Damp a framed real state in place: its upper triangle, even for an antisymmetric part."""
        kernels.damp(frame, *self.pair, self.scales, self.lost, self.gained, *self.windows, self.dimension)


def aligned(count: int, size: int) -> np.ndarray:
    """Zeros (count, size, size) that start at a cache line."""
    room = np.zeros(count * size * size + 8)
    start = -room.ctypes.data // 8 % 8
    return room[start : start + count * size * size].reshape(count, size, size)


def framed(block: np.ndarray, out: np.ndarray) -> np.ndarray:
    """A matrix (d, d) put into a frame of zeros."""
    levels = slice(kernels.MARGIN, kernels.MARGIN + len(block))
    out[levels, levels] = block
    return out


class RealCharge:
    """A symmetric matrix R under collisions; `matrix` is the state with its phases back.

    Its own form is R (d, d), of which the upper triangle and the band below the diagonal are read.
    """

    def __init__(self, m: Parameters, state: np.ndarray) -> None:
        self.levels = d = len(state)
        size = kernels.side(d)
        self._phases = gauge(m, d)
        self._frames = aligned(2, size)
        self._state = framed(state, self._frames[0])
        parts = pure_parts(m, d)
        self._parts = np.zeros((len(parts), 4, size))
        self._parts[:, :, kernels.MARGIN : kernels.MARGIN + d] = parts
        self._raised = (1.0 - m.q) * blocks(m, d).raised
        self._damped = m.loss > 0.0
        # Without damping the channel is not looked at.
        self._channel = Channel(damping(m.loss, m.thermal_photons, d if self._damped else 1))

    @staticmethod
    def own(m: Parameters, state: np.ndarray) -> np.ndarray:
        return np.real(in_gauge(m, state))

    def advance(self, count: int, dimension: int) -> np.ndarray:
        """(count, 6), as `Charge.advance` of stepping.py."""
        rows, c = np.zeros((count, 6)), self._channel
        kernels.charge(*self._frames, *c.pair, self._parts, self._raised, self._damped, c.scales, c.lost,
                       c.gained, *c.windows, c.escaped, self.levels, dimension, rows)
        return rows

    def scale(self, factor: float) -> None:
        self._state *= factor

    @property
    def populations(self) -> np.ndarray:
        return np.diag(self._block()).copy()

    @property
    def matrix(self) -> np.ndarray:
        u = self._phases
        return self.spectrum_state * u[:, None] * np.conj(u)[None, :]

    @property
    def snapshot(self) -> np.ndarray:
        """R (d, d), from which the run can go on."""
        return self._block().copy()

    @property
    def spectrum_state(self) -> np.ndarray:
        """A real symmetric matrix (d, d) with the state's eigenvalues."""
        upper = np.triu(self._block())
        return np.asarray(upper + np.triu(upper, 1).T)

    def _block(self) -> np.ndarray:
        levels = slice(kernels.MARGIN, kernels.MARGIN + self.levels)
        return self._state[levels, levels]
