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
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .quantity import nearest
from .resonance import ComplexLine, PowerLine
from .sweep_text import KINDS, Sweep, read_sweep

_WORTH = 7.0  # log likelihood that leakage must gain to be believed

__all__ = ["CavityFit", "Sweep", "fit_cavity", "fit_cavity_power", "fit_sweep", "read_sweep"]


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
    model = ComplexLine(f, kind)
    noise = _smooth_noise(s)
    free, guesses = np.arange(8), model.guesses(s)
    best, cost = min((_least_squares(model, guess, s, free) for guess in guesses), key=lambda fit: fit[1])
    if kind == "transmission":
        # Leakage and cable delay can stand in for one another; without need of it there is no leakage.
        tight = np.delete(free, (4, 5))
        leakless = [_least_squares(model, _without_constant(guess), s, tight)
                    for guess in (best, *guesses)]
        simple, simple_cost = min(leakless, key=lambda fit: fit[1])
        if simple_cost - cost < _WORTH * max(noise**2, cost / len(s)):
            best, free = simple, tight
    return _answer(model, best, s, noise, free)


def _without_constant(guess: np.ndarray) -> np.ndarray:
    guess = guess.copy()
    guess[4:6] = 0.0
    return guess


def fit_cavity_power(frequency: np.ndarray, power_db: np.ndarray, kind: str = "reflection",
                     overcoupled: bool = False) -> CavityFit:
    """Fit a sweep of power alone [dB]. In reflection k and 1/k look alike: `overcoupled` says which."""
    f, power = _checked(frequency, 10.0 ** (np.asarray(power_db, float) / 10.0), kind)
    model = PowerLine(f, kind, overcoupled)
    free = np.arange(6)
    best, _ = min((_least_squares(model, guess, power, free) for guess in model.guesses(power)),
                  key=lambda fit: fit[1])
    found = _answer(model, best, power, _smooth_noise(power), free)
    return replace(found, model=np.sqrt(np.maximum(model.model(best), 0.0)))


def _checked(frequency: Any, s: Any, kind: str) -> tuple[np.ndarray, np.ndarray]:
    if kind not in KINDS:
        raise ValueError("kind: " + nearest(str(kind), KINDS))
    f, s = np.asarray(frequency, float), np.asarray(s)
    if f.ndim != 1 or f.shape != s.shape or len(f) < 20:
        raise ValueError(f"frequency {f.shape} and s {s.shape} must be two equal rows of 20 points at least")
    if not (np.isfinite(f).all() and np.isfinite(s).all() and np.all(np.diff(f) > 0.0) and f[0] > 0.0):
        raise ValueError("frequencies must be positive, finite and rise; s must be finite")
    return f, s


def _least_squares(model: Any, guess: np.ndarray, data: np.ndarray,
                   free: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit the parameters with index `free`; the others stay."""
    from scipy.optimize import least_squares

    def whole(q: np.ndarray) -> np.ndarray:
        p = guess.copy()
        p[free] = q
        return p

    fit = least_squares(lambda q: model.residual(whole(q), data), guess[free], method="lm", x_scale="jac",
                        jac=lambda q: model.jacobian(whole(q), data)[:, free], max_nfev=200,
                        ftol=1e-10, xtol=1e-10, gtol=1e-12)
    return whole(fit.x), float(fit.cost)


def _smooth_noise(s: np.ndarray) -> float:
    """Standard deviation of the noise per real component, from third differences."""
    rough = np.abs(s[3:] - 3.0 * s[2:-1] + 3.0 * s[1:-2] - s[:-3]) ** 2
    parts = 2.0 if np.iscomplexobj(s) else 1.0
    return max(math.sqrt(float(np.mean(rough)) / (20.0 * parts)), 1e-9 * float(np.max(np.abs(s))))


def _answer(model: Any, p: np.ndarray, data: np.ndarray, noise: float, free: np.ndarray) -> CavityFit:
    residual = model.residual(p, data)
    left = data - model.model(p)
    dof = max(1, len(residual) - len(free))
    chi2 = float(np.sum(residual**2)) / noise**2 / dof
    place, width = model.width(p)
    step = float(np.median(np.diff(model.x)))
    refusal = _refusal(model, p, left, place, width, step)
    if refusal:
        return CavityFit(refusal, chi2_per_dof=chi2, model=model.model(p), kind=model.kind)
    jacobian = model.jacobian(p, data)[:, free]
    covariance = np.linalg.pinv(jacobian.T @ jacobian) * float(np.sum(residual**2)) / dof * _correlation(left)
    slopes = _slopes(lambda q: np.array(list(model.names(q).values())), p)[:, free]
    names = model.names(p)
    sigma = np.sqrt(np.maximum(np.diag(slopes @ covariance @ slopes.T), 0.0))
    names = {name: float(value) for name, value in names.items()}
    errors = dict(zip(names, map(float, sigma), strict=True))
    return CavityFit("OK", names, errors, chi2, model.model(p), model.kind)


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
    if model.kind == "reflection" and isinstance(model, ComplexLine) and relative >= 2.0:
        return ("the circle is larger than a passive cavity's; check the calibration, or try "
                "--kind transmission")
    if model.kind == "reflection" and isinstance(model, PowerLine) and p[4] > 0.0:
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
