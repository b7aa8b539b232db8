"""Igor text files, read by a parser of their published format that knows nothing of the writer."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.waveform import Waveform
from procedures import open_run
from procedures.machinery.records.shot import FitRow, Origin, Shot
from procedures.machinery.storage.igor import Names, to_igor
from procedures.machinery.storage.provenance import manifest
from procedures.machinery.storage.run_folder import RunFolder
from procedures.machinery.storage.store_block import Channel, Layout
from twin.fit_result import Verdict

NAME = r"[A-Za-z][A-Za-z0-9_]{0,30}"
NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|INF|NaN)|NaN"


def parse(text):
    """{wave: {"data", "x": (start, step, unit), "unit", "note"}} of a file; asserts its grammar."""
    lines = iter(text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n"))
    assert next(lines) == "IGOR"
    waves = {}
    for line in lines:
        if line.startswith("X "):
            command(line[2:], waves)
            continue
        head = re.fullmatch(rf"WAVES/(?P<kind>[DT])(?:/N=\((?P<rows>\d+),(?P<columns>\d+)\))? "
                            rf"(?P<name>{NAME})", line)
        assert head, line
        assert head["name"].lower() not in {name.lower() for name in waves}
        assert next(lines) == "BEGIN"
        rows = []
        while (row := next(lines)) != "END":
            rows.append(row)
        if head["kind"] == "T":
            data = [re.fullmatch(r'"((?:[^"\\]|\\.)*)"', row)[1] for row in rows]
        else:
            assert all(re.fullmatch(NUMBER, cell) for row in rows for cell in row.split("\t"))
            data = np.array([[float(cell) for cell in row.split("\t")] for row in rows])
            if head["rows"]:
                assert data.shape == (int(head["rows"]), int(head["columns"]))
            else:
                data = data[:, 0]
        waves[head["name"]] = {"data": data}
    return waves


def command(line, waves):
    assert len(line) < 400  # the shortest limit that any Igor had
    if note := re.fullmatch(rf'Note ({NAME}), "((?:[^"\\]|\\.)*)"', line):
        waves[note[1]]["note"] = note[2]
        return
    scale = re.fullmatch(rf'SetScale/P x ({NUMBER}),({NUMBER}),"([^"]*)", ({NAME}); '
                         rf'SetScale d 0,0,"([^"]*)", ({NAME})', line)
    assert scale and scale[4] == scale[6], line
    waves[scale[4]] |= {"x": (float(scale[1]), float(scale[2]), scale[3]), "unit": scale[5]}


@pytest.fixture
def make(tmp_path):
    """Makes a run of three shots, whose records begin where `starts` says [s]."""

    def make(starts=(-2e-6, -2e-6, -2e-6), traces=None):
        traces = traces or {}
        run = RunFolder(tmp_path, "single_shot")
        run.write_manifest(manifest(run.path.name, "single_shot", "2026-03-01T10:00:00Z", 1, Origin.SIMULATED,
                                    {}, "b", "", {}))
        layout = Layout({} if traces else {"burst": Channel(50, "CHAN1", 10)}, traces,
                        ("timing.q_switch_delay",))
        units = {"q_switch_delay": {"value": 0.0, "unit": "s"}}
        run.start_store(layout, {"roles": {"timing": {"settings": units}}})
        rng = np.random.default_rng(1)
        for number, start in enumerate(starts):
            codes = rng.integers(-500, 500, 50).astype(np.int16)
            record = Waveform(codes, 1.6 / 1024, 0.7, start, 4e-9, "CHAN1", 10)
            run.append(Shot(number, "2026-03-01T10:00:00Z", {"timing.q_switch_delay": 2e-4 + 1e-6 * number},
                            {} if traces else {"burst": record}, Origin.SIMULATED,
                            {name: rng.normal(size=points) for name, points in traces.items()},
                            energy=1e-3 if number else float("nan")))
        run.fitted(FitRow(1, Verdict.OK, {"cavity_decay": 1.1e6}, {"cavity_decay": 400.0}, {}, 1.0, 0.1))
        run.close()
        file = tmp_path / "run.itx"
        with open_run(run.path) as opened:
            to_igor(opened, file)
            return list(opened.shots), parse(file.read_bytes().decode("ascii")), run.path.name

    return make


def test_a_channel_is_a_wave_of_time_by_shot_with_every_volt(make):
    shots, waves, name = make()
    burst = waves["m_burst"]
    assert np.array_equal(burst["data"], np.stack([shot.waveform.volts for shot in shots], axis=1))
    assert (burst["x"], burst["unit"]) == ((-2e-6, 4e-9, "s"), "V")
    assert name in burst["note"] and "SIMULATED" in burst["note"]


def test_records_that_begin_at_other_times_are_waves_of_their_own(make):
    shots, waves, _ = make(starts=(-2e-6, -1e-6, -2e-6))
    assert "m_burst" not in waves
    for shot in shots:
        wave = waves[f"m_burst_{shot.number}"]
        assert np.array_equal(wave["data"], shot.waveform.volts) and wave["x"][0] == shot.waveform.start


def test_what_is_one_number_per_shot_is_a_wave_with_its_unit(make):
    _, waves, _ = make()
    assert np.array_equal(waves["m_energy"]["data"], [np.nan, 1e-3, 1e-3], equal_nan=True)
    assert (waves["m_energy"]["unit"], waves["m_timing_q_switch_delay"]["unit"]) == ("J", "s")
    assert np.array_equal(waves["m_fit_cavity_decay"]["data"], [np.nan, 1.1e6, np.nan], equal_nan=True)
    assert waves["m_fit_cavity_decay_sigma"]["unit"] == "rad/s"
    assert waves["m_verdict"]["data"] == ["", "OK", ""]


def test_a_sweep_is_written_trace_by_trace(make):
    shots, waves, _ = make(starts=(0.0,), traces={"frequency": 31, "reflected_power": 31})
    for name, unit in (("frequency", "Hz"), ("reflected_power", "dBm")):
        assert np.array_equal(waves[f"m_{name}"]["data"], shots[0].traces[name])
        assert waves[f"m_{name}"]["unit"] == unit


@given(st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=30))
def test_every_name_is_one_that_igor_takes_and_no_two_are_the_same(texts):
    names = Names()
    found = [names.of(text) for text in texts]
    assert all(re.fullmatch(NAME, name) for name in found)
    assert len({name.lower() for name in found}) == len(found)


def test_a_run_without_shots_is_refused(tmp_path, make_run):
    with open_run(make_run(tmp_path, shots=0)) as empty, pytest.raises(ValueError, match="holds no shots"):
        to_igor(empty, tmp_path / "x.itx")
