"""How an InfiniiVision hands out samples: bytes, words or text, always behind a header of ten characters.

A code of zero is a hole and never a sample: a signal below the range is sent as 1, one above it as all ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .acquisition import averaged
from .front_end import Channel, Timebase

FORMATS = {"BYTE": 0, "WORD": 1, "ASC": 4}
TYPES = {"NORM": 0, "PEAK": 1, "AVER": 2, "HRES": 3}


def block_of_eight_digits(data: bytes) -> bytes:
    """A definite block whose length always has eight digits, as this family sends it."""
    return b"#8%08d" % len(data) + data


@dataclass(frozen=True)
class Coding:
    """What :WAVeform is set to, and how the record was taken (`kind`: NORM, PEAK, AVER or HRES)."""

    form: str
    little_endian: bool
    unsigned: bool
    kind: str

    @property
    def word_bits(self) -> int:
        """Bits of one sample on the wire; text has the digits of a word."""
        return 8 if self.form == "BYTE" else 16

    @property
    def reference(self) -> int:
        """The code that Y origin belongs to."""
        return 1 << (self.word_bits - 1) if self.unsigned else 0

    def increment(self, channel: Channel) -> float:
        """Volts of one step of a code [V]."""
        return channel.full_scale / 2**self.word_bits

    @staticmethod
    def origin(channel: Channel) -> float:
        """Volts at the reference: the centre of the code in the middle [V]."""
        return channel.offset + 0.5 * channel.lsb

    def preamble(self, timebase: Timebase, channel: Channel, points: int, stride: int) -> str:
        """Format, type, points, count; X increment, origin, reference; Y the same."""
        return (f"+{FORMATS[self.form]},+{TYPES[self.kind]},+{points},+1,"
                f"{timebase.interval * stride:+.8E},{timebase.start:+.10E},+0,"
                f"{self.increment(channel):+.8E},{self.origin(channel):+.8E},+{self.reference}")

    def encode(self, records: list[np.ndarray], channel: Channel, stride: int) -> bytes:
        """The block of one channel's codes, every `stride`-th of them; several records are averaged."""
        if len(records) > 1:
            words = averaged(records, channel).astype(np.int32)[::stride] + 2**15
            low, high = words == 0, words == 2**16 - 1
        else:
            codes = records[0][::stride].astype(np.int32)
            words, low, high = codes << (16 - channel.bits), codes == 0, codes == 2**channel.bits - 1
        if self.form == "ASC":
            volts = (words - 2**15) * channel.full_scale / 2**16 + self.origin(channel)
            return block_of_eight_digits(",".join(f"{v: .5E}" for v in volts).encode())
        codes = words >> (16 - self.word_bits)
        codes[low], codes[high] = 1, 2**self.word_bits - 1
        order = "<" if self.little_endian else ">"
        size = self.word_bits // 8
        codes -= 0 if self.unsigned else 1 << (self.word_bits - 1)
        return block_of_eight_digits(codes.astype(f"{order}{'u' if self.unsigned else 'i'}{size}").tobytes())
