"""Features of a Breeze-like maser, read back from the record of the software instruments.

Q_L = 8500, k = 0.2, V = 0.25 cm3 (g = 0.274 rad/s), T2* = 3 us, pumped at once, in tune. The figures are
those of an independent second-order code; its C takes 2/T2* for the spins' full width, so that its 177 is
158 with the width of the lifetimes added. The store is a statement about the twin alone.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from mock_devices.front_end import Channel
from twin import simulate
from twin.drive import Drive, Steps
from twin.pentacene import HBAR, Parameters
from twin.receiver import Receiver, envelope

LIGHT = 200e-9 + 1.75 * 1e-9  # [s] middle of the pulse after the trigger
SEED = 4210.0
TIME = -2e-6 + 2e-9 * np.arange(20000)


def breeze(text: str, inverted: float, detuning: float = 0.0) -> str:
    """The virtual bench with so many molecules in X more than in Z right after a pulse that excites all.

    The seed is what is injected as leakage: the mode itself is made cold.
    """
    head = text[: text.index("[expected]")]
    head = head.replace('fwhm = "5.5ns"', 'fwhm = "1ns"').replace("efficiency = 0.15", "efficiency = 1.0")
    head = head.replace('arrival_jitter = "0.8ns"', 'arrival_jitter = "0ns"')
    return head + f"""
