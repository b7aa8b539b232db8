"""The software InfiniiVision without a socket: how samples are coded, memory, probes, averages, setups."""

from __future__ import annotations

import numpy as np
import pytest

from mock_devices.keysight_infiniivision import sample_rate


def numbers(text):
    return [float(field) for field in text.split(",")]


@pytest.fixture
def vision(desk_of, virtual_text):
    text = virtual_text.replace("infiniium.KeysightInfiniium", "infiniivision.KeysightInfiniiVision")
    desk = desk_of(text.replace("bits = 10", "bits = 8").replace(", log = 3", ""))
    desk.prepare()
    desk.digitiser.send("*CLS;:TIM:RANG 40E-6;POS 18E-6;:WAV:POIN:MODE RAW;:WAV:POIN 10000;:CHAN2:OFFS 0.7")
    yield desk
    desk.close()


def fire(desk):
    desk.digitiser.send(":SING")
    assert desk.digitiser.ask(":AER?;:OPER:COND?") == "1;40"        # running, waiting for a trigger
    desk.timing.send("*TRG")
    assert desk.digitiser.ask("*OPC?;:OPER:COND?") == "1;0"


def volts(desk, number, form="FORM BYTE;UNS ON"):
    """A channel's record in volts, by the preamble alone."""
    desk.digitiser.send(f":WAV:SOUR CHAN{number};{form}")
    kind, _, points, _, _, _, _, step, zero, reference = numbers(desk.digitiser.ask(":WAV:PRE?"))
    block = desk.digitiser.send(":WAV:DATA?")
    assert block[:2] == b"#8" and len(block) == 10 + int(block[2:10]) + 1
    if kind == 4:
        return np.array(block[10:-1].decode().split(","), float)
    order = "<" if "LSBF" in form else ">"
    sign = "i" if "UNS OFF" in form else "u"
    codes = np.frombuffer(block[10:-1], f"{order}{sign}{1 if kind == 0 else 2}").astype(float)
    assert len(codes) == points
    return (codes - reference) * step + zero


def test_bytes_words_and_text_tell_the_same_volts(vision):
    fire(vision)
    forms = ("FORM BYTE;UNS ON", "FORM BYTE;UNS OFF", "FORM WORD;BYT MSBF;UNS ON", "BYT LSBF;UNS OFF",
             "FORM ASC;UNS ON")
    first, *others = (volts(vision, 1, form) for form in forms)
    assert np.ptp(first) > 0.5
    for other in others:
        assert np.allclose(first, other, atol=1e-5)
    assert vision.digitiser.ask("SYST:ERR?").startswith("+0")


def test_what_leaves_the_range_is_marked_and_no_sample_is_a_hole(vision):
    vision.digitiser.send(":CHAN1:RANG 0.2;:WAV:SOUR CHAN1;FORM BYTE;UNS ON")
    fire(vision)
    codes = np.frombuffer(vision.digitiser.send(":WAV:DATA?")[10:-1], "u1")
    assert codes.min() == 1 and codes.max() == 255
    vision.digitiser.send(":WAV:FORM WORD;BYT MSBF")
    words = np.frombuffer(vision.digitiser.send(":WAV:DATA?")[10:-1], ">u2")
    assert words.min() == 1 and words.max() == 0xFFFF


def test_fewer_points_are_every_nth_sample(vision):
    fire(vision)
    vision.digitiser.send(":WAV:POIN 40000")
    every = volts(vision, 2)
    for wanted, stride in ((10_000, 4), (15_000, 3), (100, 400)):
        vision.digitiser.send(f":WAV:POIN {wanted}")
        assert np.array_equal(volts(vision, 2), every[::stride])
        assert numbers(vision.digitiser.ask(":WAV:PRE?"))[4] == pytest.approx(stride * 1e-9)


