"""The loop, the quality that it sets, and the threshold against it: in the fit and in the answer."""

import json
import math

import numpy as np
import pytest

from procedures import catalogue, open_bench, open_run, run
from procedures.machinery.apparatus.bench import describe_bench
from procedures.machinery.apparatus.tuning import Loading
from procedures.machinery.flight_check import fly
from procedures.machinery.records.failures import BenchFailure
from procedures.machinery.records.settings import values
from procedures.machinery.replay import replay
from procedures.quality_scan import exponent, per_quality


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("truth") / "truth.jsonl"


@pytest.fixture(scope="module")
def served(serving, log):
    """A bench of their own, whose loop they move."""
    with serving(log) as own:
        yield own


@pytest.fixture(scope="module")
def taken(served, log, tmp_path_factory):
    """(run, lines of the truth log, the mode before and afterwards) of eight shots."""
    folder = tmp_path_factory.mktemp("quality")
    with open_bench(served[0]) as bench:
        before = Loading(bench).home
        done = run("quality_scan", bench, folder, seed=3, shots=8, repetition_rate=20)
        after = Loading(bench).home
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return done, [line for line in lines if line["run"] == done.path.name], before, after


def benches(lines):
    return [line["bench"] for line in lines if line["shot"] is None]


def test_the_answer_is_the_truth_and_the_model_s_error_is_most_of_its_own(taken):
    done, lines, _, _ = taken
    products = [bench["threshold_energy"] * bench["loaded_quality"] for bench in benches(lines)]
    truth, found = float(np.mean(products)), done.result
    assert np.ptp(products) < 1e-4 * truth      # E_th ~ 1/Q_L holds for the true bench itself
    assert abs(found["threshold_per_quality"] - truth) < 4 * found["threshold_per_quality_sigma"]
    assert found["threshold_per_quality_sigma"] < 0.05 * truth
    assert found["threshold_per_quality"] == pytest.approx(truth, rel=0.01)
    assert found["amplitude_scale"] == pytest.approx(1.0, abs=0.02)     # P = hbar omega kappa_ext n
    assert abs(found["exponent"] - 1.0) < 4 * found["exponent_sigma"] < 0.1


def test_quality_and_coupling_that_are_stored_with_a_shot_are_the_true_ones(taken):
    done, lines, _, _ = taken
    true = {round(bench["loaded_quality"]): bench for bench in benches(lines)}
    assert len(done.shots) == 8
    for shot in done.shots:
        quality = shot.settings["cavity.loaded_quality"]
        nearest = true[min(true, key=lambda known: abs(known - quality))]
        assert abs(quality - nearest["loaded_quality"]) < 5 * shot.settings["cavity.loaded_quality_sigma"]
        assert shot.settings["cavity.coupling_factor"] == pytest.approx(nearest["coupling_factor"], rel=5e-3)


def test_a_fit_knows_where_the_loop_stood(taken):
    done, lines, _, _ = taken
    truth = {line["shot"]: line["parameters"] for line in lines if line["shot"] is not None}
    for shot in done.shots:
        assert shot.fit.verdict.name == "OK"
        decay = truth[shot.number]["cavity_decay"]
        assert shot.fit.parameters["cavity_decay"] == pytest.approx(decay, rel=0.02)
        # Power as declared: a fit with the loop where it was set up would need up to ten times that.
        assert shot.fit.parameters["amplitude_scale"] == pytest.approx(1.0, abs=0.05)


def test_the_loop_is_back_where_it_was(taken):
    _, _, before, after = taken
    assert abs(after.coupling_factor - before.coupling_factor) < 3e-4 * before.coupling_factor
    assert after.position > before.position     # by the play of the stage, which comes from below


def test_a_stored_run_answers_the_same_once_more(taken):
    with open_run(taken[0].path) as stored:
        assert list(replay(stored))[-1].result == stored.result


def test_the_picture_shows_the_threshold_of_every_burst_and_the_line_through_them(taken, drawn):
    done = taken[0]
    page, picture = drawn(done)
    bursts, line = picture.panels[0].series
    assert len(bursts.x) == done.result["bursts"] and "threshold_per_quality" in page
    np.testing.assert_allclose(line.y / line.x, done.result["threshold_per_quality"])


def test_a_quality_above_the_cavity_s_own_is_refused_and_the_loop_is_put_back(bench, tmp_path):
    stood = bench.roles["loop"].position
    with pytest.raises(BenchFailure, match="quality of 20000 is out of reach, as the cavity's own is"):
        run("quality_scan", bench, tmp_path, shots=2, quality_start=5000, quality_stop=20000,
            repetition_rate=20)
    assert bench.roles["loop"].position == pytest.approx(stood, abs=1e-7)


def test_the_flight_counts_the_power_that_a_deep_loop_lets_out():
    bench, cls = describe_bench("virtual"), catalogue.procedure("quality_scan")
    shallow, deep = (fly(bench, values(cls, {"pump_energy": "1mJ", "quality_start": 8400, "quality_stop": q}))
                     for q in (8300, 3000))
    assert deep.levels["burst: port"] > shallow.levels["burst: port"] + 5.0
    assert not deep.refused


def test_per_quality_is_the_mean_with_honest_errors():
    rng, pulls = np.random.default_rng(1), []
    quality = np.linspace(3000.0, 8000.0, 12)
    for _ in range(300):
        energy = 0.37 / quality * (1.0 + 0.02 * rng.normal(size=12))
        found, power = per_quality(quality, energy, 0.0), exponent(quality, energy)
        pulls.append([(found["threshold_per_quality"] - 0.37) / found["threshold_per_quality_sigma"],
                      (power["exponent"] - 1.0) / power["exponent_sigma"]])
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.3) and np.all(np.abs(np.std(pulls, axis=0) - 1.0) < 0.25)
    shared = per_quality(quality, energy, 0.03)["threshold_per_quality_sigma"]
    assert math.isclose(shared, math.hypot(found["threshold_per_quality_sigma"],
                                           0.03 * found["threshold_per_quality"]))
    assert exponent(quality[:2], energy[:2]) == exponent(np.full(5, 3000.0), np.ones(5)) == {}
