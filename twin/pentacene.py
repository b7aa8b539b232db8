"""Parameters of pentacene-doped p-terphenyl in a microwave cavity, and the named sets.

Levels: 1 = S0, 2 = S1, 3, 4, 5 = the triplet sublevels Z, Y, X in rising order of energy.
All rates are full Lindblad rates [1/s]: `r` means r (O rho O+ - {O+ O, rho}/2). Line widths
are angular. Couplings, decays of the cavity and frequencies are in rad/s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from .parameters import Record
from .quantity import nearest, quantity

HBAR = 1.054571817e-34  # [J s]
BOLTZMANN = 1.380649e-23  # [J/K]
_PI2 = 2.0 * math.pi
_RATE_MAX = 1e13


def bose(angular_frequency: float, temperature: float) -> float:
    """Thermal photons of a mode: 1/(exp(hbar w/kT) - 1), 0 at T = 0."""
    if temperature <= 0.0:
        return 0.0
    return 1.0 / math.expm1(HBAR * angular_frequency / (BOLTZMANN * temperature))


@dataclass(frozen=True)
class Parameters(Record):
    """One crystal in one cavity. The defaults are the set `battery2025`.

    `dephasing_operator`: "pure" is (chi/2) D[s_ii - s_jj] with the full rate chi/2, which makes the
    coherence ij decay at chi; "printed" is the operator as the quantum-battery paper prints it,
    s_ij - s_ji, which also mixes populations and does not reproduce that paper's own numbers.
    """

    members: ClassVar = {"branching": ("branching_3", "branching_4", "branching_5"),
                         "triplet_decay": ("triplet_decay_31", "triplet_decay_41", "triplet_decay_51")}

    molecules: float = quantity(3e16, "", 1.0, 1e24, "pentacene molecules in the mode",
                                "fitted to the burst's delay in Wang 2025; 2e16..4e16 fit alike")
    coupling: float = quantity(_PI2 * 0.042, "rad/s", 0.0, 1e9, "coupling g of one molecule to the mode",
                               "Breeze, npj Quantum Inf. 3, 40 (2017)")
    cavity_decay: float = quantity(_PI2 * 1.4495e9 / 4300, "rad/s", 0.0, 1e11,
                                   "energy decay rate kappa of the mode (loaded)", "Q about 4300, Wu 2020")
    frequency_35: float = quantity(_PI2 * 1.4495e9, "rad/s", 8e9, 1.1e10, "masing transition X-Z",
                                   "D + |E| of pentacene:p-terphenyl")
    frequency_45: float = quantity(_PI2 * 0.107e9, "rad/s", 3e8, 2e9, "transition X-Y", "2|E|")
    frequency_34: float = quantity(_PI2 * 1.3425e9, "rad/s", 7e9, 1e10, "transition Y-Z", "D - |E|")
    cavity_frequency: float = quantity(_PI2 * 1.4495e9, "rad/s", 8e9, 1.1e10, "frequency of the mode",
                                       "tuned to X-Z")
    thermal_photons: float = quantity(4312.0, "", 0.0, 1e12, "thermal photons of the mode", "Bose, 300 K")
    spontaneous_emission: float = quantity(4.2e7, "1/s", 0.0, _RATE_MAX, "S1 -> S0",
                                           "public pentacene maser parameter file")
    intersystem_crossing: float = quantity(6.9e7, "1/s", 0.0, _RATE_MAX, "S1 -> triplet, all sublevels",
                                           "public pentacene maser parameter file")
    branching: tuple[float, float, float] = quantity((0.08, 0.16, 0.76), "", 0.0, 1.0,
                                                     "share of the crossing that reaches levels 3, 4, 5",
                                                     "Wang 2025")
    triplet_decay: tuple[float, float, float] = quantity((0.2e4, 0.6e4, 2.8e4), "1/s", 0.0, _RATE_MAX,
                                                         "levels 3, 4, 5 -> S0",
                                                         "Wu, J. Phys. Chem. C 123, 24275 (2019)")
    spin_lattice_35: float = quantity(1.1e4, "1/s", 0.0, _RATE_MAX, "relaxation 3 <-> 5, each way", "Wu 2019")
    spin_lattice_34: float = quantity(2.2e4, "1/s", 0.0, _RATE_MAX, "relaxation 3 <-> 4, each way", "Wu 2019")
    spin_lattice_45: float = quantity(0.4e4, "1/s", 0.0, _RATE_MAX, "relaxation 4 <-> 5, each way", "Wu 2019")
    dephasing_34: float = quantity(_PI2 * 0.11e6, "1/s", 0.0, _RATE_MAX, "pure dephasing chi of 3-4",
                                   "Breeze 2017")
    dephasing_35: float = quantity(_PI2 * 0.11e6, "1/s", 0.0, _RATE_MAX, "pure dephasing chi of 3-5",
                                   "Breeze 2017")
    dephasing_45: float = quantity(_PI2 * 0.11e6, "1/s", 0.0, _RATE_MAX, "pure dephasing chi of 4-5",
                                   "Breeze 2017")
    dephasing_operator: str = "pure"

    def __post_init__(self) -> None:
        super().__post_init__()
        if abs(sum(self.branching) - 1.0) > 1e-9:
            raise ValueError(f"branching = {self.branching} sums to {sum(self.branching):.12g}; "
                             "the three shares must sum to 1 within 1e-9")
        if self.dephasing_operator not in ("pure", "printed"):
            known = ("pure", "printed")
            raise ValueError("dephasing_operator: " + nearest(str(self.dephasing_operator), known))

    def at_temperature(self, kelvin: float) -> Self:
        """The same bench with the mode's thermal photons at a temperature [K]."""
        return self.replace(thermal_photons=bose(self.cavity_frequency, kelvin))

    @property
    def coherence_decay_35(self) -> float:
        """Gamma35 [1/s]: decay of the masing coherence, pure dephasing plus all lifetime broadening."""
        chi = self.dephasing_35 + 0.25 * (self.dephasing_34 + self.dephasing_45)
        k3, _, k5 = self.triplet_decay
        lattice = 2.0 * self.spin_lattice_35 + self.spin_lattice_34 + self.spin_lattice_45
        return chi + 0.5 * (k3 + k5 + lattice)

    @property
    def collective_coupling(self) -> float:
        """G = g sqrt(N) [rad/s], over all molecules, excited or not."""
        return self.coupling * math.sqrt(self.molecules)

    def cooperativity(self, inversion: Any) -> Any:
        """C = 2 g^2 N (s55 - s33)/(kappa Gamma35); masing starts at C = 1. `inversion` per molecule.

        With the full widths kappa and 2 Gamma35 this is the literature's 4 g^2 N/(kappa_c kappa_s).
        """
        return 2.0 * self.collective_coupling**2 * inversion / (self.cavity_decay * self.coherence_decay_35)

    def threshold_molecules(self, inversion: float) -> float:
        """N at which masing starts (C = 1) with `inversion` s55 - s33 per molecule."""
        return self.molecules / float(self.cooperativity(inversion))


