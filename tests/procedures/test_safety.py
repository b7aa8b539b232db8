"""The safe state: every step is tried whatever the others do, and unknown is never called safe."""

import threading
import time
from dataclasses import dataclass, field

import pytest

from procedures.machinery.apparatus.safety import ORDER, VITAL, make_safe, read_back


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
    hangs: float = 0.0
    calls: list = field(default_factory=list)

    def make_safe(self):
        time.sleep(self.hangs)
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


def test_every_role_is_turned_off_and_only_then_read_back():
    log, roles = bench()
    state = make_safe(roles)
    assert sorted(log) == sorted([f"{role} off" for role in ORDER] + [f"{role} read" for role in ORDER])
    assert all(log.index(f"{role} off") < log.index(f"{role} read") for role in ORDER)
    assert (state.verified, state.laser, state.shutter, state.rf) == (True, "off", "closed", "off")


@pytest.mark.parametrize("role", ["pump", "digitiser"])
def test_an_instrument_that_hangs_delays_no_other_and_is_unknown_at_the_deadline(role):
    log, roles = bench(**{role: {"hangs": 3.0}})
    began = time.monotonic()
    state = make_safe(roles)
    assert time.monotonic() - began < 0.5
    assert [line for line in log if line.endswith("read")] != []
    assert {line for line in log if line.endswith("off")} == {f"{r} off" for r in ORDER if r != role}
    assert state.verified == (role not in VITAL)
    assert f"{role}: unknown, no answer within" in state.message


def test_reading_back_commands_nothing():
    log, roles = bench()
    assert read_back(roles).verified
    assert sorted(log) == sorted(f"{role} read" for role in ORDER)


@pytest.mark.parametrize("failure", [SystemExit("enough"), MemoryError(), KeyboardInterrupt()])
def test_what_goes_wrong_inside_the_safe_state_itself_stays_inside_one_step(failure):
    def fail():
        raise failure

    log, roles = bench()
    roles["microwave"].make_safe = roles["microwave"].verify_safe = fail
    state = make_safe(roles)
    assert (state.verified, state.laser, state.shutter, state.rf) == (False, "off", "closed", "unknown")
    assert len(log) == 2 * len(ORDER) - 2


def test_without_a_thread_to_be_had_the_steps_are_taken_one_after_another(monkeypatch):
    def refused(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    log, roles = bench()
    assert make_safe(roles).verified
    assert [line for line in log if line.endswith("off")] == [f"{role} off" for role in ORDER]
    assert log[::2][:3] == ["timing off", "shutter off", "pump off"]


@pytest.mark.parametrize("role", ORDER)
def test_an_instrument_that_refuses_keeps_no_other_from_being_made_safe(role):
    log, roles = bench(**{role: {"fails": True, "dies": True}})
    make_safe(roles)
    assert sorted(line for line in log if line.endswith("off")) == sorted(f"{r} off" for r in ORDER)


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
