"""Photons to volts to codes and back, and the envelope of a recorded carrier."""

import json
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.demodulate import _filter, quadratures
from twin.receiver import Receiver, envelope, rice_mean_std

VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "bench" / "volts_photons_vectors.json"
TIMES = np.arange(200) * 2e-9
RECORD = -2e-6 + np.arange(20_000) * 2e-9


def log_chain(attenuator=-10.0, **changes):
    gains = {"cable": -1.0, "attenuator": attenuator, "lna": 20.0, "filter": -1.5}
    return Receiver(detector="log", gains_db=gains, **{"bits": 8, **changes})


@pytest.mark.parametrize("attenuator", [-10, -20])
def test_the_log_chain_meets_the_published_vectors(attenuator):
    if not VECTORS.exists():
        pytest.skip("the vectors are not beside this checkout")
    r = log_chain(attenuator)
    for row in json.loads(VECTORS.read_text())[f"attenuator_{attenuator}_dB"]:
        volts = r.volts(np.full(50, row["photons"]), TIMES[:50])[-1]
        code = r.codes(volts)
        back = float(r.photons(r.volts_of(code)))
        assert volts == pytest.approx(row["volts"], abs=2e-6)
        assert abs(int(code) - row["code"]) <= 1
        assert bool(r.overloaded(row["photons"])) is row["overloaded"]
        if row["photons_from_code"] is None:
            assert math.isnan(back)
        else:
            assert back == pytest.approx(row["photons_from_code"], rel=1e-6)


def test_the_power_of_a_burst_is_that_of_the_cavity_page():
    # Q_L 8500, k 0.2: 5.8e14 photons radiate -10 dBm.
    assert 10 * math.log10(Receiver().port_power(5.8e14) / 1e-3) == pytest.approx(-10.0, abs=0.03)


def test_a_linear_channel_gives_conversion_times_peak_volts_in_50_ohm():
    r = Receiver(gains_db={"pad": -20.0})
    watts = r.port_power(1e14) * 0.01
    assert r.volts(1e14, None) == pytest.approx(8.0 * math.sqrt(2 * 50 * watts), rel=1e-12)
    assert Receiver(gains_db={"pad": -20.0}, detector="direct").volts(1e14) == pytest.approx(
        math.sqrt(2 * 50 * watts), rel=1e-12)


def test_volts_fall_with_the_attack_and_rise_with_the_release_after_one_held_sample():
    r = log_chain(attack=6e-9, release=10e-9)
    low, high = r.settled(1e12), r.settled(1e14)
    up = r.volts(np.where(TIMES < 100e-9, 1e12, 1e14), TIMES)
    down = r.volts(np.where(TIMES < 100e-9, 1e14, 1e12), TIMES)
    assert up[50] == pytest.approx(low) and up[51] == pytest.approx(high + (low - high) * math.exp(-2 / 6))
    assert down[60] == pytest.approx(low + (high - low) * math.exp(-20 / 10), rel=1e-9)
    assert up[-1] == pytest.approx(high, rel=1e-6)


def test_the_lag_of_a_detector_that_is_not_inverted_follows_the_power_too():
    r = log_chain(slope=0.022, intercept=-80.0, attack=6e-9, release=10e-9)
    up = r.volts(np.where(TIMES < 100e-9, 1e12, 1e14), TIMES)
    low, high = r.settled(1e12), r.settled(1e14)
    assert up[51] == pytest.approx(high + (low - high) * math.exp(-2 / 6))


@pytest.mark.parametrize("r", [Receiver(), log_chain(), Receiver(detector="direct")])
def test_the_jacobian_is_that_of_the_volts(r):
    def photons(scale, shift):
        return scale * 1e14 * np.exp(-((TIMES - 150e-9 - shift) / 60e-9) ** 2) + 1e8

    step = np.array([1e-6, 1e-14])
    dn = np.stack([(photons(1 + step[0], 0) - photons(1 - step[0], 0)) / (2 * step[0]),
                   (photons(1, step[1]) - photons(1, -step[1])) / (2 * step[1])], axis=1)
    volts, jacobian = r.volts_with_jacobian(photons(1, 0), dn, TIMES)
    difference = np.stack(
        [(r.volts(photons(1 + step[0], 0), TIMES) - r.volts(photons(1 - step[0], 0), TIMES)) / (2 * step[0]),
         (r.volts(photons(1, step[1]), TIMES) - r.volts(photons(1, -step[1]), TIMES)) / (2 * step[1])],
        axis=1)
    assert volts == pytest.approx(r.volts(photons(1, 0), TIMES), rel=1e-12)
    assert np.max(np.abs(jacobian - difference) / np.max(np.abs(difference), axis=0)) < 1e-5


