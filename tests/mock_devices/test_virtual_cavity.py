"""One cavity behind all instruments: who must be on, what is repeatable, what the truth log says."""

from __future__ import annotations

import hashlib
import json
import math

import numpy as np
import pytest

from mock_devices.burst import STEP
from mock_devices.front_end import resample
from mock_devices.truth_log import TruthLog
from twin.receiver import envelope


def digest(shots: list[dict[int, np.ndarray]]) -> str:
    return hashlib.sha256(b"".join(s[n].tobytes() for s in shots for n in (1, 2, 3))).hexdigest()


def run(desk, seed: int, shots: int = 3) -> list[dict[int, np.ndarray]]:
    desk.prepare(seed=seed)
    return [desk.shot() for _ in range(shots)]


def is_burst(words: np.ndarray) -> bool:
    return int(np.abs(words.astype(int)).max()) > 50


# --- what must be on ---


def test_a_fired_shot_shows_burst_photodiode_and_log_channel(desk):
    desk.prepare()
    words = desk.shot()
    assert is_burst(words[1])
    time = -2e-6 + 2e-9 * np.arange(20000)
    volts = desk.world.photodiode
    pulse = volts.read(time, words[2] * 1.6 / 1024 + 0.7)
    assert pulse.energy == pytest.approx(5e-3, rel=0.15) and pulse.start == pytest.approx(200e-9, abs=5e-9)
    log = words[3] * 1.6 / 1024 + 1.0
    assert log[:900].mean() == pytest.approx(0.022 * 70.0, abs=0.02) and log.min() < 0.8


@pytest.mark.parametrize("missing", ["power", "level", "shutter", "lamp", "delay"])
def test_without_any_one_of_them_there_is_noise_only(desk, missing):
    desk.prepare()
    {
        "power": lambda: desk.pump.send("/M_CPU800/18/Power/OFF"),
        "level": lambda: desk.pump.send("/M_CPU800/18/Output Energy level/OFF"),
        "shutter": lambda: (desk.shutter.send("SHUT:STAT CLOS"), desk.clock.advance(0.1)),
        "lamp": lambda: desk.timing.send("INHB 3"),
        "delay": lambda: desk.timing.send("DLAY 4,2,0.1"),
    }[missing]()
    words = desk.shot()
    assert not is_burst(words[1]) and words[2].max() - words[2].min() < 20
    receiver = desk.world.receivers["burst"]
    assert words[1].std() == pytest.approx(receiver.sample_noise / receiver.lsb, rel=0.05)


@pytest.mark.parametrize("inhibit", [1, 4, 5])
def test_an_inhibited_trigger_does_not_reach_the_digitiser(desk, inhibit):
    desk.prepare()
    desk.timing.send(f"INHB {inhibit}")
    desk.digitiser.send(":SING")
    desk.timing.send("*TRG")
    assert desk.digitiser.ask(":ADER?") == "0"
    assert desk.cavity.laser.pulses == 0


def test_less_delay_means_less_energy_and_a_later_smaller_burst(desk):
    desk.prepare()
    peaks, delays = [], []
    for q_switch in (165e-6, 180e-6, 207e-6):
        desk.timing.send(f"DLAY 4,2,{q_switch}")
        volts = desk.shot()[1] * 1.6 / 1024
        _, level, _ = envelope(-2e-6 + 2e-9 * np.arange(20000), volts, 50e6, 50e6)
        peaks.append(level.max())
        delays.append(int(np.argmax(level > 0.3 * level.max())))
    assert peaks[0] < peaks[1] < peaks[2] and delays[0] > delays[1] > delays[2]


# --- repeatable ---


def test_two_benches_with_one_seed_give_identical_codes_and_another_seed_different_ones(desk_of):
    benches = [desk_of() for _ in range(3)]
    first, second, other = (digest(run(d, seed)) for d, seed in zip(benches, (7, 7, 8), strict=True))
    for bench in benches:
        bench.close()
    assert first == second != other


def test_codes_do_not_depend_on_the_order_of_questions_on_time_or_on_the_truth_log(desk_of, tmp_path):
    plain, busy = desk_of(), desk_of(truth_log=TruthLog(tmp_path / "truth.jsonl"))
    expected = run(plain, 7)
    run(busy, 3, shots=1)  # an earlier run must leave nothing behind
    busy.prepare(seed=7)
    found = []
    for _ in range(3):
        busy.clock.advance(3.7)
        busy.energy.ask("MEAS:ENER?")
        busy.analyser.send("INIT:CONT OFF;:INIT")
        busy.digitiser.send(":SING")
        busy.timing.send("*TRG")
        busy.console.answer("state")
        found.append({n: busy.digitiser.words(n) for n in (3, 1, 2, 1)})
    for bench in (plain, busy):
        bench.close()
    assert digest(found) == digest(expected)


def test_a_channel_switched_off_leaves_the_others_as_they_were(desk_of):
    full, part = desk_of(), desk_of()
    full.prepare()
    part.prepare()
    part.digitiser.send(":CHAN3:DISP 0")
    expected = full.shot()
    part.digitiser.send(":SING")
    part.timing.send("*TRG")
    assert np.array_equal(part.digitiser.words(1), expected[1])
    part.digitiser.send(":WAV:SOUR CHAN3;:WAV:DATA?")
    assert part.digitiser.ask("SYST:ERR?").startswith("-221")
    for bench in (full, part):
        bench.close()


