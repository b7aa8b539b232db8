"""The safe state: every step is tried whatever the others do, and unknown is never called safe."""

from dataclasses import dataclass, field

import pytest

from procedures.machinery.safety import ORDER, make_safe


@dataclass
class Report:
    safe: bool | None
    found: str


@dataclass
class Instrument:
    """A stand-in for an instrument: remembers what it was told, fails where it is told to."""

    role: str
    log: list
    fails: bool = False
    reads: bool | None = True
    dies: bool = False
    calls: list = field(default_factory=list)

    def make_safe(self):
        self.log.append(f"{self.role} off")
        if self.fails:
            raise RuntimeError(f"{self.role} does not listen")

    def verify_safe(self):
        self.log.append(f"{self.role} read")
        if self.dies:
            raise RuntimeError(f"{self.role} is gone")
        return Report(self.reads, f"{self.role} answers")


def bench(**odd):
    log = []
    return log, {role: Instrument(role, log, **odd.get(role, {})) for role in reversed(ORDER)}


def test_the_laser_is_inhibited_first_and_everything_is_off_before_anything_is_read_back():
    log, roles = bench()
    state = make_safe(roles)
    assert log[:len(ORDER)] == [f"{role} off" for role in ORDER]
    assert log[:3] == ["timing off", "shutter off", "pump off"]
    assert (state.verified, state.laser, state.shutter, state.rf) == (True, "off", "closed", "off")


@pytest.mark.parametrize("role", ORDER)
def test_an_instrument_that_refuses_keeps_no_other_from_being_made_safe(role):
    log, roles = bench(**{role: {"fails": True, "dies": True}})
    make_safe(roles)
    assert [line for line in log if line.endswith("off")] == [f"{r} off" for r in ORDER]


@pytest.mark.parametrize(("role", "word"), [("pump", "laser"), ("shutter", "shutter"), ("microwave", "rf")])
def test_what_cannot_be_read_back_is_unknown_and_what_reads_wrong_is_said(role, word):
    _, roles = bench(**{role: {"dies": True}})
    state = make_safe(roles)
    assert not state.verified
    assert getattr(state, word) == "unknown"
    _, roles = bench(**{role: {"reads": False}})
    state = make_safe(roles)
    assert not state.verified
    assert getattr(state, word).startswith("NOT")
    assert f"{role} answers" in state.message


@pytest.mark.parametrize("role", ["timing", "digitiser", "analyser"])
def test_an_instrument_that_can_do_no_harm_is_mentioned_but_leaves_the_state_known(role):
    _, roles = bench(**{role: {"dies": True}})
    state = make_safe(roles)
    assert state.verified
    assert f"{role} is gone" in state.message


def test_a_role_that_was_never_reached_counts_as_unknown():
    _, roles = bench()
    pump = {"pump": OSError("cannot connect")}
    del roles["pump"]
    state = make_safe(roles, pump)
    assert (state.verified, state.laser) == (False, "unknown")


def test_without_a_shutter_the_state_says_none():
    _, roles = bench()
    del roles["shutter"]
    state = make_safe(roles)
    assert (state.verified, state.shutter) == (True, "none")
