"""Every property of every driver, message by message, with PyMeasure's own protocol adapter."""

import re
import sys
from unittest.mock import MagicMock

import numpy as np
import pytest
from pymeasure.instruments import Channel, Instrument
from pymeasure.test import expected_protocol

from instruments import NotTaken, ProtocolError, Refused
from instruments.ekspla_nt import EksplaNT
from instruments.keysight_e8257d import KeysightE8257D
from instruments.keysight_infiniium import KeysightInfiniium
from instruments.keysight_infiniivision import KeysightInfiniiVision
from instruments.keysight_oscilloscope import Preamble
from instruments.rohde_schwarz_fsv import RohdeSchwarzFSV
from instruments.shutter import Shutter
from instruments.srs_dg645 import DG645
from instruments.thorlabs_pm100 import ThorlabsPM100

DRIVERS = (EksplaNT, DG645, KeysightE8257D, RohdeSchwarzFSV, KeysightInfiniium, KeysightInfiniiVision,
           ThorlabsPM100, Shutter)
QUEUE = {DG645: (b"LERR?", b"0"), EksplaNT: (None, b"")}
NO_ERROR = (b"SYST:ERR?", b'+0,"No error"')

# driver, attribute (a dot leads into a channel), value, message that sets it, question, answer to it
SETTABLE = [
    (DG645, "trigger_source", "single", "TSRC 5", "TSRC?", "5"),
    (DG645, "repetition_rate", 10.0, "TRAT 10.000000", "TRAT?", "10.000000"),
    (DG645, "trigger_level", 1.0, "TLVL 1.000", "TLVL?", "+1.00"),
    (DG645, "inhibited", "AB CD EF GH", "INHB 5", "INHB?", "5"),
    (DG645, "burst_mode", False, "BURM 0", "BURM?", "0"),
    (DG645, "burst_count", 100, "BURC 100", "BURC?", "100"),
    (DG645, "burst_period", 1e-3, "BURP 0.001000000", "BURP?", "0.001000000"),
    (DG645, "burst_delay", 2e-6, "BURD 0.000002000000", "BURD?", "0.000002000000"),
    (DG645, "advanced_trigger", True, "ADVT 1", "ADVT?", "1"),
    (DG645, "holdoff", 0.5, "HOLD 0.500000000", "HOLD?", "+0.500000000000"),
    (DG645, "edge_4.delay", (2, 2.1e-4), "DLAY 4,2,0.000210000000", "DLAY?4", "2,+0.000210000000"),
    (DG645, "edge_4.link", 2, "LINK 4,2", "LINK?4", "2"),
    (DG645, "output_1.amplitude", 2.5, "LAMP 1,2.500", "LAMP?1", "2.50"),
    (DG645, "output_1.offset", -1.0, "LOFF 1,-1.000", "LOFF?1", "-1.00"),
    (DG645, "output_1.polarity", "positive", "LPOL 1,1", "LPOL?1", "1"),
    (EksplaNT, "propagation", True, "/M_CPU800/18/Power/ON", "/M_CPU800/18/Power", "ON"),
    (EksplaNT, "energy_level", "MAX", "/M_CPU800/18/Output Energy level/MAX",
     "/M_CPU800/18/Output Energy level", "MAX"),
    (EksplaNT, "mode", "Continuous", "/M_CPU800/18/Continuous %2F Burst mode %2F Trigger burst/Continuous",
     "/M_CPU800/18/Continuous %2F Burst mode %2F Trigger burst", "Continuous"),
    (EksplaNT, "frequency_divider", 2, "/M_CPU800/18/Frequency divider/2",
     "/M_CPU800/18/Frequency divider", "2"),
    (EksplaNT, "burst_length", 7, "/M_CPU800/18/Burst length/7", "/M_CPU800/18/Burst length", "7"),
    (EksplaNT, "wavelength", 590e-9, "/MaxiOPG/31/WaveLength/590.00", "/MaxiOPG/31/WaveLength", "590.0nm"),
    (KeysightE8257D, "frequency", 1449500000.5, ":FREQ 1449500000.500 Hz;", ":FREQ?;", "+1.4495000005E+09"),
    (KeysightE8257D, "power", -12.5, ":POW -12.5 dBm;", ":POW?;", "-1.25E+01"),
    (KeysightE8257D, "output", True, ":OUTPUT 1;", ":OUTPUT?", "1"),
    (KeysightE8257D, "modulation", True, ":OUTP:MOD 1;", ":OUTP:MOD?", "1"),
    (KeysightE8257D, "pulse_source", "external", ":PULM:SOUR EXT;", ":PULM:SOUR?", "EXT"),
    (KeysightE8257D, "pulse_modulation", True, ":PULM:STAT 1;", ":PULM:STAT?", "1"),
    (RohdeSchwarzFSV, "centre", 1.4495e9, "FREQ:CENT 1449500000.000", "FREQ:CENT?", "1449500000"),
    (RohdeSchwarzFSV, "span", 0.0, "FREQ:SPAN 0.000", "FREQ:SPAN?", "0"),
    (RohdeSchwarzFSV, "resolution_bandwidth", 1e5, "BAND:RES 100000.000", "BAND:RES?", "100000"),
    (RohdeSchwarzFSV, "video_bandwidth", 1e5, "BAND:VID 100000.000", "BAND:VID?", "100000"),
    (RohdeSchwarzFSV, "sweep_time", 1e-3, "SWE:TIME 0.001000000", "SWE:TIME?", "0.001"),
    (RohdeSchwarzFSV, "detector", "average", "DET AVER", "DET?", "AVER"),
    (RohdeSchwarzFSV, "points", 501, "SWE:POIN 501", "SWE:POIN?", "501"),
    (RohdeSchwarzFSV, "reference_level", -10.0, "DISP:TRAC:Y:RLEV -10.00", "DISP:TRAC:Y:RLEV?", "-10"),
    (RohdeSchwarzFSV, "continuous", False, "INIT:CONT OFF", "INIT:CONT?", "0"),
    (RohdeSchwarzFSV, "trigger_source", "external", "TRIG:SOUR EXT", "TRIG:SOUR?", "EXT"),
    (KeysightInfiniium, "sample_rate", 5e8, ":ACQ:SRAT:ANAL 500000000", ":ACQ:SRAT:ANAL?", "+5.00000000E+08"),
    (KeysightInfiniium, "points", 20000, ":ACQ:POIN:ANAL 20000", ":ACQ:POIN:ANAL?", "20000"),
    (KeysightInfiniium, "mode", "real time", ":ACQ:MODE RTIM", ":ACQ:MODE?", "RTIMe"),
    (KeysightInfiniium, "timebase_range", 4e-5, ":TIM:RANG 4e-05", ":TIM:RANG?", "+4.0E-05"),
    (KeysightInfiniium, "timebase_position", -2e-6, ":TIM:POS -2e-06", ":TIM:POS?", "-2.0E-06"),
    (KeysightInfiniium, "timebase_reference", "left", ":TIM:REF LEFT", ":TIM:REF?", "LEFT"),
    (KeysightInfiniium, "trigger_mode", "EDGE", ":TRIG:MODE EDGE", ":TRIG:MODE?", "EDGE"),
    (KeysightInfiniium, "trigger_source", "AUX", ":TRIG:EDGE:SOUR AUX", ":TRIG:EDGE:SOUR?", "AUX"),
    (KeysightInfiniium, "trigger_sweep", "triggered", ":TRIG:SWE TRIG", ":TRIG:SWE?", "TRIGgered"),
    (KeysightInfiniium, "trigger_level", 1.25, ":TRIG:LEV AUX,1.25", ":TRIG:LEV? AUX", "+1.25E+00"),
    (KeysightInfiniium, "interpolation", False, ":ACQ:INT 0", ":ACQ:INT?", "0"),
    (KeysightInfiniium, "averaging", False, ":ACQ:AVER 0", ":ACQ:AVER?", "0"),
    (KeysightInfiniium, "average_count", 64, ":ACQ:AVER:COUN 64", ":ACQ:AVER:COUN?", "64"),
    (KeysightInfiniium, "bandwidth", 2e8, ":ACQ:BAND 200000000", ":ACQ:BAND?", "+2.00000000E+08"),
    (KeysightInfiniium, "segment_count", 20, ":ACQ:SEGM:COUN 20", ":ACQ:SEGM:COUN?", "20"),
    (KeysightInfiniium, "segment_index", 3, ":ACQ:SEGM:IND 3", ":ACQ:SEGM:IND?", "3"),
    (KeysightInfiniium, "all_segments", True, ":WAV:SEGM:ALL 1", ":WAV:SEGM:ALL?", "1"),
    (KeysightInfiniium, "source", 2, ":WAV:SOUR CHAN2", ":WAV:SOUR?", "CHAN2"),
    (KeysightInfiniium, "ch_3.display", True, ":CHAN3:DISP 1", ":CHAN3:DISP?", "1"),
    (KeysightInfiniium, "ch_3.full_scale", 1.6, ":CHAN3:RANG 1.6", ":CHAN3:RANG?", "+1.6E+00"),
    (KeysightInfiniium, "ch_3.scale", 0.2, ":CHAN3:SCAL 0.2", ":CHAN3:SCAL?", "+2.0E-01"),
    (KeysightInfiniium, "ch_3.offset", 1.0, ":CHAN3:OFFS 1", ":CHAN3:OFFS?", "+1.0E+00"),
    (KeysightInfiniium, "ch_3.input", "DC50", ":CHAN3:INP DC50", ":CHAN3:INP?", "DC50"),
    (KeysightInfiniiVision, "acquisition_type", "normal", ":ACQ:TYPE NORM", ":ACQ:TYPE?", "NORM"),
    (KeysightInfiniiVision, "mode", "real time", ":ACQ:MODE RTIM", ":ACQ:MODE?", "RTIM"),
    (KeysightInfiniiVision, "points", 20000, ":WAV:POIN 20000", ":WAV:POIN?", "+20000"),
    (KeysightInfiniiVision, "points_mode", "RAW", ":WAV:POIN:MODE RAW", ":WAV:POIN:MODE?", "RAW"),
    (KeysightInfiniiVision, "timebase_mode", "MAIN", ":TIM:MODE MAIN", ":TIM:MODE?", "MAIN"),
    (KeysightInfiniiVision, "timebase_range", 4e-5, ":TIM:RANG 4e-05", ":TIM:RANG?", "+4.0E-05"),
    (KeysightInfiniiVision, "timebase_position", 1.8e-5, ":TIM:POS 1.8e-05", ":TIM:POS?", "+1.8E-05"),
    (KeysightInfiniiVision, "timebase_reference", "centre", ":TIM:REF CENT", ":TIM:REF?", "CENT"),
    (KeysightInfiniiVision, "trigger_mode", "EDGE", ":TRIG:MODE EDGE", ":TRIG:MODE?", "EDGE"),
    (KeysightInfiniiVision, "trigger_source", "EXT", ":TRIG:EDGE:SOUR EXT", ":TRIG:EDGE:SOUR?", "EXT"),
    (KeysightInfiniiVision, "trigger_slope", "POS", ":TRIG:EDGE:SLOP POS", ":TRIG:EDGE:SLOP?", "POS"),
    (KeysightInfiniiVision, "trigger_sweep", "triggered", ":TRIG:SWE NORM", ":TRIG:SWE?", "NORM"),
    (KeysightInfiniiVision, "trigger_level", 1.25, ":TRIG:EDGE:LEV 1.25", ":TRIG:EDGE:LEV?", "+1.25E+00"),
    (KeysightInfiniiVision, "source", 2, ":WAV:SOUR CHAN2", ":WAV:SOUR?", "CHAN2"),
    (KeysightInfiniiVision, "ch_2.display", True, ":CHAN2:DISP 1", ":CHAN2:DISP?", "1"),
    (KeysightInfiniiVision, "ch_2.full_scale", 1.6, ":CHAN2:RANG 1.6", ":CHAN2:RANG?", "+1.6E+00"),
    (KeysightInfiniiVision, "ch_2.scale", 0.2, ":CHAN2:SCAL 0.2", ":CHAN2:SCAL?", "+2.0E-01"),
    (KeysightInfiniiVision, "ch_2.offset", 1.0, ":CHAN2:OFFS 1", ":CHAN2:OFFS?", "+1.0E+00"),
    (KeysightInfiniiVision, "ch_2.coupling", "DC", ":CHAN2:COUP DC", ":CHAN2:COUP?", "DC"),
    (KeysightInfiniiVision, "ch_2.probe", 10.0, ":CHAN2:PROB 10", ":CHAN2:PROB?", "+1.0E+01"),
    (KeysightInfiniiVision, "ch_2.bandwidth_limited", True, ":CHAN2:BWL 1", ":CHAN2:BWL?", "1"),
    (KeysightInfiniiVision, "ch_2.inverted", False, ":CHAN2:INV 0", ":CHAN2:INV?", "0"),
    (ThorlabsPM100, "wavelength", 590e-9, "SENS:CORR:WAV 590.0000", "SENS:CORR:WAV?", "5.9E+02"),
    (Shutter, "commanded", "closed", "SHUT:STAT CLOS", "SHUT:STAT?", "CLOS"),
]

