"""One recorded burst to parameters: the twin's mean field through the declared receiver, fitted.

A single shot starts from its own thermal seed, so it is fitted by the mean field with the seed
free and the laser's edge known; second order describes the mean over many shots and fits none of
them. The search starts cold, from a library of traces, so a shot owes nothing to the one before.

    observation   record, noise, baseline, masks          coordinates   names <-> twin's parameters
    burst         is there one, and where                 cold_start, trace_library  where to begin
    levenberg_marquardt  the minimum                      identify      what the data determine
    validity      may one believe it                      fit_result    what is told
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import burst, validity
from .cold_start import cold_starts
from .coordinates import DERIVED, Coordinates, coordinates
from .crossing import first_light
from .drive import Drive
from .fit_model import BurstModel
from .fit_result import FitResult, Verdict
from .identify import Identification, identify
from .levenberg_marquardt import Minimum, Prior, minimise
from .observation import RAIL_SAMPLES, Observation, observe
from .pentacene import Parameters
from .quantity import nearest
from .receiver import Receiver
from .straightened import Straightened

__all__ = ["FREE", "FitResult", "Verdict", "fit"]

FREE = ("collective_coupling", "cavity_decay", "dephasing_35", "seed_photons", "amplitude_scale")
"""What one linear record of one burst determines. For detector "log" add "detuning"."""

MODELS = ("mean_field", "cumulant", "rate")
_STAGES = (30.0, 10.0, 1.0)  # sigma inflated: wide basins first, for records that ring
_SAMPLES = 1000  # fitted at least, if the record has them: chi2 then tells 5 %
_TRIGGER_MARGIN = 4.0  # standard deviations of start that are not dark


def fit(time: Any, volts: Any, parameters: Parameters, drive: Drive, receiver: Receiver,
        free: Sequence[str] = FREE, model: str = "mean_field",
        prior: Mapping[str, tuple[float, float]] | None = None, sigma: Any = None, model_error: float = 0.0,
        parameter_model_error: Mapping[str, float] | None = None, warm: FitResult | None = None) -> FitResult:
    """Fit one burst: `volts` [V] (T,) at `time` [s] (T,), as `receiver` puts them out.

    For a recorded carrier that is the modulus from `receiver.envelope`, and `sigma` [V] is what comes with it
    (one quadrature); None estimates it before the laser. The drive's clock starts at `start` on the record's
    axis: 0 unless `prior={"start": (mean, sigma)}` says otherwise. `free`: names of `coordinates.FREE_NAMES`;
    a name with a prior that is not free is fitted too, so that its uncertainty reaches the others, but not
    told. `model_error` adds that fraction of the signal to each sample's sigma; `parameter_model_error`
    {name: fraction} becomes `sigma_model`. `warm`: an earlier result to try first.

    The verdict says what became of it. ValueError only for wrong use: unknown names, shapes, nan.
    """
    time, volts, prior, free = _checked(time, volts, free, model, prior, sigma, model_error)
    start, jitter = prior.get("start", (0.0, 0.0))
    laser = start + first_light(drive) - _TRIGGER_MARGIN * jitter
    seen = observe(time, volts, receiver, sigma, laser)
    problem = _Task(free, prior, model, model_error, dict(parameter_model_error or {}), start)
    spoilt = _spoilt(seen)
    if spoilt is not None:
        return _nothing(seen, problem, *spoilt)
    found = burst.locate(seen)
    if found is None:
        return _nothing(seen, problem, Verdict.NO_BURST, "no photon number can be read from this record")
    return _fitted(_trimmed(seen, found), seen, found, parameters, drive, problem, warm)


@dataclass(frozen=True)
class _Task:
    """What was asked: names, priors, model, errors; `start` [s] of the drive's clock on the record's axis."""

    free: tuple[str, ...]
    prior: dict[str, tuple[float, float]]
    model: str
    model_error: float
    parameter_error: dict[str, float]
    start: float

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that is fitted."""
        return tuple(dict.fromkeys((*self.free, *self.prior, "baseline")))

    @property
    def one_twice(self) -> bool:
        """True if start and seed are both free without a prior: a later start is a smaller seed."""
        pair = {"start", "seed_photons"}
        return pair <= set(self.free) and not pair & set(self.prior)

    def prior_of(self, at: Coordinates, seen: Observation) -> Prior:
        mean, weight = np.zeros(len(at.fitted)), np.zeros(len(at.fitted))
        known = {"baseline": (seen.baseline, seen.baseline_sigma), **self.prior}
        for i, c in enumerate(at.fitted):
            if c.name in known:
                value, error = known[c.name]
                mean[i], weight[i] = c.of(value), 1.0 / c.sigma_of(value, error)
        return Prior(mean, weight)