@given(photons=st.floats(1e10, 1e14), bits=st.integers(6, 14))
@settings(deadline=None, max_examples=60)
def test_a_code_turns_back_into_its_photons_within_half_a_step(photons, bits):
    for r in (log_chain(-20.0, bits=bits), Receiver(bits=bits, intermediate_frequency=0.0)):
        volts = r.volts(photons)
        assert abs(r.volts_of(r.codes(volts)) - volts) <= 0.5 * r.lsb * (1 + 1e-9)
        back = r.photons(volts)
        if not np.isnan(back):
            assert back == pytest.approx(photons, rel=1e-9)


def test_codes_stop_at_the_rails_and_rails_are_not_converted():
    r = Receiver(intermediate_frequency=0.0)
    assert r.codes([-5.0, 5.0]).tolist() == [0, 1023]
    assert np.isnan(r.photons(r.volts_of([0, 1023]))).all()
    assert r.photons(-0.01) == 0.0


def test_overload_is_told_but_volts_go_on():
    r = log_chain()
    assert r.volts(1e16) == pytest.approx(r.volts(1e15) - 0.22, abs=1e-4)
    carrier = Receiver()
    limit = float(Receiver(full_scale=100.0).photons(carrier.full_scale / 2))
    assert carrier.overloaded([0.99 * limit, 1.01 * limit]).tolist() == [False, True]


def test_the_middle_of_the_range_depends_on_the_kind_of_record():
    assert Receiver().middle == 0.0
    assert Receiver(intermediate_frequency=0.0).middle == 0.7
    assert Receiver(detector="log").middle == 1.0
    assert Receiver(detector="log", offset=0.8).middle == 0.8


def test_a_receiver_cannot_be_changed_and_travels_between_processes():
    gains = {"cable": -1.0}
    r = Receiver(gains_db=gains)
    gains["cable"] = 5.0
    assert r.gains_db["cable"] == -1.0
    with pytest.raises(TypeError):
        r.gains_db["cable"] = 5.0
    with pytest.raises(AttributeError):
        r.bits = 8
    assert pickle.loads(pickle.dumps(r)) == r and hash(r) == hash(Receiver(gains_db={"cable": -1}))


@pytest.mark.parametrize(("wrong", "message"), [
    ({"detector": "logg"}, "did you mean 'log'"), ({"bits": 9.5}, "whole number"),
    ({"gains_db": {"lna": "much"}}, "gains_db.lna"), ({"gains_db": 3.0}, "table of names"),
    ({"full_scale": -1.0}, "full_scale = -1"), ({"slope": 0.0}, "without slope"),
    ({"coupling_factor": float("nan")}, "coupling_factor")])
def test_a_wrong_receiver_is_refused_with_the_reason(wrong, message):
    with pytest.raises(ValueError, match=message):
        Receiver(**wrong)


# The envelope.

def burst(time, centre=5e-6):
    """A field that grows and rings as fast as the bench's strongest burst, sign changes included [V]."""
    return 0.5 / np.cosh((time - centre) * 1e7) * np.cos((time - centre) * 1.1e7)


@pytest.mark.parametrize("phase", [0.0, 0.4, 1.3, 2.9])
@pytest.mark.parametrize(("rate", "frequency"), [(500e6, 50e6), (250e6, 50e6), (1e9, 62.3e6), (500e6, 21e6)])
def test_the_envelope_of_a_known_carrier_is_right_to_one_in_a_thousand(phase, rate, frequency):
    time = np.arange(int(20e-6 * rate)) / rate
    volts = 0.3 * np.cos(2 * np.pi * frequency * time + phase) + 0.1
    t, a, _ = envelope(time, volts, frequency, 50e6)
    assert np.diff(t).min() >= 10e-9 * (1 - 1e-9)
    assert np.max(np.abs(a / 0.3 - 1.0)) < 1e-3


@pytest.mark.parametrize("phase", [0.0, 0.7, 1.6])
def test_a_fast_burst_is_neither_shifted_nor_blurred_whatever_its_phase(phase):
    r = Receiver()
    t, a, _ = envelope(RECORD, r.carrier(burst(RECORD), RECORD, phase), 50e6, 50e6)
    assert np.max(np.abs(a - np.abs(burst(t)))) < 1e-3 * 0.5


def test_a_complex_amplitude_carries_its_own_phase():
    r = Receiver()
    _, z = quadratures(RECORD, r.carrier(np.full(RECORD.size, 0.2 * np.exp(0.5j)), RECORD, 0.3), 50e6, 50e6)
    assert np.max(np.abs(z - 0.2 * np.exp(0.8j))) < 1e-3


