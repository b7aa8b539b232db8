"""The Q-smart laser: message by message, then over TCP against the software instrument that plays it."""

import time
from unittest.mock import MagicMock

import pytest
from pymeasure.test import expected_protocol

from instruments import InstrumentError, NotTaken, PeerClosed, ProtocolError, Refused
from instruments.quantel_qsmart import BEAT, STATES, QSmart
from mock_devices.quantel_qsmart import WATCHDOG
from procedures.machinery.apparatus.guard_process import GuardedBench

OK = (None, "OK")


def said(question, value):
    """A question, and the two lines that answer it."""
    return [(question, f"{question} = {value}"), OK]


SETTABLE = [
    ("crystal_set_point", 51.25, "TEMP1S 51.25", "TEMP1S", "51.25"),
    ("trigger", "lamp external", "TRIG EI", "TRIG", "EI"),
    ("burst_cycles", 3, "QSPAR1 3", "QSPAR1", "3"),
    ("cycle_flashes", 10, "QSPAR2 10", "QSPAR2", "10"),
    ("cycle_pulses", 2, "QSPAR3 2", "QSPAR3", "2"),
    ("q_switch_delay", 137e-9, "QDLY 137", "QDLY", "137"),
    ("sync_delay", -250e-9, "QDLYO -250", "QDLYO", "-250"),
]
READABLE = [
    ("state", "STATE", "7", 7), ("model", "MODEL", "Q-SMART 850", "Q-SMART 850"),
    ("cooling_temperature", "CGTEMP", "31.5", 31.5), ("crystal_temperature", "TEMP1F", "49.9", 49.9),
    ("lamp_voltage", "CAPVSET", "1100", 1100.0), ("lamp_pulse_width", "LPW", "220", 220e-6),
    ("lamp_shots", "SSHOT", "123456", 123456), ("repetition_rate", "PRF", "10.00", 10.0),
    ("identity", "MODEL", "Q-SMART 850", "Quantel,Q-SMART 850,,"),
    ("simulated", "MODEL", "Q-SMART 850", False), ("energy_level", "STATE", "4", "OFF"),
    ("energy_level", "STATE", "5", "MAX"), ("emission", "STATE", "0", "fault"),
    ("emission", "STATE", "2", "off"), ("emission", "STATE", "3", "on"), ("emission", "STATE", "9", "on"),
]
OUT_OF_RANGE = [("crystal_set_point", 44.9), ("trigger", "EE"), ("burst_cycles", 65536),
                ("cycle_flashes", -1), ("cycle_pulses", 65536), ("q_switch_delay", 256e-9),
                ("sync_delay", 501e-9)]


@pytest.mark.parametrize(("name", "value", "order", "question", "answer"), SETTABLE)
def test_a_setting_is_sent_acknowledged_and_read_back(name, value, order, question, answer):
    with expected_protocol(QSmart, [(order, "OK"), *said(question, answer)]) as laser:
        setattr(laser, name, value)
        assert getattr(laser, name) == (value if isinstance(value, str) else pytest.approx(value))


@pytest.mark.parametrize(("name", "question", "answer", "value"), READABLE)
def test_a_measurement_is_asked_and_understood(name, question, answer, value):
    with expected_protocol(QSmart, said(question, answer)) as laser:
        found = getattr(laser, name)
    assert found == (pytest.approx(value) if isinstance(value, float) else value)


@pytest.mark.parametrize(("name", "value"), OUT_OF_RANGE)
def test_a_value_out_of_range_is_refused_before_anything_is_sent(name, value):
    with expected_protocol(QSmart, []) as laser, pytest.raises(ValueError):
        setattr(laser, name, value)


def test_every_property_is_in_these_tables_and_says_what_it_does():
    ours = {name: member for name, member in vars(QSmart).items() if isinstance(member, property)}
    assert set(ours) <= {row[0] for row in (*SETTABLE, *READABLE)}
    for name, member in ours.items():
        assert member.__doc__.startswith(("Get", "Measure", "Control")), name


def test_constructing_the_driver_says_nothing_to_the_laser():
    adapter = MagicMock()
    assert QSmart(adapter, name="mine").name == "mine"
    assert not adapter.method_calls


def test_a_laser_that_refuses_is_heard():
    with (expected_protocol(QSmart, [("QDLY 10", "ERROR out of range")]) as laser,
          pytest.raises(Refused, match="out of range")):
        laser.q_switch_delay = 10e-9


@pytest.mark.parametrize("answer", ["STATE", "2", "", "STATE 2"])
def test_an_answer_without_a_value_is_spoilt(answer):
    with expected_protocol(QSmart, [("STATE", answer)]) as laser, pytest.raises(ProtocolError):
        _ = laser.state


@pytest.mark.parametrize("state", [0, 1])
def test_a_laser_that_is_not_ready_is_not_armed(state):
    with (expected_protocol(QSmart, said("STATE", state)) as laser,
          pytest.raises(Refused, match=f"{STATES[state]}.*ready")):
        laser.arm()