def _checked(time: Any, volts: Any, free: Sequence[str], model: str, prior: Any, sigma: Any,
             model_error: float) -> tuple[np.ndarray, np.ndarray, dict, tuple[str, ...]]:
    time, volts = np.ascontiguousarray(time, float), np.ascontiguousarray(volts, float)
    if time.ndim != 1 or time.shape != volts.shape or len(time) < 20:
        raise ValueError(f"time {time.shape} and volts {volts.shape} must be equal rows of 20 or more")
    for name, row in (("time", time), ("volts", volts)):
        if not np.all(np.isfinite(row)):
            place = int(np.argmin(np.isfinite(row)))
            raise ValueError(f"{name}[{place}] = {row[place]} is not finite: cut the record or mend it")
    if np.any(np.diff(time) <= 0.0):
        raise ValueError("time must increase")
    if sigma is not None and not (np.all(np.isfinite(sigma)) and np.all(np.asarray(sigma, float) > 0.0)
                                  and np.shape(sigma) in ((), time.shape)):
        raise ValueError(f"sigma must be positive volts, one number or {time.shape}, found {np.shape(sigma)}")
    if model not in MODELS:
        raise ValueError("model: " + nearest(str(model), MODELS))
    if not 0.0 <= model_error < 1.0:
        raise ValueError(f"model_error = {model_error:g} is a fraction in 0 .. 1")
    free = (free,) if isinstance(free, str) else tuple(dict.fromkeys(free))
    found = {name: (float(mean), float(error)) for name, (mean, error) in dict(prior or {}).items()}
    for name, (mean, error) in found.items():
        if not (np.isfinite(mean) and np.isfinite(error) and error > 0.0):
            raise ValueError(f"prior {name} = ({mean:g}, {error:g}): expected a mean and a positive sigma")
    return time, volts, found, free


def _spoilt(seen: Observation) -> tuple[Verdict, str] | None:
    """The verdict on a record that no model should see, with its reason."""
    rails, above = seen.faults()
    if rails >= RAIL_SAMPLES:
        return Verdict.CLIPPED, f"{rails} samples lie at a rail of the converter"
    if above >= RAIL_SAMPLES:
        return Verdict.OVERLOADED, f"{above} samples lie above the detector's ceiling"
    if seen.kind == "modulus" and np.mean(seen.volts < -2.0 * seen.noise) > 0.05:
        return Verdict.MODEL_NOT_VALID, ("a modulus cannot be negative: this looks like the raw carrier; "
                                         "demodulate it with twin.receiver.envelope")
    if not burst.is_there(seen):
        return Verdict.NO_BURST, "nothing in the record rises above 5 sigma of its noise"
    return None


def _trimmed(seen: Observation, found: burst.Burst) -> Observation:
    """Without most of the dark tail, which costs time and tells nothing."""
    first = int(np.argmax(~seen.dark))
    last = int(np.searchsorted(seen.time, found.end, side="right"))
    return seen.until(max(last, min(first + _SAMPLES, len(seen.time))))


def _fitted(seen: Observation, whole: Observation, found: burst.Burst, parameters: Parameters, drive: Drive,
            task: _Task, warm: FitResult | None) -> FitResult:
    at = coordinates(parameters, drive, task.names, seen.noise)
    prior = task.prior_of(at, seen)
    if int(np.sum(seen.used)) < 2 * len(at.fitted):
        return _nothing(whole, task, Verdict.NOT_IDENTIFIABLE, "too few samples carry the burst")
    delay = 0.0 if "seed_photons" in task.prior else found.half - task.start - first_light(drive)
    model = BurstModel(seen, at, Straightened(at, max(delay, 0.0)), task.model, task.start, task.model_error)
    best = _search(model, seen, prior, _starts(at, seen, found, task, warm), task.prior)
    if best is None:
        return _nothing(whole, task, Verdict.NOT_CONVERGED, "no start lies within the parameters' bounds")
    return _told(best, at, prior, whole, model, task)


def _starts(at: Coordinates, seen: Observation, found: burst.Burst, task: _Task,
            warm: FitResult | None) -> Iterator[np.ndarray]:
    declared = at.declared(task.start, seen.baseline)
    declared.update({n: v for n, (v, _) in task.prior.items() if n in declared})
    if warm is not None and warm.parameters:
        yield at.vector({**declared, **warm.nuisance, **warm.parameters, "baseline": seen.baseline})
    yield from cold_starts(at, declared, found, task.start)


