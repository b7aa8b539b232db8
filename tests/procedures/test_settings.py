"""Settings and catalogue: one declaration, read from numbers or text, errors that name what is wrong."""

import math

import pytest

from procedures import catalogue
from procedures.machinery.records.settings import values


def test_settings_take_si_numbers_and_text_with_units_alike():
    cls = catalogue.procedure("pump_threshold")
    assert values(cls, {"pump_energy_stop": "3mJ"})["pump_energy_stop"] == pytest.approx(3e-3)
    assert values(cls, {"pump_energy_stop": 3e-3})["pump_energy_stop"] == 3e-3
    assert values(cls, {"repetition_rate": "5 Hz", "shots": "7"})["shots"] == 7


@pytest.mark.parametrize(("given", "message"), [
    ({"pump_energy_stop": "5 bananas"}, "bananas"),
    ({"pump_energy_stopp": 1.0}, "did you mean 'pump_energy_stop'"),
    ({"shots": "2.5"}, "whole number"),
    ({"shots": 0}, "outside its range"),
    ({"pump_energy_stop": math.nan}, "outside its range"),
    ({"repetition_rate": "10 s"}, "not a unit of Hz"),
])
def test_a_wrong_setting_is_refused_with_its_name(given, message):
    with pytest.raises(ValueError, match=message) as refused:
        values(catalogue.procedure("pump_threshold"), given)
    assert next(iter(given)) in str(refused.value)


def test_an_unknown_procedure_names_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'single_shot'"):
        catalogue.procedure("singel_shot")


def test_the_catalogue_lists_every_procedure_with_units_and_bounds():
    listed = {entry["name"]: entry for entry in catalogue.as_json()["procedures"]}
    assert tuple(listed) == catalogue.names()
    stop = {s["name"]: s for s in listed["pump_threshold"]["settings"]}["pump_energy_stop"]
    assert (stop["unit"], stop["default"]) == ("J", 5e-3)
    assert stop["minimum"] < stop["default"] < stop["maximum"]
    assert {"pump", "timing", "digitiser"} <= set(listed["single_shot"]["roles"])
    assert all(entry["summary"] for entry in listed.values())


def test_a_class_knows_its_short_name():
    for name in catalogue.names():
        assert catalogue.name_of(catalogue.procedure(name)) == name
