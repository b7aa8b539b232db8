"""Driver of a Keysight 34972A (34907A module, slot 100) as the monitor of the safety chain: reads, no more.

The first port's eight inputs see the chain's contacts and its latch, 1 for closed. Commands: 34970A/34972A
command reference, SENSe:DIGital.

It cannot close, reset or bypass anything, on purpose: a person does, at the chain. A contact that opens
for less than the time between two questions is seen by the latch alone.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pymeasure.instruments import Instrument, SCPIMixin

from .scpi_instrument import Guarded

CONTACTS = ("emergency stop", "laboratory door", "laser housing", "water flow", "water temperature",
            "shield of the cavity", "remote connector", "latch")
"""What is wired to bits 0 to 7 of the port."""


class Keysight34972A(Guarded, SCPIMixin, Instrument):
    """The interlock monitor. It drives nothing; its safe state is that it answers."""

    models = r"3497[02]A"
    session_settings: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\n"}

    port = Instrument.measurement(
        "SENS:DIG:DATA:BYTE? (@101)", """Get the eight inputs as bits (int), 1 for a closed contact.""",
        cast=int)

    card = Instrument.measurement(
        "SYST:CTYP? 100", """Get what is plugged into slot 100 (str).""", cast=str, maxsplit=0)

    def __init__(self, adapter: Any, name: str = "Interlock monitor", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)

    @property
    def open_contacts(self) -> tuple[str, ...]:
        """Get the names of what is open (tuple of str)."""
        port = self.port
        return tuple(name for bit, name in enumerate(CONTACTS) if not port >> bit & 1)

    @property
    def closed(self) -> bool:
        """Get whether every contact is closed and the latch set (bool)."""
        return not self.open_contacts

    def settings(self) -> dict[str, float | str | bool]:
        """Whether the chain is closed, and what is open."""
        opened = self.open_contacts
        return {"closed": not opened, "open_contacts": ", ".join(opened)}

    def _to_safe_state(self) -> None:
        """Nothing of it can do harm, and it does not touch the chain."""

    def _read_safe_state(self) -> tuple[bool, str]:
        opened = self.open_contacts
        return True, f"chain open at: {', '.join(opened)}" if opened else "chain closed"
