"""A laser-triggered transient (driven EPR): offset, onset, nutation, decay, noise.

Spins driven resonantly from the moment the laser has polarised them nutate; over all orientations of
a powder the cosine becomes a Bessel function, A J0(2 pi f t) exp(-t/T), t from the onset; the resonator
lets the signal in with a time constant of its own. A damped cosine with a free phase is fitted too, for
single crystals. Text in, numbers out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

_SEEN = 6.0  # a signal stands this many standard deviations of a smoothed point above the noise
_SMOOTH = 5
_DECAYS = np.array([0.1, 0.3, 1.0, 5.0])  # trial decay times, as parts of the record
_TRIALS = 400  # trial frequencies
_THINNED = 5000

Shape = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Transient:
    """What a record tells. `verdict` is "OK" or the reason why `parameters` and `sigma` are empty.

    Names: offset [V], onset [s], noise [V rms] and, where the record shows a nutation, nutation_frequency
    [Hz], nutation_frequency_cosine [Hz], decay_time [s] (of the better of the two lines). `model` (T,) [V].
    """

    verdict: str
    parameters: Mapping[str, float] = field(default_factory=dict)
    sigma: Mapping[str, float] = field(default_factory=dict)
    chi2_per_dof: float = math.nan
    model: np.ndarray | None = None


def read_transient(text: str) -> tuple[np.ndarray, np.ndarray]:
    """(time [s], volts): CSV of seconds and volts, or the ASCII format of a transient spectrometer.

    The latter has a comment of three lines, a line `traces points start stop ...`, a line of units, then
    the values of one trace, several to a line. ValueError with the line where the text is neither.
    """
    lines = text.lstrip("\ufeff").splitlines()
    if lines and lines[0].lower().startswith("source"):
        return _spectrometer(lines)
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            cells = [float(cell) for cell in re.split(r"[,;\s]+", line.strip(" ,;\t\r"))]
        except ValueError:
            if rows:
                raise ValueError(f"line {number}: expected seconds and volts, found {line[:60]!r}") from None
            continue
        if len(cells) != 2:
            raise ValueError(f"line {number}: expected two columns, seconds and volts, found {len(cells)}")
        rows.append(cells)
    table = np.array(rows).reshape(-1, 2)
    return _checked(table[:, 0], table[:, 1])


def _spectrometer(lines: list[str]) -> tuple[np.ndarray, np.ndarray]:
    try:
        traces, points, start, stop = (float(word) for word in lines[3].split()[:4])
        values = np.array([float(word) for line in lines[5:] for word in line.split()])
    except (IndexError, ValueError):
        raise ValueError("line 4: expected `traces points start stop`, then a line of units and the values; "
                         "this is not the ASCII format of a transient") from None
    if traces != 1:
        raise ValueError(f"line 4: the file holds {traces:g} traces; expected one")
    if len(values) != points:
        raise ValueError(f"line 4 announces {points:g} points, found {len(values)}")
    return _checked(np.linspace(start, stop, len(values)), values)


def _checked(time: np.ndarray, volts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(time) < 50:
        raise ValueError(f"found {len(time)} points of a transient; an analysis needs 50 at least")
    if not (np.isfinite(time).all() and np.isfinite(volts).all() and np.all(np.diff(time) > 0.0)):
        raise ValueError("times must rise, and all values be finite")
    return time, volts


def analyse_transient(time: np.ndarray, volts: np.ndarray) -> Transient:
    """Offset and noise before the signal, its onset, and its nutation; ValueError for a wrong record."""
    time, volts = _checked(np.asarray(time, float), np.asarray(volts, float))
    dark = _dark_part(time, volts)
    if dark is None:
        return Transient("no signal stands out of the noise; check trigger and averaging")
    offset, noise = float(volts[dark].mean()), float(volts[dark].std(ddof=1))
    noise = max(noise, 1e-6 * float(np.ptp(volts)))
    onset = _onset(time, volts - offset)
    interval = float(np.median(np.diff(time)))
    found = {"offset": offset, "onset": onset, "noise": noise}
    sigma = {"offset": noise / math.sqrt(dark.sum()), "onset": 0.5 * interval,
             "noise": noise / math.sqrt(2.0 * dark.sum())}
    t, v = time - onset, volts - offset
    powder = _fit(_bessel(), t, v, noise, phase=False)
    cosine = _fit(np.cos, t, v, noise, phase=True)
    for name, line in (("nutation_frequency", powder), ("nutation_frequency_cosine", cosine)):
        if line.nutates:
            found[name], sigma[name] = line.frequency, line.frequency_sigma
    better = min(powder, cosine, key=lambda line: line.chi2)
    found["decay_time"], sigma["decay_time"] = better.decay, better.decay_sigma
    return Transient("OK", found, sigma, better.chi2, better.model + offset)


def _dark_part(time: np.ndarray, volts: np.ndarray) -> np.ndarray | None:
    """Samples before the signal: those before t = 0 that are quiet, or before it leaves the first ones."""
    smooth = np.convolve(volts, np.full(_SMOOTH, 1.0 / _SMOOTH), mode="same")
    first = time < 0.0
    if first.sum() < 20:
        first = np.arange(len(time)) < max(20, len(time) // 50)
    level, spread = float(volts[first].mean()), float(volts[first].std())
    away = np.abs(smooth - level) > _SEEN * max(spread, 1e-9 * float(np.ptp(volts))) / math.sqrt(_SMOOTH)
    away[: _SMOOTH] = away[-_SMOOTH:] = False
    runs = np.convolve(away, np.ones(_SMOOTH), mode="valid") >= _SMOOTH
    if not runs.any():
        return None
    dark = np.zeros(len(time), bool)
    dark[: max(0, int(np.argmax(runs)) - 2 * _SMOOTH)] = True
    return dark if dark.sum() >= 15 else None


def _onset(time: np.ndarray, volts: np.ndarray) -> float:
    """Where the signal first reaches a tenth of its first extreme, going back from half of it."""
    smooth = np.convolve(volts, np.full(3, 1.0 / 3.0), mode="same")
    peak = float(smooth[np.argmax(np.abs(smooth))])
    height = smooth / peak
    half = int(np.argmax(height > 0.5))
    below = np.flatnonzero(height[:half + 1] < 0.1)
    if not len(below):
        return float(time[0])
    i = int(below[-1])
    share = (0.1 - height[i]) / (height[i + 1] - height[i])
    return float(time[i] + share * (time[i + 1] - time[i]))


def _bessel() -> Shape:
    from scipy.special import j0

    return j0


@dataclass(frozen=True)
class _Line:
    """One damped oscillation fitted: frequency [Hz], decay [s], their standard deviations, the line [V]."""

    frequency: float
    decay: float
    frequency_sigma: float
    decay_sigma: float
    chi2: float
    model: np.ndarray

    @property
    def nutates(self) -> bool:
        """At least a quarter turn within the decay, and a frequency that is more than a guess."""
        return self.frequency * self.decay > 0.25 and self.frequency_sigma < 0.2 * self.frequency


def _fit(shape: Shape, t: np.ndarray, v: np.ndarray, noise: float, phase: bool) -> _Line:
    """Least squares of A shape(2 pi f (t - t0) + phase) exp(-(t - t0)/T) (1 - exp(-(t - t0)/rise))."""
    from scipy.optimize import least_squares

    span = float(t[-1])
    used = t > -0.05 * span
    x, y = t[used] / span, v[used]

    def line(p: np.ndarray, x: np.ndarray) -> np.ndarray:
        amplitude, log_f, log_decay, start, log_rise, angle, level = p
        late = np.maximum(x - start, 0.0)
        turned = shape(2.0 * math.pi * math.exp(log_f) * late + (angle if phase else 0.0))
        inside = np.exp(-late / math.exp(log_decay)) * -np.expm1(-late / math.exp(log_rise))
        return level + amplitude * turned * inside

    scale = float(np.max(np.abs(y)))
    turn = 2.0 * math.pi
    low, high = 1e-2, 0.6 * len(x)  # turns per record
    bounds = (np.array([-1e3 * scale, math.log(low), math.log(1e-3), -0.03, math.log(1e-5), -turn, -scale]),
              np.array([1e3 * scale, math.log(high), math.log(1e3), 0.03, math.log(0.1), turn, scale]))
    best = None
    for guess in _guesses(shape, x, y, phase):
        inside = np.clip(guess, bounds[0] + 1e-9, bounds[1] - 1e-9)
        fit = least_squares(lambda p: (line(p, x) - y) / noise, inside, bounds=bounds, x_scale="jac",
                            max_nfev=100)
        best = fit if best is None or fit.cost < best.cost else best
    assert best is not None
    dof = max(1, len(x) - len(best.x))
    chi2 = 2.0 * best.cost / dof
    covariance = np.linalg.pinv(best.jac.T @ best.jac) * max(1.0, chi2) * _correlation(best.fun)
    f, decay = math.exp(best.x[1]) / span, math.exp(best.x[2]) * span
    return _Line(f, decay, f * math.sqrt(covariance[1, 1]), decay * math.sqrt(covariance[2, 2]), chi2,
                 line(best.x, t / span))


def _guesses(shape: Shape, x: np.ndarray, y: np.ndarray, phase: bool) -> list[np.ndarray]:
    """Starting points from a grid over frequency and decay; amplitudes by linear algebra."""
    keep = np.flatnonzero(x > 0.0)[:: max(1, int(np.sum(x > 0.0)) // _THINNED)]
    x, y = x[keep], y[keep]
    trials = np.geomspace(0.3, min(0.3 * len(x), 400.0), _TRIALS)
    found: list[tuple[float, np.ndarray]] = []
    for decay in _DECAYS:
        fade = np.exp(-x / decay)
        for f in trials:
            columns = [shape(2.0 * math.pi * f * x) * fade]
            if phase:
                columns.append(np.sin(2.0 * math.pi * f * x) * fade)
            a = np.stack(columns)
            normal, right = a @ a.T, a @ y
            amplitudes = np.linalg.solve(normal + 1e-12 * np.trace(normal) * np.eye(len(a)), right)
            gain = float(right @ amplitudes)
            size = math.hypot(*amplitudes) * (1.0 if phase else math.copysign(1.0, amplitudes[0]))
            angle = math.atan2(-amplitudes[1], amplitudes[0]) if phase else 0.0
            found.append((gain, np.array([size, math.log(f), math.log(decay), 0.0, math.log(3e-3), angle,
                                          0.0])))
    found.sort(key=lambda pair: -pair[0])
    best = [found[0][1]]
    best += [g for _, g in found[1:60] if abs(g[1] - best[0][1]) > 0.1][:1]
    return best


def _correlation(left: np.ndarray) -> float:
    """Factor by which neighbours that err together inflate a variance."""
    n = len(left)
    rho = np.fft.ifft(np.abs(np.fft.fft(left - left.mean(), 2 * n)) ** 2).real[:n]
    if not rho[0] > 0.0:
        return 1.0
    stop = int(np.argmax(rho < 0.0)) or n
    return max(1.0, float(2.0 * np.sum(rho[:stop]) / rho[0] - 1.0))
