"""Driver of Quantel (Lumibird) Q-smart Nd:YAG lasers, which pump an OPO or, doubled, the crystal itself.

`COMMAND[ argument]`, CR LF, over a serial line or the Lantronix box in front of it (TCP port 10001). A
question is answered by `COMMAND = value` and a line `OK`, an order by `OK`, both by `ERROR` where refused.

The lamp stops by itself when STATE has not been asked for a few seconds, so an armed driver asks once a
second from a thread of its own: whoever is killed leaves a laser that turns itself off. It knows no energy,
neither in joules nor in steps: that is set through the Q-switch delay of the timing. It cannot read whether
the Q-switch is enabled, only what state the laser is in. One connection at a time.
"""

from __future__ import annotations

import re
import threading
from typing import Any, ClassVar

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from .errors import Busy, InstrumentError, ProtocolError, Refused
from .scpi_instrument import Guarded

STATES = ("fault", "warming up", "ready", "flashing, lamp disabled", "flashing, waiting for the shutter",
          "pulsing", "pulsing, crystals warming up", "pulsing, harmonics stable", "pulsing, optimising",
          "pulsing, optimised")
READY, FLASHING, PULSING = 2, 3, 5     # the first states in which it may be started, flashes, emits
BEAT = 1.0                             # [s] between two questions for STATE while armed
VALUE = re.compile(r"[A-Z0-9]+ = (?P<value>.*)")


def _counter(command: str, doc: str) -> property:
    """One of the three numbers that say which flashes become pulses."""
    return Instrument.control(command, command + " %d", doc, validator=strict_range, values=[0, 65535],
                              cast=int, check_set_errors=True)


