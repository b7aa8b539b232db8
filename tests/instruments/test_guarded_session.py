"""The guarded session against real sockets that misbehave in the ways sockets do."""

import contextlib
import itertools
import socket
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instruments import Busy, CannotConnect, InstrumentTimeout, PeerClosed, ProtocolError
from instruments.block import read_block
from instruments.guarded_session import GuardedSession
from instruments.shutter import Shutter

IDENTITY = b"Maserbench,Shutter,SIMULATED-1,1.0\n"


class Peer:
    """An instrument on loopback: `answer(line, connection, number)`, number counting the connections."""

    def __init__(self, answer):
        self.answer, self.heard, self.connections = answer, [], 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = []
        self.port = self._listener.getsockname()[1]
        self.resource = f"TCPIP::127.0.0.1::{self.port}::SOCKET"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._sockets.append(connection)
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection, number):
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
            for line in lines:
                line = line.strip()
                self.heard.append(line)
                reply = IDENTITY if line == b"*IDN?" else self.answer(line, connection, number)
                if reply is None:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                connection.sendall(reply)

    def close(self):
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@pytest.fixture
def serve():
    """serve(answer, timeout=s) -> (peer, open session)."""
    with contextlib.ExitStack() as stack:

        def start(answer, timeout=0.4, **more):
            peer = Peer(answer)
            stack.callback(peer.close)
            lines = {"read_termination": "\n", "write_termination": "\n"} | more
            session = GuardedSession(peer.resource, "digitiser", timeout=round(timeout * 1000), **lines)
            stack.callback(session.close)
            return peer, session

        yield start


def ask(session, command):
    with session.turn():
        session.write(command)
        return session.read()


def block(data, announced=None):
    digits = str(len(data) if announced is None else announced).encode()
    return b"#" + str(len(digits)).encode() + digits + data + b"\n"


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_a_refused_port_fails_when_it_is_opened_and_says_where():
    resource = f"TCPIP::127.0.0.1::{unused_port()}::SOCKET"
    with pytest.raises(CannotConnect, match=rf"pump at {resource}.*refused"):
        GuardedSession(resource, "pump", timeout=500)


@pytest.mark.parametrize("resource", ["TCPIP::no-such-host.invalid::5025::SOCKET", "nonsense",
                                      "TCPIP::127.0.0.1::99999::SOCKET", "ASRL99::INSTR"])
def test_a_resource_that_cannot_be_opened_is_named(resource):
    with pytest.raises(CannotConnect, match=f"timing at {resource}"):
        GuardedSession(resource, "timing", timeout=500)


def test_a_peer_that_hangs_up_is_noticed_at_once_and_without_spinning(serve):
    _, session = serve(lambda *_: None, timeout=5)
    began, worked = time.monotonic(), time.process_time()
    with pytest.raises(PeerClosed, match="digitiser"):
        ask(session, "VOLT?")
    assert time.monotonic() - began < 2
    assert time.process_time() - worked < 0.5


def test_a_lost_connection_stays_lost_until_somebody_reopens_it(serve):
    peer, session = serve(lambda line, connection, number: None if number == 1 else b"5\n")
    session.greet()
    with pytest.raises(PeerClosed):
        ask(session, "VOLT?")
    with pytest.raises(PeerClosed, match="reopen"):
        ask(session, "VOLT?")
    assert peer.connections == 1
    session.reopen()
    assert ask(session, "VOLT?") == "5"


def test_a_peer_that_hangs_up_in_the_middle_of_a_block_is_noticed_at_once(serve):
    def half(line, connection, number):
        connection.sendall(block(bytes(1000))[:500])

    _, session = serve(half, timeout=5)
    session.write("DATA?")
    began = time.monotonic()
    with pytest.raises(PeerClosed, match="of which 494 came"):
        read_block(session, 1000)
    assert time.monotonic() - began < 2


def test_half_a_block_ends_at_the_deadline_and_says_how_much_came(serve):
    _, session = serve(lambda line, *_: block(bytes(1000))[:500] if line == b"DATA?" else b'0,"No error"\n')
    session.write("DATA?")
    with pytest.raises(InstrumentTimeout, match="of which 494 came"):
        read_block(session, 1000)
    assert ask(session, "SYST:ERR?") == '0,"No error"'     # nothing of the block is left on the line


def test_a_write_that_the_peer_does_not_take_has_a_deadline(serve):
    release = threading.Event()

    def stubborn(line, connection, number):
        if number == 1:
            release.wait(10)      # reads nothing more
        return b'0,"No error"\n'

    _, session = serve(stubborn, timeout=0.5)
    session.write("HANG")
    began = time.monotonic()
    with pytest.raises(InstrumentTimeout):
        session.write_bytes(bytes(50_000_000))
    assert time.monotonic() - began < 4
    release.set()


