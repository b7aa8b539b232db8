"""Which software instrument plays the model whose driver a bench file names.

Drivers are known here by their dotted path alone: neither side imports the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .bench_file import World
from .ekspla_nt import EksplaNT
from .keysight_34972a import Keysight34972A
from .keysight_e8257d import KeysightE8257D
from .keysight_infiniium import KeysightInfiniium
from .keysight_infiniivision import KeysightInfiniiVision
from .keysight_pna import KeysightPNA
from .lakeshore_224 import LakeShore224
from .loop import Loop
from .piston import Piston
from .quantel_qsmart import QuantelQSmart
from .rohde_schwarz_fsv import RohdeSchwarzFSV
from .shutter import Shutter
from .srs_dg645 import SrsDG645
from .srs_sg384 import SrsSG384
from .thorlabs_pm100 import ThorlabsPM100
from .virtual_cavity import VirtualCavity
from .zaber_stage import ZaberStage

Make = Callable[[str, VirtualCavity, World], Any]
"""(role, cavity, world) -> the device."""

MODELS: dict[str, Make] = {
    "instruments.ekspla_nt.EksplaNT": lambda role, cavity, world: EksplaNT(cavity),
    "instruments.quantel_qsmart.QSmart": lambda role, cavity, world: QuantelQSmart(cavity),
    "instruments.srs_dg645.DG645": lambda role, cavity, world: SrsDG645(cavity),
    "instruments.keysight_infiniium.KeysightInfiniium":
        lambda role, cavity, world: KeysightInfiniium(cavity, world.bits),
    "instruments.keysight_infiniivision.KeysightInfiniiVision":
        lambda role, cavity, world: KeysightInfiniiVision(cavity),
    "instruments.keysight_e8257d.KeysightE8257D": lambda role, cavity, world: KeysightE8257D(role, cavity),
    "instruments.srs_sg384.SG384": lambda role, cavity, world: SrsSG384(role, cavity),
    "instruments.keysight_pna.KeysightPNA":
        lambda role, cavity, world: KeysightPNA(role, cavity, world.vna_cable_delay, world.analyser_loss),
    "instruments.zaber_stage.ZaberStage": lambda role, cavity, world: ZaberStage(
        cavity, Loop(world.loop_slope) if role == "loop" else Piston(world.tuning_slope)),
    "instruments.lakeshore_224.LakeShore224": lambda role, cavity, world: LakeShore224(cavity),
    "instruments.keysight_34972a.Keysight34972A": lambda role, cavity, world: Keysight34972A(cavity),
    "instruments.rohde_schwarz_fsv.RohdeSchwarzFSV":
        lambda role, cavity, world: RohdeSchwarzFSV(cavity, world.analyser_loss),
    "instruments.thorlabs_pm100.ThorlabsPM100": lambda role, cavity, world: ThorlabsPM100(cavity),
    "instruments.shutter.Shutter": lambda role, cavity, world: Shutter(cavity),
}
"""Dotted path of a driver -> what makes the software instrument that it may talk to."""
