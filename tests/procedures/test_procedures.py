"""Procedures that drive, spoil and calibrate, in short form, each against the virtual bench's truth."""

import dataclasses
import json
import math

import numpy as np
import pytest

from procedures import catalogue, open_bench, run
from procedures.machinery.bench import check_wishes, describe_bench
from procedures.machinery.measured import Measured
from procedures.machinery.rows import Rows
from procedures.ring_down import CUT
from twin import simulate
from twin.bench_description import parse
from twin.optical_pump import pump_drive
from twin.storage import relaxed

BENCH = describe_bench("virtual")
TRUE = BENCH.truth.parameters(BENCH.expected.parameters)
RECEIVER = BENCH.truth.receiver("burst", BENCH.receivers["burst"])
SHORT = {
    "ring_down": {"shots": 4}, "receiver_calibration": {"shots": 9, "power_stop": -12},
    "seeded_delay": {"shots": 9}, "drive_scan": {"shots": 11, "length": "1us"}, "pump_probe": {"shots": 15},
}


@pytest.fixture(scope="module")
def runs(served, tmp_path_factory):
    """One short run of each procedure that the shipped bench can do."""
    folder = tmp_path_factory.mktemp("runs")
    with open_bench(served[0]) as bench:
        return {name: run(name, bench, folder, seed=5, repetition_rate=20, **settings)
                for name, settings in SHORT.items()}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """battery_store on a bench whose gate spoils the cavity."""
    folder = tmp_path_factory.mktemp("spoiled")
    (folder / "spoiled.toml").write_text(BENCH.text.replace("[timing] ", '[timing]\ngate = "cavity"\n#'))
    with open_bench(folder / "spoiled.toml") as bench:
        with pytest.raises(ValueError, match=r"drive_scan needs \[timing\] gate = 'microwave'"):
            run("drive_scan", bench, folder)
        return run("battery_store", bench, folder, seed=5, repetition_rate=20, shots=8)


def agrees(result, name, truth, model=0.0):
    """Within four standard deviations; `model`: relative error of what the truth is computed with."""
    sigma = math.hypot(result[f"{name}_sigma"], model * truth)
    return abs(result[name] - truth) < 4.0 * sigma < 0.3 * abs(truth)


def test_a_mode_that_rings_tells_its_decay(runs):
    assert agrees(runs["ring_down"].result, "cavity_decay", TRUE.cavity_decay)


def test_the_log_detector_shows_the_same_ringing_in_decibels(runs):
    for shot in runs["ring_down"].shots:
        record = shot.waveforms["log"]
        rings = (record.time > CUT + 0.3e-6) & (record.time < CUT + 3e-6)
        slope = np.polyfit(record.time[rings], record.volts[rings] / BENCH.receivers["log"].slope, 1)[0]
        assert slope == pytest.approx(-10.0 / math.log(10.0) * TRUE.cavity_decay, rel=0.02)


def test_a_dark_run_fires_no_laser_and_is_not_fitted(runs):
    for name in ("ring_down", "receiver_calibration"):
        for shot in runs[name].shots:
            assert shot.settings["pump.energy"] == 0.0 and math.isnan(shot.energy) and shot.fit is None
    events = [json.loads(line) for line in (runs["ring_down"].path / "events.jsonl").read_text().splitlines()]
    assert not [event for event in events if event["event"] == "Notice"]


def test_the_receive_line_is_calibrated_by_substitution(runs):
    result = runs["receiver_calibration"].result
    log = BENCH.receivers["log"]
    for name, truth in (("slope", log.slope), ("intercept", log.intercept),
                        ("conversion", RECEIVER.conversion)):
        assert agrees(result, name, truth), name
    assert "compression_point" not in result     # nothing compresses on a sound bench


def test_an_amplifier_that_saturates_has_a_compression_point_and_still_a_calibration(served, tmp_path):
    path, console = served
    saturated = -25.0       # [dBm] at the detector; Rapp's curve of order 2 has lost 1 dB 1.16 dB below it
    expected = saturated - sum(RECEIVER.gains_db.values()) + 5.0 * math.log10(10.0**0.2 - 1.0)
    assert console.ask(f"inject lna_compression severity={saturated}") == "ok"
    try:
        with open_bench(path) as bench:
            result = run("receiver_calibration", bench, tmp_path, seed=5, repetition_rate=20, shots=16,
                         power_start=-50, power_stop=-20).result
    finally:
        console.ask("inject lna_compression severity=0")
    assert result["compression_point"] == pytest.approx(expected, abs=0.1)
    assert result["conversion"] == pytest.approx(RECEIVER.conversion, rel=3e-3)
    assert result["slope"] == pytest.approx(BENCH.receivers["log"].slope, rel=3e-3)


