"""Exact reading: the full master equation of one to three molecules and the mode, through QuTiP.

From the same declaration as every other reading, with the molecules kept one by one. It is the
oracle for the approximate readings; its size is 5^N times the photon dimension, squared.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from .drive import CLOSEST, Drive, Gaussian, Steps, pump_line
from .pentacene import Parameters
from .problem import Problem
from .simulation import Trajectory
from .system import LOWERING, System, pentacene_system, rates

_LARGEST = {1: 60, 2: 16, 3: 4}
"""Photon dimension up to which a run stays within minutes and 2 GB, by molecules."""
_TAIL = 1e-9


def exact(p: Parameters, d: Drive, times: np.ndarray, photon_dimension: int | None,
          initial: Trajectory | None) -> Trajectory:
    """Populations per molecule, photons and field of the master equation at `times` [s].

    Raises ValueError for a number of molecules other than 1, 2, 3, and where the thermal photons do not fit
    into the photon dimension; the text says which would.
    """
    import qutip

    count = p.molecules
    if count not in (1.0, 2.0, 3.0):
        raise ValueError(f'model="exact" takes 1, 2 or 3 molecules, found molecules = {count:g}')
    n = int(count)
    size = _dimension(p, n, photon_dimension)
    system = pentacene_system(p.dephasing_operator)
    space = _Space(qutip, n, size)
    start = 0.0 if initial is None else float(initial.times[-1])
    rho = _start(space, p) if initial is None else _continued(initial, space)
    observed = [*(space.mean_level(i) for i in range(1, 6)), space.a.dag() * space.a, space.a]
    values = np.full((len(times), len(observed)), np.nan, complex)
    edges = [start, *(e for e in d.edges() if start + CLOSEST < e < times[-1] - CLOSEST), float(times[-1])]
    asked = times
    values[times <= start] = [qutip.expect(o, rho) for o in observed]
    for begin, stop in pairwise(edges):
        if stop <= begin:
            continue
        # Times a rounding error away from an edge belong to the edge: the solver refuses so short a step.
        near = 1e-12 * max(abs(begin), abs(stop))
        times = np.where(np.abs(times - stop) <= near, stop, times)
        inside = np.flatnonzero((times > begin) & (times <= stop))
        grid = np.unique(np.concatenate(([begin], times[inside], [stop])))
        hamiltonian, jumps = _segment(space, system, p, d, begin, stop)
        result = qutip.mesolve(hamiltonian, rho, grid, c_ops=jumps, e_ops=observed,
                               options={"store_final_state": True, "nsteps": 10_000_000, "atol": 1e-13,
                                        "rtol": 1e-11, "method": "adams", "progress_bar": ""})
        where = np.searchsorted(grid, times[inside])
        values[inside] = np.array([np.asarray(e)[where] for e in result.expect]).T
        rho = result.final_state
    lost = float(abs(rho.ptrace(n).full()[-1, -1]))
    warnings = () if lost < 1e-6 else (
        f"the highest photon state holds {lost:.1e}: raise photon_dimension above {size}",)
    populations = values[:, :5].real
    found = Trajectory(p, d, "exact", asked, populations, values[:, 5].real, values[:, 6], "ok", warnings)
    object.__setattr__(found, "final_state", {"rho": rho})
    return found


def _dimension(p: Parameters, n: int, asked: int | None) -> int:
    """The Fock dimension that holds the thermal state and one photon per molecule."""
    largest = _LARGEST[n]
    ratio = p.thermal_photons / (1.0 + p.thermal_photons)
    needed = 4 + 2 * n + (int(np.ceil(np.log(_TAIL) / np.log(ratio))) if ratio > 0 else 0)
    size = needed if asked is None else int(asked)
    if asked is None and needed > largest:
        fits = _TAIL ** (1.0 / (largest - 4 - 2 * n)) if largest > 4 + 2 * n else 0.0
        raise ValueError(f'model="exact" with {n} molecules can hold {largest} photon states, but '
                         f"thermal_photons = {p.thermal_photons:g} needs {needed}; the largest that fits is "
                         f"thermal_photons = {fits / (1.0 - fits):.3g}. Lower it or give photon_dimension "
                         "yourself")
    if size < 2:
        raise ValueError(f"photon_dimension = {size} must be at least 2")
    return size


class _Space:
    """Operators of n molecules (5 levels each) and the mode, the mode last."""

    def __init__(self, qutip: Any, n: int, size: int) -> None:
        self.qutip, self.n, self.size = qutip, n, size
        self.ones = [qutip.qeye(5)] * n + [qutip.qeye(size)]
        self.a = self._place(qutip.destroy(size), n)

    def _place(self, operator: Any, where: int) -> Any:
        return self.qutip.tensor([operator if i == where else one for i, one in enumerate(self.ones)])

    def molecule(self, matrix: np.ndarray, k: int) -> Any:
        """A (5, 5) operator on molecule k."""
        return self._place(self.qutip.Qobj(matrix), k)

    def sigma(self, i: int, j: int, k: int) -> Any:
        return self._place(self.qutip.basis(5, i - 1) * self.qutip.basis(5, j - 1).dag(), k)

    def mean_level(self, i: int) -> Any:
        return sum(self.sigma(i, i, k) for k in range(self.n)) / self.n


def _start(space: _Space, p: Parameters) -> Any:
    q = space.qutip
    ground = [q.fock_dm(5, 0)] * space.n
    weights = (p.thermal_photons / (1.0 + p.thermal_photons)) ** np.arange(space.size)
    return q.tensor([*ground, q.Qobj(np.diag(weights / weights.sum()))])


def _continued(initial: Trajectory, space: _Space) -> Any:
    rho: Any = (initial.final_state or {}).get("rho")
    if initial.model != "exact" or rho is None or rho.shape[0] != 5**space.n * space.size:
        raise ValueError("initial: expected an exact trajectory of the same molecules and photon_dimension")
    return rho


def _segment(space: _Space, system: System, p: Parameters, d: Drive, begin: float, stop: float) -> tuple:
    """Hamiltonian (a list if it depends on time) and jump operators between two edges."""
    middle = 0.5 * (begin + stop)
    problem = Problem(p, d, "mean_field")
    values = dict(problem.flat(p, d))
    for name in ("rabi_35", "rabi_45", "rabi_34"):
        value = getattr(d, name)
        values[name] = np.real(value.at(middle) if isinstance(value, Steps) else value)
    if d.cavity_decay is not None:
        value = d.cavity_decay
        values["cavity_decay"] = np.real(value.at(middle) if isinstance(value, Steps) else value)
    named = {name: float(np.real(v)) for name, v in rates(values).items()}
    constant = named["mode_detuning"] * space.a.dag() * space.a
    for k in range(space.n):
        lower = space.sigma(*LOWERING, k)
        constant += p.coupling * (space.a.dag() * lower + space.a * lower.dag())
        for name, terms in system.hamiltonian:
            for (i, j), weight in terms:
                constant += named[name] * weight * space.sigma(i, j, k)
    whole = _with_cavity_drive(space, constant, d, middle, named["mode_detuning"])
    return whole, _jumps(space, system, p, d, named, begin, stop)


def _with_cavity_drive(space: _Space, constant: Any, d: Drive, middle: float, mode_detuning: float) -> Any:
    """The drive turns in the frame by its detuning from the mode and the mode's from the frame."""
    eps = complex(d.cavity_drive.at(middle) if isinstance(d.cavity_drive, Steps) else d.cavity_drive)
    if eps == 0:
        return constant
    turn = d.cavity_drive_detuning + mode_detuning
    if turn == 0:
        return constant + eps * space.a.dag() + np.conj(eps) * space.a
    return [constant, [space.a.dag(), lambda t: eps * np.exp(-1j * turn * t)],
            [space.a, lambda t: np.conj(eps) * np.exp(1j * turn * t)]]


