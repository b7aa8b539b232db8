"""What a fit must not believe: wrong receivers, wrong couplings, wrong models, spoilt records, nonsense."""

import time

import numpy as np
import pytest
from fitted_shots import CARRIER, CRYSTAL, EDGE, ENVELOPE, FULL, LOG, PUMP, fitted, shot
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.fit import FREE, Verdict, fit
from twin.optical_pump import pump_drive

STRONG = tuple(range(20, 28))
LASER = {"start": (EDGE, 2e-9)}


def refused(number, **changes):
    return fitted(number, lowest=0.2, **changes)[1].verdict is not Verdict.OK


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_factor_two_in_the_coupling_is_found_out(factor):
    wrong = CRYSTAL.replace(coupling=factor * CRYSTAL.coupling)
    assert all(refused(i, parameters=wrong) for i in STRONG)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_factor_two_in_the_receiver_is_found_out(factor):
    record, drive = shot(20, lowest=0.2)
    wrong = CARRIER.replace(conversion=factor * CARRIER.conversion)
    result = fit(record.time, record.volts, CRYSTAL, drive, wrong, sigma=record.sigma, prior=LASER)
    assert result.verdict is Verdict.MODEL_NOT_VALID and "amplitude_scale" in result.message


def test_a_gain_with_the_wrong_sign_is_found_out():
    record, drive = shot(20, lowest=0.2)
    wrong = CARRIER.replace(gains_db=dict(CARRIER.gains_db, attenuator=+20.0))
    result = fit(record.time, record.volts, CRYSTAL, drive, wrong, sigma=record.sigma, prior=LASER)
    assert result.verdict is not Verdict.OK


def test_a_log_detector_with_the_wrong_sign_is_found_out():
    record, drive = shot(21, receiver=LOG, lowest=0.2)
    wrong = LOG.replace(slope=-LOG.slope)
    result = fit(record.time, record.volts, CRYSTAL, drive, wrong, sigma=record.sigma, prior=LASER)
    assert result.verdict is not Verdict.OK


@pytest.mark.parametrize("saturated", [0.02, 0.1, 0.5])
def test_a_burst_squeezed_by_an_amplifier_is_refused_before_long(saturated):
    record, drive = shot(23, lowest=0.2)
    most = saturated * record.volts.max()
    squeezed = record.volts / (1.0 + np.abs(record.volts / most) ** 4) ** 0.25
    began = time.monotonic()
    result = fit(record.time, squeezed, CRYSTAL, drive, CARRIER, sigma=record.sigma, prior=LASER)
    assert time.monotonic() - began < 30.0  # it took hours, on a search gone astray to absurd rates
    assert result.verdict is Verdict.MODEL_NOT_VALID and "amplifier" in result.verdict.advice


def test_the_second_order_curve_fits_no_single_shot():
    thermal = tuple(n for n in FREE if n != "seed_photons")
    assert all(refused(i, model="cumulant", free=thermal) for i in STRONG[:3])


@pytest.mark.parametrize("number", STRONG)
def test_a_mean_field_with_the_mean_seed_fits_only_shots_that_had_it(number):
    thermal = tuple(n for n in FREE if n != "seed_photons")
    record, result = fitted(number, lowest=0.2, free=thermal)
    ratio = record.truth["seed_photons"] / CRYSTAL.thermal_photons
    if not 0.8 < ratio < 1.25:
        assert result.verdict is not Verdict.OK, ratio


def test_a_violated_prior_is_found_out():
    assert refused(22, prior={"start": (EDGE, 2e-9), "cavity_decay": (1.3 * CRYSTAL.cavity_decay, 1e4)})


def test_a_clipped_record_is_not_fitted():
    record, drive = shot(23, energy=FULL)
    small = CARRIER.replace(full_scale=0.5)
    result = fit(record.time, record.volts, CRYSTAL, drive, small, sigma=record.sigma, prior=LASER)
    assert result.verdict is Verdict.CLIPPED and result.parameters == {}


def test_a_log_detector_above_its_ceiling_is_not_fitted():
    record, drive = shot(24, energy=FULL, receiver=LOG)
    low = LOG.replace(ceiling=-30.0)
    result = fit(record.time, record.volts, CRYSTAL, drive, low, sigma=record.sigma, prior=LASER)
    assert result.verdict is Verdict.OVERLOADED


def test_a_raw_carrier_is_recognised():
    record, drive = shot(25)
    raw = record.volts * np.cos(2 * np.pi * 50e6 * record.time + 0.3)
    result = fit(record.time, raw, CRYSTAL, drive, CARRIER, sigma=record.sigma, prior=LASER)
    assert result.verdict is Verdict.MODEL_NOT_VALID and "envelope" in result.message


@pytest.mark.parametrize("changes, words", [
    (dict(free=("cavity_dekay",)), "cavity_decay"),
    (dict(free=("branching_5",)), "sum to 1"),
    (dict(free=("coupling", "collective_coupling")), "one parameter"),
    (dict(model="meanfield"), "mean_field"),
    (dict(prior={"start": (np.nan, 1e-9)}), "prior start"),
    (dict(prior={"start": (EDGE, 0.0)}), "positive sigma"),
    (dict(prior={"stat": (EDGE, 1e-9)}), "start"),
    (dict(sigma=0.0), "sigma"),
    (dict(model_error=1.5), "model_error"),
])
def test_wrong_use_is_told_by_name(changes, words):
    with pytest.raises(ValueError, match=words):
        fitted(26, **changes)


@pytest.mark.parametrize("place, name", [(0, "time"), (1, "volts")])
def test_nan_is_named(place, name):
    record, drive = shot(26)
    rows = [record.time.copy(), record.volts.copy()]
    rows[place][17] = np.nan
    with pytest.raises(ValueError, match=rf"{name}\[17\]"):
        fit(*rows, CRYSTAL, drive, CARRIER)


@settings(deadline=None, max_examples=25)
@given(kind=st.sampled_from(["noise", "step", "constant", "ramp", "spikes"]), level=st.floats(-2.0, 2.0),
       noise=st.sampled_from([0.0, 1e-6, 1e-3, 0.1]), seed=st.integers(0, 100), count=st.integers(20, 700),
       receiver=st.sampled_from([CARRIER, ENVELOPE, LOG]), given_sigma=st.booleans())
def test_garbage_gets_a_verdict(kind, level, noise, seed, count, receiver, given_sigma):
    rng = np.random.default_rng(seed)
    time = np.linspace(-1e-6, 9e-6, count)
    shapes = {"noise": 0.0 * time, "step": level * (time > 2e-6), "constant": level + 0.0 * time,
              "ramp": level * time / 1e-5, "spikes": level * (rng.random(count) < 0.05)}
    volts = shapes[kind] + noise * rng.normal(size=count)
    result = fit(time, volts, CRYSTAL, pump_drive(CRYSTAL, PUMP, FULL), receiver,
                 sigma=1e-3 if given_sigma else None, prior={"start": (0.0, 2e-9)})
    assert result.verdict is not Verdict.OK
    assert result.verdict.advice
    told = [*result.parameters.values(), *result.sigma.values(), result.chi2_per_dof, *result.residuals]
    assert np.all(np.isfinite(told))
