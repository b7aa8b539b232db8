"""An oracle: single maser shots with thermal noise, typed by hand, recorded through the declared receiver.

The mean field of `mean_field_by_hand`, but the mode starts from a complex Gaussian seed of
thermal_photons and is kicked at every step by Langevin noise that keeps it there when dark. Independent of
twin's stochastic reading, integrator and fit; the receiver is shared, as on the virtual bench.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from twin.crossing import first_light, pump_at
from twin.effective_seed import effective_seed
from twin.optical_pump import triplets_per_molecule
from twin.receiver import envelope

STEP = 2e-9
LIT, FINE = 40, 25  # steps of STEP/2 that are cut finer, because the pulse lies there


@dataclass(frozen=True)
class NoisyShot:
    """time [s], volts [V], sigma [V] as a fit gets them; truth: fit names -> values; peak in sigma."""

    time: np.ndarray
    volts: np.ndarray
    sigma: float
    truth: dict
    photons: np.ndarray
    times: np.ndarray
    peak: float

    @property
    def resolved(self):
        """The acceptance's word: peak of at least 80 sigma and 300 samples above 5 sigma."""
        return self.peak >= 80 and np.sum(self.volts > 5 * self.sigma) >= 300


@njit(cache=True)
def _slope(z, xi, rates, out):
    (kappa, gamma, detuning, g, emission, isc, b3, b4, b5, k3, k4, k5, l34, l35, l45) = rates
    x, c = z[0], z[1]
    s1, s2, s3, s4, s5 = z[2].real, z[3].real, z[4].real, z[5].real, z[6].real
    made = 2.0 * g * (np.conj(x) * c).imag
    out[0] = -(1j * detuning + 0.5 * kappa) * x - 1j * g * c
    out[1] = -gamma * c + 1j * g * x * (s5 - s3)
    out[2] = -xi * s1 + (xi + emission) * s2 + k3 * s3 + k4 * s4 + k5 * s5
    out[3] = xi * s1 - (xi + emission + isc) * s2
    out[4] = isc * b3 * s2 - k3 * s3 + l35 * (s5 - s3) + l34 * (s4 - s3) + made
    out[5] = isc * b4 * s2 - k4 * s4 + l34 * (s3 - s4) + l45 * (s5 - s4)
    out[6] = isc * b5 * s2 - k5 * s5 + l35 * (s3 - s5) + l45 * (s4 - s5) - made


@njit(cache=True)
def _run(seed, kicks, pump, whole, fine, rates):
    field = np.empty(kicks.size + 1, np.complex128)
    work = np.zeros((5, 7), np.complex128)
    z, k1, k2, k3, k4 = work[0].copy(), work[1], work[2], work[3], work[4]
    z[0], z[2] = seed, 1.0
    field[0] = seed
    row = 0
    for i in range(kicks.size):
        parts = fine if i < LIT else 1
        h = whole / parts
        for _ in range(parts):
            _slope(z, pump[row, 0], rates, k1)
            _slope(z + 0.5 * h * k1, pump[row, 1], rates, k2)
            _slope(z + 0.5 * h * k2, pump[row, 1], rates, k3)
            _slope(z + h * k3, pump[row, 2], rates, k4)
            z = z + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
            row += 1
        z[0] += kicks[i]
        field[i + 1] = z[0]
    return field


def field(p, drive, duration, rng):
    """(times [s] (T,) from 0, <a> (T,) complex) of one shot; the drive's first light must be at 0."""
    k3, k4, k5 = p.triplet_decay
    rates = (p.cavity_decay, p.coherence_decay_35, p.cavity_frequency - p.frequency_35,
             p.coupling * p.molecules**0.5, p.spontaneous_emission, p.intersystem_crossing, *p.branching,
             k3, k4, k5, p.spin_lattice_34, p.spin_lattice_35, p.spin_lattice_45)
    steps = round(duration / (STEP / 2))
    h = STEP / 2
    draw = rng.normal(size=(2, steps + 1)) / np.sqrt(2.0)
    noise = draw[0] + 1j * draw[1]
    seed = np.sqrt(p.thermal_photons / p.molecules) * noise[0]
    kicks = np.sqrt(p.cavity_decay * h * p.thermal_photons / p.molecules) * noise[1:]
    times = h * np.arange(steps + 1)
    # A pulse has kinks closer than a step: an error of its area would look like a bias of the fit.
    edges = np.concatenate((h / FINE * np.arange(LIT * FINE), times[LIT:]))
    width = np.diff(edges)
    pump = np.stack([pump_at(drive, edges[:-1] + share * width) for share in (1e-6, 0.5, 1 - 1e-6)], axis=1)
    return times[::2], np.sqrt(p.molecules) * _run(seed, kicks, pump, h, FINE, rates)[::2]


def shot(p, drive, receiver, seed, laser=200e-9, before=2e-6, after=38e-6):
    """One record: laser's first light at `laser` [s] after the trigger, which stands at 0."""
    rng = np.random.default_rng(seed)
    assert first_light(drive) == 0.0
    times, a = field(p, drive, after - laser, rng)
    photons = np.abs(a) ** 2
    time = np.arange(-round(before / STEP), round(after / STEP) + 1) * STEP
    quiet = len(time) - len(a)
    amplitude = np.concatenate((np.full(quiet, a[0]), a))
    volts = receiver.volts(np.abs(amplitude) ** 2, time)
    true = volts
    if receiver.carrier_frequency:
        volts = receiver.carrier(volts * np.exp(1j * np.angle(amplitude)), time, rng.uniform(0, 2 * np.pi))
    codes = receiver.codes(volts + receiver.noise_volts * rng.normal(size=len(time)))
    raw = receiver.volts_of(codes)
    if receiver.carrier_frequency:
        time, seen, sigma = envelope(time, raw, receiver.carrier_frequency, receiver.bandwidth)
    else:
        seen, sigma = raw, receiver.sample_noise
    return NoisyShot(time, seen, sigma, truth(p, drive, photons, times), photons, times,
                     float(np.max(np.abs(true - true[0])) / sigma))


def truth(p, drive, photons, times):
    """The fit's names with their true values."""
    phi = triplets_per_molecule(p, drive)
    return {"collective_coupling": p.coupling * np.sqrt(p.molecules * phi), "cavity_decay": p.cavity_decay,
            "dephasing_35": p.dephasing_35, "seed_photons": effective_seed(p, drive, photons, times),
            "amplitude_scale": 1.0}
