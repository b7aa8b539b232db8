"""Faults: struck when ordered, seeded, seen in the data, told in the truth log."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from mock_devices.serve import assemble
from mock_devices.truth_log import TruthLog
from twin.bench_description import BenchFileError, parse
from twin.bench_faults import NAMES

CATALOGUE_ORDER = [
    "cavity_drift",
    "quality_drop",
    "misfire",
    "low_energy",
    "double_pulse",
    "energy_jitter",
    "missed_trigger",
    "false_trigger",
    "late_trigger",
    "arm_race",
    "scope_hang",
    "clip",
    "lna_compression",
    "limiter",
    "detector_range",
    "intercept_drift",
    "wrong_scale",
    "stale_data",
    "timeout",
    "dropped_connection",
    "half_block",
    "wrong_length",
    "error_queue",
    "noise_burst",
    "rf_leakage",
    "interlock",
    "bleached",
    "clock_step",
]


def first(words: np.ndarray) -> int:
    """Index of the burst's first sample that stands out."""
    return int(np.argmax(np.abs(words) > 60))


def test_the_catalogue_has_the_contract_s_names_in_its_order(desk):
    assert list(NAMES) == CATALOGUE_ORDER
    answer = json.loads(desk.console.answer("inject list"))
    assert answer["names"] == CATALOGUE_ORDER
    assert set(answer["seen_by"]) == set(answer["severity"]) == set(CATALOGUE_ORDER)
    assert set(answer["seen_by"].values()) == {"shot", "series", "read-back", "control shot"}
    assert all(desk.console.answer(f"inject {name}") == "ok" for name in CATALOGUE_ORDER)


def energies(desk, count: int) -> list[float]:
    """Photodiode energies [J] of some shots, nan without light."""
    time = -2e-6 + 2e-9 * np.arange(20000)
    return [desk.world.photodiode.read(time, desk.shot()[2] * 1.6 / 1024 + 0.7).energy for _ in range(count)]


def test_a_misfire_strikes_the_shot_it_was_ordered_for(desk):
    desk.prepare()
    assert desk.console.answer("inject misfire at=shot:1") == "ok"
    assert [math.isnan(e) for e in energies(desk, 3)] == [False, True, False]


def test_low_energy_by_probability_is_seeded(desk):
    desk.prepare()
    desk.console.answer("inject low_energy severity=0.3 at=probability:0.5")
    first = energies(desk, 6)
    desk.console.answer("begin run 7")
    assert energies(desk, 6) == first
    assert 0 < sum(e < 2.5e-3 for e in first) < 6


def test_a_second_pulse_is_on_the_photodiode(desk):
    desk.prepare()
    desk.console.answer("inject double_pulse")
    diode = desk.shot()[2].astype(int)
    second = diode[16000:16300]
    assert second.max() - diode[:900].max() > 300


def test_a_missed_trigger_leaves_the_digitiser_armed_for_the_next(desk):
    desk.prepare()
    desk.console.answer("inject missed_trigger")
    desk.digitiser.send(":SING")
    desk.timing.send("*TRG")
    assert desk.digitiser.ask(":ADER?") == "0" and desk.cavity.laser.pulses == 1
    desk.timing.send("*TRG")
    assert np.abs(desk.digitiser.words(1)).max() > 50


def test_a_late_trigger_moves_the_pulse_in_the_record(desk):
    desk.prepare()
    desk.console.answer("inject late_trigger severity=1e-6")
    assert pytest.approx(int(np.argmax(desk.shot()[2])), abs=8) == 1000 + 100 - 500


