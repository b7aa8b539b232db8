"""What a fit says: parameters with errors, what could not be determined, and a verdict.

A fit that fails is a value, not an exception: its verdict names the reason and its advice says
what to do. Parameters that a record does not determine are left out, never quoted with a
meaningless error. Nothing in a result is nan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np


class Verdict(StrEnum):
    """One word per shot; `.name` is what files hold, `.advice` what to do about it."""

    OK = "OK"
    NOT_IDENTIFIABLE = "NOT_IDENTIFIABLE"
    NO_BURST = "NO_BURST"
    CLIPPED = "CLIPPED"
    OVERLOADED = "OVERLOADED"
    MISFIRE = "MISFIRE"
    MISTRIGGERED = "MISTRIGGERED"
    NOT_CONVERGED = "NOT_CONVERGED"
    MODEL_NOT_VALID = "MODEL_NOT_VALID"

    @property
    def advice(self) -> str:
        return _ADVICE[self.name]


_ADVICE = {
    "OK": "nothing to do",
    "NOT_IDENTIFIABLE": "the record does not determine all that was asked: free fewer names, give a prior, "
                        "or record a stronger burst",
    "NO_BURST": "no burst above the noise: raise the pump energy or the gain, or look at the tuning",
    "CLIPPED": "samples lie at a rail of the digitiser: widen its range or add attenuation",
    "OVERLOADED": "the detector's range is exceeded: add attenuation before it",
    "MISFIRE": "the laser gave no pulse: look at its interlock, lamp and triggers",
    "MISTRIGGERED": "the record does not contain the laser pulse where the trigger says: look at the "
                    "trigger's cable, level and delay",
    "NOT_CONVERGED": "no start led to a minimum: look at residuals and declared parameters, or give priors",
    "MODEL_NOT_VALID": "the model cannot have made this record with the declared bench: look at the "
                       "residuals, the receiver's gains and sign, the declared coupling and the noise; if "
                       "it goes away with another 10 dB of attenuation, an amplifier is compressed",
}


@dataclass(frozen=True, eq=False)
class FitResult:
    """One fit. Dictionaries hold only names that were asked for and are identifiable.

    `covariance` and `correlation` are in the order of `names`; `residuals` (T,) are (data - model)/sigma, 0
    where a sample was not `used` (T,); `fitted` and `deviation` (T,) are that model and sigma, in the unit of
    the data. `sigma_model` is absolute, from declared model errors. `derived` names carry the calibration of
    the photon number.
    `nuisance` holds what was fitted without being asked for (baseline [V], start [s] under its prior).
    """

    verdict: Verdict
    message: str
    parameters: dict[str, float]
    sigma: dict[str, float]
    sigma_model: dict[str, float]
    covariance: np.ndarray
    identifiable: dict[str, bool]
    dead_directions: list[dict[str, float]]
    singular_values: np.ndarray
    chi2_per_dof: float
    residuals: np.ndarray
    used: np.ndarray
    fitted: np.ndarray
    deviation: np.ndarray
    derived: tuple[str, ...] = ()
    nuisance: dict[str, float] = field(default_factory=dict)
    model: str = "mean_field"
    evaluations: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.parameters)

    @property
    def model_volts(self) -> np.ndarray:
        """`fitted`, of a trace [V]."""
        return self.fitted

    @property
    def sigma_volts(self) -> np.ndarray:
        """`deviation`, of a trace [V]."""
        return self.deviation

    @property
    def correlation(self) -> np.ndarray:
        """Correlation coefficients (k, k), in the order of `names`."""
        scale = np.sqrt(np.diag(self.covariance))
        return self.covariance / np.outer(scale, scale) if len(scale) else self.covariance
