"""The roles of a bench: what procedures may ask of each, whatever model serves it. No I/O, no imports.

SI units throughout: Hz, s, V, J, m, K; powers of microwave sources and analysers in dBm, as their
front panels say. Every verb that sets reads back and returns what was read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from .waveform import Waveform


@dataclass(frozen=True, slots=True)
class SafeReport:
    """Whether a role was read back safe; None: it could not be read back, so nothing is known."""

    role: str
    safe: bool | None
    found: str


class Role(Protocol):
    """What every driver on a bench has."""

    @property
    def identity(self) -> str:
        """What the instrument says it is."""

    @property
    def simulated(self) -> bool:
        """Whether it is a software instrument, from its serial number."""

    one_session: ClassVar[bool]
    """Whether the instrument serves one connection only, so that nobody may look in beside the controller."""

    @property
    def reference_locked(self) -> bool | None:
        """Whether it is locked to the bench's 10 MHz; None where it has none or cannot say."""

    def settings(self) -> dict[str, float | str | bool]:
        """Settings read back from the instrument, in SI units (powers in dBm)."""

    def make_safe(self) -> None:
        """Bring it into its safe state at once, from any thread."""

    def verify_safe(self) -> SafeReport:
        """Read back whether it is safe; never raises for an instrument that is gone."""

    def disconnect(self) -> None:
        """Close the connection and change nothing."""


class Pump(Role, Protocol):
    """A pulsed laser that fires when the timing tells it to."""

    def arm(self, energy_level: str = "MAX") -> str:
        """Ready to fire at the timing's Q-switch pulse; returns the emission state read back."""

    def disarm(self) -> None:
        """No emission whatever the timing does; verified."""

    @property
    def emission(self) -> str:
        """"off", "on" or "fault"."""

    @property
    def energy_level(self) -> str:
        """"OFF", "Adjust" or "MAX"."""


class Timing(Role, Protocol):
    """The delay generator that fires lamp, Q-switch, digitiser and microwave gate."""

    repetition_rate: float

    def configure_shot(self, q_switch_delay: float, lamp_delay: float = 0.0,
                       digitiser_delay: float = 0.0) -> dict[str, float]:
        """Delays [s]: lamp after T0, Q-switch after lamp, digitiser after Q-switch; single shots."""

    def set_q_switch_delay(self, seconds: float) -> float:
        """Q-switch after the lamp [s]: sets the pulse energy."""

    def set_gate(self, start: float, length: float) -> tuple[float, float]:
        """The gate's rise after the Q-switch [s], negative before it, and its length [s]."""

    def inhibit(self) -> None:
        """No output fires whatever triggers; verified."""

    def release(self) -> None:
        """Outputs fire at the next trigger; verified."""

    def release_dark(self) -> None:
        """Digitiser and gate fire at the next trigger, lamp and Q-switch do not; verified."""

    def fire(self) -> None:
        """One shot. Never repeated: an error leaves it open whether a pulse went out."""


class Digitiser(Role, Protocol):
    """Takes one record per trigger on several channels.

    A digitiser with segmented memory also has `read_segments(names)`, a list of `Segment`s.
    """

    def configure(self, sample_rate: float, points: int, pretrigger: float,
                  channels: Mapping[str, tuple[int, float, float]], bits: int = 10,
                  segments: int = 1, averages: int = 1) -> dict[str, float | str | bool]:
        """Sa/s, samples, seconds before the trigger, {name: (number, full scale [V], offset [V])}.

        One arming takes `segments` triggers for as many records, or `averages` for one.
        """

    def arm(self) -> None:
        """Returns once a trigger would be taken."""

    def wait(self, timeout: float) -> None:
        """Returns once the record is complete; NoTrigger after `timeout` [s]."""

    def read(self, names: Iterable[str] | None = None) -> dict[str, Waveform]:
        """The record of the named channels (all that were configured)."""

    def stop(self) -> None:
        """Wait for no trigger any more; the data stay."""


class Microwave(Role, Protocol):
    """A continuous-wave source. `gated`: the output follows the bench's gate."""

    frequency: float
    power: float
    output: bool
    gated: bool

    def settle(self) -> None:
        """Returns once a new frequency has settled."""

    def silence(self) -> None:
        """Output off, and the lowest level: an output that is off still leaks."""


class Analyser(Role, Protocol):
    """A spectrum analyser, also used as a receiver at one frequency."""

    def read_power(self, frequency: float, bandwidth: float = 1e5) -> float:
        """Power [dBm] at one frequency [Hz] (zero span), averaged over the trace as power."""

    def read_spectrum(self, centre: float, span: float, points: int = 501,
                      bandwidth: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Frequencies [Hz] (points,) and powers [dBm] (points,)."""


class EnergyMeter(Role, Protocol):
    """Measures the energy of the last laser pulse."""

    def last_energy(self) -> float:
        """Joules."""


class Shutter(Role, Protocol):
    """A beam shutter with a sensor of its own."""

    def open(self) -> None:
        """Returns once the sensor says OPEN."""

    def close(self) -> None:
        """Returns once the sensor says CLOS."""

    @property
    def sensor(self) -> str:
        """What the sensor sees: "open", "closed" or "moving"."""


class VectorAnalyser(Role, Protocol):
    """A vector network analyser at the cavity's loop. It drives the cavity while it sweeps."""

    output: bool

    def read_reflection(self, centre: float, span: float, points: int = 401, bandwidth: float = 1e3,
                        power: float = -20.0) -> tuple[np.ndarray, np.ndarray]:
        """Frequencies [Hz] (points,) and complex S11 (points,) as measured, cable included.

        `bandwidth` [Hz] of the receiver, `power` [dBm] at the port. RF off when it returns.
        """


class Tuner(Role, Protocol):
    """The piston that tunes the cavity, on a linear stage."""

    @property
    def position(self) -> float:
        """Where the stage stands [m]."""

    def move_to(self, metres: float) -> float:
        """Go there [m] and stand still; returns the position read back."""

    def stop(self) -> None:
        """Stand still, wherever it is."""


class Loop(Tuner, Protocol):
    """The coupling loop, on a linear stage that moves it into the cavity and out of it."""


class Thermometer(Role, Protocol):
    """Measures the temperature of cavity and crystal."""

    @property
    def temperature(self) -> float:
        """Kelvin."""


class Interlock(Role, Protocol):
    """Watches the safety chain and can do nothing else: a person closes and resets it."""

    @property
    def closed(self) -> bool:
        """Whether the chain is closed and its latch set."""

    @property
    def open_contacts(self) -> tuple[str, ...]:
        """Names of what is open."""


PROTOCOLS: Mapping[str, Any] = {
    "pump": Pump, "timing": Timing, "digitiser": Digitiser, "microwave": Microwave, "microwave_45": Microwave,
    "analyser": Analyser, "energy": EnergyMeter, "shutter": Shutter, "vna": VectorAnalyser, "tuner": Tuner,
    "loop": Loop, "thermometer": Thermometer, "interlock": Interlock,
}


def missing(driver: type, role: str) -> list[str]:
    """Verbs that the role needs and the driver class lacks. Looks at the class: no I/O."""
    wanted: set[str] = set()
    for base in getattr(PROTOCOLS.get(role), "__mro__", ()):
        wanted |= {n for n in (*vars(base), *vars(base).get("__annotations__", {})) if not n.startswith("_")}
    return sorted(name for name in wanted if not hasattr(driver, name))
