"""Single shots under tones, drives, detuning and switching: their mean where the mean is known."""

import numpy as np
import pytest

from twin import pentacene, simulate, simulate_ensemble
from twin.drive import Drive, Frame, Steps

P = pentacene.Parameters()
TIMES = np.linspace(0.0, 1e-6, 101)


def test_a_driven_dark_cavity_holds_a_coherent_amplitude_and_thermal_noise_on_top():
    p = P.replace(thermal_photons=40.0, coupling=0.0)
    offset, eps = 1.5e6, (3e7 + 2e7j)
    times = np.array([1e-7, 1e-6, 8e-6])
    d = Drive(pump_rate=0.0, cavity_drive=eps, cavity_drive_detuning=offset)
    shots = simulate_ensemble(p, d, times, 3000, seed=1)
    pole = 0.5 * p.cavity_decay - 1j * offset
    amplitude = -1j * eps / pole * (np.exp(-1j * offset * times) - np.exp(-0.5 * p.cavity_decay * times))
    fluctuation = shots.field - amplitude
    size = np.sqrt(40.5 / 3000)
    assert np.all(np.abs(shots.field.mean(axis=0) - amplitude) < 4 * size)
    assert np.mean(np.abs(fluctuation) ** 2, axis=0) == pytest.approx(40.5, rel=0.09)
    assert np.all(np.abs(np.mean(fluctuation**2, axis=0)) < 4)  # and round: no phase is preferred
    mean = shots.photons.mean(axis=0)
    assert mean == pytest.approx(simulate(p, d, times).photons, rel=0.05)
    assert mean == pytest.approx(np.abs(amplitude) ** 2 + 40.0, rel=0.05)


@pytest.mark.parametrize(("p", "drive"), [
    (P, Drive(rabi_35=1e7)),
    (P, Drive(rabi_35=1e8, rabi_45=2e7, pump_off_at=3e-7)),
    (P, Drive(rabi_34=3e7, rabi_45=3e7)),
    (P, Drive(cavity_drive=Steps((2e-7,), (3e14, 1e14 + 1e14j)))),
    (P.replace(cavity_frequency=P.frequency_35 + 4e7), Drive(cavity_drive=1e15, cavity_drive_detuning=-4e7)),
    (P, Drive(cavity_drive=1e14, cavity_decay=Steps((3e-7, 6e-7), (2e6, 1e8, 2e6)))),
    (P, Drive(rabi_35=2e7, frame=Frame(e3=-1e7, e4=5e6, e5=1e7, cavity=3e7))),
    (P.replace(dephasing_operator="printed"), Drive(rabi_35=1e7)),
    (P.replace(dephasing_operator="printed"), Drive(cavity_drive=2e14))])
def test_where_a_drive_drowns_the_seed_the_mean_of_shots_is_second_order(p, drive):
    # Far above the thermal seed the field is coherent; second order is then the ensemble's mean.
    shots = simulate_ensemble(p, drive, TIMES, 24, seed=2)
    second = simulate(p, drive, TIMES)
    top = second.photons.max()
    noise = 4.0 * shots.photons.std(axis=0) / np.sqrt(24)
    assert np.all(np.abs(shots.photons.mean(axis=0) - second.photons) < noise + 1e-3 * top)
    assert np.abs(shots.populations.mean(axis=0) - second.populations).max() < 2e-3
    assert np.abs(shots.field.mean(axis=0) - second.field).max() < 3e-3 * np.sqrt(top)
    assert shots.photons.std(axis=0).max() > 1e-7 * top  # they do differ


def test_a_seed_by_a_drive_narrows_the_spread_of_delays_as_it_grows_above_the_thermal_one():
    times = np.linspace(0.0, 8e-7, 801)
    spread = []
    for eps in (0.0, 1e10, 3e11):
        shots = simulate_ensemble(P, Drive(cavity_drive=eps), times, 60, seed=3)
        spread.append(times[shots.photons.argmax(axis=1)].std())
    print("spread of delays [s] under drives that rise:", spread)
    assert spread[0] > 10e-9 and spread[1] < 0.5 * spread[0] and spread[2] < 0.1 * spread[0]


def test_printed_dephasing_gives_shots_whose_mean_energy_is_lower_as_in_second_order():
    p = P.replace(dephasing_operator="printed")
    shots = simulate_ensemble(p, Drive(), TIMES, 40, seed=6)
    second = simulate(p, Drive(), TIMES)
    early = TIMES < 1.5e-7  # before the burst nothing depends on the seed
    assert np.abs(shots.populations.mean(axis=0) - second.populations)[early].max() < 5e-4
    assert shots.populations[:, :, 4].mean(axis=0).max() < 0.70
