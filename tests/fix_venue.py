"""A tiny scripted venue for tests of the FIX side: accepts one session, records what comes, says what it is told to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import quickfix

from venues.domain.fix_codec import first_values, format_message, parse
from venues.domain.fix_groups import dictionary_text
from venues.domain.post_trade_codes import KINDS

Fields = list[tuple[int, str]]
Script = Callable[[dict[int, str]], list[Fields]]


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def silent(_: dict[int, str]) -> list[Fields]:
    """A venue that never answers."""
    return []


def acknowledging(message: dict[int, str]) -> list[Fields]:
    """Accepts every new order, cancels every cancel, knows every order it is asked for."""
    name = message[11]
    report = [
        (35, "8"), (37, f"V-{message.get(41, name)}"), (17, f"E-{name}"), (11, name), (55, message[55]),
        (54, message[54]), (60, "20261120-10:00:00.000"),
    ]  # fmt: skip
    quantity = message.get(38, "0")
    if message[35] == "D":
        return [[*report, (150, "0"), (39, "0"), (38, quantity), (14, "0"), (151, quantity), (6, "0")]]
    if message[35] == "F":
        return [[*report, (41, message[41]), (150, "4"), (39, "4"), (38, quantity), (14, "0"), (151, "0"), (6, "0")]]
    if message[35] == "H":
        return [[*report, (150, "I"), (39, "0"), (14, "0"), (151, "0"), (6, "0")]]
    return []


def knows_nothing(message: dict[int, str]) -> list[Fields]:
    """Answers a status request with 'unknown order', is silent otherwise."""
    if message[35] != "H":
        return []
    return [
        [
            (35, "8"), (37, "NONE"), (17, "0"), (11, message[11]), (55, message[55]), (54, message[54]),
            (150, "I"), (39, "8"), (103, "5"), (38, "0"), (14, "0"), (151, "0"), (6, "0"), (58, "unknown order"),
        ]
    ]  # fmt: skip


def listing(orders: list[Fields]) -> Script:
    """Answers a mass status request: one status report an order (its own fields given), or that there is none."""
    head: Fields = [(35, "8"), (17, "0"), (150, "I"), (6, "0")]

    def answer(message: dict[int, str]) -> list[Fields]:
        if not orders:
            return [
                [*head, (37, "NONE"), (39, "8"), (14, "0"), (151, "0"), (584, message[584]), (911, "0"), (912, "Y")]
            ]
        return [
            [*head, *order, (584, message[584]), (911, str(len(orders))), (912, "Y" if n == len(orders) else "N")]
            for n, order in enumerate(orders, 1)
        ]

    return answer


class Filling:
    """A venue with a memory: acknowledges and fills each new order, and answers for it when asked."""

    def __init__(self) -> None:
        self.known: set[str] = set()

    def __call__(self, message: dict[int, str]) -> list[Fields]:
        name = message[11]
        if message[35] == "H" and name not in self.known:
            return knows_nothing(message)
        report = [
            (35, "8"), (37, f"V-{name}"), (11, name), (55, message[55]), (54, message[54]),
            (60, "20261120-10:00:00.000"),
        ]  # fmt: skip
        if message[35] == "H":
            return [[*report, (17, "0"), (150, "I"), (39, "2"), (38, "1000"), (14, "1000"), (151, "0"), (6, "72.5")]]
        self.known.add(name)
        quantity = message[38]
        return [
            [*report, (17, f"A-{name}"), (150, "0"), (39, "0"), (38, quantity), (14, "0"), (151, quantity), (6, "0")],
            [
                *report, (17, f"T-{name}"), (150, "F"), (39, "2"), (38, quantity), (32, quantity), (31, "72.5"),
                (14, quantity), (151, "0"), (6, "72.5"),
            ],
        ]  # fmt: skip


class _Callbacks(quickfix.Application):  # type: ignore[misc]
    def __init__(self, venue: ScriptedVenue) -> None:
        super().__init__()
        self._venue = venue

    def onCreate(self, session_id: quickfix.SessionID) -> None:
        pass

    def onLogon(self, session_id: quickfix.SessionID) -> None:
        self._venue.logged_on.set()

    def onLogout(self, session_id: quickfix.SessionID) -> None:
        self._venue.logged_on.clear()

    def toAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        pass

    def fromAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        self._venue.admin.append(first_values(parse(message.toString())))

    def toApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        self._venue.said.append(first_values(parse(message.toString())))

    def fromApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        raw = message.toString()
        heard = first_values(parse(raw))
        if heard[35] in KINDS:
            self._venue.post_trade.append(raw)
            for fields in self._venue.answer_post_trade(raw):
                self._venue.say(fields)
            return
        if heard[35] == "AF":
            self._venue.asked_all.append(heard)
            for fields in self._venue.list_open(heard):
                self._venue.say(fields)
            return
        self._venue.heard.append(heard)
        for fields in self._venue.script(heard):
            self._venue.say(fields)


class ScriptedVenue:
    """Listens on ``port`` as VENUE for OMS. ``heard`` and ``said`` are application messages, ``admin`` the others.

    Mass status requests go to ``asked_all`` and are answered by ``list_open``: unless told otherwise nothing is open.
    Post-trade messages go to ``post_trade`` as raw text and are answered by ``answer_post_trade``.
    """

    def __init__(
        self, store: Path, *, port: int, script: Script = acknowledging, begin_string: str = "FIX.4.4"
    ) -> None:
        self.script = script
        self.heard: list[dict[int, str]] = []
        self.said: list[dict[int, str]] = []
        self.admin: list[dict[int, str]] = []
        self.asked_all: list[dict[int, str]] = []
        self.list_open: Script = listing([])
        self.post_trade: list[str] = []
        self.answer_post_trade: Callable[[str], list[Fields]] = lambda _: []
        self.logged_on = threading.Event()
        store.mkdir(parents=True, exist_ok=True)
        dictionary = store / "groups.xml"
        dictionary.write_text(dictionary_text(begin_string))
        self._begin_string, self._dictionary = begin_string, quickfix.DataDictionary(str(dictionary))
        path = store / "venue.cfg"
        path.write_text(
            "[DEFAULT]\nConnectionType=acceptor\nNonStopSession=Y\nStartTime=00:00:00\nEndTime=00:00:00\n"
            f"UseDataDictionary=Y\nDataDictionary={dictionary}\nAllowUnknownMsgFields=Y\nValidateFieldsOutOfOrder=N\n"
            f"ValidateUserDefinedFields=N\nSocketAcceptPort={port}\nSocketReuseAddress=Y\nFileStorePath={store}\n"
            "AllowedRemoteAddresses=127.0.0.1\nCheckLatency=N\nSocketNodelay=Y\n"
            f"[SESSION]\nBeginString={begin_string}\nSenderCompID=VENUE\nTargetCompID=OMS\n"
        )
        self._callbacks = _Callbacks(self)
        self._settings = quickfix.SessionSettings(str(path))
        self._store = quickfix.FileStoreFactory(self._settings)
        self._acceptor: quickfix.SocketAcceptor | None = quickfix.SocketAcceptor(
            self._callbacks, self._store, self._settings
        )
        self._session_id = quickfix.SessionID(begin_string, "VENUE", "OMS")
        self._acceptor.start()

    def say(self, fields: Fields) -> None:
        """Send one message, or keep it for a resend request while nobody is logged on."""
        (_, msg_type), *body = fields
        if msg_type in KINDS:
            told = quickfix.Message(format_message(self._begin_string, fields), self._dictionary, False)
            quickfix.Session.sendToTarget(told, self._session_id)
            return
        message = quickfix.Message()
        message.getHeader().setField(35, msg_type)
        for tag, value in body:
            message.setField(tag, value)
        quickfix.Session.sendToTarget(message, self._session_id)

    def heard_of(self, msg_type: str) -> list[dict[int, str]]:
        """Application messages of one type, as heard."""
        return [message for message in self.heard if message[35] == msg_type]

    def stop(self) -> None:
        """Cut the line, free the port and, by letting go of the engine's object, the session's name."""
        acceptor, self._acceptor = self._acceptor, None
        if acceptor is not None:
            acceptor.stop(True)


def wait_until(condition: Callable[[], bool], *, seconds: float = 30, what: str = "the condition") -> None:
    """Poll every 20 ms; AssertionError when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds} s"
        time.sleep(0.02)