READABLE = [
    (DG645, "timebase", "TIMB?", "1", "oven"), (DG645, "reference_locked", "TIMB?", "3", True),
    (DG645, "event_status", "INSR?", "5", 5), (DG645, "next_error", "LERR?", "11", 11),
    (DG645, "identity", "*IDN?", "Stanford,DG645,s/n1,1", "Stanford,DG645,s/n1,1"),
    (EksplaNT, "state", "/CPU8000/16/Power", "ON", "ON"),
    (EksplaNT, "fault_code", "/CPU8000/16/Fault code", "0", "0"),
    (EksplaNT, "display_current", "/CPU8000/16/Display Current", "19A", 19.0),
    (EksplaNT, "serial_number", "/CPU8000/16/Serial number", "PGD151", "PGD151"),
    (EksplaNT, "identity", "/CPU8000/16/Serial number", "PGD151", "EKSPLA,NT,PGD151,"),
    (EksplaNT, "simulated", "/CPU8000/16/Serial number", "SIMULATED-1", True),
    (EksplaNT, "burst_pulses_left", "/M_CPU800/18/Burst pulses to go", "3", 3),
    (EksplaNT, "q_switch_adjustment", "/M_CPU800/18/QSW Adjustment output delay", "0us", "0us"),
    (EksplaNT, "repetition_rate", "/M_CPU800/18/Repetition rate", "10Hz", 10.0),
    (EksplaNT, "synchronisation", "/M_CPU800/18/Synchronization mode", "External", "External"),
    (KeysightE8257D, "is_enabled", ":OUTPUT?", "0", False),
    (KeysightE8257D, "gated", ":OUTP:MOD?", "0", False),
    (KeysightE8257D, "reference", ":ROSC:SOUR?", "EXT", "external"),
    (KeysightE8257D, "reference_locked", ":ROSC:SOUR?", "INT", False),
    (KeysightE8257D, "frequency_status", ":STAT:QUES:FREQ:COND?", "2", 2),
    (KeysightE8257D, "power_status", ":STAT:QUES:POW:COND?", "0", 0),
    (KeysightE8257D, "levelled", ":STAT:QUES:POW:COND?", "2", False),
    (KeysightInfiniium, "armed", ":AER?", "1", True), (KeysightInfiniium, "acquired", ":ADER?", "0", False),
    (KeysightInfiniium, "segments_taken", ":WAV:SEGM:COUN?", "+20", 20),
    (KeysightInfiniium, "time_tag", ":WAV:SEGM:TTAG?", "+1.00000000E-01", 0.1),
    (KeysightInfiniium, "pretrigger", ":TIM:POS?", "-2.0E-06", 2e-6),
    (KeysightInfiniium, "ch_2.impedance", ":CHAN2:INP?", "DC50", 50.0),
    (KeysightInfiniium, "ch_2.impedance", ":CHAN2:INP?", "DC", 1e6),
    (KeysightInfiniium, "preamble", ":WAV:PRE?", "2,1,4,1,2E-9,-2E-6,0,1E-3,5E-4,0,2",
     Preamble(4, 2e-9, -2e-6, 1e-3, 5e-4)),
    (KeysightInfiniiVision, "acquisition_rate", ":ACQ:SRAT?", "+1.00E+09", 1e9),
    (KeysightInfiniiVision, "armed", ":AER?", "+1", True),
    (KeysightInfiniiVision, "acquired", ":OPER:COND?", "+40", False),
    (KeysightInfiniiVision, "acquired", ":OPER:COND?", "+32", True),
    (KeysightInfiniiVision, "preamble", ":WAV:PRE?", "+0,+0,+4,+1,+2E-9,-2E-6,+0,+1E-3,+5E-4,+128",
     Preamble(4, 2e-9, -2e-6, 1e-3, 5e-4 - 0.128)),
    (KeysightInfiniiVision, "ch_1.impedance", ":CHAN1:IMP?", "ONEM", 1e6),
    (KeysightInfiniiVision, "ch_1.impedance", ":CHAN1:IMP?", "FIFTy", 50.0),
    (KeysightInfiniium, "simulated", "*IDN?", "KEYSIGHT TECHNOLOGIES,MSOS254A,SIMULATED-1,6", True),
    (KeysightInfiniium, "simulated", "*IDN?", "KEYSIGHT TECHNOLOGIES,MSOS254A,MY1,6", False),
    (ThorlabsPM100, "energy", "MEAS:ENER?", "1.25E-04", 1.25e-4),
    (ThorlabsPM100, "power", "MEAS:POW?", "1.25E-03", 1.25e-3),
    (ThorlabsPM100, "reading", "FETC?", "1.25E-04", 1.25e-4),
    (Shutter, "sensor", "SHUT:SENS?", "MOV", "moving"),
]

