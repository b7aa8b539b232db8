"""The effective seed: one number for all the noise of a build-up."""

import mean_field_by_hand as by_hand
import numpy as np
import pytest

from twin import pentacene
from twin.drive import Drive, Square
from twin.effective_seed import effective_seed

P = pentacene.parameters("bench_default")
PULSE = Drive(pump_rate=Square(3e7, 0.0, 5.5e-9))
TIMES = np.linspace(0.0, 10e-6, 2001)


def trajectory(seed):
    return by_hand.photons(P, lambda t: 3e7 if 0 <= t < 5.5e-9 else 0.0, (0.0, 5.5e-9), TIMES, seed)


@pytest.mark.parametrize("seed", [40.0, 4312.0, 6e4])
def test_a_mean_field_gets_its_own_seed_back(seed):
    assert effective_seed(P, PULSE, trajectory(seed), TIMES) == pytest.approx(seed, rel=2e-3)


def test_noise_below_the_level_does_not_count():
    n = trajectory(4312.0)
    n[n < 1e9] = -0.5
    assert effective_seed(P, PULSE, n, TIMES) == pytest.approx(4312.0, rel=2e-3)


def test_a_trajectory_that_stays_dark_has_none():
    assert effective_seed(P, PULSE, np.full(TIMES.shape, 4e3), TIMES) is None
