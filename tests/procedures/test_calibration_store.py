"""Calibrations kept: dated, never changed, compared with the bench file and never put into it."""

from datetime import UTC, datetime, timedelta

import pytest

from procedures import find_runs
from procedures.machinery.apparatus.bench import bench_file, describe_bench
from procedures.machinery.lab_book.before import look_up
from procedures.machinery.lab_book.calibrated import CALIBRATED, PROCEDURES
from procedures.machinery.lab_book.calibrations import (
    FOLDER,
    calibrate,
    in_force,
    read_all,
    standings,
    warnings,
)
from procedures.machinery.records.shot import Origin
from procedures.machinery.storage.run_notes import Remarks
from twin.quantity import nearest

DAY = 86400.0
SWEPT = {"verdict": "OK", "frequency": 1.4495e9, "frequency_sigma": 10.0, "loaded_quality": 8400.0,
         "loaded_quality_sigma": 20.0, "coupling_factor": 0.2, "unloaded_quality": 1e4}


@pytest.fixture
def kept(tmp_path, make_run):
    """Makes a calibration of a run of cavity_sweep that began some days ago."""

    def keep(days=1.0, valid=30 * DAY, result=SWEPT, procedure="cavity_sweep", **options):
        started = (datetime.now(UTC) - timedelta(days=days)).isoformat().replace("+00:00", "Z")
        run = make_run(tmp_path, procedure, started, result=result, **options)
        record = next(record for record in find_runs(tmp_path) if record.path == run)
        return calibrate(record, valid, "as always")

    return keep


def test_a_calibration_comes_back_as_it_was_made(tmp_path, kept):
    made = kept()
    assert read_all(tmp_path) == ([made], [])
    assert made.values == {"frequency": (1.4495e9, 10.0), "loaded_quality": (8400.0, 20.0),
                           "coupling_factor": (0.2, None)}
    assert made.valid_until - made.taken == timedelta(days=30)


def test_what_is_in_force_is_the_latest_that_is_in_date(tmp_path, kept):
    newest, older = kept(days=2), kept(days=5)  # made later, measured earlier
    assert in_force(tmp_path, Origin.SIMULATED) == (newest.id,)
    assert in_force(tmp_path, Origin.REAL) == ()
    states = {(row.calibration.id, row.state) for row in standings(read_all(tmp_path)[0])}
    assert states == {(newest.id, "in date"), (older.id, "replaced")}
    last = kept(days=1, valid=0.5 * DAY)
    assert in_force(tmp_path, Origin.SIMULATED) == ()
    (told,) = [text for text in warnings(tmp_path, describe_bench("virtual"), Origin.SIMULATED)]
    assert told.startswith(f"the calibration {last.id} of frequency, loaded_quality, coupling_factor is")


def test_two_of_one_run_are_told_apart_by_when_they_were_made(tmp_path, kept):
    first = kept()
    record = find_runs(tmp_path)[0]
    for _ in range(8):
        last = calibrate(record, 30 * DAY)
    assert in_force(tmp_path, Origin.SIMULATED) == (last.id,) != (first.id,)


def test_what_is_far_from_the_bench_file_is_told_and_the_file_stays(tmp_path, kept):
    before, bench = bench_file("virtual").read_bytes(), describe_bench("virtual")
    made = kept()  # 8400 +- 20 against 8500
    rows = {row.name: row.deviation(bench) for row in standings([made])}
    assert rows == {"frequency": 0.0, "loaded_quality": pytest.approx(-5.0), "coupling_factor": None}
    (told,) = look_up(tmp_path, Remarks(), bench, {}).notices
    assert "loaded_quality" in told and "-5.0 sigma" in told and "[receiver.burst] loaded_quality" in told
    kept(days=0.5, result={**SWEPT, "loaded_quality_sigma": 40.0})  # 2.5 sigma are chance
    assert look_up(tmp_path, Remarks(), bench, {}).notices == ()
    assert bench_file("virtual").read_bytes() == before


@pytest.mark.parametrize(("options", "said"), [
    ({"procedure": "pump_threshold"}, "calibrates nothing.*receiver_calibration"),
    ({"end": "aborted"}, "is aborted"), ({"end": None}, "is killed"), ({"result": {}}, "holds no answer"),
    ({"result": {**SWEPT, "verdict": "no dip"}}, "answers 'no dip'"), ({"valid": 0.0}, "above zero")])
def test_what_is_no_calibration_is_refused(tmp_path, kept, options, said):
    with pytest.raises(ValueError, match=said):
        kept(**options)
    assert not (tmp_path / FOLDER).exists()


def test_a_broken_file_is_told_and_counts_for_nothing(tmp_path, kept):
    made = kept()
    for name, text in (("a", "format = "), ("b", "format = 9"), ("c", ""), ("d", 'format = 1\nvalues = "x"')):
        (tmp_path / FOLDER / f"{name}.toml").write_text(text)
    found, problems = read_all(tmp_path)
    assert found == [made] and len(problems) == 4
    assert sum("counts for nothing" in text for text in
               look_up(tmp_path, Remarks(), describe_bench("virtual"), {}).notices) == 4


def test_every_answer_that_calibrates_is_declared_by_the_virtual_bench():
    bench = describe_bench("virtual")
    for name in {name for names in PROCEDURES.values() for name in names}:
        assert CALIBRATED[name].declared(bench) is not None, nearest(name, CALIBRATED)
    kappa = CALIBRATED["cavity_decay"].declared(bench)
    assert kappa == pytest.approx(6.283185307 * 1.4495e9 / 8500)