def _search(model: BurstModel, seen: Observation, prior: Prior, starts: Iterable[np.ndarray],
            known: Mapping[str, tuple[float, float]]) -> Minimum | None:
    """The best minimum in u: straight from each start until one explains the record, else by stages."""
    best: Minimum | None = None
    tried = []
    for start in starts:
        found = _descend(model, seen, prior, model.straight.searched(start))
        if found is None:
            continue
        told = model.straight.minimum(found)
        if validity.believable(told, model.at, seen, known):
            return told
        tried.append(start)
        best = told if best is None or told.chi2 < best.chi2 else best
    for start in tried[:2]:
        staged = _staged(model, seen, prior, model.straight.searched(start))
        if staged is not None and best is not None and staged.chi2 < best.chi2:
            best = staged
    return best


def _descend(model: BurstModel, seen: Observation, prior: Prior, start: np.ndarray) -> Minimum | None:
    found = minimise(model, seen.volts, start, prior, evaluations=18)
    if found is None or found.converged or not validity.plausible_chi2(found.chi2, seen, len(start)):
        return found
    # The right valley, but a bent one: weak bursts leave a narrow trough.
    return minimise(model, seen.volts, found.at, prior, evaluations=60, first=found.evaluation)


def _staged(model: BurstModel, seen: Observation, prior: Prior, start: np.ndarray) -> Minimum | None:
    """Sigma inflated first, so that the wide basin comes before the narrow one; in u."""
    found = None
    for inflation in _STAGES:
        found = minimise(model, seen.volts, start if found is None else found.at, prior, inflation)
        if found is None:
            return None
    return None if found is None else model.straight.minimum(found)


def _told(best: Minimum, at: Coordinates, prior: Prior, whole: Observation, model: BurstModel,
          task: _Task) -> FitResult:
    known = identify(at.names, best.normal)
    identifiable = {n: known.identifiable(n) and not (task.one_twice and n in ("start", "seed_photons"))
                    for n in task.free}
    names = tuple(n for n in task.free if identifiable[n])
    index = [at.names.index(n) for n in names]
    scale = np.array([at.fitted[i].sigma(best.at[i], 1.0) if at.fitted[i].kind != "square" else
                      at.fitted[i].sigma(best.at[i], known.sigma[i]) / known.sigma[i] for i in index])
    values = {n: float(at.fitted[i].value(best.at[i])) for n, i in zip(names, index, strict=True)}
    covariance = known.covariance[np.ix_(index, index)] * np.outer(scale, scale)
    sigma = np.sqrt(np.diag(covariance)) if names else np.empty(0)
    verdict, message = validity.judge(best, at, known.sigma, prior, model.seen, task.prior)
    if verdict is Verdict.OK and not all(identifiable.values()):
        verdict = Verdict.NOT_IDENTIFIABLE
        message = "not determined by this record: " + ", ".join(n for n in task.free if not identifiable[n])
        if task.one_twice:
            message = "start and seed_photons are one parameter: give start a prior (the photodiode's edge)"
    dead = [] if all(identifiable.values()) else _dead_directions(known, task)
    line, deviation = model.line(best.at, whole)
    used = whole.used & (np.arange(len(whole.time)) < len(model.seen.time))
    return FitResult(
        verdict, message, values, dict(zip(names, map(float, sigma), strict=True)),
        {n: abs(v) * task.parameter_error.get(n, 0.0) for n, v in values.items()}, covariance, identifiable,
        dead, known.singular_values, validity.chi2_per_dof(best.chi2, model.seen, prior, len(at.fitted)),
        np.where(used, (whole.volts - line) / deviation, 0.0), used, line, deviation,
        tuple(n for n in names if n in DERIVED),
        {c.name: float(c.value(u)) for c, u in zip(at.fitted, best.at, strict=True)
         if c.name not in task.free},
        task.model, model.evaluations)


def _dead_directions(known: Identification, task: _Task) -> list[dict[str, float]]:
    if task.one_twice:
        pair = [known.names.index(n) for n in ("start", "seed_photons")]
        shares = [float(np.sum(d[pair] ** 2)) / s**2 for d, s in
                  zip(known.directions, known.singular_values, strict=True)]
        weakest = known.directions[int(np.argmax(shares))]
        return [{n: float(w) for n, w in zip(known.names, weakest, strict=True) if abs(w) > 0.1}]
    asked = set(task.free)
    return [d for d in known.dead_directions(task.free) if asked & set(d)]


def _nothing(seen: Observation, task: _Task, verdict: Verdict, message: str) -> FitResult:
    """A verdict without parameters; residuals are against darkness."""
    dark = seen.darkness()
    used = ~seen.dark if seen.kind != "log" else np.ones(len(seen.time), bool)
    residuals = np.where(used, (seen.volts - dark.mean) * dark.weight, 0.0)
    chi2 = float(residuals @ residuals) / max(int(np.sum(used)), 1)
    return FitResult(verdict, message, {}, {}, {}, np.empty((0, 0)), dict.fromkeys(task.free, False), [],
                     np.empty(0), min(chi2, 1e300), residuals, used, dark.mean, 1.0 / dark.weight,
                     model=task.model)
