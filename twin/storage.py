"""How long the battery keeps its energy without a cavity, with the pump left on and switched off.

Without coupling and tones the five populations obey a linear equation, whose matrix is read off the model's
declaration; everything here is that matrix's exponential.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg import expm
from scipy.optimize import brentq

from .pentacene import Parameters
from .system import LEVELS, pentacene_system, rates

_SWITCHES = ("energy_3", "energy_4", "energy_5", "mode_detuning", "rabi_35", "rabi_45", "rabi_34")


@dataclass(frozen=True)
class Storage:
    """Energies per N hbar frequency_35, times [s].

    lifetime_pump_off: from the maximum, where the pump stops, until E has fallen to 1/e of its maximum.
    lifetime_initial_slope: the same from the slope, E/|E'|, once S1 has emptied (ten of its lifetimes later).
    lifetime_pump_on: until the distance to `steady_energy` has fallen to 1/e; with the pump on E itself need
    never fall to 1/e, and `time_to_1_over_e_pump_on` is nan if it does not.
    """

    maximum_energy: float
    maximum_energy_time: float
    lifetime_pump_off: float
    lifetime_initial_slope: float
    lifetime_pump_on: float
    steady_energy: float
    time_to_1_over_e_pump_on: float


def population_matrix(p: Parameters, pump_rate: float) -> np.ndarray:
    """M (5, 5) [1/s] with s' = M s for the populations s of an uncoupled, undriven molecule."""
    values = {**p.values(), **dict.fromkeys(_SWITCHES, 0.0)}
    numbers = {**rates(values), "pump": pump_rate}
    adjoint = pentacene_system(p.dephasing_operator).adjoint()
    matrix = np.zeros((5, 5))
    for i in LEVELS:
        for (j, k), coefficients in adjoint[(i, i)].items():
            if j == k:
                matrix[i - 1, j - 1] = sum((c * numbers[rate]).real for rate, c in coefficients.items())
    return matrix


def relaxed(p: Parameters, populations: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Populations (T, 5) of an uncoupled, undriven molecule in the dark, `times` (T,) [s] after they were
    `populations` (5,)."""
    matrix = population_matrix(p, 0.0)
    return np.array([expm(matrix * t) @ populations for t in times]).reshape(-1, 5)


def storage(p: Parameters, pump_rate: float = 6.2e7) -> Storage:
    """Charge at `pump_rate` [1/s] from the ground state to the first maximum, then wait, without a cavity.

    ValueError where there is nothing to store: no maximum within 1 s.
    """
    pumped, dark = population_matrix(p, pump_rate), population_matrix(p, 0.0)
    top_time = _first_maximum(pumped)
    top = expm(pumped * top_time)[:, 0]
    steady = _steady(pumped)
    # Where nothing is left to fall, rounding must not tell how long it takes.
    distance = top[4] - steady if top[4] - steady > 1e-9 * top[4] else np.nan
    emptied = expm(dark * 10.0 / (p.spontaneous_emission + p.intersystem_crossing)) @ top
    return Storage(
        float(top[4]), top_time, _falls_to(dark, top, top[4] / np.e),
        float(-emptied[4] / (dark @ emptied)[4]), _falls_to(pumped, top, steady + distance / np.e),
        steady, _falls_to(pumped, top, top[4] / np.e))


def _steady(matrix: np.ndarray) -> float:
    """s55 of the state that the ground state ends in: its part in the eigenvectors that do not decay."""
    values, vectors = np.linalg.eig(matrix)
    parts = np.linalg.solve(vectors, np.eye(5)[0])
    lasting = np.abs(values) < 1e-12 * np.abs(values).max()
    return float((vectors[4, lasting] @ parts[lasting]).real)


def _first_maximum(matrix: np.ndarray) -> float:
    def slope(time: float) -> float:
        return float((matrix @ expm(matrix * time)[:, 0])[4])

    grid = np.geomspace(1e-9, 1.0, 150)
    for early, late in pairwise(grid):
        if slope(early) > 0.0 >= slope(late):
            return float(brentq(slope, early, late, xtol=1e-15, rtol=1e-13))
    raise ValueError("storage: level 5 has no maximum within 1 s of pumping; is pump_rate above 0?")


def _falls_to(matrix: np.ndarray, start: np.ndarray, level: float) -> float:
    """When [s] s55 first falls to `level`; nan if it does not within 10 s."""
    def above(time: float) -> float:
        return float((expm(matrix * time) @ start)[4] - level)

    if not above(0.0) > 0.0:
        return float("nan")
    for early, late in pairwise([0.0, *np.geomspace(1e-9, 10.0, 150)]):
        if above(late) <= 0.0:
            return float(brentq(above, early, late, xtol=1e-15, rtol=1e-13))
    return float("nan")
