"""The micromaser battery: a cavity charged by a stream of qubits, with losses between the collisions.

    from twin import micromaser
    run = micromaser.charge(micromaser.Parameters(theta=0.81, loss=0.001), collisions=1000)

Source of the equations: Shaghaghi et al., Entropy 25, 430 (2023).
"""

from __future__ import annotations

from .charge import Run, charge
from .fitting import fit_energy, fit_populations
from .observables import energy, ergotropy, fano, purity
from .parameters import COLLISIONS, NAMES, Parameters
from .states import coherent, number_state, thermal, vacuum

__all__ = ["COLLISIONS", "NAMES", "Parameters", "Run", "charge", "coherent", "energy", "ergotropy", "fano",
           "fit_energy", "fit_populations", "number_state", "purity", "thermal", "vacuum"]
