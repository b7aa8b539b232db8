"""What `simulate pentacene` and `sweep pentacene` can print, and how each column is worked out.

Columns that run along time come from the trajectory, the others are figures of merit of the whole run, one
number for each, and are repeated when both are asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .calculation import Column, Say, Settings, System
from .charging import Charging
from .drive import Drive
from .pentacene import Parameters
from .quantity import nearest, read
from .simulation import MAX_TIMES, Trajectory, simulate

if TYPE_CHECKING:
    from .balance import EnergyBalance
    from .ringing import Ringing


@dataclasses.dataclass(frozen=True)
class Answer:
    """One solved trajectory and what has been worked out of it so far."""

    trajectory: Trajectory

    @cached_property
    def charging(self) -> Charging:
        return self.trajectory.charging()

    @cached_property
    def ringing(self) -> Ringing:
        return self.trajectory.ringing()

    @cached_property
    def balance(self) -> EnergyBalance:
        return self.trajectory.energy_balance()

    def setting(self, name: str) -> float:
        """A number of the parameters or of the drive, by its flat name."""
        t = self.trajectory
        values = {**t.drive.values(), **t.parameters.values()}
        return float(np.real(values[name]))


Value = Callable[[Answer], Any]


def _population(level: int) -> tuple[Column, Value]:
    return (Column("", f"population of level {level}, per molecule", along=True),
            lambda a: a.trajectory.populations[:, level - 1])


def _power(a: Answer) -> np.ndarray:
    times = a.trajectory.times
    return np.divide(a.trajectory.energy, times, out=np.zeros(len(times)), where=times > 0.0)


def _inversion(a: Answer) -> np.ndarray:
    return a.trajectory.populations[:, 4] - a.trajectory.populations[:, 2]


def _ringing_period(a: Answer) -> float:
    return float(a.ringing.periods[0]) if len(a.ringing.periods) else float("nan")


def _charging_time(a: Answer) -> float:
    time = a.charging.maximum_energy_time
    return time if np.isfinite(time) else float(a.trajectory.times[-1])


def _highest_photons(a: Answer) -> float:
    peak = a.charging.peak_photons
    return peak if np.isfinite(peak) else float(a.trajectory.photons[-1])


_ALONG: dict[str, tuple[Column, Value]] = {
    "time": (Column("s", "time", along=True), lambda a: a.trajectory.times),
    **{f"s{level}": _population(level) for level in range(1, 6)},
    "photons": (Column("", "photons in the mode", along=True), lambda a: a.trajectory.photons),
    "field_real": (Column("", "real part of <a>", along=True), lambda a: np.real(a.trajectory.field)),
    "field_imag": (Column("", "imaginary part of <a>", along=True), lambda a: np.imag(a.trajectory.field)),
    "energy": (Column("J", "stored energy N hbar w35 s55", along=True), lambda a: a.trajectory.energy),
    "power": (Column("W", "charging power E/t, 0 at t = 0", along=True), _power),
    "inversion": (Column("", "s55 - s33, per molecule", along=True), _inversion),
    "cooperativity": (Column("", "C; the maser's threshold is 1", along=True),
                      lambda a: a.trajectory.cooperativity),
    "ergotropy": (Column("J", "ergotropy of the triplets", along=True), lambda a: a.trajectory.ergotropy()),
}
_BALANCE = {
    "crossed_energy": "brought to level 5 by the intersystem crossing",
    "relaxed_energy": "lost from level 5 to triplet decay and spin-lattice relaxation",
    "tone_energy": "brought to level 5 by tones",
    "drive_energy": "brought to the mode by its drive",
    "stored_energy": "in level 5",
    "cavity_energy": "in the mode, above its thermal energy",
    "radiated_energy": "left through the cavity's decay, less what comes in thermally",
    "detuning_energy": "difference between mode and molecule for the quanta that they exchanged",
    "residual_energy": "what these terms leave unexplained",
}
_UNITS = {"relative_maximum_energy": "", "efficiency": "", "battery_size": "", "peak_photons": "",
          "discharge_power": "W", "maximum_power": "W", "latency": "s", "extractable_work": "J"}


def _unit_of(figure: str) -> str:
    return _UNITS.get(figure, "s" if figure.endswith("time") else "J")


def _figure(name: str) -> Value:
    return lambda a: getattr(a.charging, name)


def _part(name: str) -> Value:
    return lambda a: getattr(a.balance, name)


_ONCE: dict[str, tuple[Column, Value]] = {
    f.name: (Column(_unit_of(f.name), f.name.replace("_", " ")), _figure(f.name))
    for f in dataclasses.fields(Charging)}
_ONCE |= {
    "charging_time": (Column("s", "time of the first energy maximum; without one, the window's end"),
                      _charging_time),
    "highest_photons": (Column("", "most photons in the window, be it at its end"), _highest_photons),
    "ringing_period": (Column("s", "between the photon number's first two bursts"), _ringing_period),
    "ringing_ratio": (Column("", "ringing frequency over 2 g sqrt(N |s55 - s33|)"),
                      lambda a: a.ringing.ratio),
    "quality": (Column("", "loaded quality factor of the cavity"),
                lambda a: a.trajectory.parameters.cavity_frequency / a.trajectory.parameters.cavity_decay),
    "collective_coupling": (Column("rad/s", "g sqrt(N)"),
                            lambda a: a.trajectory.parameters.collective_coupling),
}
_ALONG["radiated_power"] = Column("W", "power that leaves through the cavity's decay", along=True), _part(
    "radiated_power")
_ALONG |= {name: (Column("J", text, along=True), _part(name)) for name, text in _BALANCE.items()}
_VALUES = {**_ALONG, **_ONCE}


def _records() -> tuple[Any, Any]:
    return Parameters.quantities(), Drive.quantities()


def _unit(name: str) -> str:
    """SI unit of a parameter or a number of the drive; ValueError with the nearest."""
    ours, drives = _records()
    if name not in ours and name not in drives:
        raise ValueError(nearest(name, [*ours, *drives]))
    return (ours.get(name) or drives[name]).unit


def crystal_and_drive(settings: Settings) -> tuple[Parameters, Drive]:
    """(Parameters, Drive) with `settings` as text or numbers; ValueError for a name that neither knows."""
    def names(record: Any) -> list[str]:
        return [*record.quantities(), *(f.name for f in dataclasses.fields(record))]

    ours, drives = names(Parameters), names(Drive)
    for name in settings:
        if name not in ours and name not in drives:
            raise ValueError(f"--set: {nearest(name, [*ours, *drives])}")
    # cavity_decay is a parameter; the drive's field of that name takes a switching schedule, never text.
    return (Parameters().replace_text({n: v for n, v in settings.items() if n in ours}),
            Drive().replace_text({n: v for n, v in settings.items() if n not in ours}))


def _times(options: Mapping[str, str]) -> np.ndarray:
    duration = read(options["duration"], "s", "duration")
    points = int(options["points"])
    if not duration > 0.0 or not 2 <= points <= MAX_TIMES:
        raise ValueError(f"duration = {duration:g} s must be positive and points = {points} in "
                         f"2 .. {MAX_TIMES}")
    return np.linspace(0.0, duration, points)


def _solve(settings: Settings, options: Mapping[str, str], columns: tuple[str, ...], say: Say) -> np.ndarray:
    times = _times(options)
    along = any(name in _ALONG for name in columns)
    asked = times if along else times[[0, -1]]
    seed = int(options["seed"]) if options["seed"] else None
    trajectory = simulate(*crystal_and_drive(settings), asked, model=options["model"], seed=seed)
    for text in (*(() if trajectory.status == "ok" else (trajectory.status,)), *trajectory.warnings):
        say(text)
    answer = Answer(trajectory)
    table = np.empty((len(asked) if along else 1, len(columns)))
    for place, name in enumerate(columns):
        table[:, place] = _VALUES[name][1](answer) if name in _VALUES else answer.setting(name)
    return table


PENTACENE = System("pentacene", {"model": "cumulant", "duration": "5us", "points": "1001", "seed": ""},
                   {name: column for name, (column, _) in _VALUES.items()},
                   ("time", "s1", "s2", "s3", "s4", "s5", "photons", "field_real", "field_imag"),
                   _unit, _solve)
"""The quantum-battery model as the command line asks it."""
