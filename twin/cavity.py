"""Quality factor, coupling and cable delay from a frequency sweep of the cavity.

S(f) = (1 + b x) exp(-2 pi i f tau) (c0 + c1/(1 + 2 i Q_L (f - f0)/f0)): a background that may slope, a
cable, a constant (all of the reflection off resonance; leakage in transmission) and the mode. The
resonance draws a circle of diameter |c1/c0|; in reflection that is 2k/(1 + k) (Kajfez, Q Factor
Measurements Using MATLAB, 2011), magnitudes relative to off resonance, so that cable loss drops out.

What the data do not tell is refused: a dip no larger than the ripple of its background carries no Q.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .quantity import nearest
from .sweep_text import KINDS, Sweep, read_sweep

__all__ = ["CavityFit", "Sweep", "fit_cavity", "fit_cavity_power", "fit_sweep", "read_sweep"]

_QUALITIES = np.geomspace(0.7, 400.0, 22)  # trial line widths, as parts of the span
_THINNED = 400  # points for the search


@dataclass(frozen=True)
class CavityFit:
    """What a sweep tells. `verdict` is "OK" or the reason why `parameters` and `sigma` are empty.

    Names: frequency [Hz], loaded_quality, unloaded_quality, coupling_factor (reflection), cable_delay [s]
    (complex sweeps). `model` (P,) is the fitted line, complex or a modulus like the data.
    """

    verdict: str
    parameters: Mapping[str, float] = field(default_factory=dict)
    sigma: Mapping[str, float] = field(default_factory=dict)
    chi2_per_dof: float = math.nan
    model: np.ndarray | None = None
    kind: str = "reflection"

    @property
    def ok(self) -> bool:
        return self.verdict == "OK"


def fit_sweep(sweep: Sweep, kind: str = "reflection") -> CavityFit:
    """`fit_cavity` or, for a scalar sweep, `fit_cavity_power`."""
    if sweep.scalar:
        return fit_cavity_power(sweep.frequency, 20.0 * np.log10(sweep.s), kind)
    return fit_cavity(sweep.frequency, sweep.s, kind)


def fit_cavity(frequency: np.ndarray, s: np.ndarray, kind: str = "reflection") -> CavityFit:
    """Fit a complex sweep, frequency [Hz] (P,) and s (P,). ValueError for shapes and an unknown kind."""
    f, s = _checked(frequency, s, kind)
    model = _Complex(f, kind)
    best = min((_least_squares(model, guess, s) for guess in model.guesses(s)),
               key=lambda fit: fit[1])
    return _answer(model, best[0], s, _smooth_noise(s), kind)


def fit_cavity_power(frequency: np.ndarray, power_db: np.ndarray, kind: str = "reflection",
                     overcoupled: bool = False) -> CavityFit:
    """Fit a sweep of power alone [dB]. In reflection k and 1/k look alike: `overcoupled` says which."""
    f, power = _checked(frequency, 10.0 ** (np.asarray(power_db, float) / 10.0), kind)
    model = _Power(f, kind, overcoupled)
    best = min((_least_squares(model, guess, power) for guess in model.guesses(power)),
               key=lambda fit: fit[1])
    return _answer(model, best[0], power, _smooth_noise(power), kind)


def _checked(frequency: Any, s: Any, kind: str) -> tuple[np.ndarray, np.ndarray]:
    if kind not in KINDS:
        raise ValueError("kind: " + nearest(str(kind), KINDS))
    f, s = np.asarray(frequency, float), np.asarray(s)
    if f.ndim != 1 or f.shape != s.shape or len(f) < 20:
        raise ValueError(f"frequency {f.shape} and s {s.shape} must be two equal rows of 20 points at least")
    if not (np.isfinite(f).all() and np.isfinite(s).all() and np.all(np.diff(f) > 0.0) and f[0] > 0.0):
        raise ValueError("frequencies must be positive, finite and rise; s must be finite")
    return f, s


class _Axis:
    """The sweep's axis in units that suit a computer: x in -1 .. 1 over the span."""

    def __init__(self, f: np.ndarray, kind: str) -> None:
        self.f, self.kind = f, kind
        self.middle, self.half = 0.5 * (f[0] + f[-1]), 0.5 * (f[-1] - f[0])
        self.x = (f - self.middle) / self.half

    def mode(self, place: float, width: float) -> np.ndarray:
        """1/(1 + 2 i Q (f - f0)/f0): centre and full width in units of x."""
        return 1.0 / (1.0 + 2j * (self.x - place) / width)

    def mode_with_slopes(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The mode, its derivatives by centre and by ln width."""
        width = math.exp(p[1])
        mode = self.mode(p[0], width)
        by_place = mode**2 * 2j / width
        return mode, by_place, by_place * (self.x - p[0])

    def trials(self) -> tuple[np.ndarray, np.ndarray]:
        """Centres and widths on a grid, in units of x."""
        widths = 2.0 / _QUALITIES
        steps = [np.linspace(-1.05, 1.05, int(min(160, 2.1 / (0.5 * w) + 3))) for w in widths]
        return np.concatenate(steps), np.repeat(widths, [len(places) for places in steps])

    def named(self, place: float, width: float) -> tuple[float, float]:
        """frequency [Hz] and loaded quality."""
        frequency = self.middle + place * self.half
        return frequency, frequency / (width * self.half)

    def thin(self) -> slice:
        return slice(None, None, max(1, len(self.f) // _THINNED))


class _Complex(_Axis):
    """Parameters: centre, ln width, delay, slope, Re c0, Im c0, Re c1, Im c1; delay in 1/(pi span)."""

    def model(self, p: np.ndarray) -> np.ndarray:
        place, log_width, delay, slope = p[:4]
        inner = (p[4] + 1j * p[5]) + (p[6] + 1j * p[7]) * self.mode(place, math.exp(log_width))
        return (1.0 + slope * self.x) * np.exp(-1j * delay * self.x) * inner

    def residual(self, p: np.ndarray, s: np.ndarray) -> np.ndarray:
        r = self.model(p) - s
        return np.concatenate([r.real, r.imag])

    def jacobian(self, p: np.ndarray, _: np.ndarray) -> np.ndarray:
        mode, by_place, by_width = self.mode_with_slopes(p)
        cable = np.exp(-1j * p[2] * self.x)
        outer = (1.0 + p[3] * self.x) * cable
        c0, c1 = p[4] + 1j * p[5], p[6] + 1j * p[7]
        inner = c0 + c1 * mode
        columns = np.stack([outer * c1 * by_place, outer * c1 * by_width, -1j * self.x * outer * inner,
                            self.x * cable * inner, outer, 1j * outer, outer * mode, 1j * outer * mode],
                           axis=1)
        return np.concatenate([columns.real, columns.imag])

    def guesses(self, s: np.ndarray) -> list[np.ndarray]:
        """The best starting points of a grid over centre, width and delay; amplitudes by linear algebra."""
        part = self.thin()
        x = self.x[part]
        turn = np.angle(s[1:] * s[:-1].conj()) / np.diff(self.x)
        straight = -float(np.median(turn))
        ends = max(3, len(s) // 12)
        outer = -0.5 * float(np.median(turn[:ends]) + np.median(turn[-ends:]))
        places, widths = self.trials()
        modes = 1.0 / (1.0 + 2j * (x - places[:, None]) / widths[:, None])
        found = []
        for delay in {straight, outer, *(straight + np.array([-2.0, -1.0, 1.0, 2.0]) * 1.5)}:
            y = s[part] * np.exp(1j * delay * x)
            left, c0, c1 = _two_amplitudes(modes, y)
            i = int(np.argmin(left))
            found.append((left[i], np.array([places[i], math.log(widths[i]), delay, 0.0, c0[i].real,
                                             c0[i].imag, c1[i].real, c1[i].imag])))
        found.sort(key=lambda pair: pair[0])
        return [guess for _, guess in found[:3]]

    def contrast(self, p: np.ndarray) -> float:
        return math.hypot(p[6], p[7])

    def scale(self, p: np.ndarray) -> float:
        return math.hypot(p[4], p[5]) if self.kind == "reflection" else math.hypot(p[6], p[7])

    def width(self, p: np.ndarray) -> tuple[float, float]:
        return p[0], math.exp(p[1])

    def names(self, p: np.ndarray) -> dict[str, float]:
        frequency, quality = self.named(*self.width(p))
        found = {"frequency": frequency, "loaded_quality": quality}
        if self.kind == "reflection":
            diameter = math.hypot(p[6], p[7]) / math.hypot(p[4], p[5])
            k = diameter / (2.0 - diameter)
            found |= {"unloaded_quality": quality * (1.0 + k), "coupling_factor": k}
        return found | {"cable_delay": p[2] / (2.0 * math.pi * self.half)}


class _Power(_Axis):
    """Parameters: centre, ln width, slope, level, absorption, dispersion: |S|^2 of the complex model."""

    def __init__(self, f: np.ndarray, kind: str, overcoupled: bool) -> None:
        super().__init__(f, kind)
        self.overcoupled = overcoupled

    def model(self, p: np.ndarray) -> np.ndarray:
        mode = self.mode(p[0], math.exp(p[1]))
        return (1.0 + p[2] * self.x) * (p[3] + p[4] * mode.real + p[5] * mode.imag)

    def residual(self, p: np.ndarray, power: np.ndarray) -> np.ndarray:
        return self.model(p) - power

    def jacobian(self, p: np.ndarray, _: np.ndarray) -> np.ndarray:
        mode, by_place, by_width = self.mode_with_slopes(p)
        tilt = 1.0 + p[2] * self.x
        line = p[3] + p[4] * mode.real + p[5] * mode.imag
        return np.stack([tilt * (p[4] * by_place.real + p[5] * by_place.imag),
                         tilt * (p[4] * by_width.real + p[5] * by_width.imag),
                         self.x * line, tilt, tilt * mode.real, tilt * mode.imag], axis=1)

    def guesses(self, power: np.ndarray) -> list[np.ndarray]:
        part = self.thin()
        places, widths = self.trials()
        modes = 1.0 / (1.0 + (2.0 * (self.x[part] - places[:, None]) / widths[:, None]) ** 2)
        left, level, height = _two_amplitudes(modes, power[part])
        order = np.argsort(left)[:3]
        return [np.array([places[i], math.log(widths[i]), 0.0, level[i].real, height[i].real, 0.0])
                for i in order]

    def contrast(self, p: np.ndarray) -> float:
        return abs(p[4])

    def scale(self, p: np.ndarray) -> float:
        return abs(p[3]) if self.kind == "reflection" else abs(p[4])

    def width(self, p: np.ndarray) -> tuple[float, float]:
        return p[0], math.exp(p[1])

    def names(self, p: np.ndarray) -> dict[str, float]:
        frequency, quality = self.named(*self.width(p))
        found = {"frequency": frequency, "loaded_quality": quality}
        if self.kind == "reflection":
            bottom = math.sqrt(max(0.0, 1.0 + p[4] / p[3]))  # |1 - k|/(1 + k)
            k = (1.0 + bottom) / (1.0 - bottom) if self.overcoupled else (1.0 - bottom) / (1.0 + bottom)
            found |= {"unloaded_quality": quality * (1.0 + k), "coupling_factor": k}
        return found


def _two_amplitudes(modes: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every trial mode (M, P): what y = c0 + c1 mode leaves over, c0 and c1 (M,)."""
    mean, centre = modes.mean(axis=1), y - y.mean()
    spread = modes - mean[:, None]
    power = np.sum(np.abs(spread) ** 2, axis=1)
    c1 = (spread.conj() @ centre) / power
    return np.sum(np.abs(centre) ** 2) - np.abs(c1) ** 2 * power, y.mean() - c1 * mean, c1


def _least_squares(model: Any, guess: np.ndarray, data: np.ndarray) -> tuple[np.ndarray, float]:
    from scipy.optimize import least_squares

    fit = least_squares(model.residual, guess, jac=model.jacobian, args=(data,), method="lm", x_scale="jac",
                        max_nfev=200, ftol=1e-10, xtol=1e-10, gtol=1e-12)
    return fit.x, float(fit.cost)


def _smooth_noise(s: np.ndarray) -> float:
    """Standard deviation of the noise per real component, from third differences."""
    rough = np.abs(s[3:] - 3.0 * s[2:-1] + 3.0 * s[1:-2] - s[:-3]) ** 2
    parts = 2.0 if np.iscomplexobj(s) else 1.0
    return max(math.sqrt(float(np.mean(rough)) / (20.0 * parts)), 1e-9 * float(np.max(np.abs(s))))


def _answer(model: Any, p: np.ndarray, data: np.ndarray, noise: float, kind: str) -> CavityFit:
    residual = model.residual(p, data)
    left = data - model.model(p)
    dof = max(1, len(residual) - len(p))
    chi2 = float(np.sum(residual**2)) / noise**2 / dof
    place, width = model.width(p)
    step = float(np.median(np.diff(model.x)))
    refusal = _refusal(model, p, left, place, width, step)
    if refusal:
        return CavityFit(refusal, chi2_per_dof=chi2, model=model.model(p), kind=kind)
    jacobian = model.jacobian(p, data)
    covariance = np.linalg.pinv(jacobian.T @ jacobian) * float(np.sum(residual**2)) / dof * _correlation(left)
    slopes = _slopes(lambda q: np.array(list(model.names(q).values())), p)
    names = model.names(p)
    sigma = np.sqrt(np.maximum(np.diag(slopes @ covariance @ slopes.T), 0.0))
    names = {name: float(value) for name, value in names.items()}
    errors = dict(zip(names, map(float, sigma), strict=True))
    return CavityFit("OK", names, errors, chi2, model.model(p), kind)


def _refusal(model: Any, p: np.ndarray, left: np.ndarray, place: float, width: float, step: float) -> str:
    ripple = _ripple(left)
    contrast = model.contrast(p)
    relative = contrast / model.scale(p) if model.scale(p) else math.inf
    if not contrast > 2.0 * ripple:
        return (f"the resonance is no larger than the ripple of its background: {contrast:.3g} against "
                f"{ripple:.3g} peak to peak; no Q can be told. Couple more strongly, or divide by a sweep "
                "without the resonance")
    if not -1.0 < place < 1.0:
        return "the resonance lies outside the sweep; move the span"
    if width > 1.5:
        return ("no dip stands out of the ripple of the background: the largest feature is wider than the "
                "sweep; widen the span if the line is that wide")
    if width < 2.0 * step:
        return "fewer than two points fall on the resonance; narrow the span or take more points"
    if model.kind == "reflection" and isinstance(model, _Complex) and relative >= 2.0:
        return ("the circle is larger than a passive cavity's; check the calibration, or try "
                "--kind transmission")
    if model.kind == "reflection" and isinstance(model, _Power) and p[4] > 0.0:
        return "reflection shows a peak where a dip is expected; try --kind transmission"
    return ""


def _ripple(left: np.ndarray) -> float:
    """Peak to peak of what a fit leaves over, noise averaged away."""
    reach = max(1, len(left) // 60)
    smooth = np.convolve(left, np.full(reach, 1.0 / reach), mode="valid")
    parts = (smooth.real, smooth.imag) if np.iscomplexobj(smooth) else (smooth,)
    return max(float(np.ptp(part)) for part in parts)


def _correlation(left: np.ndarray) -> float:
    """Factor by which neighbours that err together inflate a variance: the sum of autocorrelations."""
    n = len(left)
    spectrum = np.abs(np.fft.fft(left - left.mean(), 2 * n)) ** 2
    rho = np.fft.ifft(spectrum).real[:n]
    if not rho[0] > 0.0:
        return 1.0
    rho = rho / rho[0]
    stop = int(np.argmax(rho < 0.0)) or n
    return max(1.0, float(2.0 * np.sum(rho[:stop]) - 1.0))


def _slopes(function: Any, p: np.ndarray) -> np.ndarray:
    columns = []
    for i in range(len(p)):
        h = 1e-6 * max(abs(p[i]), 1e-3)
        up, down = p.copy(), p.copy()
        up[i] += h
        down[i] -= h
        columns.append((function(up) - function(down)) / (2.0 * h))
    return np.stack(columns, axis=1)
