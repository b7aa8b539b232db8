"""The command line with wrong input: one clear paragraph, the contract's exit code, no traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from maserbench import main
from procedures import catalogue
from procedures.machinery.apparatus.bench import bench_file
from twin.bench_roles import ROLES

VIRTUAL = bench_file("virtual").read_text("utf-8")
SHARED = Path(__file__).resolve().parents[2].parent / "shared"


def maserbench(*arguments, folder=None):
    """In a process of its own, as a person calls it."""
    return subprocess.run([sys.executable, "-m", "maserbench", *arguments], capture_output=True, text=True,
                          cwd=folder, timeout=120)


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """A call that must end with an exit code, one paragraph on stderr and no file; gives the paragraph."""
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())

    def call(code, *arguments):
        before.update(tmp_path.iterdir())
        monkeypatch.setattr(sys, "argv", ["maserbench", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr().err
        assert end.value.code == code, said
        assert "Traceback" not in said
        *progress, said = said.splitlines()
        assert all(line.startswith("compiling") for line in progress)
        assert set(tmp_path.iterdir()) == before
        return said

    return call


@pytest.mark.parametrize(("arguments", "words"), [
    (["rum"], ["run"]),
    (["run", "single_sht"], ["single_shot"]),
    (["run", "single_shot", "--set", "pump_energy=5 bananas"], ["pump_energy", "bananas"]),
    (["run", "single_shot", "--set", "pump_enrgy=5mJ"], ["pump_enrgy", "pump_energy"]),
    (["run", "single_shot", "--set", "pump_energy"], ["name=value"]),
    (["run", "single_shot", "--bench", "nowhere.toml"], ["nowhere.toml"]),
    (["run", "single_shot", "--progress", "fancy"], ["--progress"]),
    (["fit", "no-such-run"], ["no-such-run"]),
    (["export", "no-such-run", "--format", "csv"], ["no-such-run"]),
    (["recover", "no-such-run"], ["no-such-run"]),
    (["cavity", "no-such-file.csv"], ["no-such-file.csv"]),
    (["transient", "no-such-file.csv"], ["no-such-file.csv"]),
    (["simulate", "pentacene", "--set", "dephasing_35=0.4MHz"], ["dephasing_35", "2*pi*0.4MHz"]),
    (["simulate", "pentacene", "--set", "couplin=1"], ["couplin", "coupling"]),
    (["simulate", "pentacene", "--model", "meanfield"], ["mean_field"]),
    (["simulate", "pentacene", "--duration", "5 bananas"], ["bananas"]),
    (["simulate", "micromaser", "--set", "thetta=1"], ["thetta", "theta"]),
    (["simulate", "micromaser", "--duration", "5us"], ["--duration", "--collisions"]),
])
def test_wrong_use_ends_with_2_and_one_paragraph(arguments, words, refused):
    said = refused(2, *arguments)
    assert all(word in said for word in words)


@pytest.mark.parametrize(("old", "new", "words"), [
    ("[timing] ", "[timming] ", ["timming", "timing", "line"]),
    ("bits = 10\nchannels", "bitz = 10\nchannels", ["bitz", "digitiser", "line"]),
    ('efficiency = 0.15', 'efficiency = 1.5', ["efficiency", "1.5", "line"]),
    ('TCPIP::127.0.0.1::0::SOCKET"\nsample_rate', 'TCPIP::127.0.0.1::99999::SOCKET"\nsample_rate',
     ["99999", "digitiser", "line"]),
    ('pump_energy = "6mJ"', 'pump_energy = "1mJ"', ["pump_energy", "outside"]),
])
def test_a_wrong_bench_file_is_told_with_role_and_line(old, new, words, tmp_path, refused):
    assert old in VIRTUAL
    (tmp_path / "bench.toml").write_text(VIRTUAL.replace(old, new), "utf-8")
    said = refused(2, "run", "single_shot", "--bench", "bench.toml")
    assert all(word in said for word in words)


def test_a_bench_file_without_a_required_role_says_which(tmp_path, refused):
    before, _, after = VIRTUAL.partition("[timing]")
    (tmp_path / "bench.toml").write_text(before + after[after.index("[digitiser]"):], "utf-8")
    assert "'timing' is missing" in refused(2, "check", "--bench", "bench.toml")


def test_an_instrument_that_is_not_there_ends_with_1_and_its_role(tmp_path, refused):
    real = VIRTUAL.replace("virtual = true", "virtual = false").split("# --- The truth")[0]
    real = real.replace("time_scale = 1.0", "").replace("127.0.0.1::0::", "127.0.0.1::9::")
    (tmp_path / "bench.toml").write_text(real, "utf-8")
    said = refused(1, "run", "single_shot", "--bench", "bench.toml")
    assert "pump at TCPIP::127.0.0.1::9::SOCKET" in said
    assert "pump at TCPIP::127.0.0.1::9::SOCKET" in refused(1, "check", "--bench", "bench.toml")
    assert "STATE UNKNOWN" in refused(4, "safe", "--bench", "bench.toml")


def test_a_fresh_process_says_the_same_and_debug_shows_the_traceback(tmp_path):
    done = maserbench("run", "single_sht", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "Traceback" in maserbench("--debug", "run", "nonsense").stderr


def test_the_catalogue_as_json_has_the_contracts_keys():
    listed = json.loads(maserbench("procedures", "--json").stdout)["procedures"]
    assert [entry["name"] for entry in listed] == list(catalogue.names())
    assert [entry["name"] for entry in listed][:3] == ["single_shot", "pump_threshold", "cavity_sweep"]
    for entry in listed:
        assert set(entry) == {"name", "summary", "roles", "settings"}
        for setting in entry["settings"]:
            assert set(setting) == {"name", "unit", "default", "minimum", "maximum", "choices"}


def test_simulate_prints_si_columns_on_the_asked_grid(tmp_path):
    done = maserbench("simulate", "pentacene", "--model", "mean_field", "--duration", "2us", "--points", "5",
                      "--set", "molecules=1e15", "--set", "dephasing_35=2*pi*0.1MHz",
                      "--set", "pump_off_at=200ns")
    head, *rows = done.stdout.splitlines()
    assert head == "time,s1,s2,s3,s4,s5,photons,field_real,field_imag"
    table = [[float(cell) for cell in row.split(",")] for row in rows]
    assert [row[0] for row in table] == pytest.approx([0.0, 5e-7, 1e-6, 1.5e-6, 2e-6])
    assert table[0][1:6] == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert all(sum(row[1:6]) == pytest.approx(1.0, abs=1e-6) for row in table)
    file = maserbench("simulate", "pentacene", "--points", "5", "--output", "x.nc", folder=tmp_path)
    assert file.returncode == 0
    assert (tmp_path / "x.nc").stat().st_size > 1000


def test_check_lists_every_role_and_every_key():
    answer = json.loads(maserbench("check", "--json").stdout)
    assert answer["verdict"] == "OK"
    assert set(answer["roles"]) == set(ROLES)
    for role in answer["roles"].values():
        assert set(role) == {"identity", "origin", "safe", "limits_ok", "message"}
        assert role["origin"] == "simulated"
    keys = maserbench("check", "--explain").stdout
    assert "pump.energy_table" in keys
    assert "limits.pump_energy [J]" in keys


def test_safe_says_what_was_read_back():
    done = maserbench("safe")
    assert done.returncode == 0
    assert "laser off, shutter closed, rf off" in done.stdout


@pytest.mark.skipif(not (SHARED / "data" / "cavity").is_dir(), reason="recordings lie beside the project")
def test_a_sweep_whose_ripple_hides_the_dip_ends_with_3():
    folder = SHARED / "data" / "cavity"
    good = json.loads(maserbench("cavity", str(folder / "mines_rt_zpin0p0485.csv"), "--json").stdout)
    assert good["verdict"] == "OK"
    assert good["parameters"]["frequency"] == pytest.approx(4.43054e9, abs=5e4)
    bad = maserbench("cavity", str(folder / "mines_rt_zpin0.csv"), "--json")
    assert bad.returncode == 3
    assert json.loads(bad.stdout)["parameters"] == {}


@pytest.mark.parametrize("display", [{"DISPLAY": ""}, {"DISPLAY": ":987"}, {"DISPLAY": "nonsense"},
                                     {"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen"}])
def test_without_a_display_that_answers_there_is_no_window(display, monkeypatch):
    from procedures.machinery.commands.demo import display as look

    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in display.items():
        monkeypatch.setenv(name, value)
    found, reason = look()
    assert not found
    assert reason
