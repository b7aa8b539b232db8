"""Laser-triggered transients: offset, onset, nutation, decay, noise."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import j0

from twin.transient import analyse_transient, read_transient

RECORD = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "transient" / "daten03.006"
TIME = np.arange(-1e-6, 5e-6, 4e-9)


def transient(shape, frequency, decay, onset=0.3e-6, amplitude=0.02, offset=3e-3, noise=1e-3, seed=1,
              time=TIME):
    late = np.maximum(time - onset, 0.0)
    signal = amplitude * (time >= onset) * shape(2 * np.pi * frequency * late) * np.exp(-late / decay)
    return time, offset + signal + noise * np.random.default_rng(seed).normal(size=time.size)


def test_the_measured_transient_is_read_and_nutates_at_0p6_mhz():
    if not RECORD.exists():
        pytest.skip("the measured transient is not beside this checkout")
    time, volts = read_transient(RECORD.read_text())
    assert len(time) == 5000 and time[0] == pytest.approx(-1.001e-6) and time[-1] == pytest.approx(8.997e-6)
    found = analyse_transient(time, volts)
    assert found.verdict == "OK"
    p = found.parameters
    assert p["offset"] == pytest.approx(-2.4e-4, abs=1e-4) and p["noise"] == pytest.approx(1.31e-3, rel=0.03)
    assert p["onset"] == pytest.approx(45e-9, abs=20e-9)
    assert p["nutation_frequency"] == pytest.approx(0.60e6, rel=0.04)
    assert p["nutation_frequency_cosine"] == pytest.approx(0.61e6, rel=0.08)
    assert p["decay_time"] == pytest.approx(5e-6, rel=0.3)


@pytest.mark.parametrize(("frequency", "decay", "onset", "amplitude"), [
    (0.8e6, 3e-6, 0.3e-6, 0.02), (2.5e6, 1e-6, 0.8e-6, -0.02), (6e6, 0.7e-6, 0.2e-6, 0.05)])
def test_a_powder_nutates_as_a_bessel_function(frequency, decay, onset, amplitude):
    found = analyse_transient(*transient(j0, frequency, decay, onset, amplitude))
    p, s = found.parameters, found.sigma
    assert abs(p["nutation_frequency"] - frequency) < 4 * s["nutation_frequency"] + 2e-3 * frequency
    assert abs(p["decay_time"] - decay) < 4 * s["decay_time"] + 0.03 * decay
    assert p["onset"] == pytest.approx(onset, abs=12e-9)
    assert p["offset"] == pytest.approx(3e-3, abs=2e-4) and p["noise"] == pytest.approx(1e-3, rel=0.15)
    assert found.chi2_per_dof == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize(("frequency", "decay"), [(1.5e6, 2e-6), (0.4e6, 6e-6)])
def test_a_crystal_nutates_as_a_damped_cosine(frequency, decay):
    found = analyse_transient(*transient(np.cos, frequency, decay))
    p, s = found.parameters, found.sigma
    name = "nutation_frequency_cosine"
    assert abs(p[name] - frequency) < 4 * s[name] + 2e-3 * frequency
    assert p["decay_time"] == pytest.approx(decay, rel=0.08)


def test_a_plain_decay_has_no_nutation():
    p = analyse_transient(*transient(np.ones_like, 0.0, 1e-6)).parameters
    assert "nutation_frequency" not in p and "nutation_frequency_cosine" not in p
    assert p["decay_time"] == pytest.approx(1e-6, rel=0.1)


def test_noise_alone_is_refused():
    for seed in range(5):
        found = analyse_transient(*transient(j0, 1e6, 1e-6, amplitude=0.0, seed=seed))
        assert found.verdict != "OK" and found.parameters == {}


def test_a_record_that_starts_at_zero_finds_its_own_dark_part():
    time, volts = transient(j0, 1e6, 2e-6, onset=0.5e-6, time=np.arange(0, 5e-6, 4e-9))
    assert analyse_transient(time, volts).parameters["onset"] == pytest.approx(0.5e-6, abs=12e-9)


def test_csv_and_the_spectrometers_own_format_are_the_same_record():
    time, volts = transient(j0, 1e6, 2e-6)
    rows = "".join(f"{t:.9g},{v:.9g}\n" for t, v in zip(time, volts, strict=True))
    for text in (rows, "time [s],volts\n" + rows, "# comment\n" + rows.replace(",", "\t")):
        t, v = read_transient(text)
        assert t == pytest.approx(time, abs=1e-15) and v == pytest.approx(volts, rel=1e-7)
    values = "".join(f"{v:.9g}     " + ("\n" if i % 4 == 3 else "") for i, v in enumerate(volts))
    axis = f"1 {len(time)} {time[0]:.9g} {time[-1]:.9g} 0 0"
    head = f"Source : transient; Time : now\nB0\n P\n{axis}\ns     V\n"
    t, v = read_transient(head + values)
    assert t == pytest.approx(time, abs=1e-14) and v == pytest.approx(volts, rel=1e-7)


@pytest.mark.parametrize(("text", "message"), [
    ("", "found 0 points"), ("0,1\n" * 60, "rise"), ("t,v\n0,1\nx,2\n", "line 3"),
    ("0,1,2\n", "two columns"),
    ("Source : a\n\n\nx\n", "line 4"),
    ("Source : a\n\n\n1 9 0 1\ns V\n1 2 3\n", "announces 9 points, found 3"),
    ("Source : a\n\n\n2 3 0 1\ns V\n1 2 3\n", "2 traces")])
def test_a_text_that_is_no_transient_is_refused_with_its_line(text, message):
    with pytest.raises(ValueError, match=message):
        read_transient(text)
