"""The devices, each in its own language."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_devices.scpi_device import ScpiDevice

SCPI_ROLES = ("digitiser", "microwave", "analyser", "energy", "shutter", "timing")


@pytest.mark.parametrize("role", SCPI_ROLES)
def test_software_instruments_say_so_in_their_serial_number(desk, role):
    assert "SIMULATED" in desk.wires[role].ask("*IDN?")


def test_the_laser_says_so_in_a_register(desk):
    assert desk.pump.ask("/CPU8000/16/Serial number").startswith("SIMULATED-")


@pytest.mark.parametrize("role", SCPI_ROLES)
def test_every_declared_setting_reads_back_after_reset_and_refuses_nonsense(desk, role):
    wire = desk.wires[role]
    device: ScpiDevice = wire.device
    for command in device.commands:
        if command.kind is None:
            continue
        header = command.pattern.text.replace("[", "").replace("]", "").split("|")[0].replace("<n>", "1")
        short = "".join(c for c in header if not c.islower()).lstrip(":")
        assert wire.ask(f"{short}?") == command.kind.show(command.default), header
        wire.send(f"{short} bananas")
        error = wire.ask("LERR?" if role == "timing" else "SYST:ERR?")
        if type(command.kind).__name__ != "Text":
            assert error not in ("0", '+0,"No error"'), header


# --- EKSPLA -----------------------------------------------------------------------------------------


def test_the_laser_answers_values_with_units_and_an_end_of_text(desk):
    assert desk.pump.send("/MaxiOPG/31/WaveLength") == b"590.0nm\r\n\x03"
    assert desk.pump.send("/MaxiOPG/31/WaveLength/592.5") == b"\r\n\x03"
    assert desk.pump.ask("/MaxiOPG/31/WaveLength") == "592.5nm"


@pytest.mark.parametrize(
    ("register", "code"),
    [
        ("/M_CPU800/18/Frequency divider/5001", 11),
        ("/M_CPU800/18/Frequency divider/0", 12),
        ("/M_CPU800/18/Output Energy level/Full", 13),
        ("/M_CPU800/18/Nothing", 14),
        ("/CPU8000/16/Power/OFF", 15),
    ],
)
def test_the_laser_refuses_with_three_apostrophes(desk, register, code):
    assert desk.pump.ask(register).startswith(f"'''Error: ({code}) ")


def test_the_laser_goes_through_its_states(desk):
    laser = desk.cavity.laser
    assert laser.state() == "off"
    desk.pump.send("/M_CPU800/18/Power/ON")
    assert laser.state() == "standby"
    desk.pump.send("/M_CPU800/18/Output Energy level/max")
    assert laser.state() == "armed"
    desk.prepare()
    desk.timing.send("*TRG")
    assert laser.state() == "emitting" and laser.pulses == 1
    desk.clock.advance(2.0)
    assert laser.state() == "armed"
    desk.pump.send("/M_CPU800/18/Output Energy level/OFF")
    assert laser.state() == "standby"


def test_an_armed_laser_whose_clients_all_vanished_stops_after_two_seconds(desk):
    desk.prepare()
    desk.pump.device.close_session(desk.pump.session)
    desk.clock.advance(1.9)
    assert desk.cavity.laser.armed
    desk.clock.advance(0.2)
    assert desk.cavity.laser.state() == "standby"


def test_the_watchdog_lets_a_returning_client_keep_the_laser(desk, wire_to):
    desk.prepare()
    desk.pump.device.close_session(desk.pump.session)
    desk.clock.advance(1.0)
    wire_to(desk.pump.device)
    desk.clock.advance(5.0)
    assert desk.cavity.laser.armed


def test_an_open_interlock_latches_until_a_person_resets_it(desk):
    desk.prepare()
    assert desk.console.answer("inject interlock") == "ok"
    assert desk.pump.ask("/CPU8000/16/Power") == "FAULT"
    assert desk.pump.ask("/M_CPU800/18/Power") == "OFF"
    assert desk.pump.ask("/M_CPU800/18/Power/ON").startswith("'''Error: (17)")
    assert desk.console.answer("inject interlock severity=0") == "ok"
    assert desk.pump.ask("/M_CPU800/18/Power/ON") == ""


# --- DG645 --------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 9), st.floats(0.0, 1.0))
def test_delays_read_back_to_a_picosecond(desk_of, channel, delay):
    desk = desk_of()
    reply = desk.timing.ask(f"DLAY {channel},0,{delay:.12f};DLAY?{channel}")
    reference, found = reply.split(",")
    assert reference == "0" and float(found) == pytest.approx(delay, abs=1.1e-12)
    desk.close()


def test_the_delay_generator_answers_with_cr_lf_and_its_own_error_codes(desk):
    assert desk.timing.send("TSRC?") == b"5\r\n"
    for message, code in (
        ("TSRC 9", "10"),
        ("NOPE", "111"),
        ("DLAY 2,0", "116"),
        ("DLAY 2,0,-1", "12"),
        ("DLAY 2,2,1", "13"),
        ("LAMP 7,1", "10"),
    ):
        desk.timing.send(message)
        assert desk.timing.ask("LERR?") == code, message
    assert desk.timing.ask("LERR?") == "0"


def test_links_going_round_in_a_circle_are_refused_and_leave_the_delays_alone(desk):
    desk.timing.send("DLAY 2,4,1e-6")
    assert desk.timing.ask("LERR?") == "0"
    desk.timing.send("DLAY 4,2,1e-6")
    assert desk.timing.ask("LERR?") == "13"
    assert desk.timing.ask("DLAY?4").startswith("0,")


def test_the_internal_trigger_fires_at_its_rate_until_it_is_inhibited_or_changed(desk):
    desk.prepare()
    desk.timing.send("TRAT 10;TSRC 0")
    desk.clock.advance(1.05)
    assert desk.cavity.laser.pulses == 10
    desk.timing.send("*TRG")
    assert desk.timing.ask("LERR?") == "11"
    desk.timing.send("INHB 5")
    desk.clock.advance(1.0)
    desk.timing.send("TSRC 5;INHB 0")
    desk.clock.advance(1.0)
    assert desk.cavity.laser.pulses == 10


# --- source, analyser, energy, shutter ---------------------------------------------------------------------


def test_the_source_refuses_what_is_out_of_range(desk):
    desk.microwave.send(":POW 30 dBm")
    assert desk.microwave.ask("SYST:ERR?").startswith("-222")
    assert float(desk.microwave.ask(":POW?")) == -135.0


@pytest.mark.parametrize("offset", [-1e6, -85e3, 0.0, 85e3, 1e6])
def test_the_analyser_sees_the_reflection_of_the_cavity(desk, offset):
    frequency = desk.cavity.frequency + offset
    desk.microwave.send(f":FREQ {frequency!r} Hz;:POW -20 dBm;:OUTPUT 1;")
    desk.analyser.send(f"FREQ:CENT {frequency!r};SPAN 0;:BAND:RES 1 KHZ;:INIT:CONT OFF")
    desk.analyser.send("INIT")
    desk.clock.advance(10.0)
    quality, k = 8330.0, 0.2
    detuning = offset / desk.cavity.frequency
    reflected = abs(1.0 - 2.0 * k / (1.0 + k) / (1.0 + 2j * quality * detuning))
    level = float(desk.analyser.ask("CALC:MARK:Y?"))
    assert level == pytest.approx(-20.0 - 3.0 + 20.0 * np.log10(reflected), abs=0.02)


def test_a_spectrum_shows_the_tone_where_it_is_and_noise_elsewhere(desk):
    desk.microwave.send(":FREQ 1.4505 GHz;:POW -40 dBm;:OUTP ON")
    desk.analyser.send(
        "FREQ:CENT 1.45 GHZ;SPAN 5 MHZ;:BAND:RES 30 KHZ;:SWE:POIN 1001;:FORM REAL,32;:INIT:CONT OFF"
    )
    desk.analyser.send("INIT")
    desk.clock.advance(10.0)
    block = desk.analyser.send("TRAC? TRACE1")
    trace = np.frombuffer(block[6:-1], "<f4")
    assert len(trace) == 1001 and np.argmax(trace) == pytest.approx(600, abs=1)
    assert trace.max() == pytest.approx(-43.0, abs=0.1) and np.median(trace) < -90.0
    desk.analyser.send("CALC:MARK:MAX")
    assert float(desk.analyser.ask("CALC:MARK:X?")) == pytest.approx(1.4505e9, abs=5e3)
    desk.microwave.send(":OUTP OFF")
    desk.analyser.send("INIT")
    desk.clock.advance(10.0)
    assert np.frombuffer(desk.analyser.send("TRAC? TRACE1")[6:-1], "<f4").max() < -80.0


def test_wai_waits_for_the_sweep(desk):
    desk.analyser.send("INIT:CONT OFF;:FREQ:SPAN 0;:SWE:TIME 0.5")
    steps = desk.analyser.device.execute(desk.analyser.session, b"INIT;*OPC?")
    waiting = next(steps)
    desk.clock.advance(0.4)
    assert not waiting.done()
    desk.clock.advance(0.2)
    assert waiting.done()


def test_zero_span_triggered_by_the_bench_shows_the_burst_and_a_free_run_shows_nothing(desk):
    desk.prepare()
    desk.analyser.send(
        f"INIT:CONT OFF;:FREQ:CENT {desk.cavity.frequency!r};SPAN 0;:BAND:RES 10 MHZ;"
        ":SWE:TIME 20 US;POIN 1001;:TRIG:SOUR EXT"
    )
    desk.analyser.send("INIT")
    desk.timing.send("*TRG")
    burst = np.array(desk.analyser.ask("TRAC? TRACE1").split(","), float)
    assert -16.0 < burst.max() < -9.0
    desk.analyser.send("TRIG:SOUR IMM;:INIT")
    desk.timing.send("*TRG")
    desk.clock.advance(1.0)
    assert np.array(desk.analyser.ask("TRAC? TRACE1").split(","), float).max() < -60.0


def test_the_meter_reads_its_share_of_the_last_pulse(desk):
    assert float(desk.energy.ask("MEAS:ENER?")) == 0.0
    desk.prepare(delay=207e-6)
    desk.timing.send("*TRG")
    assert float(desk.energy.ask("MEAS:ENER?")) == pytest.approx(0.04 * 5e-3, rel=0.15)
    assert desk.energy.ask("FETC?") == desk.energy.ask("READ?")


def test_the_blade_takes_time_and_the_sensor_says_where_it_is(desk):
    assert desk.shutter.ask("SHUT:STAT?;SENS?") == "CLOS;CLOS"
    desk.shutter.send("SHUT:STAT OPEN")
    assert desk.shutter.ask("SHUT:STAT?;SENS?") == "OPEN;MOV"
    desk.clock.advance(0.1)
    assert desk.shutter.ask("SHUT:SENS?") == "OPEN"
    desk.shutter.send("*RST")
    desk.clock.advance(0.1)
    assert desk.shutter.ask("SHUT:SENS?") == "CLOS"


# --- digitiser ---------------------------------------------------------------------------------------------


def test_a_shot_is_armed_triggered_and_read(desk):
    desk.prepare()
    assert desk.digitiser.ask(":AER?;:ADER?") == "0;0"
    desk.digitiser.send(":SING")
    assert desk.digitiser.ask(":AER?") == "1" and desk.digitiser.ask(":ADER?") == "0"
    desk.timing.send("*TRG")
    assert desk.digitiser.ask("*OPC?") == "1" and desk.digitiser.ask(":ADER?") == "1"
    assert desk.digitiser.ask(":WAV:POIN?") == "20000"
    assert len(desk.digitiser.words(1)) == 20000 and desk.digitiser.ask("SYST:ERR?").startswith("+0")


def test_words_scale_to_the_centres_of_the_codes(desk):
    desk.prepare()
    words = desk.shot()[2]
    desk.digitiser.send(":WAV:SOUR CHAN2")
    increment, origin = (float(x) for x in desk.digitiser.ask(":WAV:YINC?;YOR?").split(";"))
    receiver = desk.world.receivers["burst"].replace(offset=0.7)
    assert np.allclose(words * increment + origin, receiver.volts_of(words.astype(int) + 512), atol=1e-9)
    assert float(desk.digitiser.ask(":WAV:XOR?")) == pytest.approx(-2e-6, abs=1e-12)


@pytest.mark.parametrize(("reference", "position"), [("LEFT", -2e-6), ("CENT", 18e-6), ("RIGH", 38e-6)])
def test_the_record_begins_where_the_timebase_says(desk, reference, position):
    desk.digitiser.send(f":TIM:RANG 40E-6;REF {reference};POS {position}")
    assert float(desk.digitiser.ask(":WAV:XOR?")) == pytest.approx(-2e-6, abs=1e-12)


def test_high_byte_first_and_ascii_tell_the_same(desk):
    desk.prepare()
    words = desk.shot()[1]
    desk.digitiser.send(":WAV:SOUR CHAN1;BYT MSBF")
    block = desk.digitiser.send(":WAV:DATA?")
    assert np.array_equal(np.frombuffer(block[7:-1], ">i2"), words)
    desk.digitiser.send(":WAV:FORM ASC")
    volts = np.array(desk.digitiser.ask(":WAV:DATA?").split(","), float)
    assert np.allclose(volts, words * 1.6 / 1024 + 0.8 / 1024, atol=1e-6)


def test_without_a_record_data_are_refused(desk):
    desk.digitiser.send(":WAV:DATA?")
    assert desk.digitiser.ask("SYST:ERR?").startswith("-230")
    desk.digitiser.send(":SING;:STOP;:WAV:DATA?")
    assert desk.digitiser.ask("SYST:ERR?").startswith("-230")


def test_stop_lets_go_whoever_waits_for_a_trigger(desk):
    desk.digitiser.send(":SING")
    steps = desk.digitiser.device.execute(desk.digitiser.session, b"*OPC?")
    waiting = next(steps)
    desk.digitiser.send(":STOP")
    assert waiting.done() and desk.digitiser.ask(":ADER?") == "0"
