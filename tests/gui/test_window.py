"""The window during a run: form, stop, table, messages, closing."""

import time

import numpy as np
import pytest

from gui.event_source import light
from gui.picture import ROOM
from gui.qt import Qt, QtCore, QtGui, QtWidgets
from gui.theme import LIGHT
from procedures.machinery.records import events


def press(widget, key, modifier=Qt.KeyboardModifier.NoModifier):
    """A key as the window system sends it, shortcuts included."""
    app = QtWidgets.QApplication.instance()
    kinds = QtCore.QEvent.Type
    for kind in (kinds.ShortcutOverride, kinds.KeyPress, kinds.KeyRelease):
        app.postEvent(widget, QtGui.QKeyEvent(kind, key, modifier))
    app.processEvents()


def click(table, row):
    """A left click on a row's middle."""
    spot = QtCore.QPointF(table.visualRect(table.shots.index(row, 0)).center())
    for kind in (QtCore.QEvent.Type.MouseButtonPress, QtCore.QEvent.Type.MouseButtonRelease):
        event = QtGui.QMouseEvent(kind, spot, table.viewport().mapToGlobal(spot), Qt.MouseButton.LeftButton,
                                  Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        QtWidgets.QApplication.sendEvent(table.viewport(), event)


def ran(found, wait):
    found.window.panel.start()
    wait(lambda: not found.source.busy)
    return found.window


def cell(window, row, column):
    return window.table.shots.index(row, column).data()


def test_a_run_fills_plot_table_and_report(opened, wait, shots):
    window = ran(opened(), wait)
    assert window.table.shots.rowCount() == len(shots)
    wait(lambda: window.plot.picture is not None and window.plot.picture.number == 3)
    assert cell(window, 0, 2) == "NO_BURST" and cell(window, 3, 2) == "OK"
    assert window.report._verdict.text() == "OK"
    assert window.banner.text.startswith("Finished.")
    assert "laser off, shutter closed, RF off" in window.bench_panel.state_text
    assert window.panel.bar.value() == window.panel.bar.maximum() == 4


def test_a_fitted_value_stands_with_the_digit_of_its_uncertainty(opened, wait, answers):
    window = ran(opened(), wait)
    row = answers[3].row
    value, _, digits = cell(window, 3, 3).rstrip(")").partition("(")
    last = 10.0 ** -len(value.partition(".")[2])
    assert float(value) == pytest.approx(row.parameters["collective_coupling"] / 1e6, abs=0.51 * last)
    assert float(digits) * last == pytest.approx(row.sigma["collective_coupling"] / 1e6, abs=0.51 * last)


def test_a_click_on_a_row_shows_that_shot_and_ends_the_following(opened, wait):
    window = ran(opened(), wait)
    click(window.table, 1)
    wait(lambda: "Shot 1" in window.plot._title.text())
    assert not window.follow.isChecked()
    window.follow.setChecked(True)
    wait(lambda: "Shot 3" in window.plot._title.text())


def test_a_clicked_shot_stays_on_screen_while_the_run_goes_on(opened, wait):
    found = opened(pause=0.02, repeat=10)
    found.window.panel.start()
    wait(lambda: found.window.table.shots.rowCount() > 3)
    click(found.window.table, 1)
    wait(lambda: not found.source.busy)
    assert found.window.table.shots.rowCount() == 40
    assert found.window.plot.picture.number == 1 and found.window.table.selected() == 1


@pytest.mark.parametrize("how", ["button", "F12", "Esc Esc"])
def test_stop_safe_reaches_the_run_within_a_fifth_of_a_second(opened, wait, how):
    found = opened(pause=60.0)
    found.window.activateWindow()
    found.window.panel.start()
    wait(lambda: found.window.plot._hint.text.startswith("Waiting"))
    assert found.window.panel.stop_button.isEnabled() and not found.window.panel.run_button.isEnabled()
    began = time.monotonic()
    if how == "button":
        found.window.panel.stop_button.click()
    else:
        field = found.window.panel.stop_button if how == "F12" else found.window
        for _ in range(1 if how == "F12" else 2):
            press(field, Qt.Key.Key_F12 if how == "F12" else Qt.Key.Key_Escape)
    wait(lambda: found.script.stopped_at is not None)
    assert found.script.stopped_at - began < 0.2
    wait(lambda: not found.source.busy)
    assert found.window.banner.text.startswith("Stopped.")
    assert found.window.panel.run_button.isEnabled()


def test_one_escape_stops_nothing(opened, wait, app):
    found = opened(pause=60.0)
    found.window.panel.start()
    wait(lambda: found.window.plot._hint.text.startswith("Waiting"))
    press(found.window, Qt.Key.Key_Escape)
    assert not found.source.stopping


def test_stop_safe_without_a_run_makes_the_bench_safe(opened, wait):
    found = opened()
    found.window.panel.stop_button.click()
    wait(lambda: not found.source.busy)
    assert found.script.made_safe == 1 and found.script.asked == []
    assert found.window.bench_panel.state_text.startswith("safe, read back")


@pytest.mark.parametrize(("field", "text", "words"), [
    ("pump_energy_stop", "5 bananas", ["pump_energy_stop", "bananas", "J"]),
    ("shots", "2.5", ["shots", "whole"]), ("shots", "0", ["shots", "range"]),
    ("repetition_rate", "", ["repetition_rate"])])
def test_bad_text_is_explained_and_runs_nothing(opened, app, field, text, words):
    found = opened()
    found.window.panel.choose("pump_threshold", {})
    found.window.panel.fields[field].set_text(text)
    found.window.panel.start()
    app.processEvents()
    for word in words:
        assert word in found.window.banner.text
    assert "Traceback" not in found.window.banner.text and "\n" not in found.window.banner.text
    assert not found.source.busy and found.script.asked == []
    assert not found.window.panel.fields[field]._problem.isHidden()


def test_text_with_units_is_handed_on_and_tidied(opened, wait):
    found = opened()
    panel = found.window.panel
    panel.choose("pump_threshold", {"shots": 12, "pump_energy_stop": "2mJ"}, seed=7)
    panel.fields["pump_energy_start"].set_text("0.06e-3")
    panel.fields["pump_energy_start"]._editor.editingFinished.emit()
    assert panel.fields["pump_energy_start"].text == "60 µJ"
    ran(found, wait)
    procedure, settings, seed = found.script.asked[0]
    assert (procedure, seed) == ("pump_threshold", 7)
    wanted = {"shots": "12", "pump_energy_stop": "2mJ", "pump_energy_start": "60 µJ"}
    assert {name: settings[name] for name in wanted} == wanted


def test_every_procedure_has_a_form_with_its_own_settings(opened):
    from procedures import catalogue

    panel = opened().window.panel
    for name in catalogue.names():
        panel.choose(name, {})
        assert list(panel.fields) == [setting.name for setting in catalogue.settings(name)]
        assert not any(field.problem() for field in panel.fields.values())
        for field in panel.fields.values():
            assert field.setting.meaning in field._editor.toolTip()


def test_a_failure_is_one_paragraph_in_the_window(opened, wait):
    found = opened()

    def fail(*_):
        raise OSError(28, "No space left on device", "/data/runs")

    found.script.conduct = fail
    window = ran(found, wait)
    assert window.banner.text == "/data/runs: No space left on device"
    assert window.banner.property("severity") == "error" and window.panel.run_button.isEnabled()


def test_an_unknown_state_is_said_loudly_and_remembered(opened, wait):
    from procedures.machinery.records.failures import StateUnknown

    found = opened()

    def lose(procedure, settings, seed, publish, should_stop):
        publish(events.SafeState(False, "unknown", "closed", "off", "pump: unknown, no answer"))
        raise StateUnknown("STATE UNKNOWN, use the emergency stop: pump does not answer")

    found.script.conduct = lose
    window = ran(found, wait)
    assert "emergency stop" in window.bench_panel.state_text and "pump" in window.unknown_state
    window.stop_safe()
    wait(lambda: not found.source.busy)
    assert window.unknown_state == ""


def test_closing_during_a_run_stops_it_safely_first(opened, wait):
    found = opened(pause=60.0)
    found.window.panel.start()
    wait(lambda: found.window.plot._hint.text.startswith("Waiting"))
    found.window.close()
    assert found.window.isVisible()
    wait(lambda: not found.window.isVisible())
    assert found.script.stopped_at is not None and not found.source.busy


def test_a_slow_window_loses_frames_but_no_shot(opened, wait):
    found = opened(repeat=150)
    found.window.panel.start()
    time.sleep(1.0)  # the window does nothing at all while 600 shots arrive
    wait(lambda: not found.source.busy)
    window = found.window
    assert window.table.shots.rowCount() == 600
    assert all(cell(window, row, 2) not in ("", "…") for row in range(600))
    assert len(found.source.gallery._held) == ROOM
    assert window.plot.repaints < 200


def test_events_that_wait_carry_no_records(shots, answers):
    assert not light(events.ShotStored(shots[0])).shot.waveforms
    waiting = light(answers[3])
    assert waiting.row.model_volts is None and not waiting.data_volts.size


def test_a_second_run_begins_with_an_empty_table(opened, wait):
    found = opened()
    ran(found, wait)
    window = ran(found, wait)
    assert window.table.shots.rowCount() == 4 and len(found.script.asked) == 2


def test_the_whole_window_changes_its_theme(opened, wait):
    from gui.theme import DARK

    window = ran(opened(), wait)
    try:
        window.set_theme(DARK)
        ground = window.grab().toImage().pixelColor(4, window.height() // 2).name()
        assert np.allclose([int(ground[i:i + 2], 16) for i in (1, 3, 5)],
                           [int(DARK.window[i:i + 2], 16) for i in (1, 3, 5)], atol=8)
    finally:
        window.set_theme(LIGHT)
