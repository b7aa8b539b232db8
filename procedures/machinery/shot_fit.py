"""The fit of one shot: from raw codes and a bench file to the twin's answer, the same live and from disk.

A pure function of the raw record and the bench file, which is why a stored run fits to the same numbers.
"""

from __future__ import annotations

import time as clock
from typing import Any

import numpy as np

from twin.bench_description import BenchDescription
from twin.fit import FREE, fit
from twin.fit_result import Verdict
from twin.optical_pump import triplets_per_molecule
from twin.photodiode import Pulse
from twin.receiver import envelope

from .events import ShotFitted
from .shot import FitRow, Shot
from .shot_checks import EARLY

_CARRIER = 0.2  # share of negative samples that a modulus cannot have


def fit_shot(bench: BenchDescription, shot: Shot, model: str = "mean_field") -> ShotFitted:
    """What the twin says about a shot. Reads the pulse from the photodiode's record, else from the shot."""
    began = clock.perf_counter()
    receiver, burst = bench.receivers["burst"], shot.waveform
    pulse = _pulse(bench, shot)
    time, volts, sigma = _demodulated(receiver, burst.time, burst.volts)
    spoilt = _spoilt(bench, burst, pulse)
    if spoilt is not None:
        row = FitRow(shot.number, spoilt, {}, {}, {}, None, clock.perf_counter() - began)
        return ShotFitted(shot.number, row, time, volts, np.full_like(time, np.nan), sigma)
    return _fitted(bench, shot.number, (time, volts, sigma), pulse, model, began)


def fit_envelope(bench: BenchDescription, time: np.ndarray, volts: np.ndarray,
                 model: str = "mean_field") -> tuple[float, ShotFitted]:
    """The same for a record that is not from a run: carrier or its modulus [V] over time [s].

    Nobody tells this burst's pulse energy [J], so it is first taken as the full one and then as that which
    gives the fitted collective coupling in the declared crystal; it is returned with the fit. The laser is
    taken to arrive where the bench file says, on which the seed leans.
    """
    energy = float(bench.pump.energies[-1])
    first = _fit_alone(bench, time, volts, energy, model)
    coupling = first.row.parameters.get("collective_coupling")
    if first.row.verdict in (Verdict.OK, Verdict.NO_BURST) or coupling is None:
        return energy, first
    energy = _energy_of(bench, coupling, energy)
    return energy, _fit_alone(bench, time, volts, energy, model)


def _energy_of(bench: BenchDescription, coupling: float, highest: float) -> float:
    """Pulse energy [J] up to `highest` that gives the declared crystal this collective coupling [rad/s]."""
    p, low, high = bench.expected.parameters, 1e-4 * highest, highest
    while high / low > 1.001:
        middle = float(np.sqrt(low * high))
        phi = triplets_per_molecule(p, bench.drive(middle))
        low, high = (middle, high) if p.collective_coupling * np.sqrt(phi) < coupling else (low, middle)
    return high


def _fit_alone(bench: BenchDescription, time: np.ndarray, volts: np.ndarray, energy: float,
               model: str) -> ShotFitted:
    began = clock.perf_counter()
    receiver, start = bench.receivers["burst"], bench.pump.arrival
    raw = np.mean(volts < 0.0) > _CARRIER
    lines = _demodulated(receiver, time, volts) if raw else (time, volts, None)  # None: the fit finds it out
    return _fitted(bench, 0, lines, Pulse(energy, start, 0.0, bench.pump.arrival_jitter), model, began)


def _fitted(bench: BenchDescription, number: int, lines: tuple[Any, ...], pulse: Pulse, model: str,
            began: float) -> ShotFitted:
    time, volts, sigma = lines
    expected = bench.expected
    # The photodiode's edge is the clock; the seed alone decides how long the burst takes after it.
    prior = {**expected.prior, "start": (pulse.start, max(pulse.start_sigma, 1e-11))}
    errors = dict(expected.model_error)
    receiver, drive = bench.receivers["burst"], bench.drive(pulse.energy)
    result = fit(time, volts, expected.parameters, drive, receiver, free=FREE,
                 model=model, prior=prior, sigma=sigma, model_error=errors.pop("volts", 0.0),
                 parameter_model_error=errors)
    row = FitRow(number, result.verdict, result.parameters, result.sigma, result.sigma_model,
                 result.chi2_per_dof, clock.perf_counter() - began)
    return ShotFitted(number, row, time, volts, _line(result.model_volts, time), result.sigma_volts)


def _pulse(bench: BenchDescription, shot: Shot) -> Pulse:
    record = shot.waveforms.get("photodiode")
    if record is None:
        return Pulse(shot.energy, shot.start, 0.0, bench.pump.arrival_jitter)
    return bench.photodiode.read(record.time, record.volts)


def _spoilt(bench: BenchDescription, burst: Any, pulse: Pulse) -> Verdict | None:
    """The verdict on a record that no model should look at."""
    if not np.isfinite(pulse.energy):
        return Verdict.MISFIRE
    if abs(pulse.start - bench.pump.arrival) > EARLY:
        return Verdict.MISTRIGGERED
    return Verdict.CLIPPED if burst.clipped else None


def _demodulated(receiver: Any, time: np.ndarray, volts: np.ndarray) -> tuple[np.ndarray, ...]:
    if receiver.carrier_frequency > 0.0:
        time, volts, sigma = envelope(time, volts, receiver.carrier_frequency, receiver.bandwidth)
        return time, volts, np.broadcast_to(np.asarray(sigma, float), time.shape)
    return time, volts, np.full_like(volts, receiver.sample_noise)


def _line(values: np.ndarray, time: np.ndarray) -> np.ndarray:
    return values if len(values) == len(time) else np.full_like(time, np.nan)
