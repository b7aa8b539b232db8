"""`simulate`: one call for every reading of the pentacene model, and the trajectory that it returns.

Rate equations, mean field and second order go through one compiled integrator (`problem`,
`integrate`); single stochastic shots through `stochastic`; one to three molecules exactly through
QuTiP in `exact`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as entry
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from . import integrate as engine
from .drive import Drive
from .pentacene import NAMES, Parameters
from .problem import DRIVE_NAMES, Problem
from .quantity import nearest
from .rotating_frame import is_on
from .segments import TONES
from .solution import Solution, photon_number
from .spread import Spread

if TYPE_CHECKING:
    from .balance import EnergyBalance
    from .charging import Charging
    from .ringing import Ringing

MODELS = ("rate", "mean_field", "cumulant", "stochastic", "exact")
MAX_TIMES = 10_000_000
RTOL = 5e-10
"""Default relative tolerance: keeps 1e-6 of populations and peak photons, where bursts regrow as well."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Derivatives of a trajectory per unit of one parameter: the trajectory's fields, the same shapes."""

    name: str
    times: np.ndarray
    populations: np.ndarray
    photons: np.ndarray
    field: np.ndarray


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A simulated course of events at `times` [s] (T,).

    populations (T, 5) of levels 1..5 per molecule; photons (T,) = <a+ a>; field (T,) = <a>, complex, in the
    frame of the mode. `status` is "ok" or advice; `warnings` are sentences. Both must be looked at: what
    could not be computed is nan. `told` is what the reading itself has to warn of.
    """

    parameters: Parameters
    drive: Drive
    model: str
    times: np.ndarray
    populations: np.ndarray
    photons: np.ndarray
    field: np.ndarray
    status: str = "ok"
    told: tuple[str, ...] = ()
    steps: int = 0
    rtol: float = RTOL
    final_state: dict[str, np.ndarray] | None = entry(default=None, repr=False)
    problem: Problem | None = entry(default=None, repr=False)
    origin: Trajectory | None = entry(default=None, repr=False)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What the reading has to say, and where the crystal would absorb more photons than its light has."""
        from .light_budget import tightest_budget

        begin = () if self.origin is None else (float(self.origin.times[-1]), self.origin.populations[-1])
        advice = tightest_budget(self.parameters, self.drive, float(self.times[-1]), *begin).advice
        return self.told if advice is None else (*self.told, advice)

    @property
    def energy(self) -> np.ndarray:
        """Stored energy E(t) = N hbar frequency_35 s55 (T,) [J]."""
        from .pentacene import HBAR

        p = self.parameters
        return p.molecules * HBAR * p.frequency_35 * self.populations[:, 4]

    @property
    def cooperativity(self) -> np.ndarray:
        """C(t) (T,) with the inversion of each moment; the maser's threshold is 1."""
        return self.parameters.cooperativity(self.populations[:, 4] - self.populations[:, 2])

    def charging(self) -> Charging:
        """Figures of merit of the battery on the continuous solution; see `charging`."""
        from .charging import charging

        return charging(*self._solution("charging"))

    def energy_balance(self) -> EnergyBalance:
        """Where the energy is at `times`, and where it came from; see `balance`."""
        from .balance import energy_balance

        pieces, rtol = self._solution("energy_balance")
        return energy_balance(pieces, self.times, rtol)

    def ergotropy(self) -> np.ndarray:
        """The most work [J] (T,) that unitaries on the triplets could draw, each molecule for itself."""
        from .curve import Curve
        from .ergotropy import NAMES, ergotropy, triplet_matrix

        curve = Curve(*self._solution("ergotropy"), NAMES)
        return ergotropy(triplet_matrix(curve, self.times), self.parameters)

    def ringing(self, prominence: float = 0.01) -> Ringing:
        """Bursts of the photon number and the frequency at which they follow; see `ringing`."""
        from .ringing import ringing

        return ringing(*self._solution("ringing"), prominence)

    def _solution(self, asked: str) -> tuple[list[tuple[Problem, float]], float]:
        if self.problem is None:
            raise ValueError(f'model="{self.model}" has no continuous solution; {asked}() needs rate, '
                             "mean_field or cumulant")
        return self._pieces(), min(self.rtol, RTOL)

    def _pieces(self) -> list[tuple[Problem, float]]:
        """The problems from t = 0 on whose solutions, one after the other, led here."""
        before = self.origin._pieces() if self.origin is not None else []
        return [*before, (self.problem, float(self.times[-1]))] if self.problem is not None else before

    def sensitivity(self, name: str) -> Sensitivity:
        """d/d(name) of every field, from forward sensitivities; ValueError for unknown names and models."""
        if self.problem is None:
            raise ValueError(f'model="{self.model}" has no sensitivities; use mean_field, rate or cumulant')
        solution = self._differentiated(name)
        slopes = solution.slopes[:, :, 0]
        photons = photon_number(solution, self.parameters, (name,))[1][:, 0]
        amplitude = self.parameters.molecules**0.5 * (slopes[:, 5] + 1j * slopes[:, 6])
        if name == "molecules":
            amplitude = amplitude + 0.5 / self.parameters.molecules * self.field
        return Sensitivity(name, self.times, slopes[:, :5].copy(), photons, amplitude)

    def _differentiated(self, name: str) -> Solution:
        base = self.problem
        assert base is not None  # `sensitivity` has looked
        state = base.state
        if self.origin is not None:  # the state that this one continues depends on the parameter too
            state = self.origin._differentiated(name).state
        problem = Problem(base.parameters, base.drive, base.model, (name,), base.start, state,
                          seed_photons=base.seed_photons, spread=base.spread)
        return problem.run(self.times, rtol=self.rtol)


