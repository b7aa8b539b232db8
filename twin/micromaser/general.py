"""States of any kind under collisions of any kind, as complex matrices.

The way for detuned qubits, for initial states that no gauge makes real, and for counter-rotating terms. A
Jaynes-Cummings collision couples neighbouring levels only; the others are dense Kraus operators.
"""

from __future__ import annotations

import numpy as np

from . import kernels
from .collisions import blocks, qubit
from .damping import damping
from .parameters import Parameters
from .propagators import kraus
from .real_gauge import Channel, aligned, framed


class Neighbours:
    """A Jaynes-Cummings collision at any detuning, in the blocks of its unitary."""

    def __init__(self, m: Parameters, levels: int) -> None:
        u = blocks(m, levels)
        self._blocks, self._qubit = np.array([u.ee, u.eg, u.ge, u.gg], complex), qubit(m)
        self._raised = (1.0 - m.q) * u.raised
        self._framed = np.zeros((levels + 2, levels + 2), complex)

    def leak(self, state: np.ndarray) -> float:
        """Weight that the next collision lifts above the highest level."""
        return self._raised * float(np.real(state[-1, -1]))

    def collided(self, state: np.ndarray) -> np.ndarray:
        out = np.empty_like(state)
        self._framed[1:-1, 1:-1] = state
        kernels.collide_complex(self._framed, out, self._blocks, self._qubit)
        return out


class Dense:
    """A collision as Kraus operators without zeros."""

    def __init__(self, m: Parameters, levels: int) -> None:
        found = kraus(m, levels)
        self._stacked, self._leak = found.operators.reshape(-1, levels), found.leak
        self._adjoint = np.ascontiguousarray(np.conj(found.operators).transpose(0, 2, 1)).reshape(-1, levels)

    def leak(self, state: np.ndarray) -> float:
        """Weight that the next collision lifts above the highest level."""
        return float(np.real(np.vdot(self._leak, state)))

    def collided(self, state: np.ndarray) -> np.ndarray:
        d = len(state)
        half = (self._stacked @ state).reshape(-1, d, d).transpose(1, 0, 2).reshape(d, -1)
        out = half @ self._adjoint
        return np.asarray(0.5 * (out + out.conj().T))


class GeneralCharge:
    """A complex density matrix (d, d), which is its own form, under collisions and damping."""

    def __init__(self, m: Parameters, state: np.ndarray) -> None:
        self.levels = d = len(state)
        self._state = state.copy()
        self._collision = Neighbours(m, d) if m.collision == "jaynes_cummings" else Dense(m, d)
        self._channel = Channel(damping(m.loss, m.thermal_photons, d)) if m.loss > 0.0 else None
        self._frame = aligned(1, kernels.side(d))[0]

    @staticmethod
    def own(m: Parameters, state: np.ndarray) -> np.ndarray:
        return np.array(state, complex)

    def advance(self, count: int, dimension: int) -> np.ndarray:
        """(count, 6), as `Charge.advance` of stepping.py."""
        rows, n = np.zeros((count, 6)), np.arange(dimension)
        for row in rows:
            row[5] = self._collision.leak(self._state)
            self._state = self._collision.collided(self._state)
            if self._channel is not None:
                row[5] += self._channel.escaped @ self.populations
                self._damp(self._channel)
            p, first = np.real(self._state.diagonal()), self._state[:dimension, :dimension]
            row[:3] = p[:dimension].sum(), n @ p[:dimension], (n * n) @ p[:dimension]
            row[3:5] = np.sum(first.real**2 + first.imag**2), p[dimension:].sum()
        return rows

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
