"""How a reply leaves when a fault of the line strikes: late, cut, halved, with a wrong length."""

from __future__ import annotations

from twin.bench_faults import FaultOrder

from .faults import Faults
from .tcp_server import Delivery, Tamper

_NEVER = 1e9  # [s]


def tamper_for(role: str, faults: Faults) -> Tamper:
    """What the server asks before each reply of `role`."""

    def tamper(message: bytes, reply: bytes) -> Delivery:
        fault = faults.for_reply(role, message, reply)
        return Delivery(reply) if fault is None else spoilt(fault, reply)

    return tamper


def spoilt(fault: FaultOrder, reply: bytes) -> Delivery:
    """The delivery that a fault makes of a reply."""
    if fault.name == "timeout":
        return Delivery(reply, delay=fault.severity)
    if fault.name == "scope_hang":
        return Delivery(reply, delay=_NEVER)
    if fault.name == "dropped_connection":
        return Delivery(reply[:int(len(reply) * fault.severity)], cut=True)
    if fault.name == "half_block":
        return Delivery(reply[:int(len(reply) * fault.severity)])
    if fault.name == "wrong_length":
        return Delivery(_announce(reply, int(fault.severity)))
    return Delivery(reply)


def _announce(reply: bytes, surplus: int) -> bytes:
    """The same bytes with `surplus` more announced."""
    digits = reply[1] - 0x30
    length = int(reply[2:2 + digits]) + surplus
    return b"#%d%s" % (digits, str(length).zfill(digits).encode()[-digits:]) + reply[2 + digits:]
