"""Fits of the micromaser: parameters come back with honest errors, and what data leave open is said."""

import numpy as np
import pytest

from twin import micromaser
from twin.fit_result import Verdict
from twin.micromaser import Parameters, charge, fit_energy, fit_populations

INCOHERENT = Parameters(theta=0.77, q=0.31, c=0.0)
COHERENT = Parameters(theta=0.72, q=0.35, c=0.8)
TRAPPED = Parameters(theta=np.pi / 15**0.5, q=0.2, c=0.0)
WIDE = Parameters(theta=2.3, q=0.15, c=0.6 + 0.3j)
LOSSY = Parameters(theta=0.95, q=0.3, c=0.7, loss=0.05, thermal_photons=0.4)
DETUNED = Parameters(theta=0.81, q=0.25, c=0.0, detuning_ratio=-0.4)


def off(m, free, by=1.25):
    """A rough start: theta wrong by a factor, the rest somewhere."""
    elsewhere = {"q": 0.5, "c": 0.5, "loss": 0.02, "thermal_photons": 0.2, "detuning_ratio": 0.15}
    return m.replace(theta=m.theta * by, **{n: v for n, v in elsewhere.items() if n in free})


def recovered(result, m, free):
    assert result.verdict is Verdict.OK, result.message
    return [result.parameters[n] - abs(m.value(n)) for n in free]


@pytest.mark.parametrize("by", [0.72, 1.3])
@pytest.mark.parametrize("m, free, collisions", [
    (INCOHERENT, ("theta", "q"), 1000), (TRAPPED, ("theta", "q"), 300), (COHERENT, ("theta", "q", "c"), 200),
    (WIDE, ("theta", "q"), 100), (LOSSY, ("theta", "q", "loss"), 60),
    (DETUNED, ("theta", "q", "detuning_ratio"), 100)])
def test_an_energy_curve_gives_its_parameters_back_from_a_rough_start(m, free, collisions, by):
    result = fit_energy(charge(m, collisions).energy, off(m, free, by), free)
    assert recovered(result, m, free) == pytest.approx([0.0] * len(free), abs=1e-7)
    assert result.names == free and result.residuals.shape == (collisions + 1,)


@pytest.mark.parametrize("m, free, collision", [
    (INCOHERENT, ("theta", "q"), 40), (COHERENT, ("theta", "q", "c"), 25), (WIDE, ("theta", "q"), 30),
    (LOSSY, ("theta", "q", "loss"), 20)])
def test_a_photon_distribution_gives_its_parameters_back(m, free, collision):
    result = fit_populations(charge(m, collision).populations(collision), off(m, free), collision, free)
    assert recovered(result, m, free) == pytest.approx([0.0] * len(free), abs=1e-7)


def test_all_five_parameters_can_be_told_from_a_quiet_energy_curve():
    free = ("theta", "q", "c", "loss", "thermal_photons")
    result = fit_energy(charge(LOSSY, 60).energy, off(LOSSY, free, 0.9), free)
    assert recovered(result, LOSSY, free) == pytest.approx([0.0] * 5, abs=1e-6)


def pulls(fits, m, free):
    """(fits, k): errors in units of the told sigma."""
    assert all(f.verdict is Verdict.OK for f in fits), {f.message for f in fits}
    return np.array([[(f.parameters[n] - abs(m.value(n))) / f.sigma[n] for n in free] for f in fits])


@pytest.mark.parametrize("m, free, sigma", [
    (COHERENT, ("q",), 0.05), (INCOHERENT, ("theta", "q"), None)], ids=["known", "unknown"])
def test_errors_are_those_of_repeated_measurements(m, free, sigma):
    noise, truth = np.random.default_rng(11), charge(m, 40).energy
    fits = [fit_energy(truth + 0.05 * noise.standard_normal(41), m, free, sigma) for _ in range(100)]
    found = pulls(fits, m, free)
    assert np.all(np.abs(found.mean(axis=0)) < 0.3)
    assert np.all((found.std(axis=0) > 0.85) & (found.std(axis=0) < 1.15))
    assert np.mean([f.chi2_per_dof for f in fits]) == pytest.approx(1.0, abs=0.1)


def test_counted_photons_give_errors_of_repeated_countings():
    m, free, counts, noise = INCOHERENT, ("theta", "q"), 2000, np.random.default_rng(3)
    truth = charge(m, 12).populations(12)[:13]
    sigma = np.sqrt(np.maximum(truth, 1.0 / counts) / counts)
    measured = noise.multinomial(counts, truth / truth.sum(), 100) / counts
    found = pulls([fit_populations(p, m, 12, free, sigma) for p in measured], m, free)
    assert np.all(np.abs(found.mean(axis=0)) < 0.3)
    assert np.all((found.std(axis=0) > 0.85) & (found.std(axis=0) < 1.15))