OUT_OF_RANGE = [
    (DG645, "repetition_rate", 1e9), (DG645, "edge_4.link", 10), (DG645, "output_1.amplitude", 6.0),
    (DG645, "trigger_source", "never"), (EksplaNT, "energy_level", "Full"),
    (EksplaNT, "frequency_divider", 0), (EksplaNT, "wavelength", 590.0),
    (KeysightE8257D, "frequency", 1.4495), (KeysightE8257D, "power", 40),
    (RohdeSchwarzFSV, "points", 7), (RohdeSchwarzFSV, "data_format", "INT"), (Shutter, "commanded", "half"),
    (KeysightInfiniium, "ch_1.input", "DC75"), (KeysightInfiniium, "source", 5),
    (KeysightInfiniium, "segment_count", 1), (KeysightInfiniium, "average_count", 1),
    (KeysightInfiniium, "segment_index", 0), (KeysightInfiniium, "bandwidth", 1e6),
    (KeysightInfiniiVision, "ch_1.probe", 0.0), (KeysightInfiniiVision, "trigger_source", "AUX"),
    (KeysightInfiniiVision, "points", 10), (KeysightInfiniiVision, "source", 3),
    (ThorlabsPM100, "wavelength", 590),
]


def owner(instrument, path):
    channel, _, name = path.rpartition(".")
    return (getattr(instrument, channel) if channel else instrument), name


