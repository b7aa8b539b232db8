"""kill -9 of the controller at any moment of its life: nothing that was reported is lost, nothing is left on.

A few moments here; two hundred, with the times, in

    pytest -m campaign -s tests/procedures/test_kill.py
"""

import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from procedures import open_run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")

SHOTS, SEED = 16, 20
PHASES = {"born": "opening the bench", "guard": "opening the bench", "run": "preparing the run",
          "armed": "arming and first shot", "stored": "shots", "safe": "fitting and ending",
          "ended": "over, closing the bench"}


@dataclass(frozen=True)
class Undisturbed:
    """The run that nobody killed: raw codes by shot and channel, and how long its controller lived [s]."""

    codes: tuple
    seconds: float


@dataclass(frozen=True)
class Killed:
    """One kill: in which phase, time until all was off [s], shots that were reported, and found."""

    phase: str
    seconds: float
    reported: int
    found: int


@pytest.fixture(scope="module")
def undisturbed(nursery, tmp_path_factory):
    nursery.bear(tmp_path_factory.mktemp("undisturbed"), SHOTS, SEED)
    began = time.monotonic()
    assert nursery.hear("ended", "failed") == "finished"
    took = time.monotonic() - began
    with open_run(nursery.path) as done:
        return Undisturbed(tuple(codes_of(shot) for shot in done.shots), took)


def codes_of(shot):
    return {name: waveform.codes.copy() for name, waveform in shot.waveforms.items()}


def settled_state(left, patience=3.0):
    """What became of a run, once its guard no longer writes into it."""
    end = time.monotonic() + patience
    while left.state == "running" and time.monotonic() < end:
        time.sleep(0.02)
    return left.state


def kill(nursery, console, folder, undisturbed, moment):
    """Kill -9 `moment` [s] after a controller was born, and hold what it left against the undisturbed run."""
    nursery.bear(folder, SHOTS, SEED)
    born = nursery.id
    time.sleep(moment)
    with suppress(ProcessLookupError):  # it was quicker than the undisturbed one
        nursery.signal("SIGKILL")
    seconds = console.seconds_until_safe()
    nursery.hear_the_rest()
    phase = PHASES[[word for word in nursery.said if word in PHASES][-1]] if nursery.said else ""
    assert nursery.id == born
    if nursery.path is None:
        return Killed(phase, seconds, 0, 0)
    with open_run(nursery.path) as left:
        assert settled_state(left) in ("killed", "finished")
        assert len(left.shots) >= nursery.stored, "a shot that was reported is lost"
        for shot, codes in zip(left.shots, undisturbed.codes, strict=False):
            found = codes_of(shot)
            assert set(found) == set(codes)
            assert all(np.array_equal(found[name], codes[name]) for name in codes), f"shot {shot.number}"
            assert shot.fit is None or shot.fit.shot == shot.number
        return Killed(phase, seconds, nursery.stored, len(left.shots))


@pytest.fixture
def kill_at(nursery, served, tmp_path, undisturbed):
    return lambda moment: kill(nursery, served[1], tmp_path, undisturbed, moment)


def test_kill_9_at_any_moment_leaves_a_safe_bench_and_every_reported_shot(kill_at, undisturbed):
    moments = random.Random(6)
    kills = [kill_at(undisturbed.seconds * (n + moments.random()) / 5) for n in range(5)]
    assert max(one.seconds for one in kills) < 1.0
    assert sum(one.reported for one in kills) > 0


def test_the_guard_writes_down_that_it_took_over(nursery, served, tmp_path):
    nursery.start(tmp_path)
    nursery.hear_shots(2)
    nursery.signal("SIGKILL")
    assert served[1].seconds_until_safe() < 1.0
    end = time.monotonic() + 5.0
    while not (told := [e for e in open_run(nursery.path).events if e["event"] == "TakenOver"]):
        assert time.monotonic() < end, "the guard wrote nothing"
        time.sleep(0.05)
    assert "died" in told[0]["reason"]
    assert told[0]["verified"]
    assert (told[0]["laser"], told[0]["shutter"], told[0]["rf"]) == ("off", "closed", "off")
    nursery.hear_the_rest()
    assert settled_state(open_run(nursery.path)) == "killed"


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_kill_9_two_hundred_times(kill_at, undisturbed):
    moments = random.Random(7)
    kills = [kill_at(moments.uniform(0.0, undisturbed.seconds)) for _ in range(200)]
    took = np.array([one.seconds for one in kills])
    print(f"\n200 kills of a run of {undisturbed.seconds:.2f} s; seconds to a safe bench: "
          f"median {np.median(took):.3f}, 95 % {np.quantile(took, 0.95):.3f}, longest {took.max():.3f}")
    for phase in dict.fromkeys(PHASES.values()):
        times = [one.seconds for one in kills if one.phase == phase]
        print(f"  {phase:24}{len(times):4} kills, longest {max(times, default=0.0):.3f} s")
    reported, found = sum(one.reported for one in kills), sum(one.found for one in kills)
    print(f"  {reported} shots were reported, {found} found, all as in the undisturbed run")
    assert took.max() < 1.0


MAIN = """
import sys
from maserbench import main
sys.argv = ["maserbench", "run", "single_shot", "--progress", "plain", "--bench", sys.argv[1], "--output",
            sys.argv[2], "--set", "shots=500", "--set", "repetition_rate=20Hz"]
main()
"""


def test_a_command_that_is_killed_while_it_starts_leaves_nothing_on(served, tmp_path):
    for moment in (0.2, 0.9, 1.6):
        with subprocess.Popen([sys.executable, "-c", MAIN, str(served[0]), str(tmp_path)],
                              stdout=subprocess.DEVNULL) as process:
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
        assert served[1].seconds_until_safe() < 1.0
    for path in Path(tmp_path).iterdir():
        assert settled_state(open_run(path)) == "killed"
