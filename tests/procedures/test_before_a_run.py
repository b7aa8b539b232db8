"""What is looked at before anything is armed: an amplifier's input, and the 10 MHz that all should follow."""

import json
import subprocess
import sys

import pytest

from procedures import open_bench, open_run, run
from procedures.machinery.apparatus.bench import bench_file
from procedures.machinery.flight_check import fly
from procedures.machinery.records.failures import BenchFailure
from twin.bench_description import parse

VIRTUAL = bench_file("virtual").read_text("utf-8")
FULL = {"pump_energy": 5e-3}


def test_a_burst_too_strong_for_an_amplifier_is_refused_by_its_name_and_level():
    assert fly(parse(VIRTUAL, "virtual"), FULL).refused == ()
    flight = fly(parse(VIRTUAL.replace('lna_power = "-20dBm"', 'lna_power = "-40dBm"'), "virtual"), FULL)
    assert [text.partition(":")[0] for text in flight.refused] == ["burst", "log"]
    level = flight.levels["burst: attenuator"]   # what comes out of it goes into the lna
    assert f"{level:.1f} dBm are expected at the input of lna, above this bench's limit of -40.0 dBm" in (
        flight.refused[0])
    silent = VIRTUAL.replace('lna_power = "-20dBm"\n', "")
    assert fly(parse(silent, "virtual"), FULL).refused == ()


def test_a_run_that_the_flight_check_refuses_leaves_nothing_and_arms_nothing(served, tmp_path):
    hot = tmp_path / "hot.toml"
    text = served[0].read_text("utf-8")
    hot.write_text(text.replace('lna_power = "-20dBm"', 'lna_power = "-40dBm"'), "utf-8")
    before = served[1].state()["shots"]
    with open_bench(hot) as bench:
        with pytest.raises(ValueError, match="are expected at the input of lna"):
            run("single_shot", bench, tmp_path / "runs")
        weak = run("single_shot", bench, tmp_path / "runs", pump_energy="0.2mJ")
    assert served[1].state()["shots"] == before + 1 and weak.state == "finished"
    assert [path.resolve() for path in (tmp_path / "runs").iterdir()] == [weak.path]


@pytest.fixture
def said_to_be_shared(served, tmp_path):
    """A bench file that says all run on one 10 MHz, of instruments that run on their own."""
    file = tmp_path / "shared.toml"
    file.write_text('reference = "shared"\n' + served[0].read_text("utf-8"), "utf-8")
    return file


def test_an_instrument_on_a_clock_of_its_own_ends_a_run_before_anything_is_armed(said_to_be_shared, served,
                                                                                 tmp_path):
    before = served[1].state()["shots"]
    with open_bench(said_to_be_shared) as bench, pytest.raises(
            BenchFailure, match=r"microwave.*: not locked to the bench's 10 MHz.*reference = \"shared\""):
        run("single_shot", bench, tmp_path / "runs")
    assert served[1].safe and served[1].state()["shots"] == before
    (folder,) = (tmp_path / "runs").iterdir()
    with open_run(folder) as left:
        assert (left.state, len(left.shots)) == ("aborted", 0)
        assert "Armed" not in {event["event"] for event in left.events}


def test_check_says_which_instrument_it_is(said_to_be_shared):
    done = subprocess.run([sys.executable, "-m", "maserbench", "check", "--bench", str(said_to_be_shared),
                           "--json"], capture_output=True, text=True, timeout=60)
    roles = json.loads(done.stdout)["roles"]
    assert done.returncode == 1
    assert "not locked to the 10 MHz" in roles["microwave"]["message"]
    assert not roles["microwave"]["limits_ok"] and roles["pump"]["limits_ok"]
