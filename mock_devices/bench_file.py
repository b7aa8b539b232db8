"""What the software instruments take from a bench file: declared values with the hidden truth applied."""

from __future__ import annotations

from dataclasses import dataclass, field

from twin.bench_description import BenchDescription, Truth
from twin.bench_faults import FaultOrder
from twin.bench_truth import Imperfections
from twin.optical_pump import OpticalPump
from twin.pentacene import Parameters
from twin.photodiode import Photodiode
from twin.receiver import Receiver
from twin.spread import Spread

from .crystal import unlike_molecules
from .drift import DriftRates


@dataclass(frozen=True)
class World:
    """The bench as it really is. `declared` are the receivers that the fit believes in.

    `spread`: how unlike the molecules are, None: not at all. `imperfections` are numbers, none is None.
    `standing_faults` strike every run. `shared_reference`: all instruments run on one 10 MHz.
    """

    parameters: Parameters = field(default_factory=Parameters)
    pump: OpticalPump = field(default_factory=OpticalPump)
    photodiode: Photodiode = field(default_factory=Photodiode)
    receivers: dict[str, Receiver] = field(default_factory=lambda: {"burst": Receiver()})
    declared: dict[str, Receiver] = field(default_factory=lambda: {"burst": Receiver()})
    channels: dict[str, int] = field(default_factory=lambda: {"burst": 1, "photodiode": 2, "log": 3})
    drift: DriftRates = field(default_factory=DriftRates)
    richness: int = 1
    bits: int = 10
    pick_off: float = 0.04
    analyser_loss: float = 0.0
    vna_cable_delay: float = 0.0
    tuning_slope: float = -10e9
    loop_slope: float = 3e3
    rabi_per_sqrt_watt: float = 4e7
    gate: str = "microwave"
    spoiled_quality: float = 100.0
    time_scale: float = 1.0
    imperfections: Imperfections = field(default_factory=lambda: Imperfections().at(0))
    spread: Spread | None = None
    standing_faults: tuple[FaultOrder, ...] = ()
    shared_reference: bool = False


def world_of(bench: BenchDescription) -> World:
    """The world that a bench file describes; without [truth] everything is as declared."""
    truth = bench.truth or Truth(richness=1)
    cavity = truth.cavity
    quiet = truth.richness == 0
    pump = truth.pump(bench.pump)
    drift = DriftRates(cavity.walk, cavity.temperature_coefficient, cavity.temperature_swing,
                       cavity.temperature_period)
    imperfections = truth.imperfections.at(truth.richness)
    options = {role: description.options for role, description in bench.roles.items()}
    timing = options["timing"]
    return World(
        parameters=truth.parameters(bench.expected.parameters),
        pump=pump.replace(energy_jitter=0.0, energy_decline=0.0) if quiet else pump,
        photodiode=bench.photodiode,
        receivers={name: truth.receiver(name, r) for name, r in bench.receivers.items()},
        declared=dict(bench.receivers),
        channels=dict(options["digitiser"]["channels"]),
        drift=DriftRates(walk=0.0, swing=0.0) if quiet else drift,
        richness=truth.richness,
        bits=options["digitiser"]["bits"],
        pick_off=options.get("energy", {}).get("pick_off", 0.04),
        analyser_loss=options.get("analyser", {}).get("loss_db", 0.0),
        vna_cable_delay=options.get("vna", {}).get("cable_delay", 0.0),
        tuning_slope=1e9 * options.get("tuner", {}).get("megahertz_per_millimetre", -10.0),
        loop_slope=1e3 * options.get("loop", {}).get("decibels_per_millimetre", 3.0),
        rabi_per_sqrt_watt=options.get("microwave_45", {}).get("rabi_per_sqrt_watt", 4e7),
        gate=timing["gate"],
        spoiled_quality=timing["spoiled_quality"],
        time_scale=bench.time_scale,
        imperfections=imperfections,
        spread=unlike_molecules(int(imperfections.couplings or 1), imperfections.line_width or 0.0),
        standing_faults=truth.faults,
        shared_reference=bench.reference == "shared",
    )