def ids(rows):
    return [f"{row[0].__name__}-{row[1]}" for row in rows]


@pytest.mark.parametrize(("driver", "path", "value", "message", "question", "answer"), SETTABLE,
                         ids=ids(SETTABLE))
def test_a_setting_is_sent_checked_and_read_back(driver, path, value, message, question, answer):
    queue = QUEUE.get(driver, NO_ERROR)
    with expected_protocol(driver, [(message, None), queue, (question, answer)]) as instrument:
        place, name = owner(instrument, path)
        setattr(place, name, value)
        found = getattr(place, name)
    assert found == (value if isinstance(value, str) else pytest.approx(value))


@pytest.mark.parametrize(("driver", "path", "question", "answer", "value"), READABLE, ids=ids(READABLE))
def test_a_measurement_is_asked_and_understood(driver, path, question, answer, value):
    with expected_protocol(driver, [(question, answer)]) as instrument:
        place, name = owner(instrument, path)
        assert getattr(place, name) == value


@pytest.mark.parametrize(("driver", "path", "value"), OUT_OF_RANGE, ids=ids(OUT_OF_RANGE))
def test_a_value_out_of_range_is_refused_before_anything_is_sent(driver, path, value):
    with expected_protocol(driver, []) as instrument, pytest.raises(ValueError):
        place, name = owner(instrument, path)
        setattr(place, name, value)


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_property_of_ours_is_in_these_tables(driver):
    tested = {row[1].rpartition(".")[2] for row in (*SETTABLE, *READABLE, *OUT_OF_RANGE) if row[0] is driver}
    computed = {"sample_rate", "pretrigger"} if driver is KeysightInfiniiVision else set()
    others = computed | {"emission", "sensor", "resource", "simulated", "identity", "reference_locked"}
    ours = {name for top in (driver, *channels_of(driver)) for cls in top.__mro__
            if cls.__module__.startswith("instruments.") for name, member in vars(cls).items()
            if isinstance(member, property)}
    assert ours - tested - others == set()


