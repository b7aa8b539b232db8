"""From settings of a bench, with units, to the numbers without unit that the collision model knows."""

from __future__ import annotations

import math

from ..pentacene import BOLTZMANN, HBAR, bose
from ..quantity import Quantity, check
from .parameters import Parameters
from .stepping import LARGEST, UNSEEN

SETTINGS = {
    "coupling": Quantity("rad/s", 0.0, 1e13, "g in H = hbar g (a s+ + a+ s-), of one qubit"),
    "interaction_time": Quantity("s", 0.0, 1e3, "tau, for which a qubit is inside the cavity"),
    "repetition_interval": Quantity("s", 0.0, 1e6, "t_r, from one qubit to the next"),
    "cavity_decay": Quantity("rad/s", 0.0, 1e13, "kappa = omega/Q, decay of the energy"),
    "temperature": Quantity("K", 0.0, 1e4, "of the cavity"),
    "cavity_frequency": Quantity("rad/s", 1e6, 1e17, "omega of the mode"),
}
"""What `from_bench` takes, with units and ranges."""
_IN_FIGURES = 0.15


def from_bench(coupling: float, interaction_time: float, repetition_interval: float, cavity_decay: float,
               temperature: float, cavity_frequency: float, q: float, c: complex = 1.0, *,
               loss_inside: bool = False) -> Parameters:
    """Parameters of a stream of single qubits, one every `repetition_interval` [s], through one cavity.

    theta = g tau; loss = kappa t_r, where kappa [rad/s] = omega/Q is the decay of the energy, not of the
    amplitude, so that n decays as exp(-kappa t); thermal_photons from the temperature [K] (Bose); and
    coupling_ratio = g/omega, in case counter-rotating terms are asked for. The loss acts between collisions,
    as in Eq. (16); with `loss_inside` its share tau/t_r acts while the qubit is inside
    (interaction_fraction).

    ValueError names the setting, what was found and what it can be: outside `SETTINGS`, an interaction that
    is longer than the interval, or a cavity so warm that its thermal photons alone fill more levels than a
    run can have. What collisions add is known only to the run, which says how far it gets.

    A pentacene burst is not a collision model. There 1e15 and more molecules are inside at once and for the
    whole burst, of five levels each, and their coherence decays faster than the burst lasts: nothing is
    traced out and replaced. Its coupling, decay and frequency may be put in here to ask what single qubits
    would do to such a cavity; the answer says nothing of the burst, for which there is `simulate`.
    """
    given = dict(zip(SETTINGS, (coupling, interaction_time, repetition_interval, cavity_decay, temperature,
                                cavity_frequency), strict=True))
    s = {name: check(name, value, SETTINGS[name]) for name, value in given.items()}
    inside, interval, omega = s["interaction_time"], s["repetition_interval"], s["cavity_frequency"]
    if interval <= 0.0 or inside > interval:
        raise ValueError(f"interaction_time = {inside:g} s must not be longer than repetition_interval = "
                         f"{interval:g} s, which must be above 0: the model has one qubit inside at a time")
    loss, thermal_photons = s["cavity_decay"] * interval, bose(omega, s["temperature"])
    if loss > 0.0:
        _check_levels(thermal_photons, s["temperature"], omega)
    return Parameters(q=q, c=c, theta=s["coupling"] * inside, loss=loss, thermal_photons=thermal_photons,
                      coupling_ratio=s["coupling"] / omega,
                      interaction_fraction=inside / interval if loss_inside else 0.0)


def _check_levels(thermal_photons: float, temperature: float, omega: float) -> None:
    """ValueError if a thermal state cannot be held on the levels that a run may have."""
    most = 1.0 / math.expm1(-math.log(UNSEEN) / LARGEST)
    if thermal_photons > most:
        raise ValueError(
            f"temperature = {temperature:g} K leaves {thermal_photons:.4g} thermal photons in a mode of "
            f"cavity_frequency = {omega:.4g} rad/s, too many for the {LARGEST} levels that a run can have; "
            f"the limit is {most:.3g}, at {_temperature(most, omega):.3g} K. Give a colder cavity (the "
            f"{_IN_FIGURES:g} photons of the paper's lossy figures need "
            f"{_temperature(_IN_FIGURES, omega):.2g} K) or a mode of higher frequency")


def _temperature(photons: float, omega: float) -> float:
    """At which the mode holds so many thermal photons [K]."""
    return HBAR * omega / (BOLTZMANN * math.log1p(1.0 / photons))
