"""Random numbers by (seed, role, shot): no draw depends on what else was asked, or in which order."""

from __future__ import annotations

import numpy as np

SHOT = 0
_ROLES = {"pump": 1, "burst": 2, "photodiode": 3, "log": 4, "input": 5, "analyser": 6, "drift": 7,
          "energy": 8, "leak": 20, "trigger": 21, "free run": 22, "vna": 41, "thermometer": 42}


def stream(seed: int, role: str, shot: int = 0) -> np.random.Generator:
    """The generator of a role in a shot; the physics of the shot itself is seeded by (seed, SHOT, shot)."""
    return np.random.default_rng(np.random.SeedSequence((seed, _ROLES[role], shot)))
