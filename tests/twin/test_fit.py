"""One cold fit of one burst: it finds the truth, says how well, and refuses what it must."""

import numpy as np
import pytest
from fitted_shots import CARRIER, CRYSTAL, EDGE, ENVELOPE, FULL, LOG, PUMP, fitted, measured_edge, pulls, shot

from twin.fit import FREE, Verdict, fit
from twin.optical_pump import pump_drive

MANY = range(30)


@pytest.fixture(scope="module")
def campaign():
    return [fitted(i) for i in MANY]


def test_every_resolved_shot_is_fitted_cold(campaign):
    resolved = [result for record, result in campaign if record.resolved]
    assert len(resolved) >= 27
    assert all(result.verdict is Verdict.OK for result in resolved)
    assert all(0.8 < result.chi2_per_dof < 1.2 for result in resolved)


def test_pulls_are_those_of_honest_errors(campaign):
    pull = np.array([pulls(record, result) for record, result in campaign if record.resolved])
    assert np.all(np.abs(pull.mean(axis=0)) < 0.6), pull.mean(axis=0)  # 30 shots: 0.18 is one sigma
    assert np.all((pull.std(axis=0) > 0.65) & (pull.std(axis=0) < 1.4)), pull.std(axis=0)
    assert np.max(np.abs(pull)) < 4.5


def test_a_resolved_burst_determines_all_four_within_the_promised_errors(campaign):
    promised = {"collective_coupling": 0.01, "cavity_decay": 0.02, "dephasing_35": 0.04, "seed_photons": 0.20}
    for record, result in campaign:
        if record.resolved and record.peak > 150:
            assert all(result.identifiable.values())
            for name, limit in promised.items():
                assert result.sigma[name] <= limit * result.parameters[name], (record.peak, name)


def test_the_result_speaks_one_order_of_names():
    _, result = fitted(3)
    assert result.names == FREE == tuple(result.parameters) == tuple(result.sigma)
    assert result.covariance.shape == result.correlation.shape == (5, 5)
    assert np.allclose(np.sqrt(np.diag(result.covariance)), list(result.sigma.values()))
    assert np.allclose(np.diag(result.correlation), 1.0)
    assert set(result.nuisance) == {"start", "baseline"}
    assert abs(result.nuisance["start"] - EDGE) < 8e-9


def test_model_and_residuals_belong_to_the_record():
    record, result = fitted(4)
    assert result.model_volts.shape == result.residuals.shape == result.used.shape == record.volts.shape
    rebuilt = (record.volts - result.model_volts) / result.sigma_volts
    assert np.allclose(rebuilt[result.used], result.residuals[result.used])
    assert not result.used[record.time < EDGE - 20e-9].any()


def test_sigma_may_be_left_to_the_dark_samples():
    _, result = fitted(5, sigma=None)
    assert result.verdict is Verdict.OK and 0.75 < result.chi2_per_dof < 1.25


@pytest.mark.parametrize("factor", [0.65, 1.5])
def test_a_wrong_start_is_no_obstacle(factor):
    wrong = CRYSTAL.replace(coupling=CRYSTAL.coupling * factor, cavity_decay=CRYSTAL.cavity_decay / factor,
                            dephasing_35=CRYSTAL.dephasing_35 * factor)
    record, straight = fitted(6)
    _, result = fitted(6, parameters=wrong)
    assert result.verdict is Verdict.OK
    for name in FREE:
        assert result.parameters[name] == pytest.approx(straight.parameters[name], abs=straight.sigma[name])
    assert max(map(abs, pulls(record, result))) < 4


def test_a_truth_moved_by_five_per_cent_moves_the_fit_by_five_per_cent():
    drive = pump_drive(CRYSTAL, PUMP, FULL)
    import noisy_shots

    moved = CRYSTAL.replace(cavity_decay=1.05 * CRYSTAL.cavity_decay)
    record = noisy_shots.shot(moved, pump_drive(moved, PUMP, FULL), CARRIER, 9, EDGE)
    result = fit(record.time, record.volts, CRYSTAL, drive, CARRIER, sigma=record.sigma,
                 prior={"start": (EDGE, 2e-9)})
    assert result.parameters["cavity_decay"] == pytest.approx(moved.cavity_decay, rel=0.005)


def test_an_envelope_from_hardware_is_fitted_too():
    record, result = fitted(7, receiver=ENVELOPE)
    assert result.verdict is Verdict.OK and max(map(abs, pulls(record, result))) < 4.5


