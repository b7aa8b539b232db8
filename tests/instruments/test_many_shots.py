"""Shots without end over the wire: memory stays where it is, in driver, session and software instruments.

    pytest -m campaign tests/instruments/test_many_shots.py     a hundred thousand; otherwise a short form
"""

from __future__ import annotations

import gc
import tracemalloc

import pytest

CHANNELS = {"burst": (1, 1.6, 0.0), "photodiode": (2, 1.6, 0.7)}
POINTS = 500


@pytest.fixture
def shoot(bench_here):
    """shoot(count): so many shots, each armed, fired, waited for and read; the laser is off."""
    digitiser, timing = bench_here.connect("digitiser"), bench_here.connect("timing")
    digitiser.configure(250e6, POINTS, 1e-6, CHANNELS)
    timing.configure_shot(q_switch_delay=207e-6)
    timing.release()

    def shoot(count):
        for _ in range(count):
            digitiser.arm()
            timing.fire()
            digitiser.wait(5.0)
            assert len(digitiser.read()["burst"]) == POINTS

    yield shoot
    timing.make_safe()
    for driver in (digitiser, timing):
        driver.disconnect()


def growth(shoot, count):
    """Bytes that `count` shots leave behind, after as many have filled what is filled once."""
    tracemalloc.start()
    try:
        shoot(count)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        shoot(count)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def test_forty_shots_leave_nothing_behind(shoot):
    assert growth(shoot, 40) < 20 * 2 * POINTS      # of 80 records, and all else that a shot makes


@pytest.mark.campaign
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_shots_leave_nothing_behind(shoot):
    shoot(90_000)
    assert growth(shoot, 5_000) < 100_000
