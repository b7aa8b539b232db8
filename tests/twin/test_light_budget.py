"""Photons absorbed against photons there, the thin crystal's formula, and a crystal cut into slices."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.constants import c, h

from twin import pentacene, simulate
from twin.drive import Drive, Gaussian, Sampled, Square, Steps, pump_rate_from_power
from twin.light_budget import light_budget
from twin.optical_pump import OpticalPump, pump_drive
from twin.optical_pump import pump_rate_from_power as same_function

P = pentacene.Parameters()
BENCH = pentacene.parameters("bench_default")


def test_pump_rate_from_power_is_that_of_the_paper():
    assert pump_rate_from_power(1.0, 1.9e-6, 2e-21, 592e-9) == pytest.approx(3.137e3, rel=1e-4)
    assert pump_rate_from_power(2e4) == pytest.approx(6.274e7, rel=1e-3)
    assert pump_rate_from_power(3.0, area=1e-6, cross_section=1e-21, wavelength=5e-7) == pytest.approx(
        1e-21 * 3.0 / (h * c / 5e-7 * 1e-6), rel=1e-12)
    assert pump_rate_from_power(0.0) == 0.0 and same_function is pump_rate_from_power
    for name in ("power", "area", "cross_section", "wavelength"):
        for value in (-1.0, np.nan, np.inf):
            with pytest.raises(ValueError, match=name):
                pump_rate_from_power(**{"power": 1.0, name: value})
    with pytest.raises(ValueError, match="area"):
        pump_rate_from_power(1.0, area=0.0)


def by_slices(p, pump, energy, slices=400):
    """A crystal cut along the beam: each slice takes its share of the flux that reaches it, and S1 decays.

    Times [s] and means over the slices of s11, s22 and the absorbed flux [photons/s], by midpoint steps.
    """
    drive = pump_drive(p, pump, energy)
    sharp, centre = 4 * np.log(2) / pump.fwhm**2, 1.75 * pump.fwhm
    times = np.linspace(0.0, 2 * centre, 6001)
    shape = np.exp(-sharp * (times - centre) ** 2)
    flux = pump.photons(energy) * shape / np.trapezoid(shape, times)
    thin = pump.optical_depth(p.molecules) / slices
    ground, excited = np.ones(slices), np.zeros(slices)
    out = []

    def slope(g, e, photons):
        through = photons * np.exp(-thin * np.concatenate(([0.0], np.cumsum(g - e))))
        taken = (through[:-1] - through[1:]) / (p.molecules / slices)
        down = p.spontaneous_emission * e
        return -taken + down, taken - down - p.intersystem_crossing * e

    for i, (a, b) in enumerate(pairwise(times)):
        out.append((ground.mean(), excited.mean()))
        g, e = slope(ground, excited, flux[i])
        step = b - a
        g, e = slope(ground + 0.5 * step * g, excited + 0.5 * step * e, 0.5 * (flux[i] + flux[i + 1]))
        ground, excited = ground + step * g, excited + step * e
    out.append((ground.mean(), excited.mean()))
    return times, np.array(out), ground, drive


@pytest.mark.parametrize(("molecules", "energy"), [(1e16, 5e-3), (1e17, 2e-2), (3e15, 5e-3)])
def test_the_uniform_rate_moves_the_mean_molecule_as_a_bleaching_front_moves_all(molecules, energy):
    p, pump = BENCH.replace(molecules=molecules), OpticalPump()
    times, means, ground, drive = by_slices(p, pump, energy)
    some = np.arange(500, 6001, 500)
    quiet = p.replace(triplet_decay=(0.0, 0.0, 0.0), coupling=0.0)
    run = simulate(quiet, drive, times[some], model="rate")
    assert np.abs(run.populations[:, :2] - means[some]).max() < 3e-3
    print(f"OD {pump.optical_depth(molecules):.3g}: first slice {ground[0]:.3f}, last {ground[-1]:.3f} in S0")
    if molecules == 1e17:  # a front: what the light has passed is bleached, what lies behind is dark
        assert ground[0] < 0.6 and ground[-1] > 0.99


@given(rate=st.floats(1e4, 1e9), stop=st.floats(1e-9, 3e-7), molecules=st.floats(1e12, 1e18),
       crossing=st.sampled_from([0.0, 1e3, 6.9e7]), emission=st.sampled_from([0.0, 4.2e7]))
@settings(deadline=None, max_examples=25)
def test_photons_absorbed_are_the_integral_of_what_the_simulation_takes_up(rate, stop, molecules, crossing,
                                                                           emission):
    p = P.replace(molecules=molecules, intersystem_crossing=crossing, spontaneous_emission=emission,
                  coupling=0.0)
    drive = Drive(pump_rate=Square(rate, 1e-8, 1e-8 + stop))
    times = np.linspace(1e-8, 1e-8 + stop, 4001)
    s = simulate(p, drive, times, model="rate").populations
    taken = molecules * np.trapezoid(rate * (s[:, 0] - s[:, 1]), times)
    found = light_budget(p, drive, 1e-8 + stop)
    assert found.absorbed == pytest.approx(taken, rel=3e-4)
    assert found.available == pytest.approx(1.9e-6 / 2e-21 * rate * stop, rel=1e-9)


def test_the_battery_paper_takes_more_photons_than_its_laser_has():
    at_the_maximum = light_budget(P, Drive(), 338e-9)
    energy = h * c / 592e-9
    assert at_the_maximum.absorbed / P.molecules == pytest.approx(1.61, abs=0.01)
    assert at_the_maximum.absorbed * energy == pytest.approx(16e-3, rel=0.03)
    assert at_the_maximum.available * energy == pytest.approx(6.8e-3, rel=0.03)
    for model in ("cumulant", "mean_field", "stochastic"):
        (warning,) = simulate(P, Drive(), np.linspace(0.0, 5e-6, 11), model=model, seed=1).warnings
        assert "photon budget" in warning and "pump_drive" in warning and "optical depth is 31.6" in warning


@pytest.mark.parametrize(("p", "drive"), [
    (P.replace(molecules=9e14), Drive()), (P, Drive(pump_rate=0.0)), (P, Drive(pulse_photons=1e18)),
    (P, Drive(pump_on_at=1e-3)), (P, Drive(pump_on_at=1e-7, pump_off_at=1e-7)),
    (BENCH, pump_drive(BENCH, OpticalPump(), 5e-3)), (BENCH, pump_drive(BENCH, OpticalPump(), 0.1))])
def test_a_thin_crystal_a_dark_one_and_the_benchs_own_pulse_need_no_warning(p, drive):
    assert simulate(p, drive, np.linspace(0.0, 1e-6, 11)).warnings == ()


@pytest.mark.parametrize("drive", [
    Drive(pump_rate=Square(6e7, 1e-6, 1.2e-6)), Drive(pump_rate=Gaussian(3e8, 1e-6, 5e-9)),
    Drive(pump_rate=Sampled(np.linspace(0.9e-6, 1.1e-6, 400), np.full(400, 2e7))),
    Drive(pump_rate=Steps((9e-7, 1e-6), (0.0, 5e7, 0.0)))])
def test_any_shape_of_pulse_is_held_against_its_photons(drive):
    times = np.linspace(0.0, 2e-6, 11)
    assert "photon budget" in simulate(BENCH, drive, times).warnings[0]
    absorbed = light_budget(BENCH, drive, 2e-6).absorbed
    assert simulate(BENCH, drive.replace(pulse_photons=1.01 * absorbed), times).warnings == ()
    (short,) = simulate(BENCH, drive.replace(pulse_photons=0.9 * absorbed), times).warnings
    assert "lower pump_rate" in short


def test_a_continued_trajectory_is_charged_for_its_own_light_alone():
    drive = Drive(pump_rate=Steps((1e-7, 1e-6), (6e7, 0.0, 1e6)))
    first = simulate(BENCH, drive, [0.0, 9e-7])
    second = simulate(BENCH, drive, [9e-7, 9.5e-7], initial=first)
    assert len(first.warnings) == 1 and second.warnings == ()


def test_pulse_photons_of_no_sense_are_refused():
    for value in (-1.0, np.nan, Steps((1.0,), (1.0, 2.0))):
        with pytest.raises(ValueError, match="pulse_photons"):
            Drive(pulse_photons=value)