NAMES = tuple(Parameters.quantities())
"""Flat names of all continuous parameters, tuples member by member."""

_WU2020 = dict(triplet_decay=(0.2e4, 1.4e4, 2.2e4), spin_lattice_35=1.1e4, spin_lattice_34=2.8e4,
               spin_lattice_45=0.4e4, coupling=0.23, cavity_decay=_PI2 * 1.4495e9 / 3600,
               dephasing_34=1.1e6, dephasing_35=1.1e6, dephasing_45=1.1e6, molecules=1e17)
_BREEZE2017 = dict(coupling=0.264, cavity_decay=_PI2 * 1.4495e9 / 8500, dephasing_34=6.9e5,
                   dephasing_35=6.9e5, dephasing_45=6.9e5, molecules=1e15)
# Ours: the crystal of the virtual bench. Breeze's cavity; the molecules are those that a 1.9 mm2 beam
# can reach in a dilute crystal, so that 5 mJ give about 1.2e15 triplets, C = 340 and -10 dBm at the port.
_BENCH_DEFAULT = dict(coupling=0.264, cavity_decay=_PI2 * 1.4495e9 / 8500, dephasing_34=6.9e5,
                      dephasing_35=6.9e5, dephasing_45=6.9e5, molecules=1e16)

SETS: dict[str, dict[str, Any]] = {
    "battery2025": {}, "wu2019": {}, "wu2020": _WU2020, "breeze2017": _BREEZE2017,
    "bench_default": _BENCH_DEFAULT,
}
"""What each named set changes from the defaults."""


def parameters(name: str) -> Parameters:
    """A named set: battery2025 (the defaults), wu2019, wu2020, breeze2017, bench_default."""
    if name not in SETS:
        raise ValueError("parameters: " + nearest(name, SETS))
    return Parameters().replace(**SETS[name])
