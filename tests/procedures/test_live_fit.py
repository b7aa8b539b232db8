"""The live fit: in another process, never in the bench's way, and its death is no tragedy."""

import os
import signal
import time

import numpy as np
import pytest

from procedures import Origin, Shot, Waveform
from procedures.machinery.apparatus.bench import describe_bench
from procedures.machinery.fitting.frames import receive, send
from procedures.machinery.fitting.live_fit import LiveFit
from procedures.machinery.fitting.shot_fit import fit_shot
from procedures.machinery.records.events import ShotFitted
from twin import simulate
from twin.bench_description import without_truth

BENCH = describe_bench("virtual")


def recorded(energy, seed, number=0):
    """A shot as the declared bench records it: the fit's own mean field, noise, both channels."""
    digitiser, receiver, diode = BENCH.roles["digitiser"].options, BENCH.receivers["burst"], BENCH.photodiode
    rng = np.random.default_rng(seed)
    interval = 1.0 / digitiser["sample_rate"]
    time_axis = -digitiser["pretrigger"] + interval * np.arange(digitiser["points"])
    fine = np.linspace(0.0, time_axis[-1], 6000)
    photons = simulate(BENCH.expected.parameters, BENCH.drive(energy), fine, model="mean_field",
                       seed_photons=4000.0).photons
    photons = np.interp(time_axis - 200e-9, fine, photons, left=0.0)
    burst = receiver.carrier(receiver.volts(photons, time_axis), time_axis, 1.0)
    light = diode.volts(time_axis, energy, 200e-9) if energy else np.zeros_like(time_axis)
    records = {"burst": (burst, receiver.noise_volts, receiver.lsb, receiver.middle),
               "photodiode": (light, diode.noise_volts, diode.full_scale / 1024, diode.offset)}
    waveforms = {}
    for name, (volts, noise, lsb, middle) in records.items():
        codes = np.clip(np.floor((volts + rng.normal(0.0, noise, len(volts)) - middle) / lsb), -512, 511)
        waveforms[name] = Waveform(codes.astype(np.int16), lsb, middle + lsb / 2, time_axis[0], interval,
                                   name, 10)
    return Shot(number, "", {}, waveforms, Origin.SIMULATED)


def answers(fit, count, patience=60.0):
    found, end = [], time.monotonic() + patience
    while sum(not isinstance(a, str) for a in found) < count and time.monotonic() < end:
        found += fit.collect(0.2)
    return found


@pytest.fixture(scope="module")
def shots():
    return {0: recorded(3e-3, 1, 0), 1: recorded(3e-5, 2, 1), 2: recorded(0.0, 3, 2)}


def test_a_shot_is_fitted_from_raw_codes_to_the_declared_values(shots):
    row = fit_shot(BENCH, shots[0]).row
    assert row.verdict.name == "OK"
    for name in ("cavity_decay", "dephasing_35"):
        declared = BENCH.expected.parameters.value(name)
        assert row.parameters[name] == pytest.approx(declared, abs=5 * row.sigma[name])
    assert row.parameters["seed_photons"] == pytest.approx(4000.0, abs=5 * row.sigma["seed_photons"])
    assert row.sigma_model["cavity_decay"] == pytest.approx(0.02 * row.parameters["cavity_decay"])


def test_a_weak_pulse_gives_no_burst_and_no_pulse_a_misfire(shots):
    assert fit_shot(BENCH, shots[1]).row.verdict.name == "NO_BURST"
    assert fit_shot(BENCH, shots[2]).row.verdict.name == "MISFIRE"


def test_the_process_answers_as_the_same_fit_in_this_process_does(shots):
    fit = LiveFit(without_truth(BENCH.text), BENCH.name, shots.__getitem__)
    try:
        began = time.monotonic()
        for number in shots:
            fit.offer(number)
        assert time.monotonic() - began < 0.1  # offering never waits
        found = answers(fit, 3)
        assert [a.number for a in found] == [0, 1, 2]
        assert fit.waiting == 0
        here = fit_shot(BENCH, shots[0])
        assert found[0].row.parameters == pytest.approx(here.row.parameters, rel=1e-9)
        assert np.array_equal(found[0].data_volts, here.data_volts)
    finally:
        fit.close()


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a POSIX way to die")
def test_a_killed_fit_process_is_told_and_the_next_shots_are_fitted(shots):
    fit = LiveFit(without_truth(BENCH.text), BENCH.name, shots.__getitem__)
    try:
        fit.offer(0)
        answers(fit, 1)
        os.kill(fit.process_id, signal.SIGKILL)
        fit.offer(1)
        fit.offer(0)
        found = answers(fit, 2)
        assert [a.number for a in found if isinstance(a, ShotFitted)] == [1, 0]
        notices = [a for a in found if isinstance(a, str)]
        assert len(notices) == 1
        assert "shot 1" in notices[0]
        assert "the bench goes on" in notices[0]
    finally:
        fit.close()


def test_a_shot_that_cannot_be_fitted_is_given_up_and_the_next_is_fitted(shots):
    bad = Shot(5, "", {}, {"burst": shots[0].waveforms["burst"]}, Origin.SIMULATED, start=2e-7, energy=-1.0)
    fit = LiveFit(without_truth(BENCH.text), BENCH.name, {**shots, 5: bad}.__getitem__)
    try:
        fit.offer(5)
        fit.offer(1)
        said, number, fitted = answers(fit, 2)
        assert "shot 5 cannot be fitted" in said
        assert number == 5
        assert fitted.row.verdict.name == "NO_BURST"
    finally:
        fit.close()


@pytest.mark.skipif(os.name == "nt", reason="a process is stopped by a POSIX signal")
def test_a_fit_that_never_ends_is_given_up_and_the_next_shot_is_fitted(shots):
    fit = LiveFit(without_truth(BENCH.text), BENCH.name, shots.__getitem__)
    try:
        fit.offer(1)
        answers(fit, 1)
        os.kill(fit.process_id, signal.SIGSTOP)
        fit.patience = 0.5
        fit.offer(0)
        said, number = answers(fit, 1)
        assert said == "shot 0 was still not fitted after 0.5 s"
        assert number == 0
        fit.patience = 60.0
        fit.offer(1)
        (fitted,) = answers(fit, 1)
        assert fitted.row.verdict.name == "NO_BURST"
    finally:
        fit.close()


def test_frames_carry_numbers_and_arrays_and_refuse_anything_else(tmp_path):
    file = tmp_path / "frames"
    codes, volts = np.array([1, -5, 7], np.int16), np.array([0.5, np.nan])
    with file.open("wb") as sink:
        send(sink, {"number": 3}, codes, volts)
        send(sink, {"bad": True}, np.array([1], np.uint64))
    with file.open("rb") as source:
        header, arrays = receive(source)
        assert header == {"number": 3}
        assert np.array_equal(arrays[0], codes)
        assert np.array_equal(arrays[1], volts, equal_nan=True)
        with pytest.raises(ValueError, match="array of type"):
            receive(source)
    with file.open("rb") as source, pytest.raises(EOFError):
        source.seek(file.stat().st_size)
        receive(source)