def test_a_log_record_is_fitted_with_its_detuning_free():
    record, result = fitted(8, receiver=LOG, free=(*FREE, "detuning"))
    assert result.verdict in (Verdict.OK, Verdict.NOT_IDENTIFIABLE)  # the detuning itself is 0 here
    assert result.parameters["cavity_decay"] == pytest.approx(record.truth["cavity_decay"], rel=0.003)
    assert result.sigma["collective_coupling"] < 1e-3 * result.parameters["collective_coupling"]


def test_model_error_widens_the_errors():
    _, plain = fitted(10)
    _, careful = fitted(10, model_error=0.02)
    assert all(careful.sigma[n] > plain.sigma[n] for n in FREE)
    assert careful.chi2_per_dof < plain.chi2_per_dof


def test_declared_model_errors_become_absolute():
    _, result = fitted(10, parameter_model_error={"cavity_decay": 0.01})
    assert result.sigma_model["cavity_decay"] == pytest.approx(0.01 * result.parameters["cavity_decay"])
    assert result.sigma_model["dephasing_35"] == 0.0


def test_a_prior_on_a_name_that_is_not_free_widens_the_others():
    fixed = tuple(n for n in FREE if n != "amplitude_scale")
    asked = (*fixed, "triplets")
    _, sure = fitted(11, free=asked)
    _, honest = fitted(11, free=asked, prior={"start": measured_edge(11), "amplitude_scale": (1.0, 0.1)})
    assert honest.sigma["triplets"] == pytest.approx(0.1 * honest.parameters["triplets"], rel=0.1)
    assert sure.sigma["triplets"] < 0.1 * honest.sigma["triplets"]
    assert honest.derived == ("triplets",) and "amplitude_scale" in honest.nuisance


def test_a_warm_start_ends_where_the_cold_one_does():
    _, cold = fitted(12)
    _, warm = fitted(12, warm=cold)
    assert warm.evaluations <= cold.evaluations
    for name in FREE:
        assert warm.parameters[name] == pytest.approx(cold.parameters[name], abs=0.1 * cold.sigma[name])


def test_gain_and_triplets_are_one_parameter():
    _, result = fitted(13, free=(*FREE, "triplets"))
    assert result.verdict is Verdict.NOT_IDENTIFIABLE
    assert not result.identifiable["triplets"] and not result.identifiable["amplitude_scale"]
    assert result.identifiable["cavity_decay"] and "triplets" not in result.parameters
    dead = result.dead_directions[0]
    assert {"triplets", "amplitude_scale"} <= set(dead)
    assert all(np.isfinite(list(result.parameters.values())))


def test_start_and_seed_are_one_parameter():
    record, drive = shot(13)
    result = fit(record.time - EDGE, record.volts, CRYSTAL, drive, CARRIER, free=(*FREE, "start"),
                 sigma=record.sigma)
    assert result.verdict is Verdict.NOT_IDENTIFIABLE
    assert not result.identifiable["start"] and not result.identifiable["seed_photons"]
    assert {"start", "seed_photons"} & set(result.dead_directions[0])
    assert "prior" in result.message


def test_start_with_a_prior_may_be_asked_for():
    _, result = fitted(13, free=(*FREE, "start"))
    assert result.verdict is Verdict.OK and abs(result.parameters["start"] - EDGE) < 4 * result.sigma["start"]


def test_what_the_burst_does_not_depend_on_is_not_quoted():
    _, result = fitted(14, free=(*FREE, "frequency_45"))
    assert not result.identifiable["frequency_45"] and "frequency_45" not in result.sigma
    assert result.verdict is Verdict.NOT_IDENTIFIABLE


def test_a_weak_burst_is_never_quoted_with_a_meaningless_error():
    for number in range(5):
        _, result = fitted(number, energy=0.022 * FULL)
        assert result.verdict in (Verdict.OK, Verdict.NOT_IDENTIFIABLE, Verdict.NO_BURST)
        assert all(result.sigma[n] < 0.4001 * result.parameters[n] for n in result.names)


@pytest.mark.parametrize("energy", [0.01, 0.012, 0.015, 0.02, 0.03, 0.1, 1.0])
def test_no_burst_is_said_of_exactly_those_below_five_sigma(energy):
    for number in range(40, 46):
        record, result = fitted(number, energy=energy * FULL)
        if record.peak < 3.0:
            assert result.verdict is Verdict.NO_BURST
        if record.peak > 8.0:
            assert result.verdict is not Verdict.NO_BURST
