"""How fast a record comes over loopback through VISA: 1 Mpt as one block, 20 kpt shots, and round trips.

    python tests/benchmarks/block_transfer.py

The server here only sends; what is measured is PyVISA, pyvisa-py and the guarded session.
"""

import socket
import statistics
import sys
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import instruments
from instruments.keysight_infiniium import KeysightInfiniium

POINTS = {1: 1_000_000, 2: 20_000}      # channel -> samples


def block(points):
    data = (np.arange(points) % 1000 - 500).astype("<i2").tobytes()
    return b"#8%08d" % len(data) + data + b"\n"


def serve(connection):
    blocks, channel = {n: block(points) for n, points in POINTS.items()}, 1
    with connection, connection.makefile("rb") as lines:
        for line in lines:
            command = line.strip()
            if command.startswith(b":WAV:SOUR CHAN"):
                channel = int(command[-1:])
            elif command == b":WAV:DATA?":
                connection.sendall(blocks[channel])
            elif command == b":WAV:PRE?":
                connection.sendall(b"2,1,%d,1,2E-9,-2E-6,0,1E-3,5E-4,0,2\n" % POINTS[channel])
            elif command == b"SYST:ERR?":
                connection.sendall(b'+0,"No error"\n')
            elif command.endswith(b"?"):
                connection.sendall(b"KEYSIGHT TECHNOLOGIES,MSOS254A,SIMULATED-BENCHMARK,1\n")


def accept(listener):
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def timed(action, repeats):
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def transfer(digitiser):
    digitiser.write(":WAV:DATA?")
    np.frombuffer(digitiser.read_block(2 * POINTS[1]), dtype="<i2")


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    resource = f"TCPIP::127.0.0.1::{listener.getsockname()[1]}::SOCKET"
    digitiser: KeysightInfiniium = instruments.connect(
        "instruments.keysight_infiniium.KeysightInfiniium", resource, "digitiser")
    digitiser.source = 1
    megasample = timed(lambda: transfer(digitiser), 30)
    shot = timed(lambda: digitiser.read_channel(2), 300)
    trip = timed(lambda: digitiser.ask("*OPC?"), 2000)
    print(f"1 Mpt int16 block: {1e3 * megasample:.2f} ms, {2 * POINTS[1] / megasample / 1e6:.0f} MB/s")
    print(f"20 kpt record with its scale: {1e3 * shot:.2f} ms, {1 / shot:.0f} per second")
    print(f"round trip: {1e6 * trip:.0f} us")


if __name__ == "__main__":
    main()