class QSmart(Guarded, Instrument):
    """A Q-smart. Safe state: Q-switch disabled and lamp stopped; what is read back is the laser's state."""

    models = "(?i)q-?smart"
    one_session = True
    session_settings: ClassVar[dict[str, Any]] = {
        "read_termination": "\r\n", "write_termination": "\r\n", "hello": "MODEL", "hello_lines": 2,
        "error_query": ""}

    state = Instrument.measurement("STATE", """Get the state, 0 to 9 as in STATES (int).""", cast=int)

    model = Instrument.measurement("MODEL", """Get the model (str).""", cast=str, maxsplit=0)

    cooling_temperature = Instrument.measurement(
        "CGTEMP", """Measure the temperature of the cooling water in degrees Celsius.""")

    crystal_temperature = Instrument.measurement(
        "TEMP1F", """Measure the temperature of the doubling crystal in degrees Celsius.""")

    crystal_set_point = Instrument.control(
        "TEMP1S", "TEMP1S %.2f", """Control the crystal's set point in degrees Celsius (45 to 55).""",
        validator=strict_range, values=[45.0, 55.0], check_set_errors=True)

    lamp_voltage = Instrument.measurement("CAPVSET", """Get the voltage of the flashlamp in V.""")

    lamp_pulse_width = Instrument.measurement(
        "LPW", """Get the length of the flashlamp's pulse in s.""",
        get_process=lambda microseconds: microseconds * 1e-6)

    lamp_shots = Instrument.measurement("SSHOT", """Get how often the lamp has flashed (int).""", cast=int)

    repetition_rate = Instrument.measurement(
        "PRF", """Get the rate of the lamp's own clock in Hz; the timing's counts when that triggers.""")

    trigger = Instrument.control(
        "TRIG", "TRIG %s", """Control who triggers lamp and Q-switch ("internal", "lamp external",
        "Q-switch external" or "external").""", validator=strict_discrete_set, map_values=True, cast=str,
        values={"internal": "II", "lamp external": "EI", "Q-switch external": "IE", "external": "EE"},
        check_set_errors=True)

    burst_cycles = _counter("QSPAR1", """Control how many cycles a burst has (0 to 65535, 0: for ever).""")
    cycle_flashes = _counter("QSPAR2", """Control how many flashes a cycle has (0 to 65535).""")
    cycle_pulses = _counter("QSPAR3", """Control how many flashes of a cycle give pulses (0 to 65535).""")

    q_switch_delay = Instrument.control(
        "QDLY", "QDLY %d", """Control the delay of the Q-switch behind its trigger in s (0 to 255 ns).""",
        validator=strict_range, values=[0.0, 255e-9], check_set_errors=True,
        set_process=lambda seconds: round(seconds * 1e9), get_process=lambda nanoseconds: nanoseconds * 1e-9)

    sync_delay = Instrument.control(
        "QDLYO", "QDLYO %d", """Control the delay of the synchronisation output in s (-500 to 500 ns).""",
        validator=strict_range, values=[-500e-9, 500e-9], check_set_errors=True,
        set_process=lambda seconds: round(seconds * 1e9), get_process=lambda nanoseconds: nanoseconds * 1e-9)

    def __init__(self, adapter: Any, name: str = "Quantel Q-smart laser", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)
        self._beats_end: threading.Event | None = None

    @property
    def identity(self) -> str:
        """Get what the laser says it is: it knows no *IDN?, only a model."""
        return f"Quantel,{self.model},,"

    @property
    def emission(self) -> str:
        """Get the emission state: "off", "on" (it flashes, pulsing or not) or "fault"."""
        state = self.state
        if state == STATES.index("fault"):
            return "fault"
        return "on" if state >= FLASHING else "off"

    @property
    def energy_level(self) -> str:
        """Get the energy level, "MAX" where flashes become pulses, else "OFF"."""
        return "MAX" if self.state >= PULSING else "OFF"

    def arm(self, energy_level: str = "MAX") -> str:
        """Ready to fire one pulse at each pair of external triggers; returns the emission read back."""
        strict_discrete_set(energy_level, ("MAX",))
        state = self.state
        if state < READY:
            raise self.error(Refused, f"it is in state {state}, {STATES[state]}", "a laser that is ready",
                             "wait, or clear the cause at the laser; this program resets no interlock")
        self.put("trigger", "external")
        self.put("burst_cycles", 0)
        self.put("cycle_flashes", 1)
        self.put("cycle_pulses", 1)
        self._order("QSW 1")
        self._order("RUN")
        self._begin_heartbeat()
        return self.emission

    def disarm(self) -> None:
        """No emission whatever the timing does; Q-switch and lamp are both tried, then read back."""
        self._end_heartbeat()
        with self.turn():
            try:
                self._order("QSW 0")
            finally:
                self._order("STOP")
            if (state := self.state) >= FLASHING:
                raise self.not_taken("state", STATES[state], "a lamp that is stopped")

    def settings(self) -> dict[str, float | str | bool]:
        """State, trigger, Q-switch delay [s] and temperatures [degrees Celsius], read back."""
        return {"state": STATES[self.state], "trigger": self.trigger, "q_switch_delay": self.q_switch_delay,
                "cooling_temperature": self.cooling_temperature,
                "crystal_temperature": self.crystal_temperature}

    def disconnect(self) -> None:
        """Close the connection; a laser that is armed stops by itself, as nobody asks for its state."""
        self._end_heartbeat()
        super().disconnect()

    # what lies on the wire

    def hear(self) -> str:
        """The value that a reply carries, "" for a mere OK; Refused where the laser refuses."""
        reply = super().hear().strip()
        if reply.startswith("ERROR"):
            raise self.error(Refused, f"it answers {reply!r}", "", "correct the value")
        if reply.startswith("OK"):
            return ""
        carried = VALUE.fullmatch(reply)
        if carried is None or not super().hear().startswith("OK"):
            raise self.spoilt(f"{reply!r} came", "a reply like 'STATE = 2' and a line that says OK")
        return carried["value"].strip()

    def check_errors(self) -> list:
        """Read the line that answers an order; Refused where the laser refuses."""
        if reply := self.hear():
            raise self.error(ProtocolError, f"{reply!r} answers an order", "OK")
        return []

    def _order(self, command: str) -> None:
        with self.turn():
            self.write(command)
            self.check_errors()

    # heartbeat

    def _begin_heartbeat(self) -> None:
        """Ask for the state once a second from now on, and no longer from an earlier thread."""
        self._end_heartbeat()
        self._beats_end = threading.Event()
        threading.Thread(target=self._beat, args=(self._beats_end,), name=f"heartbeat of {self.name}",
                         daemon=True).start()

    def _end_heartbeat(self) -> None:
        """Stop asking. A beat that is under way ends by itself, at the latest with its timeout."""
        if self._beats_end is not None:
            self._beats_end.set()
            self._beats_end = None

    def _beat(self, end: threading.Event) -> None:
        """One thread's life; ends with the connection, since a laser that nobody hears stops by itself."""
        while not end.wait(BEAT):
            try:
                self.ask("STATE")
            except Busy:
                continue            # somebody else talks to it; the next beat comes soon enough
            except InstrumentError:
                return

    def _to_safe_state(self) -> None:
        self.disarm()

    def _read_safe_state(self) -> tuple[bool, str]:
        state = self.state
        return state < FLASHING, f"state {state}, {STATES[state] if state < len(STATES) else 'unknown'}"
