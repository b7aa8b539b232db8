"""Message by message: second source, network analyser, tuner, thermometer and interlock monitor."""

import inspect
import re
import sys
from unittest.mock import MagicMock

import pytest
from pymeasure.test import expected_protocol

from instruments import InstrumentTimeout, ProtocolError, Refused
from instruments.keysight_34972a import Keysight34972A
from instruments.keysight_pna import KeysightPNA
from instruments.lakeshore_224 import LakeShore224
from instruments.srs_sg384 import SG384
from instruments.zaber_stage import ZaberStage

DRIVERS = (SG384, KeysightPNA, ZaberStage, LakeShore224, Keysight34972A)
SRS, SCPI, SHORE = ("LERR?", "0"), ("SYST:ERR?", '+0,"No error"'), ("*ESR?", "0")
IDLE = "@01 1 OK IDLE -- "

# driver, attribute, value, what sets it, what then asks whether that was right, question, answer
SETTABLE = [
    (SG384, "frequency", 1449500000.25, "FREQ 1449500000.250000", SRS, "FREQ?", "1449500000.25"),
    (SG384, "phase", -90.5, "PHAS -90.5", SRS, "PHAS?", "-90.5"),
    (SG384, "power", -12.5, "AMPR -12.50", SRS, "AMPR?", "-12.50"),
    (SG384, "output", True, "ENBR 1", SRS, "ENBR?", "1"),
    (SG384, "power_bnc", 3.0, "AMPL 3.00", SRS, "AMPL?", "3.00"),
    (SG384, "output_bnc", False, "ENBL 0", SRS, "ENBL?", "0"),
    (SG384, "modulation", True, "MODL 1", SRS, "MODL?", "1"),
    (SG384, "modulation_type", "pulse", "TYPE 4", SRS, "TYPE?", "4"),
    (SG384, "modulation_function", "external", "MFNC 5", SRS, "MFNC?", "5"),
    (SG384, "pulse_function", "external", "PFNC 5", SRS, "PFNC?", "5"),
    (SG384, "modulation_rate", 1000.0, "RATE 1000.000000", SRS, "RATE?", "1000"),
    (SG384, "modulation_depth", 40.0, "ADEP 40.0", SRS, "ADEP?", "40.0"),
    (SG384, "modulation_deviation", 1e6, "FDEV 1000000.000000", SRS, "FDEV?", "1000000"),
    (KeysightPNA, "centre", 1.4495e9, "SENS:FREQ:CENT 1449500000.000", SCPI, "SENS:FREQ:CENT?", "1449500000"),
    (KeysightPNA, "span", 8e6, "SENS:FREQ:SPAN 8000000.000", SCPI, "SENS:FREQ:SPAN?", "8000000"),
    (KeysightPNA, "points", 401, "SENS:SWE:POIN 401", SCPI, "SENS:SWE:POIN?", "+401"),
    (KeysightPNA, "bandwidth", 1e3, "SENS:BAND 1000.000", SCPI, "SENS:BAND?", "1000"),
    (KeysightPNA, "power", -20.0, "SOUR:POW -20.00", SCPI, "SOUR:POW?", "-20"),
    (KeysightPNA, "output", True, "OUTP 1", SCPI, "OUTP?", "1"),
    (KeysightPNA, "averaging", True, "SENS:AVER 1", SCPI, "SENS:AVER?", "1"),
    (KeysightPNA, "averages", 16, "SENS:AVER:COUN 16", SCPI, "SENS:AVER:COUN?", "+16"),
    (KeysightPNA, "group_count", 16, "SENS:SWE:GRO:COUN 16", SCPI, "SENS:SWE:GRO:COUN?", "+16"),
    (KeysightPNA, "sweep_mode", "hold", "SENS:SWE:MODE HOLD", SCPI, "SENS:SWE:MODE?", "HOLD"),
    (KeysightPNA, "trigger_source", "manual", "TRIG:SOUR MAN", SCPI, "TRIG:SOUR?", "MAN"),
    (KeysightPNA, "parameter", "S21", 'CALC:MEAS1:PAR "S21"', SCPI, "CALC:MEAS1:PAR?", '"S21"'),
    (KeysightPNA, "data_format", "REAL,64", "FORM REAL,64", SCPI, "FORM?", "REAL,64"),
    (KeysightPNA, "byte_order", "low", "FORM:BORD SWAP", SCPI, "FORM:BORD?", "SWAP"),
    (ZaberStage, "speed", 0.004762500, "/1 1 set maxspeed 163840", (None, IDLE + "0"), "/1 1 get maxspeed",
     IDLE + "163840"),
    (LakeShore224, "input_name", "cavity", 'INNAME A,"cavity"', SHORE, "INNAME? A", "cavity"),
]

