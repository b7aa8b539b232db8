"""What makes the virtual bench richer than the fit's model: unlike molecules, ripple, ageing, tones."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest

from mock_devices.burst import Order, compute
from mock_devices.crystal import unlike_molecules
from mock_devices.pulses import pulses_of
from mock_devices.tone import Incoming
from mock_devices.truth_log import TruthLog
from twin import simulate
from twin.bench_description import BenchFileError, parse
from twin.bench_truth import Imperfections
from twin.demodulate import quadratures
from twin.optical_pump import OpticalPump, pump_drive
from twin.pentacene import parameters
from twin.spread import Spread

P = parameters("bench_default")
LINE = 2 * math.pi * 0.7e6
TIME = -2e-6 + 2e-9 * np.arange(20000)


def rich(text: str, richness: int = 2, more: str = "") -> str:
    return text.replace("richness = 1 ", f"richness = {richness} ").replace(
        "[truth.pentacene]", f"[truth.imperfections]\n{more}\n[truth.pentacene]")


# --- unlike molecules -------------------------------------------------------------------------------------


def test_the_spread_has_the_declared_line_and_keeps_the_collective_coupling():
    spread = unlike_molecules(10, 0.7e6)
    couplings, weights, detunings = spread.rows
    assert len(set(np.round(couplings, 9))) == 10 and len(spread) < 40
    assert weights @ couplings**2 == pytest.approx(1.0)
    assert weights @ detunings == pytest.approx(0.0, abs=2e-3 * LINE)
    sigma = LINE / (2 * math.sqrt(2 * math.log(2)))
    assert math.sqrt(weights @ detunings**2) == pytest.approx(sigma, rel=0.01)
    assert unlike_molecules(1, 0.0) is None and len(unlike_molecules(10, 0.0)) == 10


@pytest.mark.parametrize(("energy", "within"), [(5e-3, 0.002), (5e-4, 0.02)])
def test_few_staggered_bins_burst_like_many(energy, within):
    times = 5e-9 * np.arange(4000)
    drive = pump_drive(P, OpticalPump(), energy)
    many = Spread.standing_wave(10) * Spread.inhomogeneous(LINE, 15)
    few, full = (simulate(P, drive, times, model="mean_field", spread=s)
                 for s in (unlike_molecules(10, 0.7e6), many))
    assert few.photons.max() == pytest.approx(full.photons.max(), rel=within)
    assert np.argmax(few.photons) == pytest.approx(np.argmax(full.photons), abs=6)


def test_richness_2_is_repeatable_and_weaker_than_the_same_bench_with_molecules_alike(desk_of, virtual_text):
    def codes(text: str, seed: int = 7) -> np.ndarray:
        desk = desk_of(text)
        desk.prepare(seed=seed)
        words = desk.shot()[1].copy()
        desk.close()
        return words

    first, again, other = codes(rich(virtual_text)), codes(rich(virtual_text)), codes(rich(virtual_text), 8)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert first.max() < 0.9 * codes(virtual_text).max()


def test_a_rich_shot_keeps_pace_with_ten_shots_a_second():
    def seconds(spread: Spread | None) -> float:
        order = Order(P, OpticalPump(), ((5e-3, 0.0),), (1, 1), 38e-6, False, spread=spread)
        compute(order)
        began = time.perf_counter()
        compute(order)
        return time.perf_counter() - began

    plain = min(seconds(None) for _ in range(3))
    assert min(seconds(unlike_molecules(10, 0.7e6)) for _ in range(3)) < 12.0 * plain


# --- ripple, ageing, jitter ---------------------------------------------------------------------------------


def test_ripple_bends_the_log_detector_and_nothing_else(desk_of, virtual_text):
    straight, bent = (desk_of(rich(virtual_text, 0, more)) for more in ("", "ripple = 1.0"))
    for desk in (straight, bent):
        desk.prepare()
    a, b = straight.shot(), bent.shot()
    assert np.array_equal(a[1], b[1]) and np.array_equal(a[2], b[2])
    decibels = (b[3].astype(float) - a[3]) * (1.6 / 1024) / -0.022
    assert 0.8 < np.abs(decibels).max() < 1.2
    for desk in (straight, bent):
        desk.close()


def test_a_cold_laser_gains_energy_until_it_is_warm(desk_of, virtual_text):
    desk = desk_of(rich(virtual_text, 0, "warm_up = 0.1"))

    def energy(seconds: float) -> float:
        return pulses_of(desk.world, 1.0, 0.0, 207e-6, (7, 0), seconds, {})[0][0]

    warm = energy(1e9)
    assert energy(0.0) == pytest.approx(0.9 * warm)
    assert energy(1200.0) == pytest.approx(warm, rel=0.006)  # settled within 20 min
    desk.close()


def test_strong_pulses_bleach_for_good_and_a_new_run_has_a_fresh_crystal(desk_of, virtual_text):
    desk = desk_of(rich(virtual_text, 0, 'bleaching = 0.3\nbleaching_fluence = "0.03J/cm2"'))
    peaks = []
    for delay in (207e-6, 180e-6):  # 5 mJ: 0.039 J/cm2 in the crystal; 1.6 mJ: below the limit
        desk.prepare(delay=delay)
        peaks.append([int(desk.shot()[1].max()) for _ in range(8)])
    desk.close()
    assert peaks[0][7] < 0.9 * peaks[0][0]
    assert min(peaks[1]) > 0.93 * max(peaks[1])


def test_the_trigger_jitters_where_it_is_declared_to(desk_of, virtual_text):
    def starts(more: str) -> float:
        text = rich(virtual_text, 0, more).replace('arrival_jitter = "0.8ns"', 'arrival_jitter = "0ns"')
        desk = desk_of(text)
        desk.prepare()
        found = [desk.world.photodiode.read(TIME, desk.shot()[2] * 1.6 / 1024 + 0.7).start for _ in range(8)]
        desk.close()
        return float(np.std(found))

    assert starts("") < 0.05e-9 and 2e-9 < starts('trigger_jitter = "5ns"') < 9e-9


@pytest.mark.parametrize("more", ["couplings = 2.5", "ripple = -1", "wobble = 1", 'warm_up = "2s"'])
def test_a_wrong_imperfection_is_told_with_its_line(virtual_text, more):
    text = rich(virtual_text, 2, more)
    line = next(n for n, found in enumerate(text.splitlines(), 1) if found == more)
    with pytest.raises(BenchFileError, match=rf"line {line}, .truth.imperfections.: .*{more.split()[0]}"):
        parse(text, "lab.toml")


def test_below_richness_2_everything_is_off_unless_it_is_asked_for():
    plain, asked, full = Imperfections().at(1), Imperfections(ripple=0.3).at(0), Imperfections().at(2)
    assert (plain.couplings, plain.line_width, plain.ripple, plain.warm_up) == (1, 0, 0, 0)
    assert (asked.ripple, asked.line_width) == (0.3, 0.0)
    assert (full.couplings, full.line_width, full.ripple) == (10, 0.7e6, 0.1)


# --- tones and phases ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("detuning", [0.0, 3e5, -2e6])
def test_a_tone_stands_in_the_dark_mode_with_its_photons_its_frequency_and_noise_about_it(detuning):
    order = Order(P, OpticalPump(), (), (3, 1), 20e-6, False, Incoming(1e8, 1e8, detuning),
                  begin=-2e-6)
    burst = compute(order)
    inside = burst.field[burst.lit:]
    assert np.mean(np.abs(inside) ** 2) == pytest.approx(1e8, rel=0.02)
    turning = np.angle(np.sum(inside[1:] * np.conj(inside[:-1]))) / 5e-9
    assert turning == pytest.approx(-detuning, abs=3e3)
    noise = inside * np.exp(1j * detuning * 5e-9 * np.arange(len(inside)))
    assert 1e2 < np.var(noise) < 2e4  # thermal: 4312 photons, a few independent values


def test_a_tone_far_off_the_mode_does_nothing(desk):
    desk.prepare()
    expected = desk.shot()[1]
    for frequency in ("1.55 GHz", "15 GHz"):
        desk.prepare()
        desk.microwave.send(f":FREQ {frequency};:POW 10 dBm;:OUTP ON")
        assert np.array_equal(desk.shot()[1], expected)


def test_a_leak_drives_a_stochastic_burst_that_comes_early_and_still_scatters(desk):
    def peaks(seed_of_run: int) -> list[int]:
        desk.prepare(seed=seed_of_run)
        return [int(np.argmax(np.abs(desk.shot()[1].astype(int)) > 60)) for _ in range(4)]

    free = peaks(7)
    desk.console.answer("inject rf_leakage severity=1e6")
    leaked = peaks(7)
    assert np.mean(leaked) < np.mean(free) - 100 and len(set(leaked)) > 1


def test_with_a_shared_reference_a_driven_record_has_the_same_phase_in_every_shot(desk_of, virtual_text):
    still = virtual_text.replace('walk = "20kHz"', 'walk = "0Hz"').replace('"2mK"', '"0K"')

    def phases(text: str) -> np.ndarray:
        desk = desk_of(text)
        desk.prepare()
        desk.timing.send("INHB 3")  # no light: the tone alone
        frequency = desk.world.parameters.frequency_35 / (2 * math.pi)
        desk.microwave.send(f":FREQ {frequency!r} Hz;:POW 0 dBm;:OUTP ON")
        found = []
        for _ in range(4):
            volts = desk.shot()[1] * 1.6 / 1024
            _, amplitude = quadratures(TIME, volts, 50e6, 50e6)
            found.append(np.mean(amplitude))
        desk.close()
        return np.angle(np.array(found) / found[0])

    assert np.abs(phases('reference = "shared"\n' + still)).max() < 0.1
    assert np.abs(phases(still)).max() > 0.5
    with pytest.raises(BenchFileError, match="line 1: reference: expected one of free, shared"):
        parse('reference = "maybe"\n' + virtual_text, "lab.toml")


def test_the_truth_of_a_driven_rich_shot_has_its_effective_seed(desk_of, virtual_text, tmp_path):
    desk = desk_of(rich(virtual_text), truth_log=TruthLog(tmp_path / "truth.jsonl"))
    desk.prepare()
    desk.console.answer("inject rf_leakage severity=1e7")
    desk.shot()
    desk.close()
    truth = json.loads((tmp_path / "truth.jsonl").read_text().splitlines()[-1])
    assert truth["faults"] == ["rf_leakage"]
    # Unlike molecules grow more slowly than the fit's model, so its seed is smaller, yet far from thermal.
    assert 1e4 < truth["parameters"]["seed_photons"] < 1e8
