"""Molecules that are not alike: bins against closed forms, plain NumPy and the ordinary reading."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.special import wofz

from twin import pentacene, simulate, simulate_ensemble
from twin.drive import Drive, Steps
from twin.spread import Spread

P = pentacene.Parameters()
LINE = 2 * np.pi * 0.7e6
SIGMA = LINE / (2 * np.sqrt(2 * np.log(2)))
# All molecules end in level 3, where nothing decays: a medium that absorbs and is linear to a weak probe.
QUIET = P.replace(branching=(1.0, 0.0, 0.0), triplet_decay=(0.0, 0.0, 0.0), spin_lattice_35=0.0,
                  spin_lattice_34=0.0, spin_lattice_45=0.0, dephasing_34=0.0, dephasing_45=0.0,
                  dephasing_35=4e5, cavity_decay=1e6, coupling=5e6 / np.sqrt(3e16), spontaneous_emission=0.0)
FILLED = 1.4e-6


def absorber(p, spread):
    """Every molecule in level 3, not yet coupled to the mode, at FILLED."""
    d = Drive(pump_rate=1e9, pump_off_at=1e-6)
    return simulate(p.replace(coupling=0.0), d, [FILLED], model="mean_field", spread=spread, seed_photons=0.0)


def probed(p, spread, detuning):
    """Amplitude (over -i eps) in the mode under a weak probe, after everything has settled."""
    d = Drive(pump_rate=0.0, cavity_drive=1e6, cavity_drive_detuning=detuning)
    start = absorber(p, spread)
    end = FILLED + 6e-5
    run = simulate(p, d, [end], model="mean_field", spread=spread, initial=start, rtol=1e-9)
    assert start.populations[0, 2] == pytest.approx(run.populations[0, 2], abs=1e-6)  # linear
    return run.field[0] * np.exp(1j * detuning * end) / (-1j * 1e6), start.populations[0, 2]


def response(p, s33, detuning, line):
    """1/(kappa/2 - i w + G^2 s33 <1/(Gamma + i (delta - w))>), the last by `line`(Gamma, w)."""
    g = p.collective_coupling
    return 1.0 / (0.5 * p.cavity_decay - 1j * detuning + g**2 * s33 * line(p.coherence_decay_35, detuning))


def lorentzian(gamma, w):
    return 1.0 / (gamma + 0.5 * LINE - 1j * w)


def voigt(gamma, w):
    return np.sqrt(0.5 * np.pi) / SIGMA * wofz((w + 1j * gamma) / (np.sqrt(2.0) * SIGMA))


@pytest.mark.parametrize("detuning", [0.0, 1.3e6, 5.2e6, -4e6])
@pytest.mark.parametrize(("shape", "bins", "line"),
                         [("lorentzian", 241, lorentzian), ("gaussian", 91, voigt)])
def test_the_line_shape_of_a_weak_probe_is_lorentz_or_voigt(shape, bins, line, detuning):
    found, s33 = probed(QUIET, Spread.inhomogeneous(LINE, bins, shape), detuning)
    expected = response(QUIET, s33, detuning, line)
    assert abs(found - expected) < 1e-4 * abs(expected)


def test_a_lorentzian_line_is_a_larger_chi_as_long_as_nothing_saturates():
    wide = QUIET.replace(dephasing_35=QUIET.dephasing_35 + 0.5 * LINE)
    for detuning in (0.0, 4.9e6):
        binned, _ = probed(QUIET, Spread.inhomogeneous(LINE, 241, "lorentzian"), detuning)
        single, _ = probed(wide, None, detuning)
        assert abs(binned - single) < 1e-4 * abs(single)


def test_one_bin_off_the_line_is_a_crystal_with_another_frequency():
    shift = 1.7e6
    d = Drive(pump_rate=6.2e7)
    times = np.linspace(0.0, 1e-6, 101)
    bin_ = simulate(P, d, times, model="mean_field", spread=Spread(detunings=(shift,)), rtol=1e-11)
    moved = simulate(P.replace(frequency_35=P.frequency_35 + shift), d, times, model="mean_field", rtol=1e-11)
    assert np.abs(bin_.photons - moved.photons).max() < 1e-8 * moved.photons.max()
    probe = probed(QUIET, Spread(detunings=(shift,)), 3e6)[0]
    expected = response(QUIET, 1.0, 3e6, lambda gamma, w: 1.0 / (gamma + 1j * (shift - w)))
    assert abs(probe - expected) < 1e-6 * abs(expected)  # and to the same side


@pytest.mark.parametrize(("shape", "fall"), [("gaussian", lambda t: np.exp(-0.5 * (SIGMA * t) ** 2)),
                                             ("lorentzian", lambda t: np.exp(-0.5 * LINE * t))])
def test_a_free_induction_decays_as_the_fourier_transform_of_the_line(shape, fall):
    p = QUIET.replace(coupling=0.0)
    spread = Spread.inhomogeneous(LINE, 201, shape)
    start = absorber(p, spread)
    omega, pulse = 1e10, 0.25 * np.pi / 1e10  # a quarter turn, too short for the line to matter
    d = Drive(pump_rate=0.0, rabi_35=Steps((FILLED + pulse,), (omega, 0.0)))
    for t in (1e-7, 5e-7, 1e-6):
        run = simulate(p, d, [FILLED + pulse + t], model="mean_field", spread=spread, initial=start)
        state = run.final_state
        coherence = abs(complex(np.squeeze(state["s53.re"]), np.squeeze(state["s53.im"])))
        expected = 0.5 * np.exp(-p.coherence_decay_35 * t) * fall(t)
        # Quantiles of a Lorentzian's endless wings turn out of step; equal steps of a Gaussian do not.
        assert coherence == pytest.approx(expected, abs=3e-5 if shape == "gaussian" else 3.0 / len(spread))


@given(st.lists(st.tuples(st.floats(0.0, 3.0), st.floats(0.05, 1.0)), min_size=1, max_size=7)
       .filter(lambda bins: max(r for r, _ in bins) > 0.1))
@settings(deadline=None, max_examples=15)
def test_the_collective_coupling_is_the_root_of_the_sum_of_squares_whatever_the_spread(bins):
    # A little field in an absorber swings at G sqrt(s33): a(t) = a(0) cos(G t), nothing else.
    p = QUIET.replace(dephasing_35=0.0, cavity_decay=0.0)
    spread = Spread(tuple(r for r, _ in bins), tuple(w for _, w in bins))
    kicked = simulate(p.replace(coupling=0.0), Drive(pump_rate=0.0, cavity_drive=1e8),
                      [FILLED, FILLED + 1e-9], model="mean_field", spread=spread, initial=absorber(p, spread))
    times = FILLED + 1e-9 + np.linspace(0.0, 2e-6, 21)
    run = simulate(p, Drive(pump_rate=0.0), times, model="mean_field", spread=spread, initial=kicked,
                   rtol=1e-10)
    swing = np.cos(p.collective_coupling * (times - times[0]))
    assert np.abs(run.field / run.field[0] - swing).max() < 1e-6
    # What left the mode is in the molecules: nothing else can hold it.
    held = run.photons + p.molecules * run.populations[:, 4]
    assert np.abs(held / held[0] - 1.0).max() < 1e-6


def by_hand(p, d_rate, times, spread):
    """Bins of mean-field molecules typed in plain NumPy: x' and, bin by bin, c' and five populations."""
    r, w, delta = spread.rows
    big_g, b, k = p.collective_coupling, len(r), p.triplet_decay
    pump, down = d_rate, p.spontaneous_emission
    into = [p.intersystem_crossing * share for share in p.branching]
    w35, w34, w45 = p.spin_lattice_35, p.spin_lattice_34, p.spin_lattice_45

    def right(t, z):
        x, c = z[0], z[1:1 + b]
        s1, s2, s3, s4, s5 = z[1 + b:].reshape(5, b).real
        flow = 2.0 * big_g * r * np.imag(np.conj(x) * c)  # what the mode gives to level 5
        dx = -0.5 * p.cavity_decay * x - 1j * big_g * np.sum(w * r * c)
        dc = -(p.coherence_decay_35 + 1j * delta) * c + 1j * big_g * r * x * (s5 - s3)
        ds = [-pump * (s1 - s2) + down * s2 + k[0] * s3 + k[1] * s4 + k[2] * s5,
              pump * (s1 - s2) - (down + sum(into)) * s2,
              into[0] * s2 - k[0] * s3 + w35 * (s5 - s3) + w34 * (s4 - s3) + flow,
              into[1] * s2 - k[1] * s4 + w34 * (s3 - s4) + w45 * (s5 - s4),
              into[2] * s2 - k[2] * s5 + w35 * (s3 - s5) + w45 * (s4 - s5) - flow]
        return np.concatenate(([dx], dc, np.concatenate(ds)))

    start = np.zeros(1 + 6 * b, complex)
    start[0], start[1 + b:1 + 2 * b] = np.sqrt(p.thermal_photons / p.molecules), 1.0
    z = solve_ivp(right, (0.0, times[-1]), start, method="DOP853", t_eval=times, rtol=1e-10, atol=1e-16).y
    populations = np.einsum("b,lbt->tl", w, z[1 + b:].reshape(5, b, -1).real)
    return p.molecules * np.abs(z[0]) ** 2, populations


def test_a_burst_of_unlike_molecules_is_that_of_equations_typed_by_hand():
    spread = Spread.standing_wave(3) * Spread.inhomogeneous(2 * LINE, 5) * Spread(detunings=(4e5,))
    times = np.linspace(0.0, 1.2e-6, 61)
    run = simulate(P, Drive(), times, model="mean_field", spread=spread, rtol=1e-10)
    photons, populations = by_hand(P, 6.2e7, times, spread)
    assert np.abs(run.photons - photons).max() < 1e-6 * photons.max()
    assert np.abs(run.populations - populations).max() < 1e-6


@pytest.mark.parametrize("model", ["mean_field", "stochastic"])
@pytest.mark.parametrize("drive", [Drive(), Drive(rabi_45=3e7, pump_off_at=2e-7), Drive(cavity_drive=1e12)])
def test_equal_bins_are_the_ordinary_reading(model, drive):
    times = np.linspace(0.0, 1e-6, 101)
    options = dict(model=model, seed=4) if model == "stochastic" else dict(model=model, rtol=1e-12)
    one = simulate(P, drive, times, spread=Spread(), **options)
    plain = simulate(P, drive, times, **options)
    assert np.abs(one.photons - plain.photons).max() < 1e-9 * plain.photons.max()
    assert np.abs(one.populations - plain.populations).max() < 1e-9
    if model == "mean_field":  # how one kind of molecule is shared out does not matter
        many = simulate(P, drive, times, spread=Spread((2.0,) * 3, (1.0, 5.0, 0.1)), **options)
        assert np.abs(many.photons - plain.photons).max() < 1e-9 * plain.photons.max()
        assert many.charging().maximum_energy == pytest.approx(plain.charging().maximum_energy, rel=1e-8)


@pytest.mark.parametrize("spread", [Spread.standing_wave(6), Spread.inhomogeneous(LINE, 15, "lorentzian")])
def test_unlike_molecules_emit_spontaneously_at_the_rate_of_like_ones(spread):
    # Before anything saturates only G and the response of the line count; here all starts from spin noise.
    p = P.replace(thermal_photons=0.0, cavity_decay=1e4, molecules=1e15)
    times = np.array([2e-7, 4e-7, 6e-7, 8e-7])
    mean = simulate_ensemble(p, Drive(), times, 600, seed=8, spread=spread).photons.mean(axis=0)
    chi = p.dephasing_35 + (0.5 * LINE if spread.is_detuned else 0.0)
    expected = simulate(p.replace(dephasing_35=chi), Drive(), times).photons
    print("photons of 600 shots over second order:", (mean / expected).round(3))
    assert np.all(np.abs(mean[1:] / expected[1:] - 1.0) < 0.17)  # four standard deviations


def test_a_shot_with_a_spread_belongs_to_its_seed_and_goes_on_where_it_stopped():
    spread = Spread.standing_wave(4)
    times = np.linspace(0.0, 6e-7, 13)
    shots = simulate_ensemble(P, Drive(), times, 3, seed=3, spread=spread)
    single = simulate(P, Drive(), times[::3], model="stochastic", seed=(3, 1), spread=spread)
    assert np.array_equal(shots.photons[1, ::3], single.photons)
    for model in ("stochastic", "mean_field"):
        first = simulate(P, Drive(), times[:7], model=model, seed=1, spread=spread)
        second = simulate(P, Drive(), times[6:], model=model, seed=2, spread=spread, initial=first)
        assert second.photons[0] == pytest.approx(first.photons[-1], rel=1e-9)
        assert second.populations[0] == pytest.approx(first.populations[-1], abs=1e-12)
        for other in (None, Spread.standing_wave(5)):
            with pytest.raises(ValueError, match="initial: it has 4 bins"):
                simulate(P, Drive(), times[6:], model=model, seed=2, spread=other, initial=first)
    whole = simulate(P, Drive(), times, model="mean_field", spread=spread)
    assert second.photons[-1] == pytest.approx(whole.photons[-1], rel=1e-7)


def test_readings_that_cannot_have_a_spread_say_why():
    for model, reason in (("cumulant", "correlations"), ("rate", "coherence"), ("exact", "three molecules")):
        with pytest.raises(ValueError, match=reason):
            simulate(P, Drive(), [0.0, 1e-7], model=model, spread=Spread.standing_wave())
    run = simulate(P, Drive(), [0.0, 1e-7], model="mean_field", spread=Spread.standing_wave())
    with pytest.raises(ValueError, match="no sensitivities"):
        run.sensitivity("coupling")
    with pytest.raises(TypeError, match="Spread"):
        simulate(P, Drive(), [0.0, 1e-7], model="mean_field", spread=[1.0, 2.0])


def test_a_spread_is_scaled_to_weights_of_one_and_couplings_of_root_mean_square_one():
    for spread in (Spread((1.0, 2.0), (3.0, 1.0)), Spread.standing_wave(),
                   Spread.of_field([1.0, 3.0, 2.0], 2),
                   Spread.standing_wave(5) * Spread.inhomogeneous(LINE, 7)):
        r, w, _ = spread.rows
        assert w.sum() == pytest.approx(1.0, abs=1e-12) and w @ r**2 == pytest.approx(1.0, abs=1e-12)
    r, w, _ = Spread.standing_wave(10).rows  # |sin| over a half wave: <|sin|>/rms = 2 sqrt(2)/pi
    assert w @ r == pytest.approx(2 * np.sqrt(2) / np.pi, abs=1e-9)
    assert w @ r**4 == pytest.approx(1.5, abs=1e-9)
    _, w, delta = Spread.inhomogeneous(LINE).rows
    assert w @ delta == pytest.approx(0.0, abs=1.0)
    assert np.sqrt(w @ delta**2) == pytest.approx(SIGMA, rel=1e-3)
    assert len(Spread.standing_wave(4) * Spread.inhomogeneous(LINE, 5)) == 20


@pytest.mark.parametrize("make", [
    lambda: Spread(()), lambda: Spread((0.0,)), lambda: Spread((1.0, -1.0)), lambda: Spread((1.0,), (0.0,)),
    lambda: Spread((1.0, 2.0), (1.0,)), lambda: Spread((1.0,), (1.0,), (np.nan,)), lambda: Spread("much"),
    lambda: Spread((np.inf,)), lambda: Spread.standing_wave(0), lambda: Spread.standing_wave(2.5),
    lambda: Spread.inhomogeneous(-1.0), lambda: Spread.inhomogeneous(np.nan),
    lambda: Spread.inhomogeneous(LINE, shape="gausian"),
    lambda: Spread.standing_wave(100) * Spread.standing_wave(99),
    lambda: Spread.inhomogeneous(LINE, 5000), lambda: Spread.of_field([])])
def test_a_spread_of_no_sense_is_refused(make):
    with pytest.raises(ValueError, match=r"Spread|bins|fwhm|gaussian"):
        make()
