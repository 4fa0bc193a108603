"""The FIX engine behind the venue: QuickFIX as acceptor, callbacks that only queue, a listener kept local.

What the engine does on its own, and what is done about it
* It binds every interface and has no list of allowed addresses: it is let listen on a free port, and that socket is
  then replaced, under its file number, by one bound to the wanted host and port. Off loopback only when told so.
* It ends the process when a callback raises: callbacks catch everything.
* It reports a message as sent while nobody is logged on. That is wanted here: the message is stored under its
  number and goes out when the member asks for what it missed. For this ``PersistMessages`` stays on.
* Whatever it is told, it forgets its numbers when a new week begins (Sunday, 00:00 UTC) or when its store is from
  another week. A venue that forgot would count from 1 under a member who did not: so the store is dated anew at
  each start, and around that moment the engine is taken down and a new one made (``pause``, ``renew``).
* It knows no repeating groups: it gets a dictionary of nothing else, as the gateway's engine does.
* ``stop`` must be called before the process ends.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import stat
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import quickfix

from kernel.clock import utc_now
from venues.domain.fix_codec import Fields, format_message
from venues.domain.fix_groups import dictionary_text
from venues.simulator.dialect42 import BEGIN_STRING, to_fix42
from venues.simulator.fields import TAGS

log = logging.getLogger("venues.simulator")

QUEUE_LIMIT = 20_000
LISTEN_BACKLOG = 16
STORE_TIME = "%Y%m%d-%H:%M:%S"
SATURDAY = 6
BREAK_FROM_S = 56


@dataclass(frozen=True, slots=True)
class VenueSession:
    """A FIX session as the venue sees it. ``port`` 0 takes any free one."""

    name: str
    comp_id: str
    member_comp_id: str
    port: int
    begin_string: str = "FIX.4.4"


@dataclass(frozen=True, slots=True)
class Heard:
    """A raw application message from a member."""

    session: str
    raw: str


class NotLoopback(Exception):
    """The venue was asked to listen where other machines reach it, and nobody said that this is wanted."""


class _Callbacks(quickfix.Application):  # type: ignore[misc]
    """Called by the engine's thread; hands over and returns."""

    def __init__(self, names: Mapping[str, str], inbox: queue.Queue[Heard]) -> None:
        super().__init__()
        self._names = names
        self._inbox = inbox
        self.logged_on: set[str] = set()
        self.overflow: deque[Heard] = deque(maxlen=QUEUE_LIMIT)

    def onCreate(self, session_id: quickfix.SessionID) -> None:
        """Nothing to do."""

    def onLogon(self, session_id: quickfix.SessionID) -> None:
        """Remember who is there."""
        self.logged_on.add(self._names.get(session_id.toString(), ""))

    def onLogout(self, session_id: quickfix.SessionID) -> None:
        """Remember who left."""
        self.logged_on.discard(self._names.get(session_id.toString(), ""))

    def toAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        """Nothing to do."""

    def fromAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        """Nothing to do."""

    def toApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        """Nothing to do."""

    def fromApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        """Queue the text of the message; a full queue is answered by the matching thread with a business reject."""
        try:
            heard = Heard(self._names[session_id.toString()], message.toString())
            try:
                self._inbox.put_nowait(heard)
            except queue.Full:
                self.overflow.append(heard)
        except Exception:
            log.exception("A message could not be queued")