def test_a_late_answer_is_never_taken_for_the_answer_to_the_next_question(serve):
    def slow(line, connection, number):
        if line == b"SLOW?":
            time.sleep(0.7)
            return b"late\n"
        return b'0,"No error"\n' if line == b"SYST:ERR?" else b"fresh\n"

    peer, session = serve(slow, timeout=0.3)
    session.greet()
    with pytest.raises(InstrumentTimeout, match="SLOW"):
        ask(session, "SLOW?")
    for _ in range(5):
        assert ask(session, "FAST?") == "fresh"
        time.sleep(0.1)
    assert peer.heard.count(b"SLOW?") == 1, "a question that timed out must not be sent again"


def test_a_timeout_says_what_the_error_queue_says(serve):
    _, session = serve(lambda line, *_: b'-113,"Undefined header"\n' if line == b"SYST:ERR?" else b"")
    with pytest.raises(InstrumentTimeout, match="-113,\"Undefined header\""):
        ask(session, "NONSENSE?")


def test_an_instrument_that_never_answers_again_is_said_to_be_so(serve):
    _, session = serve(lambda *_: time.sleep(2) or b"", timeout=0.2, hello="NAME?")
    with pytest.raises(InstrumentTimeout, match="does not answer either"):
        ask(session, "VOLT?")


def test_another_instrument_behind_the_same_address_is_not_spoken_to(serve):
    peer, session = serve(lambda line, connection, number: b"%d\n" % number, hello="NAME?")
    assert session.greet() == "1"
    with pytest.raises(ProtocolError, match=r"'2' answers; expected '1'"):
        session.reopen()
    with pytest.raises(PeerClosed):
        ask(session, "VOLT?")
    assert b"VOLT?" not in peer.heard


def test_an_extra_line_end_harms_nobody(serve):
    _, session = serve(lambda *_: b"5\n\r\n")
    for _ in range(3):
        assert ask(session, "VOLT?") == "5"
        time.sleep(0.02)


def test_an_answer_that_nobody_asked_for_is_an_error_and_then_gone(serve):
    _, session = serve(lambda line, *_: b"5\n6\n" if line == b"TWICE?" else b"7\n")
    assert ask(session, "TWICE?") == "5"
    time.sleep(0.05)
    with pytest.raises(ProtocolError, match="6"):
        ask(session, "VOLT?")
    assert ask(session, "VOLT?") == "7"


@pytest.mark.parametrize("reply", [block(bytes(10), announced=8), b"-1.0E0\n", b"#08" + b"\n" * 10,
                                   b"#2xx12\n", block(bytes(12)), block(b"", announced=10**12)])
def test_a_block_that_is_none_or_of_another_length_is_refused(serve, reply):
    _, session = serve(lambda line, *_: reply if line == b"DATA?" else b"7\n")
    session.write("DATA?")
    with pytest.raises(ProtocolError, match=r"digitiser.*DATA\?"):
        read_block(session, 10 if reply != block(bytes(10), announced=8) else 8)
    assert ask(session, "VOLT?") == "7"


@pytest.mark.parametrize("data", [b"", b"\n", b"\n" * 5000, bytes(range(256)) * 40, b"#15hallo\n"])
def test_a_block_may_hold_any_bytes(serve, data):
    _, session = serve(lambda line, *_: block(data) if line == b"DATA?" else b"7\n")
    session.write("DATA?")
    assert read_block(session, len(data)) == data
    assert ask(session, "VOLT?") == "7"


def test_binary_rubbish_is_no_text(serve):
    _, session = serve(lambda line, *_: b"\xff\xfe\n" if line == b"BAD?" else b"7\n")
    with pytest.raises(ProtocolError, match="expected text"):
        ask(session, "BAD?")
    assert ask(session, "VOLT?") == "7"


def test_the_safe_state_gets_through_while_a_transfer_hangs(serve):
    def hang(line, connection, number):
        if line == b"DATA?":
            connection.sendall(b"#41000")
            time.sleep(10)
        return b"5\n"

    _, session = serve(hang, timeout=8)
    session.greet()
    failed = []

    def transfer():
        try:
            with session.turn():
                session.write("DATA?")
                read_block(session, 1000)
        except PeerClosed as problem:
            failed.append(problem)

    worker = threading.Thread(target=transfer)
    worker.start()
    time.sleep(0.2)
    began = time.monotonic()
    with session.urgent():
        assert ask(session, "SAFE?") == "5"
    assert time.monotonic() - began < 0.5
    worker.join(2)
    assert len(failed) == 1, "the hung transfer must end with an error"
    assert session.timeout == 8


