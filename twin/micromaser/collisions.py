"""One Jaynes-Cummings collision as four blocks of its unitary between qubit states.

    A_n = <e,n|U|e,n>    B_n = <e,n|U|g,n+1>    C_n = <g,n|U|e,n-1>    D_n = <g,n|U|g,n>

In each pair |e,n-1>, |g,n> the Hamiltonian is g [[x, sqrt n], [sqrt n, -x]] with 2x = (omega_q - omega_F)/g,
so U is a rotation by theta sqrt(n + x^2) and no matrix is ever cut at the highest photon number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .parameters import Parameters


@dataclass(frozen=True, eq=False)
class Blocks:
    """A, B, C, D (d,) of the module's text; `raised`: |<g,d|U|e,d-1>|^2, what leaves the highest level."""

    ee: np.ndarray
    eg: np.ndarray
    ge: np.ndarray
    gg: np.ndarray
    raised: float


def blocks(m: Parameters, dimension: int) -> Blocks:
    """The blocks of Eq. (5), with the detuning of Eq. (2)."""
    n = np.arange(dimension + 1)
    half = 0.5 * m.detuning_ratio
    rabi = np.sqrt(n + half * half)
    cos, sin = np.cos(m.theta * rabi), _sine_over(m.theta, rabi)
    turn, swap = half * sin, np.sqrt(n) * sin
    return Blocks(cos[1:] - 1j * turn[1:], -1j * swap[1:], -1j * swap[:-1], cos[:-1] + 1j * turn[:-1],
                  float(swap[dimension] ** 2))


def _sine_over(theta: float, rabi: np.ndarray) -> np.ndarray:
    """sin(theta R)/R, which is theta at R = 0."""
    return np.where(rabi > 0.0, np.sin(theta * rabi) / np.where(rabi > 0.0, rabi, 1.0), theta)


def qubit(m: Parameters) -> np.ndarray:
    """rho_q (2, 2) of Eq. (1) in the order e, g."""
    between = m.c * np.sqrt(m.q * (1.0 - m.q))
    return np.array([[1.0 - m.q, between], [np.conj(between), m.q]], complex)


def gauge(m: Parameters, dimension: int) -> np.ndarray:
    """Phases u_n (d,) with rho_nm = u_n u_m^* R_nm, in which a resonant collision is real."""
    n = np.arange(dimension)
    if np.imag(m.c) == 0.0:  # powers of -i, exactly
        return np.array([1.0, -1j, -1.0, 1j])[(n if np.real(m.c) >= 0.0 else -n) % 4]
    return np.asarray(np.exp(1j * (np.angle(m.c) - 0.5 * np.pi) * n))


def pure_parts(m: Parameters, dimension: int) -> np.ndarray:
    """Real Kraus pairs (parts, 4, d) in that gauge: K_e = a + b (n+1 -> n), K_g = c + e (n-1 -> n).

    One part for |c| = 1; otherwise one for each of the qubit's two eigenvectors.
    """
    n = np.arange(dimension + 1)
    cos, sin = np.cos(m.theta * np.sqrt(n)), np.sin(m.theta * np.sqrt(n))
    between = abs(m.c) * np.sqrt(m.q * (1.0 - m.q))
    parts = []
    for excited, ground in _vectors(m.q, between, abs(m.c) == 1.0):
        parts.append([excited * cos[1:], -ground * sin[1:], ground * cos[:-1], excited * sin[:-1]])
    return np.array(parts)


def _vectors(q: float, between: float, pure: bool) -> list[tuple[float, float]]:
    """sqrt(p) (v_e, v_g) of the qubit's state, real."""
    if pure:
        return [(np.sqrt(1.0 - q), np.sqrt(q))]
    values, vectors = np.linalg.eigh([[1.0 - q, between], [between, q]])
    return [(np.sqrt(max(p, 0.0)) * v[0], np.sqrt(max(p, 0.0)) * v[1])
            for p, v in zip(values, vectors.T, strict=True)]
