"""Every command of every device, in any order, with any values: refused or carried out, never a bug of ours.

    pytest -m campaign tests/mock_devices/test_any_settings.py     ten minutes; otherwise some seconds

The commands come from the devices' own tables. No sockets: what is held is that no combination of settings
ends in an internal error (-300), a reply that is none, or more memory than a record can need.
"""

from __future__ import annotations

import random
import time

import pytest

VALUES = ["1e999", "-1e-999", "NAN", "MAX", "MIN", "ON", "OFF", "0", "1", "-1", "2", "3", "5", "1e9",
          "1.45GHZ", "1e-9", "10", "100", "1000", "40e-6", "0.5", "EXT", "IMM", "CHAN1", "CHAN9", "'x'",
          "#15abcde", "#H1F", "WORD", "BYTE", "ASC", "REAL,32", "SING", "TRACE1", "(@1,2)", "99999999", "S11",
          "4,2,1e-6", "RTIM", "SEGM"]
TEXT = {"pump": ["/M_CPU800/18/Power/", "/M_CPU800/18/Frequency divider/", "/MaxiOPG/31/WaveLength/",
                 "STATE", "RUN", "STOP", "QSW", "QDLYO", "TRIG", "TEMP1S", "QSPAR1"],
        "tuner": ["/1 1 move abs", "/1 1 set maxspeed", "/1 1 set limit.max", "/1 1 get pos", "/1 1 stop"]}
TEXT["loop"] = TEXT["tuner"]
INFINIIVISION = (("keysight_infiniium.KeysightInfiniium", "keysight_infiniivision.KeysightInfiniiVision"),
                 ("bits = 10", "bits = 8"), (", log = 3", ""),
                 ("ekspla_nt.EksplaNT", "quantel_qsmart.QSmart"))


def other_models(text: str) -> str:
    """The bench with its second oscilloscope and its second laser."""
    for old, new in INFINIIVISION:
        text = text.replace(old, new)
    return text


def headers(device) -> list[str]:
    return [command.pattern.text.replace("[", "").replace("]", "").split("|")[0]
            for command in getattr(device, "commands", ())]


class Stranger:
    """Sets and asks whatever comes to mind, and turns the clock on where a device waits."""

    def __init__(self, desk, seed: int) -> None:
        self.desk, self.random = desk, random.Random(seed)
        self.headers = {role: headers(wire.device) or TEXT[role] for role, wire in desk.wires.items()}

    def message(self, role: str) -> str:
        draw = self.random
        header = draw.choice(self.headers[role]).replace("<n>", draw.choice(["1", "2", "3", "4", ""]))
        if role in TEXT:
            return header + draw.choice([" ", ""]) + draw.choice(VALUES)
        asks = "?" if draw.random() < 0.4 else ""
        values = "" if draw.random() < 0.2 else " " + ",".join(draw.choices(VALUES, k=draw.randint(1, 3)))
        return header + asks + values

    def does_something(self) -> None:
        """Mostly a message; now and then a shot, whatever the settings have become."""
        if self.random.random() < 0.005:
            self.says("timing", "INHB 0;TSRC 5")
            self.says("timing", "*TRG")
        role = self.random.choice(list(self.headers))
        self.says(role, self.message(role))

    def says(self, role: str, text: str) -> None:
        wire = self.desk.wires[role]
        ends = wire.session.framer._ends[:1]
        for message in wire.session.framer.feed(text.encode() + ends):
            if isinstance(message, Exception):
                wire.device.report(wire.session, message)
            else:
                self.hears(wire.device.execute(wire.session, message))

    def hears(self, steps) -> None:
        for waiting in steps:               # ends by itself with the reply
            self.desk.executor.submit(int).result(60.0)          # the physics is computed
            self.desk.clock.advance(1.0)
            if not waiting.done():
                steps.close()               # it waits for a trigger, or for hours, by right
                return


def strangers_at_work(desk, seed: int, seconds: float, most: int) -> None:
    if "/M_CPU800/18/Power" in getattr(desk.pump.device, "registers", {}):
        desk.prepare()
    stranger, end = Stranger(desk, seed), time.monotonic() + seconds
    for _ in range(most):
        stranger.does_something()
        if time.monotonic() > end:
            return


@pytest.mark.parametrize("models", ["first", "other"])
def test_no_setting_of_any_device_meets_a_bug(desk_of, virtual_text, capfd, models):
    desk = desk_of(other_models(virtual_text) if models == "other" else virtual_text)
    strangers_at_work(desk, 11, 10.0, 20_000)
    desk.close()
    assert "Traceback" not in capfd.readouterr().err      # devices print what they did not expect


@pytest.mark.campaign
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(20))
def test_no_long_history_of_settings_meets_a_bug(desk_of, virtual_text, capfd, seed):
    desk = desk_of(other_models(virtual_text) if seed % 2 else virtual_text)
    strangers_at_work(desk, seed, 30.0, 1_000_000)
    desk.close()
    assert "Traceback" not in capfd.readouterr().err


def test_a_record_of_minutes_around_a_standing_tone_needs_no_more_than_itself(desk):
    desk.prepare()
    desk.microwave.send(":FREQ 1.4495e9;:POW -20;:OUTP ON")
    desk.digitiser.send(":ACQ:POIN 1000;:TIM:RANG 200;POS -100")
    assert {len(words) for words in desk.shot().values()} == {1000}


def test_a_record_that_begins_long_after_the_burst_is_dark_and_can_be_measured(desk):
    desk.prepare()
    desk.microwave.send(":FREQ 1.4495e9;:POW -20;:OUTP ON")
    desk.digitiser.send(":ACQ:POIN 1000;:TIM:RANG 40e-6;POS 1e-3")
    assert {len(words) for words in desk.shot().values()} == {1000}
    assert abs(float(desk.digitiser.ask(":MEAS:VTOP? CHAN1"))) < 1.0


def test_markers_keep_to_the_trace_whose_points_were_set_anew(desk):
    desk.analyser.send("INIT:CONT OFF;:SWE:POIN 501;:INIT")
    desk.clock.advance(10.0)
    desk.analyser.send("CALC:MARK1:MAX;:SWE:POIN 101")
    for points in (101, 1001):
        desk.analyser.send(f"SWE:POIN {points};:CALC:MARK1:MAX")
        assert -200.0 < float(desk.analyser.ask("CALC:MARK1:Y?")) < 0.0
        assert "No error" in desk.analyser.ask("SYST:ERR?")
