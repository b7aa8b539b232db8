"""Questions as the command line asks them: grids, columns, and refusals that help."""

import shlex

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin import pentacene, simulate
from twin.calculation import Calculation, system
from twin.drive import Drive
from twin.grid import grid

P = pentacene.Parameters()


@given(st.floats(1e-12, 1e12), st.floats(1e-12, 1e12), st.integers(2, 200), st.sampled_from(["log", "lin"]))
def test_a_grid_starts_and_ends_exactly_where_it_was_told(first, last, count, kind):
    points = grid(f"{kind}:{first!r}:{last!r}:{count}", "", "molecules")
    assert len(points) == count
    assert (points[0], points[-1]) == (first, last)
    steps = np.diff(np.log(points) if kind == "log" else points)
    assert np.ptp(steps) <= 1e-9 * np.abs(steps).max() + 1e-12


def test_a_grid_reads_units():
    assert grid("log:1e5/s:1/us:3", "1/s", "pump_rate") == pytest.approx([1e5, 10**5.5, 1e6])
    assert grid("1MHz,2e6", "rad/s", "rabi_35") == pytest.approx([2 * np.pi * 1e6, 2e6])
    assert grid("lin:0:1us:2", "s", "pump_off_at") == pytest.approx([0.0, 1e-6])


@pytest.mark.parametrize(("text", "unit", "words"), [
    ("log:0:1:3", "", ["above 0"]), ("log:1:2", "", ["log:FIRST:LAST:POINTS"]), ("lim:1:2:3", "", ["lin"]),
    ("lin:1:2:one", "", ["POINTS", "one"]), ("lin:1:2:1", "", ["2 .."]), ("1,x", "", ["x"]),
    ("log:1MHz:2MHz:3", "1/s", ["2*pi*"]), ("", "", ["cannot read"]), ("lin:1:2:99999999", "", ["1000000"]),
    ("lin:nan:2:3", "", ["nan"]),
])
def test_a_grid_that_cannot_be_read_says_why(text, unit, words):
    with pytest.raises(ValueError) as refused:
        grid(text, unit, "molecules")
    assert all(word in str(refused.value) for word in ["molecules", *words])


def test_the_first_axis_varies_slowest_and_axes_come_back_to_the_last_digit():
    asked = Calculation("pentacene", ("molecules", "pump_rate", "latency"),
                        (("molecules", "1e16,2e16"), ("pump_rate", "log:1e7:1e8:3")),
                        options=(("duration", "1us"),))
    rows = asked.rows()
    assert rows[:, 0].tolist() == [1e16] * 3 + [2e16] * 3
    assert rows[:3, 1].tolist() == grid("log:1e7:1e8:3", "1/s", "pump_rate").tolist()
    alone = simulate(P.replace(molecules=2e16), Drive(pump_rate=1e8), [0.0, 1e-6]).charging()
    assert rows[5, 2] == alone.latency


def test_columns_along_time_repeat_the_figures_of_merit():
    rows = Calculation("pentacene", ("time", "energy", "maximum_energy", "quality"),
                       options=(("duration", "1us"), ("points", "11"))).rows()
    assert rows[:, 0] == pytest.approx(np.linspace(0.0, 1e-6, 11))
    assert np.all(rows[:, 2] == rows[0, 2]) and np.all(rows[:, 1] <= rows[0, 2] * (1 + 1e-9))
    assert rows[0, 3] == pytest.approx(4300.0)


def test_every_column_can_be_asked_for():
    names = tuple(system("pentacene").columns)
    rows = Calculation("pentacene", names, options=(("duration", "1us"), ("points", "5"))).rows()
    assert rows.shape == (5, len(names))
    assert not np.isnan(rows[-1]).any()


def test_settings_are_applied_together_and_can_be_printed():
    asked = Calculation("pentacene", ("branching_5", "rabi_35", "triplet_decay_51"),
                        settings=(("branching_3", "0.1"), ("branching_4", "0.2"), ("branching_5", "0.7"),
                                  ("rabi_35", "1MHz")), options=(("duration", "10ns"),))
    assert asked.rows()[0] == pytest.approx([0.7, 2 * np.pi * 1e6, 2.8e4])


def test_the_command_says_all_that_was_asked():
    asked = Calculation("pentacene", ("molecules", "latency"), (("molecules", "log:1e15:1e16:3"),),
                        (("dephasing_35", "2*pi*0.1MHz"),), (("model", "rate"), ("duration", "2us")))
    assert shlex.split(asked.command) == [
        "maserbench", "sweep", "pentacene", "--axis", "molecules=log:1e15:1e16:3", "--set",
        "dephasing_35=2*pi*0.1MHz", "--model", "rate", "--duration", "2us", "--columns", "molecules,latency"]
    assert Calculation("pentacene", ("time",)).command == "maserbench simulate pentacene --columns time"


@pytest.mark.parametrize(("changes", "words"), [
    (dict(columns=("latenzy",)), ["--columns", "latency"]),
    (dict(axes=(("molecule", "1,2"),)), ["--axis", "molecules"]),
    (dict(axes=(("molecules", "1e15,2e15"),), settings=(("molecules", "1e15"),)),
     ["molecules", "set as well"]),
    (dict(settings=(("couplin", "1"),)), ["--set", "coupling"]),
    (dict(options=(("collisions", "3"),)), ["--collisions", "--duration"]),
    (dict(axes=(("pump_rate", "lin:0:1:100000"), ("molecules", "lin:1:2:100000"))), ["10000000000"]),
    (dict(axes=(("molecules", "-1,2"),)), ["molecules", "range"]),
    (dict(options=(("points", "1"),)), ["points"]),
])
def test_a_question_that_cannot_be_answered_is_refused_by_name(changes, words):
    asked = {"columns": ("latency",), **changes}
    with pytest.raises(ValueError) as refused:
        Calculation("pentacene", **asked).rows()
    assert all(word in str(refused.value) for word in words), str(refused.value)


def test_an_unknown_system_is_refused():
    with pytest.raises(ValueError, match="pentacene"):
        Calculation("pentacen", ("time",)).rows()
