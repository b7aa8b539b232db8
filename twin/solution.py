"""What one integration returned, and the photon number in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .pentacene import Parameters
from .stage import Stage

SHOWN = ("s11", "s22", "s33", "s44", "s55", "x.re", "x.im", "mu")
"""What a trajectory shows: populations, field, connected photons."""


@dataclass(frozen=True, eq=False)
class Solution:
    """One integration at times (T,): values (T, V) of the variables asked for, slopes (T, V, names).

    `starts` (R,), `lengths` (R,) [s] and `polynomials` (R, 8, V) are the interpolants of its steps, if they
    were recorded; `last` is the final vector of `stage`.
    """

    status: int
    steps: int
    values: np.ndarray
    slopes: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    polynomials: np.ndarray
    stage: Stage
    last: np.ndarray

    @property
    def has_field(self) -> bool:
        """False where the mode's amplitude is zero throughout."""
        return "x.re" in self.stage.index or "x.im" in self.stage.index

    @property
    def state(self) -> dict[str, np.ndarray]:
        """The last value and derivatives (1 + names,) of every variable that is left."""
        return self.stage.state(self.last)


def photon_number(found: Solution, p: Parameters, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Photons (T,) and derivatives (T, names) from a solution whose last variables are x.re, x.im, mu."""
    re, im, connected = found.values[:, -3], found.values[:, -2], found.values[:, -1]
    if not names and not found.has_field:
        return p.molecules * connected, np.empty((len(re), 0))
    per_molecule = re * re + im * im + connected
    if not names:
        return p.molecules * per_molecule, np.empty((len(re), 0))
    d_re, d_im, d_connected = np.moveaxis(found.slopes[:, -3:], 1, 0)
    slopes = p.molecules * (2.0 * (re[:, None] * d_re + im[:, None] * d_im) + d_connected)
    if "molecules" in names:
        slopes[:, names.index("molecules")] += per_molecule
    return p.molecules * per_molecule, slopes
