"""What ties the collision model to a bench and to a window: parameters from settings, frames of a run."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from twin import micromaser

TWO_PI = 2.0 * math.pi
COLD = dict(coupling=TWO_PI * 50e3, interaction_time=2.5e-6, repetition_interval=50e-6,
            cavity_decay=TWO_PI * 300.0, temperature=0.5, cavity_frequency=TWO_PI * 51e9, q=0.25)
PENTACENE = COLD | dict(coupling=TWO_PI * 0.042, cavity_decay=TWO_PI * 1.4495e9 / 4300, temperature=290.0,
                        cavity_frequency=TWO_PI * 1.4495e9)
COHERENT = micromaser.Parameters(theta=math.pi / math.sqrt(15.0), q=0.25, loss=0.1, thermal_photons=0.15)


def test_a_bench_with_units_is_a_model_without():
    m = micromaser.from_bench(**COLD, c=0.5j)
    assert m.theta == pytest.approx(TWO_PI * 50e3 * 2.5e-6, rel=1e-15)
    assert m.loss == pytest.approx(TWO_PI * 300.0 * 50e-6, rel=1e-15)
    assert m.thermal_photons == pytest.approx(1.0 / (math.exp(4.799243073e-11 * 51e9 / 0.5) - 1.0), rel=1e-8)
    assert (m.q, m.c, m.coupling_ratio) == (0.25, 0.5j, pytest.approx(50e3 / 51e9))
    assert (m.collision, m.interaction_fraction) == ("jaynes_cummings", 0.0)
    assert micromaser.from_bench(**COLD, loss_inside=True).interaction_fraction == pytest.approx(0.05)


def test_the_loss_is_the_decay_of_the_energy():
    m = micromaser.from_bench(**COLD | dict(coupling=0.0, temperature=0.0, repetition_interval=1e-3))
    run = micromaser.charge(m, 2, initial=micromaser.number_state(3))
    assert run.energy[2] == pytest.approx(3.0 * math.exp(-TWO_PI * 300.0 * 2e-3), rel=1e-12)


def test_a_warm_cavity_is_refused_with_the_temperature_that_would_do():
    with pytest.raises(ValueError, match="temperature = 290 K leaves 4168 thermal photons") as refused:
        micromaser.from_bench(**PENTACENE)
    limit, kelvin = map(float, re.findall(r"limit is ([\d.]+), at ([\d.]+) K", str(refused.value))[0])
    assert "need 0.034 K" in str(refused.value)
    just_cold = micromaser.from_bench(**PENTACENE | {"temperature": 0.99 * kelvin})
    assert just_cold.thermal_photons == pytest.approx(limit, rel=0.02)
    levels = np.arange(2000)
    ratio = just_cold.thermal_photons / (1.0 + just_cold.thermal_photons)
    assert 1.0 - (1.0 - ratio) * np.sum(ratio**levels) < 1e-12


def test_a_cavity_without_loss_may_be_warm_since_nothing_comes_in():
    assert micromaser.from_bench(**PENTACENE | {"cavity_decay": 0.0}).thermal_photons > 4000.0


@pytest.mark.parametrize("wrong, words", [
    (dict(interaction_time=60e-6), "interaction_time = 6e-05 s must not be longer than repetition_interval"),
    (dict(repetition_interval=0.0, interaction_time=0.0), "must be above 0"),
    (dict(temperature=-1.0), "temperature = -1 K"), (dict(coupling=float("nan")), "coupling = nan rad/s"),
    (dict(cavity_frequency=51.0), "cavity_frequency = 51 rad/s"), (dict(q=2.0), "q = 2"),
    (dict(c=1.5), "c = 1.5"), (dict(coupling=1e9), "theta = 2500"), (dict(cavity_decay="x"), "cavity_decay")])
def test_settings_outside_their_range_are_refused_by_name(wrong, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        micromaser.from_bench(**COLD | wrong)


def test_a_ratio_too_small_for_counter_rotating_terms_is_kept_but_not_used():
    m = micromaser.from_bench(**PENTACENE | {"temperature": 0.03})
    with pytest.raises(ValueError, match="coupling_ratio = "):
        m.replace(collision="rabi")


@pytest.mark.parametrize("settings", [{}, {"c": 0.0}, {"interaction_fraction": 0.5}, {"detuning_ratio": 1.0}])
def test_frames_are_the_run_so_far(settings):
    m = COHERENT.replace(**settings)
    run, frames = micromaser.charge(m, 95), list(micromaser.live(m, 95, every=20))
    assert [f.collision for f in frames] == [0, 20, 40, 60, 80, 95]
    for f in frames:
        so_far = slice(f.collision + 1)
        for name in ("energy", "purity", "fano", "lost_weight"):
            assert getattr(f, name) == pytest.approx(getattr(run, name)[so_far], abs=1e-12, nan_ok=True)
        expected = run.populations(f.collision)
        assert f.populations == pytest.approx(expected[: len(f.populations)], abs=1e-12)
        assert f.wigner is None


def test_a_frame_carries_the_wigner_function_of_its_state():
    x, p = np.linspace(-5.0, 5.0, 11), np.linspace(-4.0, 4.0, 9)
    start = micromaser.coherent(1.0, 16)
    run = micromaser.charge(COHERENT, 6, 30, start)
    for f in micromaser.live(COHERENT, 6, every=3, dimension=30, initial=start, wigner=(x, p)):
        assert f.wigner == pytest.approx(micromaser.wigner(run.state(f.collision), x, p), abs=1e-12)


def test_frames_of_later_collisions_leave_earlier_ones_alone():
    frames = micromaser.live(COHERENT, 30, every=10)
    first, second = next(frames), next(frames)
    kept = second.energy.copy()
    frames.close()
    assert len(first.energy) == 1 and np.array_equal(second.energy, kept)
    with pytest.raises(ValueError, match="read-only"):
        second.energy[0] = 1.0
    with pytest.raises(StopIteration):
        next(frames)


def test_a_short_run_has_a_first_and_a_last_frame():
    assert [f.collision for f in micromaser.live(COHERENT, 5)] == [0, 5]
    assert [f.collision for f in micromaser.live(COHERENT, 0)] == [0]


def test_what_charge_refuses_is_refused_before_the_first_frame():
    for wrong, words in [(dict(collisions=-1), "collisions = -1"), (dict(dimension=0), "dimension = 0"),
                         (dict(every=0), "every = 0"), (dict(wigner=([[0.0]], [0.0])), "x: expected")]:
        with pytest.raises(ValueError, match=words):
            micromaser.live(COHERENT, **{"collisions": 5, **wrong})
