"""Safety while a run is under way: what hangs, opens or exceeds a limit ends it with everything off."""

import getpass
import sys
import threading
import time

import pytest

from procedures import open_bench, open_run, run
from procedures.machinery.apparatus.arming import VALID, Arming
from procedures.machinery.apparatus.guard import Guard
from procedures.machinery.apparatus.watched_limits import WatchedLimits
from procedures.machinery.records import events
from procedures.machinery.records.failures import BenchFailure

SAFE = ("off", "closed", "off")


@pytest.fixture(scope="module")
def bench(served):
    with open_bench(served[0]) as opened:
        yield opened
        guard = opened.guard
    assert guard.problem and "took over" not in guard.problem  # it was sent home and did nothing


def state_of(console):
    state = console.state()
    return state["laser"], state["shutter"], state["rf"]


class Watching(list):
    """Keeps every event; calls `then` after the shot with this number."""

    def __init__(self, number=-1, then=lambda: None):
        super().__init__()
        self._number, self._then = number, then

    def __call__(self, event):
        self.append(event)
        if isinstance(event, events.ShotStored) and event.shot.number == self._number:
            self._then()

    def of(self, kind):
        return [event for event in self if isinstance(event, kind)]


def test_a_scope_that_hangs_in_a_transfer_does_not_delay_the_laser(bench, served, tmp_path):
    console, stop, seen = served[1], threading.Event(), {}

    def stop_and_look():
        time.sleep(0.2)  # by now the next shot's record is asked for, and will never come
        seen["before"], began = state_of(console)[0], time.monotonic()
        stop.set()
        while state_of(console) != SAFE and time.monotonic() - began < 10.0:
            time.sleep(0.005)
        seen["seconds"] = time.monotonic() - began

    watcher = threading.Thread(target=stop_and_look)
    console.ask("inject timeout severity=30 at=shot:2")
    done = run("single_shot", bench, tmp_path, publish=Watching(1, watcher.start), shots=100,
               should_stop=stop.is_set, repetition_rate=20.0)
    watcher.join()
    assert seen["before"] in ("armed", "emitting")
    assert seen["seconds"] < 0.5
    assert done.state == "aborted"
    assert len(done.shots) == 2
    assert any("while it was being stopped: digitiser" in event.get("text", "") for event in done.events)


def test_whatever_is_raised_while_a_run_is_watched_the_run_ends_safe_first(bench, served, tmp_path):
    told = Watching()

    def give_up():
        if told.of(events.ShotStored):
            raise ZeroDivisionError("the script that started this has a mistake")
        return False

    with pytest.raises(ZeroDivisionError):
        run("single_shot", bench, tmp_path, publish=told, shots=100, should_stop=give_up)
    assert state_of(served[1]) == SAFE
    assert isinstance(told[-1], events.RunEnded)
    assert len(told.of(events.ShotStored)) < 10


def test_an_interlock_that_opened_for_a_moment_ends_the_run_and_no_run_resets_it(bench, served, tmp_path):
    console = served[1]
    told = Watching(1, lambda: console.ask("inject interlock"))
    with pytest.raises(BenchFailure, match="pump: its emission reads 'fault'"):
        run("single_shot", bench, tmp_path, publish=told, shots=100, repetition_rate=20.0)
    assert len(told.of(events.ShotStored)) == 2
    try:
        for _ in range(2):
            with pytest.raises(BenchFailure, match="this program resets no interlock"):
                run("single_shot", bench, tmp_path, shots=1)
            assert state_of(console) == SAFE
    finally:
        console.ask("inject interlock severity=0")  # a person
    assert state_of(console) == SAFE
    again = Watching()
    run("single_shot", bench, tmp_path, publish=again, shots=9,
        should_stop=lambda: again.of(events.ShotStored))
    assert again.of(events.ShotStored)


