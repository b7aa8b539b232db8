"""Every driver against its software instrument over TCP: settings, one whole shot, safe state, unplugging."""

import json
import socket
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

import instruments
from instruments import (
    CannotConnect,
    InstrumentError,
    InstrumentTimeout,
    NoTrigger,
    PeerClosed,
    ProtocolError,
    Refused,
)

PROJECT = Path(__file__).resolve().parents[2]
ROLES = ("pump", "timing", "digitiser", "microwave", "analyser", "energy", "shutter")
CHANNELS = {"burst": (1, 1.6, 0.0), "photodiode": (2, 1.6, 0.7), "log": (3, 1.6, 1.0)}
FULL_ENERGY = 207e-6     # [s] Q-switch delay of 5 mJ in the shipped bench file
POINTS, RATE, PRETRIGGER = 20_000, 500e6, 2e-6


class SoftwareBench:
    """The process that plays the instruments, and the drivers connected to it."""

    def __init__(self, process, path):
        self.process = process
        self.file = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        host, _, port = self.file["mocks"]["console"].rpartition(":")
        self._console = socket.create_connection((host, int(port)), timeout=10)
        self._answers = self._console.makefile("r", encoding="utf-8")
        self.drivers = {role: self.connect(role) for role in ROLES}

    def connect(self, role):
        return instruments.connect(self.file[role]["driver"], self.file[role]["resource"], role, timeout=10.0)

    def console(self, line):
        self._console.sendall(line.encode() + b"\n")
        return self._answers.readline().strip()

    def state(self):
        return json.loads(self.console("state"))

    def close(self):
        for driver in self.drivers.values():
            driver.disconnect()
        self._answers.close()
        self._console.close()


@pytest.fixture(scope="module")
def software_bench():
    bench_file = PROJECT / "procedures" / "benches" / "virtual.toml"
    command = [sys.executable, "-P", "-m", "mock_devices", str(bench_file)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          cwd=PROJECT) as process:
        try:
            first = process.stdout.readline().strip()
            assert first.startswith("ready "), first
            bench = SoftwareBench(process, first.removeprefix("ready "))
            yield bench
            bench.close()
        finally:
            process.terminate()


@pytest.fixture
def bench(software_bench):
    """The bench in its safe state, before and after."""
    for driver in software_bench.drivers.values():
        driver.make_safe()
    yield software_bench
    for driver in software_bench.drivers.values():
        driver.make_safe()


@pytest.fixture
def armed(bench):
    """The bench ready to fire at full energy."""
    drivers = bench.drivers
    drivers["timing"].configure_shot(q_switch_delay=FULL_ENERGY)
    drivers["digitiser"].configure(RATE, POINTS, PRETRIGGER, CHANNELS, bits=10)
    drivers["shutter"].open()
    assert drivers["pump"].arm("MAX") == "on"
    drivers["timing"].release()
    return drivers


def shoot(drivers):
    drivers["digitiser"].arm()
    drivers["timing"].fire()
    drivers["digitiser"].wait(10.0)
    return drivers["digitiser"].read()


@pytest.mark.parametrize("role", ROLES)
def test_a_software_instrument_says_that_it_is_one(bench, role):
    assert bench.drivers[role].simulated


@pytest.mark.parametrize("role", ROLES)
def test_settings_are_read_back_without_an_error(bench, role):
    driver = bench.drivers[role]
    assert driver.settings()
    if role != "pump":      # the laser has no error queue
        assert driver.check_errors() == []


def test_one_whole_shot_comes_over_the_wire(bench, armed):
    fired = bench.state()["shots"]
    records = shoot(armed)
    assert bench.state()["shots"] == fired + 1
    assert set(records) == set(CHANNELS)
    for record in records.values():
        assert record.codes.size == POINTS
        assert record.time[0] == pytest.approx(-PRETRIGGER)
        assert record.interval == pytest.approx(1 / RATE)
        assert not record.clipped
    dark = records["burst"].time < 0
    assert np.std(records["burst"].volts[~dark]) > 20 * np.std(records["burst"].volts[dark])
    pulse = records["photodiode"]
    assert 0 < pulse.time[np.argmax(pulse.volts)] < 1e-6
    assert armed["energy"].last_energy() > 0


def test_two_shots_are_two_records(armed):
    first, second = shoot(armed)["burst"], shoot(armed)["burst"]
    assert np.any(first.codes != second.codes)


def test_less_q_switch_delay_is_less_energy(armed):
    shoot(armed)
    full = armed["energy"].last_energy()
    assert armed["timing"].set_q_switch_delay(170e-6) == pytest.approx(170e-6)
    shoot(armed)
    assert armed["energy"].last_energy() < 0.5 * full


