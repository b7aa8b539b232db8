"""A stored run played again: the same numbers to the last digit, and the same answers."""

import json
import subprocess
import sys
import time
from datetime import datetime

import numpy as np
import pytest

from procedures import open_bench, open_run, run
from procedures.machinery.fitting.shot_fit import fit_shot
from procedures.machinery.records import events
from procedures.machinery.replay import replay, same
from twin import trace_library
from twin.bench_description import parse
from twin.quantity import show


@pytest.fixture(scope="module")
def taken(served, tmp_path_factory):
    """A pump scan of four shots, and a cavity sweep."""
    folder = tmp_path_factory.mktemp("taken")
    with open_bench(served[0]) as bench:
        scan = run("pump_threshold", bench, folder, seed=11, shots=4, pump_energy_start="0.2mJ")
        sweep = run("cavity_sweep", bench, folder, seed=11, points=41)
    return scan.path, sweep.path


def test_fits_and_answers_are_the_same_to_the_last_digit(taken):
    with open_run(taken[0]) as stored:
        told = list(replay(stored))
        fits = [event.row for event in told if isinstance(event, events.ShotFitted)]
        assert len(fits) == 4 and all(same(fit, stored.fits[fit.shot]) for fit in fits)
        assert told[-1].result == stored.result
        kinds = [type(event).__name__ for event in told]
        assert kinds == ["RunStarted", *["ShotStored", "ShotFitted", "Progress"] * 4, "RunEnded"]


def test_a_fit_does_not_remember_the_fits_before_it(taken):
    with open_run(taken[0]) as stored:
        description, shots = parse(stored.bench_text, "bench.toml"), list(stored.shots)
        trace_library.forget()
        alone = fit_shot(description, shots[3]).row
        trace_library.forget()
        after_another = [fit_shot(description, shots[i]).row for i in (1, 3)][1]
    assert same(alone, after_another)


def test_a_sweep_answers_from_its_stored_traces(taken):
    with open_run(taken[1]) as stored:
        ended = list(replay(stored))[-1]
        assert ended.result == stored.result and "loaded_quality" in ended.result


def test_the_command_prints_one_object_and_refuses_unknown_models(taken):
    answer = json.loads(maserbench("replay", taken[0], "--json").stdout)
    assert (answer["model"], len(answer["shots"]), answer["identical"]) == ("mean_field", 4, 4)
    with open_run(taken[0]) as stored:
        assert answer["result"] == stored.result
    refused = maserbench("replay", taken[0], "--model", "nosuch")
    assert refused.returncode == 2 and "mean_field" in refused.stderr


def test_real_time_keeps_the_pace_of_the_run(taken):
    with open_run(taken[0]) as stored:
        list(replay(stored))      # so that the first fit loads nothing
        began, moments = time.monotonic(), []
        for event in replay(stored, real_time=True):
            if isinstance(event, events.ShotStored):
                moments.append(time.monotonic() - began)
        first, last = (datetime.fromisoformat(stored.shots[i].moment) for i in (0, -1))
    pace = (last - first).total_seconds()
    assert pace < moments[-1] < pace + 3.0      # never early; late on a busy machine


def test_reports_and_pictures_are_made_from_the_stored_records(taken, drawn):
    with open_run(taken[0]) as scan, open_run(taken[1]) as sweep:
        page, picture = drawn(scan)
        fitted = next(series for series in picture.panels[1].series if series.kind == "points")
        assert len(fitted.x) == sum(row.verdict.name == "OK" for row in scan.fits.values())
        assert show(scan.settings["pump_energy_start"], "J") in page
        _, residual = drawn(sweep)[1].panels
        assert np.max(np.abs(residual.series[0].y)) < 0.02      # [dB]


def test_the_command_prints_the_page_and_draws_the_picture(taken, tmp_path):
    told = maserbench("report", taken[1], "--plot", tmp_path / "dip.svg")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("cavity_sweep (finished): Sweep the microwave source")
    assert "loaded_quality" in told.stdout and (tmp_path / "dip.svg").read_text("utf-8").startswith("<?xml")
    refused = maserbench("report", taken[1], "--plot", tmp_path / "dip.jpeg")
    assert refused.returncode == 2 and ".png or .svg" in refused.stderr


def maserbench(*arguments):
    return subprocess.run([sys.executable, "-m", "maserbench", *map(str, arguments)], capture_output=True,
                          text=True, timeout=120)
