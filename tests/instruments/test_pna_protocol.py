"""A sweep of the network analyser, message by message: prepared dark, RF on for the sweep, complex data."""

import numpy as np
import pytest
from pymeasure.test import expected_protocol

from instruments import ProtocolError
from instruments.keysight_pna import KeysightPNA

SCPI = ("SYST:ERR?", '+0,"No error"')


def checked(set_, question, answer):
    return [(set_, None), SCPI, (question, answer)]


PREPARED = [
    *checked("SENS:SWE:MODE HOLD", "SENS:SWE:MODE?", "HOLD"), *checked("TRIG:SOUR IMM", "TRIG:SOUR?", "IMM"),
    *checked("SENS:FREQ:CENT 1449500000.000", "SENS:FREQ:CENT?", "1449500000"),
    *checked("SENS:FREQ:SPAN 8000000.000", "SENS:FREQ:SPAN?", "8000000"),
    *checked("SENS:SWE:POIN 3", "SENS:SWE:POIN?", "3"), *checked("SENS:BAND 1000.000", "SENS:BAND?", "1000"),
    *checked("SOUR:POW -20.00", "SOUR:POW?", "-20"), *checked("SENS:AVER:COUN 1", "SENS:AVER:COUN?", "1"),
    *checked("SENS:AVER 0", "SENS:AVER?", "0"), *checked("SENS:SWE:GRO:COUN 1", "SENS:SWE:GRO:COUN?", "1"),
    *checked("FORM REAL,64", "FORM?", "REAL,64"), *checked("FORM:BORD SWAP", "FORM:BORD?", "SWAP"),
    *checked('CALC:MEAS1:PAR "S11"', "CALC:MEAS1:PAR?", '"S11"'), *checked("OUTP 1", "OUTP?", "1"),
    ("SENS:SWE:GRO:COUN?", "1"), ("SENS:SWE:TIME?", "1E-3"), ("SENS:AVER:CLE", None),
    ("SENS:SWE:MODE GRO", None), SCPI,
]
OFF = checked("OUTP 0", "OUTP?", "0")


def block(numbers):
    data = np.asarray(numbers, "<f8").tobytes()
    return b"#2%d" % len(data) + data + b"\n"


def test_a_sweep_is_complex_and_the_output_is_on_for_it_only():
    data = [("CALC:MEAS1:X?", block([1.0, 2.0, 3.0])),
            ("CALC:MEAS1:DATA:SDATA?", block([0.5, -0.25, 0.0, 1.0, -1.0, 0.0]))]
    with expected_protocol(KeysightPNA, [*PREPARED, ("*OPC?", "1"), *OFF, *data]) as pna:
        frequencies, s = pna.read_reflection(1.4495e9, 8e6, points=3)
    np.testing.assert_array_equal(frequencies, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(s, [0.5 - 0.25j, 1j, -1.0])


def test_the_output_goes_off_when_the_sweep_fails():
    with (expected_protocol(KeysightPNA, [*PREPARED, ("*OPC?", "0"), *OFF]) as pna,
          pytest.raises(ProtocolError, match="sweeps are complete")):
        pna.read_reflection(1.4495e9, 8e6, points=3)


@pytest.mark.parametrize("numbers", [[1.0, 2.0], [1.0, np.nan, 3.0]])
def test_data_of_another_length_or_without_numbers_are_refused(numbers):
    wrong = ("CALC:MEAS1:X?", block(numbers)[:4] if len(numbers) < 3 else block(numbers))
    with (expected_protocol(KeysightPNA, [*PREPARED, ("*OPC?", "1"), *OFF, wrong]) as pna,
          pytest.raises(ProtocolError, match=r"24 bytes|infinities")):
        pna.read_reflection(1.4495e9, 8e6, points=3)
