"""One shot of the bench as a frozen record, from the digitiser to disk, fit and plot and back.

Nothing here touches an instrument, a file or a window: these are the records that flow between them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from instruments.waveform import Waveform
    from twin.fit_result import Verdict


TUNED = "cavity.frequency"
"""The setting [Hz] under which a procedure stores where it has measured the mode before a shot."""

LOADED, COUPLED = "cavity.loaded_quality", "cavity.coupling_factor"
"""Settings under which a procedure that moves the loop stores what it has measured then."""


AS_MEASURED = (TUNED, LOADED, COUPLED)
"""All of them: what a shot's fit takes from its settings."""

POINT, REPEAT, CONTROL = "point.number", "point.repeat", "point.control"
BELONGS = (POINT, REPEAT, CONTROL)
"""Settings that say to which point of its run a shot belongs (which and for the how manieth time, from 0), or
that it is a control without light (1)."""

AT_THE_LOOP = ("microwave", "vna")
"""Roles whose sources feed the cavity."""


class Origin(StrEnum):
    """Where a shot's data come from; MIXED: some roles of the bench are software, some are real."""

    REAL = "real"
    SIMULATED = "simulated"
    MIXED = "mixed"


@dataclass(frozen=True, eq=False, slots=True)
class FitRow:
    """What the twin says about one shot: a row of fits.jsonl, plus the model's line for plots.

    `parameters`, `sigma` and `sigma_model` hold the identifiable names only, in SI units; `sigma_model`
    is the absolute error from [expected.model_error]. `seconds` is the time the fit took [s].
    `model_time` [s from the trigger] (T,) and `model_volts` [V] (T,) are never written to disk.
    """

    shot: int
    verdict: Verdict
    parameters: Mapping[str, float]
    sigma: Mapping[str, float]
    sigma_model: Mapping[str, float]
    chi2_per_dof: float | None
    seconds: float
    model_time: np.ndarray | None = None
    model_volts: np.ndarray | None = None

    def as_json(self) -> dict[str, Any]:
        """The row as it stands in fits.jsonl: plain numbers; what is not finite is left out."""
        return {"shot": self.shot, "verdict": self.verdict.name, "parameters": finite(self.parameters),
                "sigma": finite(self.sigma), "sigma_model": finite(self.sigma_model),
                "chi2_per_dof": _number(self.chi2_per_dof), "seconds": self.seconds}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> FitRow:
        """The record behind a row of fits.jsonl; KeyError when a column is missing."""
        from twin.fit_result import Verdict

        return cls(row["shot"], Verdict[row["verdict"]], row["parameters"], row["sigma"], row["sigma_model"],
                   row["chi2_per_dof"], row["seconds"])


@dataclass(frozen=True, eq=False)
class Shot:
    """One firing of the laser and all that was recorded: never changed, only copied with a fit added.

    `number` counts from 0 in its run; `moment` is UTC in ISO 8601; `settings` are values read back
    from the instruments, {"role.setting": SI}; `waveforms` are raw records by name ("burst",
    "photodiode", "log"); `traces` are sweeps and spectra by name (P,). `start` is the laser's edge on
    the photodiode [s from the trigger] and `energy` the pulse energy that its area tells [J]; both nan
    where there was no pulse or no photodiode.
    """

    number: int
    moment: str
    settings: Mapping[str, float]
    waveforms: Mapping[str, Waveform]
    origin: Origin
    traces: Mapping[str, np.ndarray] = field(default_factory=dict)
    start: float = math.nan
    energy: float = math.nan
    fit: FitRow | None = None

    @property
    def waveform(self) -> Waveform:
        """The burst's record; KeyError with the names that are there when the shot has none."""
        if "burst" not in self.waveforms:
            raise KeyError(f"shot {self.number} has no burst record; it has: "
                           f"{', '.join([*self.waveforms, *self.traces]) or 'nothing'}")
        return self.waveforms["burst"]

    @property
    def driven(self) -> bool:
        """Whether a source was feeding the cavity."""
        return any(self.settings.get(f"{role}.output") for role in AT_THE_LOOP)

    @property
    def control(self) -> bool:
        """Whether it was taken without light, between others, to be looked at and not to be fitted."""
        return self.settings.get(CONTROL) == 1.0

    def with_fit(self, fit: FitRow | None) -> Shot:
        """The same shot with the twin's answer attached."""
        return dataclasses.replace(self, fit=fit)


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """`values` as plain floats without those that are not finite, because JSON has no NaN."""
    return {name: float(value) for name, value in values.items() if math.isfinite(value)}


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
