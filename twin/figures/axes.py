"""Axes that several pentacene figures share."""

from __future__ import annotations

from .figure import Axis

TIME = Axis("time", "s", "time t")
PUMP_RATE = Axis("pump_rate", "1/s", "pump rate ξ", log=True)
SIZE = Axis("battery_size", "", "battery size N = N_pen (s55 + s33)", log=True)
ENERGY = Axis("energy", "J", "stored energy E")
POWER = Axis("power", "W", "charging power E/t")
PHOTONS = Axis("photons", "", "photons in the mode", log=True)
RABI_35 = Axis("rabi_35", "rad/s", "drive Ω35", log=True)
RABI_45 = Axis("rabi_45", "rad/s", "drive Ω45", log=True)
