"""How fast records come over loopback through VISA: single blocks, whole shots, segments, round trips.

    python tests/benchmarks/block_transfer.py

First against a server that only sends: PyVISA, pyvisa-py and the guarded session alone. Then whole shots
(arm, trigger, wait, read) on a bench served in this very process, its laser off: once with its own physics,
which is what the software bench can do, and once with records made beforehand, which is what drivers and wire
can do. Medians, since other programs run beside this one.
"""

import asyncio
import itertools
import socket
import statistics
import sys
import threading
import time
from importlib.resources import files
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import instruments
from instruments.keysight_infiniium import KeysightInfiniium
from mock_devices import virtual_cavity
from mock_devices.burst import Burst
from mock_devices.serve import assemble

POINTS = {1: 1_000_000, 2: 20_000}      # channel -> samples
CHANNELS = {"burst": (1, 1.6, 0.0), "photodiode": (2, 1.6, 0.7), "log": (3, 1.6, 1.0)}
SEGMENTS = 200


# --- a server that only sends ---


def block(points):
    data = (np.arange(points) % 1000 - 500).astype("<i2").tobytes()
    return b"#8%08d" % len(data) + data + b"\n"


def serve(connection):
    blocks, channel = {n: block(points) for n, points in POINTS.items()}, 1
    with connection, connection.makefile("rb") as lines:
        for line in lines:
            command = line.strip()
            if command.startswith(b":WAV:SOUR CHAN"):
                channel = int(command[14:15])
                preamble = b"2,1,%d,1,2E-9,-2E-6,0,1E-3,5E-4,0,2\n" % POINTS[channel]
                connection.sendall(b"CHAN%d;" % channel + preamble)
            elif command == b":WAV:DATA?":
                connection.sendall(blocks[channel])
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


def blocks_alone():
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    resource = f"TCPIP::127.0.0.1::{listener.getsockname()[1]}::SOCKET"
    digitiser: KeysightInfiniium = instruments.connect(
        "instruments.keysight_infiniium.KeysightInfiniium", resource, "digitiser")
    digitiser.ask(":WAV:SOUR CHAN1;SOUR?;PRE?")
    megasample = timed(lambda: transfer(digitiser), 50)
    record = timed(lambda: digitiser.read_channel(2), 500)
    print(f"1 Mpt int16 block: {1e3 * megasample:.2f} ms, {2 * POINTS[1] / megasample / 1e6:.0f} MB/s")
    print(f"20 kpt record with its scale: {1e3 * record:.2f} ms, {1 / record:.0f} per second")
    digitiser.disconnect()


# --- a bench in this process ---


def bench_here():
    """Digitiser and timing of the bench that ships, served from a thread of this process."""
    text = (files("procedures") / "benches" / "virtual.toml").read_text(encoding="utf-8")
    bench = assemble(text, "virtual.toml")
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    for step in (bench.bind, bench.start):
        asyncio.run_coroutine_threadsafe(step(), loop).result(20)
    return [instruments.connect(
        bench.description.roles[role].driver, f"TCPIP::127.0.0.1::{bench.endpoints[role].port}::SOCKET", role)
        for role in ("digitiser", "timing")]


def shot(digitiser, timing):
    digitiser.arm()
    timing.fire()
    digitiser.wait(5.0)
    return digitiser.read()


def segments(digitiser, timing):
    digitiser.arm()
    for _ in range(SEGMENTS):
        timing.fire()
    digitiser.wait(5.0)
    return digitiser.read_segments()


def with_records_made_beforehand():
    """From here on the bench hands out eight records in turn, and computes nothing."""
    random = np.random.default_rng(0)
    ready = itertools.cycle([{n: random.integers(400, 600, POINTS[2]).astype(np.int16) for n in (1, 2, 3)}
                             for _ in range(8)])
    dark = Burst(0.0, np.zeros(4, complex))
    virtual_cavity.compute = lambda order: dark
    virtual_cavity.codes_of = lambda burst, recording: next(ready)


def shots_of(digitiser, timing, physics):
    for names in (("burst",), tuple(CHANNELS)):
        digitiser.configure(500e6, POINTS[2], 2e-6, {name: CHANNELS[name] for name in names})
        seconds = timed(lambda: shot(digitiser, timing), 300)
        print(f"{physics}: 20 kpt shots of {len(names)} channel(s), {1e3 * seconds:.2f} ms, "
              f"{1 / seconds:.0f} per second")
    digitiser.configure(500e6, POINTS[2], 2e-6, {"burst": CHANNELS["burst"]}, segments=SEGMENTS)
    seconds = timed(lambda: segments(digitiser, timing), 3) / SEGMENTS
    print(f"{physics}: {SEGMENTS} segments of 20 kpt, {1e3 * seconds:.2f} ms each, "
          f"{1 / seconds:.0f} per second")


def main():
    blocks_alone()
    digitiser, timing = bench_here()
    print(f"*OPC? round trip: {1e3 * timed(lambda: digitiser.ask('*OPC?'), 2000):.3f} ms")
    timing.configure_shot(q_switch_delay=207e-6)
    timing.release()
    shots_of(digitiser, timing, "own physics")
    with_records_made_beforehand()
    shots_of(digitiser, timing, "records made beforehand")


if __name__ == "__main__":
    main()