def test_stale_data_return_the_record_before(desk):
    desk.prepare()
    desk.console.answer("inject stale_data at=shot:1")
    first, second, third = (desk.shot()[1] for _ in range(3))
    assert np.array_equal(first, second) and not np.array_equal(second, third)


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("clip", lambda a, b: (np.abs(b[1]) >= 511).sum() > 100),
        ("noise_burst", lambda a, b: b[1][:900].std() > 5 * a[1][:900].std()),
        (
            "intercept_drift severity=3",
            lambda a, b: abs(np.mean(b[3][:900] - a[3][:900]) - 42.2) < 3,
        ),
        ("detector_range", lambda a, b: b[3].min() < a[3].min() - 50),
        ("wrong_scale", lambda a, b: b[1].std() == pytest.approx(2 * a[1].std(), rel=0.1)),
        ("lna_compression", lambda a, b: b[1].max() < 0.8 * a[1].max()),
        ("limiter", lambda a, b: b[1].max() < 0.8 * a[1].max()),
        ("bleached severity=0.9", lambda a, b: b[1].max() < 0.9 * a[1].max()),
        (
            "rf_leakage severity=1e9",
            lambda a, b: first(b[1]) < first(a[1]) - 50,
        ),
        ("quality_drop", lambda a, b: not np.array_equal(a[1], b[1])),
        ("cavity_drift severity=2e6", lambda a, b: b[1].max() < 0.5 * a[1].max()),
    ],
)
def test_a_fault_of_the_chain_is_in_the_data(desk, fault, seen):
    desk.prepare()
    healthy = desk.shot()
    desk.prepare()
    assert desk.console.answer(f"inject {fault}") == "ok"
    assert seen(*({n: w.astype(float) for n, w in shot.items()} for shot in (healthy, desk.shot())))


def with_faults(text: str, lines: str) -> str:
    return text.replace("richness = 1 ", f"faults = {lines}\nrichness = 1 ")


def test_faults_of_the_bench_file_strike_every_run_anew(desk_of, virtual_text):
    desk = desk_of(with_faults(virtual_text, '["misfire at=shot:1", "bleached severity=0.95 at=shot:2"]'))
    found = []
    for _ in range(2):
        desk.prepare()
        found.append([desk.shot() for _ in range(4)])
    desk.close()
    first, second = found
    assert all(np.array_equal(a[n], b[n]) for a, b in zip(first, second, strict=True) for n in (1, 2, 3))
    assert np.ptp(first[1][2]) < 20 < np.ptp(first[0][2])
    assert first[2][1].max() < 0.8 * first[0][1].max()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('["misfre at=shot:3"]', "misfire"),
        ('["misfire at=shot:x"]', "no number"),
        ('["misfire at=probability:2"]', "probability 0 .. 1"),
        ('["timeout role=teapot"]', "teapot"),
        ('"misfire"', "list of lines"),
    ],
)
def test_a_wrong_fault_in_a_bench_file_is_told_with_file_and_line(virtual_text, lines, words):
    text = with_faults(virtual_text, lines)
    line = next(n for n, found in enumerate(text.splitlines(), 1) if found.startswith("faults"))
    with pytest.raises(BenchFileError, match=f"lab.toml, line {line}, .truth.: .*{words}"):
        parse(text, "lab.toml")


def test_a_bench_in_this_process_takes_faults_by_name(virtual_text):
    bench = assemble(virtual_text, "virtual.toml")
    bench.inject("cavity_drift", severity=1e5)
    bench.inject("misfire", at="shot:3")
    assert bench.cavity.faults.lasting == {"cavity_drift": 1e5}
    with pytest.raises(ValueError, match="unknown fault"):
        bench.inject("earthquake")
    with pytest.raises(ValueError, match="microscope"):
        bench.inject("timeout", role="microscope")
    bench.executor.shutdown()


def test_an_open_interlock_latches_and_only_a_person_brings_light_back(desk):
    desk.prepare()
    desk.console.answer("inject interlock at=shot:0")
    desk.shot()
    desk.clock.advance(0.1)
    state = json.loads(desk.console.answer("state"))
    assert (state["laser"], state["shutter"]) == ("off", "closed")
    desk.shutter.send("SHUT:STAT OPEN")
    desk.clock.advance(0.1)
    assert desk.shutter.ask("SHUT:SENS?") == "CLOS"
    assert "Error: (17)" in desk.pump.ask("/M_CPU800/18/Power/ON")
    desk.console.answer("inject interlock severity=0")
    assert np.ptp(desk.shot()[2]) < 20  # nothing comes on by itself
    desk.prepare()
    assert np.ptp(desk.shot()[2]) > 100


