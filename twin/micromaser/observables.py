"""What one asks of a state of the cavity: energies in omega, without the zero point."""

from __future__ import annotations

import numpy as np

from .states import density_matrix


def energy(state: np.ndarray) -> float:
    """<n> of a density matrix (d, d), as if its trace were 1."""
    p = _populations(state)
    return float(np.arange(len(p)) @ p)


def purity(state: np.ndarray) -> float:
    """Tr rho^2/(Tr rho)^2."""
    state = density_matrix(state)
    return float(np.real(np.vdot(state, state)) / np.real(np.trace(state)) ** 2)


def fano(state: np.ndarray) -> float:
    """Var n/<n>; nan for the vacuum."""
    p = _populations(state)
    n = np.arange(len(p))
    mean = float(n @ p)
    return float((n * n) @ p - mean * mean) / mean if mean > 0.0 else float("nan")


def ergotropy(state: np.ndarray) -> float:
    """Largest work that a unitary takes out: energy less that of the passive state (Allahverdyan 2004)."""
    state = density_matrix(state)
    return energy(state) - passive_energy(state) / float(np.real(np.trace(state)))


def passive_energy(state: np.ndarray) -> float:
    """Sum of j times the j-th largest eigenvalue, of a matrix (d, d) or of eigenvalues (d,)."""
    values = state if state.ndim == 1 else np.linalg.eigvalsh(state)
    # Rounding leaves eigenvalues of 1e-17 on either side of 0, and j is large there.
    values = np.maximum(np.sort(values)[::-1], 0.0)
    return float(np.arange(len(values)) @ values)


def _populations(state: np.ndarray) -> np.ndarray:
    p = np.real(np.diag(density_matrix(state)))
    return np.asarray(p / p.sum())
