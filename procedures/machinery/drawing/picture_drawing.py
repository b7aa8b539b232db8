"""A procedure's picture as PNG or SVG, in the style of the twin's figures.

Writes the one file it is asked for; loads matplotlib.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Sheet
from matplotlib.ticker import FuncFormatter, NullFormatter

from .figure_drawing import COLOURS, STYLE, WIDTH
from .picture import Axis, Mark, Panel, Picture, Series

FORMATS = (".png", ".svg")
_DOTS = 200
_PANEL = 2.3  # [inch] height of a panel of share 1
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"),
             (1e-12, "p"))
_PREFIXED = ("s", "J", "W", "Hz", "V")
_ROOM = 0.05  # of an axis, beside the data
_LABEL = 0.04  # of an axis: a label that stands upright
_FEW_DECIBELS = 0.05


def draw(picture: Picture, file: Path, note: str = "") -> None:
    """Draw into `file`; `note` stands in small print below. ValueError for another ending than FORMATS."""
    if file.suffix.lower() not in FORMATS:
        raise ValueError(f"--plot {file}: expected a name that ends in {' or '.join(FORMATS)}")
    heights = [_PANEL * panel.share for panel in picture.panels]
    with mpl.rc_context({**STYLE, "svg.hashsalt": "maserbench"}):
        sheet = Sheet(figsize=(1.25 * WIDTH, sum(heights) + 0.45), dpi=_DOTS, layout="constrained")
        FigureCanvasAgg(sheet)
        drawn = sheet.subplots(len(heights), 1, height_ratios=heights, squeeze=False,
                               sharex=picture.one_axis)[:, 0]
        drawn[0].set_title(picture.title)
        _panels(list(drawn), picture)
        sheet.align_ylabels(drawn)
        if note:
            sheet.supxlabel(note, fontsize=5.0, color="0.35", parse_math=False)
        metadata = {"Title": picture.title, "Description": note}
        moment = {"Date": None} if file.suffix.lower() == ".svg" else {"Software": "maserbench"}
        sheet.savefig(file, metadata=metadata | moment)


def _panels(drawn: Sequence[Any], picture: Picture) -> None:
    """All series before any mark, since panels may share an axis."""
    scales = []
    for axes, panel in zip(drawn, picture.panels, strict=True):
        same = [other for other in picture.panels if other.x == panel.x]
        scale_x, label_x = _scaled(panel.x, [s.x for other in same for s in other.series])
        scale_y, label_y = _scaled(panel.y, [s.y for s in panel.series])
        scales.append((scale_x, scale_y))
        axes.set(ylabel=label_y, xscale="log" if panel.x.log else "linear",
                 yscale="log" if panel.y.log else "linear")
        axes.margins(_ROOM, _ROOM / panel.share)
        if not picture.one_axis or panel is picture.panels[-1]:
            axes.set_xlabel(label_x)
        for series, colour in zip(panel.series, _colours(panel.series), strict=True):
            _series(axes, series, colour, scale_x, scale_y)
    for axes, panel, (scale_x, scale_y) in zip(drawn, picture.panels, scales, strict=True):
        _limits(axes, panel, scale_y)
        for mark in panel.marks:
            _mark(axes, panel, mark, scale_x, scale_y)
        _plain_decades(axes, panel)
        if any(series.name for series in panel.series):
            axes.legend(loc="best")


def _colours(series: Sequence[Series]) -> list[str]:
    """One after the other; points that were left out are grey."""
    rest = iter(COLOURS)
    return ["0.55" if each.kind == "hollow" else next(rest) for each in series]


def _scaled(axis: Axis, values: Sequence[np.ndarray]) -> tuple[float, str]:
    """(divisor, label with unit): the prefix under which the values' middle is a plain number."""
    if not axis.unit:
        return 1.0, axis.label
    sizes = np.abs(np.concatenate(values))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0.0)]
    if axis.unit == "dB" and len(sizes) and sizes.max() < _FEW_DECIBELS:
        return 1e-3, f"{axis.label} [mdB]"
    if axis.unit not in _PREFIXED or not len(sizes):
        return 1.0, f"{axis.label} [{axis.unit}]"
    typical = float(np.exp(np.mean(np.log([sizes.min(), sizes.max()])))) if axis.log else float(sizes.max())
    scale, prefix = next((pair for pair in _PREFIXES if typical >= pair[0]), _PREFIXES[-1])
    return scale, f"{axis.label} [{prefix}{axis.unit}]"


