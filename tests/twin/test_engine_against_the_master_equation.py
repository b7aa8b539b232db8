"""Second order against QuTiP's exact solution for one and two molecules.

With g = 0 the two must be one. With the coupling switched on, second order drops the third connected moments,
which are of order g^3 between mode and molecules; populations feel them through one more g. So errors fall as
g^4 (populations) and g^3 (photons, field): a wrong term of second order would show as a lower power.
"""

import numpy as np
import pytest

from twin import pentacene, simulate
from twin.drive import Drive, Frame, Gaussian, Steps

UNIT = 1e6
TIMES = np.array([0.4, 0.9, 1.5]) / UNIT
"""Small numbers for all rates, so that everything moves within one window."""


def crystal(molecules, g, operator="pure", thermal=0.15):
    rates = dict(spontaneous_emission=0.7, intersystem_crossing=1.3, triplet_decay_31=0.2,
                 triplet_decay_41=0.35, triplet_decay_51=0.15, spin_lattice_35=0.1,
                 spin_lattice_34=0.25, spin_lattice_45=0.18,
                 dephasing_34=0.4, dephasing_35=0.3, dephasing_45=0.5, cavity_decay=0.8, coupling=g)
    return pentacene.Parameters().replace(
        molecules=molecules, thermal_photons=thermal, dephasing_operator=operator,
        **{name: value * UNIT for name, value in rates.items()})


TONES = Drive(pump_rate=1.1 * UNIT, rabi_35=0.6 * UNIT, rabi_45=0.4 * UNIT, rabi_34=0.3 * UNIT,
              cavity_drive=(0.2 + 0.1j) * UNIT,
              frame=Frame(e3=-0.3 * UNIT, e4=0.5 * UNIT, e5=0.4 * UNIT, cavity=0.2 * UNIT))


def errors(p, d, dimension):
    exact = simulate(p, d, TIMES, model="exact", photon_dimension=dimension)
    close = simulate(p, d, TIMES, rtol=1e-12)
    return np.array([np.abs(exact.populations - close.populations).max(),
                     np.abs(exact.photons - close.photons).max(), np.abs(exact.field - close.field).max()])


@pytest.mark.parametrize("molecules, operator", [(1, "pure"), (1, "printed"), (2, "pure")])
def test_without_coupling_second_order_is_exact_with_all_tones_and_detunings(molecules, operator):
    population, photons, field = errors(crystal(molecules, 0.0, operator, thermal=0.02), TONES,
                                        16 if molecules == 1 else 9)
    assert population < 1e-9
    # The Fock states that are left out, and no more.
    assert photons < (1e-8 if molecules == 1 else 1e-6) and field < (1e-8 if molecules == 1 else 1e-6)


@pytest.mark.parametrize("molecules, dimension, operator",
                         [(1, 16, "pure"), (1, 16, "printed"), (2, 9, "pure")])
def test_errors_fall_as_the_fourth_and_third_power_of_the_coupling(molecules, dimension, operator):
    couplings = np.array([0.2, 0.1]) if molecules == 2 else np.array([0.2, 0.1, 0.05])
    found = np.array([errors(crystal(molecules, g, operator, 0.02), TONES, dimension) for g in couplings])
    floor = errors(crystal(molecules, 0.0, operator, 0.02), TONES, dimension)
    slopes = np.log(found[:-1] / found[1:]) / np.log(2.0)
    print(f"{molecules} molecule(s), {operator}: errors {found.tolist()}, slopes {slopes.round(2).tolist()}")
    assert np.all(slopes[:, 0] > 3.5)
    for k in (1, 2):
        trusted = found[1:, k] > 100.0 * floor[k]
        assert np.all(slopes[trusted, k] > 2.6)
    assert found[0, 0] < 1e-3


def test_second_order_holds_where_it_must_a_thermal_mode_and_a_weak_coupling():
    p = crystal(2, 0.02, thermal=0.1)
    population, photons, _ = errors(p, Drive(pump_rate=2 * UNIT), 9)
    assert population < 1e-7 and photons < 1e-6


def test_the_exact_reading_follows_pulses_steps_and_a_turning_cavity_drive():
    p = crystal(1, 0.0, thermal=0.02)
    d = Drive(pump_rate=Gaussian(3 * UNIT, 0.5e-6, 0.2e-6), rabi_35=Steps((0.6e-6,), (0.0, 0.8 * UNIT)),
              cavity_drive=0.3 * UNIT, cavity_drive_detuning=2.0 * UNIT,
              cavity_decay=Steps((1e-6,), (0.8 * UNIT, 3 * UNIT)))
    population, photons, field = errors(p, d, 14)
    assert population < 1e-7 and photons < 1e-6 and field < 1e-6


def test_an_exact_run_continues_and_refuses_what_does_not_fit():
    p, d = crystal(1, 0.1), Drive(pump_rate=UNIT)
    whole = simulate(p, d, TIMES, model="exact", photon_dimension=8)
    first = simulate(p, d, TIMES[:1], model="exact", photon_dimension=8)
    second = simulate(p, d, TIMES[1:], model="exact", photon_dimension=8, initial=first)
    assert second.photons == pytest.approx(whole.photons[1:], rel=1e-7)
    assert second.populations == pytest.approx(whole.populations[1:], abs=1e-8)
    for bad in (p.replace(molecules=4), p.replace(molecules=1.5), p.replace(thermal_photons=4312.0)):
        with pytest.raises(ValueError, match=r"molecules|largest thermal_photons"):
            simulate(bad, d, TIMES, model="exact")
    with pytest.raises(ValueError):
        whole.sensitivity("coupling")
