"""Ranges of the DG645's settings, and its cursor keys over the wire: step sizes (SSxx) and steps (SPxx)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .scpi import Argument
from .scpi_device import Command, Request, action, query
from .scpi_values import Integer, Kind, Number

EDGE, OUTPUT = Integer(0, 9), Integer(0, 4)
RATE = Number("", 1e-3, 1e6, ".6f")
LEVEL = Number("", -3.5, 3.5, "+.2f")
HOLDOFF = Number("", 0.0, 10.0, "+.12f")
COUNT = Integer(1, 2**32 - 1)
PERIOD = Number("", 100e-9, 2000.0, ".9f")
DELAY = Number("", 0.0, 2000.0, ".12f")
PRESCALE, PHASE = Integer(1, 32767), Integer(0, 32767)
AMPLITUDE = Number("", 0.5, 5.0, ".2f")
OFFSET = Number("", -3.0, 3.0, ".2f")
_SIZE = Number("", 0.0, 1e6, ".12g")
_DIRECTION = Integer(0, 1)  # 0 down, 1 up


@dataclass(frozen=True)
class Step:
    """`letters` of SSxx and SPxx, the setting that they move, its range; `keys` where there are several."""

    letters: str
    name: str
    kind: Kind
    size: float
    keys: Integer | None = None

    def places(self) -> Iterator[Any]:
        """The keys of its settings; "" for one that stands alone."""
        yield from range(self.keys.minimum, self.keys.maximum + 1) if self.keys else ("",)

    def commands(self) -> Iterator[Command]:
        """SSxx, SSxx? and SPxx."""
        keys = (self.keys,) if self.keys else ()
        yield action("SS" + self.letters, self._resize, *keys, _SIZE)
        yield query("SS" + self.letters, self._show, *keys)
        yield action("SP" + self.letters, self._move, *keys, _DIRECTION)

    def _size_key(self, request: Request) -> str:
        return f"step {self.name}{request.values[0] if self.keys else ''}"

    def _resize(self, device: Any, request: Request) -> None:
        device.settings[self._size_key(request)] = request.values[-1]

    def _show(self, device: Any, request: Request) -> str:
        return _SIZE.show(device.settings[self._size_key(request)])

    def _move(self, device: Any, request: Request) -> None:
        sign = 1 if request.values[-1] else -1
        change = sign * device.settings[self._size_key(request)]
        self._change(device, request.values[0], change)

    def _change(self, device: Any, key: Any, change: float) -> None:
        name = f"{self.name}{key}" if self.keys else self.name
        wanted = format(device.settings[name] + change, ".15g")
        device.settings[name] = self.kind.read(Argument("word", wanted))
        device.changed(self.name)


class DelayStep(Step):
    """Delays live with the edge that they count from."""

    def _change(self, device: Any, key: Any, change: float) -> None:
        reference, delay = device.delays.get(key, (0, 0.0))
        device.set_delay(key, reference, round(delay + change, 12))


STEPS = (
    Step("TR", "trigger_rate", RATE, 1.0), Step("TL", "trigger_level", LEVEL, 0.1),
    Step("HD", "holdoff", HOLDOFF, 1e-6), Step("BC", "burst_count", COUNT, 1),
    Step("BD", "burst_delay", DELAY, 1e-6), Step("BP", "burst_period", PERIOD, 1e-6),
    Step("PS", "prescale", PRESCALE, 1, OUTPUT), Step("PH", "phase", PHASE, 1, OUTPUT),
    Step("LA", "amplitude", AMPLITUDE, 0.1, OUTPUT), Step("LO", "offset", OFFSET, 0.1, OUTPUT),
    DelayStep("DL", "delay", DELAY, 1e-9, EDGE),
)
SIZES = {f"step {step.name}{place}": step.size for step in STEPS for place in step.places()}
"""Step sizes at the factory."""
COMMANDS = tuple(command for step in STEPS for command in step.commands())
