"""Generated from the drivers: every settable property of every driver, over the wire, against its device.

A random valid value is read back equal and found in the device; one out of range is refused by the
driver, and by the device when it is sent all the same; a header that is almost right is unknown.
"""

from __future__ import annotations

import inspect
import math
import random
import re

import pytest

from instruments import Refused

RAW = {  # how an instrument says "out of range", "no such choice" and "no such command"
    "pump": (r"top value limit", r"not included in allowed", r"Unknown module or register"),
    "timing": (r"\b10 ", r"\b10 ", r"\b111 "), "microwave_45": (r"\b10 ", r"\b10 ", r"\b111 "),
    "tuner": (r"BADDATA", r"BADDATA", r"BADCOMMAND"),
    "thermometer": (r"cannot carry it out", r"cannot carry it out", r"does not know"),
    "digitiser": (r"-22[24]", r"-22[24]|-104", r"-113"),        # a channel's number is part of a name
    "oscilloscope": (r"-22[24]", r"-22[24]|-104", r"-113"),
}
SCPI = (r"-222", r"-22[24]|-104", r"-113")
NARROWER = {  # where the served model is smaller than what its driver may meet
    ("microwave", "power"): (-135, 14), ("analyser", "centre"): (9e3, 13.6e9),
    ("analyser", "span"): (0, 13.6e9), ("timing", "repetition_rate"): (1e-3, 1e6),
    ("timing", "holdoff"): (0, 10), ("pump", "wavelength"): (300e-9, 1100e-9),
    ("digitiser", "sample_rate"): (1e3, 20e9), ("digitiser", "timebase_range"): (1e-9, 200),
    ("oscilloscope", "timebase_range"): (50e-9, 200),
    ("oscilloscope", "channels.full_scale"): (0.08, 40), ("oscilloscope", "channels.scale"): (0.01, 5),
}
COARSE = {  # what an instrument shows of a value, where that is less than it takes
    ("timing", "trigger_level"): 0.01, ("timing", "outputs.amplitude"): 0.01,
    ("timing", "outputs.offset"): 0.01,
}
BY_HAND = {  # values that no validator describes
    ("timing", "edges.delay"): [(0, 1.25e-6), (2, 3.5e-5)],
    ("thermometer", "input_name"): ["cavity", "crystal"],
    ("digitiser", "timebase_position"): [-2.5e-6, 1.25e-5],
    ("oscilloscope", "timebase_position"): [-2.5e-6, 1.25e-5],
    ("oscilloscope", "points"): [1000, 20_000, 50_000],         # of 500 000, every n-th
    ("oscilloscope", "channels.probe"): [1.0, 10.0],            # other ranges go with others
}
HELD_AS_RANGE = {("digitiser", "channels.scale"): 8, ("oscilloscope", "channels.scale"): 8}
"""Volts per division are held as the range of so many divisions."""
ROLES = ("pump", "timing", "digitiser", "microwave", "microwave_45", "analyser", "energy", "shutter", "vna",
         "tuner", "thermometer", "interlock", "oscilloscope")
"""As on a bench; "oscilloscope" is the digitiser of a second one, an InfiniiVision."""


class Setting:
    """One settable property, as PyMeasure's `control` has recorded it."""

    def __init__(self, role, owner, path, name, member):
        self.role, self.owner, self.name, self.path = role, owner, name, path
        recorded = {n: p.default for n, p in inspect.signature(member.fset).parameters.items()}
        self.command, self.values = recorded["set_command"], recorded["values"]
        self.mapped, self.process = recorded["map_values"], recorded["set_process"]
        asked = {n: p.default for n, p in inspect.signature(member.fget).parameters.items()}
        self.back = asked["get_process"] if asked["get_command"] else None
        self.ranged = isinstance(self.values, (list, tuple)) and len(self.values) == 2 and not any(
            isinstance(bound, str) for bound in self.values) and not self.by_hand

    @property
    def by_hand(self):
        return BY_HAND.get((self.role, self.path))

    @property
    def spec(self):
        """The last place of the command where a value goes, such as %.3f."""
        return re.findall(r"%[-+0-9.]*[a-z]", self.command)[-1]

    def draw(self, chance):
        if self.by_hand:
            return chance.choice(self.by_hand)
        if not self.ranged:
            return chance.choice(list(self.values))
        low, high = NARROWER.get((self.role, self.path), self.values)
        wide = low > 0 and high / low > 1e3
        value = math.exp(chance.uniform(math.log(low), math.log(high))) if wide else chance.uniform(low, high)
        if step := COARSE.get((self.role, self.path)):
            return round(value / step) * step
        return round(value) if self.spec.endswith("d") and self.process(1.0) == 1.0 else value

    def sent(self, value):
        """What stands in the message for a value."""
        if isinstance(value, tuple):
            return self.spec % value[-1]
        return self.spec % self.process(self.values[value] if self.mapped else value)

    def in_device(self, value):
        """What should stand in the device, as text."""
        if factor := HELD_AS_RANGE.get((self.role, self.path)):
            return str(factor * float(self.sent(value)))
        name = re.search(r"[ ,]([A-Z]+)%", self.command)        # a number that is part of a name: CHAN%d
        return (name[1] if name else "") + self.sent(value)

    def expected(self, value):
        """What should be read back: the value as it was printed."""
        if isinstance(value, (tuple, str, bool)) or self.mapped:
            return value
        return self.back(float(self.sent(value)))

    @property
    def numeric(self):
        """Whether a number far away is out of range; a SCPI switch takes any number for ON."""
        switch = not self.ranged and not self.by_hand and set(self.values) <= {True, False}
        scpi = self.role not in RAW or self.role in ("digitiser", "oscilloscope")
        return self.spec[-1] != "s" and not (switch and scpi)

    def message(self, text, spoil=""):
        """The command with `text` for its value, and its header spoilt by more letters."""
        command = self.owner.insert_id(self.command) if hasattr(self.owner, "insert_id") else self.command
        head, _, tail = command.replace("%%", "%").rpartition(self.spec)
        end = {"pump": head.rfind("/"), "tuner": head.rfind(" ")}.get(self.role, head.find(" "))
        return head[:end] + spoil + head[end:].replace("%d", "0") + text + tail

    def __repr__(self):
        return f"{self.role}.{self.path}"