def checked_times(times: Any) -> np.ndarray:
    """Times as a float array, or ValueError naming what is wrong with them."""
    if np.ndim(times) != 1 or np.size(times) == 0:
        raise ValueError(f"times: expected a row of times [s], found shape {np.shape(times)}")
    if np.size(times) > MAX_TIMES:
        raise ValueError(f"times: {np.size(times)} points; the limit is {MAX_TIMES}")
    found = np.ascontiguousarray(times, float)
    rising = found[1:] > found[:-1]  # False wherever nan stands on either side
    if not (np.isfinite(found[0]) and np.isfinite(found[-1])) or np.isnan(found).any():
        raise ValueError("times: all must be finite")
    if not rising.all():
        i = int(np.argmin(rising))
        raise ValueError(f"times: must increase, but times[{i + 1}] = {found[i + 1]:g} s follows "
                         f"{found[i]:g} s")
    return found


def simulate(p: Parameters, d: Drive, times: Sequence[float] | np.ndarray, model: str = "cumulant", *,
             rtol: float = RTOL, seed: Any = None, initial: Trajectory | None = None,
             seed_photons: float | None = None, photon_dimension: int | None = None,
             spread: Spread | None = None) -> Trajectory:
    """Simulate a crystal `p` under a drive `d` at `times` [s].

    model: "rate", "mean_field", "cumulant" (second order, the default), "stochastic" (one truncated-Wigner
    shot, `seed`), "exact" (QuTiP, one to three molecules, `photon_dimension`). The start is t = 0, all
    molecules in level 1, the mode thermal; or the last state of `initial`, at its last time. The undriven
    mean field is seeded with `seed_photons` (default: thermal_photons). `spread`: molecules that are not
    alike, for mean_field and stochastic; populations are then the mean over all molecules. Raises ValueError
    for what cannot be simulated; running out of steps is told in `status`.
    """
    times = checked_times(times)
    if model not in MODELS:
        raise ValueError("model: " + nearest(str(model), MODELS))
    if not isinstance(p, Parameters) or not isinstance(d, Drive):
        raise TypeError(f"simulate needs pentacene.Parameters and Drive, found {type(p).__name__} and "
                        f"{type(d).__name__}")
    if not 1e-14 <= rtol <= 1e-2:
        raise ValueError(f"rtol = {rtol:g} is outside its range 1e-14 .. 1e-2")
    if seed_photons is not None and not (0.0 <= seed_photons < np.inf):
        raise ValueError(f"seed_photons = {seed_photons:g} is outside its range 0 .. inf")
    start = 0.0 if initial is None else float(initial.times[-1])
    if times[0] < start:
        raise ValueError(f"times: the first is {times[0]:g} s, before the start at {start:g} s")
    _check_spread(model, spread)
    if model == "stochastic":
        from .stochastic import shot

        return shot(p, d, times, seed, initial, spread)
    if model == "exact":
        from .exact import exact

        return exact(p, d, times, photon_dimension, initial)
    return _deterministic(p, d, times, model, rtol, initial, seed_photons, start, spread)


