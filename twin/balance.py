"""Where the energy is: the account of stored, emitted and lost energy along a trajectory.

Photons n and excited molecules N s55 exchange quanta X through the coupling; everything else has a name:

  n'     =  X - kappa (n - n_th) + 2 Im(eps(t) <a>*)
  N s55' = -X + N k_isc b5 s22 - N [k5 s55 + w35 (s55 - s33) + w45 (s55 - s44)]
           + 2 N Omega_35 Im s53 + 2 N Omega_45 Im s54

Each term is integrated over every step of the continuous solution. X follows from the second line; the first
then has nothing left to choose, and what it leaves unexplained is `residual_energy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .curve import Curve
from .drive import Drive, Steps
from .pentacene import HBAR
from .problem import Problem
from .segments import held_values

_NAMES = ("s22", "s33", "s44", "s55", "mu", "x.re", "x.im", "s53.im", "s54.im")
_LATTICE = ("spin_lattice_35", "spin_lattice_45", "dephasing_35", "dephasing_45")


@dataclass(frozen=True, eq=False)
class EnergyBalance:
    """Energies [J] at `times` [s] (T,), counted from the start except what is stored and in the cavity.

    crossed_energy was brought to level 5 by the intersystem crossing, relaxed_energy lost from it to triplet
    decay and spin-lattice relaxation, tone_energy brought by tones; drive_energy was brought to the mode by
    its drive, radiated_energy left it, less what came in thermally; detuning_energy is the exchanged quanta's
    difference between mode and molecule. stored_energy is E(t), cavity_energy that of n - n_th photons.
    radiated_power [W] leaves through the cavity's decay at that moment. closure: the largest residual over
    the largest energy in the account, a full battery being the least: the solution is as accurate as that, so
    the account of a nearly empty battery closes no better in proportion. Below 1e-8 at the default accuracy.

    change of (stored + cavity) = crossed - relaxed + tone + drive - radiated + detuning + residual
    """

    times: np.ndarray
    crossed_energy: np.ndarray
    relaxed_energy: np.ndarray
    tone_energy: np.ndarray
    drive_energy: np.ndarray
    stored_energy: np.ndarray
    cavity_energy: np.ndarray
    radiated_energy: np.ndarray
    detuning_energy: np.ndarray
    residual_energy: np.ndarray
    radiated_power: np.ndarray

    closure: float


def energy_balance(pieces: Sequence[tuple[Problem, float]], times: np.ndarray, rtol: float) -> EnergyBalance:
    """The account at `times` [s] (T,), over all `pieces` from their start (see `Curve`)."""
    p = pieces[-1][0].parameters
    curve = Curve(pieces, rtol, _NAMES)
    rates = _Rates(curve)
    crossed, relaxed, tone, driven, left = (p.molecules * curve.integral(rate, times) for rate in (
        rates.crossed, rates.relaxed, rates.tone, rates.driven, rates.left))
    excited = p.molecules * curve.at(curve.energy, times)
    photons = curve.at(curve.photons, times)
    start = curve.starts[0]
    exchanged = crossed - relaxed + tone - (excited - p.molecules * curve.at(curve.energy, start))
    unexplained = photons - curve.at(curve.photons, start) - exchanged - driven + left
    molecule, photon = HBAR * p.frequency_35, HBAR * p.cavity_frequency
    terms = (molecule * crossed, molecule * relaxed, molecule * tone, photon * driven, molecule * excited,
             photon * (photons - p.thermal_photons), photon * left)
    largest = max(molecule * p.molecules, *(float(np.max(np.abs(term))) for term in terms))
    return EnergyBalance(times, *terms, (photon - molecule) * exchanged, photon * unexplained,
                         photon * p.molecules * curve.at(rates.leaving, times),
                         float(np.max(np.abs(photon * unexplained))) / largest)


class _Rates:
    """The terms per molecule [1/s] at fractions x of the steps."""

    def __init__(self, curve: Curve) -> None:
        self.curve = curve
        self.lattice = curve.each(lambda problem, _: _lattice(problem))
        self.crossing = curve.each(lambda q, _: q.parameters.intersystem_crossing * q.parameters.branching[2])
        self.decay = curve.each(lambda q, _: q.parameters.triplet_decay[2])
        held = curve.each(lambda q, t: [held_values(q.drive, t)[name] for name in ("rabi_35", "rabi_45")])
        self.rabi_35, self.rabi_45 = held.T
        self.eps = curve.each(lambda q, t: _drive_of_mode(q.drive, t))
        self.turning = curve.each(lambda q, _: q.turning(q.parameters, q.drive)[0])
        # First order knows no thermal photons but its seed.
        self.thermal = curve.each(lambda q, _: 0.0 if q.model == "mean_field" else
                                  q.parameters.thermal_photons / q.parameters.molecules)

    def _value(self, name: str, steps: np.ndarray, x: np.ndarray) -> np.ndarray:
        return self.curve.read(name, steps, x)[0]

    def crossed(self, steps: np.ndarray, x: np.ndarray) -> np.ndarray:
        return self.crossing[steps] * self._value("s22", steps, x)

    def relaxed(self, steps: np.ndarray, x: np.ndarray) -> np.ndarray:
        s33, s44, s55 = (self._value(name, steps, x) for name in ("s33", "s44", "s55"))
        w35, w45 = self.lattice[steps, 0], self.lattice[steps, 1]
        return self.decay[steps] * s55 + w35 * (s55 - s33) + w45 * (s55 - s44)

    def tone(self, steps: np.ndarray, x: np.ndarray) -> np.ndarray:
        return 2.0 * (self.rabi_35[steps] * self._value("s53.im", steps, x)
                      + self.rabi_45[steps] * self._value("s54.im", steps, x))

    def driven(self, steps: np.ndarray, x: np.ndarray) -> np.ndarray:
        field = self._value("x.re", steps, x) + 1j * self._value("x.im", steps, x)
        eps = self.eps[steps] * np.exp(-1j * self.turning[steps] * self.curve.times(steps, x))
        return 2.0 * np.imag(eps * np.conj(field)) / np.sqrt(self.curve.molecules)

    def left(self, steps: np.ndarray, x: np.ndarray) -> np.ndarray:
        photons = self.curve.photons(steps, x)[0] / self.curve.molecules
        return self.curve.decay[steps] * (photons - self.thermal[steps])

    def leaving(self, steps: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        left = self.left(steps, x)
        return left, np.zeros_like(left)


def _lattice(problem: Problem) -> list[float]:
    """Rates [1/s] between 3 and 5, and 4 and 5; the printed dephasing operator adds half of chi."""
    w35, w45, chi35, chi45 = (problem.parameters.value(name) for name in _LATTICE)
    share = 0.5 if problem.parameters.dephasing_operator == "printed" else 0.0
    return [w35 + share * chi35, w45 + share * chi45]


def _drive_of_mode(d: Drive, time: float) -> complex:
    return complex(d.cavity_drive.at(time) if isinstance(d.cavity_drive, Steps) else d.cavity_drive)
