"""Status of one client's conversation: error queue, event register, summary byte (IEEE 488.2, 11 and 12).

Each client has its own, so that a guard that reads its errors cannot take those of a procedure. The query
errors (-410 and its kin) cannot arise: a socket is a stream, in which no message interrupts another.
"""

from __future__ import annotations

from collections import deque

QUEUE_LENGTH = 30
OPERATION_COMPLETE, DEVICE_ERROR, EXECUTION_ERROR, COMMAND_ERROR, POWER_ON = 1, 8, 16, 32, 128

ERRORS = {
    0: "No error", -100: "Command error", -101: "Invalid character", -102: "Syntax error",
    -103: "Invalid separator", -104: "Data type error", -108: "Parameter not allowed",
    -109: "Missing parameter", -111: "Header separator error", -112: "Program mnemonic too long",
    -113: "Undefined header", -114: "Header suffix out of range", -121: "Invalid character in number",
    -131: "Invalid suffix", -138: "Suffix not allowed", -151: "Invalid string data",
    -161: "Invalid block data", -200: "Execution error", -213: "Init ignored", -221: "Settings conflict",
    -222: "Data out of range", -223: "Too much data", -224: "Illegal parameter value",
    -230: "Data corrupt or stale", -240: "Hardware error", -300: "Device-specific error",
    -350: "Queue overflow", -363: "Input buffer overrun",
}


def _event(code: int) -> int:
    """The bit of the standard event register that an error sets."""
    return {-1: COMMAND_ERROR, -2: EXECUTION_ERROR}.get(-(-code // 100), DEVICE_ERROR)


class Status:
    """Error queue (bounded; the last entry becomes -350 when it overflows) and the four registers."""

    def __init__(self) -> None:
        self.errors: deque[tuple[int, str]] = deque()
        self.event_status = POWER_ON
        self.event_enable = 0
        self.service_enable = 0

    def push(self, code: int, detail: str = "") -> None:
        """An error arrives: into the queue and into the event register."""
        if len(self.errors) >= QUEUE_LENGTH:
            code, detail = -350, ""
            self.errors.pop()
        self.errors.append((code, detail))
        self.event_status |= _event(code)

    def pop(self) -> str:
        """The oldest error as `-113,"Undefined header;:FOO"`; `+0,"No error"` when there is none."""
        code, detail = self.errors.popleft() if self.errors else (0, "")
        text = ERRORS.get(code, "Device-specific error") + (f";{detail}" if detail else "")
        return f'{code:+d},"{text[:250].replace(chr(34), chr(39))}"'

    def read_event_status(self) -> int:
        """ESR; reading clears it."""
        value, self.event_status = self.event_status, 0
        return value

    def clear(self) -> None:
        """*CLS."""
        self.errors.clear()
        self.event_status = 0

    def byte(self) -> int:
        """STB: bit 2 errors waiting, bit 5 event summary, bit 6 master summary."""
        value = 4 * bool(self.errors) + 32 * bool(self.event_status & self.event_enable)
        return value + 64 * bool(value & self.service_enable)
