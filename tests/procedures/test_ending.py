"""How runs end when nobody planned it: Ctrl-C, kill -9, and what is done with what is left."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

from procedures import catalogue, open_run, run
from procedures.machinery.records.failures import BenchFailure
from procedures.machinery.replay import replay

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


def maserbench(*arguments, **options):
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    return subprocess.Popen([sys.executable, "-m", "maserbench", *map(str, arguments)], **options)


def answer(*arguments, code=0, **options):
    with maserbench(*arguments, **options) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    return out


def stored(process, count):
    """Read stdout until `count` shots are acknowledged."""
    for line in process.stdout:
        if line.strip() == f"shot {count - 1} stored":
            return
    raise AssertionError(f"the run ended early: {process.stderr.read()}")


@pytest.fixture(scope="module")
def killed(served, tmp_path_factory):
    """The folder of a run whose controller was killed with -9 in the middle of it."""
    folder = tmp_path_factory.mktemp("killed")
    with maserbench("run", "pump_threshold", "--bench", served[0], "--output", folder, "--progress", "plain",
                    "--seed", 11, "--set", "shots=200", "--set", "pump_energy_start=2mJ") as process:
        stored(process, 4)
        running = next(folder.iterdir())
        assert open_run(running).state == "running"
        process.kill()
        said = process.stdout.read()
    lines = [line for line in said.split("\n")[:-1] if line.endswith("stored")]
    yield running, 4 + len(lines)
    answer("safe", "--bench", served[0])


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_ctrl_c_ends_with_130_after_a_verified_safe_state(served, tmp_path, name):
    path, console = served
    with maserbench("run", "single_shot", "--bench", path, "--output", tmp_path, "--progress", "plain",
                    "--set", "shots=500") as process:
        stored(process, 2)
        assert console.state()["laser"] in ("armed", "emitting")
        process.send_signal(getattr(signal, name))
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "safe state" in err.splitlines()[-1]
    assert "Traceback" not in err
    state = console.state()
    assert (state["laser"], state["shutter"], state["rf"]) == ("off", "closed", "off")
    last = out.splitlines()[-1]
    assert last.startswith("run ")
    with open_run(last[4:]) as left:
        assert left.state == "aborted"
        assert len(left.shots) >= 2


def test_safe_asks_a_running_controller_first(served, tmp_path):
    path, console = served
    with maserbench("run", "single_shot", "--bench", path, "--output", tmp_path, "--progress", "plain",
                    "--set", "shots=500") as process:
        stored(process, 2)
        said = answer("safe", "--bench", path)
        process.communicate(timeout=30)
    assert "was asked to stop" in said
    assert "laser off" in said
    assert process.returncode == 130
    assert console.state()["laser"] == "off"


def test_a_killed_run_opens_and_holds_every_acknowledged_shot(killed):
    path, acknowledged = killed
    with open_run(path) as left:
        assert left.state == "killed"
        assert len(left.shots) >= acknowledged
        assert left.result == {}
        for shot in left.shots:
            assert np.ptp(shot.waveforms["photodiode"].codes) > 20  # a real record, not zeros
        assert left.to_xarray("burst", slice(0, 2)).volts.shape[0] == 2


def test_recover_writes_a_clean_copy_and_leaves_the_original_alone(killed):
    path, _ = killed
    before = {file.name: file.stat().st_mtime_ns for file in path.iterdir()}
    out = answer("recover", path)
    copy = Path(out.splitlines()[-1].removeprefix("run "))
    assert copy.name == f"{path.name}-recovered"
    assert {file.name: file.stat().st_mtime_ns for file in path.iterdir()} == before
    with open_run(path) as left, open_run(copy) as again:
        assert len(again.shots) == len(left.shots)
        for a, b in zip(left.shots, again.shots, strict=True):
            assert np.array_equal(a.waveform.codes, b.waveform.codes)
            assert a.settings == b.settings
    answer("recover", path, code=2)  # the copy is there already


def test_a_killed_run_can_be_fitted_afterwards_and_exported(killed, tmp_path):
    path, _ = killed
    fitted = json.loads(answer("fit", path, "--json", "--output", tmp_path / "fits.jsonl"))
    assert fitted["verdict"] == "OK"
    assert [row["shot"] for row in fitted["shots"]] == list(range(len(fitted["shots"])))
    assert len((tmp_path / "fits.jsonl").read_text().splitlines()) == len(fitted["shots"])
    answer("export", path, "--format", "csv", "--output", tmp_path / "run.csv")
    with (tmp_path / "run.csv").open() as f:
        rows = list(csv.DictReader(f))
    answer("export", path, "--format", "netcdf", "--output", tmp_path / "run.nc")
    with open_run(path) as left, xarray.open_dataset(tmp_path / "run.nc", engine="h5netcdf") as data:
        assert [float(row["energy"]) for row in rows] == [shot.energy for shot in left.shots]
        assert data.burst.attrs["units"] == "V"
        assert np.array_equal(data.burst[1], left.shots[1].waveform.volts)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc for the children")
def test_the_software_instruments_end_soon_after_a_killed_controller(tmp_path):
    with maserbench("demo", "--headless", "--shots", 200, "--output", tmp_path,
                    "--progress", "plain") as process:
        stored(process, 2)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
    assert children
    end = time.monotonic() + 15.0
    while any(map(alive, children)) and time.monotonic() < end:
        time.sleep(0.2)
    assert not any(map(alive, children))


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_demo_without_a_display_says_so_and_loads_no_qt(tmp_path):
    without = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    trap = tmp_path / "trap"
    for name in ("PySide6", "pyqtgraph"):
        (trap / name).mkdir(parents=True)
        (trap / name / "__init__.py").write_text("raise SystemExit('Qt was loaded on the headless path')")
    without["PYTHONPATH"] = str(trap)
    with maserbench("demo", "--shots", 3, "--seed", 7, "--output", tmp_path, "--progress", "plain",
                    env=without) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "no window" in err
    assert "shot 2 stored" in out.splitlines()
    with open_run(out.splitlines()[-1].removeprefix("run ")) as done:
        assert done.state == "finished"
        assert sorted(done.fits) == [0, 1, 2]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="room is reserved as Linux has it")
def test_a_disk_without_room_ends_the_run_well_with_every_stored_shot(served, tmp_path):
    path, console = served
    limited = ("import resource, sys\n"
               "resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20))\n"
               "from maserbench import main\n"
               "sys.argv = ['maserbench', *sys.argv[1:]]\n"
               "main()\n")
    command = ["run", "single_shot", "--bench", path, "--output", tmp_path, "--progress", "plain", "--set",
               "shots=500", "--set", "repetition_rate=20Hz"]
    done = subprocess.run([sys.executable, "-c", limited, *map(str, command)], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 1, done.stderr
    said = done.stderr.splitlines()[-1]
    assert "cannot be written (File too large). The bench is in its safe state" in said
    state = console.state()
    assert (state["laser"], state["shutter"], state["rf"]) == ("off", "closed", "off")
    count = done.stdout.count(" stored")
    with open_run(done.stdout.splitlines()[-1].removeprefix("run ")) as left:
        assert left.state == "aborted"
        assert len(left.shots) == count > 20
        assert all(np.ptp(shot.waveforms["photodiode"].codes) > 20 for shot in left.shots)
    with h5py.File(left.path / "shots.h5") as f:  # and it was closed as any HDF5 program wants it
        assert f["committed"][0] == count


def test_a_folder_that_loses_its_rights_in_the_middle_costs_the_answer_and_no_shot(served, tmp_path,
                                                                                   without_rights):
    command = ["run", "single_shot", "--bench", str(served[0]), "--output", str(tmp_path), "--progress",
               "plain", "--set", "shots=20", "--set", "repetition_rate=20"]
    with subprocess.Popen([*without_rights, sys.executable, "-m", "maserbench", *command],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        stored(process, 3)
        (folder,) = tmp_path.iterdir()
        folder.chmod(0o500)
        said = process.communicate(timeout=60)[1]
    folder.chmod(0o700)
    assert process.returncode == 1
    assert "the run's folder cannot be written (Permission denied). The bench is in its safe state" in said
    assert served[1].safe
    with open_run(folder) as left:
        assert (left.state, len(left.shots), len(left.fits)) == ("aborted", 20, 20)


def test_an_answer_that_cannot_be_worked_out_ends_the_run_as_one(bench, tmp_path, monkeypatch):
    cls = catalogue.procedure("single_shot")
    monkeypatch.setattr(cls, "answer", lambda self, measured: 1 / 0)
    with pytest.raises(BenchFailure, match=r"ZeroDivisionError.* The bench is in its safe state"):
        run("single_shot", bench, tmp_path)
    monkeypatch.undo()
    (folder,) = tmp_path.iterdir()
    with open_run(folder) as left:
        assert (left.state, len(left.shots), left.result) == ("aborted", 1, {})
        assert list(replay(left))[-1].result["amplitude_scale"] == pytest.approx(1.0, abs=0.2)
