"""The fit of one shot: from raw codes and a bench file to the twin's answer, the same live and from disk.

A pure function of the raw record and the bench file, which is why a stored run fits to the same numbers.
"""

from __future__ import annotations

import math
import time as clock
from typing import Any, NamedTuple

import numpy as np

from twin.bench_description import BenchDescription
from twin.fit import FREE, fit
from twin.fit_result import Verdict
from twin.optical_pump import triplets_per_molecule
from twin.photodiode import Pulse
from twin.receiver import envelope

from ..records.events import ShotFitted
from ..records.shot import FitRow, Shot
from .shot_checks import EARLY, as_measured

MODEL = "mean_field"
_CARRIER = 0.2  # share of negative samples that a modulus cannot have


class Line(NamedTuple):
    """The burst's envelope: time [s] and volts (T,), their standard deviation (T,); None: from residuals."""

    time: np.ndarray
    volts: np.ndarray
    sigma: np.ndarray | None


def fit_shot(bench: BenchDescription, shot: Shot, model: str = MODEL) -> ShotFitted:
    """What the twin says about a shot. Reads the pulse from the photodiode's record, else from the shot.

    Where nobody tells the pulse's energy (a burst that others recorded without a photodiode), it is first
    taken as the full one and then as that which gives the fitted collective coupling in the declared
    crystal; the laser is taken to arrive where the bench file says, on which the seed leans.
    """
    began = clock.perf_counter()
    bench = as_measured(bench, shot)
    line, pulse = _line(bench.receivers["burst"], shot.waveform), _pulse(bench, shot)
    if "photodiode" not in shot.waveforms and not math.isfinite(pulse.energy):
        return _fit_unknown_pulse(bench, shot.number, line, model, began)
    spoilt = _spoilt(bench, shot.waveform, pulse)
    if spoilt is not None:
        row = FitRow(shot.number, spoilt, {}, {}, {}, None, clock.perf_counter() - began)
        missing = np.full_like(line.time, np.nan)
        sigma = missing if line.sigma is None else line.sigma
        return ShotFitted(shot.number, row, line.time, line.volts, missing, sigma)
    return _fit_line(bench, shot.number, line, pulse, model, began)


def _fit_unknown_pulse(bench: BenchDescription, number: int, line: Line, model: str,
                       began: float) -> ShotFitted:
    highest = float(bench.pump.energies[-1])
    pulse = Pulse(highest, bench.pump.arrival, 0.0, bench.pump.arrival_jitter)
    first = _fit_line(bench, number, line, pulse, model, began)
    coupling = first.row.parameters.get("collective_coupling")
    if first.row.verdict in (Verdict.OK, Verdict.NO_BURST) or coupling is None:
        return first
    energy = _energy_of(bench, coupling, highest)
    return _fit_line(bench, number, line, pulse._replace(energy=energy), model, began)


def _energy_of(bench: BenchDescription, coupling: float, highest: float) -> float:
    """Pulse energy [J] up to `highest` that gives the declared crystal this collective coupling [rad/s]."""
    p, low, high = bench.expected.parameters, 1e-4 * highest, highest
    while high / low > 1.001:
        middle = float(np.sqrt(low * high))
        phi = triplets_per_molecule(p, bench.drive(middle))
        low, high = (middle, high) if p.collective_coupling * np.sqrt(phi) < coupling else (low, middle)
    return high


def _fit_line(bench: BenchDescription, number: int, line: Line, pulse: Pulse, model: str,
              began: float) -> ShotFitted:
    expected = bench.expected
    # The photodiode's edge is the clock; the seed alone decides how long the burst takes after it.
    prior = {**expected.prior, "start": (pulse.start, max(pulse.start_sigma, 1e-11))}
    errors = dict(expected.model_error)
    receiver, drive = bench.receivers["burst"], bench.drive(pulse.energy)
    result = fit(line.time, line.volts, expected.parameters, drive, receiver, free=FREE,
                 model=model, prior=prior, sigma=line.sigma, model_error=errors.pop("volts", 0.0),
                 parameter_model_error=errors)
    row = FitRow(number, result.verdict, result.parameters, result.sigma, result.sigma_model,
                 result.chi2_per_dof, clock.perf_counter() - began)
    drawn = result.model_volts
    if len(drawn) != len(line.time):
        drawn = np.full_like(line.time, np.nan)
    return ShotFitted(number, row, line.time, line.volts, drawn, result.sigma_volts)


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


def _line(receiver: Any, burst: Any) -> Line:
    """The record's envelope; one that already is the modulus of a carrier stays as it is."""
    time, volts = burst.time, burst.volts
    if receiver.carrier_frequency == 0.0:
        return Line(time, volts, np.full_like(volts, receiver.sample_noise))
    if np.mean(volts < 0.0) <= _CARRIER:
        return Line(time, volts, None)
    time, volts, sigma = envelope(time, volts, receiver.carrier_frequency, receiver.bandwidth)
    return Line(time, volts, np.broadcast_to(np.asarray(sigma, float), time.shape))
