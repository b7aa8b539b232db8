"""SRS DG645 delay generator: the one that fires. Wiring: AB lamp, CD Q-switch, EF digitiser, GH gate."""

from __future__ import annotations

from typing import Any, ClassVar

from .scpi import ScpiError
from .scpi_device import Command, Request, ScpiDevice, action, query, setting
from .scpi_values import Integer, Number
from .srs_dg645_steps import (
    AMPLITUDE,
    COMMANDS,
    COUNT,
    DELAY,
    EDGE,
    HOLDOFF,
    LEVEL,
    OFFSET,
    OUTPUT,
    PERIOD,
    PHASE,
    PRESCALE,
    RATE,
    SIZES,
)
from .srs_errors import next_error
from .virtual_cavity import Edges, VirtualCavity

INTERNAL, SINGLE_SHOT = 0, 5
FASTEST = 50.0  # [Hz] a faster internal trigger is slowed down to it; no pump laser follows anyway
NAMES = ("T0", "T1", "A", "B", "C", "D", "E", "F", "G", "H")
_TRIGGERED, _END_OF_DELAY, _INHIBITED = 1, 4, 16


def _keyed(header: str, name: str, kind: Any, value_kind: Any) -> tuple[Command, Command]:
    """`NAME i,v` and `NAME? i`: one value per output or channel."""

    def put(self: SrsDG645, request: Request) -> None:
        index, value = request.values
        self.settings[f"{name}{index}"] = value

    def get(self: SrsDG645, request: Request) -> str:
        return value_kind.show(self.settings[f"{name}{request.values[0]}"])

    return action(header, put, kind, value_kind), query(header, get, kind)


