"""A figure of the twin as PNG, one column wide: panel, smaller panel for the inset, caption below.

Colours are Okabe and Ito's, maps are cividis: both can be read without colour vision. Writes the one file it
is asked for; loads matplotlib.
"""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure as Sheet

from twin.figures.figure import Axis, Figure, Series

WIDTH = 3.5
"""Column width [inch]."""
DOTS = 300
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLE: Any = {
    "font.family": "DejaVu Sans", "font.size": 7.0, "axes.titlesize": 7.5, "axes.labelsize": 7.5,
    "legend.fontsize": 6.0, "xtick.labelsize": 6.5, "ytick.labelsize": 6.5, "lines.linewidth": 1.2,
    "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.direction": "in",
    "ytick.direction": "in", "legend.framealpha": 0.8, "legend.edgecolor": "none",
    "axes.formatter.use_mathtext": True}
_CAPTION_COLUMNS, _CAPTION_LINE = 86, 0.095
_PANEL, _INSET = 2.4, 1.6
_FEW, _ABREAST = 4, 3
"""Lines whose legend may stand among them; entries of a legend beside each other above a panel."""
_PREFIXES = ((1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"))


def draw(figure: Figure, file: Path) -> None:
    """Draw into `file` (PNG); the caption also stands in its metadata."""
    caption = textwrap.wrap(figure.caption, _CAPTION_COLUMNS)
    parts = [figure, *([figure.inset] if figure.inset else [])]
    heights = [_PANEL, _INSET][:len(parts)]
    below = _CAPTION_LINE * len(caption) + 0.1
    with mpl.rc_context(STYLE):
        sheet = Sheet(figsize=(WIDTH, sum(heights) + below), dpi=DOTS, layout="constrained")
        FigureCanvasAgg(sheet)
        panels, words = sheet.subfigures(2, 1, height_ratios=[sum(heights), below], squeeze=False)[:, 0]
        drawn = panels.subplots(len(parts), 1, height_ratios=heights, squeeze=False)[:, 0]
        for axes, part in zip(drawn, parts, strict=True):
            _panel(axes, part)
        words.text(0.02, 0.99, "\n".join(caption), va="top", ha="left", fontsize=5.0, linespacing=1.2,
                   parse_math=False)
        sheet.savefig(file, metadata={"Title": figure.name, "Description": figure.caption,
                                      "Software": "maserbench"})


def _panel(axes: Any, figure: Figure) -> None:
    right = axes.twinx() if figure.right else None
    for side in (False, True):
        on, y = (right, figure.right) if side else (axes, figure.y)
        if y is not None:
            _side(on, figure, y, [(s, c) for s, c in zip(figure.series, COLOURS, strict=False)
                                  if s.right == side])
    sides = [axes, *([right] if right is not None else [])]
    lines = [line for on in sides for line in on.lines if line.get_gid() == "series"]
    _titled(axes, figure.title, lines, above=right is not None or len(lines) > _FEW)


def _titled(axes: Any, title: str, lines: list[Any], above: bool) -> None:
    """Title and legend; `above` the panel, where it hides no data, if there is little room among them."""
    above = above and len(lines) > 1
    axes.set_title(title, pad=4.0 + 9.0 * math.ceil(len(lines) / _ABREAST) if above else None)
    if above:
        axes.legend(handles=lines, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=_ABREAST,
                    borderaxespad=0.2, columnspacing=1.2)
    elif len(lines) > 1:
        axes.legend(handles=lines, loc="best")


def _side(axes: Any, figure: Figure, y: Axis, series: list[tuple[Series, str]]) -> None:
    """One pair of axes with what is measured on it, in units that need no powers of ten."""
    scale_x, label_x = _scaled(figure.x, [s.x for s in figure.series])
    scale_y, label_y = _scaled(y, [s.y for s, _ in series])
    axes.set(xlabel=label_x, ylabel=label_y, xscale="log" if figure.x.log else "linear",
             yscale="log" if y.log else "linear")
    for each, colour in series:
        if figure.z is None:
            _curve(axes, each, colour, scale_x, scale_y)
        else:
            _map(axes, each, figure.z, scale_x, scale_y)
    if y.low is not None:
        axes.set_ylim(bottom=y.low / scale_y)
    _guides(axes, figure, y, scale_x, scale_y)


def _scaled(axis: Axis, values: list[np.ndarray]) -> tuple[float, str]:
    """(divisor, label with unit): prefixes for plain units on linear axes, powers of ten otherwise."""
    if not axis.unit:
        return 1.0, axis.label
    largest = max((float(np.nanmax(np.abs(v))) for v in values if np.any(np.isfinite(v))), default=1.0)
    if axis.log or axis.unit not in ("s", "J", "W") or largest == 0.0:
        return 1.0, f"{axis.label} [{axis.unit}]"
    scale, prefix = next((pair for pair in _PREFIXES if largest >= pair[0]), _PREFIXES[-1])
    return scale, f"{axis.label} [{prefix}{axis.unit}]"


def _curve(axes: Any, series: Series, colour: str, scale_x: float, scale_y: float) -> None:
    mark = {"marker": "o", "ms": 2.0} if len(series.x) < 60 else {}
    axes.plot(series.x / scale_x, series.y / scale_y, color=colour, ls="--" if series.dashed else "-",
              label=series.name + (" (right)" if series.right else ""), gid="series", **mark)


def _guides(axes: Any, figure: Figure, y: Axis, scale_x: float, scale_y: float) -> None:
    levels = [v / scale_y for guide in figure.guides if guide.y[0] == guide.y[1] for v in guide.y]
    low, high = axes.get_ylim()
    room = 2.0 if y.log else 1.1
    limits = {"xlim": axes.get_xlim(), "ylim": (low, max([high, *(room * level for level in levels)]))}
    for guide in figure.guides:
        if guide.right == (y is figure.right):
            xs = guide.x[0] / scale_x, guide.x[1] / scale_x
            ys = guide.y[0] / scale_y, guide.y[1] / scale_y
            axes.plot(xs, ys, color="0.45", lw=0.8, ls=":")
            place = _middle(*xs, figure.x.log), _middle(*ys, y.log)
            axes.annotate(guide.label, place, fontsize=5.5, color="0.25", xytext=(2, 2),
                          textcoords="offset points", annotation_clip=True)
    axes.set(**limits)


def _middle(a: float, b: float, log: bool) -> float:
    return math.sqrt(a * b) if log and a > 0.0 and b > 0.0 else 0.5 * (a + b)


def _map(axes: Any, series: Series, z: Axis, scale_x: float, scale_y: float) -> None:
    """The first axis of the command varies slowest, so a row of the map is a run of equal y."""
    turns = np.flatnonzero(np.diff(series.y))
    width = int(turns[0]) + 1 if len(turns) else len(series.y)
    scale_z, label_z = _scaled(z, [series.table[:, 2]])
    x, y, value = (np.reshape(v, (-1, width))
                   for v in (series.x / scale_x, series.y / scale_y, series.table[:, 2] / scale_z))
    norm = LogNorm(*_positive_range(value)) if z.log else None
    mesh = axes.pcolormesh(x, y, np.where(value > 0.0, value, np.nan) if z.log else value, cmap="cividis",
                           norm=norm, shading="nearest", rasterized=True)
    axes.figure.colorbar(mesh, ax=axes).set_label(label_z)


def _positive_range(value: np.ndarray) -> tuple[float, float]:
    positive = value[np.isfinite(value) & (value > 0.0)]
    return (float(positive.min()), float(positive.max())) if len(positive) else (0.1, 1.0)
