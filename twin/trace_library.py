"""Precomputed bursts, from which every fit starts cold.

A ringing burst has many local minima, so a fit needs a start that is already right to a few
per cent. After a pulse the undriven mean field, in units of the triplets N Phi, knows only the
collective coupling G, cavity_decay, the coherence decay and the seed; and the seed, as long as
it is small, does nothing but shift the burst in time. So a library holds traces over the first
three, aligned at half height; a record is aligned the same way, amplitude follows from a linear
projection, and the seed from the shift: ln seed changes by 2 lambda per second of delay, with
lambda the growth rate of the amplitude. One library serves all shots within an octave of G.

The traces are good to about 1 %, which is plenty for a start, and quoted nowhere.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numba import njit

from .crossing import Crossing, crossing, pulse_length
from .drive import Drive
from .pentacene import Parameters

TRACES, SAMPLES = 2000, 256
SPREAD = (2.6, 2.2, 2.2)
"""Coupling (from the middle of its octave), cavity and coherence decay lie within these factors."""

LONGEST_PULSE = 1e-6
"""[s] The traces take the light to be over before the burst; longer pumping needs another start."""

_BEFORE = 6.0  # stored before half height, in 1/lambda; 30 in all
_SPAN = 30.0
_LONGEST = 200e-6  # [s] after that a burst does not come
_SHORT = 0.15e-6  # [s] pulses below this are one kick to any burst
_KICK = Drive(pump_rate=1e6, pump_off_at=5e-9)  # what stands for all of them, whichever is fitted first
_SEED = 4e-12  # photons per triplet that the traces start from
_KEPT = 16
_FINAL = 80  # traces that are compared at full resolution


@dataclass(frozen=True)
class Start:
    """A guess: collective_coupling [rad/s], cavity_decay [rad/s], coherence decay [1/s], seed per triplet,
    amplitude sqrt(photons) of the record per sqrt(triplet), and how badly the shape fits (0 .. 1)."""

    collective_coupling: float
    cavity_decay: float
    coherence_decay: float
    seed: float
    amplitude: float
    misfit: float


@dataclass(frozen=True)
class Molecules:
    """What all traces of a library share: when S1 feeds the triplets, and how these branch and decay."""

    light: np.ndarray
    rate: np.ndarray
    branching: np.ndarray
    leak: np.ndarray

    def traces(self, points: np.ndarray, growth: np.ndarray, seed: float) -> tuple[np.ndarray, ...]:
        """Shapes, intervals [s] and delays [s] (0: no burst) of bursts from `seed` photons per triplet."""
        return _traces(points, growth, seed, self.light, self.rate, self.branching, self.leak)


@dataclass(frozen=True)
class Library:
    """`shapes` (L, SAMPLES): sqrt(photons/triplet), each at its own `interval` [s] (L,), aligned at half
    height, which comes `delay` [s] (L,) after the first light; `points` (L, 3): G, kappa, Gamma; `growth`
    [1/s] (L,) of the amplitude."""

    points: np.ndarray
    shapes: np.ndarray
    interval: np.ndarray
    delay: np.ndarray
    growth: np.ndarray
    molecules: Molecules

    def starts(self, times: np.ndarray, amplitudes: np.ndarray, half: float, count: int) -> Iterator[Start]:
        """The `count` best starts for a record: sqrt(photons) (T,) at evenly spaced `times` [s] from the
        first light, which reaches half height at `half` [s]."""
        thin, step = max(1, len(times) // 48), times[1] - times[0] if len(times) > 1 else 0.0
        rough, *_ = _compare(times[::thin] - half, amplitudes[::thin], self.shapes, self.interval,
                             np.arange(len(self.shapes)), 0.0, 0)
        near = np.argsort(rough)[:_FINAL]
        misfit, scale, shift = _compare(times - half, amplitudes, self.shapes, self.interval, near,
                                        step, 2)
        for k in np.argsort(misfit)[:count]:
            i = near[k]
            seed = self._seed(i, half + shift[k])
            coupling, cavity_decay, coherence_decay = map(float, self.points[i])
            yield Start(coupling, cavity_decay, coherence_decay, seed, float(scale[k]), float(misfit[k]))

    def _seed(self, i: int, half: float) -> float:
        """The seed with which the i-th trace reaches half height at `half` [s]."""
        log_seed, delay = math.log(_SEED), self.delay[i]
        for tries_left in (2, 1, 0):
            # Over a long delay the inversion decays and lambda with it, so one step is not enough.
            log_seed = float(np.clip(log_seed + 2.0 * self.growth[i] * (delay - half), -50.0, -5.0))
            if tries_left:
                _, _, found = self.molecules.traces(self.points[i:i + 1], self.growth[i:i + 1],
                                                    math.exp(log_seed))
                if found[0] == 0.0:
                    break
                delay = found[0]
        return math.exp(log_seed)


def growth_rate(coupling: float, cavity_decay: float, coherence_decay: float, inversion: float) -> float:
    """lambda [1/s] of the amplitude: the larger root of (l + kappa/2)(l + Gamma) = G^2 D."""
    half, difference = 0.5 * (0.5 * cavity_decay + coherence_decay), 0.5 * cavity_decay - coherence_decay
    return math.sqrt(0.25 * difference**2 + coupling**2 * inversion) - half


_kept: OrderedDict[tuple, Library] = OrderedDict()


def library(parameters: Parameters, drive: Drive, collective_coupling: float,
            free: tuple[bool, bool, bool]) -> Library:
    """The library around declared values; `free`: whether coupling, cavity_decay and dephasing may differ.

    Built at first use (about 0.1 s) and kept in memory; pulses shorter than 150 ns share one.
    """
    octave = math.log2(collective_coupling)
    octave = round(octave) if free[0] else octave
    made = crossing(parameters, _KICK if pulse_length(drive) < _SHORT else drive)
    pulse = made.times.tobytes(), made.rate.tobytes()
    key = (octave, free, parameters.cavity_decay, parameters.coherence_decay_35, parameters.branching,
           parameters.triplet_decay, parameters.spin_lattice_35, parameters.spin_lattice_34,
           parameters.spin_lattice_45, pulse)
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key]
    _kept[key] = _build(parameters, made, 2.0**octave, free)
    while len(_kept) > _KEPT:
        _kept.popitem(last=False)
    return _kept[key]


def forget() -> None:
    """Drop all libraries; the next fit builds its own."""
    _kept.clear()


def _build(p: Parameters, made: Crossing, coupling: float, free: tuple[bool, bool, bool]) -> Library:
    cube = evenly_spread(TRACES, 3)
    spread = np.where(free, np.log(SPREAD), 0.0)
    centre = np.array([coupling, p.cavity_decay, p.coherence_decay_35])
    points = centre * np.exp((2.0 * cube - 1.0) * spread)
    inversion = p.branching[2] - p.branching[0]
    growth = np.array([growth_rate(g, kappa, gamma, inversion) for g, kappa, gamma in points])
    points, growth = points[growth > 0.02 * points[:, 1]], growth[growth > 0.02 * points[:, 1]]
    k3, k4, k5 = p.triplet_decay
    leak = np.array([k3, k4, k5, p.spin_lattice_34, p.spin_lattice_35, p.spin_lattice_45])
    molecules = Molecules(made.times - made.times[0], made.rate / max(made.triplets, 1e-300),
                          np.array(p.branching), leak)
    shapes, interval, delay = molecules.traces(points, growth, _SEED)
    good = delay > 0.0
    return Library(points[good], shapes[good], interval[good], delay[good], growth[good], molecules)


def evenly_spread(count: int, dimensions: int) -> np.ndarray:
    """Points (count, dimensions) in the unit cube without gaps or clusters: Roberts' additive recurrence."""
    root = 2.0
    for _ in range(60):  # x^(dimensions + 1) = x + 1
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    return (0.5 + np.arange(1, count + 1)[:, None] * root ** -np.arange(1.0, dimensions + 1.0)) % 1.0