def _series(axes: Any, series: Series, colour: str, scale_x: float, scale_y: float) -> None:
    x, y, label = series.x / scale_x, series.y / scale_y, series.name or None
    if series.kind == "bars":
        width = float(x[1] - x[0]) if len(x) > 1 else 1.0
        axes.bar(x, y, 0.92 * width, color=colour, alpha=0.45, label=label)
    elif series.kind in ("line", "dashed"):
        style = "-" if series.kind == "line" else "--"
        axes.plot(x, y, color=colour, ls=style, lw=1.0, label=label, zorder=3)
    else:
        size = 2.6 if len(x) < 150 else 1.0
        face = "white" if series.kind == "hollow" else colour
        error = None if series.y_sigma is None else series.y_sigma / scale_y
        axes.errorbar(x, y, error, fmt="o", ms=size, mfc=face, mew=0.6, color=colour, elinewidth=0.6,
                      capsize=1.2, label=label)


def _limits(axes: Any, panel: Panel, scale_y: float) -> None:
    """As the data want them, but with every marked level inside; marks at some x do not move the axes."""
    axes.set_xlim(axes.get_xlim())
    levels = [mark.y / scale_y for mark in panel.marks if mark.y is not None]
    low, high = axes.get_ylim()
    if panel.y.log:
        axes.set_ylim(min([low, *(0.7 * level for level in levels)]), max([high, *(1.5 * v for v in levels)]))
    else:
        room = _ROOM * (high - low)
        axes.set_ylim(min([low, *(v - room for v in levels)]), max([high, *(v + room for v in levels)]))


def _mark(axes: Any, panel: Panel, mark: Mark, scale_x: float, scale_y: float) -> None:
    vertical = mark.x is not None
    place = mark.x / scale_x if mark.x is not None else (mark.y or 0.0) / scale_y
    sigma = mark.sigma / (scale_x if vertical else scale_y)
    across, shade = (axes.axvline, axes.axvspan) if vertical else (axes.axhline, axes.axhspan)
    across(place, color="0.35", lw=0.7, ls=":", zorder=1)
    if sigma:
        shade(place - sigma, place + sigma, color="0.35", alpha=0.15, lw=0.0, zorder=0)
    if not mark.label:
        return
    if vertical:
        high = not _crowded_above(axes, panel, place, scale_x, scale_y)
        axes.annotate(mark.label, (place, 0.97 if high else 0.03), xycoords=axes.get_xaxis_transform(),
                      rotation=90, fontsize=5.5, color="0.25", xytext=(-1.5, 0), textcoords="offset points",
                      ha="right", va="top" if high else "bottom", annotation_clip=True)
    else:
        axes.annotate(mark.label, (0.99, place), xycoords=axes.get_yaxis_transform(), fontsize=5.5,
                      color="0.25", xytext=(0, 1.5), textcoords="offset points", ha="right", va="bottom")


def _crowded_above(axes: Any, panel: Panel, place: float, scale_x: float, scale_y: float) -> bool:
    """Whether there are data in the upper half of a panel, where a mark's label would stand."""
    ours = np.concatenate([np.column_stack([s.x / scale_x, s.y / scale_y]) for s in panel.series])
    x, y = axes.transAxes.inverted().transform(axes.transData.transform(ours)).T
    here = float(axes.transAxes.inverted().transform(axes.transData.transform((place, ours[0, 1])))[0])
    return bool(np.any((x > here - _LABEL) & (x < here) & (y > 0.5)))


def _plain_decades(axes: Any, panel: Panel) -> None:
    """0.1, 1, 10 where a logarithmic axis spans few decades, with ticks between named where there is one."""
    for log, axis, limits in ((panel.x.log, axes.xaxis, axes.get_xlim()),
                              (panel.y.log, axes.yaxis, axes.get_ylim())):
        decades = np.log10(limits[1] / limits[0]) if log else 0.0
        if log and decades < 4.5:
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(FuncFormatter(_two_and_five) if decades < 1.6 else NullFormatter())


def _two_and_five(value: float, _: Any) -> str:
    return f"{value:g}" if f"{value:e}"[0] in "25" else ""
