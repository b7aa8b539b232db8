"""The two microwave sources without a socket: bands, options, leaks, gate, reference, settling."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mock_devices.bench_file import World
from mock_devices.clock import HandTurnedClock
from mock_devices.keysight_e8257d import KeysightE8257D
from mock_devices.srs_sg384 import SrsSG384
from mock_devices.tone import Tone, turning
from mock_devices.virtual_cavity import VirtualCavity
from twin.pentacene import Parameters
from twin.receiver import Receiver


@pytest.fixture
def cavity():
    with ThreadPoolExecutor(1) as executor:
        yield VirtualCavity(World(), HandTurnedClock(), executor)


def held(cavity, gate=False):
    incoming = cavity._incoming({})
    return incoming.high if gate else incoming.low


def on_resonance(cavity, **changes):
    return Tone(cavity.frequency, 0.0, True, **changes)


def test_a_source_takes_parameters_without_a_space_and_units(cavity, wire_to):
    wire = wire_to(SrsSG384("microwave", cavity))
    wire.send("FREQ1450000000.000000")
    assert float(wire.ask("FREQ?")) == 1.45e9
    assert float(wire.ask("FREQ 107 MHz;FREQ?")) == 107e6
    assert wire.ask("LERR?") == "0"


@pytest.mark.parametrize(("message", "number"), [
    ("FREQ 9e9", "10"), ("AMPR 17", "10"), ("WHAT 1", "111"), ("AMPR", "116"), ("AMPH 0", "15"),
    ("AMPH?", "15"), ("TYPE 6", "16"), ("ENBC 1", "14"), ("FREQ 5e9", "15"), ("AMPR 1 Hz", "118")])
def test_each_mistake_has_the_number_of_the_manual(cavity, wire_to, message, number):
    wire = wire_to(SrsSG384("microwave", cavity, options=()))
    before = dict(wire.device.settings)
    wire.send(message)
    assert [wire.ask("LERR?"), wire.ask("LERR?")] == [number, "0"]
    assert wire.device.settings == before


def test_with_its_options_the_same_generator_takes_them(cavity, wire_to):
    wire = wire_to(SrsSG384("microwave", cavity))
    wire.send("AMPH 0;TYPE 6;ENBC 1;FREQ 5e9")
    assert wire.ask("AMPH?;TYPE?;ENBC?;FREQ?;LERR?") == "0.00;6;1;5000000000;0"


@pytest.mark.parametrize(("frequency", "feeds"), [
    (107e6, True), (1.45e9, True), (500e3, False), (5e9, False)])
def test_an_output_gives_nothing_outside_its_band(cavity, wire_to, frequency, feeds):
    wire_to(SrsSG384("microwave_45", cavity)).send(f"FREQ {frequency};AMPR 0;ENBR 1")
    assert cavity.rf_on is feeds


def test_107_megahertz_in_the_coil_puts_no_photon_into_the_cavity(cavity, wire_to):
    wire_to(SrsSG384("microwave_45", cavity)).send(f"FREQ {cavity.frequency};AMPR 0;ENBR 1")
    assert held(cavity) == 0.0
    wire_to(SrsSG384("microwave", cavity)).send(f"FREQ {cavity.frequency};AMPR 0;ENBR 1")
    assert held(cavity) > 1e14


def test_what_the_cavity_does_not_reflect_is_lost_in_it():
    """Power balance on resonance: P (1 - |S11|^2) = kappa_0 n hbar omega, kappa_0 without the loop."""
    frequency, quality, coupling = 1.4495e9, 8500.0, 0.2
    receiver = Receiver(loaded_quality=quality, coupling_factor=coupling)
    with ThreadPoolExecutor(1) as executor:
        world = World(Parameters().replace(cavity_decay=2 * math.pi * frequency / quality),
                      receivers={"burst": receiver})
        cavity = VirtualCavity(world, HandTurnedClock(), executor)
        cavity.tones["microwave"] = on_resonance(cavity)
        reflected = abs(cavity.reflection(cavity.frequency)) ** 2
        inner_decay = 2 * math.pi * frequency / quality / (1 + coupling)
        stored = held(cavity) * 1.054571817e-34 * 2 * math.pi * frequency
    assert inner_decay * stored == pytest.approx(1e-3 * (1 - reflected), rel=1e-3)


def test_a_source_that_is_off_leaks_80_decibels_below_its_level(cavity, wire_to):
    wire = wire_to(KeysightE8257D("microwave", cavity))
    wire.send(f":FREQ {cavity.frequency} Hz;:POW 0 dBm;:OUTP ON")
    full = held(cavity)
    wire.send(":OUTP OFF")
    assert held(cavity) == pytest.approx(1e-8 * full)
    assert not cavity.rf_on
    wire.send(":POW -135 dBm")
    assert held(cavity) == 0.0


def test_a_detuned_tone_holds_a_lorentzian_less(cavity):
    cavity.tones["microwave"] = on_resonance(cavity)
    full = held(cavity)
    half_width = cavity.frequency / (2.0 * cavity.loaded_quality)
    cavity.tones["microwave"] = Tone(cavity.frequency + half_width, 0.0, True)
    assert held(cavity) == pytest.approx(0.5 * full, rel=1e-3)


def test_pulse_modulation_lets_the_tone_out_with_the_benchs_gate_only(cavity, wire_to):
    wire = wire_to(KeysightE8257D("microwave", cavity))
    wire.send(f":FREQ {cavity.frequency} Hz;:POW 0 dBm;:OUTP ON;:OUTP:MOD ON;:PULM:STAT ON;:PULM:SOUR EXT")
    shut, open_ = held(cavity, gate=False), held(cavity, gate=True)
    assert shut == pytest.approx(1e-8 * open_)
    wire.send(":OUTP:MOD OFF")
    assert held(cavity) == pytest.approx(open_)


def test_a_seed_through_the_gate_makes_the_burst_earlier_and_a_gate_elsewhere_does_not(desk):
    desk.prepare()
    tone = desk.microwave
    tone.send(f":FREQ {desk.cavity.frequency} Hz;:POW -30 dBm;:OUTP ON;:OUTP:MOD ON;:PULM:STAT ON")
    tone.send(":PULM:SOUR EXT")
    peaks = []
    for gate in ("DLAY 8,0,300e-6;DLAY 9,8,1e-6", "DLAY 8,0,100e-6;DLAY 9,8,200e-6"):
        desk.timing.send(gate)
        burst = np.abs(desk.shot()[1].astype(float))
        peaks.append(np.argmax(burst > 0.5 * burst.max()))
    without, with_seed = peaks
    assert with_seed < without - 100


def test_where_the_gate_spoils_the_cavity_a_source_that_waits_for_it_stays_shut(cavity, wire_to):
    cavity.gate = "cavity"
    cavity.tones["microwave"] = on_resonance(cavity, gated=True)
    shut = held(cavity, gate=True)
    cavity.tones["microwave"] = on_resonance(cavity)
    assert shut < 1e-7 * held(cavity)


@pytest.mark.parametrize(("frequency", "gated", "turns"), [
    (107e6, False, (4e6, 4e6)), (107e6, True, (0.0, 4e6)), (1.45e9, False, (0.0, 0.0))])
def test_ten_milliwatts_in_the_coil_turn_4_5_if_they_are_near_its_line(frequency, gated, turns):
    found = turning(Tone(frequency, 10.0, True, gated), True, 4e7, 2 * math.pi * 107e6)
    assert found[:2] == pytest.approx(turns)


def test_the_analyser_sees_what_the_cavity_reflects_of_a_tone(cavity):
    cavity.tones["microwave"] = on_resonance(cavity)
    coupling = cavity.world.receivers["burst"].coupling_factor
    _, level = cavity.reflected_tone()
    assert 10 ** (level / 20) == pytest.approx((1 - coupling) / (1 + coupling))


def test_more_than_it_can_level_is_told_and_not_given(cavity, wire_to):
    wire = wire_to(KeysightE8257D("microwave", cavity))
    wire.send(":POW 10 dBm;:OUTP ON")
    assert wire.ask(":STAT:QUES:POW:COND?;:STAT:QUES:COND?") == "0;0"
    wire.send(":POW 16 dBm")
    assert wire.ask(":STAT:QUES:POW:COND?;:STAT:QUES:COND?") == "2;8"
    assert cavity.tones["microwave"].level() == 14.0


def test_a_lost_reference_is_told(cavity, wire_to):
    keysight, srs = wire_to(KeysightE8257D("microwave", cavity)), wire_to(SrsSG384("microwave_45", cavity))
    question = ":ROSC:SOUR?;:STAT:QUES:FREQ:COND?"
    keysight.device.reference = srs.device.reference = True
    assert (keysight.ask(question), srs.ask("TIMB?;INSR?")) == ("EXT;0", "3;0")
    keysight.device.reference = srs.device.reference = False
    assert (keysight.ask(question), srs.ask("TIMB?;INSR?")) == ("INT;0", "1;32")
    keysight.send(":ROSC:SOUR:AUTO OFF")
    assert keysight.ask(question) == "EXT;2"


@pytest.mark.parametrize("source", [KeysightE8257D, SrsSG384])
def test_operation_is_complete_when_a_new_frequency_has_settled(cavity, wire_to, source):
    wire = wire_to(source("microwave", cavity))
    wire.send("FREQ 1.45 GHz")
    settling = wire.device.pending()
    assert settling is not None
    cavity.clock.advance(0.02)
    assert settling.done()
    assert wire.device.pending() is None
    assert wire.ask("*OPC?") == "1"