def test_the_cavity_drifts_with_shots_and_not_with_waiting(desk):
    desk.prepare()
    start = desk.cavity.frequency
    desk.clock.advance(600.0)
    assert desk.cavity.frequency == start
    for _ in range(20):
        desk.timing.send("*TRG")
    assert 0.0 < abs(desk.cavity.frequency - start) < 50e3


# --- physics and truth ---


def truth_of(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("richness", [0, 1])
def test_the_truth_log_explains_the_record(desk_of, tmp_path, virtual_text, richness):
    log = TruthLog(tmp_path / "truth.jsonl")
    desk = desk_of(virtual_text.replace("richness = 1 ", f"richness = {richness} "), truth_log=log)
    words = run(desk, 7, shots=1)[0]
    desk.close()
    lines = truth_of(tmp_path / "truth.jsonl")
    assert lines[0]["shot"] is None and lines[0]["bench"]["loaded_quality"] == pytest.approx(8330.0)
    shot = lines[-1]
    assert (shot["shot"], shot["run"], shot["faults"]) == (0, "run", [])
    p = shot["parameters"]
    assert p["dephasing_35"] == 7.107e5 and p["cavity_decay"] == pytest.approx(2 * math.pi * 1.4495e9 / 8330)
    # The peak of the recorded envelope is the peak photon number behind the true chain.
    _, level, _ = envelope(-2e-6 + 2e-9 * np.arange(20000), words[1] * 1.6 / 1024 + 0.8 / 1024, 50e6, 50e6)
    seen = (level.max() / (8.0 * 10.0)) ** 2 / desk.world.receivers["burst"].gain
    assert seen == pytest.approx(
        shot["peak_photons"] * desk.world.receivers["burst"].watts_per_photon, rel=0.06
    )
    # Beer-Lambert and bleaching leave fewer triplets than the pulse has photons.
    assert 1e15 < p["triplets"] < desk.world.pump.photons(p["pump_energy"]) * 0.622


def test_at_richness_0_the_mean_field_with_the_logged_seed_is_the_record(
    desk_of, tmp_path, virtual_text
):
    from twin import simulate
    from twin.optical_pump import pump_drive

    log = TruthLog(tmp_path / "truth.jsonl")
    desk = desk_of(virtual_text.replace("richness = 1 ", "richness = 0 "), truth_log=log)
    words = run(desk, 7, shots=1)[0]
    truth = truth_of(tmp_path / "truth.jsonl")[-1]["parameters"]
    desk.close()
    drive = pump_drive(desk.world.parameters, desk.world.pump, truth["pump_energy"])
    time, level, sigma = envelope(
        -2e-6 + 2e-9 * np.arange(20000), words[1] * 1.6 / 1024 + 0.8 / 1024, 50e6, 50e6
    )
    local = time - truth["start"]
    run_ = simulate(
        desk.world.parameters, drive, local[local > 0], model="mean_field", seed_photons=truth["seed_photons"]
    )
    expected = desk.world.receivers["burst"].volts(run_.photons)
    residual = level[local > 0] - np.hypot(expected, sigma)
    assert residual.std() < 1.5 * sigma and expected.max() > 100 * sigma


def test_a_source_left_on_seeds_the_burst_and_advances_it(desk):
    desk.prepare()

    def arrival() -> int:
        desk.console.answer("begin run 7")
        return int(np.argmax(np.abs(desk.shot()[1].astype(int)) > 60))

    dark = arrival()
    desk.microwave.send(f":FREQ {desk.cavity.frequency!r} Hz;:POW -60 dBm;:OUTPUT 1;")
    assert desk.cavity.rf_on
    assert arrival() < dark - 50


def test_resampling_keeps_a_smooth_field():
    t = STEP * np.arange(2000)
    field = np.exp(2j * np.pi * 2e6 * t - t / 5e-6)
    wanted = np.arange(0, 9e-6, 2e-9)
    exact = np.exp(2j * np.pi * 2e6 * wanted - wanted / 5e-6)
    assert np.abs(resample(field, 0.0, STEP, wanted) - exact).max() < 1e-4
    assert np.all(resample(field, 1e-6, STEP, np.array([0.0, 5e-3])) == 0)


# --- state ---


def test_state_tells_what_the_bench_does_and_since_when_it_is_safe(desk):
    def state() -> dict:
        return json.loads(desk.console.answer("state"))

    desk.clock.advance(3.0)
    assert state() == {"laser": "off", "shutter": "closed", "rf": "off", "since": 3.0, "shots": 0}
    desk.microwave.send(":OUTP 1")
    assert state()["rf"] == "on" and state()["since"] == 0.0
    desk.microwave.send(":OUTP 0")
    state()
    desk.clock.advance(2.0)
    assert state()["since"] == 2.0
    desk.prepare()
    desk.shot()
    assert state() | {"since": 0} == {
        "laser": "emitting",
        "shutter": "open",
        "rf": "off",
        "since": 0,
        "shots": 1,
    }