READABLE = [
    (SG384, "gated", "MODL?", "0", False),
    (SG384, "timebase", "TIMB?", "3", "external"), (SG384, "reference_locked", "TIMB?", "1", False),
    (SG384, "next_error", "LERR?", "111", 111),
    (SG384, "simulated", "*IDN?", "SRS,SG384,s/nSIMULATED-1,1", True),
    (KeysightPNA, "sweep_time", "SENS:SWE:TIME?", "4.8E-01", 0.48),
    (KeysightPNA, "reference", "SENS:ROSC:SOUR?", "INT", "internal"),
    (KeysightPNA, "reference_locked", "SENS:ROSC:SOUR?", "EXT", True),
    (ZaberStage, "position", "/1 1 get pos", IDLE + "266667", pytest.approx(12.70002e-3, abs=1e-8)),
    (ZaberStage, "lowest", "/1 1 get limit.min", IDLE + "0", 0.0),
    (ZaberStage, "highest", "/1 1 get limit.max", IDLE + "533333", pytest.approx(25.4e-3, abs=1e-6)),
    (ZaberStage, "device_id", "/1 get deviceid", "@01 0 OK IDLE -- 50081", 50081),
    (ZaberStage, "serial_number", "/1 get system.serial", "@01 0 OK BUSY -- 45", "45"),
    (ZaberStage, "moving", "/1 1", "@01 1 OK BUSY -- 0", True),
    (ZaberStage, "moving", "/1 1", IDLE + "0", False), (LakeShore224, "status", "RDGST? A", "128", 128),
    (LakeShore224, "kelvin", "KRDG? A", "+295.0000", 295.0),
    (LakeShore224, "resistance", "SRDG? A", "+108.5700", 108.57),
    (Keysight34972A, "port", "SENS:DIG:DATA:BYTE? (@101)", "255", 255),
    (Keysight34972A, "closed", "SENS:DIG:DATA:BYTE? (@101)", "255", True),
    (Keysight34972A, "closed", "SENS:DIG:DATA:BYTE? (@101)", "127", False),
    (Keysight34972A, "open_contacts", "SENS:DIG:DATA:BYTE? (@101)", "125", ("laboratory door", "latch")),
    (Keysight34972A, "card", "SYST:CTYP? 100", "Keysight,34907A,0,2.3", "Keysight,34907A,0,2.3"),
]

OUT_OF_RANGE = [
    (SG384, "frequency", 900e3), (SG384, "frequency", 4.1e9), (SG384, "power", 17), (SG384, "output", 2),
    (SG384, "modulation_type", "IQ"), (KeysightPNA, "centre", 1.4495), (KeysightPNA, "parameter", "S12"),
    (KeysightPNA, "points", 0), (KeysightPNA, "power", 21), (ZaberStage, "speed", 1.0),
    (LakeShore224, "input_name", ""), (LakeShore224, "input_name", 'a"b'),
    (LakeShore224, "input_name", "x" * 16),
]


def ids(rows):
    return [f"{row[0].__name__}-{row[1]}" for row in rows]


@pytest.mark.parametrize(("driver", "name", "value", "message", "queue", "question", "answer"), SETTABLE,
                         ids=ids(SETTABLE))
def test_a_setting_is_sent_checked_and_read_back(driver, name, value, message, queue, question, answer):
    with expected_protocol(driver, [(message, None), queue, (question, answer)]) as instrument:
        setattr(instrument, name, value)
        found = getattr(instrument, name)
    assert found == (value if isinstance(value, str) else pytest.approx(value))


