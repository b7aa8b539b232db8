"""Colours of the window, once: the same tokens feed Qt's palette, the style sheet and pyqtgraph.

Two themes, for a projector and for a dark laboratory. Line colours are Okabe and Ito's, which people with
any colour vision tell apart; a colour never carries a meaning alone. The palette is set explicitly, because
requests for a colour scheme are ignored on some platforms (offscreen among them).
"""

from __future__ import annotations

from dataclasses import dataclass

from procedures import Origin

from .qt import QtGui, QtWidgets, pg

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"


@dataclass(frozen=True)
class Theme:
    """One set of colours. `surface` lies on `window`; `muted` is text of second rank; `data` and `model`
    are the markers and the line of every plot, `band` the +-2 sigma band (with transparency)."""

    name: str
    window: str
    surface: str
    field: str
    text: str
    muted: str
    edge: str
    accent: str
    good: str
    warning: str
    danger: str
    on_danger: str
    selection: str
    data: str
    model: str
    band: str


LIGHT = Theme("light", window="#F3F5F8", surface="#FFFFFF", field="#FFFFFF", text="#1A2027", muted="#586472",
              edge="#D3DAE2", accent=BLUE, good="#00795A", warning="#9A5B00", danger="#C4251C",
              on_danger="#FFFFFF", selection="#DCEBF6", data=BLUE, model=VERMILLION, band="#0072B224")
DARK = Theme("dark", window="#14171B", surface="#1B1F25", field="#12151A", text="#E3E8EE", muted="#97A3B1",
             edge="#323A44", accent=SKY, good="#35C79A", warning="#F0B03A", danger="#D8402F",
             on_danger="#FFFFFF", selection="#23384A", data=SKY, model="#F07F2E", band="#56B4E930")
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}

BADGES = {Origin.SIMULATED: (ORANGE, BLACK), Origin.REAL: (GREEN, "#FFFFFF"), Origin.MIXED: (PURPLE, BLACK)}
"""Background and text colour of the badge that says where data come from."""


def apply(app: QtWidgets.QApplication, theme: Theme) -> None:
    """Dress the whole application; plots that exist already are told by their owner."""
    app.setStyle("Fusion")
    app.setPalette(palette(theme))
    app.setStyleSheet(sheet(theme))
    pg.setConfigOptions(background=theme.surface, foreground=theme.muted)


def palette(theme: Theme) -> QtGui.QPalette:
    """Every role that Fusion draws with, active, inactive and disabled."""
    role, group = QtGui.QPalette.ColorRole, QtGui.QPalette.ColorGroup
    dark = theme is DARK
    colours = {role.Window: theme.window, role.WindowText: theme.text, role.Base: theme.field,
               role.AlternateBase: theme.window, role.Text: theme.text, role.Button: theme.surface,
               role.ButtonText: theme.text, role.BrightText: theme.danger, role.Link: theme.accent,
               role.Highlight: theme.accent, role.HighlightedText: BLACK if dark else "#FFFFFF",
               role.ToolTipBase: theme.surface, role.ToolTipText: theme.text, role.Light: theme.surface,
               role.Midlight: theme.edge, role.Mid: theme.edge, role.Dark: theme.muted,
               role.Shadow: BLACK, role.PlaceholderText: theme.muted, role.Accent: theme.accent}
    found = QtGui.QPalette()
    for name, colour in colours.items():
        found.setColor(name, QtGui.QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        found.setColor(group.Disabled, name, QtGui.QColor(theme.muted))
    return found


def sheet(theme: Theme) -> str:
    """What the palette cannot say: space, edges, and the few things that must be seen at once."""
    t = theme
    return f"""
    QMainWindow::separator {{ background: {t.window}; width: 6px; height: 6px; }}
    QMainWindow::separator:hover {{ background: {t.edge}; }}
    QMenuBar, QStatusBar {{ background: {t.window}; color: {t.muted}; }}
    QStatusBar::item {{ border: none; }}
    QStatusBar QLabel {{ color: {t.muted}; padding: 1px 8px; }}
    QDockWidget {{ color: {t.muted}; font-weight: 600; }}
    QDockWidget::title {{ background: {t.window}; padding: 6px 4px 4px 6px; text-align: left; }}
    #card {{ background: {t.surface}; border: 1px solid {t.edge}; border-radius: 6px; }}
    #card QLabel {{ background: transparent; }}
    QLabel[rank="muted"] {{ color: {t.muted}; }}
    QLabel[rank="title"] {{ font-size: 15px; font-weight: 600; }}
    QLabel[rank="value"] {{ font-size: 15px; font-weight: 600; }}
    QLabel[rank="good"] {{ color: {t.good}; font-weight: 600; }}
    QLabel[rank="warning"] {{ color: {t.warning}; font-weight: 600; }}
    QLabel[rank="problem"] {{ color: {t.danger}; }}
    QLabel[rank="danger"] {{ color: {t.danger}; font-weight: 600; }}
    QLineEdit {{ background: {t.field}; border: 1px solid {t.edge}; border-radius: 4px;
        padding: 4px 6px; min-height: 18px; }}
    QLineEdit:focus {{ border: 1px solid {t.accent}; }}
    QLineEdit[wrong="true"] {{ border: 1px solid {t.danger}; }}
    QLineEdit:disabled {{ color: {t.muted}; background: {t.window}; }}
    QPushButton {{ background: {t.surface}; border: 1px solid {t.edge}; border-radius: 5px;
        padding: 6px 12px; }}
    QPushButton:hover {{ border-color: {t.accent}; }}
    QPushButton:checked {{ border-color: {t.accent}; color: {t.accent}; }}
    QPushButton:disabled {{ color: {t.muted}; background: {t.window}; }}
    QPushButton#run {{ background: {t.accent}; color: {BLACK if t is DARK else "#FFFFFF"}; border: none;
        font-size: 15px; font-weight: 600; min-height: 26px; }}
    QPushButton#run:hover {{ background: {t.accent}; border: 1px solid {t.text}; }}
    QPushButton#run:disabled {{ background: {t.edge}; color: {t.muted}; }}
    QPushButton#stop {{ background: {t.danger}; color: {t.on_danger}; border: none; font-size: 16px;
        font-weight: 700; min-height: 38px; }}
    QPushButton#stop:hover, QPushButton#stop:focus {{ border: 2px solid {t.text}; }}
    QProgressBar {{ background: {t.edge}; border: none; border-radius: 3px; max-height: 6px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
    QTableView {{ background: {t.surface}; border: 1px solid {t.edge}; border-radius: 6px;
        gridline-color: transparent; selection-background-color: {t.selection}; selection-color: {t.text}; }}
    QTableView::item {{ padding: 0 8px; border: none; }}
    QHeaderView {{ background: {t.surface}; }}
    QHeaderView::section {{ background: {t.surface}; color: {t.muted}; border: none;
        border-bottom: 1px solid {t.edge}; padding: 6px 8px; }}
    QToolTip {{ background: {t.surface}; color: {t.text}; border: 1px solid {t.edge}; padding: 4px; }}
    #banner {{ background: {t.surface}; border: 1px solid {t.edge}; border-left: 4px solid {t.accent};
        border-radius: 4px; }}
    #banner[severity="error"] {{ border-left: 4px solid {t.danger}; }}
    #banner[severity="done"] {{ border-left: 4px solid {t.good}; }}
    """
