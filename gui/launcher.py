"""Opens the window: on a bench, with a run started at once if wished, or on a run that is on disk.

Whatever can be known to be wrong (files, names, settings, no display) is raised before Qt is started.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from procedures import catalogue, open_run
from procedures.machinery.apparatus.opening import describe_bench
from procedures.machinery.commands.demo import display
from procedures.machinery.commands.run import telling
from procedures.machinery.records import events
from procedures.machinery.records.failures import StateUnknown, WrongUse
from procedures.machinery.records.settings import values

_WITHOUT_SCREEN = ("offscreen", "minimal", "vnc", "linuxfb")
_LOOK = 100  # [ms] between two looks at signals of the operating system


def open_window(bench: str | Path = "virtual", run: str | None = None, replay: str | Path | None = None,
                screenshot: str | Path | None = None, after: float | None = None,
                settings: Mapping[str, Any] | None = None, output: str | Path = "runs",
                seed: int | None = None, truth_log: Path | None = None, theme: str | None = None,
                status: int | None = None) -> int:
    """Open the window and return 0 when it has been closed.

    `run`: a procedure to start at once with `settings`; `replay`: a run's folder to show instead of a bench;
    `screenshot`: save a PNG `after` seconds (default 10) and close, stopping a run safely first; `theme`:
    "light", "dark" or None for the desktop's; `status`: a loopback port for dashboards. Raises ValueError and
    OSError for wrong use, KeyboardInterrupt after Ctrl-C, and StateUnknown when the bench could not be read
    back safe at the end.
    """
    _check(run, settings or {}, replay, screenshot)
    description = None if replay else describe_bench(bench)
    _find_display(bool(screenshot))
    with telling(status) as stream:
        return _opened(bench, description, run, replay, screenshot, after, settings or {}, output, seed,
                       truth_log, theme, stream)


def _opened(bench: str | Path, description: Any, run: str | None, replay: str | Path | None,
            screenshot: str | Path | None, after: float | None, settings: Mapping[str, Any],
            output: str | Path, seed: int | None, truth_log: Path | None, theme: str | None,
            stream: events.Publish) -> int:
    from .bench_window import BenchWindow
    from .qt import application
    from .run_source import BenchConductor, RunSource
    from .stored_run import StoredRun
    from .theme import apply

    app = application()
    dress = _theme(app, theme)
    apply(app, dress)
    if description is None:
        source: Any = StoredRun(replay or "")
        window = BenchWindow(source, dress, Path(source.run.manifest["bench"]["name"]).stem)
        source.replay()
    else:
        conductor = BenchConductor(bench, output, truth_log, stream)
        source = RunSource(conductor, description.receivers.get("burst"))
        window = BenchWindow(source, dress, Path(description.name).stem, tuple(description.roles))
        _begin(window, run, settings, seed)
    window.show()
    try:
        interrupted = _loop(app, window, Path(screenshot) if screenshot else None, after)
    finally:
        ended = source.close()
    if window.unknown_state or not ended:
        raise StateUnknown(window.unknown_state or "the bench did not close in time; look at the laser")
    if interrupted:
        raise KeyboardInterrupt
    return 0


def _check(run: str | None, settings: Mapping[str, Any], replay: str | Path | None,
           screenshot: str | Path | None) -> None:
    if run is not None:
        values(catalogue.procedure(run), settings)
    if replay is not None:
        if run is not None:
            raise WrongUse("--run and --replay exclude each other: one needs a bench, one shows a run")
        open_run(replay).close()
    if screenshot is not None and not Path(screenshot).absolute().parent.is_dir():
        raise WrongUse(f"--screenshot {screenshot}: there is no folder {Path(screenshot).absolute().parent}")


def _find_display(screenshot: bool) -> None:
    """Qt ends the process where it finds no display; a screenshot needs none."""
    if os.environ.get("QT_QPA_PLATFORM", "").split(":")[0] in _WITHOUT_SCREEN:
        return
    found, reason = display()
    if found:
        return
    if not screenshot:
        raise WrongUse(f"no window can be opened, because {reason}; 'maserbench demo --headless' and "
                       "'maserbench run' need none")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"


def _theme(app: Any, name: str | None) -> Any:
    from twin.quantity import nearest

    from .qt import Qt
    from .theme import DARK, LIGHT, THEMES

    if name is not None and name not in THEMES:
        raise WrongUse(f"theme: {nearest(name, THEMES)}")
    if name is not None:
        return THEMES[name]
    return DARK if app.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT


def _begin(window: Any, run: str | None, settings: Mapping[str, Any], seed: int | None) -> None:
    window.panel.choose(run or "pump_threshold", settings if run else {}, seed)
    if run is not None:
        window.panel.start()


def _loop(app: Any, window: Any, screenshot: Path | None, after: float | None) -> bool:
    """Run Qt until the window is closed; whether a signal asked for that."""
    from .qt import QtCore

    asked: list[int] = []
    names = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {name: signal.signal(name, lambda number, _: asked.append(number)) for name in names}
    look = QtCore.QTimer()
    look.timeout.connect(lambda: window.close() if asked else None)  # Python sees signals only when it runs
    look.start(_LOOK)
    failed: list[OSError] = []
    if screenshot is not None:
        QtCore.QTimer.singleShot(round(1000 * (10.0 if after is None else after)),
                                 lambda: _save(window, screenshot, failed))
    try:
        app.exec()
    finally:
        look.stop()
        for name, handler in before.items():
            signal.signal(name, handler)
    if failed:
        raise failed[0]
    return bool(asked)


def _save(window: Any, file: Path, failed: list[OSError]) -> None:
    if not window.grab().save(str(file)):
        failed.append(OSError(f"the screenshot could not be written to {file}; use a name that ends in .png "
                              "and a folder that can be written to"))
    window.close()


