"""A device as a table: status, errors, waiting."""

from __future__ import annotations

from concurrent.futures import Future
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_devices.scpi import block
from mock_devices.scpi_device import Later, ScpiDevice, action, query, setting
from mock_devices.scpi_values import Block, Boolean, Choice, Integer, Number


class Toy(ScpiDevice):
    """A level, four channels, an operation that ends when it is told to."""

    identity: ClassVar = "Toy"
    commands: ClassVar = (
        setting(":LEVel", "level", Number("V", -5.0, 5.0), 0.0),
        setting(":CHANnel<n>:COUNt", "channel{0}.count", Integer(0, 99), 7, range(1, 5)),
        setting(":OUTPut[:STATe]", "output", Boolean(), False),
        setting(":MODE", "mode", Choice("FAST", "SLOW"), "FAST"),
        action(":STARt", lambda self, request: self.start()),
        query(":RESult", lambda self, request: Later(self.operation, lambda value: f"{value}")),
        action(":DATA", lambda self, request: setattr(self, "data", request.values[0]), Block()),
        query(":DATA", lambda self, request: block(self.data)),
        query(":BUG", lambda self, request: 1 // 0),
    )

    operation: Future | None = None
    data = b""

    def start(self):
        self.operation = Future()

    def pending(self):
        return self.operation if self.operation and not self.operation.done() else None


@pytest.fixture
def toy(wire_to):
    return wire_to(Toy())


def test_no_error_reads_plus_zero(toy):
    assert toy.ask("SYST:ERR?") == '+0,"No error"'
    assert toy.ask("syst:error:next?") == '+0,"No error"'


def test_errors_queue_in_order_and_clear(toy):
    toy.send(":NONE 1")
    toy.send(":LEV 6")
    toy.send(":LEV")
    toy.send(":LEV 1,2")
    toy.send(":CHAN9:COUN 1")
    codes = [int(toy.ask("SYST:ERR?").split(",")[0]) for _ in range(6)]
    assert codes == [-113, -222, -109, -108, -114, 0]
    toy.send(":NONE")
    toy.send("*CLS")
    assert toy.ask("SYST:ERR:COUN?") == "0"


def test_a_full_queue_ends_with_overflow_and_stays_bounded(toy):
    for _ in range(200):
        toy.send(":NONE")
    assert toy.ask("SYST:ERR:COUN?") == "30"
    entries = [toy.ask("SYST:ERR?") for _ in range(31)]
    assert entries[29] == '-350,"Queue overflow"' and entries[30].startswith("+0")


def test_execution_errors_go_on_and_command_errors_end_the_message(toy):
    assert toy.ask(":LEV 9;*IDN?") == "Toy"
    assert toy.send(":NONE 1;*IDN?") == b""


def test_each_client_has_its_own_errors(toy, wire_to):
    other = wire_to(toy.device)
    toy.send(":NONE")
    assert other.ask("SYST:ERR?").startswith("+0")
    assert toy.ask("SYST:ERR?").startswith("-113")


def test_the_registers_summarise(toy):
    assert toy.ask("*ESR?") == "128" and toy.ask("*ESR?") == "0"
    toy.send("*ESE 32;*SRE 32;:NONE")
    assert toy.ask("*STB?") == str(4 + 32 + 64)
    assert toy.ask("*ESE?") == "32" and toy.ask("*ESR?") == "32" and toy.ask("*STB?") == "4"


@settings(deadline=None, max_examples=60)
@given(st.floats(-5.0, 5.0), st.integers(1, 4), st.integers(0, 99), st.booleans(), st.binary(max_size=99))
def test_every_setting_reads_back_as_set_whatever_the_spelling(wire_to, level, channel, count, output, data):
    toy = wire_to(Toy())
    state = "on" if output else "0"
    toy.send(f":lev {level!r}V;:channel{channel}:coun {count};:Output:STATE {state}")
    toy.send(f":DATA {block(data).decode('latin-1')}")
    assert float(toy.ask(":LEVEL?")) == pytest.approx(level, rel=1e-13, abs=1e-300)
    assert toy.ask(f":CHAN{channel}:COUNT?;:OUTP?") == f"{count};{int(output)}"
    assert toy.send(":DATA?") == block(data) + b"\n"
    assert toy.ask("SYST:ERR?").startswith("+0")


def test_reset_restores_what_the_table_declares(toy):
    toy.send(":LEV 3;:CHAN2:COUN 1;*RST")
    assert toy.ask(":LEV?;:CHAN2:COUN?") == "0;7"


def test_opc_query_holds_its_reply_back_until_the_operation_is_done(toy):
    toy.send(":STAR")
    steps = toy.device.execute(toy.session, b"*OPC?;:LEV?")
    assert next(steps) is toy.device.operation
    toy.device.operation.set_result(None)
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == b"1;0\n"


def test_wai_holds_up_what_follows_and_opc_sets_its_bit_at_the_end(toy):
    toy.send("*CLS;:STAR;*OPC")
    assert toy.ask("*ESR?") == "0"
    steps = toy.device.execute(toy.session, b"*WAI;:LEV 2")
    waiting = next(steps)
    assert toy.ask(":LEV?") == "0"
    waiting.set_result(None)
    with pytest.raises(StopIteration):
        next(steps)
    assert toy.ask(":LEV?;*ESR?") == "2;1"


def test_an_answer_may_come_later(toy):
    toy.send(":STAR")
    steps = toy.device.execute(toy.session, b":RES?")
    next(steps).set_result(42)
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == b"42\n"


def test_a_bug_of_ours_is_an_error_of_the_device_and_not_the_end(toy, capsys):
    toy.send(":BUG?")
    assert toy.ask("SYST:ERR?").startswith("-300")
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_strangers_cannot_fill_the_memory_with_headers(toy):
    for i in range(5000):
        toy.send(f":X{i}")
    assert len(toy.device._known) <= 4097


PIECES = st.sampled_from(
    [b":LEV ", b"*IDN?", b"*OPC?", b";", b":", b",", b"#", b"#15", b"#0", b'"', b"'", b"?", b" ", b"\r",
     b"1e999", b"-5V", b"MAX", b":CHAN2:COUN ", b":DATA ", b"\xff\x00", b"*", b"#H1F", b"SYST:ERR?", b"*RST",
     b"(@1)", b"nan"])


@settings(deadline=None, max_examples=300)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=12))
def test_no_message_whatever_ends_the_conversation(wire_to, pieces):
    toy = wire_to(Toy())
    toy.send(b"".join(pieces).decode("latin-1"))
    toy.send("\n" * 20)  # an announced block may still be waiting for its bytes; the others must not notice
    assert wire_to(toy.device).ask("*IDN?") == "Toy"
    assert all(code > -300 or code in (-350, -363) for code, _ in toy.session.status.errors)


def test_a_letter_that_grows_beyond_its_alphabet_when_capitalised_is_refused_like_any_other(toy):
    toy.send(":MODE \xffast")
    assert toy.ask("SYST:ERR?").startswith("-224,")
    assert toy.ask(":MODE?") == "FAST"
