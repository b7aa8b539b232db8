"""Driver of the SRS DG645 digital delay generator: the clock of a shot.

Wiring of the bench: AB triggers the lamp, CD the Q-switch, EF the digitiser, GH gates the microwave.
The laser's pulse energy follows from the delay of C after A. Commands: SRS DG645 user manual, "Remote
programming"; the error texts are those of its list of error codes.

It cannot say whether a pulse left a connector, and while inhibited it still counts triggers.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pymeasure.instruments import Instrument, SCPIMixin
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from .errors import Refused
from .scpi_instrument import SWITCH, Guarded, GuardedChannel
from .srs_errors import NumberedErrors

RESOLUTION = 1e-11          # [s] tolerance of a delay read back; the instrument steps by 5 ps
LONGEST_DELAY = 2000.0      # [s]
PULSE_WIDTH = 10e-6         # [s] of the pulses sent to lamp, Q-switch and digitiser
ALL_INHIBITED = "AB CD EF GH"
LATE_TRIGGER = 0b10         # bit RATE of the status: a trigger came while a cycle was in progress

ERRORS = {
    10: "illegal value", 11: "illegal mode", 12: "illegal delay", 13: "illegal link", 14: "recall failed",
    15: "not allowed", 16: "failed self test", 17: "failed auto calibration", 30: "lost data",
    32: "no listener", 110: "illegal command", 111: "undefined command", 112: "illegal query",
    113: "illegal set", 114: "missing parameters", 115: "extra parameters", 116: "null parameters",
    117: "parameter buffer overflow", 118: "bad floating-point number", 119: "bad integer",
    120: "bad integer token", 121: "bad token value", 122: "bad hex block", 123: "unknown token",
    170: "communication error", 171: "over run", 254: "too many errors",
}
EDGES = ("T0", "T1", "A", "B", "C", "D", "E", "F", "G", "H")


class Edge(GuardedChannel):
    """One edge (T0, T1, A to H) of the delay generator, numbered 0 to 9."""

    delay = Instrument.control(
        "DLAY?{ch}", "DLAY {ch},%d,%.12f",
        """Control the delay as (number of the edge it counts from, seconds).""",
        get_process_list=lambda found: (int(found[0]), found[1]),
        check_set_errors=True)

    link = Instrument.control(
        "LINK?{ch}", "LINK {ch},%d", """Control the number of the edge that this one counts from (int).""",
        validator=strict_discrete_set, values=range(10), cast=int, check_set_errors=True)


class Output(GuardedChannel):
    """One output connector (T0, AB, CD, EF, GH), numbered 0 to 4."""

    amplitude = Instrument.control(
        "LAMP?{ch}", "LAMP {ch},%.3f", """Control the step amplitude in V (0.5 to 5).""",
        validator=strict_range, values=[0.5, 5.0], check_set_errors=True)

    offset = Instrument.control(
        "LOFF?{ch}", "LOFF {ch},%.3f", """Control the offset in V (-2 to 2).""",
        validator=strict_range, values=[-2.0, 2.0], check_set_errors=True)

    polarity = Instrument.control(
        "LPOL?{ch}", "LPOL {ch},%d", """Control the polarity ("negative" or "positive").""",
        validator=strict_discrete_set, values={"negative": 0, "positive": 1}, map_values=True, cast=int,
        check_set_errors=True)


class DG645(NumberedErrors, Guarded, SCPIMixin, Instrument):
    """The SRS DG645. Safe state: all outputs inhibited (INHB 5), read back."""

    models = "DG645"
    unasked = ("edges.0", "edges.1.link")       # T0 is where all edges count from; T1's own end is no choice
    session_settings: ClassVar[dict[str, str]] = {
        "read_termination": "\n", "write_termination": "\r\n", "error_query": "LERR?"}
    errors = ERRORS

    edges = Instrument.MultiChannelCreator(Edge, list(range(10)), prefix="edge_")
    outputs = Instrument.MultiChannelCreator(Output, list(range(5)), prefix="output_")

    T0, T1, A, B, C, D, E, F, G, H = range(10)

    trigger_source = Instrument.control(
        "TSRC?", "TSRC %d", """Control what starts a cycle (str).""",
        validator=strict_discrete_set, map_values=True, cast=int, check_set_errors=True,
        values={"internal": 0, "external rising": 1, "external falling": 2, "single external rising": 3,
                "single external falling": 4, "single": 5, "line": 6})

    repetition_rate = Instrument.control(
        "TRAT?", "TRAT %.6f", """Control the rate of the internal trigger in Hz (1e-4 to 1e7).""",
        validator=strict_range, values=[1e-4, 1e7], check_set_errors=True)

    trigger_level = Instrument.control(
        "TLVL?", "TLVL %.3f", """Control the level of the external trigger in V (-3.5 to 3.5).""",
        validator=strict_range, values=[-3.5, 3.5], check_set_errors=True)

    inhibited = Instrument.control(
        "INHB?", "INHB %d", """Control which outputs do not fire ("none" to "AB CD EF GH").""",
        validator=strict_discrete_set, map_values=True, cast=int, check_set_errors=True,
        values={"none": 0, "trigger": 1, "AB": 2, "AB CD": 3, "AB CD EF": 4, ALL_INHIBITED: 5})

    burst_mode = Instrument.control(
        "BURM?", "BURM %d", """Control whether one trigger starts a burst of cycles (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    burst_count = Instrument.control(
        "BURC?", "BURC %d", """Control the cycles of a burst (int).""",
        validator=strict_range, values=[1, 2**32 - 1], cast=int, check_set_errors=True)

    burst_period = Instrument.control(
        "BURP?", "BURP %.9f", """Control the time from cycle to cycle of a burst in s.""",
        validator=strict_range, values=[100e-9, 42.9], check_set_errors=True)

    burst_delay = Instrument.control(
        "BURD?", "BURD %.12f", """Control the time from the trigger to a burst's first cycle in s.""",
        validator=strict_range, values=[0.0, LONGEST_DELAY], check_set_errors=True)

    advanced_trigger = Instrument.control(
        "ADVT?", "ADVT %d", """Control whether hold-off and prescaling are on (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    holdoff = Instrument.control(
        "HOLD?", "HOLD %.9f", """Control the time during which no further trigger counts in s.""",
        validator=strict_range, values=[0.0, LONGEST_DELAY], check_set_errors=True)

    timebase = Instrument.measurement(
        "TIMB?", """Get what its delays follow (str: "internal", "oven", "rubidium" or "external").""",
        values={"internal": 0, "oven": 1, "rubidium": 2, "external": 3}, map_values=True, cast=int)

    event_status = Instrument.measurement(
        "INSR?", """Get the events since this was last asked, as bits (int); asking clears them.""", cast=int)

    def __init__(self, adapter: Any, name: str = "SRS DG645", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)

    @property
    def reference_locked(self) -> bool:
        """Get whether its delays follow the bench's 10 MHz (bool)."""
        return self.timebase == "external"

    def configure_shot(self, q_switch_delay: float, lamp_delay: float = 0.0,
                       digitiser_delay: float = 0.0) -> dict[str, float]:
        """One shot for each `fire`: lamp after T0, Q-switch after lamp, digitiser after Q-switch [s].

        The digitiser counts from the Q-switch, so that the pulse stays in its place of the record when
        the Q-switch moves. Returns the delays read back.
        """
        self.put("trigger_source", "single")
        self.put("burst_mode", False)
        plan = ((self.A, self.T0, lamp_delay), (self.B, self.A, PULSE_WIDTH),
                (self.C, self.A, q_switch_delay), (self.D, self.C, PULSE_WIDTH),
                (self.E, self.C, digitiser_delay), (self.F, self.E, PULSE_WIDTH))
        found = {edge: self.set_delay(edge, reference, seconds) for edge, reference, seconds in plan}
        return {"lamp_delay": found[self.A], "q_switch_delay": found[self.C],
                "digitiser_delay": found[self.E]}

    def set_q_switch_delay(self, seconds: float) -> float:
        """Q-switch after the lamp [s], which sets the pulse energy; returns what was read back."""
        return self.set_delay(self.C, self.A, seconds)

    def set_gate(self, start: float, length: float) -> tuple[float, float]:
        """Gate GH: rise after the Q-switch [s], which may lie before it, and length [s]; read back."""
        return (self.set_delay(self.G, self.C, start), self.set_delay(self.H, self.G, length))

    def set_delay(self, edge: int, reference: int, seconds: float) -> float:
        """Delay of an edge after another one [s]; returns what was read back. ValueError out of range.

        Negative where the edge comes before the other one; Refused if it would then come before T0.
        """
        strict_range(seconds, [-LONGEST_DELAY, LONGEST_DELAY])
        channel = self.edges[edge]
        channel.delay = (reference, seconds)
        counts_from, found = channel.delay
        if counts_from != reference or abs(found - seconds) > RESOLUTION:
            raise self.not_taken(f"edge {EDGES[edge]}", (counts_from, found), (reference, seconds))
        return found

    def inhibit(self) -> None:
        """No output fires, whatever triggers; verified."""
        self.put("inhibited", ALL_INHIBITED)

    def release(self) -> None:
        """All outputs fire at the next trigger; verified."""
        self.put("inhibited", "none")

    def release_dark(self) -> None:
        """Digitiser and gate fire at the next trigger, lamp and Q-switch do not; verified."""
        self.put("inhibited", "AB CD")

    def fire(self) -> None:
        """One shot. Sent once and never repeated; after an error it is open whether a pulse went out."""
        with self.turn():
            self.event_status          # noqa: B018 - asking clears the events of earlier shots
            self.write("*TRG")
            self.check_errors()
            if self.event_status & LATE_TRIGGER:
                raise self.error(Refused, "the trigger came while the last cycle was still in progress", "",
                                 "fire more slowly, or shorten the delays")

    def settings(self) -> dict[str, float | str | bool]:
        """Delays [s], repetition rate [Hz] and inhibition, read back."""
        return {"lamp_delay": self.edges[self.A].delay[1], "q_switch_delay": self.edges[self.C].delay[1],
                "digitiser_delay": self.edges[self.E].delay[1], "gate_start": self.edges[self.G].delay[1],
                "gate_length": self.edges[self.H].delay[1], "repetition_rate": self.repetition_rate,
                "trigger_source": self.trigger_source, "inhibited": self.inhibited}

    def _to_safe_state(self) -> None:
        self.inhibit()

    def _read_safe_state(self) -> tuple[bool, str]:
        found = self.inhibited
        return found == ALL_INHIBITED, f"inhibited outputs: {found}"
