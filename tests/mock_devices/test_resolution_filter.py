"""The analyser's front end: filters and detectors against closed forms, and what a burst looks like on it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mock_devices.burst import STEP, Burst
from mock_devices.resolution_filter import DELAY, Hit, Sweep, filtered, trace
from twin.one_pole import follow

CENTRE, NOISE = 1.4495e9, 1e-9
ZERO_SPAN = Sweep(CENTRE, CENTRE, 1e6, 1e6, 10e-3, 2001, "SAMP", NOISE)


def noise_of(detector: str, video: float = 1e6, points: int = 2001) -> float:
    """Mean level of nothing but noise against its power [dB]."""
    sweep = Sweep(CENTRE, CENTRE, 1e6, video, 50e-3, points, detector, NOISE)
    levels = trace(sweep, np.random.default_rng(5), None)
    return float(np.mean(levels)) - 10.0 * math.log10(NOISE)


def test_noise_reads_too_low_by_what_is_averaged():
    # Of a complex Gaussian: <20 log|z|> = -2.51 dB, <|z|>^2 = pi/4 = -1.05 dB, <|z|^2> = 0 dB.
    assert noise_of("SAMP") == pytest.approx(-2.51, abs=0.25)
    assert noise_of("SAMP", video=1e3) == pytest.approx(-2.51, abs=0.25)
    assert noise_of("AVER") == pytest.approx(-1.05, abs=0.12)
    assert noise_of("RMS") == pytest.approx(0.0, abs=0.12)
    assert noise_of("RMS", video=1e3) == pytest.approx(0.0, abs=0.2)
    assert noise_of("NEG") < -8.0 and noise_of("POS") > 3.0


def test_a_narrow_video_filter_quietens_the_trace():
    def scatter(video: float) -> float:
        sweep = Sweep(CENTRE, CENTRE, 1e6, video, 50e-3, 2001, "SAMP", NOISE)
        return float(trace(sweep, np.random.default_rng(5), None)[200:].std())

    # In decibels the noise has 5.57 dB; a one-pole of 1 kHz behind a filter of 1 MHz leaves about 1/20.
    assert scatter(1e6) == pytest.approx(5.57, rel=0.1)
    assert scatter(1e3) < 0.08 * scatter(1e6)


@pytest.mark.parametrize(("offset", "loss"), [(0.0, 0.0), (0.5e6, 3.01), (1e6, 12.04), (-0.25e6, 0.75)])
def test_the_filter_is_gaussian_and_3_db_down_at_half_its_width(offset, loss):
    quiet = Sweep(CENTRE, CENTRE, 1e6, 1e6, 1e-3, 101, "RMS", 1e-16)
    level = trace(quiet, np.random.default_rng(1), (CENTRE + offset, -20.0)).mean()
    assert level == pytest.approx(-20.0 - loss, abs=0.02)


def step_of(resolution: float) -> tuple[np.ndarray, np.ndarray]:
    """A field switched on at t = 0, through the filter: times [s] and amplitude."""
    held, step = filtered(np.ones(60_000, complex), STEP, resolution)
    return step * np.arange(len(held)), np.abs(held)


@pytest.mark.parametrize("resolution", [50e3, 1e6, 10e6])
def test_a_step_comes_a_delay_late_and_rises_in_0_7_over_the_width(resolution):
    time, amplitude = step_of(resolution)
    low, half, high = (time[np.argmax(amplitude > share)] for share in (0.1, 0.5, 0.9))
    assert half == pytest.approx(DELAY / resolution, rel=0.06)
    assert high - low == pytest.approx(0.68 / resolution, rel=0.12)  # 2.563 sqrt(ln 2)/pi, of a Gaussian
    assert amplitude[time < 0.2 * DELAY / resolution].max() < 2e-3  # nothing comes before its cause


def pulse(detuning: float = 0.0, smooth: bool = False) -> Burst:
    """10 us of 1e14 photons, with hard edges or a raised cosine; `detuning` [Hz] above the frame.

    Fields turn as exp(-iwt).
    """
    times = STEP * np.arange(round(10e-6 / STEP))
    shape = np.sin(math.pi * times / 10e-6) ** 2 if smooth else 1.0
    return Burst(0.0, 1e7 * shape * np.exp(-2j * math.pi * detuning * times), CENTRE)


def shown(sweep: Sweep, burst: Burst, moment: float = 0.0) -> np.ndarray:
    return trace(sweep, np.random.default_rng(2), None, [Hit(burst, moment)], 1e-18)


def test_a_wide_filter_shows_a_burst_s_power_and_a_narrow_one_loses_it():
    wide, narrow = (Sweep(CENTRE, CENTRE, width, width, 100e-6, 1001, "POS", 1e-12) for width in (1e7, 1e4))
    assert shown(wide, pulse()).max() == pytest.approx(-10.0, abs=0.05)  # 1e14 photons, 1e-18 W each
    # Far shorter than 1/B, only its area counts: peak amplitude B sqrt(pi/(2 ln 2)) times duration.
    lost = 20.0 * math.log10(1e4 * 10e-6 * math.sqrt(math.pi / (2.0 * math.log(2.0))))
    long = Sweep(CENTRE, CENTRE, 1e4, 1e4, 1e-3, 1001, "POS", 1e-12)
    assert shown(long, pulse()).max() == pytest.approx(-10.0 + lost, abs=0.2)
    assert shown(narrow, pulse()).max() <= shown(long, pulse()).max() + 0.1


@pytest.mark.parametrize("video", [1e4, 1e3, 1.0])
def test_a_slow_video_filter_charges_up_during_a_burst_and_lets_go_afterwards(video):
    # A one-pole under power P for T reaches P (1 - exp(-T/lag)), and falls with exp(-t/lag) from there.
    lag, length = 1.0 / (2.0 * math.pi * video), 10e-6
    sweep = Sweep(CENTRE, CENTRE, 1e7, video, 3.0 * lag, 1001, "RMS", 1e-22)
    levels, highest = shown(sweep, pulse()), -10.0 + 10.0 * math.log10(-math.expm1(-length / lag))
    assert levels.max() == pytest.approx(highest, abs=0.04)
    since = 667 * sweep.dwell - length
    assert levels[667] == pytest.approx(highest - 10.0 * math.log10(math.e) * since / lag, abs=0.04)


def test_zero_span_sees_on_which_side_of_its_centre_a_burst_is():
    def level(centre: float) -> float:
        sweep = Sweep(centre, centre, 1e6, 1e6, 50e-6, 501, "POS", 1e-12)
        return float(shown(sweep, pulse(detuning=2e6, smooth=True)).max())

    assert level(CENTRE + 2e6) == pytest.approx(-10.0, abs=0.2)
    assert level(CENTRE - 2e6) < level(CENTRE) - 10.0 < level(CENTRE + 2e6) - 40.0


@pytest.mark.parametrize("moment", [2e-3, 5.02e-3, 8e-3])
def test_a_free_running_sweep_shows_an_isolated_spike_or_nothing(moment):
    # 10 MHz in 10 ms: a burst of 10 us falls on one or two of 1001 points, wherever the oscillator stands.
    sweep = Sweep(CENTRE - 5e6, CENTRE + 5e6, 1e6, 1e6, 10e-3, 1001, "POS", 1e-9)
    levels = shown(sweep, pulse(smooth=True), moment)
    spike = np.flatnonzero(levels > -60.0)
    at_centre = abs(moment - 5e-3) < 0.5e-3
    assert (len(spike) > 0) == at_centre
    assert not at_centre or (len(spike) <= 4 and abs(spike.mean() - 502) < 3)


def test_rms_over_a_long_point_tells_the_mean_power():
    sweep = Sweep(CENTRE, CENTRE, 1e7, 1e7, 10e-3, 101, "RMS", 1e-14)
    levels = shown(sweep, pulse(), moment=4.96e-3)
    expected = -10.0 + 10.0 * math.log10(10e-6 / sweep.dwell)
    assert levels.max() == pytest.approx(expected, abs=0.1)


def test_the_video_filter_is_one_pole():
    lag = 1.0 / (2.0 * math.pi * 1e3)
    time = 1e-6 * np.arange(2000)
    out = follow(np.concatenate(([0.0], np.ones(1999))), time, lag, lag)
    assert out[1 + round(lag / 1e-6)] == pytest.approx(1.0 - math.exp(-1.0), abs=0.01)


# --- the instrument --------------------------------------------------------------------------------------


def test_above_its_reference_level_it_says_that_it_is_overloaded(desk):
    desk.microwave.send(":FREQ 1.44 GHz;:POW -10 dBm;:OUTP ON")
    desk.analyser.send("FREQ:CENT 1.44 GHZ;SPAN 1 MHZ;:INIT:CONT OFF;:DISP:TRAC:Y:RLEV 0 DBM")
    for level, flag in (("0 DBM", "0"), ("-20 DBM", "4")):
        desk.analyser.send(f"DISP:TRAC:Y:RLEV {level};:INIT")
        desk.clock.advance(1.0)
        desk.analyser.ask("TRAC? TRACE1")
        assert desk.analyser.ask("STAT:QUES:POW?") == flag
        assert desk.analyser.ask("STAT:QUES:POW:COND?") == flag
    desk.microwave.send(":POW 16 dBm")
    desk.analyser.send("INP:ATT 0 DB")
    assert int(desk.analyser.ask("STAT:QUES:POW:COND?")) & 1


def test_the_detector_is_settable_and_a_free_run_holds_its_maximum(desk):
    for name in ("RMS", "AVER", "SAMP", "POS", "NEG", "APE"):
        desk.analyser.send(f"DET {name}")
        assert desk.analyser.ask("SENS1:DET1:FUNC?") == name
    desk.prepare()
    desk.analyser.send(f"FREQ:CENT {desk.cavity.frequency!r};SPAN 0;:BAND 10 MHZ;:SWE:TIME 50 MS;"
                       ":DISP:TRAC:MODE MAXH;:INIT:CONT ON;:TRIG:SOUR IMM")
    highest = []
    for _ in range(12):
        desk.timing.send("*TRG")
        highest.append(np.array(desk.analyser.ask("TRAC? TRACE1").split(","), float).max())
    assert highest == sorted(highest)
    assert highest[-1] > -20.0  # half of the time it is looking: 12 shots do not all pass unseen


def test_a_gated_sweep_puts_a_spectrum_together_from_many_shots(desk):
    desk.prepare()
    frequency = desk.cavity.frequency
    desk.analyser.send(f"FREQ:CENT {frequency!r};SPAN 20 MHZ;:BAND 1 MHZ;:SWE:TIME 160 US;POIN 401;"
                       ":SWE:EGAT ON;:SWE:EGAT:HOLD 1 US;:SWE:EGAT:LENG 16 US;:INIT:CONT OFF")
    desk.analyser.send("INIT")
    for shot in range(10):
        assert desk.analyser.device.pending() is not None, shot
        desk.timing.send("*TRG")
    levels = np.array(desk.analyser.ask("TRAC? TRACE1").split(","), float)
    assert desk.analyser.device.pending() is None
    frequencies = np.linspace(-10e6, 10e6, 401)
    assert abs(frequencies[np.argmax(levels)]) < 2e6 and levels.max() > -30.0
    assert levels[np.abs(frequencies) > 6e6].max() < levels.max() - 25.0


def test_a_delayed_trigger_shows_the_burst_so_much_earlier(desk):
    def arrival(delay: str) -> float:
        desk.prepare()
        desk.analyser.send(f"FREQ:CENT {desk.cavity.frequency!r};SPAN 0;:BAND 10 MHZ;:SWE:TIME 20 US;"
                           f"POIN 1001;:TRIG:SOUR EXT;:TRIG:HOLD {delay};:INIT:CONT OFF")
        desk.analyser.send("INIT")
        desk.timing.send("*TRG")
        return float(np.argmax(np.array(desk.analyser.ask("TRAC? TRACE1").split(","), float)) * 20e-9)

    assert arrival("0 S") - arrival("1.5 US") == pytest.approx(1.5e-6, abs=0.1e-6)
