"""A run on disk goes through the same plots as a live one."""

from dataclasses import replace

import numpy as np
import pytest

from gui import theme
from gui.bench_window import BenchWindow
from gui.stored_run import StoredRun


@pytest.fixture
def replayed(app, stored_run, wait):
    source = StoredRun(stored_run)
    window = BenchWindow(source, theme.LIGHT, "virtual")
    window.show()
    source.replay()
    wait(lambda: window.banner.text != "")
    yield window
    window.close()
    assert source.close()


def test_a_stored_run_is_shown_with_its_fits_and_its_end(replayed, stored_run, answers, wait):
    table = replayed.table.shots
    assert table.rowCount() == 4
    assert [table.fit(i).verdict for i in range(4)] == [answer.row.verdict for answer in answers]
    assert "threshold energy 44 µJ" in replayed.banner.text
    assert replayed.status.path.text() == str(stored_run)
    wait(lambda: "Shot 3" in replayed.plot._title.text())
    assert replayed.plot.badge.text == "SIMULATED"


def test_the_twins_line_of_a_stored_shot_is_the_one_of_the_live_fit(replayed, answers, wait):
    replayed.table.selectRow(2)
    wait(lambda: replayed.plot.picture is not None and replayed.plot.picture.number == 2)
    picture, live = replayed.plot.picture, answers[2]
    assert np.array_equal(picture.y, live.data_volts)
    assert np.allclose(picture.model, live.model_volts, rtol=0.0, atol=1e-3 * live.sigma.max())


def test_a_replay_offers_no_run(replayed):
    assert not replayed.can_run and not replayed.panel.isVisible()


def test_a_run_that_is_not_there_is_told_before_a_window_is_opened(tmp_path):
    with pytest.raises(FileNotFoundError, match="no run"):
        StoredRun(tmp_path / "nothing")


def test_a_burst_that_a_source_feeds_is_shown_without_a_line_of_the_twin(app, store, shots, wait):
    source = StoredRun(store([replace(shots[0], settings={"microwave.output": 1.0})], []))
    source.want(0)
    wait(lambda: source.gallery.picture(0) is not None)
    picture = source.gallery.picture(0)
    assert picture.model is None and picture.row is None
    assert 0 < len(picture.y) < len(shots[0].waveform)   # its envelope
    assert source.close()
