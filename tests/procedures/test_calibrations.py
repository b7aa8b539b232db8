"""Ring-down, receiver calibration and seeded delay against the truth of the virtual bench, and their fits."""

import numpy as np
import pytest

from procedures import open_bench, run
from procedures.machinery.apparatus.bench import describe_bench
from twin.calibration import carrier_amplitude, compression, conversion, log_line, reflected
from twin.receiver import Receiver
from twin.ring_down import fit_ring_down

KAPPA = describe_bench("virtual").expected.parameters.cavity_frequency / 8330     # [truth.cavity]


@pytest.fixture(scope="module")
def runs(served, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with open_bench(served[0]) as bench:
        return {name: run(name, bench, folder, seed=8, repetition_rate=20, shots=shots)
                for name, shots in (("ring_down", 8), ("receiver_calibration", 15), ("seeded_delay", 10))}


@pytest.fixture(scope="module")
def results(runs):
    return {name: done.result for name, done in runs.items()}


def test_the_mode_rings_down_with_its_true_decay(results):
    found = results["ring_down"]
    assert abs(found["cavity_decay"] - KAPPA) < 4 * found["cavity_decay_sigma"] < 0.005 * KAPPA


def test_the_log_detector_shows_the_same_ringing_in_decibels(runs):
    log, found = describe_bench("virtual").receivers["log"], []
    for shot in runs["ring_down"].shots:
        record = shot.waveforms["log"]
        rings = (record.time > 0.3e-6) & (record.time < 2.3e-6)     # the gate falls with the trigger
        found.append(np.polyfit(record.time[rings], record.volts[rings] / log.slope, 1)[0])
    assert np.mean(found) == pytest.approx(-10.0 / np.log(10.0) * KAPPA, rel=0.01)


def test_records_without_laser_hold_no_light_and_wait_for_no_fit(runs):
    for name in ("ring_down", "receiver_calibration"):
        assert {(shot.fit, np.isfinite(shot.energy)) for shot in runs[name].shots} == {(None, False)}
        assert {shot.settings["timing.gate_length"] > 0 for shot in runs[name].shots} == {name == "ring_down"}


@pytest.mark.parametrize("name", ["ring_down", "receiver_calibration", "seeded_delay"])
def test_from_disk_the_answers_are_the_same(runs, from_disk, name):
    told = {key: value for key, value in runs[name].result.items() if key != "verdicts"}
    assert from_disk(runs[name]) == told


@pytest.mark.parametrize("name", ["ring_down", "receiver_calibration", "seeded_delay"])
def test_reports_and_pictures_are_made_from_the_stored_records(runs, drawn, name):
    page, picture = drawn(runs[name])
    lines = [series for panel in picture.panels for series in panel.series if series.kind == "line"]
    assert lines and "±" in page


def test_the_picture_of_a_calibration_leaves_little_but_noise(runs, drawn):
    _, residual, mixer = drawn(runs["receiver_calibration"])[1].panels
    assert np.max(np.abs(residual.series[0].y)) < 0.02      # [dB], from -54 to -10 dBm
    carrier, line = mixer.series
    np.testing.assert_allclose(carrier.y[5:], line.y[5:], rtol=5e-3)


def test_an_amplifier_that_saturates_is_told_and_the_line_is_still_calibrated(served, tmp_path):
    path, console = served
    saturated, receiver = -25.0, describe_bench("virtual").receivers["burst"]       # [dBm] at the detector
    expected = saturated - sum(receiver.gains_db.values()) + 5.0 * np.log10(10.0**0.2 - 1.0)    # Rapp, p = 2
    assert console.ask(f"inject lna_compression severity={saturated}") == "ok"
    try:
        with open_bench(path) as bench:
            found = run("receiver_calibration", bench, tmp_path, seed=8, repetition_rate=20, shots=17,
                        power_start=-50, power_stop=-18).result
    finally:
        console.ask("inject lna_compression severity=0")
    assert found["compression_point"] == pytest.approx(expected, abs=0.2)
    assert found["conversion"] == pytest.approx(8.0, rel=3e-3)
    assert found["slope"] == pytest.approx(-22e-3, rel=3e-3)


def test_the_receive_line_is_the_declared_one(results):
    found = results["receiver_calibration"]
    for name, truth, fine in (("slope", -22e-3, 1e-4), ("intercept", 15.0, 1e-3), ("conversion", 8.0, 0.01)):
        assert abs(found[name] - truth) < 4 * found[f"{name}_sigma"] < fine * abs(truth), name
    assert "compression_point" not in found      # nothing compresses on this bench


def test_seeds_tell_the_growth_rate(results):
    found = results["seeded_delay"]
    assert abs(found["growth_rate"] - 1.07e7) < 4 * found["growth_rate_sigma"] < 4e6


@pytest.mark.parametrize("turning, leak", [(0.0, 0.0), (3e5, 2e6)])
def test_a_decay_is_read_without_bias_beside_a_leak_and_in_noise(turning, leak):
    rng, t = np.random.default_rng(3), 1e-8 * np.arange(4000) - 2e-6
    ringing = np.where(t < 0, 1.0, np.exp(-KAPPA * t / 2)) * np.exp(1j * turning * t)
    found = []
    for _ in range(20):
        noise = 2e-3 * (rng.normal(size=t.size) + 1j * rng.normal(size=t.size))
        found.append(fit_ring_down(t, ringing + 1e-3 * np.exp(1j * leak * t) + noise, 4e-7, leak))
    assert abs(np.mean(found) - KAPPA) < 4 * np.std(found) / np.sqrt(20) < 2e-3 * KAPPA
    assert fit_ring_down(t, noise, 4e-7) is None


@pytest.mark.parametrize("amplitude", [2e-3, 0.5])
def test_a_carrier_of_known_frequency_is_read_beside_noise_a_constant_and_its_image(amplitude):
    rng, t = np.random.default_rng(4), 4e-9 * np.arange(10_000) - 2e-6
    found = [carrier_amplitude(t, amplitude * np.cos(2 * np.pi * 56e6 * t + phase) + 0.1
                               + 1.5e-3 * rng.normal(size=t.size), 56e6) for phase in np.linspace(0, 6, 20)]
    assert abs(np.mean(found) - amplitude) < 4 * np.std(found) / np.sqrt(20) < 0.02 * amplitude


def test_what_a_loop_reflects_is_all_far_off_and_nothing_on_a_matched_mode():
    matched, half_width = Receiver(coupling_factor=1.0), 0.5 * 1.4495e9 / 8500
    assert reflected(matched, 0.0) < -150.0
    assert reflected(matched, half_width) == pytest.approx(10 * np.log10(0.5))
    assert -1e-3 < reflected(Receiver(coupling_factor=0.2), 6e6) < 0.0


def test_a_log_detector_s_line_is_found_inside_its_range_only():
    receiver = Receiver(detector="log", slope=-0.0217, intercept=14.2, offset=1.0)
    powers = np.arange(-70.0, 5.0, 2.0)
    watts = 1e-3 * 10.0 ** (powers / 10.0)
    volts = receiver.settled(watts / receiver.watts_per_photon)
    found = log_line(powers, volts, receiver.replace(slope=-0.022, intercept=15.0))
    assert (found["slope"], found["intercept"]) == pytest.approx((-0.0217, 14.2), rel=1e-9)
    assert log_line(powers[:3], volts[:3], receiver) == {}


def test_a_mixer_s_conversion_is_that_of_small_powers_and_its_compression_where_it_bends():
    receiver, powers = Receiver(conversion=7.3), np.arange(-60.0, -9.0, 1.0)
    linear = receiver.settled(1e-3 * 10.0 ** (powers / 10.0) / receiver.watts_per_photon)
    assert conversion(powers, linear, receiver)["conversion"] == pytest.approx(7.3, rel=1e-9)
    assert compression(powers, linear) == {}
    saturated = linear[powers == -25.0][0]
    bent = linear / (1.0 + (linear / saturated) ** 4) ** 0.25
    assert conversion(powers, bent, receiver)["conversion"] == pytest.approx(7.3, rel=2e-2)
    # Rapp, p = 2: 1 dB where (1 + x^4)^(1/4) = 10^(1/20)
    expected = -25.0 + 5.0 * np.log10(10.0 ** 0.2 - 1.0)
    assert compression(powers, bent)["compression_point"] == pytest.approx(expected, abs=0.15)
