"""Digitisers over TCP: segments with their time tags, averages, inputs, arming, blocks that are not whole."""

from __future__ import annotations

import socket
import time

import numpy as np
import pytest

from instruments import InstrumentTimeout, NoTrigger, NotTaken, PeerClosed, ProtocolError, connect

CHANNELS = {"burst": (1, 1.6, 0.0), "photodiode": (2, 1.6, 0.7)}
RATE, POINTS, PRETRIGGER = 250e6, 10_000, 2e-6
FULL_ENERGY = 207e-6     # [s] Q-switch delay of 5 mJ in the shipped bench file


class Armed:
    """A bench ready to fire at full energy, and its drivers."""

    def __init__(self, bench):
        self.bench = bench
        self.roles = {role: bench.connect(role) for role in ("digitiser", "timing", "pump", "shutter")}
        self.digitiser, self.fire = self.roles["digitiser"], self.roles["timing"].fire
        self.console("begin run 7")
        self.roles["timing"].configure_shot(q_switch_delay=FULL_ENERGY)
        self.roles["shutter"].open()
        self.roles["pump"].arm("MAX")
        self.roles["timing"].release()

    def console(self, line):
        endpoint = self.bench.bench.console_endpoint
        with socket.create_connection((endpoint.host, endpoint.port), 5) as back_door:
            back_door.sendall(line.encode() + b"\n")
            assert back_door.makefile().readline().strip() == "ok"

    def shoot(self):
        self.digitiser.arm()
        self.fire()
        self.digitiser.wait(10.0)
        return self.digitiser.read()

    def close(self):
        for driver in self.roles.values():
            driver.make_safe()
            driver.disconnect()


@pytest.fixture
def infiniium(bench_here):
    armed = Armed(bench_here)
    yield armed
    armed.close()


@pytest.fixture
def infiniivision(infiniivision_here):
    armed = Armed(infiniivision_here)
    armed.digitiser.configure(RATE, POINTS, PRETRIGGER, CHANNELS, bits=8)
    yield armed
    armed.close()


def segmented(bench, count, points=POINTS):
    bench.digitiser.configure(RATE, points, PRETRIGGER, CHANNELS, segments=count)
    bench.digitiser.arm()
    for _ in range(count):
        bench.fire()
    bench.digitiser.wait(10.0)


def test_twenty_shots_come_as_twenty_segments_with_the_times_of_their_triggers(infiniium):
    infiniium.console("repetition 12.5")
    segmented(infiniium, 20)
    segments = infiniium.digitiser.read_segments()
    assert [s.time_tag for s in segments] == pytest.approx(0.08 * np.arange(20), abs=1e-12)
    for segment in segments:
        assert set(segment.waveforms) == set(CHANNELS)
        burst, pulse = segment.waveforms["burst"], segment.waveforms["photodiode"]
        assert (len(burst), burst.start, burst.bits) == (POINTS, -PRETRIGGER, 10)
        assert np.std(burst.volts[500:]) > 20 * np.std(burst.volts[:500])
        assert 0 < pulse.time[np.argmax(pulse.volts)] < 1e-6
    infiniium.console("begin run 7")
    infiniium.digitiser.configure(RATE, POINTS, PRETRIGGER, CHANNELS)
    alone = infiniium.shoot()           # the same run again, shot by shot: the same codes
    for name in CHANNELS:
        np.testing.assert_array_equal(alone[name].codes, segments[0].waveforms[name].codes)


def test_segments_that_did_not_come_are_counted(infiniium):
    infiniium.digitiser.configure(RATE, 1000, PRETRIGGER, CHANNELS, segments=5)
    infiniium.digitiser.arm()
    infiniium.fire()
    infiniium.fire()
    with pytest.raises(NoTrigger, match="2 of 5 segments were taken"):
        infiniium.digitiser.wait(0.1)
    infiniium.digitiser.stop()
    assert len(infiniium.digitiser.read_segments(["burst"])) == 2


def test_a_segment_that_repeats_the_one_before_it_is_refused(infiniium):
    infiniium.console("inject stale_data at=shot:3")
    segmented(infiniium, 5)
    with pytest.raises(ProtocolError, match=r"digitiser at .*segment 4 of 5"):
        infiniium.digitiser.read_segments()


@pytest.mark.parametrize(("fault", "kind"), [
    ("half_block", InstrumentTimeout), ("wrong_length", ProtocolError),
    ("wrong_length severity=-2", ProtocolError), ("dropped_connection", PeerClosed)])
def test_segments_in_a_block_that_is_not_whole_are_refused(infiniium, fault, kind):
    segmented(infiniium, 3, points=1000)
    infiniium.digitiser.adapter.timeout = 0.3
    infiniium.console(f"inject {fault}")
    with pytest.raises(kind, match="digitiser at TCPIP"):
        infiniium.digitiser.read_segments()
    infiniium.digitiser.adapter.timeout = 5.0
    infiniium.digitiser.adapter.reopen()
    segmented(infiniium, 3, points=1000)
    assert len(infiniium.digitiser.read_segments()) == 3