def test_an_inhibited_timing_fires_nothing(bench, armed):
    armed["timing"].inhibit()
    fired = bench.state()["shots"]
    armed["digitiser"].arm()
    armed["timing"].fire()
    with pytest.raises(NoTrigger, match="digitiser at TCPIP"):
        armed["digitiser"].wait(0.2)
    assert bench.state()["shots"] == fired


def test_a_record_that_was_never_taken_is_explained_by_the_error_queue(bench):
    digitiser = bench.connect("digitiser")
    digitiser.adapter.timeout = 0.5
    digitiser.configure(RATE, POINTS, PRETRIGGER, CHANNELS)
    digitiser.arm()
    digitiser.stop()
    with pytest.raises(InstrumentError, match="-230"):
        digitiser.read(["burst"])
    digitiser.disconnect()


def test_what_the_instrument_refuses_is_an_error_with_its_words(bench):
    source = bench.drivers["microwave"]
    source.power_values = [-135, 1000]
    with pytest.raises(Refused, match="-222"):
        source.power = 500
    bench.drivers["analyser"].write("NONSENSE:HEADER 1")
    with pytest.raises(Refused, match="-113"):
        bench.drivers["analyser"].check_errors()


@pytest.mark.parametrize(("role", "name", "value"), [
    ("microwave", "frequency", 1449412345.678), ("microwave", "power", -17.5),
    ("analyser", "centre", 1449412345.0), ("analyser", "resolution_bandwidth", 3e4),
    ("analyser", "span", 2e6), ("analyser", "points", 401), ("analyser", "reference_level", -20.0),
    ("analyser", "sweep_time", 0.01), ("analyser", "continuous", True),
    ("analyser", "trigger_source", "external"), ("analyser", "video_bandwidth", 1e4),
    ("analyser", "detector", "sample"),
    ("timing", "repetition_rate", 12.5), ("timing", "trigger_source", "internal"),
    ("timing", "burst_count", 7), ("timing", "burst_period", 2e-3), ("timing", "advanced_trigger", True),
    ("timing", "burst_delay", 1e-6), ("timing", "holdoff", 0.01), ("timing", "trigger_level", 1.5),
    ("pump", "mode", "Burst"), ("pump", "burst_length", 12), ("pump", "frequency_divider", 3),
    ("pump", "wavelength", 589e-9), ("energy", "wavelength", 589e-9), ("shutter", "commanded", "closed"),
    ("digitiser", "sample_rate", 1e9), ("digitiser", "points", 1000), ("digitiser", "timebase_range", 2e-5),
    ("digitiser", "timebase_reference", "centre"), ("digitiser", "source", 3),
])
def test_what_is_set_is_read_back(bench, role, name, value):
    driver = bench.drivers[role]
    usual = getattr(driver, name)
    assert driver.put(name, value) == (value if isinstance(value, str) else pytest.approx(value))
    driver.put(name, usual)


def test_the_analyser_sees_the_dip_of_the_cavity(bench):
    source, analyser = bench.drivers["microwave"], bench.drivers["analyser"]
    source.put("power", -20.0)
    source.put("output", True)
    levels = {}
    for frequency in (1.4475e9, 1.4495e9, 1.4515e9):
        source.put("frequency", frequency)
        levels[frequency] = analyser.read_power(frequency)
    assert levels[1.4495e9] < min(levels[1.4475e9], levels[1.4515e9]) - 1.0
    frequencies, powers = analyser.read_spectrum(1.4515e9, 1e6, 501)
    assert frequencies[np.argmax(powers)] == pytest.approx(1.4515e9, abs=5e3)
    source.put("output", False)
    assert analyser.read_power(1.4515e9) < levels[1.4515e9] - 30


def test_a_weak_tone_is_read_as_power_without_what_a_peak_detector_adds_of_the_noise(bench):
    source, analyser = bench.drivers["microwave"], bench.drivers["analyser"]
    source.put("frequency", 1.4515e9)
    source.put("output", True)
    strong, weak = (source.put("power", power) and analyser.read_power(1.4515e9) for power in (-20.0, -60.0))
    assert strong - weak == pytest.approx(40.0, abs=0.1)     # 27 dB above the noise in the filter
    peaks = analyser.read_spectrum(1.4515e9, 0.0, 101, 1e5)[1]
    assert np.mean(peaks) > weak + 0.05
    source.put("output", False)


def test_the_shutter_is_where_its_sensor_says(bench):
    shutter = bench.drivers["shutter"]
    shutter.open()
    assert shutter.sensor == "open" and bench.state()["shutter"] == "open"
    assert shutter.verify_safe().safe is False
    shutter.close()
    assert shutter.sensor == "closed" and bench.state()["shutter"] == "closed"


