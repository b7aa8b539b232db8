"""The noise that decay demands, for mode and spins: strengths of the stochastic reading's kicks.

The mode's is kappa (n_th + 1/2). A coherence A has, by the Einstein relation in symmetric ordering,

  <|d xi_A|^2> = dt/N * ( L+({A, A+}/2) - {L+A, A+}/2 - {A, L+A+}/2 ).

Populations carry none: relative to themselves it is 1/sqrt N, and nothing amplifies it.
"""

from __future__ import annotations

import numpy as np

from .pentacene import Parameters
from .system import Operator, pentacene_system, rates

_KICKED: tuple[tuple[str, Operator | None], ...] = (("x", None), ("s53", (5, 3)), ("s54", (5, 4)),
                                                    ("s43", (4, 3)))


def noise(p: Parameters, decays: list[float], index: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Places that are kicked (P,) and, segment by segment, the variance per second of each (S * P, 6).

    Per quadrature of the scaled variable; `decays`: the cavity's decay rate in each segment.
    """
    places, rows = [], []
    for name, operator in _KICKED:
        row = np.zeros(6)
        if operator is not None:
            row[1:] = 0.5 * _einstein(p, operator) / p.molecules
        for part in ("re", "im"):
            if f"{name}.{part}" in index:
                places.append(index[f"{name}.{part}"])
                rows.append(row)
    strengths = np.tile(np.array(rows), (len(decays), 1, 1))
    for k, place in enumerate(places):
        if place in (index["x.re"], index["x.im"]):
            strengths[:, k, 0] = 0.5 * np.array(decays) * (p.thermal_photons + 0.5) / p.molecules
    return np.array(places, np.int64), strengths.reshape(-1, 6)


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
