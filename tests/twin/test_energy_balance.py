"""The account of energy: it closes whatever crystal, pump and drive, and each entry is what it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin import pentacene, simulate
from twin.drive import Drive, Gaussian, Square, Steps
from twin.pentacene import HBAR

P = pentacene.Parameters()
TIMES = np.linspace(0.0, 7e-7, 36)

CRYSTALS = st.builds(
    lambda n, g, kappa, detuned, nth, share, slow, operator: P.replace(
        molecules=10.0**n, coupling=g, cavity_decay=kappa, cavity_frequency=P.frequency_35 + detuned,
        thermal_photons=nth, branching=(share / 2, share / 2, 1.0 - share), spin_lattice_35=slow,
        spin_lattice_45=3 * slow, dephasing_operator=operator),
    st.floats(14.0, 16.7), st.floats(0.05, 0.5), st.floats(0.0, 3e7), st.floats(1e3, 3e6), st.floats(0.0, 1e5),
    st.floats(0.0, 1.0), st.floats(0.0, 1e6), st.sampled_from(["pure", "printed"]))
PUMPS = st.one_of(st.floats(0.0, 2e8), st.builds(lambda r, a, w: Square(r, a, a + w), st.floats(0.0, 2e8),
                                                 st.floats(0.0, 3e-7), st.floats(1e-9, 3e-7)),
                  st.builds(Gaussian, st.floats(0.0, 5e8), st.floats(-1e-7, 4e-7), st.floats(2e-9, 1e-7)))
# Always detuned and driven in both quadratures: each new set of moments would have to be compiled.
DRIVES = st.builds(
    lambda a, b, c, re, im, turn: dict(rabi_35=a, rabi_45=b, rabi_34=c, cavity_drive=complex(re, im),
                                       cavity_drive_detuning=turn),
    st.floats(1e3, 3e7), st.floats(-3e7, -1e3), st.floats(1e3, 1e7), st.floats(1e6, 1e11), st.floats(1e6, 1e11),
    st.floats(-1e7, 1e7))


@settings(max_examples=12, deadline=None)
@given(CRYSTALS, PUMPS, st.sampled_from(["cumulant", "mean_field", "rate"]))
def test_the_account_closes_without_a_drive(p, pump, model):
    assert simulate(p, Drive(pump_rate=pump), TIMES, model=model, rtol=1e-11).energy_balance().closure < 1e-8


@settings(max_examples=5, deadline=None)
@given(CRYSTALS.map(lambda p: p.replace(dephasing_operator="pure")), PUMPS, DRIVES)
def test_the_account_closes_with_every_drive_on(p, pump, drive):
    assert simulate(p, Drive(pump_rate=pump, **drive), TIMES[:20], rtol=1e-11).energy_balance().closure < 1e-8


def test_the_entries_add_up_to_the_change_of_what_is_stored():
    p = P.replace(cavity_frequency=P.frequency_35 + 3e6)
    d = Drive(pump_off_at=4e-7, rabi_35=Steps((1e-7, 2e-7), (0.0, 2e6, 0.0)), cavity_drive=1e10)
    b = simulate(p, d, TIMES).energy_balance()
    total = b.stored_energy + b.cavity_energy
    named = (b.crossed_energy - b.relaxed_energy + b.tone_energy + b.drive_energy - b.radiated_energy
             + b.detuning_energy + b.residual_energy)
    assert total - total[0] == pytest.approx(named - named[0], abs=1e-12 * total.max())
    for entry in (b.tone_energy, b.drive_energy, b.radiated_energy, b.relaxed_energy, b.detuning_energy):
        assert np.abs(entry).max() > 1e3 * np.abs(b.residual_energy).max()


def test_what_left_and_what_is_stored_are_what_charging_says():
    t = simulate(P, Drive(), TIMES)
    c, b = t.charging(), t.energy_balance()
    assert b.radiated_energy[-1] == pytest.approx(c.emitted_energy, rel=1e-9)
    assert b.stored_energy == pytest.approx(t.energy, rel=1e-9, abs=1e-18)
    assert b.radiated_power == pytest.approx(
        HBAR * P.cavity_frequency * P.cavity_decay * (t.photons - P.thermal_photons), rel=1e-6, abs=1e-12)


def test_at_the_energy_minimum_most_of_the_work_is_still_in_the_cavity():
    c = simulate(P, Drive(), [0.0, 2e-6]).charging()
    b = simulate(P, Drive(), np.linspace(0.0, 2e-6, 4001)).energy_balance()
    assert c.energy_in_cavity / c.extractable_work == pytest.approx(0.94, abs=0.005)
    assert c.discharge_power == pytest.approx(0.133, rel=0.01)
    assert b.radiated_power.max() == pytest.approx(0.038, rel=0.01)


def test_a_switched_cavity_and_a_continued_trajectory_are_accounted_for():
    d = Drive(cavity_decay=Steps((4.5e-7, 6e-7), (2e6, 3e7, 1e5)))
    first = simulate(P, d, [0.0, 5e-7])
    b = simulate(P, d, np.linspace(5e-7, 9e-7, 20), initial=first).energy_balance()
    whole = simulate(P, d, np.linspace(5e-7, 9e-7, 20)).energy_balance()
    assert b.closure < 1e-8 and whole.closure < 1e-8
    assert b.radiated_energy == pytest.approx(whole.radiated_energy, rel=1e-6)


def test_readings_without_a_continuous_solution_say_so():
    shot = simulate(P.replace(molecules=1.0, thermal_photons=0.1), Drive(), [0.0, 1e-8], model="exact")
    for asked in (shot.energy_balance, shot.ergotropy, shot.ringing):
        with pytest.raises(ValueError, match="exact"):
            asked()
