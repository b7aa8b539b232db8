"""Runs that an earlier version wrote open for ever and give exactly the numbers that they gave then."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from procedures import find_runs, open_run
from procedures.machinery.lab_book.samples import dose_of

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
KINDS = sorted(file.stem for file in GOLDEN.glob("*.json"))


@pytest.fixture(scope="module")
def numbers():
    """How the numbers beside the golden runs were taken from them."""
    sys.path.insert(0, str(GOLDEN))
    try:
        import make
    finally:
        sys.path.remove(str(GOLDEN))
    return make.numbers


@pytest.fixture
def folder(tmp_path):
    """A copy of the golden runs: nothing is ever written beside the originals."""
    for kind in KINDS:
        shutil.copytree(GOLDEN / kind, tmp_path / kind)
    return tmp_path


def test_all_kinds_are_there():
    assert KINDS == ["cavity_sweep", "killed", "pump_threshold"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_golden_run_opens_and_gives_exactly_the_recorded_numbers(kind, folder, numbers):
    recorded = json.loads((GOLDEN / f"{kind}.json").read_text("utf-8"))
    assert recorded["shots"] and numbers(folder / kind) == recorded


def test_they_are_found_with_their_states(folder):
    found = {record.path.name: (record.state, record.shots) for record in find_runs(folder)}
    recorded = {kind: json.loads((GOLDEN / f"{kind}.json").read_text("utf-8")) for kind in KINDS}
    assert found == {kind: (held["state"], len(held["shots"])) for kind, held in recorded.items()}
    assert {kind: state for kind, (state, _) in found.items()} == {
        "cavity_sweep": "finished", "killed": "killed", "pump_threshold": "finished"}
    (named,) = find_runs(folder, sample="PTP-7", operator="Ada", tag="golden", where=["threshold_energy>1uJ"])
    assert named.path.name == "pump_threshold"


def test_their_dose_is_the_sum_of_what_the_photodiode_saw(folder):
    recorded = json.loads((GOLDEN / "pump_threshold.json").read_text("utf-8"))["shots"]
    assert dose_of(folder / "pump_threshold") == pytest.approx(sum(shot["energy"] for shot in recorded))
    assert dose_of(folder / "cavity_sweep") == 0.0


def test_they_are_small():
    assert sum(file.stat().st_size for file in GOLDEN.rglob("*")) < 1_000_000


@pytest.mark.parametrize("kind", KINDS)
def test_a_newer_format_names_the_version_that_reads_it(kind, folder):
    manifest = folder / kind / "manifest.toml"
    text = manifest.read_text("utf-8").replace("format = 1", "format = 2")
    manifest.write_text(text.replace('needs = "0.1.0"', 'needs = "1.4.0"'), "utf-8")
    with pytest.raises(ValueError, match=r"it needs maserbench 1\.4\.0: its format is 2.*install"):
        open_run(folder / kind)


def test_a_newer_raw_file_is_refused_with_advice(folder):
    import h5py

    with h5py.File(folder / "pump_threshold" / "shots.h5", "r+") as file:
        file.attrs["format"] = 2
    with open_run(folder / "pump_threshold") as opened, pytest.raises(ValueError, match="later version"):
        len(opened.shots)
