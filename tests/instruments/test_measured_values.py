"""Generated from the drivers: whatever an instrument measures has something behind it that can be otherwise.

Every read-only property of every driver is read on three benches that differ in truth and in what has
happened to them; what reads alike on all three is a constant, and stands in CONSTANT with the reason.
"""

from __future__ import annotations

import inspect
import time

import pytest

from instruments import InstrumentTimeout, load_driver
from instruments.discovery import driver_classes

CONSTANT = {
    "EksplaNT.serial_number": "who it is", "QSmart.model": "who it is",
    "ZaberStage.device_id": "who it is", "ZaberStage.serial_number": "who it is",
    "Keysight34972A.card": "which module is plugged in",
    "EksplaNT.q_switch_adjustment": "set by the maker for the level Adjust",
    "EksplaNT.synchronisation": "a switch at the laser: its triggers come from the timing",
    "QSmart.lamp_voltage": "set by the maker", "QSmart.lamp_pulse_width": "set by the maker",
    "QSmart.repetition_rate": "the lamp's own clock, which does not count while the timing triggers",
    "ZaberStage.lowest": "a limit, set by whoever built the stage in", "ZaberStage.highest": "the same",
    "LakeShore224.status": "0 where a sensor is wired, which is so on the input that the driver reads",
    "DG645.next_error": "a queue, which every checked set has emptied", "SG384.next_error": "the same",
}
CHANGES = {
    "[truth.pentacene]\n": "[truth.pentacene]\nthermal_photons = 4000\n",      # 279 K in place of 300 K
    "virtual = true": 'virtual = true\nreference = "shared"',
    'energy_jitter = "3%"': 'energy_jitter = "3%"\nefficiency = "-20%"',
}
NOT_ASKED = {"ThorlabsPM100.power"}
"""An energy head is connected, which has no answer to this question."""
SECOND = {"ekspla_nt.EksplaNT": "quantel_qsmart.QSmart",
          "keysight_infiniium.KeysightInfiniium": "keysight_infiniivision.KeysightInfiniiVision",
          "bits = 10": "bits = 8", ", log = 3": ""}
RATE, POINTS = 250e6, 2000
CHANNELS = {"burst": (1, 1.6, 0.0), "photodiode": (2, 1.6, 0.7)}


def changed(text, changes):
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def measured(driver):
    """Names of the properties of a driver that are asked for and cannot be set."""
    found = {}
    for cls in reversed(driver.__mro__):
        for name, member in vars(cls).items():
            if not cls.__module__.startswith("instruments.") or not isinstance(member, property):
                continue
            asked = inspect.signature(member.fget).parameters.get("get_command")
            told = inspect.signature(member.fset).parameters.get("set_command") if member.fset else None
            found[name] = bool(asked and asked.default and not (told and told.default))
    return sorted(name for name, is_one in found.items() if is_one)


def values(drivers):
    """{"Driver.property": what it says now}; None where it has nothing to say, such as of no record."""
    asked = {f"{type(driver).__name__}.{name}": (driver, name)
             for driver in drivers.values() for name in measured(type(driver))}
    return {called: value_of(*place) for called, place in asked.items() if called not in NOT_ASKED}


def value_of(driver, name):
    driver.adapter.timeout = 0.5
    try:
        return getattr(driver, name)
    except InstrumentTimeout:
        return None


def different(a, b):
    """Not equal, and by more than a reading's noise."""
    numbers = isinstance(a, (int, float)) and isinstance(b, (int, float))
    return a != pytest.approx(b, rel=1e-4, abs=1e-12) if numbers else a != b