def channels_of(driver):
    return {cls for cls, _ in Instrument.get_channel_pairs(driver)}


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_property_says_what_it_does(driver):
    for cls in (driver, *channels_of(driver)):
        for name, member in vars(cls).items():
            if isinstance(member, property):
                assert (member.__doc__ or "").startswith(("Get", "Set", "Control", "Measure")), name


@pytest.mark.parametrize("driver", DRIVERS)
def test_constructing_a_driver_says_nothing_to_the_instrument(driver):
    adapter = MagicMock()
    assert driver(adapter, name="mine").name == "mine"
    assert not adapter.method_calls


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_driver_says_what_it_cannot_do(driver):
    assert re.search("cannot|It knows .* no|It measures or", sys.modules[driver.__module__].__doc__)


@pytest.mark.parametrize("driver", [d for d in DRIVERS if d not in (DG645, EksplaNT)])
def test_what_the_error_queue_says_is_an_error(driver):
    pairs = [(b"SYST:ERR?", b'-222,"Data out of range"'),
             (b"SYST:ERR?", b'-113,"Undefined header"'), NO_ERROR]
    with (expected_protocol(driver, pairs) as instrument,
          pytest.raises(Refused, match=r"-222.*Data out of range.*-113")):
        instrument.check_errors()


def test_the_delay_generators_errors_have_names():
    with (expected_protocol(DG645, [("TSRC 5", None), ("LERR?", "12"), ("LERR?", "0")]) as timing,
          pytest.raises(Refused, match=r"12 .illegal delay")):
        timing.trigger_source = "single"


