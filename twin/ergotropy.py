"""Ergotropy: the most work that a unitary on one molecule's triplet could draw from the crystal.

W, the work that the battery gives to a cavity, is bounded by it only where nothing else is added or lost
meanwhile; see docs/figures.md.
"""

from __future__ import annotations

import numpy as np

from .curve import Curve
from .pentacene import HBAR, Parameters

NAMES = ("s33", "s44", "s55", "s53.re", "s53.im", "s54.re", "s54.im", "s43.re", "s43.im")
"""What the reduced density matrix of the triplet is made of."""


def triplet_matrix(curve: Curve, times: np.ndarray) -> np.ndarray:
    """<sigma^ij> (T, 3, 3) of levels 3, 4, 5 in the rotating frame; its trace is the triplet population."""
    found = np.zeros((len(times), 3, 3), complex)
    for place, name in enumerate(("s33", "s44", "s55")):
        found[:, place, place] = curve.value(name, times)
    for (i, j), name in (((2, 0), "s53"), ((2, 1), "s54"), ((1, 0), "s43")):
        found[:, i, j] = curve.value(f"{name}.re", times) + 1j * curve.value(f"{name}.im", times)
        found[:, j, i] = found[:, i, j].conj()
    return found


def ergotropy(matrix: np.ndarray, p: Parameters) -> np.ndarray:
    """[J] (T,) of `molecules` triplets with <sigma^ij> = `matrix` (T, 3, 3), each molecule for itself.

    Energies are 0, frequency_34 and frequency_35. The frame's rotation is a unitary that commutes with them,
    so it changes neither eigenvalues nor energy. Allahverdyan, Balian, Nieuwenhuizen 2004.
    """
    levels = HBAR * np.array([0.0, p.frequency_34, p.frequency_35])
    energy = np.einsum("tii,i->t", matrix, levels).real
    largest_first = np.linalg.eigvalsh(matrix)[:, ::-1]
    return p.molecules * (energy - largest_first @ np.sort(levels))
