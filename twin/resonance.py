"""The two lines that a cavity's sweep can follow: complex S, or power alone.

Each line has its own parameters, residuals and derivatives, starting points found on a grid, and
the names that it tells. Which one a sweep needs, and whether to believe it, is decided in `cavity`.
"""

from __future__ import annotations

import math

import numpy as np

_QUALITIES = np.geomspace(0.7, 400.0, 22)  # trial line widths, as parts of the span
_THINNED = 400  # points for the search


class Axis:
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


class ComplexLine(Axis):
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
        delays = np.array([straight, outer, straight - 3.0, straight - 1.5, straight + 1.5, straight + 3.0])
        left, c0, c1 = _two_amplitudes(modes, s[part] * np.exp(1j * delays[:, None] * x))
        best = np.argmin(left, axis=0)
        order = np.argsort(left[best, np.arange(len(delays))])[:3]
        return [np.array([places[i], math.log(widths[i]), delays[d], 0.0, c0[i, d].real, c0[i, d].imag,
                          c1[i, d].real, c1[i, d].imag]) for i, d in zip(best[order], order, strict=True)]

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


class PowerLine(Axis):
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
        left, level, height = (a[:, 0] for a in _two_amplitudes(modes, power[None, part]))
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
    """For trial modes (M, P) and data y (D, P): what y = c0 + c1 mode leaves over, c0, c1 (M, D)."""
    mean, level = modes.mean(axis=1, keepdims=True), y.mean(axis=1)
    spread, centre = modes - mean, y - level[:, None]
    power = np.sum(np.abs(spread) ** 2, axis=1, keepdims=True)
    c1 = (spread.conj() @ centre.T) / power
    return np.sum(np.abs(centre) ** 2, axis=1) - np.abs(c1) ** 2 * power, level - c1 * mean, c1
