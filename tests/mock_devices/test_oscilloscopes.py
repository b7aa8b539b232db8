"""What the software oscilloscopes share, and the Infiniium: segments, averages, inputs, arming, streaming."""

from __future__ import annotations

import numpy as np
import pytest

from mock_devices.acquisition import Acquisition, averaged
from mock_devices.front_end import Channel, Timebase, band_limited

TIMEBASE = Timebase(-2e-6, 4e-9, 1000)


def flat(level, channel, interval=4e-9):
    return channel.codes(np.full(1000, level), interval)


# --- acquisitions ---


def test_triggers_during_a_record_and_the_dead_time_after_it_are_not_taken():
    arming = Acquisition(wanted=3, rearm=3e-6)
    arming.ready = True
    moments = [1.0, 1.0 + 4e-6, 1.0 + 6.9e-6, 1.0 + 7.1e-6, 2.0, 3.0]
    taken = [arming.take(t, TIMEBASE, {}) is not None for t in moments]
    assert taken == [True, False, False, True, True, False]     # 4 us of record, 3 us deaf; three are wanted


def test_an_acquisition_is_done_when_its_last_record_is_filled_in_whatever_order():
    arming = Acquisition(wanted=2)
    arming.ready = True
    first, second = (arming.take(t, TIMEBASE, {}) for t in (0.0, 1.0))
    second.set_result({1: np.array([2])})
    assert not arming.done.done()
    first.set_result({1: np.array([1])})
    assert arming.done.done() and [r[1].item() for r in arming.records()] == [1, 2]


def test_an_average_has_the_digits_of_a_mean_and_knows_rails():
    channel = Channel(1.6, 0.0, 10)
    words = averaged([np.array([512, 0, 600, 1023]), np.array([513, 512, 600, 1000])], channel)
    assert words.tolist() == [32, -(2**15), 88 * 64, 2**15 - 1]


# --- inputs ---


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_a_code_is_one_lsb_wide_and_the_rails_are_the_ends_of_the_range(bits):
    channel = Channel(1.6, 0.7, bits)
    assert channel.lsb == 1.6 / 2**bits
    assert flat(0.7 - 0.81, channel)[0] == 0 and flat(0.7 + 0.81, channel)[0] == 2**bits - 1
    assert flat(0.7 + 0.5 * channel.lsb, channel)[0] == 2 ** (bits - 1)


def test_one_megohm_shows_twice_the_volts_and_a_capacitor_takes_the_level_at_rest_away():
    low = Channel(4.0, 0.0, 12)
    high, blocked = Channel(4.0, 0.0, 12, gain=2.0), Channel(4.0, 0.0, 12, gain=2.0, blocks_dc=True)
    volts = np.full(1000, 0.5)
    volts[400:410] = 0.9
    codes = {name: (c.codes(volts, 4e-9) - 2048) * c.lsb for name, c in
             (("low", low), ("high", high), ("blocked", blocked))}
    assert codes["low"][[0, 405]] == pytest.approx([0.5, 0.9], abs=1e-3)
    assert codes["high"][[0, 405]] == pytest.approx([1.0, 1.8], abs=1e-3)
    assert codes["blocked"][[0, 405]] == pytest.approx([0.0, 0.8], abs=1e-3)


@pytest.mark.parametrize("frequency", [10e6, 50e6, 100e6, 150e6])
def test_the_bandwidth_is_where_a_sine_has_lost_three_decibels(frequency):
    times = 1e-9 * np.arange(4000)
    passed = band_limited(np.sin(2 * np.pi * frequency * times), 1e-9, 100e6)[1000:3000]
    decibels = 20.0 * np.log10(np.sqrt(2.0) * passed.std())
    assert decibels == pytest.approx(-10.0 * np.log10(2.0) * (frequency / 100e6) ** 2, abs=0.01)


# --- Infiniium ---


def segmented(desk, count, points=20_000):
    desk.prepare()
    desk.digitiser.send(f":ACQ:POIN {points};MODE SEGM;SEGM:COUN {count};:WAV:SEGM:ALL ON;:SING")


def test_twenty_segments_have_the_codes_of_twenty_single_shots_and_the_times_of_their_triggers(desk_of):
    single, desk = desk_of(), desk_of()
    single.prepare()
    expected = [single.shot()[2] for _ in range(20)]
    segmented(desk, 20)
    for taken in range(20):
        assert desk.digitiser.ask(":WAV:SEGM:COUN?;:ADER?") == f"{taken};0"
        desk.timing.send("*TRG")
    assert desk.digitiser.ask("*OPC?;:ADER?;:WAV:SEGM:COUN?") == "1;1;20"
    assert np.array_equal(desk.digitiser.words(2).reshape(20, -1), expected)
    tags = [float(desk.digitiser.ask(f":ACQ:SEGM:IND {n};:WAV:SEGM:TTAG?")) for n in range(1, 21)]
    assert tags == pytest.approx(0.1 * np.arange(20), abs=1e-12)
    for bench in (single, desk):
        bench.close()