@pytest.mark.parametrize(("time_range", "fastest", "memory", "rate"), [
    (40e-6, 1e9, 500_000, 1e9), (1e-3, 1e9, 500_000, 5e8), (1e-3, 2e9, 1_000_000, 1e9),
    (10.0, 1e9, 500_000, 5e4), (3e-3, 1e9, 500_000, 1e8), (1e-7, 2e9, 1_000_000, 2e9)])
def test_the_sample_rate_follows_from_screen_and_memory(time_range, fastest, memory, rate):
    assert sample_rate(time_range, fastest, memory) == pytest.approx(rate)


def test_one_channel_alone_has_twice_the_rate_and_memory(vision):
    assert vision.digitiser.ask(":ACQ:SRAT?;POIN?") == "+1.00000000E+09;40000"
    assert vision.digitiser.ask(":CHAN2:DISP OFF;:ACQ:SRAT?;POIN?") == "+2.00000000E+09;80000"


def test_a_probe_makes_ranges_and_volts_larger(vision):
    fire(vision)
    plain = volts(vision, 2)
    vision.cavity.begin("run", 7)
    vision.digitiser.send(":CHAN2:PROB 10")
    shown = vision.digitiser.ask(":CHAN2:RANG?;OFFS?;SCAL?").split(";")
    assert [float(value) for value in shown] == pytest.approx([16, 7, 2])
    fire(vision)
    vision.digitiser.send(":CHAN2:RANG 500")
    assert vision.digitiser.ask("SYST:ERR?").startswith("-222")
    fire_again = volts(vision, 2)
    assert fire_again == pytest.approx(10.0 * plain, abs=0.2)


def test_only_digitize_averages(vision):
    vision.digitiser.send(":ACQ:TYPE AVER;COUN 4;:SING")
    vision.timing.send("*TRG")
    assert vision.digitiser.ask("*OPC?;:OPER:COND?") == "1;0"
    vision.digitiser.send(":DIG CHAN1")
    for _ in range(4):
        assert vision.digitiser.ask(":OPER:COND?") == "40"
        vision.timing.send("*TRG")
    assert vision.digitiser.ask("*OPC?;:OPER:COND?") == "1;0"
    mean = volts(vision, 2, "FORM WORD;BYT MSBF;UNS ON")
    assert np.diff(np.unique(mean)).min() == pytest.approx(1.6 / 256 / 4, rel=0.02)     # a quarter of a code


def test_its_segments_are_read_one_by_one(vision):
    vision.digitiser.send(":ACQ:MODE SEGM;SEGM:COUN 3;:SING")
    for _ in range(3):
        vision.timing.send("*TRG")
    records = []
    for index in (1, 2, 3):
        vision.digitiser.send(f":ACQ:SEGM:IND {index}")
        records.append(volts(vision, 1))
        assert float(vision.digitiser.ask(":WAV:SEGM:TTAG?")) == pytest.approx(0.1 * (index - 1))
    assert not np.array_equal(records[0], records[1]) and not np.array_equal(records[1], records[2])


def test_a_setup_is_given_back_whole_and_another_text_is_refused(vision):
    vision.digitiser.send(":CHAN1:RANG 3.2;:TRIG:LEV 1.5")
    setup = vision.digitiser.send(":SYST:SET?")[:-1]
    vision.digitiser.send("*RST")
    assert float(vision.digitiser.ask(":CHAN1:RANG?")) == 1.6
    vision.digitiser.send(":SYST:SET " + setup.decode())
    assert numbers(vision.digitiser.ask(":CHAN1:RANG?;:TRIG:LEV?").replace(";", ",")) == [3.2, 1.5]
    vision.digitiser.send(":SYST:SET #15hello")
    assert vision.digitiser.ask("SYST:ERR?").startswith("-224")


def test_autoscale_fills_the_screen_with_what_was_recorded(vision):
    vision.digitiser.send(":CHAN1:RANG 8;:WAV:POIN 40000")
    fire(vision)
    before = volts(vision, 1)
    vision.digitiser.send(":AUT")
    assert float(vision.digitiser.ask(":CHAN1:RANG?")) == pytest.approx(1.25 * np.ptp(before), abs=0.08)
