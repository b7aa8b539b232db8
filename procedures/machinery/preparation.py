"""What a run does to a bench in its safe state before it takes anything: channels, delays, and the names of
what will be stored."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .bench import Bench
from .shot import BELONGS
from .store import Channel, Layout


def configure(bench: Bench) -> None:
    """Delays and channels as the bench file has them, the gate at rest."""
    d, roles = bench.description, bench.roles
    roles["timing"].configure_shot(q_switch_delay=float(d.pump.delays[0]))
    roles["timing"].set_gate(0.0, 0.0)  # an earlier run's gate would spoil the cavity in this one
    digitiser = d.roles["digitiser"].options
    roles["digitiser"].configure(digitiser["sample_rate"], digitiser["points"], digitiser["pretrigger"],
                                 bench.channels(), digitiser["bits"])


def layout(bench: Bench, traces: Mapping[str, int], settings: Mapping[str, float]) -> Layout:
    """What a shot of the run holds: `traces` (name: points), or else the records of all channels."""
    digitiser = bench.description.roles["digitiser"].options
    waveforms = {} if traces else {
        name: Channel(digitiser["points"], f"CHAN{number}", digitiser["bits"])
        for name, (number, _, _) in bench.channels().items()}
    return Layout(waveforms, dict(traces), tuple(settings))


def read_settings(bench: Bench) -> dict[str, float]:
    """{"role.setting": SI value} of every instrument, as each reads back now; nan: told with each shot."""
    found: dict[str, float] = dict.fromkeys(("pump.energy", *BELONGS), math.nan)
    for role, instrument in bench.roles.items():
        found |= {f"{role}.{name}": float(value) for name, value in instrument.settings().items()
                  if isinstance(value, (int, float))}
    if "energy" in bench.roles:
        found["energy.last_energy"] = math.nan
    return found
