"""The micromaser battery: a cavity charged by a stream of qubits, with losses between the collisions.

    from twin import micromaser
    run = micromaser.charge(micromaser.Parameters(theta=0.81, loss=0.001), collisions=1000)

Source of the equations: Shaghaghi et al., Entropy 25, 430 (2023).
"""

from __future__ import annotations

from .charge import Run, charge
from .closed_forms import cotangent_state, incoherent_populations
from .escape import escape_rate
from .jump import jump
from .observables import energy, ergotropy, fano, purity
from .parameters import COLLISIONS, NAMES, Parameters
from .states import coherent, number_state, thermal, vacuum
from .steady import steady_state

__all__ = ["COLLISIONS", "NAMES", "Parameters", "Run", "charge", "coherent", "cotangent_state", "energy",
           "ergotropy", "escape_rate", "fano", "incoherent_populations", "jump", "number_state", "purity",
           "steady_state", "thermal", "vacuum"]
