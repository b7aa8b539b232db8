"""`maserbench figure`: files as promised, and every series again from the command that its table names."""

import csv
import io
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.image import imread

from maserbench import main
from twin.figures import FIGURES

PARTS = "2b 2c 2d 2e 2f 3a 3b 3c 3d 3e 4a 4b 4c 4d storage energy"
PENTACENE = [f"pentacene-{part}" for part in PARTS.split()]
MICROMASER = [f"micromaser-{part}" for part in (*range(1, 8), "wells", "loss", "rabi", "modulation")]


def call(monkeypatch, *arguments):
    """The command line in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["maserbench", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def tables(folder, name):
    """(comments, rows by series) of a figure and, where there is one, of its inset."""
    for file in sorted(folder.glob(f"{name}.csv")) + sorted(folder.glob(f"{name}-inset.csv")):
        lines = file.read_text("utf-8").splitlines()
        comments = [line[2:] for line in lines if line.startswith("# ")]
        series: dict[str, list[dict[str, str]]] = {}
        for row in csv.DictReader(line for line in lines if not line.startswith("#")):
            series.setdefault(row["series"], []).append(row)
        yield comments, series


def commands(comments):
    """Series -> command."""
    lines = [line.removeprefix("series ").split(": ", 1) for line in comments if line.startswith("series ")]
    return {name: command for name, command in lines}


@pytest.fixture(scope="module", params=list(FIGURES))
def drawn(request, tmp_path_factory):
    """One figure, quickly: its name and folder."""
    folder = tmp_path_factory.mktemp("figures")
    with pytest.MonkeyPatch.context() as patch:
        assert call(patch, "figure", request.param, "--quick", "--output", str(folder)) == 0
    return request.param, folder


def test_all_figures_of_the_contract_are_there():
    assert list(FIGURES) == PENTACENE + MICROMASER


def test_a_figure_is_a_picture_and_a_table_with_claim_value_and_verdict(drawn):
    name, folder = drawn
    picture = folder / f"{name}.png"
    assert imread(picture).shape[1] == 1050  # one column at 300 dots per inch
    assert name.encode() in picture.read_bytes() and b"Verdict" in picture.read_bytes()
    for comments, series in tables(folder, name):
        assert all(word in comments[0] for word in ("claim: ", "; ours: ", "; verdict: "))
        assert "ours: ;" not in comments[0] and not re.search(r"\bnan\b", comments[0])
        assert comments[1].startswith("x: ") and comments[1].endswith("]")
        assert set(series) == set(commands(comments))


def test_the_command_of_a_series_yields_its_numbers(drawn, monkeypatch, capsys):
    name, folder = drawn
    for comments, series in tables(folder, name):
        for label, command in commands(comments).items():
            program, *arguments = shlex.split(command)
            assert program == "maserbench"
            capsys.readouterr()
            assert call(monkeypatch, *arguments) == 0
            again = list(csv.reader(io.StringIO(capsys.readouterr().out)))[1:]
            kept = [[row[axis] for axis in ("x", "y", "z") if axis in row] for row in series[label]]
            assert len(again) == len(kept)
            numbers = np.array(kept, float)
            assert np.array(again, float) == pytest.approx(numbers, rel=1e-6, abs=0.0, nan_ok=True)


def test_a_command_runs_verbatim_in_a_shell(tmp_path, monkeypatch):
    assert call(monkeypatch, "figure", "pentacene-2d", "--quick", "--output", str(tmp_path)) == 0
    (comments, series), = tables(tmp_path, "pentacene-2d")
    words = shlex.split(commands(comments)["P_W"])
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, timeout=120)
    rows = [line.split(",") for line in done.stdout.splitlines()[1:]]
    assert [float(y) for _, y in rows] == pytest.approx([float(row["y"]) for row in series["P_W"]], rel=1e-9)
    assert "points" in done.stderr  # progress, not in the way of the numbers


def test_each_figure_gets_a_line_that_names_its_files(tmp_path, monkeypatch, capsys):
    call(monkeypatch, "figure", "pentacene-2b", "--quick", "--output", str(tmp_path / "new" / "folder"))
    line, = capsys.readouterr().out.splitlines()
    files = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert files == ["pentacene-2b-inset.csv", "pentacene-2b.csv", "pentacene-2b.png"]
    assert all(file in line for file in files)


@pytest.mark.parametrize(("arguments", "words"), [
    (["figure", "pentacene-2x", "--output", "here"], ["pentacene-2"]),
    (["figure", "pentacene-2b"], ["--output"]),
    (["sweep", "pentacene"], ["--axis"]),
    (["sweep", "pentacene", "--axis", "pump_rte=1,2"], ["pump_rate"]),
    (["sweep", "pentacene", "--axis", "pump_rate"], ["--axis", "name=value"]),
    (["sweep", "pentacene", "--axis", "pump_rate=1e6Hz,2e6Hz"], ["pump_rate", "2*pi*"]),
    (["sweep", "pentacene", "--axis", "molecules=1e15,2e15", "--columns", "latenzy"], ["latency"]),
    (["sweep", "pentacene", "--axis", "molecules=1e15,2e15", "--output", "x.txt"], [".csv", ".nc"]),
    (["simulate", "pentacene", "--columns", "tme"], ["time"]),
    (["simulate", "pentacene", "--at", "lin:0:9:4"], ["--at", "--duration"]),
])
def test_wrong_use_is_one_paragraph_and_leaves_nothing(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, *arguments) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in words) and said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_sweep_without_columns_prints_every_figure_of_merit(monkeypatch, capsys):
    assert call(monkeypatch, "sweep", "pentacene", "--axis", "molecules=2e16,3e16", "--duration", "1us") == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("molecules,maximum_energy,") and "latency" in head.split(",")
    assert [float(row.split(",")[0]) for row in rows] == [2e16, 3e16]


def test_a_sweep_is_written_as_netcdf_with_units_and_its_command(tmp_path, monkeypatch):
    import xarray

    file = tmp_path / "sweep.nc"
    assert call(monkeypatch, "sweep", "pentacene", "--axis", "pump_rate=lin:1e7:5e7:3", "--axis",
                "molecules=1e16,2e16", "--columns", "latency,maximum_energy", "--output", str(file)) == 0
    with xarray.open_dataset(file, engine="h5netcdf") as data:
        assert dict(data.sizes) == {"pump_rate": 3, "molecules": 2}
        assert data.latency.attrs["units"] == "s" and "maserbench sweep" in data.attrs["command"]
        assert np.all(np.diff(data.latency.values, axis=0) < 0)
