"""The rotating frame of a drive: which energies and which detuning of the mode its name stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .drive import Drive, Frame, Steps
from .pentacene import Parameters


def frame_values(p: Parameters, d: Drive) -> dict[str, tuple[tuple[str, float], ...]]:
    """Rotating frame: each energy [rad/s] as a weighted sum of frequencies ("" is the number 1).

    Static couplings need the frame of the mode to turn at e5 - e3; a static tone ij at |e_i - e_j|.
    """
    if isinstance(d.frame, Frame):
        f = d.frame
        return {"energy_3": (("", f.e3),), "energy_4": (("", f.e4),), "energy_5": (("", f.e5),),
                "mode_detuning": (("", f.cavity),)}
    if d.frame == "resonant":
        return {"mode_detuning": (("cavity_frequency", 1.0), ("frequency_35", -1.0))}
    on_35, on_45 = is_on(d.rabi_35), is_on(d.rabi_45)
    if on_35 and on_45:
        raise ValueError('frame="printed" has one drive frequency, but rabi_35 and rabi_45 are both on; '
                         'use frame="resonant" or a Frame')
    if not on_45:
        return {"mode_detuning": (("cavity_frequency", 1.0), ("frequency_35", -1.0))}
    # Literally the print: Delta_B = w35 - w45 on levels 5 and 3, nothing on level 4.
    return {"energy_3": (("frequency_35", -0.5), ("frequency_45", 0.5)),
            "energy_5": (("frequency_35", 0.5), ("frequency_45", -0.5)),
            "mode_detuning": (("cavity_frequency", 1.0), ("frequency_45", -1.0))}


def drive_turning(p: Parameters, d: Drive) -> tuple[float, dict[str, float]]:
    """How fast [rad/s] the mode's drive turns in this frame, and its derivatives by the frequencies in it.

    `cavity_drive_detuning` counts from the mode, and the mode itself may be detuned from the frame.
    """
    parts = frame_values(p, d).get("mode_detuning", ())
    own = sum(weight * (p.value(name) if name else 1.0) for name, weight in parts)
    return d.cavity_drive_detuning + own, {"cavity_drive_detuning": 1.0, **{n: w for n, w in parts if n}}


def drive_quadratures(p: Parameters, d: Drive, names: Sequence[str]) -> set[str]:
    """Which quadratures of the mode's drive are ever on, or asked for by derivatives by `names`."""
    both = {"cavity_drive_re", "cavity_drive_im"}
    turning, turns = drive_turning(p, d)
    if is_on(d.cavity_drive):
        parts = [complex(v) for v in getattr(d.cavity_drive, "values", (d.cavity_drive,))]
        if turning != 0 or turns.keys() & set(names):
            return both
        return ({"cavity_drive_re"} if any(v.real for v in parts) else set()) | (
            {"cavity_drive_im"} if any(v.imag for v in parts) else set())
    if "cavity_drive" in names:  # at zero its direction is the real one
        return both if turning else {"cavity_drive_re"}
    return set()


def is_on(value: Any) -> bool:
    """True if a tone or drive is anywhere different from zero."""
    return any(v != 0 for v in value.values) if isinstance(value, Steps) else value != 0