class SrsDG645(ScpiDevice):
    """Delays relative to other channels, inhibit, single shots by *TRG. Errors are asked by LERR?."""

    identity: ClassVar = "Stanford Research Systems,DG645,s/nSIMULATED-001,ver1.14.10E"
    reply_end: ClassVar = b"\r\n"
    message_ends: ClassVar = b"\r\n"
    fused_headers: ClassVar = True
    commands: ClassVar = (
        setting("TSRC", "trigger_source", Integer(0, 6), SINGLE_SHOT),
        setting("TRAT", "trigger_rate", RATE, 1000.0),
        setting("TLVL", "trigger_level", LEVEL, 1.0),
        setting("HOLD", "holdoff", HOLDOFF, 0.0),
        setting("INHB", "inhibit", Integer(0, 5), 0),
        setting("ADVT", "advanced", Integer(0, 1), 0),
        setting("BURM", "burst_mode", Integer(0, 1), 0),
        setting("BURC", "burst_count", COUNT, 5),
        setting("BURP", "burst_period", PERIOD, 1e-3),
        setting("BURD", "burst_delay", DELAY, 0.0),
        setting("BURT", "burst_t0", Integer(0, 1), 0),
        setting("INSE", "instrument_enable", Integer(0, 255), 0),
        *_keyed("PRES", "prescale", OUTPUT, PRESCALE),
        *_keyed("PHAS", "phase", OUTPUT, PHASE),
        *_keyed("LAMP", "amplitude", OUTPUT, AMPLITUDE),
        *_keyed("LOFF", "offset", OUTPUT, OFFSET),
        *_keyed("LPOL", "polarity", OUTPUT, Integer(0, 1)),
        *COMMANDS,
        setting("SHDP", "display_on", Integer(0, 1), 1),
        action("DISP", lambda self, request: self.show_page(*request.values), Integer(0, 14), EDGE),
        query("DISP", lambda self, request: self.settings["page"]),
        action("DLAY", lambda self, request: self.set_delay(*request.values), EDGE, EDGE,
               Number("", -2000.0, 2000.0)),
        query("DLAY", lambda self, request: self.show_delay(request.values[0]), EDGE),
        action("LINK", lambda self, request: self.link(*request.values), EDGE, EDGE),
        query("LINK", lambda self, request: str(self.delays[request.values[0]][0]), EDGE),
        action("*TRG", lambda self, request: self.trigger()),
        action("*SAV", lambda self, request: self.save(request.values[0]), Integer(1, 9)),
        action("*RCL", lambda self, request: self.recall(request.values[0]), Integer(0, 9)),
        query("LERR", lambda self, request: next_error(request.session)),
        query("INSR", lambda self, request: self.read_events()),
        query("TIMB", lambda self, request: "3" if self.reference else "0"),
        query("EMAC", lambda self, request: "00-19-B3-02-00-01"),
        query("LOCK", lambda self, request: "1"),
        query("UNLK", lambda self, request: "1"),
        setting("*PSC", "power_on_clear", Integer(0, 1), 1),
        query("*CAL", lambda self, request: "0"),
        action("LCAL", lambda self, request: None),
        action("REMT", lambda self, request: None),
    )

    def __init__(self, cavity: VirtualCavity) -> None:
        self.cavity = cavity
        self.reference = cavity.world.shared_reference  # 10 MHz at the rear
        self.delays: dict[int, tuple[int, float]] = {}
        self.events = self._beat = 0
        self._saved: dict[int, tuple[dict[str, Any], dict[int, tuple[int, float]]]] = {}
        super().__init__()

    def restore(self) -> None:
        super().restore()
        self.settings |= SIZES | {"page": "11,2"}
        for index in range(5):
            self.settings |= {f"prescale{index}": 1, f"phase{index}": 0, f"amplitude{index}": 2.5,
                              f"offset{index}": 0.0, f"polarity{index}": 1}
        self.delays = {channel: (0, 0.0) for channel in range(2, 10)} | {
            3: (2, 1e-8), 5: (4, 1e-8), 7: (6, 1e-8), 9: (8, 1e-8)}
        self.changed("trigger_source")

    def changed(self, name: str) -> None:
        self.cavity.inhibit = self.settings["inhibit"]
        if name in ("trigger_source", "trigger_rate"):
            self._beat += 1
            self._wait_for_beat(self._beat)

    def _wait_for_beat(self, beat: int) -> None:
        """The internal trigger; the external ones stay silent, as nothing is wired to that input."""
        if self.settings["trigger_source"] != INTERNAL:
            return

        def act() -> None:
            if beat == self._beat and self.settings["trigger_source"] == INTERNAL:
                self._cycle()
                self._wait_for_beat(beat)

        self.cavity.clock.later(1.0 / min(self.settings["trigger_rate"], FASTEST), act)

    def show_page(self, page: int, channel: int) -> None:
        """DISP: which page of which channel the display shows."""
        self.settings["page"] = f"{page},{channel}"

    # --- delays ----------------------------------------------------------------------------------

    def set_delay(self, channel: int, reference: int, delay: float) -> None:
        """Edge `channel` comes `delay` [s] after edge `reference`; refused if it would come before T0."""
        self._put(channel, reference, delay)

    def link(self, channel: int, reference: int) -> None:
        """Changes what a delay counts from, keeping the number."""
        self._put(channel, reference, self.delays.get(channel, (0, 0.0))[1])

    def _put(self, channel: int, reference: int, delay: float) -> None:
        if channel < 2 or reference == 1 or channel == reference:
            raise ScpiError(-300, f"{NAMES[channel]} cannot be linked to {NAMES[reference]}")
        before = self.delays[channel]
        self.delays[channel] = (reference, delay)
        try:
            if not all(0.0 <= self.edge(c) <= 2000.0 for c in range(2, 10)):
                raise ScpiError(-221, f"{NAMES[channel]} would leave 0 .. 2000 s after T0")
        except ScpiError:
            self.delays[channel] = before
            raise

    def show_delay(self, channel: int) -> str:
        """`reference,+seconds`."""
        reference, delay = self.delays.get(channel, (0, 0.0))
        return f"{reference},{delay:+.12f}"

    def edge(self, channel: int) -> float:
        """Time of an edge after T0 [s]; ScpiError for a circle of links."""
        total, seen = 0.0, {channel}
        while channel > 1:
            channel, delay = self.delays[channel]
            total += delay
            if channel in seen and channel > 1:
                raise ScpiError(-300, "links go round in a circle")
            seen.add(channel)
        return round(total, 12)

    # --- firing ----------------------------------------------------------------------------------

    def trigger(self) -> None:
        """*TRG: one delay cycle in single-shot mode; refused in the others."""
        if self.settings["trigger_source"] != SINGLE_SHOT:
            raise ScpiError(-213, "*TRG fires in single-shot mode, TSRC 5")
        self._cycle()

    def _cycle(self) -> None:
        inhibit = self.settings["inhibit"]
        self.events |= _INHIBITED if inhibit else 0
        if inhibit == 1:
            return
        self.events |= _TRIGGERED | _END_OF_DELAY
        self.cavity.trigger(Edges(lamp=self._if(inhibit < 2, 2), q_switch=self._if(inhibit < 3, 4),
                                  digitiser=self._if(inhibit < 4, 6), gate=self._if(inhibit < 5, 8),
                                  gate_end=self._if(inhibit < 5, 9)))

    def _if(self, enabled: bool, channel: int) -> float | None:
        return self.edge(channel) if enabled else None

    def read_events(self) -> str:
        """INSR?: what happened since it was last asked."""
        value, self.events = self.events, 0
        return str(value)

    def save(self, place: int) -> None:
        """*SAV."""
        self._saved[place] = (dict(self.settings), dict(self.delays))

    def recall(self, place: int) -> None:
        """*RCL; place 0 is the factory's."""
        if place == 0:
            self.restore()
            return
        if place not in self._saved:
            raise ScpiError(-222, f"nothing is saved in {place}")
        settings, delays = self._saved[place]
        self.settings, self.delays = dict(settings), dict(delays)
        self.changed("trigger_source")
