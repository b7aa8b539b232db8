"""How fitted parameters are called in tables and reports: symbol, scale, unit and meaning, once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fitted:
    """`symbol` and `unit` for headers; the SI value is divided by `scale` before it is shown."""

    symbol: str
    scale: float
    unit: str
    meaning: str


FITTED = {
    "collective_coupling": Fitted("G", 1e6, "10⁶ rad/s", "collective coupling g √(N Φ)"),
    "cavity_decay": Fitted("κ", 1e6, "10⁶/s", "cavity decay"),
    "dephasing_35": Fitted("χ", 1e6, "10⁶/s", "dephasing of the maser transition"),
    "seed_photons": Fitted("n₀", 1e3, "10³", "effective seed photons of this shot"),
    "amplitude_scale": Fitted("A", 1.0, "", "power against the declared receiver"),
}


def described(name: str) -> Fitted:
    """The entry of a parameter; one that has none is shown under its own name in SI units."""
    return FITTED.get(name, Fitted(name, 1.0, "SI", name))
