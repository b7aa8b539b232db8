"""Sources, analyser, tuner, thermometer and interlock over TCP, around the one cavity that they share."""

import time

import numpy as np
import pytest

from instruments import Refused
from twin.cavity import fit_cavity

ROLES = ("microwave", "microwave_45", "vna", "tuner", "thermometer", "interlock")


@pytest.fixture(scope="module")
def connected(bench_here):
    drivers = {role: bench_here.connect(role) for role in ROLES}
    yield drivers
    for driver in drivers.values():
        driver.disconnect()


@pytest.fixture
def drivers(connected):
    for driver in connected.values():
        driver.make_safe()
    return connected


def cavity_of(vna):
    fit = fit_cavity(*vna.read_reflection(1.4495e9, 4e6, points=201, bandwidth=10e3, power=0.0))
    assert fit.ok, fit.verdict
    return fit.parameters


@pytest.mark.parametrize("role", ROLES)
def test_each_says_that_it_is_simulated_and_is_found_safe(drivers, role):
    driver = drivers[role]
    assert driver.simulated
    assert driver.settings()
    assert driver.verify_safe().safe is True
    assert not driver.one_session


@pytest.mark.parametrize("role", ["microwave", "microwave_45", "vna"])
def test_a_lost_reference_is_seen(bench_here, drivers, role):
    for locked in (True, False):
        bench_here.devices[role].reference = locked
        assert drivers[role].reference_locked is locked


@pytest.mark.parametrize("role", ["microwave", "microwave_45", "vna"])
def test_a_source_whose_output_is_on_is_not_safe_until_it_is_made_so(bench_here, drivers, role):
    drivers[role].output = True
    assert bench_here.cavity.rf_on
    assert drivers[role].verify_safe().safe is False
    drivers[role].make_safe()
    assert drivers[role].verify_safe().safe is True
    assert not bench_here.cavity.rf_on


def test_the_vna_finds_the_cavity_and_leaves_its_output_off(bench_here, drivers):
    found = cavity_of(drivers["vna"])
    assert found["frequency"] == pytest.approx(bench_here.cavity.frequency, abs=100)
    assert found["loaded_quality"] == pytest.approx(bench_here.cavity.loaded_quality, rel=0.01)
    assert found["cable_delay"] == pytest.approx(12e-9, rel=0.02)
    assert not drivers["vna"].output


def test_another_quality_gives_another_answer(bench_here, drivers):
    before = cavity_of(drivers["vna"])["loaded_quality"]
    bench_here.cavity.faults.lasting["quality_drop"] = 0.3
    after = cavity_of(drivers["vna"])["loaded_quality"]
    del bench_here.cavity.faults.lasting["quality_drop"]
    assert after == pytest.approx(0.7 * before, rel=0.01)


def test_transmission_loses_what_the_bench_file_says(drivers):
    sweep = {"centre": 1.4495e9, "span": 4e6, "points": 201, "bandwidth": 1e4, "power": 0.0}
    _, reflected = drivers["vna"].read_reflection(**sweep)
    _, passed = drivers["vna"].read_transmission(**sweep, averages=4)
    np.testing.assert_allclose(np.abs(passed) / np.abs(reflected), 10 ** (-3 / 20), rtol=1e-3)


def test_the_piston_tunes_the_cavity_by_ten_megahertz_a_millimetre(drivers):
    tuner, parked = drivers["tuner"], 12.7e-3
    found = []
    for metres in (parked - 50e-6, parked, parked + 50e-6):
        assert tuner.move_to(metres) == pytest.approx(metres, abs=5e-8)
        found.append(cavity_of(drivers["vna"])["frequency"])
    assert np.diff(found) == pytest.approx([-0.5e6, -0.5e6], rel=0.01)
    tuner.move_to(parked)
    assert cavity_of(drivers["vna"])["frequency"] == pytest.approx(found[1], abs=1e3)


