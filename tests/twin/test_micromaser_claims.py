"""Plateaus of the micromaser paper (Shaghaghi et al., Entropy 25, 430, 2023), against numbers made elsewhere.

The expected values come from another implementation, in higher precision where it mattered; m = (pi/theta)^2.
"""

import math

import numpy as np
import pytest

from twin import micromaser

COHERENT = dict(q=0.25, c=1.0, thermal_photons=0.15)


def plateau(m, collisions=1000, **settings):
    return micromaser.charge(micromaser.Parameters(theta=math.pi / math.sqrt(m), **settings), collisions)


@pytest.mark.parametrize("m, energy, impurity", [(15.0, 6.150291006486, 0.0),
                                                 (15.6, 6.426892308340, 5.58209e-4)])
def test_the_coherent_battery_ends_on_its_plateau(m, energy, impurity):
    run = plateau(m, **COHERENT | {"loss": 0.0})
    assert run.energy[-1] == pytest.approx(energy, abs=1e-10)
    assert 1.0 - run.purity[-1] == pytest.approx(impurity, abs=5e-9)


@pytest.mark.parametrize("m, loss, energy, purity, fano", [
    (15.0, 0.1, 3.801666, 0.854389, 0.61545), (15.6, 0.1, 3.909748, 0.852345, 0.61813),
    (15.0, 1e-3, 6.108583, 0.996311, 0.43788), (15.6, 1e-3, 6.374940, 0.995997, 0.45764)])
def test_losses_between_the_collisions_lower_the_plateau(m, loss, energy, purity, fano):
    run = plateau(m, **COHERENT | {"loss": loss})
    assert run.energy[-1] == pytest.approx(energy, abs=6e-7)
    assert run.purity[-1] == pytest.approx(purity, abs=6e-7)
    assert run.fano[-1] == pytest.approx(fano, abs=6e-6)


def test_the_incoherent_battery_fills_the_well_below_its_trap():
    run = plateau(15.0, 2000, q=0.25, c=0.0, loss=0.0, thermal_photons=0.0)
    ratio = 0.75 / 0.25
    expected = ratio ** np.arange(15) / np.sum(ratio ** np.arange(15))
    assert run.energy[-1] == pytest.approx(np.arange(15) @ expected, abs=1e-6)
    assert run.populations(2000) == pytest.approx(np.pad(expected, (0, run.dimension - 15)), abs=1e-6)


def test_a_pure_state_gives_all_its_energy_as_work():
    run = plateau(15.0, 300, **COHERENT | {"loss": 0.0})
    assert run.ergotropy[200:] == pytest.approx(run.energy[200:], abs=1e-7)


def test_figures_begin_at_the_vacuum():
    run = plateau(15.0, 3, **COHERENT | {"loss": 0.0})
    assert run.energy.shape == (4,) and run.energy[0] == 0.0 and run.purity[0] == 1.0
    assert math.isnan(run.fano[0]) and math.isnan(run.power[0])
    assert run.power[1:] == pytest.approx(run.energy[1:] / np.arange(1, 4))


@pytest.mark.parametrize("wrong, words", [(dict(q=1.5), "q = 1.5"), (dict(theta=float("nan")), "theta"),
                                          (dict(collision="rabbi"), "rabi"), (dict(loss=-0.1), "loss")])
def test_wrong_parameters_are_refused_by_name(wrong, words):
    with pytest.raises(ValueError, match=words):
        micromaser.Parameters(**wrong)
