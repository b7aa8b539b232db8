"""The tuning piston, what the bench file says of it, and that what it does is in the truth log."""

import json

import pytest

from mock_devices.piston import Piston
from mock_devices.truth_log import TruthLog

SLOPE = "megahertz_per_millimetre = -10"
PARKED = round(12.7e-3 / 0.047625e-6)


def test_the_piston_follows_within_its_backlash():
    piston = Piston(parked=10e-3, backlash=20e-6)
    for stage, expected in ((10.005e-3, 10e-3), (10.03e-3, 10.02e-3), (10.015e-3, 10.02e-3),
                            (10e-3, 10.01e-3)):
        piston.follow(stage)
        assert piston.position == pytest.approx(expected)


def test_the_slope_bends_by_two_per_mille_a_millimetre():
    piston = Piston(slope=-10e9, parked=10e-3, backlash=0.0)
    slopes = []
    for stage in (9e-3, 11e-3, 12e-3):
        piston.follow(stage)
        slopes.append(piston.tuning / (stage - 10e-3))
    assert slopes == pytest.approx([-10e9 * 0.998, -10e9 * 1.002, -10e9 * 1.004])


@pytest.mark.parametrize("slope", [-10, -12, 5])
def test_the_bench_file_says_how_far_a_millimetre_tunes(desk_of, virtual_text, slope):
    desk = desk_of(virtual_text.replace(SLOPE, f"{SLOPE[:-3]}{slope}"))
    before = desk.cavity.frequency
    assert desk.tuner.ask(f"/1 1 move rel {round(0.1e-3 / 0.047625e-6)}") == "@01 1 OK BUSY -- 0"
    arrived = 0.1e-3 - 5e-6     # less half of the backlash
    assert desk.cavity.frequency - before == pytest.approx(slope * 1e9 * arrived, rel=1e-3)
    desk.close()


def test_a_move_is_written_into_the_truth_log(desk_of, virtual_text, tmp_path):
    log = tmp_path / "truth.jsonl"
    desk = desk_of(virtual_text, TruthLog(log))
    desk.tuner.ask(f"/1 1 move abs {PARKED + 1000}")
    desk.close()
    frequencies = [json.loads(line)["bench"]["cavity_frequency"] for line in log.read_text().splitlines()]
    assert len(frequencies) == 2
    assert abs(frequencies[1] - frequencies[0]) > 1e5


def test_a_stop_half_way_leaves_the_piston_half_way(desk_of, virtual_text):
    desk = desk_of(virtual_text)
    desk.tuner.ask(f"/1 1 move abs {PARKED + 100000}")
    desk.clock.advance(0.05)
    half_way = int(desk.tuner.ask("/1 1 get pos").split()[-1])
    assert PARKED < half_way < PARKED + 100000
    desk.tuner.ask("/1 1 stop")
    assert desk.tuner.ask("/1 1 get pos").split() == ["@01", "1", "OK", "IDLE", "--", str(half_way)]
    moved = (half_way - PARKED) * 0.047625e-6 - 5e-6
    assert desk.cavity.tuning == pytest.approx(-10e9 * moved * (1 + 2 * moved), abs=500)  # half a step
    desk.close()


def test_another_speed_is_for_the_next_move_and_moves_nothing_by_itself(desk_of, virtual_text):
    desk = desk_of(virtual_text)
    desk.tuner.ask(f"/1 1 move abs {PARKED + 1000}")
    desk.clock.advance(0.1)
    assert desk.tuner.ask("/1 1 set maxspeed 100") == "@01 1 OK IDLE -- 0"
    assert desk.tuner.ask("/1 1 get pos").split()[-1] == str(PARKED + 1000)
    desk.close()


@pytest.mark.parametrize(("message", "reply"), [
    ("/1 1 move abs -1", "BADDATA"), ("/1 1 set maxspeed 0", "BADDATA"), ("/1 1 move abs fast", "BADDATA"),
    ("/1 1 dance", "BADCOMMAND"), ("/1 1 get nothing", "BADCOMMAND"), ("/1 2 get pos", "BADAXIS")])
def test_the_stage_rejects_in_zabers_words(desk_of, virtual_text, message, reply):
    desk = desk_of(virtual_text)
    assert desk.tuner.ask(message).split()[2::3] == ["RJ", reply]
    assert desk.tuner.ask("/2 1 get pos") == desk.tuner.ask("hello") == ""
    assert desk.cavity.tuning == 0.0
    desk.close()