[expected.pentacene]
molecules = {inverted / 0.68}
coupling = 0.274
dephasing_35 = {1 / 3e-6}
dephasing_34 = 0
dephasing_45 = 0
triplet_decay_41 = 1.4e4
triplet_decay_51 = 2.2e4
spin_lattice_34 = 2.8e4
thermal_photons = 1e-3
spontaneous_emission = 0
intersystem_crossing = 1e10
[truth]
richness = 0
[truth.cavity]
detuning = {detuning}
temperature_swing = 0
"""


@pytest.fixture
def burst_of(desk_of, virtual_text):
    """Port power [W] over time after the light [s], as read back from the burst channel."""

    def record(inverted: float, seed: float = SEED, detuning: float = 0.0):
        desk = desk_of(breeze(virtual_text, inverted, detuning))
        desk.prepare()
        assert desk.console.answer(f"inject rf_leakage severity={seed}") == "ok"
        desk.digitiser.send(":WAV:SOUR CHAN1")
        scale, origin = (float(x) for x in desk.digitiser.ask(":WAV:YINC?;YOR?").split(";"))
        volts = desk.shot()[1] * scale + origin
        desk.close()
        receiver = desk.world.declared["burst"]
        time, level, sigma = envelope(TIME, volts, 50e6, 50e6)
        power = np.maximum(level**2 - 2.0 * sigma**2, 0.0) / (8.0**2 * 2.0 * 50.0 * receiver.gain)
        return time - LIGHT, power

    return record


def peak(burst) -> tuple[float, float]:
    """(power [dBm], time [s]) of the highest point."""
    time, power = burst
    return 10.0 * math.log10(power.max() / 1e-3), float(time[np.argmax(power)])


@pytest.mark.parametrize(
    ("inverted", "power", "time", "decibels", "share"),
    [
        (2.9e13, -32.6, 14.6e-6, 2.0, 0.05),
        (9.9e13, -21.6, 6.19e-6, 0.5, 0.02),
        (4.2e14, -13.0, 2.78e-6, 0.5, 0.02),
        (1.15e15, -8.0, 1.68e-6, 0.5, 0.02),
    ],
)
def test_power_and_delay_of_a_burst(burst_of, inverted, power, time, decibels, share):
    found, moment = peak(burst_of(inverted))
    assert found == pytest.approx(power, abs=decibels)
    assert moment == pytest.approx(time, rel=share)


def test_just_above_threshold_nothing_can_be_seen(burst_of):
    time, power = burst_of(8.5e12)  # C = 3.5: -93 dBm after 22 us
    dark = power[time < -0.3e-6]
    assert power[time > 0.0].max() < 2.0 * dark.max()


def test_a_strong_burst_rings(burst_of):
    time, power = burst_of(4.2e14)
    inner = (power[1:-1] > power[:-2]) & (power[1:-1] >= power[2:]) & (power[1:-1] > 0.01 * power.max())
    peaks = np.flatnonzero(inner) + 1
    far = np.concatenate(([True], np.diff(time[peaks]) > 0.3e-6))
    first = [p + int(np.argmax(power[p: p + 20])) for p in peaks[far][:4]]
    assert time[first] == pytest.approx([2.776e-6, 3.674e-6, 4.560e-6, 5.472e-6], rel=0.02)
    assert power[first[1:]] / power[first[:-1]] == pytest.approx([0.56, 0.52, 0.48], abs=0.03)


def test_a_stronger_seed_brings_the_burst_forward_by_its_logarithm(burst_of):
    seeds = [4.2e3, 1e6, 1e8, 1e10, 1e12]
    times = [peak(burst_of(4.2e14, seed))[1] for seed in seeds]
    assert times == pytest.approx([2.776e-6, 2.225e-6, 1.759e-6, 1.298e-6, 0.843e-6], rel=0.025)
    slope = np.polyfit(np.log10(seeds) / 2.0, times, 1)[0]
    assert slope == pytest.approx(-0.46e-6, abs=0.02e-6)


def test_out_of_tune_the_burst_is_weaker_later_and_at_last_gone(burst_of):
    power, time = peak(burst_of(4.2e14))
    for detuning, loss, within in ((200e3, 0.0, 0.3), (400e3, 0.0, 0.5), (800e3, 1.4, 0.5)):
        found, moment = peak(burst_of(4.2e14, detuning=detuning))
        assert power - found == pytest.approx(loss, abs=within)
    assert moment - time == pytest.approx(0.34e-6, abs=0.03e-6)  # at 800 kHz
    assert peak(burst_of(4.2e14, detuning=1.6e6))[0] < -45.0  # -68 dBm: below what the channel can show


# --- the store: Q = 1 while it charges and holds, Q = 152 to let go -------------------------------------

OMEGA = 2 * math.pi * 1.45e9
STORE = Parameters().replace(
    molecules=1e17, coupling=2 * math.pi * 3.66e-2, cavity_decay=OMEGA, thermal_photons=4000.0,
    dephasing_35=2 * math.pi * 0.18e6, dephasing_34=0.0, dephasing_45=0.0,
    triplet_decay=(0.2e4, 1.4e4, 2.2e4), spin_lattice_34=2.8e4)


def inversion(run) -> float:
    return float(run.populations[0, 4] - run.populations[0, 2])


@pytest.mark.parametrize(("pulse", "stored"), [(20e-9, 0.18), (50e-9, 0.40), (100e-9, 0.58), (200e-9, 0.66)])
def test_a_longer_pulse_stores_more(pulse, stored):
    run = simulate(STORE, Drive(pump_rate=6.27e7, pump_off_at=pulse), [pulse])
    assert inversion(run) == pytest.approx(stored, abs=0.005)


@pytest.mark.parametrize(
    ("hold", "held", "watts", "nanojoules", "share"),
    [
        (0.0, 0.662, 1.46, 62.0, 0.03),
        (1e-6, 0.630, 1.35, 59.0, 0.03),
        (5e-6, 0.508, 0.98, 47.0, 0.03),
        (10e-6, 0.387, 0.64, 36.0, 0.03),
        (20e-6, 0.217, 0.25, 20.0, 0.06),  # the page rounds to two digits
    ],
)
def test_what_is_held_longer_gives_less(hold, held, watts, nanojoules, share):
    switch = 200e-9 + hold
    drive = Drive(pump_rate=6.27e7, pump_off_at=200e-9, cavity_decay=Steps((switch,), (OMEGA, OMEGA / 152)))
    run = simulate(STORE, drive, np.concatenate(([switch], switch + np.linspace(1e-9, 1.5e-6, 1500))))
    power = HBAR * OMEGA * OMEGA / 152 * (run.photons - 4000.0)
    assert inversion(run) == pytest.approx(held, abs=0.002)
    assert power.max() == pytest.approx(watts, rel=share)
    assert np.trapezoid(power, run.times) * 1e9 == pytest.approx(nanojoules, rel=share)


@pytest.mark.parametrize(("hold", "held"), [(40e-6, 0.049), (80e-6, -0.03)])
def test_the_store_runs_empty_within_60_us(hold, held):
    run = simulate(STORE, Drive(pump_rate=6.27e7, pump_off_at=200e-9), [200e-9 + hold])
    assert inversion(run) == pytest.approx(held, abs=0.003)


# --- the chain ------------------------------------------------------------------------------------------

LOG = Receiver(loaded_quality=8500, coupling_factor=0.2, frequency=1.4495e9, detector="log", bits=8,
               full_scale=1.6, offset=1.0)


@pytest.mark.parametrize(
    ("pad", "photons", "dbm", "code"),
    [(-10.0, 1e9, -67.657, 210), (-10.0, 1e11, -47.657, 161), (-10.0, 1e14, -17.657, 56),
     (-20.0, 1e12, -37.657, 161), (-20.0, 1e15, -7.657, 56)],
)
def test_photons_become_codes_through_the_log_chain(pad, photons, dbm, code):
    log = LOG.replace(gains_db={**LOG.gains_db, "attenuator": pad})
    assert 10 * math.log10(log.port_power(photons) / 1e-3) == pytest.approx(dbm, abs=1e-3)
    made = Channel(1.6, 1.0, 8).codes(log.settled(np.array([photons])), 1e-9)
    assert abs(int(made[0]) - code) <= 1
    assert made[0] == log.codes(log.settled(photons))