@njit(cache=True, error_model="numpy")
def _slope(z: np.ndarray, source: float, g: float, kappa: float, gamma: float, branching: np.ndarray,
           leak: np.ndarray, out: np.ndarray) -> None:
    """z: field, coherence, s33, s44, s55, all per triplet (roots where due)."""
    x, c, s3, s4, s5 = z
    stimulated = 2.0 * g * x * c
    out[0] = -0.5 * kappa * x + g * c
    out[1] = -gamma * c + g * x * (s5 - s3)
    e34, e35, e45 = leak[3] * (s4 - s3), leak[4] * (s5 - s3), leak[5] * (s5 - s4)
    out[2] = branching[0] * source - leak[0] * s3 + e34 + e35 + stimulated
    out[3] = branching[1] * source - leak[1] * s4 - e34 + e45
    out[4] = branching[2] * source - leak[2] * s5 - e35 - e45 - stimulated


@njit(cache=True, error_model="numpy")
def _advance(z: np.ndarray, h: float, source: np.ndarray, g: float, kappa: float, gamma: float,
             branching: np.ndarray, leak: np.ndarray, k: np.ndarray, trial: np.ndarray) -> None:
    """One step of RK4; `source` at its start, middle and end."""
    _slope(z, source[0], g, kappa, gamma, branching, leak, k[0])
    for i in range(5):
        trial[i] = z[i] + 0.5 * h * k[0, i]
    _slope(trial, source[1], g, kappa, gamma, branching, leak, k[1])
    for i in range(5):
        trial[i] = z[i] + 0.5 * h * k[1, i]
    _slope(trial, source[1], g, kappa, gamma, branching, leak, k[2])
    for i in range(5):
        trial[i] = z[i] + h * k[2, i]
    _slope(trial, source[2], g, kappa, gamma, branching, leak, k[3])
    for i in range(5):
        z[i] += h / 6.0 * (k[0, i] + 2.0 * (k[1, i] + k[2, i]) + k[3, i])


