"""One shot: measured points, the twin's line, and under them the residuals in sigmas, with one time axis.

Shows pictures; whether they come from a bench or from disk it cannot know. Items are made once and get
new data, and repaints are coalesced to 30 a second, so that a long run costs neither memory nor patience.
"""

from __future__ import annotations

import numpy as np

from .markers import Markers
from .number_text import measured
from .picture import Picture
from .qt import Qt, QtCore, QtGui, QtWidgets, pg
from .signs import OriginBadge, Sign
from .theme import Theme

PERIOD = 33  # [ms] between two repaints at least
_QUIET_RANGE = 4.5  # sigmas that the strip shows at least
_LEFT = 74  # [pixels] of both left axes, so that the time axes agree
_NONE = np.empty(0)
_HINT = "No shot yet.\n\nChoose a procedure on the left and press Run."


class ShotPlot(QtWidgets.QFrame):
    """Call `show_picture`; the newest picture is on screen within `PERIOD`."""

    def __init__(self, theme: Theme, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.picture: Picture | None = None
        self.repaints = 0
        self._following = True  # the axes follow the shots until a person zooms
        self._axes: tuple[tuple[str, str], tuple[str, str]] | None = None
        self._title, self._subtitle, self._legend = _label("title"), _label("muted"), _label("muted")
        self._canvas = pg.GraphicsLayoutWidget()
        self._canvas.setMinimumSize(420, 320)
        self._build()
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._draw)
        self._since = QtCore.QElapsedTimer()
        self._since.start()
        self.set_theme(theme)
        self.clear()

    # what others call

    def show_picture(self, picture: Picture) -> None:
        """Have a picture on screen soon; one that is overtaken by the next is never drawn."""
        self.picture = picture
        left = PERIOD - self._since.elapsed()
        if self._timer.isActive():
            return
        if left > 0:
            self._timer.start(left)
        else:
            self._draw()  # at once, so that table, report and plot tell of the same shot

    def clear(self, hint: str = _HINT) -> None:
        """Back to the empty plot, which says what to do."""
        self.picture, self._axes = None, None
        self._timer.stop()
        self._title.setText("")
        self._subtitle.setText("")
        for item in (self.points, self.spread):
            item.setData(_NONE, _NONE)
        self.line.setData(_NONE, _NONE)
        self.badge.show_origin(None)
        self._hint.say(hint, self._theme.muted)
        self._no_line.say("", self._theme.muted)
        self._legend.setVisible(False)
        self._set_axes(("time from the trigger", "s"), ("burst envelope", "V"))
        self.top.setXRange(-2e-6, 38e-6, padding=0.0)
        self.top.setYRange(0.0, 0.5, padding=0.02)
        self._axes = None  # the first picture sets its own ranges

    def set_theme(self, theme: Theme) -> None:
        """Colours of everything that is on the canvas."""
        self._theme = theme
        self._canvas.setBackground(theme.surface)
        self.points.set_colour(theme.data)
        self.spread.set_colour(theme.data)
        self.line.setPen(pg.mkPen(theme.model, width=1.6))
        self.band.setBrush(pg.mkBrush(QtGui.QColor(*_rgba(theme.band))))
        self._zero.setPen(pg.mkPen(theme.muted, width=1))
        for plot in (self.top, self.strip):
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(pg.mkPen(theme.edge))
                plot.getAxis(side).setTextPen(pg.mkPen(theme.muted))
        self._legend.setText(_legend(theme))
        self._draw()

    def reset_view(self) -> None:
        """Both plots back to all of their data; from here on they follow every shot again."""
        self._following = True
        if self.picture is not None:
            self._fit_view(self.picture)
        self._fit_strip()

    # how it is built

    def _build(self) -> None:
        self.top = self._canvas.addPlot(row=0, col=0)
        self.strip = self._canvas.addPlot(row=1, col=0)
        self.strip.setXLink(self.top)
        self._canvas.ci.layout.setRowStretchFactor(0, 4)
        self._canvas.ci.layout.setRowStretchFactor(1, 1)
        self._canvas.ci.setContentsMargins(4, 8, 14, 4)
        self._canvas.ci.setSpacing(2)
        self.points = Markers(4.0)
        self.line = pg.PlotCurveItem(antialias=True, connect="finite")
        self.spread = Markers(3.0)
        self.band = pg.LinearRegionItem((-2.0, 2.0), orientation="horizontal", movable=False,
                                        pen=pg.mkPen(None))
        self._zero = pg.InfiniteLine(0.0, angle=0)
        for item in (self.points, self.line):
            self.top.addItem(item)
        for item in (self.band, self._zero, self.spread):
            self.strip.addItem(item)
        self._arrange()

    def _arrange(self) -> None:
        for plot in (self.top, self.strip):
            plot.setMenuEnabled(False)
            plot.hideButtons()
            plot.getAxis("left").setWidth(_LEFT)
        self.top.getAxis("bottom").setStyle(showValues=False)
        self.top.getAxis("bottom").setHeight(4)
        self.strip.setLabel("left", "residual", units=None)
        self.strip.setMouseEnabled(x=True, y=False)
        self._fit_strip()
        self.badge = OriginBadge(self.top)
        self._hint = Sign(self.top, (0.5, 0.5), (0.0, 0.0), size=15)
        self._no_line = Sign(self.strip, (0.5, 0.5), (0.0, 0.0), size=12)
        for plot in (self.top, self.strip):
            plot.getViewBox().sigRangeChangedManually.connect(self._person_moved)
        self._canvas.scene().sigMouseClicked.connect(self._clicked)
        head = QtWidgets.QGridLayout()
        head.setContentsMargins(14, 10, 14, 0)
        head.setVerticalSpacing(2)
        head.addWidget(self._title, 0, 0)
        head.addWidget(self._subtitle, 1, 0)
        head.addWidget(self._legend, 1, 1, Qt.AlignmentFlag.AlignRight)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 5)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self._canvas, 1)
        QtGui.QShortcut(QtGui.QKeySequence("A"), self, self.reset_view,
                        context=Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def _clicked(self, click: object) -> None:
        if click.double():  # type: ignore[attr-defined]
            self.reset_view()

    # how it is drawn

    def _draw(self) -> None:
        self._since.restart()
        picture = self.picture
        if picture is None:
            return
        self.repaints += 1
        self._hint.say("", self._theme.muted)
        self._set_axes(picture.x_axis, picture.y_axis)
        self.points.setData(picture.x, picture.y)
        if picture.model is None:
            self.line.setData(_NONE, _NONE)
        else:
            self.line.setData(picture.x, picture.model)
        self._legend.setVisible(picture.model is not None)
        if self._following:
            self._fit_view(picture)
        self._draw_residuals(picture)
        self.badge.show_origin(picture.origin)
        self._title.setText(f"Shot {picture.number}" + _pulse(picture))
        self._subtitle.setText(picture.run)

    def _fit_view(self, picture: Picture) -> None:
        """The whole shot. The voltage axis ends at a round number, so that it does not tremble with noise."""
        if not picture.x.size:
            return
        self.top.setXRange(picture.x[0], picture.x[-1], padding=0.02)
        if picture.y_axis[1] == "V":
            highest = round_above(float(np.nanmax(picture.y)))
            self.top.setYRange(-0.05 * highest, highest, padding=0.0)
        else:
            self.top.setYRange(float(np.nanmin(picture.y)), float(np.nanmax(picture.y)), padding=0.05)

    def _person_moved(self) -> None:
        self._following = False

    def _draw_residuals(self, picture: Picture) -> None:
        residuals = picture.residuals
        if residuals is None:
            self.spread.setData(_NONE, _NONE)
            self._no_line.say(_why_no_line(picture), self._theme.muted, self._theme.surface)
            return
        self._no_line.say("", self._theme.muted)
        finite = np.isfinite(residuals)
        self.spread.setData(picture.x[finite], residuals[finite])
        self._fit_strip()

    def _fit_strip(self) -> None:
        """All residuals are on screen, and at least +-4.5 sigmas, so that the eye can compare shots."""
        y = self.spread.getData()[1]
        largest = float(np.max(np.abs(y), initial=0.0))
        limit = max(_QUIET_RANGE, 1.1 * largest)
        step = 2.0 if limit < 8.0 else float(f"{limit / 2.0:.0e}")
        levels = [k * step for k in range(-2, 3) if abs(k * step) < limit]
        self.strip.getAxis("left").setTicks([[(v, _sigmas(v)) for v in levels]])
        self.strip.setYRange(-limit, limit, padding=0.0)

    def _set_axes(self, x_axis: tuple[str, str], y_axis: tuple[str, str]) -> None:
        if (x_axis, y_axis) == self._axes:
            return
        self._axes, self._following = (x_axis, y_axis), True
        self.strip.setLabel("bottom", x_axis[0], units=x_axis[1])
        logarithmic = y_axis[1].startswith("dB")  # there are no millidecibels
        self.top.getAxis("left").enableAutoSIPrefix(not logarithmic)
        if logarithmic:
            self.top.getAxis("left").autoSIPrefixScale = 1.0
            self.top.setLabel("left", f"{y_axis[0]} ({y_axis[1]})", units="")
        else:
            self.top.setLabel("left", y_axis[0], units=y_axis[1])
        self.badge.place_low(logarithmic)  # a resonance seen in reflection leaves the lower corner free


def round_above(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten; 1e-3 for what is not positive."""
    if not value > 0.0:
        return 1e-3
    decade = 10.0 ** np.floor(np.log10(value))
    return float(next(step * decade for step in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
                      if step * decade >= value * (1.0 - 1e-9)))


def _pulse(picture: Picture) -> str:
    return f"  ·  {measured(picture.energy, 'J')}" if picture.energy == picture.energy else ""


def _legend(theme: Theme) -> str:
    return (f'<span style="color:{theme.data}">●</span> measured &nbsp;&nbsp; '
            f'<span style="color:{theme.model}">━</span> twin')


def _sigmas(value: float) -> str:
    return f"{value:+.0f} σ".replace("-", "−") if value else "0"


def _why_no_line(picture: Picture) -> str:
    if picture.x_axis[1] != "s":
        return "a sweep has no twin line"
    return "the twin has not answered" if picture.row is None else "no twin line for this shot"


def _label(rank: str) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel()
    label.setProperty("rank", rank)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _rgba(colour: str) -> tuple[int, int, int, int]:
    """#rrggbbaa, the way the web writes it; Qt puts the transparency first."""
    return tuple(int(colour[i:i + 2], 16) for i in (1, 3, 5, 7))  # type: ignore[return-value]