def test_a_lamp_that_does_not_stop_is_an_error():
    pairs = [("QSW 0", "OK"), ("STOP", "OK"), *said("STATE", 4)]
    with (expected_protocol(QSmart, pairs) as laser,
          pytest.raises(NotTaken, match=r"waiting for the shutter.*stopped")):
        laser.disarm()


def test_the_lamp_is_stopped_even_where_the_q_switch_refuses():
    with (expected_protocol(QSmart, [("QSW 0", "ERROR"), ("STOP", "OK")]) as laser, pytest.raises(Refused)):
        laser.disarm()


# --- against the software instrument ----------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(every_role_text, serve_here):
    return serve_here(every_role_text.replace("ekspla_nt.EksplaNT", "quantel_qsmart.QSmart"))


@pytest.fixture
def laser(bench):
    driver = bench.connect("pump")
    yield driver
    driver.make_safe()
    driver.disconnect()


@pytest.mark.parametrize(("name", "value", "order", "question", "answer"), SETTABLE)
def test_a_setting_reaches_the_device(bench, laser, name, value, order, question, answer):
    laser.put(name, value)
    assert bench.devices["pump"].settings[question] == answer


@pytest.mark.parametrize("message", ["QDLY 256", "QDLYO -501", "QSPAR1 65536", "TEMP1S 44", "TRIG XX", "TRIG",
                                     "QSW 2", "CGTEMP 20", "NOTHING", "NOTHING 1", "qdly 5", ""])
def test_the_device_refuses_what_it_cannot_do(laser, message):
    if message in ("", "TRIG"):                 # an empty line is none, and TRIG alone a question
        assert laser.ask("TRIG") in {"II", "EE", "EI", "IE"}
        return
    with pytest.raises(Refused, match="ERROR"):
        laser.ask(message)
    assert laser.state == 2                     # and the line is in step


def test_it_says_that_it_is_simulated_and_is_found_safe(laser):
    assert laser.simulated and laser.one_session
    assert laser.verify_safe().safe is True
    assert laser.settings()["state"] == "ready"


def test_an_armed_laser_fires_and_a_disarmed_one_does_not(bench, laser):
    assert laser.arm() == "on"
    assert bench.cavity.laser.armed and laser.energy_level == "MAX"
    assert laser.verify_safe().safe is False
    laser.disarm()
    assert not bench.cavity.laser.armed and laser.emission == "off"


def test_an_armed_laser_stays_armed_while_its_driver_lives(bench, laser):
    laser.arm()
    time.sleep(WATCHDOG + BEAT)
    assert bench.cavity.laser.armed
    assert laser.emission == "on"


@pytest.mark.parametrize("way", ["disconnect", "silence"])
def test_a_laser_that_nobody_asks_stops_by_itself(bench, laser, way):
    laser.arm()
    if way == "disconnect":
        laser.disconnect()
    else:
        laser._end_heartbeat()                  # the controller hangs: its connection stays open
    time.sleep(WATCHDOG - BEAT)
    assert bench.cavity.laser.armed
    time.sleep(2 * BEAT + 0.3)
    assert not bench.cavity.laser.power
    if way == "disconnect":
        with pytest.raises(PeerClosed):
            _ = laser.state
        laser.adapter.reopen()


def test_the_heartbeat_does_not_disturb_what_others_ask(laser):
    laser.arm()
    deadline = time.monotonic() + 2.5 * BEAT
    while time.monotonic() < deadline:
        assert laser.model.startswith("Q-SMART")
        assert laser.q_switch_delay < 256e-9


def test_an_open_interlock_is_a_fault_and_keeps_it_off(bench, laser):
    laser.arm()
    bench.cavity.laser.trip()
    assert laser.emission == "fault"
    with pytest.raises(Refused, match="fault"):
        laser.arm()
    bench.cavity.laser.reset()
    assert laser.emission == "off"


# --- one connection at a time -----------------------------------------------------------------------


def test_a_second_connection_is_refused_and_the_first_one_stays(bench, laser):
    assert laser.emission == "off"
    began = time.monotonic()
    with pytest.raises(InstrumentError, match="pump"):
        bench.connect("pump")
    assert time.monotonic() - began < 2.0
    assert laser.emission == "off"


def test_whoever_comes_when_the_first_one_has_gone_is_served_at_once(bench, laser):
    for _ in range(20):
        laser.adapter.reopen()                  # the server may still be busy with the old connection's end
    assert laser.emission == "off"


def test_the_guard_waits_for_its_turn_and_stops_the_laser_once_the_controller_has_died(bench, laser):
    roles = {"pump": {"driver": "instruments.quantel_qsmart.QSmart", "resource": bench.resource("pump")}}
    guard = GuardedBench({"roles": roles, "visa": "@py"})
    guard.connect()
    assert guard.look()["later"] == ["pump"]
    laser.arm()
    state = guard.make_safe()                   # the controller hangs, and holds the only connection
    assert (state.verified, state.laser) == (False, "unknown")
    assert bench.cavity.laser.armed
    laser.adapter.close()                       # now it has died
    state = guard.make_safe()
    assert (state.verified, state.laser) == (True, "off")
    assert not bench.cavity.laser.power
    for driver in guard.roles.values():
        driver.disconnect()
    laser.adapter.reopen()