@njit(cache=True, error_model="numpy")
def _traces(points: np.ndarray, growth: np.ndarray, seed: float, light: np.ndarray, rate: np.ndarray,
            branching: np.ndarray, leak: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shapes (L, SAMPLES), their intervals and delays (0: no burst) for all points."""
    count = points.shape[0]
    shapes = np.zeros((count, SAMPLES), np.float32)
    interval, delay = np.zeros(count), np.zeros(count)
    room = 40 * SAMPLES
    track = np.empty(room)
    z, k, trial, source, quiet = np.zeros(5), np.empty((4, 5)), np.empty(5), np.empty(3), np.zeros(3)
    stride = max(1, light.size // 200)
    for n in range(count):
        g, kappa, gamma = points[n]
        z[:] = 0.0
        z[0] = np.sqrt(seed)
        i = 0
        while i + 2 * stride < light.size:
            source[0], source[1], source[2] = rate[i], rate[i + stride], rate[i + 2 * stride]
            _advance(z, light[i + 2 * stride] - light[i], source, g, kappa, gamma, branching, leak, k, trial)
            i += 2 * stride
        dt = _SPAN / (SAMPLES * growth[n])
        inner = max(1, int(np.ceil(dt * max(g, 0.5 * kappa + gamma) / 0.25)))
        first, top, turn, written, until = light[i], 0.0, -1, 0, room
        while written < until and first + written * dt < _LONGEST:
            track[written] = abs(z[0])
            if track[written] > top:
                top = track[written]
            elif turn < 0 and top > 1e-3 and track[written] < 0.5 * top:
                turn = written
                until = min(room, written + SAMPLES)
            written += 1
            for _ in range(inner):
                _advance(z, dt / inner, quiet, g, kappa, gamma, branching, leak, k, trial)
        if turn < 0:
            continue
        half = turn
        while half > 0 and track[half - 1] < 0.5 * top:
            half -= 1
        while half > 0 and track[half - 1] >= 0.5 * top:
            half -= 1
        part = (0.5 * top - track[half - 1]) / max(track[half] - track[half - 1], 1e-300) if half > 0 else 0.0
        at = half - 1 + part if half > 0 else 0.0
        interval[n], delay[n] = dt, first + at * dt
        for j in range(SAMPLES):
            x = at + j - _BEFORE * SAMPLES / _SPAN
            low = int(np.floor(x))
            if low >= 0 and low + 1 < written:
                shapes[n, j] = track[low] + (x - low) * (track[low + 1] - track[low])
    return shapes, interval, delay


@njit(cache=True, error_model="numpy", fastmath=True)
def _compare(times: np.ndarray, data: np.ndarray, shapes: np.ndarray, interval: np.ndarray, which: np.ndarray,
             shift: float, shifts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Misfit, best scale and best shift [s] of the shapes `which`; `times` count from half height."""
    misfit, scale, moved = np.ones(which.size), np.zeros(which.size), np.zeros(which.size)
    power = np.sum(data * data)
    for k in range(which.size):
        shape = shapes[which[k]]
        per_sample = 1.0 / interval[which[k]]
        for tried in range(-shifts, shifts + 1):
            cross = own = 0.0
            for i in range(times.size):
                x = (times[i] - tried * shift) * per_sample + _BEFORE * SAMPLES / _SPAN
                low = int(x)
                if x >= 0.0 and low + 1 < SAMPLES:
                    value = shape[low] + (x - low) * (shape[low + 1] - shape[low])
                    cross += value * data[i]
                    own += value * value
            if own > 0.0 and cross > 0.0 and 1.0 - cross * cross / (own * power) < misfit[k]:
                misfit[k] = 1.0 - cross * cross / (own * power)
                scale[k] = cross / own
                moved[k] = tried * shift
    return misfit, scale, moved
