"""Words that stand on a plot: the badge that says where data come from, and hints on an empty plot.

They are items of the scene, so they are part of every screenshot and export.
"""

from __future__ import annotations

from procedures import Origin

from .qt import Qt, QtCore, QtGui, pg
from .theme import BADGES

_MARGIN = 12.0  # [pixels] on either side of the text


class Sign(pg.GraphicsWidgetAnchor, pg.GraphicsObject):
    """Text on a rounded ground, anchored to a corner or the middle of a plot; invisible without a text."""

    def __init__(self, plot: pg.PlotItem, place: tuple[float, float], offset: tuple[float, float],
                 size: int, bold: bool = False) -> None:
        pg.GraphicsObject.__init__(self)
        pg.GraphicsWidgetAnchor.__init__(self)
        self.text, self._ground, self._ink = "", QtGui.QColor(0, 0, 0, 0), QtGui.QColor("black")
        self._said: tuple[str, str, str | None] | None = None
        self._font = QtGui.QFont()
        self._font.setPixelSize(size)
        self._font.setWeight(QtGui.QFont.Weight.Bold if bold else QtGui.QFont.Weight.Normal)
        self._box = QtCore.QRectF()
        self.setZValue(1000)
        self.setParentItem(plot.getViewBox())
        self._corner, self._offset = place, offset
        self._place()

    def say(self, text: str, ink: str, ground: str | None = None) -> None:
        """Show `text`, which may have several lines; an empty one hides the sign."""
        wanted = (text, ink, ground)
        if wanted == self._said:
            return
        self._said = wanted
        self.prepareGeometryChange()
        self.text, self._ink = text, QtGui.QColor(ink)
        self._ground = QtGui.QColor(ground) if ground else QtGui.QColor(0, 0, 0, 0)
        wide = QtCore.QRectF(0, 0, 2000, 2000)
        box = QtGui.QFontMetricsF(self._font).boundingRect(wide, Qt.AlignmentFlag.AlignLeft, text)
        self._box = QtCore.QRectF(0, 0, box.width() + 2 * _MARGIN, box.height() + 8.0)
        self.setVisible(bool(text))
        self._place()
        self.update()

    def _place(self) -> None:
        self.anchor(itemPos=self._corner, parentPos=self._corner, offset=self._offset)

    def boundingRect(self) -> QtCore.QRectF:
        return self._box

    def paint(self, painter: QtGui.QPainter, *_: object) -> None:
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        if self._ground.alpha():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._ground)
            painter.drawRoundedRect(self._box, 4.0, 4.0)
        painter.setPen(self._ink)
        painter.setFont(self._font)
        painter.drawText(self._box, Qt.AlignmentFlag.AlignCenter, self.text)


class OriginBadge(Sign):
    """SIMULATED, REAL or MIXED, large, in the corner of a plot."""

    def __init__(self, plot: pg.PlotItem) -> None:
        super().__init__(plot, (1.0, 0.0), (-14.0, 14.0), size=19, bold=True)

    def place_low(self, low: bool) -> None:
        """In the lower right corner instead of the upper one."""
        side = 1.0 if low else 0.0
        self._corner, self._offset = (1.0, side), (-14.0, -14.0 if low else 14.0)
        self._place()

    def show_origin(self, origin: Origin | None) -> None:
        """None: there are no data yet, and so no badge."""
        if origin is None:
            self.say("", "#000000")
            return
        ground, ink = BADGES[origin]
        self.say(origin.name, ink, ground)
