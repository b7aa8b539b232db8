"""Parameters of the micromaser battery: qubits that meet a lossy cavity one after the other.

The model and its numbers of equations are those of Shaghaghi et al., Entropy 25, 430 (2023).
"""

from __future__ import annotations

import cmath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..parameters import Record
from ..quantity import Quantity, nearest, quantity

COLLISIONS = ("jaynes_cummings", "rabi", "modulated")
FIRST_ZERO = 1.2024127788478864
"""eta at which J0(2 eta) = 0: the modulation then stops the counter-rotating terms in first order."""
SMALLEST_RATIO = 1e-6
"""g/omega down to which counter-rotating terms are worked out."""


@dataclass(frozen=True)
class Parameters(Record):
    """One stream of qubits and one cavity; everything is without unit, energies are in omega.

    `c` may be complex, |c| <= 1; it is kept real where its imaginary part is 0. `coupling_ratio` is read by
    "rabi" and "modulated", the two modulation fields by "modulated" alone. `interaction_fraction` tau/t_r = 0
    is the paper's splitting, Eq. (16): all of `loss` falls between two collisions. Above 0 that share of it
    acts while the qubit is inside, for "jaynes_cummings" alone.
    """

    q: float = quantity(0.25, "", 0.0, 1.0, "probability of a qubit to arrive in its ground state, Eq. (1)",
                        "Figs. 2-7 of Shaghaghi 2023")
    c: complex = quantity(1.0, "", 0.0, 1.0, "coherence of the qubits, complex, |c| <= 1, Eq. (1)",
                          "coherent protocol of Shaghaghi 2023")
    theta: float = quantity(cmath.pi / 15.6**0.5, "", 0.0, 1e3, "interaction angle g tau, Eq. (5)",
                            "pi/sqrt(15.6), Fig. 4 of Shaghaghi 2023")
    loss: float = quantity(0.0, "", 0.0, 1e3, "gamma t_r: energy decay of the cavity per collision, Eq. (16)",
                           "lossless, Sec. 4 of Shaghaghi 2023")
    thermal_photons: float = quantity(0.15, "", 0.0, 1e4, "thermal photons of the cavity, Eq. (16)",
                                      "Figs. 5-7 of Shaghaghi 2023")
    detuning_ratio: float = quantity(0.0, "", -1e4, 1e4, "(omega_q - omega_F)/g, Eq. (2)", "resonance")
    coupling_ratio: float = quantity(0.1, "", 0.0, 1e2, "g/omega of the counter-rotating terms, Eq. (3)",
                                     "where strong coupling begins, Sec. 2 of Shaghaghi 2023")
    modulation_amplitude: float = quantity(FIRST_ZERO, "", 0.0, 1e3, "eta of the modulation, Eq. (6)",
                                           "J0(2 eta) = 0")
    modulation_frequency: float = quantity(50.0, "", 1e-3, 1e4, "nu/omega of the modulation, Eq. (6)",
                                           "far above omega and g")
    interaction_fraction: float = quantity(0.0, "", 0.0, 1.0, "tau/t_r: share of the loss that acts during "
                                           "the collision", "t_r >> tau, Sec. 5 of Shaghaghi 2023")
    collision: str = "jaynes_cummings"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.collision not in COLLISIONS:
            raise ValueError("collision: " + nearest(str(self.collision), COLLISIONS))
        if self.collision != "jaynes_cummings":
            self._check_counter_rotating()

    @property
    def loses_inside(self) -> bool:
        """True if part of the loss acts while a qubit is inside."""
        return self.loss * self.interaction_fraction > 0.0

    def check_losses_between(self, what: str) -> None:
        """ValueError unless all loss falls between collisions, which is all that `what` knows."""
        if self.loses_inside:
            raise ValueError(f"interaction_fraction = {self.interaction_fraction:g}: {what} knows the loss "
                             "between collisions only; give interaction_fraction = 0, or step with charge")

    def _check_counter_rotating(self) -> None:
        kind = f"for collision={self.collision!r}"
        if self.detuning_ratio != 0.0:
            raise ValueError(f"detuning_ratio = {self.detuning_ratio:g} must be 0 {kind}: Eqs. (3) and (6) "
                             "are those of resonance")
        if self.interaction_fraction != 0.0:
            raise ValueError(f"interaction_fraction = {self.interaction_fraction:g} must be 0 {kind}: loss "
                             "during the collision is worked out from coherence orders, which "
                             "counter-rotating terms do not conserve")
        if self.coupling_ratio < SMALLEST_RATIO:
            raise ValueError(f"coupling_ratio = {self.coupling_ratio:g} must be at least {SMALLEST_RATIO:g} "
                             f"{kind}: below, the phase omega tau has too few digits left; "
                             "jaynes_cummings is its limit")

    def _checked(self, name: str, value: Any, q: Quantity) -> Any:
        return coherence(value) if name == "c" else super()._checked(name, value, q)

    def replace_text(self, settings: Mapping[str, str | float]) -> Self:
        """As `Record.replace_text`; c also as "0.6+0.3j"."""
        rest = {name: text for name, text in settings.items() if name != "c"}
        changes = {"c": coherence(settings["c"])} if "c" in settings else {}
        return super().replace_text(rest).replace(**changes)


def coherence(value: Any) -> complex | float:
    """c as a number with |c| <= 1, real where it is; ValueError names field, value and range."""
    try:
        c = complex(value.replace(" ", "") if isinstance(value, str) else value)
    except (TypeError, ValueError):
        raise ValueError(f"c: expected a number such as 0.5 or 0.6+0.3j, found {value!r}") from None
    if not cmath.isfinite(c) or abs(c) > 1.0 + 1e-12:
        raise ValueError(f"c = {c:g} is outside its range |c| <= 1")
    return c if c.imag else float(c.real)


NAMES = tuple(Parameters.quantities())
"""Names of all continuous parameters."""