def test_the_safe_state_is_reached_and_seen_from_the_back_door(bench, armed):
    bench.drivers["microwave"].put("output", True)
    assert bench.state()["rf"] == "on"
    assert not bench.drivers["microwave"].verify_safe().safe
    assert not bench.drivers["pump"].verify_safe().safe
    began = time.monotonic()
    for role in ROLES:
        bench.drivers[role].make_safe()
    reports = [bench.drivers[role].verify_safe() for role in ROLES]
    assert time.monotonic() - began < 1.0
    assert all(report.safe for report in reports), reports
    state = bench.state()
    assert (state["laser"], state["shutter"], state["rf"]) == ("off", "closed", "off")


def test_the_safe_state_reaches_a_digitiser_that_waits_in_a_transfer(bench):
    digitiser = bench.connect("digitiser")
    digitiser.configure(RATE, POINTS, PRETRIGGER, CHANNELS)
    digitiser.arm()
    ended = []

    def wait():
        try:
            digitiser.ask("*OPC?")      # answered when the trigger comes, and none will
        except InstrumentError as problem:
            ended.append(problem)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.2)
    began = time.monotonic()
    digitiser.make_safe()
    assert digitiser.verify_safe().safe
    assert time.monotonic() - began < 1.0
    waiting.join(5)
    assert isinstance(ended[0], PeerClosed)
    digitiser.disconnect()


def test_an_unplugged_instrument_is_named_and_unknown_and_comes_back(bench):
    pump = bench.drivers["pump"]
    assert bench.console("unplug pump").startswith("ok")
    try:
        with pytest.raises(InstrumentError, match="pump at TCPIP"):
            pump.settings()
        report = pump.verify_safe()
        assert report.safe is None and "pump" in report.found
        with pytest.raises(CannotConnect, match="pump at TCPIP"):
            bench.connect("pump")
        for role in set(ROLES) - {"pump"}:
            assert bench.drivers[role].verify_safe().safe
    finally:
        assert bench.console("plug pump").startswith("ok")
    pump.adapter.reopen()
    assert pump.verify_safe().safe


@pytest.mark.parametrize(("fault", "kind"), [
    ("timeout severity=30", InstrumentTimeout), ("scope_hang", InstrumentTimeout),
    ("half_block", InstrumentTimeout), ("dropped_connection", PeerClosed), ("wrong_length", ProtocolError),
    ("wrong_length severity=-2", ProtocolError)])
def test_a_fault_of_the_line_ends_in_an_error_that_names_the_digitiser(bench, armed, fault, kind):
    digitiser = armed["digitiser"]
    shoot(armed)
    usual, digitiser.adapter.timeout = digitiser.adapter.timeout, 0.5
    try:
        assert bench.console(f"inject {fault}").startswith("ok")
        began = time.monotonic()
        with pytest.raises(kind, match="digitiser at TCPIP"):
            digitiser.read()
        assert time.monotonic() - began < 3
        digitiser.make_safe()
        assert digitiser.verify_safe().safe
    finally:
        digitiser.adapter.timeout = usual
    records = shoot(armed)
    assert {record.codes.size for record in records.values()} == {POINTS}


@pytest.mark.parametrize(("fault", "kind", "words"), [
    ("missed_trigger", NoTrigger, "a trigger"), ("stale_data", ProtocolError, "bit for bit")])
def test_a_shot_without_a_record_of_its_own_is_an_error(bench, armed, fault, kind, words):
    shoot(armed)
    assert bench.console(f"inject {fault}").startswith("ok")
    armed["digitiser"].arm()
    armed["timing"].fire()
    with pytest.raises(kind, match=words):
        armed["digitiser"].wait(1.0)
        armed["digitiser"].read()
    shoot(armed)


def test_a_record_may_be_read_twice(armed):
    first = shoot(armed)
    again = armed["digitiser"].read()
    for name, record in first.items():
        np.testing.assert_array_equal(record.codes, again[name].codes)


def test_a_digitiser_that_is_slow_to_arm_is_waited_for(bench, armed):
    assert bench.console("inject arm_race severity=0.2").startswith("ok")
    try:
        began = time.monotonic()
        records = shoot(armed)
        assert time.monotonic() - began > 0.2
        assert records["burst"].codes.size == POINTS
    finally:
        bench.console("inject arm_race severity=0")


def test_an_open_interlock_stops_emission_and_nothing_arms_it_again(bench, armed):
    assert bench.console("inject interlock").startswith("ok")
    try:
        shoot(armed)
        assert armed["pump"].emission != "on"
        with pytest.raises(InstrumentError, match="pump at TCPIP"):
            armed["pump"].arm("MAX")
        assert bench.state()["laser"] == "off"
    finally:
        bench.console("inject interlock severity=0")
