"""Reads a definite-length block of IEEE 488.2: #, one digit, the length, the data, a line end.

PyMeasure's and PyVISA's own readers look for line ends inside the data and take what comes; on a
socket that is slow and, where a sample happens to look like a line end, wrong.
"""

from __future__ import annotations

from typing import Protocol

from .errors import InstrumentError

LARGEST_BLOCK = 1 << 30     # bytes; more is a garbled length, not a record


class Source(Protocol):
    """Where blocks come from: a session or a driver."""

    def read_exactly(self, count: int) -> bytes | bytearray:
        """`count` bytes, whatever bytes they are."""

    def spoilt(self, found: str, expected: str) -> InstrumentError:
        """The error to raise for what was found."""


def read_block(source: Source, expected: int | None = None) -> bytes | bytearray:
    """The data of one block in one buffer; ProtocolError unless it has `expected` bytes (None: any)."""
    header = bytes(source.read_exactly(2))
    if header[:1] != b"#" or not header[1:].isdigit() or header == b"#0":
        raise source.spoilt(f"{header!r} came", "a block: #, digit, length")
    digits = bytes(source.read_exactly(int(header[1:])))
    if not digits.isdigit():
        raise source.spoilt(f"{header + digits!r} came", "a block: #, digit, length")
    count = int(digits)
    if count > LARGEST_BLOCK or expected not in (None, count):
        wanted = f"{expected} bytes" if expected is not None else f"at most {LARGEST_BLOCK}"
        raise source.spoilt(f"a block of {count} bytes was announced", wanted)
    data = source.read_exactly(count)
    end = bytes(source.read_exactly(1))
    if end == b"\r":
        end = bytes(source.read_exactly(1))
    if end != b"\n":
        raise source.spoilt(f"{end!r} followed the {count} bytes of a block", "a line end")
    return data