def test_a_clock_step_moves_temperature_and_drift_on_as_that_time_would(desk_of, virtual_text):
    swing = virtual_text.replace('temperature_swing = "2mK"', 'temperature_swing = "50mK"')
    desk = desk_of(swing.replace('walk = "20kHz"', 'walk = "0kHz"'))
    desk.prepare()
    desk.timing.send("*TRG")
    before = desk.cavity.frequency
    assert desk.console.answer("inject clock_step severity=600") == "ok"
    desk.timing.send("*TRG")
    assert desk.cavity.time == pytest.approx(600.2)
    assert abs(desk.cavity.frequency - before) > 20e3  # half a period of 2.73 MHz/K times 50 mK
    desk.close()


def test_the_truth_log_tells_the_faults_of_a_shot_and_each_change_of_the_bench(desk_of, tmp_path):
    log = TruthLog(tmp_path / "truth.jsonl")
    desk = desk_of(truth_log=log)
    desk.prepare()
    desk.console.answer("inject misfire at=shot:0")
    desk.console.answer("inject cavity_drift severity=1e5")
    desk.shot()
    desk.close()
    lines = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    benches = [line["bench"] for line in lines if line["shot"] is None]
    assert benches[-1]["frequency"] - benches[0]["frequency"] == pytest.approx(1e5, rel=1e-3)
    assert (
        lines[-1]["faults"] == ["cavity_drift", "misfire"] and lines[-1]["parameters"]["seed_photons"] is None
    )


@pytest.mark.parametrize(
    "line",
    [
        "inject nothing",
        "inject misfire severity=much",
        "inject misfire at=noon:1",
        "inject misfire loudly",
        "inject",
        "unplug teapot",
        "begin run",
        "begin run x",
        "repetition 0",
        "dance",
        "inject error_queue role=teapot",
    ],
)
def test_the_console_answers_nonsense_with_one_line_of_error(desk, line):
    answer = desk.console.answer(line)
    assert answer.startswith("error ") and "\n" not in answer


def test_triggers_missed_by_chance_do_not_go_missing_for_ever(desk):
    desk.prepare()
    desk.console.answer("inject missed_trigger at=probability:0.5")
    taken = []
    for _ in range(12):
        desk.digitiser.send(":SING")
        desk.timing.send("*TRG")
        taken.append(desk.cavity.digitised)
    assert 2 <= taken[-1] <= 10


def test_an_error_ordered_for_a_shot_is_in_the_queue_after_it(desk):
    desk.prepare()
    assert desk.console.answer("inject error_queue at=shot:1") == "ok"
    for expected in ("+0", "-222"):
        desk.shot()
        assert desk.digitiser.ask("SYST:ERR?").startswith(expected)


def test_an_error_appears_in_the_queue_of_the_named_role(desk):
    assert desk.console.answer("inject error_queue severity=-240 role=microwave") == "ok"
    assert desk.microwave.ask("SYST:ERR?") == '-240,"Hardware error"'


def test_arming_that_takes_time_loses_the_trigger_that_comes_too_soon(desk):
    desk.prepare()
    desk.console.answer("inject arm_race severity=0.05")
    desk.digitiser.send(":SING")
    assert desk.digitiser.ask(":AER?") == "0"
    desk.timing.send("*TRG")
    assert desk.digitiser.ask(":ADER?") == "0"
    desk.clock.advance(0.06)
    assert desk.digitiser.ask(":AER?") == "1"
    desk.timing.send("*TRG")
    assert desk.digitiser.ask("*OPC?") == "1"