class Acceptor:
    """Listens for members, queues what they say, sends reports. Raises NotLoopback for an unwanted host."""

    def __init__(
        self, sessions: Sequence[VenueSession], *, store: Path, host: str = "127.0.0.1", off_loopback: bool = False
    ) -> None:
        if not off_loopback and not ip_address(host).is_loopback:
            raise NotLoopback(f"The simulator will not listen on {host}: it is not a loopback address.")
        store.mkdir(parents=True, exist_ok=True)
        self._host = host
        self._sessions = sessions
        self._store = store
        self.inbox: queue.Queue[Heard] = queue.Queue(maxsize=QUEUE_LIMIT)
        self.ports: dict[str, int] = {}
        self._ids = {
            one.name: quickfix.SessionID(one.begin_string, one.comp_id, one.member_comp_id) for one in sessions
        }
        self._callbacks = _Callbacks({sid.toString(): name for name, sid in self._ids.items()}, self.inbox)
        self.store_began = {one.name: store_began(store, one) for one in sessions}
        self._running = False
        self._dictionaries: dict[str, Any] = {}
        for version in {one.begin_string for one in sessions}:
            path = _dictionary_path(store, version)
            path.write_text(dictionary_text(version))
            self._dictionaries[version] = quickfix.DataDictionary(str(path))
        self._build()

    def _build(self) -> None:
        """A new engine over the stores as they are."""
        for one in self._sessions:
            _date_anew(self._store, one)
        self._inner = _free_ports(len(self._sessions))
        settings_file = self._store / "acceptor.cfg"
        settings_file.write_text(_settings(self._sessions, self._inner, self._store))
        self._settings = quickfix.SessionSettings(str(settings_file))
        self._store_factory = quickfix.FileStoreFactory(self._settings)
        self._engine: Any = quickfix.SocketAcceptor(self._callbacks, self._store_factory, self._settings)

    @property
    def logged_on(self) -> frozenset[str]:
        """Names of the sessions that are logged on now."""
        return frozenset(self._callbacks.logged_on)

    @property
    def overflow(self) -> deque[Heard]:
        """Messages the queue had no room for."""
        return self._callbacks.overflow

    def start(self) -> None:
        """Listen. Raises OSError when a port is taken."""
        wanted: list[socket.socket] = []
        try:
            for one in self._sessions:
                wanted.append(_listener(self._host, self.ports.get(one.name, one.port)))
            self._engine.start()
            self._running = True
            listening = _listening_sockets()
            for one, inner, ours in zip(self._sessions, self._inner, wanted, strict=True):
                number = listening[inner]
                ours.setblocking(os.get_blocking(number))
                self.ports[one.name] = ours.getsockname()[1]
                os.dup2(ours.fileno(), number, inheritable=False)
        finally:
            for ours in wanted:
                ours.close()

    def send(self, session: str, report: Mapping[str, str]) -> None:
        """Store a report under its number and send it; when nobody is logged on it waits for the member to ask."""
        if self._ids[session].getBeginString().getValue() == BEGIN_STRING:
            report = to_fix42(report)
        message = quickfix.Message()
        header = message.getHeader()
        for name, value in report.items():
            if not value:  # FIX has no empty fields; the member would refuse the whole message
                continue
            field = quickfix.StringField(TAGS[name], value)
            if name in ("msg_type", "poss_resend"):
                header.setField(field)
            else:
                message.setField(field)
        quickfix.Session.sendToTarget(message, self._ids[session])

    def send_fields(self, session: str, fields: Fields) -> None:
        """Send a message with groups, MsgType (35) first; otherwise as ``send``."""
        version = self._ids[session].getBeginString().getValue()
        message = quickfix.Message(format_message(version, fields), self._dictionaries[version], False)
        quickfix.Session.sendToTarget(message, self._ids[session])

    def drop_connection(self, session: str) -> None:
        """Cut the line without a logout, as a network would."""
        found = quickfix.Session.lookupSession(self._ids[session])
        if found is not None:
            found.disconnect()

    def stop(self) -> None:
        """Log out and stop listening; safe to call twice."""
        if self._running:
            self._running = False
            self._engine.stop()
            self._callbacks.logged_on.clear()

    def pause(self) -> None:
        """Log everybody out and stop listening; reports sent meanwhile wait in the store."""
        self.stop()

    def renew(self) -> None:
        """After a pause: a new engine with the old numbers. Raises OSError when a port was taken meanwhile."""
        self._engine = None  # the engine frees its session names only when nothing refers to it any more
        self._build()
        self.start()


def _settings(sessions: Sequence[VenueSession], ports: Sequence[int], store: Path) -> str:
    lines = [
        "[DEFAULT]",
        "ConnectionType=acceptor",
        "StartDay=Sunday",
        "EndDay=Sunday",
        "StartTime=00:00:00",
        "EndTime=00:00:00",
        "UseDataDictionary=Y",
        "ValidateFieldsOutOfOrder=N",
        "ValidateUserDefinedFields=N",
        "AllowUnknownMsgFields=Y",
        "PersistMessages=Y",
        "CheckLatency=N",
        "ResetOnLogon=N",
        "ResetOnLogout=N",
        "ResetOnDisconnect=N",
        "SendRedundantResendRequests=N",
        "SocketNodelay=Y",
        "SocketReuseAddress=Y",
        f"FileStorePath={store}",
    ]
    for one, port in zip(sessions, ports, strict=True):
        lines += [
            "[SESSION]",
            f"BeginString={one.begin_string}",
            f"DataDictionary={_dictionary_path(store, one.begin_string)}",
            f"SenderCompID={one.comp_id}",
            f"TargetCompID={one.member_comp_id}",
            f"SocketAcceptPort={port}",
        ]
    return "\n".join(lines) + "\n"


def _dictionary_path(store: Path, begin_string: str) -> Path:
    return store / f"groups-{begin_string}.xml"


def store_prefix(one: VenueSession) -> str:
    """How the engine names the files of a session: FIX.4.4-SIM1-OMS."""
    return f"{one.begin_string}-{one.comp_id}-{one.member_comp_id}"


def store_began(store: Path, one: VenueSession) -> datetime | None:
    """When the engine last began to count in a session's store; None when there is no store."""
    try:
        text = (store / f"{store_prefix(one)}.session").read_text()
        return datetime.strptime(text[-17:], STORE_TIME).replace(tzinfo=UTC)
    except (OSError, ValueError):
        return None


def _date_anew(store: Path, one: VenueSession) -> None:
    path = store / f"{store_prefix(one)}.session"
    if path.exists():
        path.write_text(utc_now().strftime(STORE_TIME))


def is_weekly_break(at: datetime) -> bool:
    """The last seconds of the week, in which the engine must be down."""
    moment = at.astimezone(UTC)
    return (
        moment.isoweekday() == SATURDAY and (moment.hour, moment.minute) == (23, 59) and moment.second >= BREAK_FROM_S
    )


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    ours = socket.socket(family, socket.SOCK_STREAM)
    try:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ours.bind((host, port))
        ours.listen(LISTEN_BACKLOG)
    except OSError:
        ours.close()
        raise
    return ours


def _free_ports(count: int) -> list[int]:
    """Ports nobody listens on now, for the engine's first and short-lived sockets."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def _listening_sockets() -> dict[int, int]:
    """File numbers of this process's listening TCP sockets by port."""
    found: dict[int, int] = {}
    highest = os.sysconf("SC_OPEN_MAX")
    for number in range(3, min(highest, 4096)):
        try:
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            with socket.socket(fileno=os.dup(number)) as one:
                if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    found[one.getsockname()[1]] = number
        except OSError:
            continue
    return found
