"""The raw data of a run: what was acknowledged is there, bit by bit, whatever happened to the writer."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from instruments.waveform import Waveform
from procedures import Origin, Shot
from procedures.machinery.apparatus.bench import bench_file
from procedures.machinery.storage import store_block_writer
from procedures.machinery.storage.run_folder import RunFolder
from procedures.machinery.storage.store import StoreWriter, block_path, open_store
from procedures.machinery.storage.store_block import Channel, Layout
from twin.bench_description import parse

FINITE = st.floats(-1e6, 1e6, allow_nan=False)


def waveform(codes, channel="CHAN1", **axis):
    axes = {"scale": 1e-3, "offset": 0.1, "start": -2e-6, "interval": 2e-9} | axis
    return Waveform(codes=np.asarray(codes, np.int16), channel=channel, bits=10, **axes)


def shot(number, codes, settings=None, **fields):
    return Shot(number, "2026-11-22T20:00:00.000000Z", settings or {}, {"burst": waveform(codes)},
                Origin.SIMULATED, **fields)


def stored(path, shots, layout):
    writer = StoreWriter(path, layout, {"note": "made by a test"})
    for one in shots:
        writer.append(one)
    writer.close()
    return open_store(path)


@settings(deadline=None, max_examples=25)
@given(records=st.lists(arrays.arrays(np.int16, 64), min_size=1, max_size=4), start=FINITE, energy=FINITE,
       delay=FINITE, scale=st.floats(1e-9, 1.0), offset=FINITE, origin=st.sampled_from(Origin))
def test_a_shot_comes_back_as_it_was_stored(tmp_path_factory, records, start, energy, delay, scale, offset,
                                            origin):
    layout = Layout({"burst": Channel(64, "CHAN3", 12)}, {"spectrum": 5}, ("timing.q_switch_delay",))
    spectrum = np.linspace(offset, offset + scale, 5)
    shots = [Shot(i, "2026-11-22T20:00:00.123456Z", {"timing.q_switch_delay": delay},
                  {"burst": Waveform(record, scale, offset, -1e-6, 2e-9, "CHAN3", 12)}, origin,
                  {"spectrum": spectrum}, start, energy) for i, record in enumerate(records)]
    back = stored(tmp_path_factory.mktemp("store") / "shots.h5", shots, layout)
    for wrote, read in zip(shots, back, strict=True):
        assert np.array_equal(read.waveform.codes, wrote.waveform.codes)
        assert read.waveform.codes.dtype == np.int16
        for name in ("scale", "offset", "start", "interval", "channel", "bits"):
            assert getattr(read.waveform, name) == getattr(wrote.waveform, name)
        assert np.array_equal(read.traces["spectrum"], spectrum)
        assert (read.number, read.moment, read.origin) == (wrote.number, wrote.moment, origin)
        assert (read.start, read.energy, dict(read.settings)) == (start, energy, dict(wrote.settings))
    back.close()


def test_a_slice_and_a_negative_index_give_the_shots_they_name(tmp_path):
    layout = Layout({"burst": Channel(8, "CHAN1", 10)}, {}, ())
    back = stored(tmp_path / "s.h5", [shot(i, np.full(8, i)) for i in range(5)], layout)
    assert back[-1].number == 4
    assert [s.number for s in back[1:4]] == [1, 2, 3]
    with pytest.raises(IndexError, match="5 shots"):
        back[5]


def test_a_shot_of_another_length_is_refused_and_leaves_the_run_readable(tmp_path):
    writer = StoreWriter(tmp_path / "s.h5", Layout({"burst": Channel(8, "CHAN1", 10)}, {}, ()), {})
    writer.append(shot(0, np.arange(8)))
    with pytest.raises(ValueError, match="records of"):
        writer.append(shot(1, np.arange(9)))
    with pytest.raises(ValueError, match="next one is number 1"):
        writer.append(shot(5, np.arange(8)))
    writer.append(shot(1, np.arange(8)))
    writer.close()
    assert len(open_store(tmp_path / "s.h5")) == 2


def lengths(back):
    return [len(shot.waveform.codes) for shot in back]


def test_records_of_another_length_that_were_announced_begin_a_block_of_their_own(tmp_path):
    one, other = (Layout({"burst": Channel(points, "CHAN1", 10)}, {}, ("a.b",)) for points in (8, 12))
    writer = StoreWriter(tmp_path / "shots.h5", one, {"x": 1})
    back, wrote = open_store(tmp_path / "shots.h5"), []
    for layout in (other, other, one, other):  # the first block stays empty
        writer.expect(layout)
        wrote.append(shot(len(wrote), np.arange(layout.waveforms["burst"].points), {"a.b": float(len(wrote))},
                          energy=0.1 * len(wrote)))
        writer.append(wrote[-1])
        assert len(back) == len(wrote)  # who reads while it grows
    assert [writer.read(number).settings["a.b"] for number in (3, 0, 2)] == [3.0, 0.0, 2.0]
    writer.close()
    assert {file.name for file in tmp_path.iterdir()} == {"shots.h5", "shots-0001.h5", "shots-0002.h5",
                                                          "shots-0003.h5"}
    for found in (back, open_store(tmp_path / "shots.h5")):
        assert lengths(found) == [12, 12, 8, 12] and found.snapshot() == {"x": 1}
        assert [found.layout(number) for number in range(4)] == [other, other, one, other]
        assert found.scalars([3, 0, 2])["energy"].tolist() == [0.1 * 3, 0.0, 0.1 * 2]
        volts, axes = found.volts("burst", [2, 3])
        assert np.array_equal(volts[1], wrote[3].waveform.volts) and np.array_equal(axes[0], axes[1])
        assert np.array_equal(volts[0, :8], wrote[2].waveform.volts) and np.all(np.isnan(volts[0, 8:]))
        found.close()


@pytest.mark.parametrize("points, blocks", [(64, 4), (250, 10)])
def test_a_block_ends_before_its_index_no_longer_fits_into_a_page(tmp_path, monkeypatch, points, blocks):
    monkeypatch.setattr(store_block_writer, "FULL", 6)
    monkeypatch.setattr(store_block_writer, "_CHUNK_SAMPLES", 100)  # a long record takes three entries
    file, record = tmp_path / "shots.h5", np.arange(points)
    layout = Layout({"burst": Channel(points, "CHAN1", 10)}, {}, ())
    with closing(stored(file, [shot(number, record + number) for number in range(20)], layout)) as back:
        assert sum(1 for _ in tmp_path.iterdir()) == blocks
        assert [one.waveform.codes[0] for one in back] == list(range(20))
        assert [one.number for one in back[4:9]] == [4, 5, 6, 7, 8]


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="room cannot be reserved here")
def test_a_block_for_which_there_is_no_room_costs_none_of_the_shots_before_it(tmp_path, monkeypatch):
    one, other = (Layout({"burst": Channel(points, "CHAN1", 10)}, {}, ()) for points in (8, 12))
    writer = StoreWriter(tmp_path / "shots.h5", one, {})
    writer.append(shot(0, np.arange(8)))
    with monkeypatch.context() as full:
        full.setattr(os, "posix_fallocate", lambda *_: os.close(-1))  # which fails as a full disk would
        writer.expect(other)
        with pytest.raises(OSError, match=r"shots-0001\.h5"):
            writer.append(shot(1, np.arange(12)))
    assert writer.read(0).waveform.codes[7] == 7
    writer.append(shot(1, np.arange(12)))  # there is room again
    writer.close()
    with closing(open_store(tmp_path / "shots.h5")) as back:
        assert lengths(back) == [8, 12]


@pytest.mark.parametrize("left", [b"", b"\x89HDF\r\n\x1a\n\x03\x08\x08\x01"])
def test_a_block_that_its_writer_had_only_begun_is_not_there_and_a_damaged_one_is_named(tmp_path, left):
    file = tmp_path / "shots.h5"
    stored(file, [shot(i, np.arange(8)) for i in range(3)], Layout({"burst": Channel(8, "C", 10)}, {}, ()))
    block_path(file, 1).write_bytes(left)
    with closing(open_store(file)) as back:
        assert len(back) == 3
        block_path(file, 1).write_bytes(bytes(4096))
        with pytest.raises(ValueError, match=r"shots-0001.h5 is damaged .* 3 shots before it can be read"):
            len(back)
        block_path(file, 1).unlink()
        assert back[2].number == 2


def test_a_file_that_was_closed_properly_opens_in_any_hdf5_program(tmp_path):
    layout = Layout({"burst": Channel(8, "CHAN1", 10)}, {}, ())
    stored(tmp_path / "s.h5", [shot(0, np.arange(8))], layout).close()
    with h5py.File(tmp_path / "s.h5") as f:
        assert f["waveforms/burst/codes"].dtype == np.int16
        assert f["waveforms/burst/codes"].chunks == (1, 8)
        assert f["waveforms/burst/codes"].fletcher32


WRITER = """
import sys, numpy as np
from pathlib import Path
from instruments.waveform import Waveform
from procedures import Origin, Shot
from procedures.machinery.storage.store_block import Channel, Layout
from procedures.machinery.storage.store import StoreWriter
def layout(points):
    return Layout({"burst": Channel(points, "CHAN1", 10)}, {}, ("a.b",))
