"""Drivers for real instruments. Knows VISA and PyMeasure; knows nothing of ours beside itself.

`connect` is the way in: it finds a driver, opens a guarded session and learns who answers.
Drivers, PyMeasure and VISA are imported when the first instrument is connected.
"""

from .drivers import connect, load_driver
from .errors import (
    Busy,
    CannotConnect,
    DriverRefused,
    InstrumentError,
    InstrumentTimeout,
    NoTrigger,
    NotTaken,
    PeerClosed,
    ProtocolError,
    Refused,
)
from .roles import SafeReport
from .waveform import Waveform

__all__ = ["Busy", "CannotConnect", "DriverRefused", "InstrumentError", "InstrumentTimeout", "NoTrigger",
           "NotTaken", "PeerClosed", "ProtocolError", "Refused", "SafeReport", "Waveform", "connect",
           "load_driver"]
