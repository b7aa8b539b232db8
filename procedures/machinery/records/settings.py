"""Settings of procedures: declared once as PyMeasure parameters, read from numbers or text with units.

The parameter on the procedure's class is the only place where name, unit, default and bounds stand;
the catalogue, the command line and the window's form all come from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pymeasure.experiment import BooleanParameter, FloatParameter, IntegerParameter, ListParameter, Procedure
from pymeasure.experiment.parameters import Parameter

from twin.quantity import Quantity, check, nearest, read

_SHARED = "procedures.machinery."


@dataclasses.dataclass(frozen=True)
class Setting:
    """One setting for a form: `default`, `minimum` and `maximum` in `unit` (SI); `choices` or None."""

    name: str
    unit: str
    default: Any
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...] | None
    meaning: str


def shots(default: int = 20) -> IntegerParameter:
    return IntegerParameter("Shots", default=default, minimum=1, maximum=1_000_000,
                            description="how often the laser is fired, in each repeat")


def pump_energy(name: str = "Pump energy", default: float = 5e-3, meaning: str = "") -> FloatParameter:
    return FloatParameter(name, units="J", default=default, minimum=1e-9, maximum=1.0,
                          description=meaning or "energy of the laser pulse, set through the Q-switch delay")


def repetition_rate(default: float = 10.0) -> FloatParameter:
    return FloatParameter("Repetition rate", units="Hz", default=default, minimum=0.01, maximum=1000.0,
                          description="laser pulses per second")


def frequency(meaning: str, name: str = "Frequency") -> FloatParameter:
    return FloatParameter(name, units="Hz", default=1.4495e9, minimum=1e7, maximum=2e10, description=meaning)


def span(meaning: str, default: float = 3e6) -> FloatParameter:
    return FloatParameter("Span", units="Hz", default=default, minimum=1e3, maximum=1e9, description=meaning)


def power(meaning: str, default: float, name: str = "Power") -> FloatParameter:
    """In dBm; what an instrument gives of that range its driver knows."""
    return FloatParameter(name, units="dBm", default=default, minimum=-135.0, maximum=20.0,
                          description=meaning)


def declared(procedure: type[Procedure]) -> dict[str, Parameter]:
    """The parameters on the class by attribute name, as they are written there; what all procedures share
    comes last."""
    classes = list(reversed(procedure.__mro__))
    own = [cls for cls in classes if not cls.__module__.startswith(_SHARED)]
    names = dict.fromkeys(name for cls in (*own, *classes) for name, value in vars(cls).items()
                          if isinstance(value, Parameter))
    return {name: value for name in names if isinstance(value := getattr(procedure, name), Parameter)}


def describe(procedure: type[Procedure]) -> list[Setting]:
    """All settings of a procedure."""
    return [_describe(name, parameter) for name, parameter in declared(procedure).items()]


def _describe(name: str, parameter: Parameter) -> Setting:
    choices = getattr(parameter, "choices", None)
    return Setting(name, getattr(parameter, "units", None) or "", parameter.value,
                   getattr(parameter, "minimum", None), getattr(parameter, "maximum", None),
                   tuple(str(c) for c in choices) if choices else None,
                   (parameter.description or "").split(", units are")[0])


def values(procedure: type[Procedure], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting of the procedure, defaults where nothing is `given`; ValueError naming what is wrong."""
    known = declared(procedure)
    for name in given:
        if name not in known:
            raise ValueError(f"setting of {procedure.__name__}: {nearest(name, known)}")
    return {name: _value(name, parameter, given[name]) if name in given else parameter.value
            for name, parameter in known.items()}


def _value(name: str, parameter: Parameter, text: Any) -> Any:
    if isinstance(parameter, IntegerParameter):
        return int(check(name, _whole(name, text), Quantity(parameter.units or "", parameter.minimum,
                                                           parameter.maximum)))
    if isinstance(parameter, FloatParameter):
        unit = parameter.units or ""
        return check(name, read(text, unit, name), Quantity(unit, parameter.minimum, parameter.maximum))
    if isinstance(parameter, BooleanParameter):
        return _yes(name, text)
    if isinstance(parameter, ListParameter) and str(text) not in [str(c) for c in parameter.choices]:
        raise ValueError(f"{name}: {nearest(str(text), [str(c) for c in parameter.choices])}")
    return text


def _whole(name: str, text: Any) -> int:
    number = read(text, "", name)
    if number != int(number):
        raise ValueError(f"{name}: expected a whole number, found {text!r}")
    return int(number)


def _yes(name: str, text: Any) -> bool:
    if str(text).lower() in ("true", "yes", "on", "1"):
        return True
    if str(text).lower() in ("false", "no", "off", "0"):
        return False
    raise ValueError(f"{name}: expected yes or no, found {text!r}")