def test_seeds_save_the_time_that_the_growth_takes(runs):
    """The oracle seeds the mean field itself and looks when it peaks."""
    times = np.arange(0.0, 5e-6, 1e-9)
    drive = pump_drive(TRUE, BENCH.pump, 3e-3)
    late = [times[np.argmax(simulate(TRUE, drive, times, model="mean_field", seed_photons=n).photons)]
            for n in (1e7, 3e10)]
    assert agrees(runs["seeded_delay"].result, "growth_rate", math.log(3e3) / (late[0] - late[1]), model=0.01)


def test_driven_shots_are_told_without_a_fit_and_the_bursts_of_a_coils_pulses_with_one(runs):
    assert all(shot.fit is None for shot in runs["seeded_delay"].shots)
    assert all(shot.fit is not None for shot in runs["drive_scan"].shots)


def test_pulses_on_4_5_turn_with_twice_omega(runs):
    truth = BENCH.roles["microwave_45"].options["rabi_per_sqrt_watt"]
    assert agrees(runs["drive_scan"].result, "rabi_per_sqrt_watt", truth)


def test_a_probe_comes_back_amplified_as_the_mean_field_says(runs):
    run_ = runs["pump_probe"]
    detunings = np.linspace(-2.5e5, 2.5e5, 11)
    expected = np.array([amplified(detuning, 3e-6) for detuning in detunings])
    assert agrees(run_.result, "gain_db", expected.max(), model=0.02)
    inside = np.linspace(-2.5e5, 2.5e5, 2001)
    curve = np.interp(inside, detunings, expected)
    assert agrees(run_.result, "bandwidth", np.ptp(inside[curve > expected.max() - 3.0]), model=0.04)


def amplified(detuning, late, energy=0.2e-3, photons=1e6):
    """Power [dB] that leaves the loop `late` [s] after the light, against that before it."""
    turn, lit = 2.0 * math.pi * detuning, 20.0 / TRUE.cavity_decay
    tone = math.hypot(0.5 * TRUE.cavity_decay, turn) * math.sqrt(photons)
    drive = dataclasses.replace(pump_drive(TRUE, BENCH.pump, energy, lit), cavity_drive=tone,
                                cavity_drive_detuning=turn)
    times = np.array([0.0, lit - 1e-7, lit + late])
    field = simulate(TRUE, drive, times, model="mean_field", seed_photons=1e-3).field
    leaving = field + 1j * tone / RECEIVER.external_decay * np.exp(-1j * turn * times)
    return 20.0 * math.log10(abs(leaving[2]) / abs(leaving[1]))


def test_the_battery_keeps_its_inversion_as_long_as_the_levels_do(stored):
    made = np.array([0.0, 0.0, *TRUE.branching])
    times = np.linspace(0.0, 40e-6, 4001)
    inversion = relaxed(TRUE, made, times) @ [0.0, 0.0, -1.0, 0.0, 1.0]
    truth = np.interp(-inversion[0] / math.e, -inversion, times)
    assert agrees(stored.result, "storage_time", truth)


def test_a_held_burst_comes_after_its_hold_and_is_not_fitted(stored):
    for shot in stored.shots:
        release = shot.settings["timing.gate_stop"]
        peak = shot.waveform.time[np.argmax(np.abs(shot.waveform.volts))]
        assert shot.fit is None and peak > release


def test_a_bench_whose_gate_pulses_the_sources_cannot_store():
    with pytest.raises(ValueError, match=r"battery_store needs \[timing\] gate = 'cavity'"):
        check_wishes(BENCH, "battery_store", catalogue.procedure("battery_store"), {})


def test_answers_are_the_same_from_disk(runs, stored):
    for name, done in {**runs, "battery_store": stored}.items():
        held = Measured(parse(done.bench_text, "stored"), done.shots, Rows())
        assert catalogue.procedure(name)(**done.settings).answer(held) == done.result, name
