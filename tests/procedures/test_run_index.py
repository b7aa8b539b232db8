"""Finding runs: by who, what, when and by what they measured; broken folders are listed."""

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procedures import find_runs, open_run
from procedures.machinery.apparatus.bench import bench_file
from procedures.machinery.lab_book.run_filter import Condition, check_known
from procedures.machinery.lab_book.run_index import INDEX
from procedures.machinery.records.shot import Origin
from procedures.machinery.storage.provenance import manifest
from procedures.machinery.storage.run_folder import RunFolder
from procedures.machinery.storage.run_notes import Remarks, add_note, read_notes
from procedures.machinery.storage.run_record import FILES, RunRecord
from twin.bench_description import without_truth

BENCH = without_truth(bench_file("virtual").read_text("utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_run):
    """Four runs: two scans, a sweep with notes, a killed one."""
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder, started="2026-03-01T10:00:00.000000Z", result={"threshold_energy": 4.4e-5},
         operator="Ada", sample="PTP-7", tags=("odd", "first"), note="Cooled over night")
    make_run(folder, started="2026-03-02T23:59:00.000000Z", given={"shots": 2, "pump_energy_stop": 2e-3},
         result={"threshold_energy": 6e-5, "verdicts": {"OK": 7}}, operator="Bo", end="aborted")
    swept = make_run(folder, "cavity_sweep", "2026-03-04T10:00:00.000000Z",
                 {"frequency": 1.449e9, "power": -20.0, "points": 121},
                 {"frequency": 1.4495e9, "loaded_quality": 8330.0})
    add_note(swept, "the loop was turned", ["odd"])
    make_run(folder, started="2026-03-05T10:00:00.000000Z", end=None, shots=3)
    return folder


@pytest.mark.parametrize(("wanted", "numbers"), [
    ({}, [0, 1, 2, 3]), ({"procedure": "cavity_sweep"}, [2]), ({"state": "killed"}, [3]),
    ({"state": "aborted"}, [1]), ({"operator": "Ada"}, [0]), ({"sample": "PTP-7"}, [0]),
    ({"tag": "odd"}, [0, 2]), ({"text": "COOLED night"}, [0]), ({"text": "loop"}, [2]),
    ({"since": "2026-03-02"}, [1, 2, 3]), ({"until": "2026-03-02"}, [0, 1]),
    ({"since": "2026-03-02T12:00", "until": "2026-03-04T10:00:00Z"}, [1, 2]), ({"since": "7d"}, []),
    ({"where": ["pump_energy_stop>2.5mJ"]}, [0, 3]), ({"where": ["pump_energy_stop=2mJ"]}, [1]),
    ({"where": ["pump_energy_stop!=2mJ"]}, [0, 3]), ({"where": ["pump_energy_stop<=0.002"]}, [1]),
    ({"where": ["threshold_energy<50uJ"]}, [0]), ({"where": ["verdicts.OK>=7"]}, [1]),
    ({"where": ["frequency<1449.2MHz"]}, [2]), ({"where": ["result.frequency<1449.2MHz"]}, []),
    ({"where": ["power=10uW"]}, [2]), ({"where": ["threshold_energy>1uJ", "threshold_energy<50uJ"]}, [0]),
])
def test_what_is_asked_for_is_found(folder, wanted, numbers):
    every = find_runs(folder)
    assert find_runs(folder, **wanted) == [every[i] for i in numbers]


def test_a_record_says_what_open_run_says(folder):
    for record in find_runs(folder):
        with open_run(record.path) as run:
            assert (record.procedure, record.state) == (run.procedure, run.state)
            assert record.shots == len(run.shots)
            assert (record.settings, record.result) == (run.settings, run.result)


@pytest.mark.parametrize(("wanted", "said"), [
    ({"where": ["threshold_enrgy<1"]}, "no run knows it.*did you mean 'threshold_energy'"),
    ({"where": ["threshold_energy<1GHz"]}, "not a unit of J"),
    ({"where": ["threshold_energy"]}, "expected a name"),
    ({"operator": "Adda"}, "did you mean 'Ada'"), ({"tag": "od"}, "did you mean 'odd'"),
    ({"state": "dead"}, "known"), ({"since": "tomorrow"}, "expected a date"),
])
def test_a_question_that_no_run_can_answer_is_refused_with_advice(folder, wanted, said):
    with pytest.raises(ValueError, match=said):
        find_runs(folder, **wanted)


def test_a_name_that_one_run_knows_is_no_error_for_the_others(folder):
    assert find_runs(folder, where=["verdicts.OK>100"]) == []


def test_broken_and_half_written_folders_are_listed_as_such(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    paths = [record.path for record in find_runs(tmp_path)]
    manifest_of = paths[0] / "manifest.toml"
    manifest_of.write_text(manifest_of.read_text()[:400])
    (paths[1] / "result.json").write_text('{"threshold_energy": 4')
    (paths[3] / "manifest.toml").unlink()
    torn = manifest_of.parent.with_name("20260301T000000Z-ring_down-0000")
    shutil.copytree(paths[2], torn)
    newer = (torn / "manifest.toml").read_text().replace("format = 1", "format = 7")
    (torn / "manifest.toml").write_text(newer.replace('needs = "0.1.0"', 'needs = "3.2.0"'))
    (tmp_path / "pictures").mkdir()
    found = {record.path: record for record in find_runs(tmp_path)}
    assert set(found) == {*paths, torn}
    assert [path for path in found if found[path].state != "broken"] == [paths[2]]
    assert found[paths[0]].problem.startswith("manifest.toml cannot be read")
    assert found[paths[1]].problem.startswith("result.json cannot be read")
    assert "no manifest" in found[paths[3]].problem and found[paths[3]].procedure == "pump_threshold"
    assert "needs maserbench 3.2.0" in found[torn].problem
    with pytest.raises(ValueError, match=r"needs maserbench 3\.2\.0.*this is version"):
        open_run(torn)


def test_a_run_that_goes_on_is_running_and_not_remembered(tmp_path):
    run = RunFolder(tmp_path, "single_shot")
    assert [record.state for record in find_runs(tmp_path)] == ["running"]
    run.write_manifest(manifest(run.path.name, "single_shot", "2026-03-01T10:00:00Z", 1, Origin.REAL, {},
                                "b", "", {}))
    assert [record.state for record in find_runs(tmp_path)] == ["running"]
    run.close()
    assert [record.state for record in find_runs(tmp_path)] == ["killed"]


def test_the_index_is_never_believed_over_the_runs_own_files(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    first = find_runs(tmp_path)
    held = json.loads((tmp_path / INDEX).read_text())
    assert len(held["held"]) == 4
    add_note(first[0].path, "written later")
    (first[1].path / "result.json").write_text('{"threshold_energy": 7e-5}')
    shutil.rmtree(first[2].path)
    again = find_runs(tmp_path)
    assert again[0].notes == (*first[0].notes, "written later")
    assert again[1].result == {"threshold_energy": 7e-5} and len(again) == 3


@pytest.mark.parametrize("spoilt", [b"", b"{", b"[]", b'{"version": 1, "held": []}', b"\xff\xfe", b"null",
                                    b'{"version": 99, "held": {}}', b'{"version": 1, "held": {"x": 1}}',
                                    b'{"version": 1, "held": null}'])
def test_a_spoilt_index_costs_time_only(folder, tmp_path, spoilt):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    wanted = find_runs(tmp_path)
    (tmp_path / INDEX).write_bytes(spoilt)
    assert find_runs(tmp_path) == wanted
    (tmp_path / INDEX).unlink()
    assert find_runs(tmp_path) == wanted


def test_an_index_that_cannot_be_written_costs_time_only(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    wanted = find_runs(tmp_path)
    (tmp_path / INDEX).unlink()
    (tmp_path / INDEX).mkdir()
    assert find_runs(tmp_path) == wanted
    assert {path.name for path in tmp_path.iterdir()} == {INDEX, *(record.name for record in wanted)}


def test_what_the_index_remembers_is_used(folder, tmp_path):
    """A mark put into the index comes back, as long as no file of that run has changed."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    path = find_runs(tmp_path)[0].path
    held = json.loads((tmp_path / INDEX).read_text())
    held["held"][path.name][1]["operator"] = "the index"
    (tmp_path / INDEX).write_text(json.dumps(held))
    assert find_runs(tmp_path)[0].operator == "the index"
    held["held"][path.name][1] = {"operator": "no record"}
    (tmp_path / INDEX).write_text(json.dumps(held))
    assert find_runs(tmp_path)[0].operator == "Ada"
    held["held"][path.name][1] = []
    (tmp_path / INDEX).write_text(json.dumps(held))
    os.utime(path / "events.jsonl")
    assert find_runs(tmp_path)[0].operator == "Ada"


def test_notes_are_added_and_the_manifest_stays(folder, tmp_path):
    path = tmp_path / "run"
    shutil.copytree(find_runs(folder)[0].path, path)
    before = (path / "manifest.toml").read_bytes()
    add_note(path, "first")
    with (path / "notes.jsonl").open("a") as f:
        f.write('{"moment": "2026')  # torn by a kill
    add_note(path, "second", ["good"])
    assert [(note.text, note.tags) for note in read_notes(path)] == [("first", ()), ("second", ("good",))]
    assert (path / "manifest.toml").read_bytes() == before
    for text, tags in (("", []), ("x", ["two words"]), ("x", ["a,b"])):
        with pytest.raises(ValueError, match="expected"):
            add_note(path, text, tags)


TAGS = st.lists(st.from_regex(r"[^\s,;\"']{1,20}", fullmatch=True))


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=30), TAGS)
def test_whatever_people_write_comes_back_from_the_manifest(note, operator, tags):
    import tomllib

    if "\n" in operator:
        return
    text = manifest("r", "single_shot", "2026-03-01T10:00:00Z", 1, Origin.REAL, {}, "b", BENCH, {},
                    Remarks(operator, "", tuple(tags), note))
    for read in (tomllib.loads(text), tomllib.loads(text.partition("\n[versions]\n")[0])):
        assert (read.get("note", ""), read.get("operator", "")) == (note, operator)
        assert read.get("tags", []) == tags


@settings(deadline=None)
@given(st.text(max_size=60), st.dictionaries(st.text(max_size=8), st.one_of(
    st.floats(allow_nan=False), st.integers(), st.booleans(), st.text(max_size=8), st.lists(st.integers()))))
def test_any_comparison_is_answered_or_refused_in_words(text, values):
    record = RunRecord(Path("x"), settings=values)
    try:
        condition = Condition.read(text)
        check_known([record], [condition])
        condition.holds(record)
    except ValueError as refused:
        assert str(refused)


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12), st.sampled_from(["<", "<=", ">", ">=", "=", "!="]))
def test_a_comparison_of_numbers_is_what_it_says(found, wanted, compare):
    held = Condition.read(f"x{compare}{wanted!r}").holds(RunRecord(Path("x"), settings={"x": found}))
    same = found == pytest.approx(wanted, rel=1e-9, abs=0.0)
    assert held == {"<": found < wanted and not same, ">": found > wanted and not same, "=": same,
                    "<=": found < wanted or same, ">=": found > wanted or same, "!=": not same}[compare]


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=300))
def test_no_bytes_in_a_run_folder_stop_a_search(tmp_path_factory, junk):
    folder = tmp_path_factory.mktemp("junk")
    for number, name in enumerate(FILES):
        run = folder / str(number)
        run.mkdir()
        (run / "manifest.toml").write_text('format = 1\nrun = "r"\nprocedure = "p"\nstarted = "2026-01-01"\n'
                                           'origin = "real"\n[settings]\n')
        (run / "events.jsonl").touch()
        (run / name).write_bytes(junk)
    assert len(find_runs(folder)) == 5


@pytest.mark.parametrize(("old", "new"), [
    ('"2026-03-01T10:00:00.000000Z"', "2026-03-01T10:00:00"), ('"2026-03-01T10:00:00.000000Z"', '"Tuesday"'),
    ('"2026-03-01T10:00:00.000000Z"', "7"), ("tags = [", "tags = 3 #["),
    ("[settings]", "[settings]\nx = 2026-03-01"),
    ("[settings]", "[other]")])
def test_a_manifest_that_somebody_has_edited_stops_nothing(folder, tmp_path, old, new):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    file = find_runs(tmp_path)[0].path / "manifest.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    for _ in range(2):  # read, and remembered
        assert len(find_runs(tmp_path, since="2026-03-01")) >= 3
    assert len(find_runs(tmp_path)) == 4
