"""Figures of the micromaser paper: what their claims rest on, and columns and options made for them."""

import math

import numpy as np
import pytest

from twin import micromaser
from twin.calculation import Calculation
from twin.figures import figure
from twin.figures.micromaser_asking import escape, run, settled

DRAWN = {name: figure(f"micromaser-{name}", quick=True) for name in ("1", "3", "4", "5", "wells")}


def asked(columns, settings=(), axes=(), **options):
    """Rows of one question to the micromaser."""
    options = tuple((name, str(value)) for name, value in options.items())
    return Calculation("micromaser", tuple(columns.split(",")), axes, settings, options).rows()


def verdicts(name):
    """Verdicts of a figure and of its inset, in their order."""
    found = DRAWN[name]
    return [claim.verdict for part in (found, found.inset) if part for claim in part.claims]


def test_picked_collisions_are_those_of_the_whole_run():
    whole = asked("collision,energy,purity", collisions=50)
    picked = asked("collision,energy,purity", collisions=50, at="log:1:50:7")
    assert picked[:, 0].tolist() == [1, 2, 4, 7, 14, 26, 50]
    assert np.array_equal(picked, whole[picked[:, 0].astype(int)])


def test_collisions_that_round_to_the_same_one_are_printed_once():
    assert asked("collision", collisions=4, at="lin:0:4:40")[:, 0].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("at", "columns", "words"), [
    ("log:1:100:5", "energy", ["--at", "0 .. 50"]), ("lin:-3:5:3", "energy", ["--at", "0 .. 50"]),
    ("3", "level,population", ["--at", "energy"]), ("log:0:5:3", "energy", ["--at", "above 0"]),
    ("lim:1:5:3", "energy", ["--at", "lin"]),
])
def test_collisions_that_cannot_be_picked_are_refused(at, columns, words):
    with pytest.raises(ValueError) as refused:
        asked(columns, collisions=50, at=at)
    assert all(word in str(refused.value) for word in words) and "--axis" not in str(refused.value)


def test_a_jaynes_cummings_collision_has_no_error_and_a_slow_one_little():
    plain, = asked("collision_error", collisions=0)[0]
    rabi = asked("coupling_ratio,collision_error", (("collision", "rabi"), ("theta", "0.3")),
                 (("coupling_ratio", "0.002,0.004"),), collisions=0)[:, 1]
    assert plain == 0.0
    assert 0.0 < rabi[0] < 0.02  # g/omega times a number of order one, sqrt(10)
    assert rabi[1] / rabi[0] == pytest.approx(2.0, rel=0.35)


def test_the_first_to_stay_within_a_share_is_found():
    assert settled(np.array([0.0, 0.5, 0.995, 1.2, 1.0, 1.0]), 0.01) == 4
    assert settled(np.ones(3), 0.01) == 0


def test_the_well_is_left_at_the_rate_of_its_highest_level():
    m = 15.02
    away = math.pi / math.sqrt(15.0) - math.pi / math.sqrt(m)
    top = 2.0 / 3.0  # of a geometric distribution with ratio 3
    found = escape(run(m, 2000, q=0.25, c=0.0), 15, 1000, 2000)
    assert found == pytest.approx(15 * 0.75 * top * away**2, rel=2e-3)


def test_unbounded_charging_ends_at_the_next_trap():
    unbounded = next(claim for claim in DRAWN["1"].claims if "upper bound" in claim.paper)
    assert unbounded.verdict.startswith("NOT") and math.sin(math.pi * math.sqrt(390 / 15.6)) ** 2 < 1e-30
    assert max(float(series.y.max()) for series in DRAWN["1"].series) <= 389.0 + 1e-9


def test_the_inset_of_figure_3_is_the_cotangent_state():
    assert verdicts("3") == ["OK", "OK", "OK"]
    q, n = 0.25, np.arange(15)
    ratio = (1 - q) / q / np.tan(np.pi / 2 * np.sqrt(n[1:] / 15)) ** 2
    p = np.cumprod(np.r_[1.0, ratio])
    assert run(15.0, 1000, q=q, c=1.0).energy[-1] == pytest.approx(n @ p / p.sum(), abs=1e-10)


def test_purity_beside_the_fine_tuned_angle_is_not_what_the_paper_says():
    tuned, generic, all_q = verdicts("4")
    assert tuned == "OK" and generic.startswith("NOT pure") and all_q.startswith("NOT")
    _, without = verdicts("wells")
    assert without.startswith("an artefact")


def test_one_minus_purity_is_twice_the_weight_of_the_second_well():
    found = run(15.6, 1000, q=0.25, c=1.0)
    second = found.populations(1000)[16:].sum()
    assert second == pytest.approx(2.7918e-4, rel=1e-4)
    assert 1.0 - found.purity[-1] == pytest.approx(2 * second * (1 - second), rel=1e-4)


def test_losses_are_not_slight_and_their_plateau_is_left_after_1e9_collisions():
    weak, stable, strong = verdicts("5")
    assert weak == "OK" and "metastable" in stable and strong.endswith("NOT slightly")
    rate = escape(run(15.6, 1000, q=0.25, c=1.0, loss=1e-3), 16, 500, 1000)
    assert rate == pytest.approx(8.61e-11, rel=2e-3)


def test_a_modulation_of_the_wrong_amplitude_leaves_counter_rotating_terms():
    amplitudes = "1.0,1.2024127788478864"
    found = asked("collision_error", (("collision", "modulated"), ("modulation_frequency", "100")),
                  (("modulation_amplitude", amplitudes),), collisions=0)[:, 0]
    assert found[0] > 5 * found[1]
    assert micromaser.Parameters().modulation_amplitude == float(amplitudes.split(",")[1])