def test_a_covariance_is_that_of_the_linear_problem():
    step, sigma = 1e-4, 0.03
    result = fit_energy(charge(COHERENT, 50).energy, COHERENT, ("theta", "q"), sigma)
    slopes = np.stack([(charge(COHERENT.replace(**{n: COHERENT.value(n) + step}), 50).energy
                        - charge(COHERENT.replace(**{n: COHERENT.value(n) - step}), 50).energy) / (2 * step)
                       for n in ("theta", "q")], axis=1)
    assert result.covariance == pytest.approx(np.linalg.inv(slopes.T @ slopes) * sigma**2, rel=1e-3)
    assert result.correlation[0, 1] == pytest.approx(
        result.covariance[0, 1] / (result.sigma["theta"] * result.sigma["q"]))


def test_what_was_not_measured_is_left_out():
    energies = charge(INCOHERENT, 120).energy.copy()
    energies[0] = energies[5:100:2] = np.nan
    result = fit_energy(energies, off(INCOHERENT, ("theta", "q")))
    assert recovered(result, INCOHERENT, ("theta", "q")) == pytest.approx([0.0, 0.0], abs=1e-8)
    assert not result.used[0] and not result.used[7] and result.residuals[7] == 0.0


def test_a_fit_begins_where_the_cavity_began():
    start = micromaser.thermal(0.8, 40)
    run = charge(INCOHERENT, 60, initial=start)
    result = fit_energy(run.energy, off(INCOHERENT, ("theta", "q")), initial=start)
    assert recovered(result, INCOHERENT, ("theta", "q")) == pytest.approx([0.0, 0.0], abs=1e-8)


@pytest.mark.parametrize("m, dead", [
    (COHERENT.replace(loss=0.0), "thermal_photons"), (COHERENT.replace(q=0.0, c=0.6), "c"),
    (COHERENT.replace(q=1.0, c=0.6), "c")])
def test_a_parameter_without_effect_is_left_out_and_named(m, dead):
    free = ("theta", dead) if m.q < 1.0 else (dead,)
    result = fit_energy(charge(m, 60).energy, m, free, 0.05)
    assert result.verdict is Verdict.NOT_IDENTIFIABLE and dead in result.message
    assert dead not in result.parameters and not result.identifiable[dead]
    assert result.dead_directions == [{dead: 1.0}]
    assert set(result.parameters) == set(free) - {dead}


def test_without_loss_the_thermal_photons_stay_open_and_the_loss_does_not():
    m = COHERENT.replace(loss=0.0)
    result = fit_energy(charge(m, 60).energy, m.replace(loss=0.01), ("loss", "thermal_photons"), 0.05)
    assert result.identifiable == {"loss": True, "thermal_photons": False}
    assert result.parameters["loss"] <= result.sigma["loss"] < 0.01


def test_one_energy_does_not_give_two_parameters():
    energies = charge(INCOHERENT, 1).energy
    result = fit_energy(energies, INCOHERENT, ("theta", "q"), 0.01)
    assert result.verdict is Verdict.NOT_IDENTIFIABLE and result.parameters == {}
    assert any({"theta", "q"} <= set(direction) for direction in result.dead_directions)


def test_one_energy_without_a_sigma_gives_nothing_at_all():
    result = fit_energy(charge(INCOHERENT, 1).energy, INCOHERENT, ("theta",))
    assert result.verdict is Verdict.NOT_IDENTIFIABLE and "sigma" in result.message


def test_two_angles_that_explain_the_data_equally_well_are_both_named():
    # After one collision E = (1 - q) sin^2 theta, which is the same for pi - theta.
    m = INCOHERENT.replace(theta=1.3)
    result = fit_energy(charge(m, 1).energy, m.replace(theta=1.45), ("theta",), 0.01)
    assert result.verdict is Verdict.NOT_IDENTIFIABLE and result.parameters == {}
    assert "theta = 1.3" in result.message and "theta = 1.84" in result.message


def test_the_two_sides_of_a_trap_are_told_apart_only_by_quiet_data():
    # What escapes through the trap theta = pi/sqrt(2) goes as the square of the distance from it.
    m = Parameters(theta=np.pi / 2**0.5 + 0.0084, q=0.103, c=0.0)
    p = charge(m, 30).populations(30)
    quiet = fit_populations(p, m.replace(theta=2.1), 30, ("theta", "q"))
    assert recovered(quiet, m, ("theta", "q")) == pytest.approx([0.0, 0.0], abs=1e-7)
    loud = fit_populations(p, m.replace(theta=2.1), 30, ("theta", "q"), 3e-4)
    assert loud.verdict is Verdict.NOT_IDENTIFIABLE and "theta" not in loud.parameters
    assert "theta = 2.21" in loud.message and "theta = 2.22" in loud.message


