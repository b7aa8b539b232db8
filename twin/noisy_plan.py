"""What all shots of one crystal, drive and spread share: steps, rates in each segment, noise, layout.

Without a spread `side_by_side.SHOTS` shots stand abreast in one vector. With one, a shot's vector holds
the mode and the mean molecule, then the molecule of every bin (`side_by_side.over_bins`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .bins import without_bins
from .drive import CLOSEST, Drive, Gaussian, Steps
from .langevin import MODE, coherence_noise, mode_noise
from .pentacene import Parameters
from .problem import Problem
from .segments import TONES, held_values, signal_row
from .side_by_side import SHOTS, is_shared
from .spread import Spread

_MOST_STEPS = 20_000_000
"""Steps of one shot: a few seconds."""
_BLOCK = 8192
"""Random numbers drawn at once for each shot: all of them at once would not fit the cache."""
_POPULATIONS = tuple(f"s{i}{i}" for i in range(1, 6))
_ERROR = 1e-4
_MEMORY = 2e-6
"""Time [s] over which a turning coherence remembers its phase; a crystal's 1/Gamma is 1 us."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Arrays as `march` takes them, and how a vector is made and named."""

    parameters: Parameters
    problem: Problem
    spread: Spread | None
    starts: np.ndarray
    lengths: np.ndarray
    counts: np.ndarray
    forms: np.ndarray
    rows: np.ndarray
    places: np.ndarray
    levels: np.ndarray
    strengths: np.ndarray
    columns: np.ndarray

    @property
    def width(self) -> int:
        """Shots in one vector."""
        return SHOTS if self.spread is None else 1

    @property
    def rhs(self) -> int:
        return self.problem.kernel.abreast if self.spread is None else self.problem.kernel.rhs

    @property
    def block(self) -> int:
        """Steps whose noise is drawn at once."""
        return max(1, _BLOCK // self.places.size)

    def start(self, streams: Sequence[np.random.Generator]) -> np.ndarray:
        """The vector at the start of up to `width` shots; a fresh mode is thermal in Wigner's sense.

        That is n_th + 1/2 quanta, half in each quadrature.
        """
        p, index = self.parameters, {v: i for i, v in enumerate(self.problem.kernel.variables)}
        z = np.repeat(self.problem.vector(p)[:, None], self.width, axis=1)
        if self.problem.state is None:
            size = np.sqrt(0.5 * (p.thermal_photons + 0.5) / p.molecules)
            for q, stream in enumerate(streams):
                z[[index[v] for v in MODE], q] = size * stream.standard_normal(2)
        return z.ravel()

    def named(self, last: np.ndarray) -> dict[str, np.ndarray]:
        """A shot's last vector by name; noise acts on bins alone, so the mean molecule is taken from them."""
        found = dict(zip(self.problem.kernel.variables, last.reshape(-1, 1), strict=True))
        if self.spread is not None:
            for v in without_bins(found):
                if not is_shared(v):
                    found[v] = sum((w * found[f"{v}[{b}]"] for b, w in enumerate(self.spread.weights)),
                                   np.zeros(1))
        return found


def plan(p: Parameters, d: Drive, end: float, spread: Spread | None = None, start: float = 0.0,
         state: dict[str, np.ndarray] | None = None) -> Plan:
    """The plan of shots up to `end` [s]; `state` at `start` continues one by `Plan.named`."""
    problem = Problem(p, d, "mean_field", start=start, state=state, phase_open=True, spread=spread)
    starts, stops, lengths, counts = _grid(start, end, d.edges(), _step(problem, p, d, spread))
    held = [held_values(d, a + 0.5 * h) for a, h in zip(starts, lengths, strict=True)]
    forms = np.array([problem.held_forms(p, d, h) for h in held])
    turning, _ = problem.turning(p, d)
    rows = np.array([signal_row(d, a, b, turning) for a, b in zip(starts, stops, strict=True)])
    index = {v: i for i, v in enumerate(problem.kernel.variables)}
    decays = [h.get("cavity_decay", p.cavity_decay) for h in held]
    places, levels, strengths = _kicks(p, index, decays, spread)
    columns = np.array([index[v] for v in (*MODE, *_POPULATIONS)], np.int64)
    return Plan(p, problem, spread, starts, lengths, counts, forms, rows, places, levels, strengths, columns)


def _kicks(p: Parameters, index: dict[str, int], decays: list[float],
           spread: Spread | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Components that noise acts on (P, 2), their populations (P, 5), strengths (S * P, 6) as `march` wants.

    A bin's molecule is the mean over the share of molecules in it, so its noise is by so much larger.
    """
    weights = (1.0,) if spread is None else spread.weights
    kicked = [([index[v] for v in MODE], [-1] * 5, np.zeros(5))]
    for name, factors in coherence_noise(p).items():
        for b, weight in enumerate(weights if f"{name}.im" in index else ()):
            bin = "" if spread is None else f"[{b}]"
            parts = [index[f"{name}.{part}{bin}"] for part in ("re", "im")]
            kicked.append((parts, [index[level + bin] for level in _POPULATIONS], factors / weight))
    strengths = np.zeros((len(decays), len(kicked), 6))
    strengths[:, 0, 0] = mode_noise(p, decays)
    strengths[:, :, 1:] = [factors for _, _, factors in kicked]
    return (np.array([parts for parts, _, _ in kicked], np.int64),
            np.array([levels for _, levels, _ in kicked], np.int64), strengths.reshape(-1, 6))


def _grid(start: float, end: float, edges: tuple[float, ...],
          step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Start, end, length of a step and number of steps of each segment, at most one step beyond `end`.

    A segment is divided, and ends, as if it went on to its own next edge, so that a shot does not depend on
    where the caller stops.
    """
    starts = [start, *(e for e in edges if start + CLOSEST < e < end - CLOSEST)]
    beyond = next((e for e in edges if e >= end - CLOSEST and start + CLOSEST < e < np.inf), None)
    following = [*starts[1:], beyond]
    lengths = [step if b is None else (b - a) / max(1, np.ceil((b - a) / step - 1e-9))
               for a, b in zip(starts, following, strict=True)]
    reach = [*starts[1:], end]
    counts = [max(1, round((b - a) / h) if b < end - CLOSEST else int(np.ceil((b - a) / h - 1e-9)))
              for a, b, h in zip(starts, reach, lengths, strict=True)]
    if sum(counts) > _MOST_STEPS:
        raise ValueError(f"a stochastic shot would take {sum(counts):.3g} steps of {min(lengths):.2g} s; the "
                         f"limit is {_MOST_STEPS}: shorten the times or lower the fastest rate or drive")
    stops = [a + h if b is None else b for a, b, h in zip(starts, following, lengths, strict=True)]
    return np.array(starts), np.array(stops), np.array(lengths, float), np.array(counts, np.int64)


def _step(problem: Problem, p: Parameters, d: Drive, spread: Spread | None) -> float:
    """A step [s] at which Runge-Kutta 4 errs by less than 1e-4 of the peak."""
    exchange = p.collective_coupling * (1.0 if spread is None else max(spread.couplings))
    pump = np.max(getattr(d.pump_rate, "rates", getattr(d.pump_rate, "rate", getattr(
        d.pump_rate, "peak_rate", getattr(d.pump_rate, "values", d.pump_rate)))))
    decay = np.max(np.real(getattr(d.cavity_decay, "values", d.cavity_decay or 0.0)))
    relax = max(2.0 * float(np.real(pump)) + p.spontaneous_emission + p.intersystem_crossing,
                p.cavity_decay, float(decay), p.coherence_decay_35)
    turning = _turning(problem, p, d, spread)
    steps = [0.11 / exchange if exchange else 1e-6, 0.4 / relax if relax else 1e-6]
    if turning:
        # RK4 misses (w h)^5/120 of a turn's radian at each step, and this adds up as long as the phase lasts.
        steps.append((120.0 * _ERROR / (turning * _MEMORY)) ** 0.25 / turning)
    if isinstance(d.pump_rate, Gaussian):
        steps.append(d.pump_rate.fwhm / 8.0)
    return min(steps)


def _turning(problem: Problem, p: Parameters, d: Drive, spread: Spread | None) -> float:
    """The fastest steady rotation [rad/s]: a tone turns populations at 2 Omega, detunings turn phases."""
    tones = sum(2.0 * max(abs(v) for v in (value.values if isinstance(value, Steps) else (value,)))
                for value in (getattr(d, name) for name in TONES))
    frame = problem.flat(p, d)
    energies = [float(np.real(frame[e])) for e in ("energy_3", "energy_4", "energy_5")]
    line = max((abs(delta) for delta in spread.detunings), default=0.0) if spread is not None else 0.0
    return max(tones, abs(frame["mode_detuning"]), max(energies) - min(energies) + line,
               abs(problem.turning(p, d)[0]))