def work(bench, drivers):
    """Move, switch on and fire: what makes a bench that is used differ from one that stands idle."""
    bench.cavity.repetition_rate = 16.0
    pump, timing, scope = drivers["pump"], drivers["timing"], drivers["digitiser"]
    drivers["shutter"].open()
    drivers["tuner"].put("speed", 0.03)
    for role in ("tuner", "loop"):
        drivers[role].move_to(drivers[role].position + 1e-3)
    drivers["vna"].put("points", 51)
    drivers["microwave"].power = 14.0
    drivers["microwave"].output = True
    several = {"segments": 3} if hasattr(scope, "segments_taken") else {}
    scope.configure(RATE, POINTS, 2e-6, CHANNELS, **several)
    timing.configure_shot(q_switch_delay=207e-6)
    if hasattr(pump, "burst_length"):
        pump.burst_length = 7
        pump.put("mode", "Burst")
        pump.energy_level, pump.propagation = "MAX", True
    else:
        pump.arm()
    timing.release()
    scope.arm()
    for _ in range(3):
        timing.fire()
    scope.wait(5.0)
    scope.read_segments() if several else scope.read()


def spoil(bench, drivers):
    """An open chain, a source that lacks its reference and its level, a trigger, and a scope half way."""
    bench.cavity.chain.open(3)
    drivers["microwave"].write(":ROSC:SOUR:AUTO OFF")
    drivers["microwave"].write(":POW 16;:OUTP ON")
    scope, timing = drivers["digitiser"], drivers["timing"]
    scope.configure(RATE, POINTS, 2e-6, CHANNELS)
    timing.configure_shot(q_switch_delay=207e-6)
    timing.release()
    for message in (":STOP", ":SING") if hasattr(scope, "segments_taken") else (":SING", ":STOP;:SING"):
        scope.write(message)    # not by `arm`, which would read what is to be read here
        assert scope.identity   # whose answer says that the command is done
        if message == ":SING":  # for one scope a record at the end, for the other none while it waits
            timing.write("*TRG")
            assert timing.identity
            end = time.monotonic() + 20.0
            while bench.devices["digitiser"].pending() is not None and time.monotonic() < end:
                time.sleep(0.02)


@pytest.fixture(scope="module")
def readings(serve_here, every_role_text):
    """Readings of all drivers: idle; with another truth and used; idle again, with the chain open."""
    found = [{}, {}, {}]
    for base in (every_role_text, changed(every_role_text, SECOND)):
        for place, text in enumerate((base, changed(base, CHANGES), base)):
            bench = serve_here(text)
            drivers = {role: bench.connect(role) for role in bench.devices}
            if place == 1:
                work(bench, drivers)
            if place == 2:
                spoil(bench, drivers)
            found[place] |= values(drivers)
            for driver in drivers.values():
                driver.disconnect()
    return found


def test_every_driver_of_ours_is_read(readings):
    read = {name.partition(".")[0] for name in readings[0]}
    silent = {cls.__name__ for cls in driver_classes().values() if not measured(cls)}
    assert read == {cls.__name__ for cls in driver_classes().values()} - silent
    assert silent == {"RohdeSchwarzFSV"}    # whose measurements are sweeps, which other tests look at


def test_two_truths_give_two_answers_for_whatever_is_measured(readings):
    idle, used, broken = readings
    alike = {name for name in idle if not different(idle[name], used[name])
             and not different(idle[name], broken[name])}
    assert sorted(alike) == sorted(CONSTANT)


def test_temperatures_follow_the_truth_and_no_noise(readings):
    idle, used, again = readings
    for name in ("QSmart.cooling_temperature", "LakeShore224.kelvin", "LakeShore224.resistance"):
        assert idle[name] == pytest.approx(again[name], rel=1e-4)
        assert different(idle[name], used[name])
    assert idle["LakeShore224.kelvin"] - used["LakeShore224.kelvin"] == pytest.approx(21.7, abs=0.2)



def test_driver_and_software_instrument_agree_on_how_many_may_connect(bench_here):
    for role, device in bench_here.devices.items():
        driver = load_driver(bench_here.bench.description.roles[role].driver, role)
        assert driver.one_session == getattr(device, "one_session", False), role