def test_a_pulse_above_the_limit_ends_the_run_safe(bench, served, tmp_path):
    served[1].ask("inject low_energy severity=1.4 at=shot:1")
    told = Watching()
    with pytest.raises(BenchFailure, match=r"photodiode saw too much of shot 1, .*\[limits\] pump_energy"):
        run("single_shot", bench, tmp_path, publish=told, shots=100, repetition_rate=20.0)
    assert state_of(served[1]) == SAFE
    with open_run(told[0].path) as left:
        assert len(left.shots) == 2  # the shot that was too strong is kept


def test_events_say_who_armed_the_bench_and_why(bench, tmp_path):
    told = Watching()
    done = run("single_shot", bench, tmp_path, publish=told, should_stop=lambda: told.of(events.ShotStored),
               shots=9, pump_energy="2mJ", repetition_rate="20Hz")
    names = [event["event"] for event in done.events]
    (armed,) = [event for event in done.events if event["event"] == "Armed"]
    assert armed["user"] == getpass.getuser()
    assert (armed["reason"], armed["pump_energy"], armed["repetition_rate"]) == ("SingleShot", 2e-3, 20.0)
    assert armed["limits"]["pump_energy"] == [0.0, 6e-3]
    assert names.index("Armed") < names.index("ShotStored") < names.index("SafeState")


class Stub:
    """A stand-in for pump, timing or source: remembers what it was told."""

    def __init__(self, **values):
        self.told = []
        self.__dict__ |= values

    def __getattr__(self, name):
        return lambda *given: self.told.append(name)


WISH = ("SingleShot", {"pump_energy": 1e-3, "repetition_rate": 10.0}, {})


def arming(**more):
    clock = [0.0]
    roles = {"pump": Stub(), "timing": Stub(), **more}
    return roles, clock, Arming(roles, lambda event: None, lambda: clock[0])


def test_leave_is_used_once_and_not_when_it_is_old():
    roles, clock, desk = arming()
    with pytest.raises(BenchFailure, match="no leave was given"):
        desk.arm()
    desk.ask(*WISH)
    clock[0] = VALID + 1.0
    with pytest.raises(BenchFailure, match="61 s ago and is good for 60 s"):
        desk.arm()
    assert (roles["pump"].told, roles["timing"].told) == ([], [])
    desk.ask(*WISH)
    desk.arm()
    assert (roles["pump"].told, roles["timing"].told) == (["arm"], ["release"])
    with pytest.raises(BenchFailure, match="no leave was given"):
        desk.arm()


def test_after_the_bench_was_made_safe_nothing_arms_it_again():
    roles, _, desk = arming()
    desk.ask(*WISH)
    desk.cut_short()
    for _ in range(2):
        with pytest.raises(BenchFailure, match="made safe in the meantime"):
            desk.arm()
        desk.ask(*WISH)
    assert "arm" not in roles["pump"].told


def test_a_stop_in_the_middle_of_arming_is_found_at_its_end():
    roles, _, desk = arming()
    roles["timing"].release = desk.cut_short
    desk.ask(*WISH)
    with pytest.raises(BenchFailure, match="made safe in the meantime"):
        desk.arm()


def test_no_leave_is_given_while_the_safety_chain_is_open():
    _, _, desk = arming(interlock=Stub(closed=False, open_contacts=("laser housing", "latch")))
    with pytest.raises(BenchFailure, match="open at laser housing, latch; a person"):
        desk.ask(*WISH)


def test_limits_hold_back_a_strong_source_and_a_fast_trigger(bench):
    limits = WatchedLimits(bench.description, lambda seconds: seconds)
    limits.before_output("microwave", Stub(power=10.0))
    with pytest.raises(BenchFailure, match=r"microwave: its output stays off.*12\.59 mW.*10 mW"):
        limits.before_output("microwave", Stub(power=11.0))
    limits.before_shot(100.0)
    limits.before_shot(100.05)
    with pytest.raises(BenchFailure, match=r"20 ms after the last one.*every 50 ms"):
        limits.before_shot(100.07)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a program that does nothing")
def test_a_guard_that_cannot_start_is_said(bench, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    guard = Guard(bench.description, holding=False)
    try:
        guard.connect()
        with pytest.raises(BenchFailure, match="the guard process did not start"):
            guard.await_ready()
    finally:
        guard.close()