def test_an_average_has_less_noise_and_finer_steps(infiniium):
    digitiser = infiniium.digitiser
    infiniium.roles["timing"].set_q_switch_delay(150e-6)        # no light
    digitiser.configure(RATE, POINTS, PRETRIGGER, CHANNELS)
    single = infiniium.shoot()["burst"]
    digitiser.configure(RATE, POINTS, PRETRIGGER, CHANNELS, averages=16)
    digitiser.arm()
    for _ in range(16):
        assert not digitiser.acquired
        infiniium.fire()
    digitiser.wait(10.0)
    mean = digitiser.read()["burst"]
    assert mean.scale == single.scale / 64 and mean.bits == 16
    assert np.std(single.volts) / np.std(mean.volts) == pytest.approx(4.0, rel=0.05)


@pytest.mark.parametrize("name", ["infiniium", "infiniivision"])
def test_a_signal_larger_than_the_range_is_known_to_be_clipped(name, request):
    bench = request.getfixturevalue(name)
    bits = 8 if name == "infiniivision" else 10
    bench.digitiser.configure(RATE, POINTS, PRETRIGGER, CHANNELS, bits=bits)
    assert not bench.shoot()["burst"].clipped
    bench.digitiser.configure(RATE, POINTS, PRETRIGGER, CHANNELS | {"burst": (1, 0.4, 0.0)}, bits=bits)
    records = bench.shoot()
    assert records["burst"].clipped and not records["photodiode"].clipped
    assert np.ptp(records["burst"].volts) == pytest.approx(0.4, rel=0.01)


def test_a_megohm_in_place_of_fifty_ohm_shows_twice_the_volts_and_is_read_back(infiniium):
    infiniium.digitiser.configure(RATE, POINTS, PRETRIGGER, {"burst": (1, 4.0, 0.0)})
    usual = infiniium.shoot()["burst"]
    infiniium.console("begin run 7")
    infiniium.digitiser.ch_1.input = "DC"
    assert infiniium.digitiser.settings()["burst.impedance"] == 1e6
    doubled = infiniium.shoot()["burst"]
    assert np.std(doubled.volts) / np.std(usual.volts) == pytest.approx(2.0, rel=1e-3)


@pytest.mark.parametrize("name", ["infiniium", "infiniivision"])
def test_no_shot_is_fired_before_the_digitiser_is_armed(name, request):
    bench = request.getfixturevalue(name)
    bits = 8 if name == "infiniivision" else 10
    bench.digitiser.configure(RATE, POINTS, PRETRIGGER, CHANNELS, bits=bits)
    bench.console("inject arm_race severity=0.1")
    try:
        began = time.monotonic()
        bench.digitiser.arm()
        assert 0.1 <= time.monotonic() - began < 0.5
        bench.fire()
        bench.digitiser.wait(5.0)
        assert len(bench.digitiser.read()["burst"]) == POINTS
    finally:
        bench.console("inject arm_race severity=0")


def test_a_whole_shot_comes_from_an_infiniivision(infiniivision):
    records = infiniivision.shoot()
    burst, pulse = records["burst"], records["photodiode"]
    assert (len(burst), burst.bits, burst.scale) == (POINTS, 8, 1.6 / 256)
    assert burst.start == pytest.approx(-PRETRIGGER) and burst.interval == pytest.approx(1 / RATE)
    assert np.std(burst.volts[500:]) > 10 * np.std(burst.volts[:500])
    assert 0 < pulse.time[np.argmax(pulse.volts)] < 1e-6
    settings = infiniivision.digitiser.settings()
    assert settings["sample_rate"] == pytest.approx(RATE) and settings["burst.impedance"] == 1e6
    assert settings["pretrigger"] == pytest.approx(PRETRIGGER)


@pytest.mark.parametrize("fault", ["wrong_length", "half_block"])
def test_a_block_of_an_infiniivision_that_is_not_whole_is_refused(infiniivision, fault):
    infiniivision.shoot()
    infiniivision.digitiser.adapter.timeout = 0.3
    infiniivision.console(f"inject {fault}")
    with pytest.raises((ProtocolError, InstrumentTimeout), match="digitiser at TCPIP"):
        infiniivision.digitiser.read()


def test_a_rate_that_is_no_fraction_of_an_infiniivisions_own_is_refused(infiniivision):
    with pytest.raises(NotTaken, match=r"acquisition_rate reads back 1000000000.*multiple of 3e\+08"):
        infiniivision.digitiser.configure(300e6, 12_000, PRETRIGGER, CHANNELS, bits=8)


@pytest.mark.parametrize(("driver", "fixture"), [
    ("instruments.keysight_infiniium.KeysightInfiniium", "infiniivision_here"),
    ("instruments.keysight_infiniivision.KeysightInfiniiVision", "bench_here")])
def test_the_driver_of_the_other_family_is_refused(driver, fixture, request):
    resource = request.getfixturevalue(fixture).resource("digitiser")
    with pytest.raises(ProtocolError, match="name the driver that fits"):
        connect(driver, resource, "digitiser")
