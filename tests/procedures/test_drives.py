"""The gate's two uses: a pulse on 4-5, and a cavity that holds the inversion back."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from procedures import catalogue, open_bench, open_run, run
from procedures.battery_store import storage_time
from procedures.machinery.apparatus.bench import bench_file, check_wishes, describe_bench
from procedures.machinery.commands.keep import recover
from procedures.machinery.fitting.bursts import delay
from procedures.machinery.fitting.separable import separable
from procedures.machinery.records import events
from procedures.machinery.storage.export import to_netcdf
from procedures.machinery.storage.igor import to_igor
from twin import simulate
from twin.bench_description import parse
from twin.storage import relaxed

VIRTUAL = bench_file("virtual").read_text("utf-8")
P = describe_bench("virtual").expected.parameters
DECLARED = 4e7     # [rad/s] of one root watt, the bench file's default for the coil


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    """A bench whose gate goes to the cavity, five times faster than the clock."""
    path = tmp_path_factory.mktemp("spoiled") / "bench.toml"
    text = VIRTUAL.replace("time_scale = 1.0", "time_scale = 5.0")
    path.write_text(text.replace("[timing]", '[timing]\ngate = "cavity"', 1), "utf-8")
    with open_bench(path) as bench:
        yield bench


def test_a_pulse_on_4_5_tells_the_coil_s_rabi_frequency(served, tmp_path, from_disk, drawn):
    with open_bench(served[0]) as bench:
        done = run("drive_scan", bench, tmp_path, seed=2, shots=15, repetition_rate=20)
    found = done.result
    away, sigma = found["rabi_per_sqrt_watt"] - DECLARED, found["rabi_per_sqrt_watt_sigma"]
    assert abs(away) < 4 * sigma < 0.1 * DECLARED
    assert from_disk(done) == done.result
    bursts, line = drawn(done)[1].panels[0].series
    assert np.max(np.abs(np.interp(bursts.x, line.x, line.y) - bursts.y)) < 0.1 * np.max(bursts.y)


def test_what_a_spoiled_cavity_stores_decays_as_the_levels_relax(spoiled, tmp_path, from_disk, drawn):
    result = run("battery_store", spoiled, tmp_path, seed=2, shots=9)
    found = result.result
    assert from_disk(result) == found
    burst, line = drawn(result)[1].panels[0].series[:2]
    assert np.interp(found["storage_time"], line.x, line.y) == pytest.approx(1.0 / np.e, rel=0.01)
    np.testing.assert_allclose(np.interp(burst.x, line.x, line.y), burst.y, atol=0.02)
    assert {shot.fit for shot in result.shots} == {None}      # the fit's model knows no switch
    times = np.linspace(0.0, 40e-6, 4001)
    inversion = relaxed(P, np.array([0.0, 0.0, *P.branching]), times) @ np.array([0, 0, -1, 0, 1])
    expected = np.interp(-1 / np.e, -inversion / inversion[0], times)
    assert abs(found["storage_time"] - expected) < 4 * found["storage_time_sigma"] < 0.2 * expected


def test_a_long_hold_gets_records_that_reach_its_burst_and_copies_and_exports_take_both_lengths(spoiled,
                                                                                                tmp_path):
    asked = {"seed": 2, "shots": 3, "hold_start": "10us", "hold_stop": "30us"}
    long = run("battery_store", spoiled, tmp_path, order="backward", repeats=2, **asked)
    assert [len(shot.waveform) for shot in long.shots] == 6 * [20_000]   # a record never gets shorter again
    with run("battery_store", spoiled, tmp_path, **asked) as done:
        bench, (first, _, last) = spoiled.description, done.shots
        assert (len(first.waveform), len(last.waveform)) == (10_000, 20_000)
        assert [shot.settings["digitiser.points"] for shot in done.shots] == [10_000, 10_000, 20_000]
        assert 37e-6 < delay(bench, last) < 42e-6   # behind the end of an ordinary record
        volts = done.to_xarray("burst").volts
        assert volts.shape == (3, 20_000) and np.isnan(volts[0, 10_000:]).all()
        assert np.array_equal(volts[0, :10_000], first.waveform.volts)
        assert np.array_equal(volts[2], last.waveform.volts)
        to_netcdf(done, tmp_path / "run.nc")
        to_igor(done, tmp_path / "run.itx")
        recover(done.path)
    with open_run(f"{done.path}-recovered") as copy:
        assert [len(shot.waveform) for shot in copy.shots] == [10_000, 10_000, 20_000]
        assert np.array_equal(copy.shots[2].waveform.codes, last.waveform.codes)


def test_the_gate_of_one_run_does_not_spoil_the_next(spoiled, tmp_path):
    run("battery_store", spoiled, tmp_path, seed=2, shots=1, hold_start="15us")
    (shot,) = run("single_shot", spoiled, tmp_path, seed=2).shots
    assert shot.fit.verdict.name == "OK"


def test_software_instruments_are_wired_as_a_run_needs_it_and_a_replay_knows(served, tmp_path, from_disk):
    asked = {"shots": 5, "repetition_rate": 20}
    with open_bench(served[0]) as bench:
        held = run("battery_store", bench, tmp_path, seed=2, **asked)
        assert wired(held) == "cavity"
        assert [e["text"][:52] for e in held.events if e["event"] == "Notice"] == [
            "timing: the software instruments' output GH was wire"]
        assert 10e-6 < held.result["storage_time"] < 20e-6 and from_disk(held) == held.result
        assert {shot.fit for shot in held.shots} == {None}
        for name in ("drive_scan", "battery_store", "single_shot"):
            done = run(name, bench, tmp_path, seed=2, shots=1, repetition_rate=20)
            assert wired(done) == ("cavity" if name == "battery_store" else "microwave")
        stored = []
        early = run("battery_store", bench, tmp_path, seed=2, should_stop=lambda: len(stored) >= 2, **asked,
                    publish=lambda e: isinstance(e, events.ShotStored) and stored.append(e))
        assert early.state == "aborted" and "storage_time" not in early.result
        whole = run("battery_store", bench, tmp_path, seed=3, continues=early.path, **asked)
        assert len(early.shots) + len(whole.shots) == 5 and 10e-6 < whole.result["storage_time"] < 20e-6
    for ask in (["fit", held.path], ["fit", held.path, "--json"]):
        done = subprocess.run([sys.executable, "-m", "maserbench", *map(str, ask)], capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 3
        assert "no free burst" in done.stderr or json.loads(done.stdout)["shots"] == []
    with open_bench(served[0]) as bench:   # nobody knows how the last program left it
        decay = run("ring_down", bench, tmp_path, seed=2, shots=2, repetition_rate=20).result["cavity_decay"]
    assert decay == pytest.approx(2 * np.pi * 1.4495e9 / 8330, rel=0.01)


def wired(done):
    """Where the run's own copy of the bench file has the output GH."""
    return parse(done.bench_text, "").roles["timing"].options["gate"]