def sends(member):
    """Whether setting the property sends something; a measurement has a setter that refuses."""
    command = inspect.signature(member.fset).parameters.get("set_command")
    return command is not None and command.default is not None


def settings_of(role, driver):
    """Every settable property of a driver of ours, of one channel of each kind included."""
    places = [("", driver)]
    for name, number in (("edges", 4), ("outputs", 4), ("channels", 2)):
        if hasattr(driver, name):
            places.append((name + ".", getattr(driver, name)[number]))
    for prefix, owner in places:
        for cls in type(owner).__mro__:
            if cls.__module__.startswith("instruments."):
                for name, member in vars(cls).items():
                    if isinstance(member, property) and member.fset and sends(member):
                        yield Setting(role, owner, prefix + name, name, member)


def held(device):
    """All values that a device holds, by name."""
    found = dict(getattr(device, "settings", {}))
    found |= {name: register.value for name, register in getattr(device, "registers", {}).items()}
    found |= {f"delay {edge}": delay for edge, (_, delay) in getattr(device, "delays", {}).items()}
    found |= {f"link {edge}": link for edge, (link, _) in getattr(device, "delays", {}).items()}
    return found


def agree(found, expected):
    """Whether a property reads back what was set."""
    return found == (expected if isinstance(expected, str) else pytest.approx(expected, rel=1e-6, abs=1e-12))


def same(value, text):
    """Whether a device's value is what a message said."""
    try:
        return math.isclose(float(value), float(text), rel_tol=1e-6, abs_tol=1e-12)
    except ValueError:
        return str(value).upper() in (text.upper(), text.upper()[:4]) or (
            isinstance(value, bool) and text == ("ON" if value else "OFF"))


@pytest.fixture(scope="module")
def places(bench_here, infiniivision_here):
    """The bench and the role there of all that is tested."""
    return {role: (infiniivision_here, "digitiser") if role == "oscilloscope" else (bench_here, role)
            for role in ROLES}


@pytest.fixture(scope="module")
def devices(places):
    return {role: bench.devices[name] for role, (bench, name) in places.items()}


@pytest.fixture(scope="module")
def drivers(places):
    connected = {role: bench.connect(name) for role, (bench, name) in places.items()}
    yield connected
    for driver in connected.values():
        driver.disconnect()


@pytest.mark.parametrize("role", ROLES)
def test_a_random_value_is_read_back_and_is_in_the_device(devices, drivers, role):
    chance = random.Random(role)
    for setting in settings_of(role, drivers[role]):
        for _ in range(2):
            value = setting.draw(chance)
            before = held(devices[role])
            if setting.back is None:
                setattr(setting.owner, setting.name, value)
                continue
            changes = not agree(getattr(setting.owner, setting.name), setting.expected(value))
            setattr(setting.owner, setting.name, value)
            assert agree(getattr(setting.owner, setting.name), setting.expected(value)), setting
            after = held(devices[role])
            new = {name: now for name, now in after.items() if now != before.get(name)}
            sent = setting.in_device(value)
            assert any(same(now, sent) for now in new.values()) or not changes, (setting, new)
    drivers[role].make_safe()


@pytest.mark.parametrize("role", ROLES)
def test_what_is_out_of_range_is_refused_on_both_sides(devices, drivers, role):
    driver = drivers[role]
    out_of_range, no_choice, unknown = RAW.get(role, SCPI)
    for setting in settings_of(role, driver):
        before = held(devices[role])
        if setting.by_hand is None:
            wrong = 2 * setting.values[1] + 1 if setting.ranged else "nothing"
            with pytest.raises(ValueError):
                setattr(setting.owner, setting.name, wrong)
        number = "999999999999" if setting.spec.endswith("d") else "1e30"
        attempts = [(setting.message(number), out_of_range) if setting.numeric else
                    (setting.message("x" * 20), no_choice), (setting.message("1", spoil="qq"), unknown)]
        for message, said in attempts:
            with pytest.raises(Refused, match=said):
                driver.write(message)
                driver.check_errors()
        assert held(devices[role]) == before, setting


def test_nothing_settable_is_left_out(drivers):
    found = [setting for role, driver in drivers.items() for setting in settings_of(role, driver)]
    assert len(found) > 60
    assert {setting.role for setting in found} == set(ROLES) - {"interlock"}
