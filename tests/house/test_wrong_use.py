"""Every error that a user can cause, one line each: exit code, and words that say what, where and what to do.

Each call must end with one paragraph on stderr, without a traceback, without touching an instrument and
without leaving anything behind. In this process, so that all of them take seconds.
"""

import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest

from instruments.waveform import Waveform
from maserbench import main
from procedures import Origin, Shot
from procedures.machinery.apparatus.bench import bench_file
from procedures.machinery.records import events
from procedures.machinery.storage import provenance
from procedures.machinery.storage.run_folder import RunFolder, moment
from procedures.machinery.storage.store_block import Channel, Layout

VIRTUAL = bench_file("virtual").read_text("utf-8")

TABLE = """
2 frobnicate | No such command 'frobnicate' | --help
2 run | name a procedure | --continue
2 run single_shot extra | extra
2 run single_shot --set shots=0 | shots = 0 | 1 .. 1e+06
2 run single_shot --set shots=1.5 | whole number | '1.5'
2 run single_shot --set shots=many | 'many' | a number without a unit
2 run single_shot --set pump_energy=nan | pump_energy | 'nan' | 5mJ
2 run single_shot --set pump_energy=inf | 'inf'
2 run single_shot --set pump_energy=-1mJ | -0.001 J | outside
2 run single_shot --set pump_energy=5V | 'V' | not a unit of J
2 run single_shot --set repetition_rate=50Hz | [limits] | 0 .. 20 Hz
2 run single_shot --set =5 | name=value
2 run single_shot --set shots=1 --set shots=2 | given twice
2 run single_shot --seed -1 | --seed
2 run single_shot --seed 99999999999999999999999 | --seed
2 run single_shot --output file | --output file | is a file, and a folder is wanted
2 run single_shot --output file/below | --output | is a file
2 run single_shot --bench folder | there is no bench file folder
2 run single_shot --bench empty.toml | 'pump' is missing
2 run single_shot --bench broken.toml | broken.toml | not valid TOML
2 run single_shot --bench binary | binary | not UTF-8
2 run single_shot --status 70000 | --status
2 run single_shot --status abc | --status
2 run cavity_sweep --set points=1 | points = 1 | 20 .. 10001
2 run drive_scan --set transition=12 | transition | known: 45
2 run battery_store --bench real.toml | [timing] gate = 'cavity'
2 demo --headless --shots 0 | --shots
2 demo --headless --output file | is a file
2 demo --headless --truth-log folder | --truth-log folder | this is a folder
2 demo --headless --truth-log nowhere/x | there is no folder | nowhere
2 demo --headless --progress fancy | --progress | auto, plain
2 fly nonsense | unknown name 'nonsense' | single_shot
2 fly single_shot --set pump_energy=1kJ | 1000 J
2 mocks --bench nowhere.toml | nowhere.toml
2 mocks --truth-log folder | --truth-log folder
2 check --bench broken.toml | not valid TOML
2 safe --bench nowhere.toml | nowhere.toml
2 discover --visa nonsense | --visa | @ivi
2 discover 127.0.0.1:99999 | 1 to 65535
2 discover what:ever | HOST:PORT
2 discover --timeout -1 | --timeout
1 discover 127.0.0.1:1 | nobody answers at 127.0.0.1:1
2 simulate battery | 'battery' | micromaser, pentacene
2 simulate pentacene --points 1 | points = 1 | 2 .. 10000000
2 simulate pentacene --duration -5us | must be positive
2 simulate pentacene --duration 5m | 'm' | not a unit of s
2 simulate pentacene --model exact | 1, 2 or 3 molecules
2 simulate pentacene --set molecules=-1 | molecules = -1
2 simulate pentacene --set frequency_35=1.45e9 | multiply by 2 pi
2 simulate pentacene --set spontaneous_emission=42MHz | 2*pi*42MHz
2 simulate pentacene --columns nonsense | --columns
2 simulate pentacene --output folder | .csv or .nc
2 simulate pentacene --output nowhere/x.csv | there is no folder | nowhere
2 simulate pentacene --output nowhere/x.nc | there is no folder | nowhere
2 simulate pentacene --collisions 5 | no --collisions
2 simulate micromaser --set q=2 | q = 2
2 simulate micromaser --at nonsense | 'nonsense'
2 sweep pentacene | --axis
2 sweep pentacene --axis molecules=lin:1:2 | lin:FIRST:LAST:POINTS
2 sweep pentacene --axis molecules=log:-1:2:3 | above 0
2 sweep pentacene --axis molecules=lin:1:2:3 --output nowhere/x.csv | there is no folder
2 figure nonsense --output new | 'nonsense' | pentacene-2b
2 figure pentacene-2b | --output
2 figure pentacene-2b --output file --quick | is a file
2 fit folder | no manifest.toml
2 fit nowhere | neither a run nor a file
2 fit newer | its format is 99 | reads format 1 | a later version
2 fit cut | lacks | bench
2 fit damaged | shots.h5 | damaged
2 fit without | no shots
2 fit edited | [timming] | 'timing'
2 fit run --model nonsense | --model | mean_field
2 fit run --output folder | this is a folder
2 fit run --output nowhere/x.jsonl | there is no folder
2 fit text.csv | --bench
2 fit text.csv --bench virtual | text.csv | 50 lines
2 fit binary --bench virtual | binary | 50 lines
2 fit backwards.csv --bench virtual | times must rise
2 replay folder | no manifest.toml
2 replay damaged | damaged
2 replay strange | fits.jsonl | 'verdict'
2 import nowhere.csv --bench virtual | there is no file nowhere.csv
2 import text.csv | --bench
2 import text.csv --bench virtual | text.csv
2 import run --bench virtual | there is no file run
2 export run | --format
2 export run --format xlsx | 'xlsx' | csv, igor, netcdf
2 export run --format csv --output folder | this is a folder
2 export run --format netcdf --output nowhere/x.nc | there is no folder
2 export without --format csv | no shots
2 export damaged --format csv | damaged
2 recover folder | no manifest.toml
2 recover file | there is no run at file
2 cavity nowhere.csv | there is no file
2 cavity text.csv | text.csv | 20 at least
2 cavity text.csv --kind nonsense | --kind | reflection, transmission
2 cavity text.csv --plot nowhere/x.png | --plot nowhere/x.png | there is no folder
2 transient binary | 50 at least
2 transient backwards.csv | times must rise
2 transient backwards.csv --plot nowhere/x.png | --plot
2 gui --bench nowhere.toml | nowhere.toml
2 gui --replay folder | no manifest.toml
2 gui --run single_shot --replay run | exclude each other
2 gui --screenshot nowhere/x.png | there is no folder
2 run --continue nowhere | there is no run at nowhere
2 run single_shot --continue folder | no manifest.toml
2 run --continue run | only a run that ended early
2 run --continue run --set shots=3 | leave out procedure and --set
2 align | Missing argument | --help
2 align depth | 'depth' | frequency, peak, quality
2 align peak --seconds 3V | --seconds | 'V'
2 align peak --set shots=3 | 'shots' | pump_energy
2 align peak --bench nowhere.toml | nowhere.toml
2 sequence | --continue
2 sequence nowhere.toml | no plan nowhere.toml | [[step]]
2 sequence broken.toml | broken.toml is no TOML
2 sequence empty.toml | empty.toml | [[step]]
2 sequence --continue folder | folder
2 procedures nope | 'nope' | single_shot
2 report nowhere | there is no run at nowhere
2 report damaged | damaged
2 report run --plot nowhere/x.png | there is no folder
2 runs nowhere | there is no folder nowhere
2 runs . --where pump_energy | expected a name
2 runs . --since yesterday | 'yesterday' | 7d
2 runs . --state ended | 'ended' | finished
2 note nowhere hello | there is no run at nowhere
2 note run | the note is empty | a tag
2 samples nowhere | there is no folder nowhere
2 calibrate folder | no manifest.toml
2 calibrate run | single_shot
2 calibrate run --valid 3V | 'V'
2 calibrations nowhere | there is no folder nowhere
2 settings nowhere | there is no run at nowhere
2 restore run | --bench
2 restore folder --bench virtual | no manifest.toml
2 status nonsense | port
1 status 1 | nobody tells a status at 127.0.0.1:1
"""
CASES = [line for line in TABLE.splitlines() if line]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of things that are not as they should be, beside one sound `run`."""
    here = tmp_path_factory.mktemp("place")
    for name in ("folder", "newer"):
        (here / name).mkdir()
    (here / "file").write_text("x")
    (here / "empty.toml").write_text("")
    (here / "broken.toml").write_text("a = [\n")
    real = VIRTUAL.replace("virtual = true", "").split("# --- The truth")[0].replace("::0::", "::1::")
    (here / "real.toml").write_text(real)
    (here / "binary").write_bytes(bytes(range(255, -1, -1)) * 8)
    (here / "text.csv").write_text("hello, world\n1,2\n")
    (here / "backwards.csv").write_text("".join(f"{-n}e-9,{n}\n" for n in range(100)))
    (here / "newer" / "manifest.toml").write_text("format = 99\n")
    _sound_run(here / "run")
    for name in ("cut", "damaged", "without", "edited", "strange"):
        shutil.copytree(here / "run", here / name)
    manifest = (here / "run" / "manifest.toml").read_text("utf-8")
    (here / "cut" / "manifest.toml").write_text(manifest.partition("[bench]")[0])
    (here / "damaged" / "shots.h5").write_bytes(b"nonsense" * 100)
    (here / "without" / "shots.h5").unlink()
    (here / "edited" / "manifest.toml").write_text(manifest.replace("[timing]", "[timming]"))
    (here / "strange" / "fits.jsonl").write_text('{"shot": 0}\n[1]\n')
    return here


def _sound_run(path):
    folder = RunFolder(path.parent, "single_shot")
    folder.write_manifest(provenance.manifest(path.name, "single_shot", moment(), 1, Origin.SIMULATED,
                                              {"shots": 1}, "virtual", VIRTUAL, {}))
    layout = Layout({"burst": Channel(100, "CHAN1", 10)}, {}, ())
    folder.start_store(layout, {"identities": {}, "settings": {}})
    record = Waveform(np.zeros(100, np.int16), 1e-3, 0.0, 0.0, 1e-9, "CHAN1", 10)
    folder.append(Shot(0, moment(), {}, {"burst": record}, Origin.SIMULATED))
    folder.note(events.RunEnded(folder.path, "finished", "", {}))
    folder.close()
    folder.path.rename(path)


@pytest.fixture
def call(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    monkeypatch.setenv("DISPLAY", "")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    # Nothing need be started beforehand for what is refused; that it is ended then is tested below.
    monkeypatch.setattr("procedures.machinery.apparatus.opening.compiled", lambda: False)

    def run(arguments):
        monkeypatch.setattr(sys, "argv", ["maserbench", *shlex.split(arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, capsys.readouterr().err

    return run


@pytest.mark.parametrize("case", CASES, ids=[case.partition(" | ")[0] for case in CASES])
def test_wrong_use_is_told_in_one_paragraph(case, call, place):
    arguments, *words = case[2:].split(" | ")
    before = sorted(place.iterdir())
    code, said = call(arguments)
    assert code == int(case[0]), said
    assert "Traceback" not in said and "should not happen" not in said
    *earlier, paragraph = said.splitlines()
    assert all("no window, because" in line for line in earlier)
    assert paragraph.startswith("maserbench: ")
    assert all(word in paragraph for word in words), paragraph
    assert sorted(place.iterdir()) == before


def test_the_table_has_every_command(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["maserbench", "--help"])
    with pytest.raises(SystemExit):
        main()
    listed = capsys.readouterr().out.partition("Commands:")[2].splitlines()
    commands = {line.split()[0] for line in listed if line.startswith("  ") and line[2] != " "}
    assert {"run", "status", "transient"} <= commands
    assert {case[2:].split()[0] for case in CASES} >= commands - {"procedures"}  # which takes nothing wrong


def test_software_instruments_that_started_for_nothing_are_ended(place, monkeypatch):
    from procedures.machinery.apparatus import opening

    monkeypatch.setattr(opening, "compiled", lambda: True)
    with opening.Opening("virtual") as begun:
        process = begun._process._process
        assert process.poll() is None
    assert process.poll() is not None


@pytest.mark.skipif(sys.platform == "win32", reason="folders have other rights there")
def test_a_folder_that_may_not_be_written_is_told_before_anything_is_opened(tmp_path, without_rights):
    command = [*without_rights, sys.executable, "-m", "maserbench", "run", "single_shot", "--output",
               "folder/runs"]
    (tmp_path / "folder").mkdir(mode=0o500)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "nothing may be written in" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not list((tmp_path / "folder").iterdir())
