"""The network analyser without a socket: what it sees of the cavity, its noise, what it does to the mode."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mock_devices.bench_file import World
from mock_devices.clock import HandTurnedClock
from mock_devices.keysight_pna import KeysightPNA
from mock_devices.virtual_cavity import VirtualCavity
from twin.cavity import fit_cavity

DELAY, LOSS = 12e-9, 3.0


@pytest.fixture
def pna(wire_to):
    with ThreadPoolExecutor(1) as executor:
        cavity = VirtualCavity(World(), HandTurnedClock(), executor)
        wire = wire_to(KeysightPNA("vna", cavity, DELAY, LOSS))
        wire.cavity = cavity
        wire.send("FORM REAL,64;:FORM:BORD SWAP;:SENS:SWE:POIN 801;:SENS:FREQ:CENT 1.4495e9;SPAN 8 MHz;"
                  ":SOUR:POW 0;:OUTP ON")
        yield wire


def numbers(wire, question, kind="<f8"):
    data = wire.send(question)
    digits = int(data[1:2])
    return np.frombuffer(data[2 + digits:-1], kind)


def swept(wire, bandwidth=1e3, measurement=1):
    wire.send(f"SENS:BAND {bandwidth};:SENS:SWE:MODE SING")
    wire.cavity.clock.advance(1e5)
    s = numbers(wire, f"CALC:MEAS{measurement}:DATA:SDATA?")
    return numbers(wire, f"CALC:MEAS{measurement}:X?"), s.view(complex)


def test_a_fit_of_its_reflection_finds_the_cavity_and_the_cable(pna):
    for jump in (0.0, 300e3):
        pna.cavity.faults.lasting["cavity_drift"] = jump
        fit = fit_cavity(*swept(pna))
        assert fit.ok
        assert fit.parameters["frequency"] == pytest.approx(pna.cavity.frequency, abs=20)
        assert fit.parameters["loaded_quality"] == pytest.approx(pna.cavity.loaded_quality, rel=1e-3)
        assert fit.parameters["coupling_factor"] == pytest.approx(
            pna.cavity.world.receivers["burst"].coupling_factor, rel=1e-2)
        assert fit.parameters["cable_delay"] == pytest.approx(DELAY, rel=1e-3)


def test_port_2_sees_the_same_behind_the_circulators_loss(pna):
    _, reflection = swept(pna)
    np.testing.assert_allclose(np.abs(numbers(pna, "CALC:MEAS2:DATA:SDATA?").view(complex) / reflection),
                               10 ** (-LOSS / 20), rtol=1e-2)


@pytest.mark.parametrize(("less", "factor"), [
    ("SENS:BAND 10e3", 10.0), ("SOUR:POW -10", 10.0),
    ("SENS:AVER ON;:SENS:AVER:COUN 16;:SENS:SWE:GRO:COUN 16", 1 / 16), ("OUTP OFF", 1e8)])
def test_noise_follows_bandwidth_power_and_averages(pna, less, factor):
    """Noise power of S goes as bandwidth over power and averages."""
    def noise_power(mode):
        pna.send(f"SENS:SWE:MODE {mode}")
        pna.cavity.clock.advance(1e5)
        expected = pna.device.paths["S11"].through(pna.device.frequencies(),
                                                   pna.cavity.reflection(pna.device.frequencies()))
        return np.mean(np.abs(numbers(pna, "CALC:MEAS1:DATA:SDATA?").view(complex) - expected) ** 2)

    pna.send("SENS:BAND 1e3;:SENS:SWE:POIN 20001")
    before = noise_power("SING")
    pna.send(less)
    assert noise_power("GRO") / before == pytest.approx(factor, rel=0.06)


def test_single_sweeps_add_up_to_an_average_until_it_is_cleared(pna):
    pna.send("SENS:AVER ON;:SENS:AVER:COUN 4")
    for expected in (1, 2, 3, 4, 4):
        pna.send("SENS:SWE:MODE SING")
        pna.cavity.clock.advance(1.0)
        assert pna.device.swept == expected
    pna.send("SENS:AVER:CLE")
    assert pna.device.swept == 0


def test_a_sweep_takes_its_time_and_then_holds(pna):
    pna.send("SENS:BAND 1e3;:SENS:SWE:GRO:COUN 3")
    duration = 3 * float(pna.ask("SENS:SWE:TIME?"))
    assert duration > 3 * 801 / 1e3
    pna.send("SENS:SWE:MODE GRO")
    pna.cavity.clock.advance(0.99 * duration)
    assert (pna.ask("SENS:SWE:MODE?"), pna.device.pending() is None) == ("GRO", False)
    pna.cavity.clock.advance(0.02 * duration)
    assert (pna.ask("SENS:SWE:MODE?"), pna.ask("*OPC?")) == ("HOLD", "1")


def held(cavity):
    """Photons that what arrives at the loop holds in the mode, the gate being low."""
    return cavity._incoming({}).low


def test_it_drives_the_mode_while_its_output_is_on(pna):
    assert pna.cavity.rf_on and not pna.cavity.safe()
    pna.send(f"SENS:FREQ:CENT {pna.cavity.frequency};:SENS:SWE:MODE CONT")
    sweeping = held(pna.cavity)
    pna.send("SENS:SWE:MODE HOLD;:ABOR")
    assert 0.0 < held(pna.cavity) < 1e-2 * sweeping
    pna.send("OUTP OFF")
    assert pna.cavity.safe()
    assert held(pna.cavity) < 1e-7 * sweeping


def test_it_is_found_with_its_output_off_and_a_preset_turns_it_on(pna):
    fresh = KeysightPNA("vna", pna.cavity)
    assert not pna.cavity.rf_on
    fresh.restore()
    assert pna.cavity.rf_on


@pytest.mark.parametrize(("form", "shown"), [
    ("MLOG", lambda s: 20 * np.log10(np.abs(s))), ("MLIN", np.abs), ("REAL", np.real), ("IMAG", np.imag),
    ("PHAS", lambda s: np.degrees(np.angle(s))), ("UPH", lambda s: np.degrees(np.unwrap(np.angle(s)))),
    ("POL", lambda s: np.stack([s.real, s.imag], 1).ravel())])
def test_each_format_shows_the_complex_data_its_way(pna, form, shown):
    _, s = swept(pna)
    pna.send(f"CALC:FORM {form}")
    np.testing.assert_allclose(numbers(pna, "CALC:DATA? FDATA"), shown(s), rtol=1e-12, atol=1e-12)
    pna.send("FORM REAL,32;:FORM:BORD NORM")
    np.testing.assert_allclose(numbers(pna, "CALC:DATA? FDATA", ">f4"), shown(s), rtol=1e-5, atol=1e-5)


def test_group_delay_far_off_resonance_is_the_cables(pna):
    pna.send("SENS:FREQ:CENT 1.6e9;:CALC:FORM GDEL")
    swept(pna, 10)
    assert np.mean(numbers(pna, "CALC:DATA? FDATA")) == pytest.approx(DELAY, rel=1e-2)
    pna.send(f"CALC:CORR:EDEL:TIME {DELAY}")
    assert abs(np.mean(numbers(pna, "CALC:DATA? FDATA"))) < 1e-2 * DELAY


def test_the_type_of_a_sweep_says_where_its_points_lie(pna):
    low, high, points = 1.4455e9, 1.4535e9, 801
    for kind, expected in (("LIN", np.linspace(low, high, points)), ("LOG", np.geomspace(low, high, points)),
                           ("CW", np.full(points, 1.45e9))):
        pna.send(f"SENS:FREQ:CW 1.45e9;:SENS:SWE:TYPE {kind}")
        frequencies, s = swept(pna)
        np.testing.assert_allclose(frequencies, expected)
        assert np.mean(np.abs(s)) == pytest.approx(np.mean(np.abs(pna.cavity.reflection(expected))), rel=1e-3)


def test_a_marker_reads_the_trace(pna):
    frequencies, s = swept(pna)
    pna.send(f"CALC:MEAS1:MARK3:X {frequencies[400]};STAT ON;DISC ON")
    level, _ = map(float, pna.ask("CALC:MEAS1:MARK3:Y?").split(","))
    assert level == pytest.approx(20 * np.log10(abs(s[400])))


@pytest.mark.parametrize(("message", "code"), [
    ("SENS:FREQ:CENT 30e9", -222), ("SENS:BAND 0", -222), ("CALC:MEAS1:PAR 'S12'", -224),
    ("CALC:PAR:SEL 'TR9'", -224), ("CALC:MEAS3:PAR?", -114), ("FORM REAL,16", -224), ("SENS2:BAND 1e3", -114),
    ("NOTHING", -113)])
def test_mistakes_are_refused_and_told(pna, message, code):
    before = dict(pna.device.settings)
    assert pna.send(message) == b""
    assert int(pna.ask("SYST:ERR?").split(",")[0]) == code
    assert pna.device.settings == before


def test_one_seed_gives_one_sweep_and_another_seed_another(pna):
    sweeps = []
    for seed in (1, 1, 2):
        pna.cavity.begin("run", seed)
        sweeps.append(swept(pna)[1])
    np.testing.assert_array_equal(sweeps[0], sweeps[1])
    assert not np.array_equal(sweeps[0], sweeps[2])