def test_without_the_approach_the_backlash_shows(bench_here, drivers):
    tuner, steps = drivers["tuner"], round(12.7e-3 / 0.047625e-6)
    found = []
    for way in (steps - 2000, steps, steps + 2000, steps):
        tuner.ask(f"/1 1 move abs {way}")
        while tuner.moving:
            time.sleep(0.005)
        found.append(bench_here.cavity.tuning)
    from_below, from_above = found[1], found[3]
    assert from_below - from_above == pytest.approx(10e6 * 10e-3, rel=0.01)   # 10 um at 10 MHz/mm


def test_a_move_takes_time_and_can_be_stopped_half_way(bench_here, drivers):
    tuner = drivers["tuner"]
    tuner.move_to(12.7e-3)
    tuner.speed = 2e-4
    tuner.ask(f"/1 1 move abs {round(14.7e-3 / 0.047625e-6)}")
    time.sleep(0.05)
    assert tuner.moving
    assert tuner.verify_safe().safe is False
    tuner.make_safe()
    assert 12.7e-3 < tuner.position < 14.7e-3
    assert bench_here.cavity.tuning == pytest.approx(-10e9 * (tuner.position - 12.7e-3), abs=60e3)
    tuner.speed = 5e-3
    tuner.move_to(12.7e-3)


def test_the_tuner_rejects_what_lies_beyond_its_end(drivers):
    with pytest.raises(Refused, match="BADDATA"):
        drivers["tuner"].ask("/1 1 move abs 533334")


def test_the_thermometer_shows_the_temperature_that_the_cavity_drifts_with(bench_here, drivers):
    cavity, thermometer = bench_here.cavity, drivers["thermometer"]
    photons = cavity.world.parameters.thermal_photons
    assert thermometer.temperature == pytest.approx(
        photons * 6.62607015e-34 * 1.4495e9 / 1.380649e-23, abs=0.1)      # n = kT/(h f) - 1/2
    readings, expected = [], []
    for triggers in (0, 3000, 6000, 9000):
        cavity.triggers = triggers
        readings.append(np.mean([thermometer.temperature for _ in range(20)]))
        expected.append(cavity.temperature)
    cavity.triggers = 0
    np.testing.assert_allclose(readings, expected, atol=0.6e-3)
    assert np.ptp(expected) > 1e-3
    assert thermometer.resistance == pytest.approx(110.5, abs=0.5)   # platinum at 300 K, IEC 60751


def test_the_monitor_sees_which_contact_opened_and_that_only_a_person_closes_it(bench_here, drivers):
    monitor, cavity = drivers["interlock"], bench_here.cavity
    assert monitor.closed and "34907A" in monitor.card
    cavity.chain.open(3)
    assert monitor.open_contacts == ("laser housing", "latch")
    monitor.make_safe()
    assert not monitor.closed
    cavity.chain.reset()
    assert monitor.closed


def test_a_level_that_cannot_be_held_is_known(drivers):
    source = drivers["microwave"]
    source.power, source.output = 10.0, True
    assert source.levelled
    source.power = 16.0
    assert not source.levelled
    source.power = -20.0
    source.settle()


@pytest.mark.parametrize("role", ["microwave", "microwave_45"])
def test_a_source_follows_the_gate_or_does_not(bench_here, drivers, role):
    for gated in (True, False):
        drivers[role].gated = gated
        assert bench_here.cavity.tones[role].gated is drivers[role].gated is gated


def test_without_lamp_and_q_switch_the_digitiser_still_gets_its_trigger_and_the_gate_its_place(bench_here):
    timing, seen = bench_here.connect("timing"), []
    trigger, bench_here.cavity.trigger = bench_here.cavity.trigger, seen.append
    try:
        timing.configure_shot(q_switch_delay=200e-6)
        assert timing.set_gate(-20e-6, 25e-6) == pytest.approx((-20e-6, 25e-6), abs=1e-11)
        timing.release_dark()
        timing.fire()
    finally:
        bench_here.cavity.trigger = trigger
        timing.make_safe()
        timing.disconnect()
    (edges,) = seen
    assert edges.lamp is None and edges.q_switch is None and edges.digitiser == pytest.approx(200e-6)
    assert edges.gate_window(edges.digitiser) == pytest.approx((-20e-6, 5e-6), abs=1e-11)
