"""Fig. 3 of Wang, Wu and Zhao 2025: charging while a tone drives 3-5 or 4-5.

In the frame as printed, level 4 has no energy shift, so that the "resonant" tone on 4-5 is detuned by 4.2e9
rad/s (docs/figures.md); where a claim depends on it, both frames are shown.
"""

from __future__ import annotations

from .asking import between, merits, over, verdict
from .axes import ENERGY, POWER, RABI_35, RABI_45, TIME
from .effort import Effort
from .figure import Axis, Claim, Figure

_RANGE = "Axis ranges are ours. Which of panels b and c shows what is not in the text."
_PRINTED = "frame=printed"
_CHARGING_TIME = Axis("charging_time", "s", "t_max", log=True)
_DRIVE = Axis("rabi", "rad/s", "drive Ω35 or Ω45", log=True)


def _map(effort: Effort, name: str, title: str, y: Axis, z: Axis, claims: tuple[Claim, ...], *settings: str,
         inset: Figure | None = None) -> Figure:
    axis = f"{y.name}=log:1e5:1e9:{effort.points(61, 5)}"
    found = effort.series(z.name, over(axis, f"time,{y.name},{z.name}", "1us", *settings,
                                       points=effort.points(201, 11)))
    notes = (_RANGE,) if not name.endswith("inset") else ()
    return Figure(name, title, TIME, y, (found,), claims, z=z, notes=notes, inset=inset)


def _largest(tone: str, name: str, *settings: str) -> list[float]:
    """A figure of merit at drives of 1e6, 1e7, 1e8 and 1e9 rad/s."""
    return [float(v) for v in over(f"{tone}=1e6,1e7,1e8,1e9", name, "1us", *settings).rows()[:, 0]]


def _row(values: list[float]) -> str:
    return " ".join(f"{v:.3f}" for v in values) + " at 1e6 1e7 1e8 1e9 rad/s"


def figure_3a(effort: Effort) -> Figure:
    """E(t) over Omega_35."""
    first = _largest("rabi_35", "relative_maximum_energy")
    size, energy, molecules = merits("battery_size,relative_maximum_energy,molecules", "1us", "rabi_35=3e8")
    ratio = energy / (size / molecules - energy)
    claims = (Claim("E_max falls with Omega_35, and recovers slightly above 1e8", _row(first),
                    verdict(first[0] > first[1] > first[2] < first[3])),
              Claim("above 1e8 the populations of 5 and 3 at E_max approach 1:1",
                    f"{ratio:.2f} at 3e8 rad/s", verdict(between(ratio, 0.97, 1.03))))
    return _map(effort, "pentacene-3a", "Stored energy under a tone on 3-5", RABI_35, ENERGY, claims)


def figure_3b(effort: Effort) -> Figure:
    """E(t) over Omega_45, resonant; inset: as printed."""
    here, other = (_largest(tone, "relative_maximum_energy") for tone in ("rabi_45", "rabi_35"))
    printed = _largest("rabi_45", "relative_maximum_energy", _PRINTED)
    claim = Claim("Omega_45 discharges less than Omega_35", f"{_row(here)} (Omega_35: {_row(other)})",
                  verdict(all(a > b for a, b in zip(here, other, strict=True))))
    inset = _map(effort, "pentacene-3b-inset", "The same in the frame as printed", RABI_45, ENERGY,
                 (Claim("as above", _row(printed), verdict(printed[2] > other[2])
                        + ", with a tone that is 4.2e9 rad/s off resonance"),), _PRINTED)
    return _map(effort, "pentacene-3b", "Stored energy under a resonant tone on 4-5", RABI_45, ENERGY,
                (claim,), inset=inset)


def figure_3c(effort: Effort) -> Figure:
    """P(t) over Omega_35."""
    power, energy = _largest("rabi_35", "maximum_power"), _largest("rabi_35", "relative_maximum_energy")
    undriven = merits("maximum_power,relative_maximum_energy", "1us")
    kept = [power[2] / undriven[0], energy[2] / undriven[1]]
    claim = Claim("P_max falls with Omega_35 but is more robust than E_max",
                  f"P_max {_row(power)} [W]; at 1e8 P_max keeps {kept[0]:.2f} and E_max {kept[1]:.2f} of the "
                  "undriven",
                  verdict(kept[0] > kept[1]))
    return _map(effort, "pentacene-3c", "Charging power under a tone on 3-5", RABI_35, POWER, (claim,))


def figure_3d(effort: Effort) -> Figure:
    """P(t) over Omega_45, resonant; inset: as printed."""
    here, printed = _largest("rabi_45", "maximum_power"), _largest("rabi_45", "maximum_power", _PRINTED)
    undriven, = merits("maximum_power", "1us")
    claim = Claim("P_max falls with Omega_45", f"{_row(here)} [W], undriven {undriven:.3f} W",
                  verdict(here[2] < undriven))
    inset = _map(effort, "pentacene-3d-inset", "The same in the frame as printed", RABI_45, POWER,
                 (Claim("as above", f"{_row(printed)} [W]", verdict(printed[3] < undriven)
                        + ", from 1e9 on: the tone is 4.2e9 rad/s off resonance"),), _PRINTED)
    return _map(effort, "pentacene-3d", "Charging power under a resonant tone on 4-5", RABI_45, POWER,
                (claim,), inset=inset)


def figure_3e(effort: Effort) -> Figure:
    """t_max over both drives, Omega_45 in both frames."""
    axis = effort.choose("log:1e5:1e10:61", "log:1e5:1e9:5")  # 1e10 takes a second for each point

    def curve(name: str, tone: str, *settings: str, dashed: bool = False) -> tuple:
        asked = over(f"{tone}={axis}", f"{tone},charging_time", "1us", *settings)
        found = effort.series(name, asked, dashed=dashed)
        lowest = int(found.y.argmin())
        return found, float(found.y[lowest]), float(found.x[lowest])

    one, low_35, at_35 = curve("Ω35", "rabi_35")
    two, low_45, _ = curve("Ω45 resonant", "rabi_45")
    three, printed, _ = curve("Ω45 as printed", "rabi_45", _PRINTED, dashed=True)
    claims = (
        Claim("t_max falls sharply up to Omega_35 about 1e8, then rises",
              f"shortest {low_35 * 1e9:.0f} ns at {at_35:.1e} rad/s", verdict(between(at_35, 3e7, 2e8))),
        Claim("the shortest t_max of Omega_35 is 1/3 of that of Omega_45",
              f"{low_35 / low_45:.2f} resonant, {low_35 / printed:.2f} as printed",
              verdict(any(between(low_35 / low, 0.28, 0.38) for low in (low_45, printed)),
                      "NOT reproduced in either frame")),
        Claim("t_max is relatively stable under Omega_45",
              f"shortest {low_45 * 1e9:.0f} ns resonant, {printed * 1e9:.0f} ns as printed",
              verdict(low_45 > 0.5 * 338e-9, "only in the printed frame, which is off resonance")))
    return Figure("pentacene-3e", "Charging time against the drives", _DRIVE, _CHARGING_TIME,
                  (one, two, three), claims,
                  notes=("Even 1e5 rad/s on 3-5 seeds the burst, so the left end is not the undriven 338 ns.",
                         "The axis range is ours."))


FIGURES = {"pentacene-3a": figure_3a, "pentacene-3b": figure_3b, "pentacene-3c": figure_3c,
           "pentacene-3d": figure_3d, "pentacene-3e": figure_3e}