def test_an_error_queue_that_answers_nonsense_is_no_empty_queue():
    with (expected_protocol(Shutter, [("SYST:ERR?", "OPEN")]) as shutter,
          pytest.raises(ProtocolError, match="OPEN")):
        shutter.check_errors()


def test_a_setting_that_was_not_taken_is_an_error():
    pairs = [(":POW 10 dBm;", None), NO_ERROR, (":POW?;", "+7.0E+00")]
    with (expected_protocol(KeysightE8257D, pairs) as source,
          pytest.raises(NotTaken, match=r"power reads back 7\.0")):
        source.put("power", 10)


def test_a_laser_that_refuses_is_heard():
    level = "/M_CPU800/18/Frequency divider/5000"
    pairs = [(level, "'''Error: (11) Violating top value limit")]
    with expected_protocol(EksplaNT, pairs) as laser, pytest.raises(Refused, match="top value limit"):
        laser.frequency_divider = 5000


def test_a_laser_with_a_fault_is_not_armed():
    pairs = [("/CPU8000/16/Power", "FAULT"), ("/CPU8000/16/Fault code", "17")]
    with expected_protocol(EksplaNT, pairs) as laser, pytest.raises(Refused, match=r"17.*no fault"):
        laser.arm()


def test_firing_sends_one_trigger_and_asks_for_errors():
    pairs = [("INSR?", "0"), ("*TRG", None), ("LERR?", "0"), ("INSR?", "5")]
    with expected_protocol(DG645, pairs) as timing:
        timing.fire()


def test_a_trigger_during_the_last_cycle_is_an_error_and_not_repeated():
    pairs = [("INSR?", "0"), ("*TRG", None), ("LERR?", "0"), ("INSR?", "2")]
    with expected_protocol(DG645, pairs) as timing, pytest.raises(Refused, match="still in progress"):
        timing.fire()


def test_a_record_is_decoded_to_codes_and_scale():
    codes = np.array([-512, 10, 2570, 511], dtype="<i2")
    preamble = '2,1,4,1,2E-9,-2E-6,0,1.5625E-3,7.8125E-4,0,2,8E-9,-2E-6,1.6,0,"22 NOV 2026"'
    pairs = [(":WAV:SOUR CHAN2;SOUR?;PRE?", f"CHAN2;{preamble}"),
             (":WAV:DATA?", b"#18" + codes.tobytes() + b"\n")]
    with expected_protocol(KeysightInfiniium, pairs) as digitiser:
        record = digitiser.read_channel(2, "photodiode")
    np.testing.assert_array_equal(record.codes, codes)
    assert (record.channel, record.start, record.interval) == ("photodiode", -2e-6, 2e-9)
    np.testing.assert_allclose(record.volts, codes * 1.5625e-3 + 7.8125e-4)


def test_a_record_of_another_length_is_refused():
    pairs = [(":WAV:SOUR CHAN1;SOUR?;PRE?", "CHAN1;2,1,4,1,1,0,0,1,0,0,2"), (":WAV:DATA?", b"#16")]
    with (expected_protocol(KeysightInfiniium, pairs) as digitiser,
          pytest.raises(ProtocolError, match="expected 8 bytes")):
        digitiser.read_channel(1)


@pytest.mark.parametrize("answer", ["2,1,4", "", "2,1,4,1,x,0,0,1,0,0,2"])
def test_a_preamble_that_is_none_is_refused(answer):
    pairs = [(":WAV:SOUR CHAN1;SOUR?;PRE?", f"CHAN1;{answer}")]
    with (expected_protocol(KeysightInfiniium, pairs) as digitiser,
          pytest.raises(ProtocolError, match="preamble")):
        digitiser.read_channel(1)


def test_the_record_of_another_channel_is_not_read():
    pairs = [(":WAV:SOUR CHAN2;SOUR?;PRE?", "CHAN1;2,1,4,1,1,0,0,1,0,0,2")]
    with (expected_protocol(KeysightInfiniium, pairs) as digitiser,
          pytest.raises(NotTaken, match="source reads back 'CHAN1'")):
        digitiser.read_channel(2)


@pytest.mark.parametrize(("driver", "forgetting"), [(KeysightInfiniium, ":AER?;:ADER?"),
                                                    (KeysightInfiniiVision, ":AER?")])
def test_arming_waits_for_the_armed_bit(driver, forgetting):
    pairs = [(forgetting, "1;1"), (":SING", None), NO_ERROR, (":AER?", "0"), (":AER?", "0"), (":AER?", "1")]
    with expected_protocol(driver, pairs) as digitiser:
        digitiser.arm()


