"""The noise that decay demands, for mode and spins: strengths of the stochastic reading's kicks.

The mode's is kappa (n_th + 1/2). A coherence A has, by the Einstein relation in symmetric ordering,

  <|d xi_A|^2> = dt/N * ( L+({A, A+}/2) - {L+A, A+}/2 - {A, L+A+}/2 ).

Populations carry none: relative to themselves it is 1/sqrt N, and nothing amplifies it.
"""

from __future__ import annotations

import numpy as np

from .pentacene import Parameters
from .system import Operator, pentacene_system, rates

_COHERENCES: dict[str, Operator] = {"s53": (5, 3), "s54": (5, 4), "s43": (4, 3)}
MODE = ("x.re", "x.im")


def mode_noise(p: Parameters, decays: list[float]) -> np.ndarray:
    """Variance per second of each quadrature of the scaled field (S,), by each segment's cavity decay."""
    return 0.5 * np.array(decays) * (p.thermal_photons + 0.5) / p.molecules


def coherence_noise(p: Parameters) -> dict[str, np.ndarray]:
    """Variance per second of each coherence's two parts: factors of the five populations (5,)."""
    return {name: 0.5 * _einstein(p, operator) / p.molecules for name, operator in _COHERENCES.items()}


def _einstein(p: Parameters, a: Operator) -> np.ndarray:
    """Factors of the five populations in the symmetric diffusion of the coherence `a` (5,) [1/s]."""
    values = {**p.values(), **dict.fromkeys(("energy_3", "energy_4", "energy_5", "mode_detuning", "rabi_35",
                                              "rabi_45", "rabi_34"), 0.0)}
    named = rates(values)
    # Pumping enters S1 alone and leaves the triplet coherences' noise untouched.
    named["pump"] = 0.0
    adjoint = pentacene_system(p.dephasing_operator).adjoint()
    decay = sum(c.real * named[r] for r, c in adjoint[a].get(a, {}).items())
    factors = np.zeros(5)
    for level in a:  # {A, A+}/2 = (s_aa + s_bb)/2
        for (i, j), terms in adjoint[(level, level)].items():
            if i == j:
                factors[i - 1] += 0.5 * sum(c.real * named[r] for r, c in terms.items())
        factors[level - 1] -= decay
    return factors
