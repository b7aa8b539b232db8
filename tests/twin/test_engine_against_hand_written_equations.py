"""Second order, rate equations and mean field against right-hand sides typed by hand (tests/oracles).

The oracles share nothing with the twin but the record of parameters. Errors are per molecule for populations
and per peak photon number for photons.
"""

import mean_field_by_hand
import nine_variables
import numpy as np
import pytest
import raw_moments
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from twin import pentacene, simulate
from twin.drive import Drive, Frame, Gaussian, Sampled, Square, Steps
from twin.problem import Problem

P = pentacene.Parameters()
CRYSTALS = st.builds(
    lambda n, g, q, detuned, chi, nth, l35, k51: P.replace(
        molecules=10.0**n, coupling=g, cavity_decay=q, cavity_frequency=P.frequency_35 + detuned,
        dephasing_35=chi, thermal_photons=nth, spin_lattice_35=l35, triplet_decay_51=k51),
    st.floats(14.5, 16.7), st.floats(0.1, 0.4), st.floats(2e5, 2e7), st.floats(-3e6, 3e6),
    st.floats(1e5, 3e6), st.floats(0.0, 1e5), st.floats(0.0, 1e5), st.floats(0.0, 1e5))


def nine(times, p, d):
    """The nine variables as the engine has them, and how many it integrates."""
    problem = Problem(p, d, "cumulant")
    variables = problem.kernel.variables
    names = {"gX.re": "g53.re", "gX.im": "g53.im", "pXY": "p35_53"}
    found = problem.run(times, variables, 1e-12).values
    columns = {v: found[:, i] for i, v in enumerate(variables)}
    zero = np.zeros(len(found))
    rows = [columns.get(names.get(v, v), zero) for v in nine_variables.NAMES]
    return np.stack(rows, axis=1), len(variables)


@settings(max_examples=12, deadline=None)
@given(CRYSTALS, st.floats(1e6, 1e8))
def test_the_undriven_engine_solves_the_nine_hand_written_equations(p, xi):
    times = np.linspace(0.0, 1.5e-6, 40)
    expected = nine_variables.solve(p, lambda t: xi, times)
    trajectory = simulate(p, Drive(pump_rate=xi), times, rtol=1e-12)
    assert np.abs(trajectory.populations - expected[:, :5]).max() < 1e-8
    photons = p.molecules * expected[:, 5]
    assert np.abs(trajectory.photons - photons).max() < 1e-8 * photons.max()
    assert np.all(trajectory.field == 0.0)


def test_the_undriven_model_costs_nine_variables_and_a_forced_full_structure_gives_the_same():
    times = np.linspace(0.0, 1.2e-6, 60)
    small, count = nine(times, P, Drive())
    assert count == 8  # nine, with the cavity on resonance: Re gX stays zero
    p = P.replace(cavity_frequency=P.frequency_35 + 4e5)
    small, count = nine(times, p, Drive())
    assert count == 9
    # Tones far too weak to matter keep every moment alive.
    weak = dict.fromkeys(("rabi_35", "rabi_45", "rabi_34"), 1e-12)
    full, count = nine(times, p, Drive(**weak, cavity_drive=1e-12 + 1e-12j))
    assert count > 80
    assert np.abs(full - small).max() < 1e-9 * np.abs(small).max(axis=0).max()
    assert np.abs(full[:, 5] - small[:, 5]).max() < 1e-9 * small[:, 5].max()
    expected = nine_variables.solve(p, lambda t: 6.2e7, times)
    assert np.abs(full[:, :5] - expected[:, :5]).max() < 1e-8
    error = np.abs(full[:, 5:] - expected[:, 5:]).max(axis=0)
    assert np.all(error < 1e-8 * np.abs(expected[:, 5:]).max(axis=0))


