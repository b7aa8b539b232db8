"""One number while hands are on the bench: what it reads, that it is safe, and that nothing is stored."""

import json
import math
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from instruments.errors import InstrumentError
from procedures import open_bench
from procedures.machinery.align import Align, Reading, lowest_seen, slope, wishes
from procedures.machinery.apparatus.bench import describe_bench
from procedures.machinery.commands.align import text_of
from procedures.machinery.records import events
from procedures.machinery.records.failures import BenchFailure


@pytest.fixture(scope="module")
def served(serving):
    """A bench of their own, whose stages they move."""
    with serving() as own:
        yield own


def some(aligned, count, between=lambda reading: None):
    """The first readings, and the state of the bench at each of them."""
    found = []
    for reading in aligned.readings(lambda: len(found) >= count):
        found.append(reading)
        between(reading)
    return found


def state(console):
    told = console.ask("state")
    return json.loads(told) if isinstance(told, str) else told


def test_frequency_follows_the_piston_and_the_trend_says_where_to(bench, served):
    start = bench.roles["tuner"].position
    try:
        found = some(Align("frequency", bench, {"span": "3MHz"}), 8,
                     lambda reading: bench.roles["tuner"].move_to(start - 5e-6 * (reading.number + 1)))
    finally:
        bench.roles["tuner"].move_to(start)
    steps = np.diff([reading.value for reading in found])
    assert steps[-4:] == pytest.approx(50e3, rel=0.1)      # 10 MHz/mm, once the play is used up
    assert found[-1].direction == "rising" and "rising" in text_of("frequency", found[-1])
    assert found[-1].beside["from_the_molecules"] == pytest.approx(found[-1].value - 1.4495e9)
    assert state(served[1])["rf"] == "off"


def test_quality_falls_as_the_loop_goes_deeper_and_the_best_is_remembered(bench):
    loop = bench.roles["loop"]
    start = loop.position
    try:
        found = some(Align("quality", bench), 6,
                     lambda reading: loop.move_to(start + 1e-4 * (reading.number + 1)))
    finally:
        loop.move_to(start)
    assert found[-1].direction == "falling" and found[-1].value < found[0].value - 30.0
    assert found[-1].best == max(reading.value for reading in found)


def test_a_bench_without_a_network_analyser_steps_its_source(served, tmp_path):
    lines, keep = [], True
    for line in served[0].read_text().splitlines():
        keep = line.strip() not in ("[vna]",) if line.startswith("[") else keep
        lines += [line] if keep else []
    (tmp_path / "no_vna.toml").write_text("\n".join(lines))
    rf = []
    with open_bench(tmp_path / "no_vna.toml") as bench:
        aligned = Align("quality", bench, {"power": "-30dBm"})
        found = some(aligned, 2, lambda reading: rf.append(state(served[1])["rf"]))
    assert rf == ["on", "on"] and state(served[1])["rf"] == "off"
    assert [reading.value for reading in found] == pytest.approx([8330.0] * 2, rel=0.05)
    assert found[0].beside["frequency"] == pytest.approx(1.4495e9, abs=6e4)      # play of the piston


def test_a_mode_out_of_the_sweep_is_no_reading_and_is_found_again(bench):
    tuner = bench.roles["tuner"]
    start, away = tuner.position, {1: -1e-3, 3: 0.0}
    try:
        found = some(Align("frequency", bench), 6,
                     lambda r: r.number in away and tuner.move_to(start + away[r.number]))
    finally:
        tuner.move_to(start)
    assert [math.isfinite(reading.value) for reading in found] == [True, True, False, False, True, True]
    assert "frequency -" in text_of("frequency", found[2])


def test_peak_fires_at_a_low_energy_with_leave_and_ends_safe(bench, served, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told, console = [], served[1]
    during = []
    aligned = Align("peak", bench, {"repetition_rate": 20}, told.append)
    found = some(aligned, 6, lambda reading: during.append(state(console)["laser"]))
    assert all(-45.0 < reading.value < -25.0 for reading in found)
    assert {reading.beside["energy"] < 0.35e-3 for reading in found} == {True}
    assert set(during) <= {"armed", "emitting"}
    armed = [event for event in told if isinstance(event, events.Armed)]
    assert len(armed) == 1 and armed[0].reason == "align peak" and armed[0].pump_energy == 0.25e-3
    after = state(console)
    assert (after["laser"], after["shutter"], after["rf"]) == ("off", "closed", "off")
    assert not list(tmp_path.iterdir())


def test_a_window_that_forgets_the_readings_leaves_the_bench_safe(bench, served):
    readings = Align("peak", bench, {"repetition_rate": 20}).readings()
    next(readings)
    readings.close()
    assert state(served[1])["laser"] == "off"


def test_cut_short_turns_off_at_once_and_nothing_arms_it_again(bench, served):
    aligned = Align("peak", bench, {"repetition_rate": 20})
    readings = aligned.readings()
    next(readings)
    aligned.cut_short()
    assert state(served[1])["laser"] == "off"
    assert list(readings) == []


def test_an_instrument_that_vanishes_ends_it_with_a_reason(bench, served):
    readings = Align("peak", bench, {"repetition_rate": 20}).readings()
    next(readings)
    try:
        served[1].ask("unplug digitiser")
        with pytest.raises((BenchFailure, InstrumentError), match="digitiser"):
            list(readings)
    finally:
        served[1].ask("plug digitiser")
    assert state(served[1])["laser"] == "off"


def test_the_energy_is_the_lowest_of_the_table_that_can_be_seen():
    bench = describe_bench("virtual")
    assert lowest_seen(bench) == 0.25e-3
    assert wishes("peak", bench, {})["pump_energy"] == 0.25e-3
    assert wishes("peak", bench, {"pump_energy": "1mJ"})["pump_energy"] == 1e-3


@pytest.mark.parametrize(("kind", "given", "said"), [
    ("peek", {}, "did you mean 'peak'"), ("peak", {"span": 1e6}, "unknown name 'span'"),
    ("peak", {"pump_energy": "7mJ"}, "outside this bench's limits")])
def test_what_is_wrong_is_told_without_a_bench(kind, given, said):
    with pytest.raises(ValueError, match=said):
        wishes(kind, describe_bench("virtual"), given)


def test_a_trend_is_a_straight_line_with_its_error():
    seconds = np.arange(8.0)
    assert slope([(0.0, 1.0)] * 3) == pytest.approx((math.nan, math.nan), nan_ok=True)
    assert slope(list(zip(seconds, 3.0 * seconds + 2.0, strict=True))) == pytest.approx((3.0, 0.0), abs=1e-12)
    rng, directions = np.random.default_rng(1), []
    for _ in range(400):
        trend, sigma = slope(list(zip(seconds, rng.normal(size=8), strict=True)))
        directions.append(Reading(0, 0.0, 0.0, "", trend, sigma).direction)
    assert directions.count("steady") > 340      # 2 sigma with six degrees of freedom: 91 %


def test_the_command_prints_a_line_for_each_reading_and_ends_by_itself_or_by_ctrl_c(served):
    base = [sys.executable, "-m", "maserbench", "align", "quality", "--bench", str(served[0]), "--progress",
            "plain"]
    done = subprocess.run([*base, "--seconds", "3s"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) >= 2 and all(line.startswith("quality 8") for line in lines)
    assert "safe state; nothing was stored" in done.stderr
    if os.name != "nt":
        with subprocess.Popen(base, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline().startswith("quality ")
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