@pytest.mark.parametrize(("line", "instead"), [("virtual = true", ""), ("[timing]", "[timing]\nreal = true")],
                         ids=["real bench", "real delay generator among software"])
def test_where_people_move_the_cable_a_procedure_that_needs_it_elsewhere_is_refused(line, instead):
    text = re.sub("(?m)^time_scale.*$", "", VIRTUAL).split("# --- The truth")[0]
    real = parse(text.replace("::0::", "::1::").replace(line, instead, 1), "real.toml")
    with pytest.raises(ValueError, match=r"gate = 'cavity'.*real.toml says 'microwave'"):
        check_wishes(real, "battery_store", catalogue.procedure("battery_store"), {})


def test_a_store_whose_inversion_changes_its_sign_is_read_from_before_it_does():
    late = np.linspace(1e-6, 30e-6, 12)
    stored = 1.3 * np.exp(-late / 20e-6) - 0.3
    found = storage_time(late, stored)
    assert 1.3 * np.exp(-found["storage_time"] / 20e-6) - 0.3 == pytest.approx(1.0 / np.e, rel=1e-6)


def test_a_line_with_one_curved_number_is_fitted_with_honest_errors():
    rng, t = np.random.default_rng(5), np.linspace(0.1, 3.0, 25)
    pulls = []
    for _ in range(120):
        y = 2.0 * np.exp(-t / 0.8) + 0.5 + 0.02 * rng.normal(size=t.size)
        found = separable(lambda shape: np.column_stack([np.exp(-t / shape[0]), np.ones(t.size)]), y,
                          [np.geomspace(0.1, 10.0, 30)])
        pulls.append((found.shape[0] - 0.8) / np.sqrt(found.covariance[0, 0]))
    assert abs(np.mean(pulls)) < 0.35 and 0.75 < np.std(pulls) < 1.3


def test_a_probe_comes_back_as_much_stronger_as_the_mean_field_says(served, tmp_path, drawn):
    with open_bench(served[0]) as bench:
        done = run("pump_probe", bench, tmp_path, seed=2, shots=11, repetition_rate=20)
    found = done.result
    assert drawn(done)[1].panels[0].marks[0].y == found["gain_db"]
    bench = describe_bench("virtual")
    receiver, p = bench.receivers["burst"], bench.expected.parameters
    times, start = np.linspace(0.0, 23e-6, 2301), 20e-6
    drive = bench.drive(0.2e-3, start).replace(cavity_drive=1e9)
    field = simulate(p, drive, times, model="mean_field").field
    leaving = np.abs(field + 1j * 1e9 / receiver.external_decay)       # emission and what the loop reflects
    expected = 20 * np.log10(leaving[-1] / leaving[times < start][-1])
    assert abs(found["gain_db"] - expected) < 4 * found["gain_db_sigma"] + 1.0  # [truth] is some per cent off
    assert 1e5 < found["bandwidth"] < 4e5