def test_an_answer_to_a_question_broken_off_by_ctrl_c_is_not_taken_for_another(serve):
    def slow(line, connection, number):
        time.sleep(0.2 if line == b"SLOW?" else 0)
        return line.removesuffix(b"?") + b"\n"

    _, session = serve(slow, timeout=2)
    with pytest.raises(KeyboardInterrupt), session.turn():
        session.write("SLOW?")
        raise KeyboardInterrupt
    assert ask(session, "FAST?") == "FAST"


def test_nothing_is_read_from_a_line_that_is_in_doubt(serve):
    _, session = serve(lambda *_: b"no block\n")
    session.write("DATA?")
    with pytest.raises(ProtocolError):
        read_block(session)
    with pytest.raises(PeerClosed, match="closed"):
        session.read()


def test_the_safe_state_of_a_silent_instrument_is_unknown_within_a_second(serve):
    _, session = serve(lambda *_: b"", timeout=5)
    shutter = Shutter(session, role="shutter")
    session.greet()
    began = time.monotonic()
    with pytest.raises(InstrumentTimeout, match="digitiser at TCPIP"):
        shutter.make_safe()
    report = shutter.verify_safe()
    assert time.monotonic() - began < 1.0
    assert report.safe is None
    assert report.role == "shutter"


def test_whoever_waits_too_long_for_his_turn_is_told_why(serve):
    _, session = serve(lambda *_: b"5\n")
    held, done = threading.Event(), threading.Event()

    def hold():
        with session.turn():
            held.set()
            done.wait(5)

    worker = threading.Thread(target=hold)
    worker.start()
    held.wait(5)
    with pytest.raises(Busy, match="another thread"), session.turn(patience=0.1):
        pass
    done.set()
    worker.join()


def test_questions_of_several_threads_do_not_mix(serve):
    _, session = serve(lambda line, *_: line.removesuffix(b"?") + b"\n", timeout=5)
    wrong = []

    def many(name):
        for n in range(200):
            if ask(session, f"{name}{n}?") != f"{name}{n}":
                wrong.append((name, n))

    threads = [threading.Thread(target=many, args=(name,)) for name in "ABCD"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []


def test_closing_twice_is_no_error(serve):
    _, session = serve(lambda *_: b"5\n")
    session.close()
    session.close()
    with pytest.raises(PeerClosed, match="closed"):
        session.write("VOLT 1")


def in_pieces(data, cuts):
    edges = [0, *sorted(cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges) if b > a]


ANSWERS = st.one_of(st.text("abcXYZ0189+-., ", max_size=30), st.binary(max_size=300))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.lists(ANSWERS, min_size=1, max_size=6), data=st.data())
def test_answers_in_pieces_of_any_size_are_put_together(piecewise, answers, data):
    session, pieces = piecewise
    for answer in answers:
        wire = answer.encode() + b"\n" if isinstance(answer, str) else block(answer)
        pieces[:] = in_pieces(wire, data.draw(st.lists(st.integers(0, len(wire)), max_size=4)))
        session.write("NEXT?")
        found = session.read() if isinstance(answer, str) else bytes(read_block(session, len(answer)))
        assert found == answer


@pytest.fixture
def piecewise(serve):
    pieces = []

    def send(line, connection, number):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces[:-1]:
            connection.sendall(piece)
            time.sleep(0.0005)
        return pieces[-1]

    _, session = serve(send, timeout=5)
    return session, pieces


def test_a_visa_library_without_raw_sockets_is_guarded_as_far_as_it_goes(serve, monkeypatch):
    # Stands for NI's and Keysight's libraries: nothing to mend is found in their sessions.
    monkeypatch.setattr("instruments.guarded_session.mend", lambda connection: None)

    def answer(line, connection, number):
        if line == b"SLOW?":
            time.sleep(0.7)
        return block(bytes(range(256))) if line == b"DATA?" else b'0,"No error"\n'

    _, session = serve(answer, timeout=0.3)
    session.greet()
    session.write("DATA?")
    assert read_block(session, 256) == bytes(range(256))
    with pytest.raises(InstrumentTimeout, match="SLOW"):
        ask(session, "SLOW?")
    assert ask(session, "*IDN?") == IDENTITY.decode().strip()
    with session.urgent():
        assert ask(session, "SYST:ERR?") == '0,"No error"'
