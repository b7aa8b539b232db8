"""The cavity: its dip, its circle's magnitude and phase, its ringing down."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from twin.cavity import fit_cavity, fit_cavity_power
from twin.receiver import Receiver

from ..machinery.drawing.picture import Axis, Mark, Panel, Picture, line, points, residuals
from ..machinery.fitting.bursts import amplitude
from ..machinery.records.shot import Shot
from ..machinery.storage.measured import Measured
from ..ring_down import BEFORE, SPARE

_LIFETIMES = 12.0  # of a ringing mode that are shown


def cavity_sweep(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]
                 ) -> Picture | None:
    """Reflected power with the fitted dip."""
    traces = measured.shots[0].traces
    frequency, power = np.asarray(traces["frequency"]), np.asarray(traces["reflected_power"])
    found = fit_cavity_power(frequency, power)
    origin, at = _axis(frequency, answer)
    series = [points("reflected", frequency - origin, power)]
    panels = []
    if found.model is not None:
        fitted = _decibels(found.model)
        series.append(line(_told(answer), frequency - origin, fitted))
        panels.append(residuals(at, frequency - origin, power - fitted, "dB"))
    return Picture("reflection of the cavity",
                   (Panel(at, Axis("reflected power", "dBm"), tuple(series), _dip(answer, origin)), *panels))


def vector_sweep(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]
                 ) -> Picture | None:
    """Reflection in magnitude, and in phase once the cable's delay is taken off."""
    traces = measured.shots[0].traces
    frequency = np.asarray(traces["frequency"])
    s = np.asarray(traces["reflection_real"]) + 1j * np.asarray(traces["reflection_imaginary"])
    found, (origin, at) = fit_cavity(frequency, s), _axis(frequency, answer)
    x = frequency - origin
    turn = np.exp(2j * math.pi * (frequency - frequency[0]) * answer.get("cable_delay", 0.0))
    series = [points("measured", x, _decibels(s))]
    phases = [points("cable's delay taken off", x, _degrees(s * turn, s[0]))]
    if found.model is not None:
        series.append(line(_told(answer), x, _decibels(found.model)))
        phases.append(line("", x, _degrees(found.model * turn, s[0])))
    return Picture("reflection of the cavity", (
        Panel(at, Axis("|S11|", "dB"), tuple(series), _dip(answer, origin)),
        Panel(at, Axis("phase", "°"), tuple(phases), share=0.7)))


def ring_down(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]) -> Picture | None:
    """Amplitude of the first record after the gate's edge, with the mean decay of all."""
    receiver, shot = measured.description.receivers["burst"], measured.shots[0]
    time, level = _level(receiver, shot)
    kappa = answer.get("cavity_decay")
    until = _LIFETIMES / kappa if kappa else float(time[-1])
    shown = (time > -0.25 * until) & (time < until)
    series = [points(f"record 1 of {len(measured.shots)}", time[shown], level[shown])]
    if kappa:
        fine = np.linspace(SPARE, until, 200)
        edge = float(np.interp(SPARE, time, level))
        series.append(line(f"κ/2π = {1e-3 * kappa / (2.0 * math.pi):.2f} kHz", fine,
                           edge * np.exp(-0.5 * kappa * (fine - SPARE))))
    axis = Axis("amplitude at the digitiser", "V", log=True)
    after, begin = Axis("time after the gate's edge", "s"), Mark("fitted from here", x=SPARE)
    return Picture("ring-down of the mode", (Panel(after, axis, tuple(series), (begin,)),))


def _level(receiver: Receiver, shot: Shot) -> tuple[np.ndarray, np.ndarray]:
    time, volts = amplitude(receiver, shot)
    inside = time > -BEFORE
    return time[inside], np.abs(volts[inside])


def _axis(frequency: np.ndarray, answer: Mapping[str, Any]) -> tuple[float, Axis]:
    origin = answer.get("frequency", float(np.mean(frequency)))
    return origin, Axis(f"frequency from {1e-6 * origin:.4f} MHz", "Hz")


def _told(answer: Mapping[str, Any]) -> str:
    if "loaded_quality" not in answer:
        return "fit"
    return f"Q_L = {answer['loaded_quality']:.0f}, k = {answer.get('coupling_factor', math.nan):.3f}"


def _dip(answer: Mapping[str, Any], origin: float) -> tuple[Mark, ...]:
    """Both edges of the line's full width."""
    if "loaded_quality" not in answer:
        return ()
    half = 0.5 * origin / answer["loaded_quality"]
    return (Mark("", x=-half), Mark("", x=half))


def _decibels(s: np.ndarray) -> np.ndarray:
    return np.asarray(20.0 * np.log10(np.maximum(np.abs(s), 1e-12)))


def _degrees(s: np.ndarray, origin: complex) -> np.ndarray:
    """Phase from that of `origin`, without jumps."""
    return np.asarray(np.degrees(np.unwrap(np.angle(s / origin))))