SHAPES = {
    "square": (Square(4e7, 1.3e-7, 4.1e-7), lambda t: 4e7 if 1.3e-7 <= t < 4.1e-7 else 0.0, (1.3e-7, 4.1e-7)),
    "steps": (Steps((2e-7, 3.5e-7), (1e7, 0.0, 9e7)),
              lambda t: 1e7 if t < 2e-7 else 0.0 if t < 3.5e-7 else 9e7, (2e-7, 3.5e-7)),
    "gaussian": (Gaussian(1.5e8, 2e-7, 3e-8),
                 lambda t: 1.5e8 * np.exp(-4 * np.log(2) * ((t - 2e-7) / 3e-8) ** 2), (1.2e-7, 2.8e-7)),
    "sampled": (Sampled(np.array([1e-7, 2e-7, 2.4e-7, 5e-7]), np.array([3e7, 9e7, 1e7, 4e7])),
                lambda t: np.interp(t, [1e-7, 2e-7, 2.4e-7, 5e-7], [3e7, 9e7, 1e7, 4e7], left=0.0, right=0.0),
                (1e-7, 2e-7, 2.4e-7, 5e-7)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_pumping_is_what_its_formula_says(shape):
    pump, formula, edges = SHAPES[shape]
    times = np.linspace(0.0, 1.2e-6, 60)
    expected = nine_variables.solve(P, formula, times, edges)
    trajectory = simulate(P, Drive(pump_rate=pump), times, rtol=1e-12)
    assert np.abs(trajectory.populations - expected[:, :5]).max() < 1e-8
    assert np.abs(trajectory.photons / P.molecules - expected[:, 5]).max() < 1e-8 * expected[:, 5].max()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gate_multiplies_every_shape(shape):
    pump, formula, edges = SHAPES[shape]
    on, off = 1.8e-7, 3.3e-7
    times = np.linspace(0.0, 8e-7, 33)
    gated = lambda t: formula(t) if on <= t < off else 0.0  # noqa: E731
    expected = nine_variables.solve(P, gated, times, (*edges, on, off))
    trajectory = simulate(P, Drive(pump_rate=pump, pump_on_at=on, pump_off_at=off), times, rtol=1e-12)
    assert np.abs(trajectory.populations - expected[:, :5]).max() < 1e-8


DRIVEN = {
    "all tones and a complex cavity drive": (
        dict(rabi_35=1e6, rabi_45=3e6, rabi_34=2e6, cavity_drive=1e9 - 5e8j), {}),
    "a hand-made frame": (
        dict(rabi_35=2e7, rabi_45=1e7, rabi_34=-4e6, cavity_drive=3e8j,
             frame=Frame(e3=-3e6, e4=7e6, e5=2e6, cavity=-4e6)),
        dict(energies=(-3e6, 7e6, 2e6), detuning=-4e6)),
    "the printed dephasing operator": (dict(rabi_35=1e5), {}),
    "one weak tone, where seeds of both kinds compete": (dict(rabi_35=100.0), {}),
}


@pytest.mark.parametrize("case", DRIVEN)
def test_driven_second_order_agrees_with_raw_moments(case):
    drive, frame = DRIVEN[case]
    p = P.replace(dephasing_operator="printed" if "printed" in case else "pure",
                  cavity_frequency=P.frequency_35 + 1e6)
    tones = {k: v for k, v in drive.items() if k != "frame"}
    times = np.linspace(0.0, 6e-7, 31)
    populations, photons, field = raw_moments.solve(p, times, 6.2e7, **tones, **frame)
    # The oracle's drive stands still in the frame; ours counts from the mode, which is detuned from it.
    standing = -frame.get("detuning", 1e6)
    trajectory = simulate(p, Drive(**drive, cavity_drive_detuning=standing), times, rtol=1e-12)
    assert np.abs(trajectory.populations - populations).max() < 1e-8
    assert np.abs(trajectory.photons - photons).max() < 1e-8 * photons.max()
    assert np.abs(trajectory.field - field).max() < 1e-8 * max(1.0, np.abs(field).max())


def test_tones_that_step_agree_with_raw_moments():
    edges = (1e-7, 2.5e-7)
    rabi = lambda t: 0.0 if t < 1e-7 else 2e7 if t < 2.5e-7 else -1e7  # noqa: E731
    eps = lambda t: 0.0 if t < 2.5e-7 else 1e10j  # noqa: E731
    times = np.linspace(0.0, 4e-7, 21)
    populations, photons, field = raw_moments.solve(P, times, 6.2e7, rabi_35=rabi, cavity_drive=eps,
                                                    edges=edges)
    d = Drive(rabi_35=Steps(edges, (0.0, 2e7, -1e7)), cavity_drive=Steps((2.5e-7,), (0.0, 1e10j)))
    trajectory = simulate(P, d, times, rtol=1e-12)
    assert np.abs(trajectory.populations - populations).max() < 1e-8
    assert np.abs(trajectory.photons - photons).max() < 1e-8 * photons.max()
    assert np.abs(trajectory.field - field).max() < 1e-8 * np.abs(field).max()


def test_the_default_accuracy_is_kept_undriven_and_with_every_tone():
    times = np.linspace(0.0, 2e-6, 101)
    for drive in (Drive(), Drive(rabi_35=1e4), Drive(rabi_35=1e8), Drive(rabi_35=1e6, rabi_45=2e7)):
        fine, plain = simulate(P, drive, times, rtol=1e-12), simulate(P, drive, times)
        assert np.abs(fine.populations - plain.populations).max() < 1e-6
        assert np.abs(fine.photons - plain.photons).max() < 1e-6 * fine.photons.max()


@settings(max_examples=6, deadline=None)
@given(CRYSTALS, st.floats(1e6, 8e7), st.floats(1.0, 1e6))
def test_the_mean_field_solves_its_hand_written_equations(p, xi, seed):
    times = np.linspace(1e-8, 9e-7, 30)
    expected = mean_field_by_hand.photons(p, lambda t: xi, (0.0,), times, seed)
    trajectory = simulate(p, Drive(pump_rate=xi), times, model="mean_field", seed_photons=seed, rtol=1e-12)
    assert np.abs(trajectory.photons - expected).max() < 1e-8 * expected.max()


def test_the_rate_equations_are_those_of_the_contract():
    p = P.replace(molecules=2e15, cavity_decay=4e7, cavity_frequency=P.frequency_35 + 2e6, dephasing_35=5e6)
    times = np.linspace(0.0, 3e-6, 50)
    xi, g, kappa, n_mol = 2e7, p.coupling, p.cavity_decay, p.molecules
    width = kappa + 2.0 * p.coherence_decay_35
    rate = 4.0 * g**2 * width / (width**2 + 4.0 * 2e6**2)
    bare = nine_variables.constants(p)

    def slope(t, z):
        full = nine_variables.slope(np.array([*z[:5], 0.0, 0.0, 0.0, 0.0]), xi, bare)[:5]
        emission = rate * ((z[4] - z[2]) * z[5] + z[4])
        full[4] -= emission
        full[2] += emission
        return [*full, -kappa * (z[5] - p.thermal_photons) + n_mol * emission]

    size = np.array([1, 1, 1, 1, 1, n_mol])
    solution = solve_ivp(slope, (0.0, times[-1]), [1.0, 0, 0, 0, 0, p.thermal_photons], method="DOP853",
                         rtol=1e-11, atol=1e-22 * size, t_eval=times)
    trajectory = simulate(p, Drive(pump_rate=xi), times, model="rate", rtol=1e-12)
    assert np.abs(trajectory.populations - solution.y[:5].T).max() < 1e-8
    assert np.abs(trajectory.photons - solution.y[5]).max() < 1e-8 * solution.y[5].max()
    assert np.all(trajectory.field == 0.0)
