"""States of the cavity to begin with, as density matrices (d, d); and what may be taken for one."""

from __future__ import annotations

from typing import Any

import numpy as np

_TOLERANCE = 1e-9


def vacuum(dimension: int = 1) -> np.ndarray:
    """|0><0|."""
    return number_state(0, dimension)


def number_state(photons: int, dimension: int | None = None) -> np.ndarray:
    """|n><n|."""
    dimension = dimension or photons + 1
    _positive("dimension", dimension)
    if not 0 <= photons < dimension:
        raise ValueError(f"photons = {photons} must be in 0 .. {dimension - 1}, the levels of the state")
    return np.diag((np.arange(dimension) == photons).astype(complex))


def thermal(photons: float, dimension: int) -> np.ndarray:
    """The thermal state with that mean photon number on the whole space, cut (not renormalised)."""
    _positive("dimension", dimension)
    if not 0.0 <= photons < np.inf:
        raise ValueError(f"photons = {photons:g} must be in 0 .. infinity")
    ratio = photons / (1.0 + photons)
    return np.diag((1.0 - ratio) * ratio ** np.arange(dimension)).astype(complex)


def coherent(amplitude: complex, dimension: int) -> np.ndarray:
    """|alpha><alpha|, cut (not renormalised)."""
    _positive("dimension", dimension)
    if not np.isfinite(amplitude):
        raise ValueError(f"amplitude = {amplitude} must be a finite complex number")
    n = np.arange(1, dimension)
    psi = np.cumprod(np.concatenate(([np.exp(-0.5 * abs(amplitude) ** 2) + 0j], amplitude / np.sqrt(n))))
    return np.outer(psi, np.conj(psi))


def _positive(name: str, value: int) -> None:
    if not (isinstance(value, (int, np.integer)) and value >= 1):
        raise ValueError(f"{name} = {value!r} must be a whole number of at least 1")


def density_matrix(state: Any, name: str = "state") -> np.ndarray:
    """`state` as a complex matrix (d, d); ValueError unless square, Hermitian, positive and of trace 0..1."""
    found = np.asarray(state)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not found.size:
        raise ValueError(f"{name}: expected a density matrix (d, d), found shape {found.shape}")
    found = found.astype(complex)
    if not np.all(np.isfinite(found)):
        raise ValueError(f"{name} has elements that are not finite")
    if np.max(np.abs(found - found.conj().T)) > _TOLERANCE:
        raise ValueError(f"{name} is not Hermitian: {np.max(np.abs(found - found.conj().T)):.1e} off")
    trace = float(np.real(np.trace(found)))
    if not _TOLERANCE < trace <= 1.0 + _TOLERANCE:
        raise ValueError(f"{name} has trace {trace:.9g}; expected 1, or less by the weight above its levels")
    lowest = float(np.linalg.eigvalsh(found)[0])
    if lowest < -_TOLERANCE:
        raise ValueError(f"{name} is not positive: it has an eigenvalue of {lowest:.1e}")
    return found