_NO_SPREAD = {"rate": "its coherence is eliminated for one line",
              "cumulant": "it would need the correlations between all pairs of bins",
              "exact": "it has three molecules at most"}


def _check_spread(model: str, spread: Spread | None) -> None:
    if spread is None:
        return
    if not isinstance(spread, Spread):
        raise TypeError(f"spread: expected a twin.spread.Spread, found {type(spread).__name__}")
    if model in _NO_SPREAD:
        raise ValueError(f'model="{model}" has no spread: {_NO_SPREAD[model]}; use "mean_field" or '
                         '"stochastic"')


def _deterministic(p: Parameters, d: Drive, times: np.ndarray, model: str, rtol: float,
                   initial: Trajectory | None, seed_photons: float | None, start: float,
                   spread: Spread | None) -> Trajectory:
    if model == "rate" and (any(is_on(getattr(d, t)) for t in TONES) or is_on(d.cavity_drive)):
        raise ValueError('model="rate" has no coherences, so it cannot carry a tone or a cavity drive; '
                         'use "mean_field" or "cumulant"')
    if seed_photons is not None and model != "mean_field":
        raise ValueError('seed_photons belongs to model="mean_field"; other readings start thermal')
    state = None
    if initial is not None:
        if initial.final_state is None or initial.model != model:
            raise ValueError(f'initial: a {initial.model} trajectory cannot be continued as "{model}"')
        if initial.parameters.molecules != p.molecules:
            raise ValueError(f"initial: its molecules = {initial.parameters.molecules:g} cannot become "
                             f"{p.molecules:g}; molecules do not come and go during a shot")
        state = initial.final_state
    problem = Problem(p, d, model, start=start, state=state, seed_photons=seed_photons, spread=spread)
    return _trajectory(problem, times, problem.run(times, rtol=rtol), rtol, initial)


def _trajectory(problem: Problem, times: np.ndarray, solution: Solution, rtol: float,
                initial: Trajectory | None) -> Trajectory:
    p, values = problem.parameters, solution.values
    amplitude = np.zeros(len(times), complex)
    if solution.has_field:
        amplitude.real, amplitude.imag = values[:, 5], values[:, 6]
        amplitude *= p.molecules**0.5
    photons, _ = photon_number(solution, p, ())
    status = engine.STATUS.get(solution.status, "failed")
    if solution.status == engine.STEP_BUDGET:
        status = status.replace("step budget", f"budget of {solution.steps} steps")
    return Trajectory(p, problem.drive, problem.model, times, values[:, :5], photons, amplitude, status, (),
                      solution.steps, rtol, solution.state, problem, initial)


def prepare(p: Parameters, d: Drive, model: str = "mean_field", names: Sequence[str] = ()) -> Problem:
    """A `Problem` whose `solve` gives photons and exact derivatives by `names` for many values of p and d."""
    for name in names:
        if name not in (*NAMES, *DRIVE_NAMES, "seed_photons"):
            raise ValueError("names: " + nearest(name, (*NAMES, *DRIVE_NAMES, "seed_photons")))
    return Problem(p, d, model, tuple(names))
