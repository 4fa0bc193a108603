"""One POST against real sockets: sound, slow, broken and hostile receivers; names that lead inside; TLS to a pinned address."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from outbound.domain.endpoints import Endpoint, Reach, read_endpoint
from outbound.sending import MOST_ANSWER, Line
from tests.factories.receivers import certificate_for, endpoint, read_request, rude_endpoint

DEMO = Reach(loopback=True)
BODY = b'{"id": "1"}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def line_to(port: int, **more: Any) -> Line:
    return Line(read_endpoint(f"http://127.0.0.1:{port}/hooks?a=b", DEMO), DEMO, **more)


def test_a_sound_receiver_gets_it_whole_and_keeps_the_connection() -> None:
    with endpoint() as there:
        line = line_to(there.port)
        answers = [line.post(BODY, [("OMS-Signature", "a"), ("OMS-Signature", "b")]) for _ in range(3)]
        line.close()
    assert [(one.status, one.error, one.arrived) for one in answers] == [(200, "", True)] * 3
    assert there.connections == 1
    assert there.taken[0].path == "/hooks?a=b"
    assert there.taken[0].body == BODY
    assert there.taken[0].headers["Host"] == f"127.0.0.1:{there.port}"
    assert there.taken[0].headers.get_all("OMS-Signature") == ["a", "b"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (201, ""),
        (204, ""),
        (301, "REDIRECTED"),
        (307, "REDIRECTED"),
        (400, "STATUS_400"),
        (429, "STATUS_429"),
        (500, "STATUS_500"),
    ],
)
def test_only_two_hundreds_are_taken_and_no_redirect_is_followed(status: int, error: str) -> None:
    with endpoint() as there:
        there.answer = lambda taken: status
        line = line_to(there.port)
        answer = line.post(BODY, [])
        line.close()
    assert (answer.status, answer.error) == (status, error)
    assert len(there.taken) == 1


def _says(data: bytes) -> Any:
    def behave(talking: socket.socket) -> None:
        read_request(talking)
        talking.sendall(data)

    return behave


def _drips(talking: socket.socket) -> None:
    """A byte of the head now and then: each arrives in time, the whole never does."""
    read_request(talking)
    for byte in OK * 20:
        talking.sendall(bytes([byte]))
        time.sleep(0.1)


def _silent(talking: socket.socket) -> None:
    time.sleep(1.5)


@pytest.mark.parametrize(
    ("behave", "errors"),
    [
        (_silent, {"TIMED_OUT"}),
        (_drips, {"TIMED_OUT"}),
        (lambda talking: None, {"CONNECTION_LOST"}),
        (_says(b""), {"CONNECTION_LOST"}),
        (_says(b"SSH-2.0-OpenSSH_9.6\r\n"), {"ANSWER_MALFORMED"}),
        (_says(b"HTTP/1.1 abc\r\n\r\n"), {"ANSWER_MALFORMED"}),
        (_says(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n"), {"ANSWER_MALFORMED"}),
        (_says(b"HTTP/1.1 200 " + b"x" * 70_000), {"ANSWER_MALFORMED"}),
        (_says(b"\x16\x03\x01\x00\x05hello"), {"ANSWER_MALFORMED"}),
    ],
    ids=["silent", "drips", "hangs up", "says nothing", "ssh", "no status", "many headers", "long line", "not http"],
)
def test_a_broken_receiver_costs_a_bounded_time_and_has_a_name(behave: Any, errors: set[str]) -> None:
    with rude_endpoint(behave) as port:
        began = time.monotonic()
        answer = line_to(port).post(BODY, [], deadline_s=0.6)
        took = time.monotonic() - began
    assert (answer.status, {answer.error}) == (None, errors)
    assert took < 1.5
    assert answer.ms >= 0


def test_a_huge_answer_is_not_read() -> None:
    sent = []

    def flood(talking: socket.socket) -> None:
        read_request(talking)
        talking.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        talking.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        try:
            while True:
                sent.append(talking.send(b"x" * 65536))
        except OSError:
            return

    with rude_endpoint(flood) as port:
        answer = line_to(port).post(BODY, [], deadline_s=2)
    assert answer.status == 200
    assert answer.arrived, "what it adds to its answer changes nothing"
    assert sum(sent) < 20 * 1024 * 1024
    assert MOST_ANSWER == 16 * 1024


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert line_to(port).post(BODY, [], deadline_s=1).error == "CONNECTION_FAILED"


def test_a_connection_that_was_closed_meanwhile_is_made_again() -> None:
    with endpoint() as there:
        line = line_to(there.port)
        assert line.post(BODY, []).arrived
        assert line._open is not None
        line._open._timed._socket.shutdown(socket.SHUT_RDWR)
        assert line.post(BODY, []).arrived
        line.close()
    assert there.connections == 2


PUBLIC = Endpoint(True, "hooks.example.com", 443, "/")


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["1.1.1.1", "10.0.0.1"],
        ["::1"],
        ["::ffff:10.0.0.1"],
        ["fd00::1"],
        [],
    ],
)
def test_a_name_that_leads_inside_is_not_connected_to(addresses: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: pytest.fail("it connected"))
    answer = Line(PUBLIC, Reach(), look_up=lambda host, port: addresses).post(BODY, [])
    assert (answer.status, answer.error) == (None, "ADDRESS_REFUSED")


def test_a_name_is_looked_up_once_and_the_address_that_was_looked_at_is_the_one_connected_to(tmp_path: Path) -> None:
    """Rebinding: the second answer of the name server would lead inside; nobody asks a second time."""
    served, believed = certificate_for("hooks.example.com", tmp_path)
    names, requests, looked = [], [], []
    served.sni_callback = lambda talking, name, context: names.append(name)

    def behave(talking: socket.socket) -> None:
        requests.append(read_request(talking))
        talking.sendall(OK)

    def look_up(host: str, port: int) -> list[str]:
        looked.append(host)
        return ["127.0.0.1"] if len(looked) == 1 else ["10.0.0.1"]

    with rude_endpoint(behave, context=served) as port:
        place = Endpoint(True, "hooks.example.com", port, "/x")
        answer = Line(place, DEMO, context=believed, look_up=look_up).post(BODY, [])
    assert (answer.status, answer.error) == (200, "")
    assert (names, looked) == (["hooks.example.com"], ["hooks.example.com"])
    assert f"Host: hooks.example.com:{port}\r\n".encode() in requests[0]


def test_a_connection_of_its_own_is_looked_at_anew() -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    with rude_endpoint(_says(OK)) as port:
        line = Line(Endpoint(False, "hooks.example.com", port, "/"), DEMO, look_up=lambda host, at: next(answers))
        assert line.post(BODY, []).arrived
        assert line.post(BODY, []).error == "ADDRESS_REFUSED", "it hung up; the new look-up leads inside"


def test_a_certificate_of_somebody_else_is_not_believed(tmp_path: Path) -> None:
    served, believed = certificate_for("other.example.com", tmp_path)
    with rude_endpoint(_says(OK), context=served) as port:
        place = Endpoint(True, "hooks.example.com", port, "/")
        trusting = Line(place, DEMO, context=believed, look_up=lambda host, at: ["127.0.0.1"]).post(BODY, [])
        strict = Line(place, DEMO, look_up=lambda host, at: ["127.0.0.1"]).post(BODY, [])
    assert trusting.error == strict.error == "TLS_FAILED"


def test_an_unknown_name() -> None:
    def look_up(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    assert Line(PUBLIC, Reach(), look_up=look_up).post(BODY, []).error == "NAME_UNKNOWN"