def test_the_noise_of_the_envelope_is_white_and_round_and_as_large_as_stated():
    r, rng = Receiver(), np.random.default_rng(5)
    parts, sigmas = [], []
    for _ in range(40):
        volts = r.volts_of(r.codes(r.carrier(0.2, RECORD, 0.9) + rng.normal(0, r.noise_volts, RECORD.size)))
        _, z = quadratures(RECORD, volts, 50e6, 50e6)
        parts.append(z * np.exp(-0.9j) - 0.2)
        sigmas.append(envelope(RECORD, volts, 50e6, 50e6)[2])
    z = np.array(parts)
    sigma = math.sqrt(np.mean(np.abs(z) ** 2) / 2)
    limit = 4.5 / math.sqrt(z.size)
    for lag in range(1, 6):
        assert abs(np.mean(z[:, lag:] * z[:, :-lag].conj())) / (2 * sigma**2) < limit
        assert abs(np.mean(z[:, lag:] * z[:, :-lag])) / (2 * sigma**2) < limit
    assert abs(np.mean(z * z)) / (2 * sigma**2) < limit
    assert np.mean(sigmas) == pytest.approx(sigma, rel=0.01)
    assert np.std(sigmas) < 0.03 * sigma
    assert sigma == pytest.approx(r.envelope_noise(2e-9), rel=0.01)


def test_the_filter_is_orthogonal_to_its_shifted_copies():
    for block in (2, 3, 8, 25):
        weights = _filter(block)
        products = np.correlate(weights, weights, "full")[len(weights) - 1:: block]
        assert np.max(np.abs(products[1:])) < 1e-3 * products[0]


def test_sigma_does_not_take_a_burst_or_a_spark_for_noise():
    r, rng = Receiver(), np.random.default_rng(2)
    volts = r.carrier(burst(RECORD), RECORD, 0.2) + rng.normal(0, r.noise_volts, RECORD.size)
    volts[9_000:9_400] += rng.normal(0, 0.1, 400)
    sigma = envelope(RECORD, r.volts_of(r.codes(volts)), 50e6, 50e6)[2]
    assert sigma == pytest.approx(r.envelope_noise(2e-9), rel=0.1)


def test_a_stuck_code_still_has_the_noise_of_rounding():
    r = Receiver()
    volts = r.volts_of(r.codes(np.where(RECORD < 0, 0.01 * r.lsb, r.carrier(burst(RECORD), RECORD))))
    assert envelope(RECORD, volts, 50e6, 50e6)[2] > 0.2 * r.lsb / math.sqrt(12)


def test_an_envelope_detector_in_hardware_is_averaged_in_blocks():
    rng = np.random.default_rng(3)
    t, v, sigma = envelope(RECORD, 0.4 + rng.normal(0, 1e-3, RECORD.size), 0.0, 50e6)
    assert t[1] - t[0] == pytest.approx(10e-9) and t[0] == pytest.approx(RECORD[:5].mean())
    assert v.mean() == pytest.approx(0.4, abs=2e-5)
    assert sigma == pytest.approx(1e-3 / math.sqrt(5), rel=0.08)


@pytest.mark.parametrize(("time", "frequency", "message"), [
    (RECORD[:50], 50e6, "too short"), (RECORD, 250e6, "samples/s"), (RECORD**3, 50e6, "evenly"),
    (RECORD[::-1], 50e6, "evenly"), (RECORD[:20], 0.0, "too short")])
def test_a_record_that_has_no_envelope_is_refused(time, frequency, message):
    with pytest.raises(ValueError, match=message):
        envelope(time, np.ones(len(time)), frequency, 50e6)


def test_the_moments_of_a_modulus_are_those_of_drawn_noise():
    rng = np.random.default_rng(8)
    for amplitude in (0.0, 0.5, 2.0, 30.0):
        drawn = np.abs(amplitude + rng.normal(size=200_000) + 1j * rng.normal(size=200_000))
        mean, _, std = rice_mean_std(np.array([amplitude]), 1.0)
        assert mean[0] == pytest.approx(drawn.mean(), abs=0.01)
        assert std[0] == pytest.approx(drawn.std(), rel=0.01)


@given(amplitude=st.floats(0.0, 1e6), sigma=st.floats(1e-6, 1e3))
@settings(deadline=None, max_examples=200)
def test_the_moments_are_smooth_and_safe_at_every_amplitude(amplitude, sigma):
    a = np.array([amplitude, amplitude * (1 + 1e-6) + 1e-6]) * sigma
    mean, slope, std = rice_mean_std(a, sigma)
    assert np.isfinite([mean, slope, std]).all()
    assert np.all(mean >= a * (1 - 1e-12)) and np.all((slope >= 0) & (slope <= 1 + 1e-9))
    assert np.all((std > 0.65 * sigma) & (std < sigma * (1 + 1e-9)))
    assert (mean[1] - mean[0]) / (a[1] - a[0]) == pytest.approx(slope[0], abs=2e-5)


def test_without_noise_the_modulus_is_the_amplitude():
    mean, slope, std = rice_mean_std(np.array([0.0, 2.0]), 0.0)
    assert mean.tolist() == [0.0, 2.0] and slope.tolist() == [0.0, 1.0] and std.tolist() == [0.0, 0.0]
