"""Messages between the controller and its own fit process: one JSON header and plain arrays, no pickle.

    4 bytes   length of the header, little endian
    header    JSON; its key "arrays" lists [dtype, length] of what follows
    arrays    raw bytes, one-dimensional, in that order
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

_LENGTH = struct.Struct("<I")
_KINDS = ("<i2", "<f8")


def send(stream: BinaryIO, header: Mapping[str, Any], *arrays: np.ndarray) -> None:
    """Write one message; BrokenPipeError when the other side is gone."""
    shapes = [[a.dtype.newbyteorder("<").str, len(a)] for a in arrays]
    text = json.dumps({**header, "arrays": shapes}, allow_nan=False).encode()
    stream.write(_LENGTH.pack(len(text)) + text)
    for a in arrays:
        stream.write(np.ascontiguousarray(a, a.dtype.newbyteorder("<")).tobytes())
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Read one message; EOFError when the other side has ended, also in the middle of a message."""
    header = json.loads(_exactly(stream, _LENGTH.unpack(_exactly(stream, _LENGTH.size))[0]))
    arrays = []
    for kind, length in header.pop("arrays"):
        if kind not in _KINDS:
            raise ValueError(f"a frame with an array of type {kind!r}; expected one of {_KINDS}")
        dtype = np.dtype(kind)
        arrays.append(np.frombuffer(_exactly(stream, length * dtype.itemsize), dtype))
    return header, arrays


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError("the other process has ended")
    return data
