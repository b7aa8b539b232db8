"""Where cavity, molecules and emission lie: the tuning procedures against the virtual bench's truth."""

import math

import numpy as np
import pytest

from procedures import open_bench, run
from procedures.frequency_tuning import pulling
from procedures.machinery.apparatus.bench import describe_bench
from procedures.machinery.apparatus.tuning import Tuning

LINE = describe_bench("virtual").expected.parameters.frequency_35      # [truth] leaves it as declared


@pytest.fixture(scope="module")
def runs(served, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with open_bench(served[0]) as bench:
        before = Tuning(bench).home.frequency
        found = {name: run(name, bench, folder, seed=5, repetition_rate=20, shots=shots)
                 for name, shots in (("emission_spectrum", 4), ("shot_statistics", 6), ("strong_coupling", 4),
                                     ("frequency_tuning", 7), ("detuning_scan", 7))}
        found["vector_sweep"] = run("vector_sweep", bench, folder, seed=5)
        found["moved"] = Tuning(bench).home.frequency - before
    return found


@pytest.mark.parametrize("name", ["frequency_tuning", "detuning_scan"])
def test_the_molecules_line_is_found_where_emission_and_cavity_agree(runs, name):
    result = runs[name].result
    assert abs(result["frequency_35"] - LINE) < 4 * result["frequency_35_sigma"] < 2 * math.pi * 50e3
    assert 0.4 < result["pulling_slope"] < 0.8      # between growth (a half) and the ring-down after it (one)


def test_the_mode_is_brought_back_to_where_it_was_whatever_the_piston_s_backlash(runs):
    assert abs(runs["moved"]) < 5e3      # drift included; the backlash is 100 kHz


def test_a_shot_is_fitted_with_the_mode_where_it_was_measured(runs):
    shots = runs["detuning_scan"].shots
    frequencies = np.array([shot.settings["cavity.frequency"] for shot in shots])
    assert np.all(np.diff(frequencies) > 3e5)
    assert [shot.fit.verdict.name for shot in shots] == ["OK"] * len(shots)


def test_emission_and_splitting_are_those_of_the_truth(runs):
    spectrum = runs["emission_spectrum"].result
    assert abs(spectrum["frequency"] - LINE / (2 * math.pi)) < 5e3 and 3e5 < spectrum["linewidth"] < 3e6
    splitting = runs["strong_coupling"].result
    assert splitting["splitting"] == pytest.approx(2.66e6, rel=0.03)      # G of the truth log at 5 mJ
    assert splitting["exponent"] == pytest.approx(0.5, abs=0.01)
    statistics = runs["shot_statistics"].result
    assert statistics["growth_rate"] == pytest.approx(1.11e7, rel=0.03)
    assert statistics["delay_mean"] == pytest.approx(2.6e-6, abs=0.4e-6)


def test_the_network_analyser_tells_quality_coupling_and_cable(runs):
    result = runs["vector_sweep"].result
    for name, truth in (("loaded_quality", 8330.0), ("coupling_factor", 0.2), ("cable_delay", 12e-9)):
        assert abs(result[name] - truth) < 4 * result[f"{name}_sigma"], name


@pytest.mark.parametrize("name", ["emission_spectrum", "shot_statistics", "strong_coupling",
                                  "frequency_tuning", "detuning_scan", "vector_sweep"])
def test_reports_and_pictures_are_made_from_the_stored_records(runs, drawn, name):
    page, picture = drawn(runs[name])
    assert "answers" in page and picture.title


def test_the_picture_of_the_tuning_has_the_slope_that_is_told(runs, drawn):
    page, picture = drawn(runs["frequency_tuning"])
    slope = runs["frequency_tuning"].result["pulling_slope"]
    line = next(series for series in picture.panels[0].series if series.kind == "line")
    assert np.ptp(line.y) / np.ptp(line.x) == pytest.approx(slope)
    assert f"{slope:.4f} ±" in page and "MHz" in picture.panels[0].x.label


def test_a_histogram_holds_every_burst_and_so_does_what_is_expected(runs, drawn):
    picture = drawn(runs["shot_statistics"])[1]
    bars, expected = picture.panels[0].series
    assert np.sum(bars.y) == runs["shot_statistics"].result["bursts"]
    width = bars.x[1] - bars.x[0]
    assert 0.7 * np.sum(bars.y) < np.trapezoid(expected.y, expected.x) / width < 1.001 * np.sum(bars.y)


def test_pulling_is_a_straight_line_with_honest_errors():
    rng = np.random.default_rng(1)
    pulls = []
    for _ in range(200):
        cavity = 1.45e9 + rng.uniform(-1e6, 1e6, 12)
        emission = 1.4501e9 + 0.6 * (cavity - 1.4501e9) + 3e3 * rng.normal(size=12)
        found = pulling(cavity, emission)
        pulls.append([(found["frequency_35"] - 2 * math.pi * 1.4501e9) / found["frequency_35_sigma"],
                      (found["pulling_slope"] - 0.6) / found["pulling_slope_sigma"]])
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.3)
    assert np.all(np.abs(np.std(pulls, axis=0) - 1.0) < 0.25)
    assert pulling(cavity[:2], emission[:2]) == {}