writer = StoreWriter(Path(sys.argv[1]), layout(20000), {"x": 1})
number = 0
while True:
    points = 20000 + 2 * (number // 7 % 2)
    writer.expect(layout(points))
    codes = np.random.default_rng(number).integers(-512, 512, points).astype(np.int16)
    wave = Waveform(codes, 1e-3, 0.0, 0.0, 2e-9, "CHAN1", 10)
    writer.append(Shot(number, "now", {"a.b": float(number)}, {"burst": wave}, Origin.SIMULATED))
    print(number, flush=True)
    number += 1
"""


def written(number):
    return np.random.default_rng(number).integers(-512, 512, 20000 + 2 * (number // 7 % 2)).astype(np.int16)


def writing(file):
    """A process that appends shots for ever, of another length after each seven, and says the number of each
    when it is acknowledged."""
    return subprocess.Popen([sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX way to die")
def test_every_acknowledged_shot_survives_kill_9(tmp_path):
    rng = random.Random(4)
    for round_number in range(4):
        file = tmp_path / f"{round_number}.h5"
        with writing(file) as writer:
            writer.stdout.readline()  # the first shot is acknowledged
            time.sleep(rng.uniform(0.02, 0.6))
            writer.send_signal(signal.SIGKILL)
            said = writer.stdout.read().split("\n")
        acknowledged = int([line for line in said if line.strip().isdigit()][-2]) if len(said) > 2 else 0
        back = open_store(file)
        assert len(back) > acknowledged
        assert back.snapshot() == {"x": 1}
        for number in {0, acknowledged // 2, acknowledged, len(back) - 1}:
            assert np.array_equal(back[number].waveform.codes, written(number))
            assert back[number].settings == {"a.b": float(number)}
        back.close()


def test_a_reader_follows_a_writer_that_still_writes(tmp_path):
    file = tmp_path / "live.h5"
    with writing(file) as writer:
        writer.stdout.readline()
        back = open_store(file)
        before = len(back)
        for _ in range(20):
            writer.stdout.readline()
        after = len(back)
        last = back[after - 1]
        writer.kill()
    assert after >= 21 and after > before      # 21 were acknowledged; the writer may be ahead of its words
    assert np.array_equal(last.waveform.codes, written(after - 1))
    back.close()


@pytest.mark.parametrize(("wish", "times"), [("fsync = true", 3), ("", 0)])
def test_a_bench_file_may_ask_that_every_shot_is_written_through(tmp_path, monkeypatch, wish, times):
    bench = parse(wish + "\n" + bench_file("virtual").read_text("utf-8"), "virtual.toml")
    synced, really = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(handle), really(handle)))
    folder = RunFolder(tmp_path, "single_shot", fsync=bench.fsync)
    folder.start_store(Layout({"burst": Channel(64, "CHAN1", 10)}, {}, ()), {})
    for number in range(3):
        folder.append(shot(number, np.arange(64)))
    folder.close()
    assert len(synced) == times



BEGINNING = """
import os, signal, sys
from pathlib import Path
from procedures.machinery.storage import store_block_writer
from procedures.machinery.storage import store
from procedures.machinery.storage.store_block import Channel, Layout

def killed_at(name):
    real = getattr(store_block_writer.BlockWriter, name)
    def until_then(self, *given):
        if sys.argv[2] == "after":
            real(self, *given)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(store_block_writer.BlockWriter, name, until_then)

killed_at(sys.argv[3])
store.StoreWriter(Path(sys.argv[1]), Layout({"burst": Channel(64, "CHAN1", 10)}, {}, ()), {})
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["_make_room", "_create"])
def test_a_writer_that_was_killed_before_its_first_shot_leaves_a_run_without_shots(tmp_path, step, when):
    file = tmp_path / "shots.h5"
    done = subprocess.run([sys.executable, "-c", BEGINNING, str(file), when, step])
    assert done.returncode == -signal.SIGKILL and file.is_file()
    assert open_store(file) is None
    file.write_bytes(b"")
    assert open_store(file) is None
    file.write_bytes(bytes(4096))
    with pytest.raises(ValueError, match="damaged"):
        open_store(file)


@pytest.mark.campaign
@pytest.mark.skipif(shutil.which("strace") is None, reason="this machine has no strace")
@pytest.mark.timeout(300)
def test_no_write_goes_over_old_bytes_across_a_page_where_a_kill_could_tear_it():
    script = Path(__file__).resolve().parents[1] / "benchmarks" / "page_crossings.py"
    done = subprocess.run([sys.executable, script, "4500", "64"], capture_output=True, text=True, check=True)
    print(done.stdout)
    assert " 0 of them over old bytes" in done.stdout
