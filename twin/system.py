"""The physical system as a declaration: levels, decays, dephasings, coupling, tones.

Nothing here is an equation of motion. `readings` turns one declaration into rate equations,
mean field or second-order cumulants, `exact` into QuTiP operators. Operators of one molecule
are sigma^ij = |i><j|, written as the pair (i, j). A rate is a name; its value is worked out
from parameters and drive by `rates`, in plain arithmetic, so that it can be differentiated by
a complex step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

LEVELS = (1, 2, 3, 4, 5)
TRIPLET = (3, 4, 5)
LOWERING, RAISING = (3, 5), (5, 3)
"""The masing transition: the mode's photon is emitted by sigma^35 and absorbed by sigma^53."""

Operator = tuple[int, int]
Linear = dict[Operator, dict[str, complex]]
"""A combination of operators; each coefficient is a combination of named rates."""

OPERATORS: tuple[Operator, ...] = (*((i, i) for i in LEVELS), (5, 3), (3, 5), (5, 4), (4, 5), (4, 3), (3, 4))
"""The operators of one molecule that can ever leave zero: nothing drives an optical coherence."""


@dataclass(frozen=True)
class Jump:
    """A Lindblad process r (O rho O+ - {O+ O, rho}/2) with O = sum of weight * sigma^ij."""

    rate: str
    operator: tuple[tuple[Operator, float], ...]
    factor: float = 1.0

    def matrix(self) -> np.ndarray:
        """O as a (5, 5) matrix."""
        return _matrix(dict(self.operator))


@dataclass(frozen=True)
class System:
    """One molecule's jumps and Hamiltonian terms; the coupling g (a sigma^53 + a+ sigma^35) is implied."""

    jumps: tuple[Jump, ...]
    hamiltonian: tuple[tuple[str, tuple[tuple[Operator, float], ...]], ...]

    def adjoint(self) -> dict[Operator, Linear]:
        """A -> i[h, A] + sum r (O+ A O - {O+ O, A}/2), for every operator that matters."""
        return _adjoint(self)

    def _adjoint_of(self, a: Operator) -> Linear:
        matrix = _matrix({a: 1.0})
        found: Linear = {}
        for name, terms in self.hamiltonian:
            h = _matrix(dict(terms))
            _collect(found, name, 1j * (h @ matrix - matrix @ h))
        for jump in self.jumps:
            o = jump.matrix()
            oo = o.T @ o
            change = o.T @ matrix @ o - 0.5 * (oo @ matrix + matrix @ oo)
            _collect(found, jump.rate, jump.factor * change)
        return found


@cache
def _adjoint(system: System) -> dict[Operator, Linear]:
    return {a: system._adjoint_of(a) for a in OPERATORS}


def _matrix(terms: Mapping[Operator, float]) -> np.ndarray:
    m = np.zeros((5, 5), complex)
    for (i, j), weight in terms.items():
        m[i - 1, j - 1] = weight
    return m


def _collect(into: Linear, rate: str, matrix: np.ndarray) -> None:
    for i, j in zip(*np.nonzero(np.abs(matrix) > 1e-14), strict=True):
        place = into.setdefault((int(i) + 1, int(j) + 1), {})
        place[rate] = place.get(rate, 0.0) + complex(matrix[i, j])


def _decay(rate: str, start: int, end: int) -> Jump:
    return Jump(rate, (((end, start), 1.0),))


def _dephasing(i: int, j: int, operator: str) -> Jump:
    # Full rate chi/2 with sigma^ii - sigma^jj: the coherence ij then decays at chi.
    if operator == "pure":
        return Jump(f"dephasing_{i}{j}", (((i, i), 1.0), ((j, j), -1.0)), factor=0.5)
    return Jump(f"dephasing_{i}{j}", (((i, j), 1.0), ((j, i), -1.0)), factor=0.5)


@cache
def pentacene_system(dephasing_operator: str = "pure") -> System:
    """Eq. (1) of Wang, Wu and Zhao 2025 for one molecule; levels and names as in `pentacene`."""
    jumps = [_decay("pump", 1, 2), _decay("pump", 2, 1), _decay("spontaneous_emission", 2, 1)]
    for i in TRIPLET:
        jumps += [_decay(f"crossing_{i}", 2, i), _decay(f"triplet_decay_{i}1", i, 1)]
    for i, j in ((3, 5), (3, 4), (4, 5)):
        jumps += [_decay(f"spin_lattice_{i}{j}", i, j), _decay(f"spin_lattice_{i}{j}", j, i),
                  _dephasing(i, j, dephasing_operator)]
    energies = ((f"energy_{i}", (((i, i), 1.0),)) for i in TRIPLET)
    tones = ((f"rabi_{i}{j}", (((i, j), 1.0), ((j, i), 1.0))) for i, j in ((3, 5), (4, 5), (3, 4)))
    return System(tuple(jumps), (*energies, *tones))


SIGNALS = ("pump", "cavity_drive_re", "cavity_drive_im")
"""Rates that change with time inside a segment; everything else is constant between two edges."""

SWITCHES = ("energy_3", "energy_4", "energy_5", "mode_detuning", "rabi_35", "rabi_45", "rabi_34",
            "cavity_drive_re", "cavity_drive_im", "pump")
"""Rates whose absence lets whole families of moments stay zero; only these steer the pruning."""


def rates(values: Mapping[str, complex]) -> dict[str, complex]:
    """All named rates except the signals, from the flat values of Parameters and Drive.

    `values` additionally holds energy_3/4/5 and mode_detuning of the rotating frame. Plain arithmetic only:
    it is called with a complex step to differentiate.
    """
    n = values["molecules"]
    crossing = values["intersystem_crossing"]
    out = {name: values[name] for name in
           ("spontaneous_emission", "triplet_decay_31", "triplet_decay_41", "triplet_decay_51",
            "spin_lattice_35", "spin_lattice_34", "spin_lattice_45", "dephasing_34", "dephasing_35",
            "dephasing_45", "energy_3", "energy_4", "energy_5", "mode_detuning", "rabi_35", "rabi_45",
            "rabi_34", "cavity_decay")}
    out.update({f"crossing_{i}": crossing * values[f"branching_{i}"] for i in TRIPLET})
    g = values["coupling"] * n**0.5
    out.update(collective=g, collective_per_molecule=g / n, per_root_molecules=n**-0.5,
               thermal_input=values["cavity_decay"] * values["thermal_photons"] / n)
    out.update(_eliminated_exchange(values, g, n))
    return out


def _eliminated_exchange(values: Mapping[str, complex], g: complex, n: complex) -> dict[str, complex]:
    """R N and R of the rate equations: coherence and pair correlation follow adiabatically."""
    chi = values["dephasing_35"] + 0.25 * (values["dephasing_34"] + values["dephasing_45"])
    lattice = 2.0 * values["spin_lattice_35"] + values["spin_lattice_34"] + values["spin_lattice_45"]
    gamma = chi + 0.5 * (values["triplet_decay_31"] + values["triplet_decay_51"] + lattice)
    total = values["cavity_decay"] + 2.0 * gamma
    detuning = values["mode_detuning"] - (values["energy_5"] - values["energy_3"])
    with np.errstate(divide="ignore", invalid="ignore"):  # two lines without any width: nan, for `rate` alone
        exchange = np.divide(4.0 * g * g * total, total * total + 4.0 * detuning * detuning)
    return {"exchange": exchange, "exchange_per_molecule": exchange / n}
