"""One channel of one acquisition as the digitiser sent it: raw codes and what they mean.

Knows numpy only. The codes stay as they came over the wire, so that a run on disk can be
decoded again; seconds and volts are worked out when asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# Noise may touch a rail once or twice at the edge of the range; a third code is a clipped signal.
CLIPPED_CODES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """Signed codes (T,) of one channel; volts = codes * scale + offset, trigger at t = 0.

    `scale` [V per code], `offset` [V at code 0, the centre of that code], `start` [s, time of
    the first sample after the trigger, negative before it], `interval` [s], `bits` of the
    converter: its codes run from -2^(bits-1) to 2^(bits-1) - 1. ValueError for anything else.
    """

    codes: np.ndarray
    scale: float
    offset: float
    start: float
    interval: float
    channel: str = ""
    bits: int = 16

    def __post_init__(self) -> None:
        codes = np.asarray(self.codes)
        name = self.channel or "waveform"
        if codes.dtype != np.int16 or codes.ndim != 1:
            raise ValueError(f"{name}: codes must be int16 with one axis, "
                             f"found {codes.dtype} with shape {codes.shape}")
        numbers = self.interval, self.scale, self.offset, self.start
        if not (self.interval > 0 and self.scale != 0 and all(map(math.isfinite, numbers))):
            raise ValueError(f"{name}: interval {self.interval} s, scale {self.scale} V, offset "
                             f"{self.offset} V and start {self.start} s make no time axis and voltage")
        if not 1 <= self.bits <= 16:
            raise ValueError(f"{name}: {self.bits} bits do not fit into int16 codes")
        codes = codes.view()
        codes.flags.writeable = False
        object.__setattr__(self, "codes", codes)

    def __len__(self) -> int:
        return self.codes.size

    @property
    def time(self) -> np.ndarray:
        """Seconds from the trigger (T,)."""
        return self.start + self.interval * np.arange(self.codes.size)

    @property
    def volts(self) -> np.ndarray:
        """Volts at the digitiser's input (T,), each at the centre of its code."""
        return self.codes * self.scale + self.offset

    @property
    def rails(self) -> tuple[int, int]:
        """Lowest and highest code that the converter can give."""
        half = 1 << (self.bits - 1)
        return -half, half - 1

    @property
    def clipped(self) -> bool:
        """True where at least three samples lie on a rail: the signal left the range."""
        low, high = self.rails
        on_rail = np.count_nonzero(self.codes <= low) + np.count_nonzero(self.codes >= high)
        return bool(on_rail >= CLIPPED_CODES)


@dataclass(frozen=True, slots=True)
class Segment:
    """What one trigger of several left in a digitiser's memory: records by channel, when it came.

    `time_tag` [s] after the first trigger of the same arming.
    """

    time_tag: float
    waveforms: Mapping[str, Waveform]
