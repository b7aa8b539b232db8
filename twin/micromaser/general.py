"""States under collisions that couple any two levels: counter-rotating terms, as dense Kraus operators."""

from __future__ import annotations

import numpy as np

from . import kernels
from .damping import damping
from .parameters import Parameters
from .propagators import kraus
from .real_gauge import Channel, aligned, framed


class GeneralCharge:
    """A complex density matrix (d, d), which is its own form, under collisions and damping."""

    def __init__(self, m: Parameters, state: np.ndarray) -> None:
        self.levels = d = len(state)
        self._state = state.copy()
        found = kraus(m, d)
        self._stacked, self._leak = found.operators.reshape(-1, d), found.leak
        self._adjoint = np.ascontiguousarray(np.conj(found.operators).transpose(0, 2, 1)).reshape(-1, d)
        self._channel = Channel(damping(m.loss, m.thermal_photons, d)) if m.loss > 0.0 else None
        self._frame = aligned(1, kernels.side(d))[0]

    @staticmethod
    def own(m: Parameters, state: np.ndarray) -> np.ndarray:
        return np.array(state, complex)

    def advance(self, count: int, dimension: int) -> np.ndarray:
        """(count, 6), as `Charge.advance` of stepping.py."""
        rows, n = np.zeros((count, 6)), np.arange(dimension)
        for row in rows:
            row[5] = np.real(np.vdot(self._leak, self._state))
            self._collide()
            if self._channel is not None:
                row[5] += self._channel.escaped @ self.populations
                self._damp(self._channel)
            p, first = self.populations, self._state[:dimension, :dimension]
            row[:3] = p[:dimension].sum(), n @ p[:dimension], (n * n) @ p[:dimension]
            row[3:5] = np.sum(first.real**2 + first.imag**2), p[dimension:].sum()
        return rows

    def _collide(self) -> None:
        d = self.levels
        half = (self._stacked @ self._state).reshape(-1, d, d).transpose(1, 0, 2).reshape(d, -1)
        state = half @ self._adjoint
        self._state = 0.5 * (state + state.conj().T)

    def _damp(self, channel: Channel) -> None:
        """Real and imaginary part one after the other: the channel's coefficients are real."""
        levels = slice(kernels.MARGIN, kernels.MARGIN + self.levels)
        upper = []
        for part in (self._state.real, self._state.imag):
            channel.apply(framed(part, self._frame))
            upper.append(np.triu(self._frame[levels, levels]))
        state = upper[0] + 1j * upper[1]
        self._state = state + np.conj(np.triu(state, 1)).T

    def scale(self, factor: float) -> None:
        self._state *= factor

    @property
    def populations(self) -> np.ndarray:
        return np.real(np.diag(self._state)).copy()

    @property
    def matrix(self) -> np.ndarray:
        return self._state.copy()

    @property
    def snapshot(self) -> np.ndarray:
        """The state (d, d), from which the run can go on."""
        return self.matrix

    @property
    def spectrum_state(self) -> np.ndarray:
        return self.matrix