@pytest.mark.parametrize(("driver", "name", "question", "answer", "value"), READABLE, ids=ids(READABLE))
def test_a_measurement_is_asked_and_understood(driver, name, question, answer, value):
    with expected_protocol(driver, [(question, answer)]) as instrument:
        assert getattr(instrument, name) == value


@pytest.mark.parametrize(("driver", "name", "value"), OUT_OF_RANGE, ids=ids(OUT_OF_RANGE))
def test_a_value_out_of_range_is_refused_before_anything_is_sent(driver, name, value):
    with expected_protocol(driver, []) as instrument, pytest.raises(ValueError):
        setattr(instrument, name, value)


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_property_is_in_these_tables_and_says_what_it_does(driver):
    tested = {row[1] for row in (*SETTABLE, *READABLE) if row[0] is driver} | {"identity", "temperature"}
    for name, member in vars(driver).items():
        if isinstance(member, property):
            assert name in tested
            assert (member.__doc__ or "").startswith(("Get", "Set", "Control", "Measure")), name


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_is_silent_until_asked_and_says_what_it_cannot_do(driver):
    adapter = MagicMock()
    assert driver(adapter, name="mine").name == "mine"
    assert not adapter.method_calls
    assert driver.one_session is False
    assert re.search("cannot", sys.modules[driver.__module__].__doc__)


@pytest.mark.parametrize("driver", [ZaberStage, LakeShore224, Keysight34972A])
def test_what_follows_no_reference_says_so_without_asking(driver):
    with expected_protocol(driver, []) as instrument:
        assert instrument.reference_locked is None


def test_the_interlock_monitor_has_nothing_that_can_be_set():
    setters = [name for name, member in vars(Keysight34972A).items() if isinstance(member, property)
               and member.fset and inspect.signature(member.fset).parameters["set_command"].default]
    assert setters == []
    with expected_protocol(Keysight34972A, []) as monitor:
        monitor.make_safe()


# --- the second source ------------------------------------------------------------------------------


def test_the_sources_errors_have_names():
    with (expected_protocol(SG384, [("ENBR 1", None), ("LERR?", "15"), ("LERR?", "0")]) as source,
          pytest.raises(Refused, match=r"15 .no RF doubler option")):
        source.output = True


def test_the_source_is_safe_with_both_outputs_off():
    making = [("ENBR 0", None), SRS, ("ENBR?", "0"), ("ENBL 0", None), SRS, ("ENBL?", "0")]
    with expected_protocol(SG384, making) as source:
        source.make_safe()
    for type_n, bnc, safe in (("0", "0", True), ("1", "0", False), ("0", "1", False)):
        with expected_protocol(SG384, [("ENBR?", type_n), ("ENBL?", bnc)]) as source:
            assert source.verify_safe().safe is safe


def test_the_second_output_is_turned_off_even_if_the_first_refuses():
    making = [("ENBR 0", None), ("LERR?", "11"), ("LERR?", "0"), ("ENBL 0", None), SRS, ("ENBL?", "0")]
    with expected_protocol(SG384, making) as source, pytest.raises(Refused, match="illegal mode"):
        source.make_safe()


def test_settling_is_waited_for():
    with expected_protocol(SG384, [("*OPC?", "1")]) as source:
        source.settle()


# --- the tuner ----------------------------------------------------------------------------------------


LIMITS = [("/1 1 get limit.min", IDLE + "0"), ("/1 1 get limit.max", IDLE + "533333")]


def motion(at, to):
    return [("/1 1 get pos", f"{IDLE}{at}"), (f"/1 1 move abs {to}", "@01 1 OK BUSY -- 0"),
            ("/1 1 get maxspeed", "@01 1 OK BUSY -- 163840"), ("/1 1", "@01 1 OK BUSY -- 0"),
            ("/1 1", IDLE + "0")]


