"""The state of the bench that a run keeps: complete, comparable, and put back without anything coming on."""

import json
import tomllib

import pytest

from instruments.readable import read_settings, settable
from procedures import find_runs, open_bench, open_run, run
from procedures.machinery.apparatus.restore import RESTORED, restore
from procedures.machinery.apparatus.snapshot import differences, read_states, states


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def taken(served, folder):
    """One shot on the served bench, with all that is said about a run."""
    with open_bench(served[0]) as bench:
        return run("single_shot", bench, folder, seed=1, shots=1, pump_energy="1mJ", operator="Ada",
                   sample="PTP-7", tags=["dry", "first"], note="still wet?")


@pytest.fixture
def then(taken):
    return states(taken)


def test_what_is_said_about_a_run_stands_in_its_manifest_and_is_found(taken, folder):
    manifest = tomllib.loads((taken.path / "manifest.toml").read_text())
    said = {name: manifest[name] for name in ("operator", "sample", "tags", "note", "needs")}
    assert said == {"operator": "Ada", "sample": "PTP-7", "tags": ["dry", "first"], "note": "still wet?",
                    "needs": "0.1.0"}
    (found,) = find_runs(folder, tag="dry", operator="Ada", where=["pump_energy=1mJ"], text="wet")
    assert (found.path, found.shots, found.state) == (taken.path, 1, "finished")


def test_every_role_is_kept_with_driver_origin_and_units(taken, then, served):
    bench = tomllib.loads(served[0].read_text())
    assert set(then) == set(taken.manifest["roles"])
    for role, state in then.items():
        assert (state.driver, state.origin) == (bench[role]["driver"], "simulated")
        assert state.values and not state.unread
        wanting = [path for path, value in state.values.items()
                   if isinstance(value, float) and not state.units[path] and path != "step_points"]
        assert not wanting, f"{role}: no unit of {wanting}"


def test_numbers_text_and_switches_are_kept_as_they_read_back(then):
    assert (then["timing"].values["trigger_source"], then["timing"].units["trigger_level"]) == ("single", "V")
    assert then["microwave"].values["output"] is False
    assert then["microwave"].values["pulse_source"] in ("internal", "external")
    assert then["digitiser"].values["channels.2.input"] == "DC50"
    assert then["digitiser"].values["burst.full_scale"] == pytest.approx(1.6)
    assert (then["tuner"].units["position"], then["analyser"].units["centre"]) == ("m", "Hz")


def test_every_property_that_sets_something_is_in_the_snapshot(bench, then):
    for role, instrument in bench.roles.items():
        assert {path for path, _, _ in settable(instrument)} <= set(then[role].values), role


def test_nothing_differs_on_a_bench_that_nobody_has_touched(bench, then):
    moved = {(each.role, each.path) for each in differences(then, read_states(bench))}
    # What a run leaves changed: it sets the rate and in the end makes all safe; temperature drifts.
    assert moved <= {("timing", "inhibited"), ("pump", "propagation"), ("pump", "emission"),
                     ("pump", "energy_level"), ("thermometer", "temperature"), ("timing", "q_switch_delay"),
                     ("timing", "edges.4.delay"), ("pump", "mode"), ("pump", "repetition_rate"),
                     ("digitiser", "source")}


def turn_knobs(bench):
    """What a visitor might do at the front panels, with values that no other test leaves behind."""
    roles = bench.roles
    roles["microwave"].frequency, roles["microwave"].power = 1.3e9, -61.7
    roles["microwave"].gated = not roles["microwave"].gated
    roles["analyser"].centre, roles["analyser"].span = 2.1e9, 5.3e6
    roles["digitiser"].channels[1].full_scale = 0.44
    roles["digitiser"].channels[1].offset = 0.13
    roles["timing"].set_gate(1.1e-6, 3.3e-6)
    roles["timing"].trigger_level = 0.7
    roles["timing"].outputs[2].polarity = "negative"
    roles["tuner"].move_to(roles["tuner"].position + 1e-3)
    roles["thermometer"].input_name = "somewhere"


def test_settings_are_restored_and_what_is_not_is_told(bench, then, served):
    turn_knobs(bench)
    outcomes = {f"{o.difference.role}.{o.difference.path}": o for o in restore(bench, then)}
    for path in ("microwave.frequency", "microwave.power", "microwave.gated", "analyser.centre",
                 "analyser.span", "digitiser.channels.1.full_scale", "digitiser.channels.1.offset",
                 "timing.gate_start", "timing.gate_length", "tuner.position", "thermometer.input_name"):
        assert outcomes[path].restored, outcomes[path]
    assert bench.roles["microwave"].frequency == then["microwave"].values["frequency"]
    assert bench.roles["tuner"].position == pytest.approx(then["tuner"].values["position"], abs=1e-7)
    for path in ("timing.trigger_level", "timing.outputs.2.polarity"):
        assert not outcomes[path].restored and "set it by hand" in outcomes[path].reason
    assert bench.roles["timing"].outputs[2].polarity == "negative"
    bench.roles["timing"].outputs[2].polarity, bench.roles["timing"].trigger_level = "positive", 1.0
    assert json.loads(served[1].ask("state"))["rf"] == "off"


def test_nothing_that_emits_or_arms_is_ever_set_even_if_it_was_on_in_the_run(bench, then, served):
    then["microwave"].values["output"] = True
    then["pump"].values["propagation"], then["pump"].values["emission"] = True, "on"
    then["shutter"].values["commanded"], then["timing"].values["inhibited"] = "open", "none"
    outcomes = {f"{o.difference.role}.{o.difference.path}": o for o in restore(bench, then)}
    for path in ("microwave.output", "pump.propagation", "pump.emission", "shutter.commanded",
                 "timing.inhibited"):
        assert outcomes[path].reason.startswith("never"), outcomes[path]
    state = json.loads(served[1].ask("state"))
    assert (state["laser"], state["shutter"], state["rf"]) == ("off", "closed", "off")


def test_a_value_beyond_the_limits_of_the_bench_is_not_restored(bench, then):
    then["microwave"].values["power"] = 13.0  # the bench allows 10 dBm
    outcomes = {o.difference.path: o for o in restore(bench, then) if o.difference.role == "microwave"}
    assert "outside this bench's limits" in outcomes["power"].reason
    assert bench.roles["microwave"].power != 13.0


def test_the_list_of_what_is_restored_names_nothing_that_emits_opens_or_triggers():
    names = {path.rpartition(".")[2] for paths in RESTORED.values() for path in paths}
    assert not names & {"output", "output_bnc", "emission", "propagation", "energy_level", "commanded",
                        "inhibited", "trigger_source", "mode", "polarity", "amplitude", "burst_mode"}
    assert {"shutter", "interlock"}.isdisjoint(RESTORED)


def test_what_an_instrument_does_not_answer_is_told_and_nothing_more_is_asked(bench):
    class Older(type(bench.roles["timing"])):
        """A model that has no answer for T0's link, which its driver does not know yet."""

        unasked = ()

    instrument = bench.roles["timing"]
    instrument.adapter.timeout, instrument.__class__ = 0.3, Older
    found = read_settings(instrument)
    assert "0.3 s were not enough" in found.unread["edges.0.link"] and "edges.0.delay" in found.values
    assert "edges.1.delay" not in {*found.values, *found.unread}
    instrument.trigger_level = 1.0  # and no error is left over for others


def test_a_run_without_a_snapshot_says_so(tmp_path, make_run):
    with open_run(make_run(tmp_path)) as old, pytest.raises(ValueError, match="holds no snapshot"):
        states(old)