def test_the_bytes_of_an_infiniivision_are_codes_around_the_middle_of_its_range():
    sent = bytes([1, 2, 128, 254, 255])     # 1 and 255: below and above the range
    pairs = [(":WAV:SOUR CHAN2;SOUR?;PRE?", "CHAN2;+0,+0,+5,+1,+4E-9,-2E-6,+0,+6.25E-03,+7.0E-01,+128"),
             (":WAV:DATA?", b"#800000005" + sent + b"\n")]
    with expected_protocol(KeysightInfiniiVision, pairs) as digitiser:
        record = digitiser.read_channel(2, "photodiode")
    assert record.codes.tolist() == [-128, -126, 0, 126, 127] and record.bits == 8
    assert (record.channel, record.start, record.interval) == ("photodiode", -2e-6, 4e-9)
    np.testing.assert_allclose(record.volts[2:4], [0.7, 0.7 + 126 * 6.25e-3])


def test_a_record_with_holes_is_refused():
    pairs = [(":WAV:SOUR CHAN1;SOUR?;PRE?", "CHAN1;+0,+0,+3,+1,1,0,0,1,0,+128"),
             (":WAV:DATA?", b"#13" + bytes([7, 0, 9]) + b"\n")]
    with (expected_protocol(KeysightInfiniiVision, pairs) as digitiser,
          pytest.raises(ProtocolError, match="1 holes")):
        digitiser.read_channel(1)


def test_segments_come_in_one_block_with_their_time_tags():
    codes = np.array([[1, -2, 3], [4, 2570, -6]], dtype="<i2")
    preamble = "2,1,3,1,2E-9,-2E-6,0,1.5625E-3,7.8125E-4,0,2"
    tags = [(f":ACQ:SEGM:IND {n};:WAV:SEGM:TTAG?", tag) for n, tag in ((1, "+0.0E+00"), (2, "+1.0E-01"))]
    pairs = [(":WAV:SEGM:COUN?", "2"), *tags, (":WAV:SOUR CHAN1;SOUR?;PRE?", f"CHAN1;{preamble}"),
             (":WAV:DATA?", b"#212" + codes.tobytes() + b"\n")]
    with expected_protocol(KeysightInfiniium, pairs) as digitiser:
        digitiser._names = {"burst": 1}
        first, second = digitiser.read_segments()
    assert (first.time_tag, second.time_tag) == (0.0, 0.1)
    assert [s.waveforms["burst"].codes.tolist() for s in (first, second)] == codes.tolist()


@pytest.mark.parametrize(("tags", "rows", "words"), [
    (("0", "0"), [[1, 2], [3, 4]], "segment 2 of 2"), (("0", "0.1"), [[1, 2], [1, 2]], "segment 2 of 2"),
    (("0", "soon"), [[1, 2], [3, 4]], "'soon' came as a time tag")])
def test_a_segment_that_repeats_the_one_before_it_is_refused(tags, rows, words):
    block = b"#18" + np.array(rows, dtype="<i2").tobytes() + b"\n"
    pairs = [(":WAV:SEGM:COUN?", "2")]
    pairs += [(f":ACQ:SEGM:IND {n};:WAV:SEGM:TTAG?", tag) for n, tag in enumerate(tags, 1)]
    if "soon" not in tags:
        pairs += [(":WAV:SOUR CHAN1;SOUR?;PRE?", "CHAN1;2,1,2,1,1,0,0,1,0,0,2"), (":WAV:DATA?", block)]
    with expected_protocol(KeysightInfiniium, pairs) as digitiser:
        digitiser._names = {"burst": 1}
        with pytest.raises(ProtocolError, match=words):
            digitiser.read_segments()


@pytest.mark.parametrize(("driver", "wanted", "words"), [
    (KeysightInfiniium, {"segments": 2, "averages": 2}, "cannot average segments"),
    (KeysightInfiniium, {"segments": 0}, "found 0 and 1"), (KeysightInfiniiVision, {"bits": 10}, "found 10"),
    (KeysightInfiniiVision, {"segments": 20}, "8 bits and takes 1 record")])
def test_what_a_digitiser_cannot_do_is_refused_before_anything_is_sent(driver, wanted, words):
    with expected_protocol(driver, []) as digitiser, pytest.raises(ValueError, match=words):
        digitiser.configure(250e6, 1000, 2e-6, {"burst": (1, 1.6, 0.0)}, **wanted)


