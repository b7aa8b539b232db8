"""The page for the first real day, run command by command on software instruments that it takes for real."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from procedures import open_run
from procedures.machinery.apparatus.bench import describe_bench
from twin.bench_description import BenchFileError, parse
from twin.bench_text import dump

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "procedures" / "benches" / "example_real.toml").read_text("utf-8")


@pytest.fixture(scope="module")
def folder(serving, tmp_path_factory):
    """A folder with mine.toml: the served bench at its ports, declared to be real."""
    folder = tmp_path_factory.mktemp("first day")
    with serving() as (ready, _):
        tables = tomllib.loads(ready.read_text("utf-8"))
        del tables["mocks"]
        (folder / "mine.toml").write_text(dump(tables | {"virtual": False}), "utf-8")
        yield folder


def test_every_command_of_the_page_works_and_origin_is_what_the_instruments_say(page, folder, carry_out):
    commands = page("first_real_day.md").commands
    assert len(commands) >= 9
    for line in commands:
        carry_out(line, folder)
    runs = [open_run(path) for path in sorted((folder / "runs").iterdir())]
    assert {run.manifest["origin"] for run in runs} == {"simulated"}
    by_name = {run.procedure: run.result for run in runs}
    assert by_name["vector_sweep"]["loaded_quality"] == pytest.approx(8330, rel=2e-3)
    assert by_name["receiver_calibration"]["intercept"] == pytest.approx(15.0, abs=0.05)
    assert runs[-1].procedure == "single_shot" and runs[-1].shots[0].fit.verdict.name == "OK"
    for run in runs:
        run.close()


def test_the_bench_is_no_virtual_one_there(folder):
    bench = describe_bench(folder / "mine.toml")
    assert not bench.virtual and bench.console is None and bench.truth is None


def test_the_example_is_refused_by_name_until_all_is_filled_in():
    """One FILL IN after the other gets a value that its key can have; the reader names each that is left."""
    values = {"loss_db": '"3dB"', "area": '"1.9mm2"', "arrival": '"200ns"', "efficiency": "0.1",
              "slope": '"-22mV/dB"', "intercept": '"15dBm"', "noise_volts": '"1mV"', "pump_energy": '"6mJ"',
              "repetition_rate": '"20Hz"', "rf_power": '"10mW"', "detector_power": '"1mW"',
              "crystal_dose": '"0.5J/cm2"', "loaded_quality": "8500", "conversion": "8.0",
              "volt_seconds_per_joule": "1e-6"}
    text, named = EXAMPLE.replace("FILL-IN", "192.0.2.1"), set()
    for _ in range(60):
        try:
            parse(text, "mine.toml")
            break
        except BenchFileError as refused:
            line = text.splitlines()[int(re.search(r"line (\d+)", str(refused))[1]) - 1]
            key = line.split("=")[0].strip()
            assert "FILL IN" in line and "FILL IN" in str(refused), (line, str(refused))
            named.add(key)
            filled = line.replace('["FILL IN", "FILL IN"]', '["200us", "5mJ"]')
            filled = filled.replace('"FILL IN"', values.get(key, "0.5"))
            text = text.replace(line, filled, 1)
    else:
        raise AssertionError("the example is never accepted")
    assert {"gains_db", "pump_energy", "detector_power", "rf_power", "slope", "pick_off"} <= named
