"""The micromaser battery: a cavity charged by a stream of qubits, with losses between the collisions.

    from twin import micromaser
    run = micromaser.charge(micromaser.Parameters(theta=0.81, loss=0.001), collisions=1000)

Source of the equations: Shaghaghi et al., Entropy 25, 430 (2023).
"""

from __future__ import annotations

from .bench_link import from_bench
from .charge import Run, charge
from .closed_forms import cotangent_state, incoherent_populations
from .escape import escape_rate
from .fitting import fit_energy, fit_populations
from .jump import jump
from .live import Frame, live
from .observables import energy, ergotropy, fano, purity
from .parameters import COLLISIONS, NAMES, Parameters
from .states import coherent, number_state, thermal, vacuum
from .steady import steady_state
from .trapping import TrappingState, trapping_states
from .wigner import wigner

__all__ = ["COLLISIONS", "NAMES", "Frame", "Parameters", "Run", "TrappingState", "charge", "coherent",
           "cotangent_state", "energy", "ergotropy", "escape_rate", "fano", "fit_energy", "fit_populations",
           "from_bench", "incoherent_populations", "jump", "live", "number_state", "purity", "steady_state",
           "thermal", "trapping_states", "vacuum", "wigner"]
