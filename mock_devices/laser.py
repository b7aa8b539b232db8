"""The pump laser as a machine: off, standby, armed, emitting; interlock that latches; its own watchdog."""

from __future__ import annotations

from .clock import Clock

EMISSION_LAMP = 1.0  # [s] the emission indicator stays lit after a pulse
WATCHDOG = 2.0  # [s] without any client while it could fire: back to standby


class Laser:
    """Emits when powered, at MAX (or Adjust, a tenth of it) and triggered at lamp and Q-switch.

    `fault` is the code of an open interlock: emission drops and stays off until `reset`, by a person.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.power = False
        self.level = "OFF"
        self.wavelength = 590e-9  # [m]
        self.fault = 0
        self.pulses = 0
        self.left: int | None = None  # pulses until a burst is over; None: no end
        self._last_pulse = -1e9
        self._clients = 0
        self._silence = 0

    @property
    def clients(self) -> int:
        """Open connections; when the last one goes while the laser could fire, the watchdog runs."""
        return self._clients

    @clients.setter
    def clients(self, number: int) -> None:
        self._clients = number
        self._silence += 1
        if number == 0 and self.armed:
            silence = self._silence
            self._clock.later(WATCHDOG, lambda: self._watchdog(silence))

    def _watchdog(self, silence: int) -> None:
        if silence == self._silence and self.armed:
            self.level = "OFF"

    @property
    def armed(self) -> bool:
        """True when the next trigger makes a pulse."""
        return self.power and self.level != "OFF" and not self.fault and self.left != 0

    @property
    def share(self) -> float:
        """Fraction of the full pulse energy that the level lets out."""
        return {"MAX": 1.0, "Adjust": 0.1}.get(self.level, 0.0) if self.armed else 0.0

    def fire(self) -> None:
        """A pulse has left."""
        self.pulses += 1
        if self.left:
            self.left -= 1
        self._last_pulse = self._clock.now()

    def state(self) -> str:
        """off | standby | armed | emitting."""
        if not self.power:
            return "off"
        if not self.armed:
            return "standby"
        return "emitting" if self._clock.now() - self._last_pulse < EMISSION_LAMP else "armed"

    def trip(self, code: int = 1) -> None:
        """The interlock opens: no emission, latched."""
        self.fault, self.power, self.level = code, False, "OFF"

    def reset(self) -> None:
        """A person has closed the interlock and turned the key."""
        self.fault = 0
