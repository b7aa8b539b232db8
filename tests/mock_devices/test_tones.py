"""Waves at the cavity's loop: what comes back, how the mode rings, and what the bench's gate does."""

import dataclasses
import math

import numpy as np
import pytest

from mock_devices.burst import STEP, Order, compute
from mock_devices.tone import Incoming, Tone, held_photons
from twin import pentacene
from twin.optical_pump import OpticalPump
from twin.receiver import Receiver

P = pentacene.parameters("bench_default")
PULSE = ((3e-3, 0.2e-6),)


def order(receiver, power, detuning, pulses=(), mean_field=True, **changes):
    """An order with a tone of `power` [dBm] at the loop, `detuning` [Hz] from the mode, in the gate only."""
    mode = P.cavity_frequency / (2 * math.pi)
    tone = Tone(mode + detuning, power, on=True)
    held = held_photons(tone, True, mode, P.cavity_frequency / P.cavity_decay, receiver)
    given = {"gate": (-1e3, 1e3), "begin": -2e-6, **changes}
    return Order(P, OpticalPump(), pulses, (3, 1), 20e-6, mean_field,
                 Incoming(held, 0.0, 2 * math.pi * detuning), receiver.external_decay, **given)


def receiver_with(coupling):
    return Receiver(loaded_quality=P.cavity_frequency / P.cavity_decay, coupling_factor=coupling)


@pytest.mark.parametrize("coupling", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("detuning", [0.0, 6e4, -2e5, 6e6])
def test_what_comes_back_is_the_power_that_the_loop_reflects(coupling, detuning):
    receiver = receiver_with(coupling)
    burst = compute(order(receiver, -20.0, detuning))
    sent_back = float(receiver.port_power(np.abs(burst.leaving[-1]) ** 2))
    k, x = coupling, 2 * (P.cavity_frequency / P.cavity_decay) * detuning / (P.cavity_frequency / 2 / math.pi)
    reflection = abs(1 - 2 * k / (1 + k) / (1 + 1j * x)) ** 2
    assert sent_back == pytest.approx(1e-5 * reflection, rel=2e-3, abs=1e-15)


def test_a_tone_that_the_chains_filter_keeps_out_is_not_seen():
    assert compute(order(receiver_with(0.2), 10.0, 20e6)).reflected is None


@pytest.mark.parametrize("detuning", [0.0, 3e5])
def test_a_mode_rings_down_with_its_own_decay_once_the_gate_falls(detuning):
    burst = compute(order(receiver_with(0.2), -20.0, detuning, gate=(-1.0, 1e-6)))
    times = burst.start + STEP * np.arange(len(burst.field))
    after = times > 1.1e-6
    slope = np.polyfit(times[after], np.log(np.abs(burst.leaving[after])), 1)[0]
    assert slope == pytest.approx(-0.5 * P.cavity_decay, rel=1e-6)
    before = np.abs(burst.field[(times > 0.0) & (times < 1e-6)]) ** 2
    held = held_photons(Tone(P.cavity_frequency / 2 / math.pi + detuning, -20.0, True), True,
                        P.cavity_frequency / 2 / math.pi, P.cavity_frequency / P.cavity_decay,
                        receiver_with(0.2))
    assert np.allclose(before, held, rtol=1e-6)


@pytest.mark.parametrize("offset", [0.0, 2 * math.pi * 4e5])
def test_the_stochastic_reading_rings_as_the_closed_form_does_wherever_the_mode_is(offset):
    loud = order(receiver_with(0.2), 0.0, 1e5, gate=(-1.0, 2e-6))
    loud = dataclasses.replace(loud, parameters=P.replace(cavity_frequency=P.frequency_35 + offset))
    quiet, noisy = (compute(dataclasses.replace(loud, mean_field=reading)) for reading in (True, False))
    times = noisy.start + STEP * np.arange(len(noisy.field))
    expected = np.interp(times, quiet.start + STEP * np.arange(len(quiet.field)), np.abs(quiet.leaving))
    inside = (times > -1e-6) & (times < 8e-6) & (np.abs(times - 2e-6) > 2 * STEP)
    assert np.allclose(np.abs(noisy.leaving[inside]), expected[inside], rtol=1e-3)


@pytest.mark.parametrize("mean_field", [True, False])
def test_a_spoiled_cavity_holds_the_burst_back_until_it_is_let_go(mean_field):
    quiet = dict(pulses=PULSE, mean_field=mean_field, incoming=Incoming())
    kept = {name: getattr(order(receiver_with(0.2), -20.0, 0.0), name) for name in ("parameters", "pump")}
    free = compute(Order(**kept, stream=(3, 1), until=30e-6, **quiet))
    held = compute(Order(**kept, stream=(3, 1), until=30e-6, gate=(-1e-6, 10e-6),
                         gated_decay=P.cavity_frequency / 50, **quiet))
    first, later = (b.start + STEP * np.argmax(np.abs(b.field)) for b in (free, held))
    assert first < 5e-6 and 10e-6 < later < 25e-6
    assert 0.3 * free.peak_photons < held.peak_photons < free.peak_photons


def peak_after_a_pulse(length, rabi, away=0.0):
    """Photons at the top of the burst after a pulse on 4-5, `away` [rad/s] off its line."""
    gate = (0.4e-6, 0.4e-6 + length) if length else None
    return compute(Order(P, OpticalPump(), PULSE, (3, 1), 20e-6, True, gate=gate,
                         turning=(0.0, rabi, away))).peak_photons


def test_a_pulse_on_4_5_takes_the_burst_away_and_a_whole_turn_gives_it_back():
    rabi = 2 * math.pi * 1e6       # populations turn with 2 Omega
    free, half, whole = (peak_after_a_pulse(turns * math.pi / rabi, rabi) for turns in (0.0, 0.5, 1.0))
    assert half < 0.1 * free and whole > 0.4 * free


def test_off_its_line_a_pulse_turns_less_and_faster_as_a_two_level_system_does():
    rabi = 2 * math.pi * 1e6
    generalised = math.sqrt(2.0) * 2 * rabi     # Delta = 2 Omega: half of the transfer, sqrt(2) as fast
    free, half, whole = (peak_after_a_pulse(turn / generalised, rabi, away=2 * rabi)
                         for turn in (0.0, math.pi, 2 * math.pi))
    assert peak_after_a_pulse(0.5 * math.pi / rabi, rabi) < half < 0.8 * whole < 0.8 * free
    assert peak_after_a_pulse(0.5e-6, rabi, away=60 * rabi) > 0.97 * free
