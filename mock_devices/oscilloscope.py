"""What the software oscilloscopes share: arming, taking triggers from the bench, telling when all is there.

Which commands do that, and how records are handed out, is the business of the models.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from .acquisition import Acquisition
from .front_end import Channel, Timebase
from .scpi import ScpiError
from .scpi_device import ScpiDevice
from .virtual_cavity import VirtualCavity

DEAF = 3e-6  # [s] between the end of a segment and being armed for the next


class Oscilloscope(ScpiDevice):
    """Armed, it takes the bench's triggers. Models say what is set and how many triggers are wanted.

    Their settings hold `segment_index`, the segment that is looked at, from 1.
    """

    def __init__(self, cavity: VirtualCavity) -> None:
        self.cavity = cavity
        self.arm_event = self.done_event = False
        self.acquisition: Acquisition | None = None
        super().__init__()
        cavity.digitiser = self

    # --- to be refined by models -----------------------------------------------------------------

    def set_timebase(self) -> Timebase:
        """Where the samples of the next record will be."""
        raise NotImplementedError

    def set_channels(self) -> dict[int, Channel]:
        """The displayed inputs as they are set, by number."""
        raise NotImplementedError

    # --- acquiring -------------------------------------------------------------------------------

    def restore(self) -> None:
        super().restore()
        self.forget()

    def arm(self, wanted: int) -> None:
        """Waits for that many triggers; what was there is gone. Fault arm_race: ready only later."""
        self.forget()
        self.acquisition = arming = Acquisition(wanted, DEAF)
        arming.done.add_done_callback(lambda _: self._finished(arming))
        latency = self.cavity.faults.lasting.get("arm_race", 0.0)
        if latency:
            self.cavity.clock.later(latency, lambda: self._ready(arming))
        else:
            self._ready(arming)

    def _ready(self, arming: Acquisition) -> None:
        """From now on a trigger is taken."""
        if arming is self.acquisition and arming.waiting:
            arming.ready = self.arm_event = True

    def _finished(self, arming: Acquisition) -> None:
        if arming is self.acquisition and arming.taken:
            self.done_event = True

    def disarm(self) -> None:
        """:STOP: no longer waiting; whoever waits for the record is let go."""
        if self.acquisition is not None:
            self.acquisition.stop()

    def forget(self) -> None:
        """No record; the next segment to be looked at is the first."""
        self.disarm()
        self.acquisition, self.done_event = None, False
        self.settings["segment_index"] = 1

    def triggered(self) -> tuple[Timebase, dict[int, Channel], Future[Any]] | None:
        """The trigger came: what to record, and the future to fill; None if not armed."""
        if self.acquisition is None:
            return None
        record = self.acquisition.take(self.cavity.time, self.set_timebase(), self.set_channels())
        return None if record is None else (self.timebase(), self.acquisition.channels, record)

    def pending(self) -> Future[Any] | None:
        arming = self.acquisition
        return None if arming is None or arming.done.done() else arming.done

    @property
    def waiting(self) -> bool:
        """True while it waits for a trigger."""
        return self.acquisition is not None and self.acquisition.waiting

    def read_flag(self, name: str) -> str:
        """An event register: reading clears it."""
        value = getattr(self, name)
        setattr(self, name, False)
        return str(int(value))

    # --- what is held ----------------------------------------------------------------------------

    @property
    def segments(self) -> int:
        """Records held."""
        return len(self.acquisition.taken) if self.acquisition else 0

    def selected(self) -> int:
        """Index from 0 of the segment that is looked at; ScpiError -222 if there are not so many."""
        index = self.settings["segment_index"]
        if index > self.segments:
            raise ScpiError(-222, f"segment {index} of {self.segments}")
        return index - 1

    def time_tag(self) -> float:
        """When the segment that is looked at was triggered, after the first [s]."""
        taken = self.held().taken
        return taken[self.selected()] - taken[0]

    def held(self) -> Acquisition:
        """The acquisition whose records are asked for; ScpiError -230 while there is none to be had."""
        if self.acquisition is None or not self.acquisition.taken:
            raise ScpiError(-230, "no record; arm, then trigger")
        if self.acquisition.waiting:
            raise ScpiError(-230, f"{self.segments} of {self.acquisition.wanted} triggers have come")
        return self.acquisition

    def timebase(self) -> Timebase:
        """That of the records held, else what is set."""
        held = self.acquisition.timebase if self.acquisition else None
        return held or self.set_timebase()

    def channel(self, number: int) -> Channel:
        """Scale of an input, of the records held or as set; ScpiError -221 if it is off."""
        channels = (self.acquisition.channels if self.acquisition else {}) or self.set_channels()
        if number not in channels:
            raise ScpiError(-221, f"channel {number} is not displayed")
        return channels[number]