def test_one_segment_can_be_read_alone_and_a_part_of_each(desk):
    segmented(desk, 3, points=1000)
    for _ in range(3):
        desk.timing.send("*TRG")
    rows = desk.digitiser.words(1).reshape(3, -1)
    parts = np.frombuffer(desk.digitiser.send(":WAV:DATA? 11,5")[4:-1], "<i2")
    assert np.array_equal(parts.reshape(3, -1), rows[:, 10:15])
    desk.digitiser.send(":WAV:SEGM:ALL OFF;:ACQ:SEGM:IND 2")
    assert np.array_equal(desk.digitiser.words(1), rows[1])
    desk.digitiser.send(":ACQ:SEGM:IND 4;:WAV:DATA?")
    assert desk.digitiser.ask("SYST:ERR?").startswith("-222")


def test_stopped_half_way_the_segments_that_came_can_be_read(desk):
    segmented(desk, 5, points=1000)
    desk.timing.send("*TRG")
    desk.timing.send("*TRG")
    desk.digitiser.send(":WAV:DATA?")
    assert desk.digitiser.ask("SYST:ERR?") == '-230,"Data corrupt or stale;2 of 5 triggers have come"'
    desk.digitiser.send(":STOP")
    assert desk.digitiser.ask(":WAV:SEGM:COUN?") == "2" and desk.digitiser.words(1).size == 2000


def test_segments_that_do_not_fit_or_that_are_to_be_averaged_are_refused(desk):
    desk.digitiser.send(":ACQ:MODE SEGM;SEGM:COUN 6000;:SING")
    assert desk.digitiser.ask("SYST:ERR?").startswith("-221")
    desk.digitiser.send(":ACQ:SEGM:COUN 2;:ACQ:AVER ON;:SING")
    assert desk.digitiser.ask("SYST:ERR?").startswith("-221") and desk.digitiser.ask(":AER?") == "0"


def test_an_average_of_sixteen_has_a_quarter_of_the_noise(desk):
    desk.prepare()
    desk.digitiser.send(":CHAN4:RANG 0.032")
    single = desk.shot() and desk.digitiser.words(4) * 0.032 / 2**10
    desk.digitiser.send(":ACQ:AVER:COUN 16;:ACQ:AVER ON;:SING")
    for _ in range(16):
        assert desk.digitiser.ask(":ADER?") == "0"
        desk.timing.send("*TRG")
    assert desk.digitiser.ask("*OPC?;:ADER?") == "1;1"
    mean = desk.digitiser.words(4) * 0.032 / 2**16
    assert single.std() / mean.std() == pytest.approx(4.0, rel=0.05)
    kind, count = desk.digitiser.ask(":WAV:PRE?").split(",")[1:4:2]
    assert (kind, count) == ("2", "16")


def test_termination_coupling_and_bandwidth_act_on_the_record(desk):
    desk.prepare()
    desk.digitiser.send(":CHAN1:RANG 4;:CHAN3:RANG 8")
    usual = desk.shot()
    desk.cavity.begin("run", 7)
    desk.digitiser.send(":CHAN1:INP DC;:CHAN3:INP AC;:ACQ:BAND 50E6")
    other = desk.shot()
    ratio = np.ptp(other[1].astype(float)) / np.ptp(usual[1].astype(float))
    assert ratio == pytest.approx(2.0 * 2**-0.5, rel=0.03)          # a carrier at the -3 dB point, doubled
    assert usual[3][:900].mean() * 8 / 1024 + 1.0 == pytest.approx(1.54, abs=0.01)
    assert other[3][:900].mean() * 8 / 1024 + 1.0 == pytest.approx(0.0, abs=0.01)
    assert desk.digitiser.ask(":ACQ:BAND AUTO;:ACQ:BAND?") == "+2.50000000E+09"


def test_a_streamed_block_has_the_same_bytes_behind_another_header(desk):
    desk.prepare()
    desk.shot()
    plain = desk.digitiser.send(":WAV:STR OFF;:WAV:DATA?")
    streamed = desk.digitiser.send(":WAV:STR ON;:WAV:DATA?")
    assert plain.startswith(b"#540000") and streamed == b"#0" + plain[7:]


@pytest.mark.parametrize("latency", [5e-3, 0.2])
def test_a_trigger_before_the_armed_bit_is_lost_and_one_after_it_is_taken(desk, latency):
    desk.prepare()
    assert desk.console.answer(f"inject arm_race severity={latency}") == "ok"
    desk.digitiser.send(":SING")
    desk.clock.advance(0.99 * latency)
    desk.timing.send("*TRG")
    assert desk.digitiser.ask(":AER?;:ADER?") == "0;0"
    desk.clock.advance(0.02 * latency)
    assert desk.digitiser.ask(":AER?") == "1"
    desk.timing.send("*TRG")
    assert desk.digitiser.ask("*OPC?;:ADER?") == "1;1"
