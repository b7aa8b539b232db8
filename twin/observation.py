"""A recorded burst as a fit sees it: which samples count, how noisy they are, what a model must look like.

Three kinds of record. A "modulus" is the envelope of a recorded carrier: its noise is Rice's, so
the mean is not the amplitude and the deviation depends on it. An "envelope" from hardware has
plain Gaussian noise, and so has "log", whose floor is kept as a voltage: that is what is
measured before the trigger, whatever power it stands for.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from .levenberg_marquardt import Evaluation
from .receiver import Receiver, rice_mean_std

RAIL_SAMPLES = 3
"""So many samples at a rail, or above the detector's range, spoil a record."""

_DARKEST = 16  # samples before the trigger that a noise or a baseline needs
_DARK_MODULUS = math.sqrt(math.pi / 2.0)
_NATS_PER_DB = math.log(10.0) / 10.0
_FAINTEST = 3.0  # [dB] above the floor: below, a "log" record says more about its floor than about the burst


@dataclass(frozen=True)
class Observation:
    """A record with its noise. time [s] (T,), volts (T,), sigma [V] (T,) of one quadrature or sample;
    `dark` (T,) marks samples before the laser, `used` (T,) those that a fit looks at. `baseline` [V] and
    its uncertainty come from the dark ones: added to a modulus or envelope, the floor's voltage for "log"."""

    receiver: Receiver
    kind: str
    time: np.ndarray
    volts: np.ndarray
    sigma: np.ndarray
    dark: np.ndarray
    used: np.ndarray
    baseline: float
    baseline_sigma: float

    @property
    def noise(self) -> float:
        """Typical sigma [V]."""
        return float(np.median(self.sigma))

    def signal(self) -> np.ndarray:
        """What the burst adds to darkness, in units of sigma (T,), rising with power; for a modulus squared,
        in units of sigma^2 and free of the noise's own power."""
        if self.kind == "modulus":
            return (self.volts - self.baseline) ** 2 / self.sigma**2 - 2.0
        rising = math.copysign(1.0, self.receiver.slope) if self.kind == "log" else 1.0
        return rising * (self.volts - self.baseline) / self.sigma

    def photons(self) -> np.ndarray:
        """Photon number behind each sample (T,), unbiased by noise and so negative at times; 0 while dark."""
        if self.kind == "log":
            found = _with_floor(self.receiver, self.baseline).photons(self.volts)
        else:
            quadratures = 2.0 if self.kind == "modulus" else 1.0
            power = (self.volts - self.baseline) ** 2 - quadratures * self.sigma**2
            found = np.sign(power) * self.receiver.photons(np.sqrt(np.abs(power)))
        return np.where(self.dark | ~np.isfinite(found), 0.0, found)

    def faults(self) -> tuple[int, int]:
        """(samples at a rail of the converter, samples above the detector's range)."""
        r = self.receiver
        if self.kind == "modulus":
            room = 0.5 * r.full_scale - abs(r.middle) - r.lsb
            return int(np.sum(self.volts >= room)), 0
        code = r.codes(self.volts)
        rails = int(np.sum((code <= 0) | (code >= 2**r.bits - 1)))
        if self.kind != "log":
            return rails, 0
        ceiling = r.slope * (r.ceiling - r.intercept)
        return rails, int(np.sum((self.volts - ceiling) * math.copysign(1.0, r.slope) > 0.0))

    def until(self, count: int) -> Observation:
        """The first `count` samples."""
        cut = {n: getattr(self, n)[:count] for n in ("time", "volts", "sigma", "dark", "used")}
        return dataclasses.replace(self, **cut)

    def everywhere(self) -> Observation:
        """The same with every sample in use."""
        return dataclasses.replace(self, used=np.ones(len(self.time), bool))

    def darkness(self) -> Evaluation:
        """What the record would look like without a burst, all samples in use."""
        photons, slopes = np.zeros(len(self.time)), np.zeros((len(self.time), 1))
        return self.everywhere().evaluate(photons, slopes, self.baseline, 0, self.noise, 0.0)

    def evaluate(self, photons: np.ndarray, jacobian: np.ndarray, baseline: float, place: int, unit: float,
                 model_error: float) -> Evaluation:
        """The model of this record from photons (T,) and their derivatives (T, k).

        `place` is the column of the baseline, in `unit` volts, which is filled in here.
        """
        receiver = self.receiver
        jacobian = np.ascontiguousarray(jacobian)
        if self.kind == "log":
            receiver = _with_floor(receiver, baseline)
            floor = 1e-3 * 10.0 ** (receiver.floor / 10.0)  # its change with volts, written as photons
            jacobian[:, place] = floor * _NATS_PER_DB * unit / (
                receiver.slope * receiver.gain * receiver.watts_per_photon)
            photons = np.maximum(photons, 1e-6)
        volts, slopes = receiver.volts_with_jacobian(photons, jacobian, self.time)
        deviation = self.sigma
        above = volts - baseline if self.kind == "log" else volts
        if self.kind == "modulus":
            mean, change, relative = rice_mean_std(volts / self.sigma, 1.0)
            volts, deviation = mean * self.sigma, relative * self.sigma
            slopes = slopes * change[:, None]
        if self.kind != "log":
            volts = volts + baseline
            slopes[:, place] = unit
        if model_error > 0.0:
            deviation = np.hypot(deviation, model_error * np.abs(above))
        return Evaluation(volts, slopes, np.where(self.used, 1.0 / deviation, 0.0))


