"""Axes that several pentacene figures share."""

from __future__ import annotations

from .figure import Axis

TIME = Axis("time", "s", "time t")
PUMP_RATE = Axis("pump_rate", "1/s", "pump rate ξ", log=True)
SIZE = Axis("battery_size", "", "battery size N = N_pen (s55 + s33)", log=True)
ENERGY = Axis("energy", "J", "stored energy E(t)")
POWER = Axis("power", "W", "charging power E(t)/t")
PHOTONS = Axis("photons", "", "photons in the mode", log=True)