def _jumps(space: _Space, system: System, p: Parameters, d: Drive, named: dict[str, float], begin: float,
           stop: float) -> list:
    pump = _pump(d, begin, stop)
    found: list[Any] = []
    for jump in system.jumps:
        for k in range(space.n):
            operator = space.molecule(jump.matrix(), k)
            if jump.rate != "pump":
                strength = named[jump.rate] * jump.factor
                if strength > 0.0:
                    found.append(np.sqrt(strength) * operator)
            elif callable(pump):
                found.append([operator, lambda t: np.sqrt(pump(t))])
            elif pump > 0.0:
                found.append(np.sqrt(pump) * operator)
    kappa, thermal = named["cavity_decay"], p.thermal_photons
    if kappa > 0.0:
        found.append(np.sqrt(kappa * (1.0 + thermal)) * space.a)
        if thermal > 0.0:
            found.append(np.sqrt(kappa * thermal) * space.a.dag())
    return found


def _pump(d: Drive, begin: float, stop: float) -> Any:
    """The pump rate between two edges: a number, or a function of time where it is not constant."""
    middle = 0.5 * (begin + stop)
    if not d.pump_on_at <= middle or (d.pump_off_at is not None and middle >= d.pump_off_at):
        return 0.0
    shape = d.pump_rate
    if isinstance(shape, Gaussian):
        return lambda t: shape.peak_rate * np.exp(-4.0 * np.log(2.0) * ((t - shape.centre) / shape.fwhm) ** 2)
    first, last = pump_line(shape, begin, stop)
    if first == last:
        return first
    return lambda t: first + (last - first) * np.clip((t - begin) / (stop - begin), 0.0, 1.0)
