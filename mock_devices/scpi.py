"""The wire's grammar, IEEE 488.2 and SCPI-99, without any I/O: bytes in, program messages out.

`Framer` cuts a byte stream into messages (a line feed inside a block is data), `parse` turns one
message into units with their full headers, `Pattern` is a header as manuals print it, `block` frames
binary data. This file touches nothing of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MESSAGE_LIMIT = 1 << 20  # bytes of one program message; more is refused with -363


class ScpiError(Exception):
    """A command that cannot be carried out; `code` is what goes into the error queue."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Argument:
    """One parameter as it stood in the message: "word" (numbers, names), "string" or "block"."""

    kind: str
    value: str | bytes


@dataclass(frozen=True)
class Unit:
    """One command or query: full upper-case header (":FREQ:CENT" or "*IDN"), its arguments."""

    header: str
    query: bool
    arguments: tuple[Argument, ...]


# --- definite and indefinite blocks ------------------------------------------------------------


def block(data: bytes) -> bytes:
    """`data` as a definite length block, #<digits><length><data>."""
    length = b"%d" % len(data)
    return b"#%d%s%s" % (len(length), length, data)


def indefinite_block(data: bytes) -> bytes:
    """`data` as `#0<data>`; it ends with the message, so the message's line feed must follow."""
    return b"#0" + data


def _block_bounds(message: bytes, at: int) -> tuple[int, int] | None:
    """(first, past the last) byte of the data of the block whose '#' stands at `at`.

    None while the announcement is not complete; ScpiError -161 if it is malformed.
    """
    if at + 1 >= len(message):
        return None
    digits = message[at + 1] - 0x30
    if not 0 <= digits <= 9:
        raise ScpiError(-161, "a digit must follow '#'")
    if digits == 0:
        return at + 2, len(message)
    length = message[at + 2:at + 2 + digits]
    if length and not length.isdigit():
        raise ScpiError(-161, f"{length!r} is no length")
    if len(length) < digits:
        return None
    first = at + 2 + digits
    return first, first + int(length)


# --- framing ------------------------------------------------------------------------------------

_INTERESTING = re.compile(rb"[\"'#\r\n]")


class Framer:
    """Cuts a byte stream into messages; own to one client, holds at most `limit` bytes.

    `ends` are the bytes that end a message; `blocks` False for protocols that know no blocks.
    """

    def __init__(self, ends: bytes = b"\n", limit: int = MESSAGE_LIMIT, blocks: bool = True) -> None:
        self._ends, self._limit, self._blocks = ends, limit, blocks
        self._buffer = bytearray()
        self._scanned = 0
        self._quote = 0
        self._announced = 0  # bytes up to the end of the block that is arriving
        self._data_end = 0  # a carriage return before it is data
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[bytes | ScpiError]:
        """The messages that `data` completes, without terminators, and -363 for each one too long."""
        self._buffer += data
        while True:
            end = self._find_end()
            if end is None:
                if not self._skipping and max(self._announced, len(self._buffer)) > self._limit:
                    yield ScpiError(-363, f"messages end within {self._limit} bytes")
                    self._skipping = True
                    continue  # its end may have come with it
                if self._skipping:
                    self._buffer.clear()
                    self._scanned = self._quote = self._announced = self._data_end = 0
                return
            message = bytes(self._buffer[:end])
            del self._buffer[:end + 1]
            data_end = self._data_end
            self._scanned = self._quote = self._announced = self._data_end = 0
            if self._skipping:
                self._skipping = False
            elif len(message) > self._limit:
                yield ScpiError(-363, f"messages end within {self._limit} bytes")
            elif message.strip():
                carriage_return = message.endswith(b"\r") and data_end < len(message)
                yield message[:-1] if carriage_return else message

    def _find_end(self) -> int | None:
        """Index of the terminator of the first message, None if it has not arrived yet."""
        while hit := _INTERESTING.search(self._buffer, self._scanned):
            at, byte = hit.start(), self._buffer[hit.start()]
            if byte in self._ends:
                return at
            if byte == 0x23:
                following = self._past_block(at)
                if following is None:
                    return None
                self._scanned = following
                continue
            if byte in b"\"'" and self._blocks:
                self._quote = {0: byte, byte: 0}.get(self._quote, self._quote)
            self._scanned = at + 1
        self._scanned = len(self._buffer)
        return None

    def _past_block(self, at: int) -> int | None:
        """Where scanning goes on after the '#' at `at`; None if more bytes are needed to tell."""
        ahead = bytes(self._buffer[at:at + 11])
        starts_parameter = bytes(self._buffer[at - 1:at]) in (b" ", b",", b"\t")
        if not self._blocks or self._skipping or self._quote or not starts_parameter:
            return at + 1
        try:
            bounds = _block_bounds(ahead, 0)
        except ScpiError:
            return at + 1
        if bounds is None:
            self._scanned = at
            return None
        if ahead[1:2] == b"0":
            self._data_end = self._limit
            return at + 2
        past = at + bounds[1]
        if past <= len(self._buffer):
            self._data_end = past
            return past
        self._scanned, self._announced = at, past
        return None


# --- program messages ---------------------------------------------------------------------------

