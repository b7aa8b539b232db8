"""Long runs: rate, memory and how soon any shot of many is there. Campaigns, with their figures printed:

    pytest -m campaign -s tests/procedures/test_sustained.py

An idle machine is asked for where seconds are held; memory and CPU are this process's own.
"""

import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest

from instruments.waveform import Waveform
from procedures import Origin, Shot, open_run
from procedures.machinery.records import events
from procedures.machinery.records.rows import FITTED, Numbers, Rows
from procedures.machinery.records.shot import FitRow
from procedures.machinery.storage.run_folder import RunFolder
from procedures.machinery.storage.store import StoreWriter
from procedures.machinery.storage.store_block import Channel, Layout
from twin.fit_result import Verdict

NAMES = tuple(f"role.setting_{n}" for n in range(60))
MOMENT = "2026-11-26T19:00:00.000000Z"


@pytest.fixture(scope="module")
def sustained():
    file = Path(__file__).resolve().parents[1] / "benchmarks" / "sustained.py"
    spec = importlib.util.spec_from_file_location("sustained", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shot(number, codes):
    record = Waveform(codes, 1e-3, 0.0, -1e-6, 2e-9, "CHAN1", 10)
    settings = dict.fromkeys(NAMES, float(number))
    return Shot(number, MOMENT, settings, {"burst": record}, Origin.SIMULATED, start=2e-7, energy=5e-3)


def fit(number):
    values = dict.fromkeys(FITTED, 1.0 + number)
    return FitRow(number, Verdict.OK, values, dict(values), dict(values), 1.0, 0.03)


@pytest.fixture
def run_of(tmp_path):
    """Makes a finished run of so many shots with so many points, without a bench."""

    def make(shots, points):
        folder, codes = RunFolder(tmp_path, "single_shot"), np.arange(points, dtype=np.int16)
        folder.write_manifest('format = 1\nprocedure = "single_shot"\norigin = "simulated"\n[settings]\n'
                              f'shots = {shots}\n[bench]\nfile = ""\n')
        folder.start_store(Layout({"burst": Channel(points, "CHAN1", 10)}, {}, NAMES), {})
        for number in range(shots):
            folder.store.append(shot(number, np.roll(codes, number)))
            folder.note(events.ShotStored(shot(number, codes)))
            folder.fitted(fit(number))
        folder.note(events.RunEnded(folder.path, "finished", "", {}))
        folder.close()
        return folder.path

    return make


def times_of(path, numbers):
    """[s] to open a run with its state, and the longest [s] to show one of its shots."""
    began = time.perf_counter()
    run = open_run(path)
    assert (run.state, len(run.shots) > 0) == ("finished", True)
    opened, longest = time.perf_counter() - began, 0.0
    for number in numbers:
        began = time.perf_counter()
        found = run.shots[number]
        assert (found.waveform.volts.size > 0, found.fit.parameters["cavity_decay"]) == (True, 1.0 + number)
        longest = max(longest, time.perf_counter() - began)
    run.close()
    return opened, longest


def test_any_shot_of_a_run_comes_with_its_own_fit(run_of):
    path = run_of(130, 50)
    times_of(path, (0, 1, 12, 13, 129, 99))
    with (path / "fits.jsonl").open("a") as f:
        f.write('{"shot": 12, "verdict": "NO_BU')  # torn by a kill
    with open_run(path) as run:
        assert run.shots[12].fit.parameters["cavity_decay"] == 13.0
        assert [one.fit.shot for one in run.shots[11:14]] == [11, 12, 13]
        assert run.fit_of(400) is None
        assert run.state == "finished"


def test_rows_of_many_shots_weigh_little_and_answer_as_their_fits_do():
    rows = Rows()
    for number in range(3):
        rows.stored(shot(number, np.zeros(10, np.int16)))
        assert rows.completed(number, fit(number)).as_csv()["cavity_decay (rad/s)"] == 1.0 + number
    assert dict(rows.complete[2].fit.parameters) == fit(2).parameters
    assert (rows.means()["cavity_decay"], rows.complete[0].settings) == (2.0, {})
    numbers = Numbers({"a": 1.0, "b": 2.0})
    assert (dict(numbers), len(numbers), numbers.get("c")) == ({"a": 1.0, "b": 2.0}, 2, None)


@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_two_minutes_at_a_hundred_shots_a_second(sustained, tmp_path):
    count, longest, late, slope, cpu, path = sustained.sustain(tmp_path, 120.0, 100.0, 20_000)
    print(f"\n{count} shots of 20 kpt in two minutes: {1e3 * cpu:.2f} ms of CPU each, longest "
          f"{1e3 * longest:.0f} ms, {late:.2f} s late at the end; {slope:+.2f} MB per 1000 shots")
    with open_run(path) as done:
        assert len(done.shots) == count == 12_000
        last, alike = done.shots[11_999], done.shots[11_799]  # from a pool of 200
        assert np.array_equal(last.waveform.codes, alike.waveform.codes)
    assert late < 1.0
    assert slope < 1.0


@pytest.mark.campaign
def test_the_store_alone_takes_fifteen_hundred_shots_a_second(tmp_path):
    writer = StoreWriter(tmp_path / "s.h5", Layout({"burst": Channel(20_000, "CHAN1", 10)}, {}, NAMES), {})
    shots = [shot(number, np.full(20_000, number % 500, np.int16)) for number in range(6000)]
    began, cpu = time.perf_counter(), time.process_time()
    for one in shots:
        writer.append(one)
    rate, of_cpu = (len(shots) / spent for spent in (time.perf_counter() - began, time.process_time() - cpu))
    writer.close()
    print(f"\nstore alone: {rate:.0f} shots of 20 kpt per second, {of_cpu:.0f} per second of CPU")
    assert of_cpu >= 1500.0  # the rate itself is also that of the disk and of the machine's other users


@pytest.mark.campaign
@pytest.mark.timeout(1200)
def test_a_run_of_a_hundred_thousand_shots_opens_at_once(run_of):
    opened, longest = times_of(run_of(100_000, 1000), (0, 99_999, 50_000, 1, 77_777))
    print(f"\n100 000 shots of 1 kpt: opened in {opened:.3f} s, any shot in {1e3 * longest:.0f} ms at most")
    assert opened < 1.0
    assert longest < 0.05