def test_data_with_less_noise_than_declared_are_no_reason_for_doubt():
    result = fit_energy(charge(INCOHERENT, 100).energy, off(INCOHERENT, ("theta", "q")), ("theta", "q"), 0.05)
    assert recovered(result, INCOHERENT, ("theta", "q")) == pytest.approx([0.0, 0.0], abs=1e-6)
    assert result.chi2_per_dof < 1e-6


def test_full_coherence_is_found_at_the_edge():
    m = COHERENT.replace(c=1.0)
    noise = np.random.default_rng(2).standard_normal(101)
    result = fit_energy(charge(m, 100).energy + 0.05 * noise, m.replace(theta=0.8, c=0.6),
                        ("theta", "q", "c"), 0.05)
    assert result.verdict is Verdict.OK
    assert abs(result.parameters["c"] - 1.0) < 3.0 * result.sigma["c"] < 0.2
    assert result.parameters["c"] <= 1.0


def test_without_coherence_the_fit_gives_a_bound():
    result = fit_energy(charge(INCOHERENT, 100).energy, INCOHERENT.replace(c=0.4), ("theta", "q", "c"), 0.02)
    assert result.parameters["c"] < result.sigma["c"] < 0.2


@pytest.mark.parametrize("sigma", [0.02, None], ids=["known", "unknown"])
def test_a_model_that_cannot_be_right_is_noticed(sigma):
    """The cavity leaks and is said not to."""
    m, noise = INCOHERENT.replace(loss=0.05), np.random.default_rng(1).standard_normal(101)
    result = fit_energy(charge(m, 100).energy + 0.02 * noise, INCOHERENT, ("theta", "q"), sigma)
    assert result.verdict is Verdict.MODEL_NOT_VALID and result.message


def test_a_curve_that_begins_one_collision_late_is_noticed():
    result = fit_energy(charge(INCOHERENT, 60).energy[1:], INCOHERENT, ("theta", "q"), 0.02)
    assert result.verdict is Verdict.MODEL_NOT_VALID


@pytest.mark.parametrize("given, words", [
    (dict(free=("thetta",)), "theta"), (dict(free=()), "free"),
    (dict(free=("theta", "coupling_ratio")), "coupling_ratio"),
    (dict(energies=[[0.0, 1.0]]), "shape"), (dict(energies=[0.0]), "energies"),
    (dict(energies=[0.0, np.inf, 1.0]), r"energies\[1\]"), (dict(energies=[0.0, np.nan, np.nan]), "measured"),
    (dict(sigma=[0.1, 0.2]), "sigma"), (dict(sigma=0.0), "sigma"), (dict(sigma=np.nan), "sigma"),
    (dict(parameters=INCOHERENT.replace(theta=0.0)), "theta = 0"),
    (dict(parameters=INCOHERENT.replace(collision="rabi"), free=("detuning_ratio",)), "detuning_ratio")])
def test_wrong_use_of_an_energy_fit_is_refused_by_name(given, words):
    settings = dict(energies=[0.0, 0.4, 0.7, 0.9], parameters=INCOHERENT, free=("theta",), sigma=0.1) | given
    with pytest.raises(ValueError, match=words):
        fit_energy(**settings)


@pytest.mark.parametrize("given, words", [
    (dict(populations=[0.6, -0.1, 0.4]), r"populations\[1\]"), (dict(populations=[0.9, 0.3]), "sum"),
    (dict(populations=0.5), "shape"), (dict(collision=0), "collision"), (dict(collision=2.5), "collision"),
    (dict(sigma=[0.1]), "sigma")])
def test_wrong_use_of_a_population_fit_is_refused_by_name(given, words):
    settings = dict(populations=[0.5, 0.3, 0.1], parameters=INCOHERENT, collision=2, free=("theta",)) | given
    with pytest.raises(ValueError, match=words):
        fit_populations(**settings)


def test_noise_may_push_a_population_below_zero():
    p = charge(INCOHERENT, 10).populations(10)[:16] + 0.005 * np.random.default_rng(8).standard_normal(16)
    assert p.min() < 0.0
    assert fit_populations(p, INCOHERENT, 10, ("theta", "q"), 0.005).verdict is Verdict.OK