_HEADER = re.compile(r"\s*(\*[A-Za-z]+|:?[A-Za-z_][A-Za-z0-9_]*(?::[A-Za-z_][A-Za-z0-9_]*)*)(?:\s*(\?))?")
_FUSED_HEADER = re.compile(r"\s*(\*?[A-Za-z]+)(?:\s*(\?))?")
_STRING = re.compile(rb"\"((?:[^\"]|\"\")*)\"|'((?:[^']|'')*)'")
_WORD = re.compile(rb"[^,;\"'#]+|#[HhQqBb][0-9A-Fa-f]+")


def parse(message: bytes, fused: bool = False) -> Iterator[Unit]:
    """The units of a program message in order; ScpiError where it cannot be read any further.

    Headers follow the path rule: after `:A:B:C 1`, a unit `D 2` is `:A:B:D`, a leading colon starts
    from the root again, common commands (`*OPC?`) leave the path alone. `fused`: names are letters
    only and a parameter may follow without a space, as SRS instruments take it (`TSRC5`, `DLAY?2`).
    """
    path, at = "", 0
    while at < len(message):
        if not message[at:].lstrip(b"; \t\r\n"):
            return
        lead = message.find(b";", at)
        if lead >= 0 and not message[at:lead].strip():
            at = lead + 1
            continue
        header, query, at = _header(message, at, fused)
        arguments, at = _arguments(message, at)
        if not header.startswith("*"):
            header = header if header.startswith(":") or fused else f"{path}:{header}"
            header = header if header.startswith(":") else ":" + header
            path = header.rpartition(":")[0] if not fused else ""
        yield Unit(header.upper(), query, tuple(arguments))


def _header(message: bytes, at: int, fused: bool) -> tuple[str, bool, int]:
    text = message[at:at + 512].decode("latin-1")
    hit = (_FUSED_HEADER if fused else _HEADER).match(text)
    if hit is None:
        raise ScpiError(-101 if not text.isascii() else -102, f"no header at {text[:20]!r}")
    following = text[hit.end():hit.end() + 1]
    if not fused and following and following not in " \t;\r\n":
        raise ScpiError(-111, f"{following!r} after {hit.group(1)}")
    if len(hit.group(1)) > 200:
        raise ScpiError(-112, hit.group(1)[:20])
    return hit.group(1), hit.group(2) is not None, at + hit.end()


def _arguments(message: bytes, at: int) -> tuple[list[Argument], int]:
    """The parameters from `at` on and the index past the ';' that ends the unit."""
    found: list[Argument] = []
    expected = False
    while True:
        while message[at:at + 1] in (b" ", b"\t", b"\r", b"\n"):
            at += 1
        byte = message[at:at + 1]
        if byte in (b"", b";"):
            if expected:
                raise ScpiError(-109, "nothing follows the comma")
            return found, at + 1
        if found and not expected:
            if byte != b",":
                raise ScpiError(-103, f"{byte!r} between parameters")
            expected, at = True, at + 1
            continue
        argument, at = _argument(message, at)
        found.append(argument)
        expected = False


def _argument(message: bytes, at: int) -> tuple[Argument, int]:
    byte = message[at:at + 1]
    if byte in (b'"', b"'"):
        hit = _STRING.match(message, at)
        if hit is None:
            raise ScpiError(-151, "the string is not closed")
        quote = byte.decode()
        return Argument("string", hit.group()[1:-1].decode("latin-1").replace(quote * 2, quote)), hit.end()
    if byte == b"#" and message[at + 1:at + 2].isdigit():
        bounds = _block_bounds(message, at)
        if bounds is None or bounds[1] > len(message):
            raise ScpiError(-161, "fewer bytes than announced")
        return Argument("block", message[bounds[0]:bounds[1]]), bounds[1]
    hit = _WORD.match(message, at)
    if hit is None:
        raise ScpiError(-101 if byte != b"#" else -161, f"{byte!r}")
    return Argument("word", hit.group().decode("latin-1").strip()), hit.end()


# --- headers as manuals print them ----------------------------------------------------------------

_MNEMONIC = re.compile(r"(\*?)([A-Z_]+\d*)([a-z_]*)((?:<n>)?)")


class Pattern:
    """`[:SOURce]:FREQuency[:CW]`: capitals are the short form, brackets optional, <n> a numeric suffix."""

    def __init__(self, text: str) -> None:
        self.text = text if text[0] in ":[*" else ":" + text
        body = self.text.replace("[", "(?:").replace("]", ")?")
        self._regex = re.compile(_MNEMONIC.sub(self._node, body))

    @staticmethod
    def _node(hit: re.Match[str]) -> str:
        star, short, rest, suffix = hit.groups()
        word = f"{short}(?:{rest.upper()})?" if rest else short
        return (r"\*" if star else "") + word + (r"(\d{0,6})" if suffix else "")

    def match(self, header: str) -> tuple[int, ...] | None:
        """The numeric suffixes (1 where left out) if `header`, full and upper case, fits; else None."""
        hit = self._regex.fullmatch(header)
        return None if hit is None else tuple(int(g) if g else 1 for g in hit.groups())
