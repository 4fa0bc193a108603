"""The QuickFIX initiator behind a small, safe face. With the simulator's, the only module that imports the engine.

What the engine does wrong on its own, and what is done about it (each seen, see docs/adr/0006):

* an exception that leaves a callback ends the process: every callback is wrapped, DoNotSend is never raised;
* ``sendToTarget`` says True while the session is down and spends a number: the caller's guard is ``is_logged_on``,
  and ``PersistMessages=N`` makes the engine answer every resend request by gap fill, so nothing ever leaves late;
* leaving without ``stop()`` crashes: ``stop`` is idempotent and runs in a ``finally``;
* it knows no repeating groups: it gets a dictionary of nothing else (``venues.domain.fix_groups``), so that they arrive and leave
  whole and no message is refused on its own judgement;
* callbacks run under the session's lock: they only put the text on a bounded queue. A full queue blocks the engine,
  which stops reading from the socket: back-pressure instead of loss.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import quickfix

from kernel.clock import utc_now
from kernel.errors import InvariantBroken
from kernel.fix import MsgType
from venues.domain.fix_codec import Fields, format_message
from venues.domain.fix_groups import GROUPS, dictionary_text

log = logging.getLogger("venues.gateway")

HEADER = frozenset({97})  # PossResend: the one field of a header that we say, the rest is the engine's
QUEUE_LIMIT = 20_000
QUESTIONS = frozenset({MsgType.ORDER_STATUS_REQUEST.value, MsgType.ORDER_MASS_STATUS_REQUEST.value})


class Happening(StrEnum):
    """What a callback saw."""

    IN = "in"
    OUT = "out"
    LOGGED_ON = "logged_on"
    LOGGED_OUT = "logged_out"


@dataclass(frozen=True, slots=True)
class WireItem:
    """One happening on a session, in the order the engine had it. ``raw`` is empty for the two session changes."""

    happening: Happening
    session: str
    raw: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EngineSession:
    """What the engine must know of one session."""

    name: str
    begin_string: str
    sender_comp_id: str
    target_comp_id: str
    host: str
    port: int
    heartbeat_s: int


def _settings_text(sessions: Sequence[EngineSession], store: Path, reconnect_s: int) -> str:
    lines = [
        "[DEFAULT]",
        "ConnectionType=initiator",
        "NonStopSession=Y",
        "StartTime=00:00:00",
        "EndTime=00:00:00",
        f"ReconnectInterval={reconnect_s}",
        "LogonTimeout=5",
        "LogoutTimeout=2",
        "UseDataDictionary=Y",
        "ValidateFieldsOutOfOrder=N",
        "ValidateUserDefinedFields=N",
        "AllowUnknownMsgFields=Y",
        "PersistMessages=N",
        "CheckLatency=N",
        "SocketNodelay=Y",
        "TimestampPrecision=6",
        "SendRedundantResendRequests=N",
        f"FileStorePath={store}",
    ]
    for session in sessions:
        lines += [
            "[SESSION]",
            f"BeginString={session.begin_string}",
            f"DataDictionary={dictionary_path(store, session.begin_string)}",
            f"SenderCompID={session.sender_comp_id}",
            f"TargetCompID={session.target_comp_id}",
            f"SocketConnectHost={session.host}",
            f"SocketConnectPort={session.port}",
            f"HeartBtInt={session.heartbeat_s}",
        ]
    return "\n".join(lines) + "\n"


def dictionary_path(store: Path, begin_string: str) -> Path:
    """Where the engine finds the dictionary of a version."""
    return store / f"groups-{begin_string}.xml"


class _Callbacks(quickfix.Application):  # type: ignore[misc]
    """Turns callbacks into queue items and lets no exception out."""

    def __init__(self, names: dict[str, str], items: queue.Queue[WireItem]) -> None:
        super().__init__()
        self._names = names
        self._items = items
        self.sent_by_thread = threading.local()

    def _put(self, happening: Happening, session_id: quickfix.SessionID, raw: str = "") -> None:
        try:
            self._items.put(WireItem(happening, self._names[session_id.toString()], raw, utc_now()))
        except Exception:
            log.exception("a callback of the FIX engine failed")

    def onCreate(self, session_id: quickfix.SessionID) -> None:
        """The session exists; numbers are set after this and before the start."""

    def onLogon(self, session_id: quickfix.SessionID) -> None:
        self._put(Happening.LOGGED_ON, session_id)

    def onLogout(self, session_id: quickfix.SessionID) -> None:
        self._put(Happening.LOGGED_OUT, session_id)

    def toAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        self._put(Happening.OUT, session_id, message.toString())

    def fromAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        self._put(Happening.IN, session_id, message.toString())

    def toApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        self.sent_by_thread.raw = message.toString()
        self._put(Happening.OUT, session_id, self.sent_by_thread.raw)

    def fromApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        self._put(Happening.IN, session_id, message.toString())


class Engine:
    """Owns the initiator and its sessions. Not restartable: after ``stop`` make a new one."""

    def __init__(self, sessions: Sequence[EngineSession], *, store: Path, reconnect_s: int = 1) -> None:
        store.mkdir(parents=True, exist_ok=True)
        self.items: queue.Queue[WireItem] = queue.Queue(maxsize=QUEUE_LIMIT)
        self._versions = {s.name: s.begin_string for s in sessions}
        self._dictionaries: dict[str, quickfix.DataDictionary] = {}
        for version in set(self._versions.values()):
            path = dictionary_path(store, version)
            path.write_text(dictionary_text(version))
            self._dictionaries[version] = quickfix.DataDictionary(str(path))
        settings_path = store / "session.settings"
        settings_path.write_text(_settings_text(sessions, store, reconnect_s))
        self._ids = {s.name: quickfix.SessionID(s.begin_string, s.sender_comp_id, s.target_comp_id) for s in sessions}
        self.had_file = {
            s.name: (store / f"{s.begin_string}-{s.sender_comp_id}-{s.target_comp_id}.seqnums").exists()
            for s in sessions
        }
        self._callbacks = _Callbacks({i.toString(): name for name, i in self._ids.items()}, self.items)
        self._settings = quickfix.SessionSettings(str(settings_path))
        self._store_factory = quickfix.FileStoreFactory(self._settings)
        self._initiator: quickfix.SocketInitiator | None = quickfix.SocketInitiator(
            self._callbacks, self._store_factory, self._settings
        )
        self._stopped = False

    def _session(self, name: str) -> quickfix.Session:
        return quickfix.Session.lookupSession(self._ids[name])

    def numbers(self, name: str) -> tuple[int, int]:
        """(next in, next out) as the engine has them."""
        session = self._session(name)
        return int(session.getExpectedTargetNum()), int(session.getExpectedSenderNum())

    def set_numbers(self, name: str, *, next_in: int, next_out: int) -> None:
        """Only before ``start``, or while the session is down."""
        session = self._session(name)
        session.setNextTargetMsgSeqNum(next_in)
        session.setNextSenderMsgSeqNum(next_out)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        if self._initiator is None:
            raise RuntimeError("a stopped engine cannot be started again")
        self._initiator.start()

    def is_logged_on(self, name: str) -> bool:
        """False while stopped, down or logging on."""
        return not self._stopped and bool(self._session(name).isLoggedOn())

    def ask(self, name: str, fields: Fields) -> str:
        """Send a question: it changes nothing at the venue, so it needs no hand-over. Anything else is InvariantBroken."""
        if fields[0][1] not in QUESTIONS:
            raise InvariantBroken("NOT_A_QUESTION", f"A message of type {fields[0][1]} leaves by a hand-over alone.")
        return self.send(name, fields)

    def send(self, name: str, fields: Fields) -> str:
        """Give the engine one message that was handed over; the raw text it made of it, or "" when the session just fell.

        ``fields`` begins with MsgType (35). True order on the session is the order of these calls.
        """
        if not self.is_logged_on(name):
            return ""
        message = self._message(name, fields)
        self._callbacks.sent_by_thread.raw = ""
        quickfix.Session.sendToTarget(message, self._ids[name])
        return str(self._callbacks.sent_by_thread.raw)

    def _message(self, name: str, fields: Fields) -> quickfix.Message:
        """The engine's own form of a message; one with groups is read from text, which keeps their order."""
        (_, msg_type), *body = fields
        if msg_type in GROUPS:
            version = self._versions[name]
            return quickfix.Message(format_message(version, fields), self._dictionaries[version], False)
        message = quickfix.Message()
        message.getHeader().setField(35, msg_type)
        for tag, value in body:
            (message.getHeader() if tag in HEADER else message).setField(tag, value)
        return message

    def stop(self) -> None:
        """Log out and end the engine's threads. Must run before the process ends; a second call does nothing.

        The recorder must still run meanwhile: a full queue would hold the engine's thread.
        """
        initiator, self._initiator = self._initiator, None
        self._stopped = True
        if initiator is not None:
            initiator.stop()
        # The engine keeps sessions by name for the whole process: only the last reference going frees the name.
        del initiator
