"""What procedures read off stored bursts beside the fit: quadratures, delays, spectra. No I/O of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from twin.bench_description import BenchDescription
from twin.demodulate import envelope, quadratures
from twin.emission import Spectrum, peak_delay, spectrum, summarised
from twin.receiver import Receiver
from twin.trace_library import growth_rate as amplitude_growth

from ..records.rows import Row
from ..records.shot import Shot

PROPORTIONAL = 0.005
"""Relative error of a time or rate told from the energies of bursts, as if they were proportional to the
inversion: far above threshold they are, to one or two per cent of the largest."""
_WITHOUT_BURST = ("NO_BURST", "MISFIRE", "MISTRIGGERED")


def has_burst(row: Row) -> bool:
    """Whether the twin saw a burst in the shot's record, well fitted or not."""
    return row.fit is not None and row.fit.verdict.name not in _WITHOUT_BURST


def amplitude(receiver: Receiver, shot: Shot) -> tuple[np.ndarray, np.ndarray]:
    """(time [s], complex amplitude [V]) of the burst; ValueError where the channel keeps no carrier."""
    if receiver.carrier_frequency == 0.0:
        raise ValueError("the burst channel records an envelope, which has no frequency; declare "
                         "intermediate_frequency and bandwidth in [receiver.burst]")
    burst = shot.waveform
    return quadratures(burst.time, burst.volts, receiver.carrier_frequency, receiver.bandwidth)


def delay(description: BenchDescription, shot: Shot) -> float | None:
    """From the laser's first light to the burst's highest point [s]; None without light or burst."""
    if not math.isfinite(shot.start):
        return None
    time, volts, sigma = burst_envelope(description, shot)
    return peak_delay(time, volts, shot.start, sigma)


def burst_envelope(description: BenchDescription, shot: Shot) -> tuple[np.ndarray, np.ndarray, float]:
    """(time [s], amplitude [V], its noise [V]) of the burst channel, whether it keeps the carrier or not."""
    receiver, burst = description.receivers["burst"], shot.waveform
    return envelope(burst.time, burst.volts, receiver.carrier_frequency, receiver.bandwidth)


def burst_energy(description: BenchDescription, shot: Shot, since: float) -> float:
    """Energy [J] that left the port from a moment of the record [s] on, the noise's share taken off."""
    receiver = description.receivers["burst"]
    time, volts, sigma = burst_envelope(description, shot)
    noise = 2.0 * sigma**2 if receiver.carrier_frequency else sigma**2  # both quadratures, or an envelope's
    photons = float(np.sum(volts[time > since] ** 2 - noise)) / float(receiver.settled(1.0)) ** 2
    return photons * receiver.watts_per_photon * float(time[1] - time[0])


def mean_spectrum(description: BenchDescription, shots: Iterable[Shot]) -> Spectrum | None:
    """The spectrum of all bursts together, powers added; None where no record holds any."""
    receiver = description.receivers["burst"]
    found = [spectrum(*_lit(*amplitude(receiver, shot), shot.start)) for shot in shots]
    loud = [one for one in found if one is not None]
    if not loud:
        return None
    return summarised(loud[0].frequency, np.sum([one.power for one in loud], axis=0))


def emission_frequency(description: BenchDescription, shot: Shot) -> float | None:
    """Mean frequency of a burst's emission [Hz]; None for a silent record.

    The declared frequency of the line is what the mixer brings to the intermediate one.
    """
    receiver = description.receivers["burst"]
    found = spectrum(*_lit(*amplitude(receiver, shot), shot.start))
    return None if found is None else receiver.frequency + found.centre


def _lit(time: np.ndarray, volts: np.ndarray, start: float) -> tuple[np.ndarray, np.ndarray]:
    """The same record with silence before the light, where only noise is."""
    if math.isfinite(start):
        volts = np.where(time < start, 0.0, volts)
    return time, volts


def growth_rate(row: Row, description: BenchDescription) -> float:
    """2 lambda [1/s], at which the photon number grows right after the pulse, from a shot's fitted values.

    lambda is the larger root of (l + kappa/2)(l + Gamma) = G^2 (b5 - b3); what was not fitted is as declared.
    """
    p, found = description.expected.parameters, row.fit.parameters if row.fit else {}
    p = p.replace(**{name: found[name] for name in ("cavity_decay", "dephasing_35") if name in found})
    coupling, inversion = found["collective_coupling"], p.branching[2] - p.branching[0]
    return 2.0 * amplitude_growth(coupling, p.cavity_decay, p.coherence_decay_35, inversion)