def observe(time: np.ndarray, volts: np.ndarray, receiver: Receiver, sigma: object,
            laser: float) -> Observation:
    """A record with noise and baseline worked out from what lies before `laser` [s] and from the receiver."""
    kind = _kind(receiver)
    dark = time < laser
    if sigma is None:
        sigma = _noise(volts[dark], receiver, kind)
    sigma = np.broadcast_to(np.asarray(sigma, float), volts.shape)
    baseline, uncertainty = _baseline(volts[dark], sigma, receiver, kind)
    found = Observation(receiver, kind, time, volts, sigma, dark, ~dark, baseline, uncertainty)
    if kind != "log":
        return found
    code = receiver.codes(volts)
    lit = (volts - baseline) * math.copysign(1.0, receiver.slope) > _FAINTEST * abs(receiver.slope)
    return dataclasses.replace(found, used=~dark & lit & (code > 0) & (code < 2**receiver.bits - 1))


def _kind(receiver: Receiver) -> str:
    if receiver.detector == "log":
        return "log"
    return "modulus" if receiver.carrier_frequency > 0.0 else "envelope"


def _noise(dark: np.ndarray, receiver: Receiver, kind: str) -> float:
    """Sigma [V] from the samples before the laser; the receiver's own figure where there are too few."""
    floor = max(receiver.lsb / math.sqrt(12.0), 1e-12)
    if len(dark) < _DARKEST:
        return max(receiver.sample_noise, floor)
    if kind == "modulus":
        return max(math.sqrt(0.5 * float(np.mean(dark**2))), 1e-3 * floor)
    return max(float(np.std(dark)), receiver.sample_noise)


def _baseline(dark: np.ndarray, sigma: np.ndarray, receiver: Receiver, kind: str) -> tuple[float, float]:
    """(baseline, its standard deviation) [V]: the prior of the one coordinate that is always fitted."""
    noise = float(np.median(sigma))
    expected = receiver.slope * (receiver.floor - receiver.intercept) if kind == "log" else 0.0
    if len(dark) < _DARKEST:
        return expected, abs(receiver.slope) if kind == "log" else noise
    shift = _DARK_MODULUS * noise if kind == "modulus" else 0.0
    return float(np.mean(dark)) - shift, noise / math.sqrt(len(dark))


def _with_floor(receiver: Receiver, volts: float) -> Receiver:
    """The receiver whose "log" floor settles at `volts`, held within what a receiver may have."""
    floor = receiver.intercept + volts / receiver.slope
    return receiver.replace(floor=float(np.clip(floor, -250.0, receiver.ceiling - 1.0)))