def test_powers_are_averaged_in_watts_and_not_in_decibels():
    trace = np.array([-10.0] + [-1000.0] * 100, dtype="<f4")
    checked = [("FREQ:SPAN 0.000", None), NO_ERROR, ("FREQ:SPAN?", "0"),
               ("FREQ:CENT 1449500000.000", None), NO_ERROR,
               ("FREQ:CENT?", "1449500000"), ("INIT:CONT OFF", None), NO_ERROR, ("INIT:CONT?", "0"),
               ("TRIG:SOUR IMM", None), NO_ERROR, ("TRIG:SOUR?", "IMM"), ("SWE:POIN 101", None), NO_ERROR,
               ("SWE:POIN?", "101"), ("DET RMS", None), NO_ERROR, ("DET?", "RMS"),
               ("BAND:RES 100000.000", None), NO_ERROR, ("BAND:RES?", "1E5"),
               ("SWE:TIME 0.001000000", None), NO_ERROR, ("SWE:TIME?", "0.001"), ("SWE:POIN?", "101"),
               ("SWE:TIME?", "0.001"), ("INIT;*OPC?", "1"), ("FORM REAL,32", None), NO_ERROR,
               ("TRAC? TRACE1", b"#3404" + trace.tobytes() + b"\n")]
    with expected_protocol(RohdeSchwarzFSV, checked) as analyser:
        assert analyser.read_power(1.4495e9) == pytest.approx(-10 - 10 * np.log10(101), abs=1e-3)


def test_the_head_of_the_energy_meter_is_known():
    answer = '"ES220C","S1","14-Mar-2026",3,1,34'
    with expected_protocol(ThorlabsPM100, [("SYST:SENS:IDN?", answer)]) as meter:
        assert meter.sensor.name == "ES220C"
    with expected_protocol(ThorlabsPM100, [("SYST:SENS:IDN?", answer)]) as meter:
        assert meter.sensor.measures_energy


@pytest.mark.parametrize("answer", ["9.91E+37", "nan", "no reading"])
def test_no_reading_is_no_energy(answer):
    with (expected_protocol(ThorlabsPM100, [("FETC?", answer)]) as meter,
          pytest.raises(ProtocolError, match="joules")):
        meter.last_energy()


LEVEL, EMISSION, SUPPLY = "/M_CPU800/18/Output Energy level", "/M_CPU800/18/Power", "/CPU8000/16/Power"
SAFE = [
    (DG645, [("INHB 5", None), ("LERR?", "0"), ("INHB?", "5")], [("INHB?", "5")], [("INHB?", "0")]),
    (EksplaNT, [(f"{LEVEL}/OFF", ""), (LEVEL, "OFF"), (f"{EMISSION}/OFF", ""), (EMISSION, "OFF")],
     [(LEVEL, "OFF"), (SUPPLY, "ON"), (EMISSION, "OFF")], [(LEVEL, "OFF"), (SUPPLY, "ON"), (EMISSION, "ON")]),
    (EksplaNT, [(f"{LEVEL}/OFF", ""), (LEVEL, "OFF"), (f"{EMISSION}/OFF", ""), (EMISSION, "OFF")],
     [(LEVEL, "OFF"), (SUPPLY, "FAULT")], [(LEVEL, "MAX"), (SUPPLY, "ON"), (EMISSION, "OFF")]),
    (KeysightE8257D, [(":OUTPUT 0;", None), NO_ERROR, (":OUTPUT?", "0")], [(":OUTPUT?", "0")],
     [(":OUTPUT?", "1")]),
    (Shutter, [("SHUT:STAT CLOS", None), NO_ERROR, ("SHUT:STAT?", "CLOS")], [("SHUT:SENS?", "CLOS")], None),
]


@pytest.mark.parametrize(("driver", "making", "safe", "unsafe"), SAFE)
def test_the_safe_state_is_commanded_and_read_back(driver, making, safe, unsafe):
    with expected_protocol(driver, making) as instrument:
        instrument.make_safe()
    with expected_protocol(driver, safe) as instrument:
        assert instrument.verify_safe().safe is True
    if unsafe:
        with expected_protocol(driver, unsafe) as instrument:
            assert instrument.verify_safe().safe is False


def test_the_lasers_second_switch_is_tried_when_the_first_refuses():
    pairs = [("/M_CPU800/18/Output Energy level/OFF", "'''Error: (8) Timeout waiting for device answer"),
             ("/M_CPU800/18/Power/OFF", ""), ("/M_CPU800/18/Power", "OFF")]
    with expected_protocol(EksplaNT, pairs) as laser, pytest.raises(Refused):
        laser.make_safe()


def test_channels_are_pymeasures_channels():
    assert all(issubclass(cls, Channel) for driver in DRIVERS for cls in channels_of(driver))
