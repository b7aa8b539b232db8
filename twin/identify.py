"""Which parameters a record determines, and which combinations it says nothing about.

In logarithmic coordinates the singular values of the whitened derivatives are 1/sigma of the
directions that data and priors pin. A direction known to no better than 40 % is
dead; a name is identifiable if its own uncertainty, everything else left open, is smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DEAD = 2.5
"""Singular values below this mark a dead direction (sigma > 0.4 in the logarithm)."""

_FAINT = 1e-10
_WORTH_NAMING = 0.1


@dataclass(frozen=True)
class Identification:
    """covariance (k, k) of the coordinates; singular values (k,), falling; directions (k, k) in rows."""

    names: tuple[str, ...]
    covariance: np.ndarray
    singular_values: np.ndarray
    directions: np.ndarray

    @property
    def sigma(self) -> np.ndarray:
        return np.sqrt(np.diag(self.covariance))

    def identifiable(self, name: str) -> bool:
        """True if the coordinate is known to better than 0.4."""
        return bool(self.sigma[self.names.index(name)] < 1.0 / DEAD)

    def dead_directions(self, asked: Sequence[str]) -> list[dict[str, float]]:
        """{name: weight > 0.1} of each dead direction; the weakest one where only a name is dead."""
        dead = [i for i, s in enumerate(self.singular_values) if s < DEAD]
        if not dead and not all(self.identifiable(n) for n in asked):
            dead = [len(self.names) - 1]
        return [_weights(self.names, self.directions[i]) for i in dead]


def identify(names: Sequence[str], normal: np.ndarray) -> Identification:
    """From the normal matrix (k, k) J^T W J + priors in coordinates whose natural scale is 1."""
    values, vectors = np.linalg.eigh(0.5 * (normal + normal.T))
    values = np.maximum(values[::-1], _FAINT)
    directions = vectors.T[::-1]
    covariance = (directions.T / values) @ directions
    return Identification(tuple(names), covariance, np.sqrt(values), directions)


def _weights(names: Sequence[str], direction: np.ndarray) -> dict[str, float]:
    direction = direction * np.sign(direction[np.argmax(np.abs(direction))])
    return {n: float(w) for n, w in zip(names, direction, strict=True) if abs(w) > _WORTH_NAMING}
