"""Samples: what samples.toml says, and the dose that only the runs tell."""

import dataclasses
import shutil

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procedures import find_runs
from procedures.machinery.apparatus.bench import describe_bench
from procedures.machinery.lab_book.before import look_up
from procedures.machinery.lab_book.samples import DOSES, FILE, dose_of, histories, history, read_samples
from procedures.machinery.storage.run_notes import Remarks

TEXT = """
[PTP-7]
doping = "0.1%"
size = ["4mm", "4mm", "8mm"]
dose_before = "100mJ"
notes = "grown in March"
[PTP-8]
"""


@pytest.fixture
def folder(tmp_path, make_run):
    """Two runs of PTP-7, one of them killed, one of another crystal, and a dark one."""
    (tmp_path / FILE).write_text(TEXT)
    make_run(tmp_path, sample="PTP-7", shots=2)
    make_run(tmp_path, sample="PTP-7", shots=5, end=None)
    make_run(tmp_path, sample="PTP-9", shots=1)
    make_run(tmp_path, shots=4)
    return tmp_path


def test_a_dose_is_what_all_runs_of_a_sample_brought_killed_ones_included(folder):
    found = {each.sample.name: each for each in histories(folder)}
    # 2 + 1 mJ, then 2 + 1 + 2 + 1 + 2 mJ: where the photodiode saw nothing, the Q-switch delay counts.
    assert found["PTP-7"].dose == pytest.approx(0.1 + 3e-3 + 8e-3)
    assert (found["PTP-7"].runs, found["PTP-7"].shots) == (2, 7)
    assert found["PTP-8"].dose == 0.0 and found["PTP-8"].described
    assert found["PTP-9"].dose == pytest.approx(2e-3) and not found["PTP-9"].described
    assert histories(folder) == list(found.values())  # and again, with what was remembered


def test_a_copy_of_a_run_counts_once_and_a_forgotten_memory_changes_nothing(folder):
    before = histories(folder)
    run = find_runs(folder, sample="PTP-7")[0].path
    shutil.copytree(run, run.with_name(run.name + "-recovered"))
    (folder / DOSES).write_text("{}")
    assert histories(folder) == before


def test_samples_toml_is_read_with_units(folder):
    sample = read_samples(folder)["PTP-7"]
    assert (sample.doping, sample.size, sample.dose_before) == (1e-3, (4e-3, 4e-3, 8e-3), 0.1)
    assert sample.notes == "grown in March"


@pytest.mark.parametrize(("line", "said"), [
    ('dopping = "1%"', r"line 3, \[A\].*did you mean 'doping'"), ('doping = "3mm"', "line 3.*not a unit"),
    ('size = "3mm"', "up to three lengths"), ("notes = 3", "expected text"),
    ("doping = 1.5", "outside its range"),
    ("[B", "not valid TOML"), ('dose_before = "-1J"', "outside its range")])
def test_what_is_wrong_in_samples_toml_is_told_with_its_line(tmp_path, line, said):
    (tmp_path / FILE).write_text(f"\n[A]\n{line}\n")
    with pytest.raises(ValueError, match=said):
        read_samples(tmp_path)


def test_a_misspelt_sample_is_refused_where_samples_are_described(folder, tmp_path):
    with pytest.raises(ValueError, match=r"did you mean 'PTP-7'.*table \[PTP-77\]"):
        history(folder, "PTP-77")
    assert history(tmp_path / "nothing yet", "PTP-77").dose == 0.0


def limited(dose):
    """The virtual bench, whose crystal may have `dose` [J] through its pumped area."""
    bench = describe_bench("virtual")
    most = dose * bench.pump.efficiency / bench.pump.area
    return dataclasses.replace(bench, limits={**bench.limits, "crystal_dose": (0.0, most)})


def test_the_limit_counts_the_history_where_a_sample_is_named(folder):
    wishes = {"shots": 9, "pump_energy": 1e-3}
    named, nameless = Remarks(sample="PTP-7"), Remarks()
    (told,) = look_up(folder, named, limited(0.121), wishes).notices
    assert "PTP-7 had 111 mJ in 2 runs" in told
    with pytest.raises(ValueError, match=r"above this bench's limit.*crystal_dose.*fewer or weaker"):
        look_up(folder, named, limited(0.119), wishes)
    with pytest.raises(ValueError, match="crystal_dose"):
        look_up(folder, named, limited(0.121), wishes | {"repeats": 2})
    assert look_up(folder, nameless, limited(0.119), wishes).notices == ()
    assert look_up(folder, named, limited(0.001), {"span": 1e6}).notices == ()  # no laser, no dose


def test_the_dose_of_a_run_without_shots_is_none(tmp_path):
    assert dose_of(tmp_path) == 0.0


VALUES = st.one_of(st.text(max_size=12), st.integers(), st.floats(), st.booleans(),
                   st.lists(st.one_of(st.text(max_size=6), st.integers(), st.booleans()), max_size=4))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(max_size=8), st.one_of(VALUES, st.dictionaries(
    st.sampled_from(["doping", "size", "dose_before", "notes", "colour"]), VALUES)), max_size=3))
def test_any_samples_toml_is_read_or_refused_in_words(tmp_path, tables):
    (tmp_path / FILE).write_text(tomlkit.dumps(tables), "utf-8")
    try:
        found = read_samples(tmp_path)
    except ValueError as refused:
        assert FILE in str(refused)
    else:
        assert set(found) == set(tables)
        assert all(sample.dose_before >= 0.0 for sample in found.values())
