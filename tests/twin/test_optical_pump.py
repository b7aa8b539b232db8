"""Energy to pump rate with absorption, bleaching and photon budget; the photodiode's clock."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp

from twin import pentacene
from twin.drive import Drive, Gaussian, Sampled, Square, Steps
from twin.optical_pump import OpticalPump, photon_budget, pump_drive, triplets_per_molecule
from twin.photodiode import Photodiode
from twin.receiver import Receiver

BENCH = pentacene.parameters("bench_default")
TABLE = ((150e-6, 0.0), (180e-6, 1.6e-3), (207e-6, 5e-3))


def excited(p, drive):
    """Molecules per molecule that have left the ground state, where nothing decays back."""
    def right(t, s):
        xi = np.interp(t, drive.pump_rate.times, drive.pump_rate.rates)
        return [-xi * (s[0] - s[1]), xi * (s[0] - s[1])]

    times = drive.pump_rate.times
    return solve_ivp(right, (times[0], times[-1]), [1.0, 0.0], rtol=1e-10, atol=1e-13,
                     max_step=times[1] - times[0]).y[1, -1]


@pytest.mark.parametrize("energy", [1e-6, 1e-3, 5e-3, 0.1, 2.0])
@pytest.mark.parametrize("molecules", [1e13, 1e16, 1e17])
def test_the_absorbed_energy_is_that_of_frantz_and_nodvik(energy, molecules):
    # Without decay: fluence out U = ln(1 + exp(-OD) (exp(2 s U0) - 1))/(2 s); the rest is absorbed.
    p = BENCH.replace(molecules=molecules, spontaneous_emission=0.0, intersystem_crossing=0.0)
    pump = OpticalPump()
    depth = 2 * pump.cross_section * pump.photons(energy) / pump.area
    opacity = pump.optical_depth(molecules)
    out = math.log1p(math.exp(-opacity) * math.expm1(depth)) if depth < 500 else depth - opacity
    absorbed = pump.area * (depth - out) / (2 * pump.cross_section)
    assert excited(p, pump_drive(p, pump, energy)) == pytest.approx(absorbed / molecules, rel=2e-3, abs=1e-12)


def test_a_thin_crystal_is_pumped_at_cross_section_times_flux_over_area():
    p, pump = BENCH.replace(molecules=1e10), OpticalPump()
    drive = pump_drive(p, pump, 1e-6)
    integral = np.trapezoid(drive.pump_rate.rates, drive.pump_rate.times)
    assert integral == pytest.approx(pump.cross_section * pump.photons(1e-6) / pump.area, rel=1e-4)


def test_the_pulse_has_its_length_and_half_height_at_the_lead():
    drive = pump_drive(BENCH.replace(molecules=1e10), OpticalPump(), 1e-6, start=3e-7)
    times, rates = drive.pump_rate.times, drive.pump_rate.rates
    assert times[0] == 3e-7 == drive.pump_on_at and drive.pump_off_at == times[-1]
    above = times[rates > 0.5 * rates.max()]
    assert above[-1] - above[0] == pytest.approx(5.5e-9, abs=2 * (times[1] - times[0]))
    assert above[0] - 3e-7 == pytest.approx(OpticalPump().lead, abs=times[1] - times[0])


@given(energy=st.floats(0.0, 0.1), molecules=st.floats(1e12, 1e18), efficiency=st.floats(0.0, 1.0),
       fwhm=st.floats(1e-9, 1e-7))
@settings(deadline=None, max_examples=50)
def test_no_pulse_makes_more_triplets_than_it_has_photons(energy, molecules, efficiency, fwhm):
    p, pump = BENCH.replace(molecules=molecules), OpticalPump(efficiency=efficiency, fwhm=fwhm)
    drive = pump_drive(p, pump, energy)
    made = triplets_per_molecule(p, drive)
    # Triplets that decay during the pulse may be made again.
    assert 0.0 <= made <= 1.0 + 3.5 * fwhm * max(p.triplet_decay)
    assert made * molecules <= pump.photons(energy) * 1.003
    assert photon_budget(p, drive, pump, energy) is None


def test_a_uniform_rate_that_has_no_photons_behind_it_is_told():
    advice = photon_budget(BENCH, Drive(pump_rate=6.2e7, pump_off_at=200e-9), OpticalPump(), 5e-3)
    assert "triplets" in advice and "thick crystal" in advice


def crossed(p, drive, until):
    """The same integral by an adaptive solver over all five levels."""
    edges = np.array(sorted({0.0, *drive.edges(), until}))
    pump = drive.pump_rate

    def rate(t):
        if not drive.pump_on_at <= t < (math.inf if drive.pump_off_at is None else drive.pump_off_at):
            return 0.0
        if isinstance(pump, Gaussian):
            return pump.peak_rate * math.exp(-4 * math.log(2) * ((t - pump.centre) / pump.fwhm) ** 2)
        if isinstance(pump, Square):
            return pump.rate if pump.start <= t < pump.stop else 0.0
        if isinstance(pump, Sampled):
            return float(np.interp(t, pump.times, pump.rates, left=0.0, right=0.0))
        return float(pump.at(t)) if isinstance(pump, Steps) else pump

    (b3, b4, b5), (k3, k4, k5) = p.branching, p.triplet_decay
    w34, w35, w45 = p.spin_lattice_34, p.spin_lattice_35, p.spin_lattice_45
    emission, crossing = p.spontaneous_emission, p.intersystem_crossing

    def right(t, s):
        up = rate(t) * (s[0] - s[1])
        return [-up + emission * s[1] + k3 * s[2] + k4 * s[3] + k5 * s[4], up - (emission + crossing) * s[1],
                b3 * crossing * s[1] - k3 * s[2] + w34 * (s[3] - s[2]) + w35 * (s[4] - s[2]),
                b4 * crossing * s[1] - k4 * s[3] - w34 * (s[3] - s[2]) + w45 * (s[4] - s[3]),
                b5 * crossing * s[1] - k5 * s[4] - w35 * (s[4] - s[2]) - w45 * (s[4] - s[3]), crossing * s[1]]

    s = np.array([1.0, 0, 0, 0, 0, 0])
    for a, b in pairwise(edges):
        s = solve_ivp(right, (a, np.nextafter(b, a)), s, rtol=1e-11, atol=1e-15, method="DOP853").y[:, -1]
    return s[5]


@pytest.mark.parametrize("drive", [
    Drive(pump_rate=6.2e7, pump_off_at=200e-9), Drive(pump_rate=Square(1.5e6, 1e-7, 6e-7)),
    Drive(pump_rate=Gaussian(3e7, 2e-7, 3e-8)), Drive(pump_rate=Steps((1e-7, 2e-7), (1e6, 5e7, 0.0))),
    Drive(pump_rate=Square(4e6, 0.0, 5e-6), pump_on_at=1e-6, pump_off_at=3e-6),
    Drive(pump_rate=Sampled([0.0, 1e-8, 5e-8, 6e-8], [0.0, 8e7, 3e7, 0.0])),
    Drive(pump_rate=Gaussian(3e7, 2e-7, 3e-8), pump_off_at=2.1e-7)])
def test_triplets_per_molecule_are_the_integral_of_the_crossing(drive):
    # After the last light S1 empties with its own decay; the solver follows it for 25 lifetimes.
    stop = min(drive.pump_off_at or math.inf, drive.edges()[-1])
    after = crossed(BENCH, drive, stop + 25 / 1.11e8)
    assert triplets_per_molecule(BENCH, drive) == pytest.approx(after, rel=1e-6)


def test_darkness_makes_no_triplets_and_endless_light_has_no_number():
    assert triplets_per_molecule(BENCH, Drive(pump_rate=0.0)) == 0.0
    assert triplets_per_molecule(BENCH, Drive(pump_rate=Square(1e7, 0.0, 1e-6), pump_on_at=2e-6)) == 0.0
    with pytest.raises(ValueError, match="never stops"):
        triplets_per_molecule(BENCH, Drive(pump_rate=1e5))
    with pytest.raises(ValueError, match="never stops"):
        triplets_per_molecule(BENCH, Drive(pump_rate=Steps((1e-7,), (0.0, 1e5))))


@given(energy=st.floats(0.0, 5e-3))
@settings(deadline=None, max_examples=60)
def test_the_delay_for_an_energy_gives_that_energy(energy):
    pump = OpticalPump(energy_table=TABLE)
    assert pump.energy_at(pump.delay_for(energy)) == pytest.approx(energy, rel=1e-9, abs=1e-12)


def test_nothing_is_extrapolated_beyond_the_calibration():
    pump = OpticalPump(energy_table=TABLE)
    assert pump.energy_at(100e-6) == 0.0 == pump.energy_at(300e-6)
    with pytest.raises(ValueError, match=r"6 mJ .* 0 J .. 5 mJ"):
        pump.delay_for(6e-3)


@pytest.mark.parametrize("table", [((1e-4, 0.0),), ((2e-4, 0.0), (1e-4, 1e-3)), ((1e-4, 1e-3), (2e-4, 1e-3)),
                                   "much", ((1e-4, -1.0), (2e-4, 1.0)), ((1e-4, float("nan")), (2e-4, 1.0))])
def test_a_table_that_cannot_be_inverted_is_refused(table):
    with pytest.raises(ValueError, match="energy_table"):
        OpticalPump(energy_table=table)


def test_a_pulse_of_no_sense_is_refused():
    for energy in (-1e-3, float("nan")):
        with pytest.raises(ValueError, match="pump_energy"):
            pump_drive(BENCH, OpticalPump(), energy)


# The photodiode.

TIMES = -2e-6 + np.arange(20_000) * 2e-9
DIODE = Photodiode()


def record(energy, start, rng):
    converter = Receiver(intermediate_frequency=0.0)
    noisy = DIODE.volts(TIMES, energy, start) + rng.normal(0, DIODE.noise_volts, TIMES.size)
    return converter.volts_of(converter.codes(noisy))


def test_the_area_of_a_pulse_is_its_energy_times_the_calibration():
    area = quad(lambda t: float(DIODE.volts(np.array([t]), 5e-3, 0.0)[0]), -2e-8, 6e-8, points=[1e-8])[0]
    assert area == pytest.approx(5e-3 * DIODE.volt_seconds_per_joule, rel=1e-6)


def test_the_edge_is_at_half_height_where_the_laser_says():
    # The diode's own rise widens the signal by 2 %, both ways.
    volts = DIODE.volts(TIMES, 5e-3, 0.0)
    half = np.interp(0.5, volts[998:1007] / volts.max(), TIMES[998:1007])
    assert half == pytest.approx(OpticalPump().lead, abs=0.4e-9)


@pytest.mark.parametrize("energy", [5e-5, 5e-4, 5e-3])
def test_energy_and_first_light_are_read_back_within_their_errors(energy):
    rng = np.random.default_rng(4)
    pulls = []
    for _ in range(60):
        start = 200e-9 + rng.normal(0, 0.8e-9)
        pulse = DIODE.read(TIMES, record(energy, start, rng))
        pulls.append([(pulse.energy - energy) / pulse.energy_sigma,
                      (pulse.start - start) / pulse.start_sigma])
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.5)
    assert np.all((np.std(pulls, axis=0) > 0.75) & (np.std(pulls, axis=0) < 1.3))
    assert pulse.start_sigma < 0.3e-9


def test_a_record_without_a_pulse_tells_nothing():
    rng = np.random.default_rng(6)
    for _ in range(30):
        assert math.isnan(DIODE.read(TIMES, record(0.0, 2e-7, rng)).energy)
    assert math.isnan(DIODE.read(TIMES, np.zeros(TIMES.size)).energy)
    assert math.isnan(DIODE.read(TIMES[:10], np.zeros(10)).energy)


def test_a_pulse_at_the_very_edge_of_a_record_is_no_reason_to_fail():
    for start in (-2e-6, TIMES[-1] - 10e-9, TIMES[-1]):
        pulse = DIODE.read(TIMES, DIODE.volts(TIMES, 5e-3, start) + 1e-4 * np.sin(TIMES * 1e9))
        assert math.isnan(pulse.energy) or pulse.energy == pytest.approx(5e-3, rel=0.05)
