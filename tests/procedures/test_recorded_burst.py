"""Bursts that others recorded: from a CSV file to a run that is fitted like one of ours."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedures import find_runs, open_run, run
from procedures.machinery.apparatus.bench import describe_bench
from procedures.machinery.fitting.recorded_burst import recorded_shot
from procedures.machinery.fitting.shot_fit import fit_shot
from procedures.machinery.lab_book.samples import dose_of

OTHER_ZERO = 12.5e-6     # [s] another laboratory's trigger came this much earlier


@pytest.fixture(scope="module")
def virtual():
    return describe_bench("virtual")


@pytest.fixture(scope="module")
def recorded(served, tmp_path_factory):
    """(our shot, the same as a file with the photodiode, and as a file without it)."""
    from procedures import open_bench

    folder = tmp_path_factory.mktemp("recorded")
    with open_bench(served[0]) as bench:
        ours = run("single_shot", bench, output=folder, seed=3, pump_energy="2mJ").shots[0]
    burst, diode = ours.waveform, ours.waveforms["photodiode"]
    with_diode, alone = folder / "with photodiode.csv", folder / "alone.csv"
    np.savetxt(with_diode, np.column_stack([burst.time + OTHER_ZERO, burst.volts, diode.volts]),
               delimiter=",", header="time [s],burst [V],photodiode [V]", comments="", fmt="%.12g")
    np.savetxt(alone, np.column_stack([burst.time, burst.volts]), delimiter=",", fmt="%.12g")
    return ours, with_diode, alone


def test_a_file_with_a_photodiode_fits_to_the_same_numbers_whatever_its_trigger_was(recorded, virtual):
    ours, file, _ = recorded
    shot = recorded_shot(virtual, file)
    assert shot.energy == pytest.approx(ours.energy, rel=1e-6)
    found, expected = fit_shot(virtual, shot).row, fit_shot(virtual, ours).row
    assert found.verdict.name == expected.verdict.name == "OK"
    for name, value in expected.parameters.items():
        assert found.parameters[name] == pytest.approx(value, abs=0.1 * expected.sigma[name]), name


def test_a_file_without_a_photodiode_is_fitted_with_the_pulse_that_its_coupling_tells(recorded, virtual):
    ours, _, file = recorded
    shot = recorded_shot(virtual, file)
    assert np.isnan(shot.energy)
    found, expected = fit_shot(virtual, shot).row, fit_shot(virtual, ours).row
    assert found.verdict.name == "OK"
    for name in ("collective_coupling", "cavity_decay"):
        assert found.parameters[name] == pytest.approx(expected.parameters[name], rel=5e-3), name


def test_codes_of_a_digitiser_are_found_again_in_printed_volts(recorded, virtual):
    ours, file, _ = recorded
    found, expected = recorded_shot(virtual, file).waveform, ours.waveform
    assert found.scale == pytest.approx(expected.scale, rel=1e-6)
    assert len(np.unique(found.codes - expected.codes.astype(int))) == 1


@given(st.lists(st.floats(-1e3, 1e3), min_size=50, max_size=80))
def test_any_volts_are_kept_to_a_part_in_65000_of_their_range(tmp_path_factory, virtual, volts):
    file = tmp_path_factory.mktemp("any") / "burst.csv"
    np.savetxt(file, np.column_stack([1e-9 * np.arange(len(volts)), volts]), delimiter=",", fmt="%.17g")
    waveform = recorded_shot(virtual, file).waveform
    span = max(volts) - min(volts)
    assert np.max(np.abs(waveform.volts - volts)) <= max(span / 65000, 1e-12)
    assert not waveform.clipped


def test_import_makes_a_run_that_fit_opens_and_report_draws(recorded, tmp_path, drawn):
    _, with_diode, _ = recorded
    done = maserbench("import", with_diode, with_diode, "--bench", "virtual", "--output", tmp_path,
                      "--sample", "PTP-7", "--operator", "Ada")
    assert done.returncode == 0, done.stderr
    path = done.stdout.splitlines()[-1].removeprefix("run ")
    with open_run(path) as opened:
        assert (opened.procedure, opened.state, len(opened.shots)) == ("import", "finished", 2)
        assert opened.settings["files"] == [str(with_diode)] * 2
        assert "[truth]" not in opened.bench_text
        assert opened.shots[1].origin.value == "real"
        assert fit_shot(describe_bench("virtual"), opened.shots[1]).row.verdict.name == "OK"
        assert drawn(opened)[1].panels[0].series[1].name == "mean field, OK"
        light = sum(shot.energy for shot in opened.shots)
    (record,) = find_runs(tmp_path, sample="PTP-7", operator="Ada")
    assert record.shots == 2 and dose_of(record.path) == pytest.approx(light)


@pytest.mark.parametrize("text, told", [
    ("0,1\n1e-9,2\n", "at least 50"),
    ("\n".join(f"{i}e-9,{i % 7}" for i in range(60)) + "\n60e-9,x\n", "line 61"),
    ("\n".join(f"{i}e-9,{i % 7},1" for i in range(60)) + "\n60e-9,3\n", "line 61"),
    ("\n".join(f"{i * i}e-9,{i % 7}" for i in range(60)), "even grid"),
    ("\n".join(f"{60 - i}e-9,{i % 7}" for i in range(60)), "must rise"),
    ("\n".join(f"{i}e-9,nan" for i in range(60)), "finite"),
    ("\n".join(f"{i}e-9,{i % 7},0.0" for i in range(60)), "photodiode"),
])
def test_a_file_that_is_no_burst_is_refused_with_what_is_wrong(tmp_path, virtual, text, told):
    file = tmp_path / "burst.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=told) as refused:
        recorded_shot(virtual, file)
    assert str(file) in str(refused.value)


def test_records_of_two_kinds_are_not_imported_together(recorded, tmp_path):
    _, with_diode, alone = recorded
    done = maserbench("import", with_diode, alone, "--bench", "virtual", "--output", tmp_path)
    assert done.returncode == 2
    assert "one kind" in done.stderr and not list(tmp_path.iterdir())


def test_records_of_two_lengths_are_imported_together(recorded, tmp_path):
    _, _, alone = recorded
    shorter = tmp_path / "shorter.csv"
    shorter.write_text("".join(alone.read_text().splitlines(keepends=True)[:6000]))
    done = maserbench("import", alone, shorter, "--bench", "virtual", "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("*-import-*")
    with open_run(path) as stored:
        assert [len(shot.waveform) for shot in stored.shots] == [10_000, 6_000]
        whole, part = (shot.waveform.volts for shot in stored.shots)
        assert part == pytest.approx(whole[:6000], abs=1e-4)


def maserbench(*arguments):
    return subprocess.run([sys.executable, "-m", "maserbench", *map(str, arguments)], capture_output=True,
                          text=True, timeout=120)