def test_a_position_above_is_reached_in_one_move():
    at = [("/1 1 get pos", IDLE + "100000")]
    pairs = [*LIMITS, *at, *motion(100000, 209974), ("/1 1 get pos", IDLE + "209974")]
    with expected_protocol(ZaberStage, pairs) as stage:
        assert stage.move_to(10e-3) == pytest.approx(10e-3, abs=5e-8)


def test_a_position_below_is_passed_and_approached_from_below():
    at = [("/1 1 get pos", IDLE + "300000")]
    pairs = [*LIMITS, *at, ("/1 1 get limit.min", IDLE + "0"), *motion(300000, 208924),
             *motion(208924, 209974), ("/1 1 get pos", IDLE + "209974")]
    with expected_protocol(ZaberStage, pairs) as stage:
        stage.move_to(10e-3)


@pytest.mark.parametrize("metres", [-1e-6, 0.03])
def test_a_position_beyond_the_ends_is_refused_before_it_moves(metres):
    with expected_protocol(ZaberStage, LIMITS) as stage, pytest.raises(ValueError, match="range"):
        stage.move_to(metres)


@pytest.mark.parametrize("reply", ["@01 1 RJ IDLE -- BADDATA", "@01 1 OK IDLE FS 0"])
def test_a_rejection_and_a_stall_are_heard(reply):
    with (expected_protocol(ZaberStage, [("/1 1 set maxspeed 163840", reply)]) as stage,
          pytest.raises(Refused, match=reply.replace("-", "."))):
        stage.speed = 0.0047625


def test_what_is_no_reply_is_refused():
    with (expected_protocol(ZaberStage, [("/1 1 get pos", "266667")]) as stage,
          pytest.raises(ProtocolError, match="266667")):
        stage.position  # noqa: B018 - asking is the point


def test_the_tuner_is_safe_when_it_stands_still():
    with expected_protocol(ZaberStage, [("/1 1 stop", IDLE + "0"), ("/1 1", IDLE + "0")]) as stage:
        stage.make_safe()
    for state, safe in (("IDLE", True), ("BUSY", False)):
        with expected_protocol(ZaberStage, [("/1 1", f"@01 1 OK {state} -- 0")]) as stage:
            assert stage.verify_safe().safe is safe


def test_a_stage_that_never_arrives_is_an_error():
    busy = "@01 1 OK BUSY -- 0"
    with (expected_protocol(ZaberStage, [("/1 1 stop", busy), ("/1 1", busy)]) as stage,
          pytest.raises(InstrumentTimeout, match="still moves")):
        stage.stop(patience=0.0)


# --- the thermometer ----------------------------------------------------------------------------------


def test_a_temperature_has_a_good_status():
    with expected_protocol(LakeShore224, [("RDGST? A", "000"), ("KRDG? A", "+295.0000")]) as thermometer:
        assert thermometer.temperature == 295.0


def test_an_open_sensor_is_no_temperature():
    with (expected_protocol(LakeShore224, [("RDGST? A", "128"), ("KRDG? A", "+0.0000")]) as thermometer,
          pytest.raises(ProtocolError, match="sensor out of range, or none")):
        thermometer.temperature  # noqa: B018 - asking is the point


@pytest.mark.parametrize(("events", "said"), [("32", "does not know"), ("144", "cannot carry")])
def test_the_thermometers_event_bits_are_errors(events, said):
    with (expected_protocol(LakeShore224, [("*ESR?", events), ("*ESR?", "0")]) as thermometer,
          pytest.raises(Refused, match=said)):
        thermometer.check_errors()


def test_switched_on_is_no_error_of_the_thermometer():
    with expected_protocol(LakeShore224, [("*ESR?", "128")]) as thermometer:
        assert thermometer.check_errors() == []


@pytest.mark.parametrize(("port", "found"), [
    ("255", "chain closed"), ("126", "chain open at: emergency stop, latch")])
def test_the_monitor_says_what_is_open_and_calls_itself_harmless(port, found):
    with expected_protocol(Keysight34972A, [("SENS:DIG:DATA:BYTE? (@101)", port)]) as monitor:
        report = monitor.verify_safe()
    assert (report.safe, report.found) == (True, found)
