"""Jaynes-Cummings collisions at any detuning and from any state, with its imaginary part in the gauge."""

from __future__ import annotations

import numpy as np

from . import kernels
from .collisions import blocks, gauge
from .damping import damping
from .parameters import Parameters
from .real_gauge import Channel, aligned, framed, in_gauge


class HermitianCharge:
    """A Hermitian matrix R under collisions, real and imaginary part apart; `matrix` has its phases back.

    Its own form is R (d, d), of which the upper triangle and the band below the diagonal are read.
    """

    def __init__(self, m: Parameters, state: np.ndarray) -> None:
        self.levels = d = len(state)
        size, u = kernels.side(d), blocks(m, d)
        self._phases = gauge(m, d)
        self._frames = aligned(4, size).reshape(2, 2, size, size)
        self._state = self._frames[0]
        framed(np.real(state), self._state[0])
        framed(np.imag(state), self._state[1])
        self._stay, self._swap = np.zeros((4, size)), np.zeros((2, size))
        inside = slice(kernels.MARGIN, kernels.MARGIN + d)
        self._stay[:, inside] = u.ee.real, u.ee.imag, u.gg.real, u.gg.imag
        self._swap[:, inside] = -u.eg.imag, -u.ge.imag  # both are -i times a real number, Eq. (5)
        self._qubit = np.array([1.0 - m.q, m.q, abs(m.c) * np.sqrt(m.q * (1.0 - m.q))])
        self._raised, self._damped = (1.0 - m.q) * u.raised, m.loss > 0.0
        # Without damping the channel is not looked at.
        self._channel = Channel(damping(m.loss, m.thermal_photons, d if self._damped else 1))

    @staticmethod
    def own(m: Parameters, state: np.ndarray) -> np.ndarray:
        return in_gauge(m, state)

    def advance(self, count: int, dimension: int) -> np.ndarray:
        """(count, 6), as `Charge.advance` of stepping.py."""
        rows, c = np.zeros((count, 6)), self._channel
        kernels.charge_hermitian(*self._frames, *c.pair, self._stay, self._swap, self._qubit, self._raised,
                                 self._damped, c.scales, c.lost, c.gained, *c.windows, c.escaped, self.levels,
                                 dimension, rows)
        return rows

    def scale(self, factor: float) -> None:
        self._state *= factor

    @property
    def populations(self) -> np.ndarray:
        return np.diag(self._block(0)).copy()

    @property
    def matrix(self) -> np.ndarray:
        u = self._phases
        return self.spectrum_state * u[:, None] * np.conj(u)[None, :]

    @property
    def snapshot(self) -> np.ndarray:
        """R (d, d), from which the run can go on."""
        return self._block(0) + 1j * self._block(1)

    @property
    def spectrum_state(self) -> np.ndarray:
        """A Hermitian matrix (d, d) with the state's eigenvalues."""
        upper = np.triu(self.snapshot)
        return np.asarray(upper + np.conj(np.triu(upper, 1)).T)

    def _block(self, part: int) -> np.ndarray:
        levels = slice(kernels.MARGIN, kernels.MARGIN + self.levels)
        return self._state[part, levels, levels]
