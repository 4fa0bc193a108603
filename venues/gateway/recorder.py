"""The recorder thread: everything the engine saw becomes WireMessage rows, one commit a micro-batch, in order.

Invariants: what the inbox reads was committed first; rows of a session are written under its row lock and only by the
holder of the current fence; a batch that cannot be written for lack of a database is kept and tried again; a single
row that cannot be written is set aside and does not stop the others.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import DataError, InterfaceError, OperationalError, connection, transaction

from journal.bulk import write_rows
from journal.notify import notify
from kernel.crash_points import crash_point
from kernel.ids import shard_of_cl_ord_id
from venues.domain.channels import INBOX_CHANNEL
from venues.domain.error_contract import Refusal, refusal_in
from venues.domain.fix_codec import first_values, mask_secrets, parse, parse_utc_timestamp
from venues.domain.post_trade_codes import KINDS
from venues.domain.session_numbers import expected_by_venue, number_after
from venues.gateway.backlog import Backlog
from venues.gateway.engine import Happening, WireItem
from venues.gateway.patience import bound_transactions
from venues.locks import lock_sessions
from venues.models import FixSession, WireMessage
from venues.services.record_session_event import record_session_event
from venues.services.set_aside_message import set_aside_message

log = logging.getLogger("venues.gateway")

BATCH_LIMIT = 500
LONGEST_PAUSE_S = 2.0
HELD_S = 0.1
REFUSALS_KEPT = 1000  # for the loop to act on at once; what must not be forgotten the inbox acts on
POST_TRADE_TYPES = frozenset(KINDS)
POST_TRADE_TYPE = re.compile(rf"\x0135=(?:{'|'.join(sorted(POST_TRADE_TYPES))})\x01")
INBOX_TYPES = frozenset({"8", "9", "3", "j"}) | POST_TRADE_TYPES
TOUCH_EVERY = timedelta(seconds=1)
_FIELDS = (
    "direction", "session", "epoch", "msg_seq_num", "msg_type", "poss_dup",
    "cl_ord_id", "venue_order_id", "shard", "raw", "sent_at", "recorded_at",
)  # fmt: skip


_REASONS = {
    (True, False): "Our open orders are compared with the venue's.",
    (True, True): "Our open orders are compared with the venue's.",
    (False, True): "The connection ended.",
    (False, False): "The venue does not answer.",
}


class Superseded(Exception):
    """Another gateway holds the fence; this one must end at once."""


@dataclass(slots=True)
class SessionMemo:
    """What the gateway remembers of a session between two touches of its row."""

    name: str
    epoch: str
    next_in: int
    next_out: int
    logged_on: bool = False
    since: datetime | None = None
    last_in_at: datetime | None = None
    last_out_at: datetime | None = None
    touched_at: datetime | None = None
    wanted_out: int | None = None
    refusals: deque[tuple[datetime, Refusal]] = field(default_factory=lambda: deque(maxlen=REFUSALS_KEPT))


@dataclass(slots=True)
class _Batch:
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    changes: list[tuple[SessionMemo, bool, datetime]] = field(default_factory=list)
    for_inbox: bool = False


def clean_text(raw: str) -> str:
    """Text that PostgreSQL can hold: bytes that are not UTF-8 as ``\\xNN``, no NUL, secrets masked."""
    text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return mask_secrets(text.replace("\x00", "\\x00"))


def new_epoch(at: datetime) -> str:
    """A name for one run of sequence numbers; later ones sort after earlier ones."""
    return at.strftime("%Y%m%dT%H%M%S%fZ")


class Recorder(threading.Thread):
    """Drains the engine's queue until told to end and the queue is empty; not while the inbox is too far behind."""

    def __init__(
        self,
        items: queue.Queue[WireItem],
        memos: dict[str, SessionMemo],
        *,
        fence: int,
        backlog: Backlog | None = None,
        post_trade: deque[str] | None = None,
    ) -> None:
        super().__init__(name="recorder", daemon=True)
        self._items = items
        self._backlog = backlog or Backlog(list(memos))
        self.memos = memos
        self._fence = fence
        self._post_trade = deque[str](maxlen=0) if post_trade is None else post_trade
        self._end = threading.Event()
        self.failure: BaseException | None = None
        self._bounded: object = None

    def finish(self) -> None:
        """Write what is queued, then end."""
        self._end.set()

    def run(self) -> None:
        try:
            while not (self._end.is_set() and self._items.empty()):
                if not self._end.is_set() and self._inbox_is_behind():
                    self._end.wait(HELD_S)
                    continue
                batch = self._take()
                if batch:
                    self._write_surely(batch)
        except BaseException as error:  # the gateway's loop sees it and stops the process's work
            self.failure = error
            log.exception("the recorder ended")
        finally:
            connection.close()

    def _inbox_is_behind(self) -> bool:
        try:
            return self._backlog.is_too_long()
        except (OperationalError, InterfaceError):
            connection.close()
            return False  # what must be written waits for the database by itself

    def _take(self) -> list[WireItem]:
        try:
            batch = [self._items.get(timeout=0.1)]
        except queue.Empty:
            return []
        while len(batch) < BATCH_LIMIT:
            try:
                batch.append(self._items.get_nowait())
            except queue.Empty:
                break
        return batch

    def _write_surely(self, items: Sequence[WireItem]) -> None:
        """Write, whatever it takes: wait for the database, split around a row that cannot be written.

        At the end it is tried for some seconds more; what is then not stored the venue sends again, because the next
        gateway asks from the numbers that are.
        """
        pause = 0.1
        while True:
            try:
                self._write(items)
                return
            except (OperationalError, InterfaceError):
                log.warning("the database does not take wire messages; trying again", exc_info=True)
                connection.close()
                if self._end.is_set() and pause >= LONGEST_PAUSE_S:
                    raise
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
            except (DataError, ValueError, KeyError) as error:
                if len(items) == 1:
                    self._set_aside(items[0], error)
                    return
                half = len(items) // 2
                self._write_surely(items[:half])
                self._write_surely(items[half:])
                return

    def _set_aside(self, item: WireItem, error: Exception) -> None:
        set_aside_message(
            source=f"wire:{item.session}",
            position=item.at.isoformat(),
            session=item.session,
            reason=str(error),
            payload={"raw": clean_text(item.raw), "happening": item.happening.value},
            at=item.at,
        )
        self._tell_stored([item])

    def _write(self, items: Sequence[WireItem]) -> None:
        kept = {name: (m.epoch, m.next_in, m.next_out) for name, m in self.memos.items()}
        try:
            self._write_once(items)
        except BaseException:
            for name, (epoch, next_in, next_out) in kept.items():
                memo = self.memos[name]
                memo.epoch, memo.next_in, memo.next_out = epoch, next_in, next_out
            raise
        self._tell_stored(items)

    def _tell_stored(self, items: Sequence[WireItem]) -> None:
        """Texts of post-trade messages that left are told once they are on the record: only then may they be marked."""
        out = (item.raw for item in items if item.happening is Happening.OUT)
        self._post_trade.extend(raw for raw in out if POST_TRADE_TYPE.search(raw))

    def _write_once(self, items: Sequence[WireItem]) -> None:
        self._bounded = bound_transactions(self._bounded)
        with transaction.atomic():
            rows = lock_sessions(names=sorted({item.session for item in items}))
            for name, row in rows.items():
                if row.fence != self._fence:
                    raise Superseded(f"session {name} has fence {row.fence}, ours is {self._fence}")
            batch = _Batch()
            for item in items:
                self._add(batch, item)
            write_rows(WireMessage, batch.rows, fields=_FIELDS)
            if any(row[0] == "out" and row[4] in POST_TRADE_TYPES for row in batch.rows):
                crash_point("before_text_stored")
            for memo, logged_on, at in batch.changes:
                self._change_state(rows[memo.name], memo, logged_on=logged_on, at=at)
            self._touch(rows, items[-1].at, force=bool(batch.changes))
            if batch.for_inbox:
                notify(INBOX_CHANNEL)
                crash_point("before_report_stored")
        if batch.for_inbox:
            crash_point("after_report_stored")

    def _add(self, batch: _Batch, item: WireItem) -> None:
        memo = self.memos[item.session]
        if item.happening in (Happening.LOGGED_ON, Happening.LOGGED_OUT):
            logged_on = item.happening is Happening.LOGGED_ON
            batch.changes.append((memo, logged_on, item.at))
            return
        raw = clean_text(item.raw)
        values = first_values(parse(raw))
        inbound = item.happening is Happening.IN
        refusal = refusal_in(values.get(35, ""), values) if inbound else None
        if refusal is not None:
            memo.refusals.append((item.at, refusal))
        if inbound and values.get(35) == "A" and values.get(141) == "Y":
            memo.epoch = new_epoch(item.at)
        if inbound and values.get(35) == "5":
            memo.wanted_out = expected_by_venue(values.get(58, "")) or memo.wanted_out
        self._count(memo, raw, item, restarted=values.get(141) == "Y")
        about_orders = values[35] not in POST_TRADE_TYPES  # what names several orders, and accounts, is shown with none
        order_id = values.get(37, "") if about_orders else ""
        cl_ord_id = values.get(11, "") if about_orders else ""
        batch.rows.append(
            (
                "in" if inbound else "out",
                memo.name,
                memo.epoch,
                int(values[34]),
                values[35][:3],
                values.get(43) == "Y",
                cl_ord_id[:64],
                "" if order_id == "NONE" else order_id[:64],
                shard_of_cl_ord_id(cl_ord_id),
                raw,
                parse_utc_timestamp(values.get(52, "")),
                item.at,
            )
        )
        batch.for_inbox = batch.for_inbox or (inbound and values[35] in INBOX_TYPES)

    @staticmethod
    def _count(memo: SessionMemo, raw: str, item: WireItem, *, restarted: bool) -> None:
        after = number_after(raw)
        if item.happening is Happening.IN:
            memo.next_in = after if restarted else max(memo.next_in, after)
            memo.last_in_at = item.at
        else:
            memo.next_out = after if restarted else max(memo.next_out, after)
            memo.last_out_at = item.at

    def _change_state(self, row: FixSession, memo: SessionMemo, *, logged_on: bool, at: datetime) -> None:
        """The engine says "logged out" after every failed attempt to connect: only a change counts."""
        was_on = row.state in (FixSession.State.LOGGED_ON, FixSession.State.RECOVERING)
        state = FixSession.State.RECOVERING if logged_on else FixSession.State.DOWN
        if memo.since is None or memo.logged_on != logged_on:
            memo.logged_on, memo.since = logged_on, at
        if row.state == state:
            return
        row.state, row.state_at = state, at
        row.state_reason = _REASONS[logged_on, was_on]
        if logged_on or was_on:
            kind = "SessionLoggedOn" if logged_on else "SessionLost"
            numbers = {"epoch": memo.epoch, "next_in": memo.next_in}
            record_session_event(session=row.name, kind=kind, at=at, detail=numbers)

    def _touch(self, rows: dict[str, FixSession], at: datetime, *, force: bool) -> None:
        """Keep numbers and times in the session rows: at every change of state, else at most once a second."""
        for name, row in rows.items():
            memo = self.memos[name]
            if not force and memo.touched_at is not None and at - memo.touched_at < TOUCH_EVERY:
                continue
            memo.touched_at = at
            row.epoch, row.next_in, row.next_out = memo.epoch, memo.next_in, memo.next_out
            row.last_in_at, row.last_out_at = memo.last_in_at or row.last_in_at, memo.last_out_at or row.last_out_at
            row.save(
                update_fields=[
                    "epoch",
                    "next_in",
                    "next_out",
                    "last_in_at",
                    "last_out_at",
                    "state",
                    "state_at",
                    "state_reason",
                ]
            )
