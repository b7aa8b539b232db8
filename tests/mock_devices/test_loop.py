"""The coupling loop: what its depth does to quality, coupling, frequency and radiated power."""

import json
import math

import pytest

from mock_devices.bench_file import World
from mock_devices.loop import Coupled
from mock_devices.truth_log import TruthLog
from twin.receiver import Receiver

PARKED = round(12.7e-3 / 0.047625e-6)
MILLIMETRE = round(1e-3 / 0.047625e-6)
PLAY = 5e-6     # half of the stage's backlash


@pytest.mark.parametrize("slope", [3, -2.5])
def test_a_millimetre_changes_the_coupling_by_the_declared_decibels(desk_of, virtual_text, slope):
    text = virtual_text.replace("decibels_per_millimetre = 3", f"decibels_per_millimetre = {slope}")
    desk = desk_of(text)
    before, unloaded = desk.cavity.loop.factor, desk.cavity.loaded_quality * (1 + desk.cavity.loop.factor)
    assert desk.loop.ask(f"/1 1 move abs {PARKED + MILLIMETRE}") == "@01 1 OK BUSY -- 0"
    factor = desk.cavity.loop.factor
    assert 10 * math.log10(factor / before) == pytest.approx(slope * 1e3 * (1e-3 - PLAY), rel=1e-3)
    assert desk.cavity.loaded_quality * (1 + factor) == pytest.approx(unloaded)
    assert desk.cavity.tuning == 0.0
    desk.close()


def test_the_dip_of_the_reflection_is_that_of_the_new_coupling(desk_of, virtual_text):
    desk = desk_of(virtual_text)
    desk.loop.ask(f"/1 1 move abs {PARKED + 2 * MILLIMETRE}")
    k = desk.cavity.loop.factor
    assert abs(desk.cavity.reflection(desk.cavity.frequency)) == pytest.approx(abs(1 - k) / (1 + k))
    desk.close()


def test_a_loop_that_was_never_moved_changes_no_number():
    world = World()
    assert Coupled(world).world is world
    assert (Coupled(world).broader, Coupled(world).pull) == (1.0, 0.0)


def test_external_decay_goes_with_the_coupling_and_the_unloaded_width_stays():
    receiver = Receiver(loaded_quality=8500, coupling_factor=0.2)
    deep = receiver.at_coupling(2.0)
    assert deep.external_decay == pytest.approx(10 * receiver.external_decay)
    assert deep.loaded_quality == pytest.approx(8500 * 1.2 / 3.0)
    assert Coupled(World(), 10.0).world.receivers["burst"].watts_per_photon == pytest.approx(
        10 * World().receivers["burst"].watts_per_photon)


def test_the_loop_pulls_the_mode_by_a_tenth_of_what_it_adds_to_its_width():
    moved = Coupled(World(), 5.0)
    width = World().parameters.cavity_decay / (2 * math.pi)
    assert moved.pull == pytest.approx(-0.1 * width * (moved.broader - 1.0)) and moved.pull < 0.0


def test_every_move_is_in_the_truth_log_with_its_threshold(desk_of, virtual_text, tmp_path):
    log = tmp_path / "truth.jsonl"
    desk = desk_of(virtual_text, TruthLog(log))
    desk.loop.ask(f"/1 1 move abs {PARKED + MILLIMETRE}")
    desk.close()
    before, after = (json.loads(line)["bench"] for line in log.read_text().splitlines())
    assert after["loaded_quality"] < before["loaded_quality"] and after["coupling_factor"] > 0.39
    assert after["threshold_energy"] * after["loaded_quality"] == pytest.approx(
        before["threshold_energy"] * before["loaded_quality"], rel=1e-4)
