"""Work one slice of a session's inbox: read behind the cursors of its free shards, map, fold, move them, in one transaction.

Each shard (``kernel.ids.shard_of``) has a cursor of its own, locked while it is worked. So the number of consumers, and
who works which shards, may change at any moment: nothing is worked twice and nothing is passed over.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction

from journal.bulk import raw_cursor, update_rows
from journal.domain.records import Anomaly, Severity
from journal.models import Cursor
from journal.services.raise_anomaly import raise_anomaly
from kernel.canonical import sha256
from kernel.crash_points import crash_point
from kernel.errors import Unavailable
from orders.domain.report import Report
from orders.services.apply_reports import apply_reports
from venues.adapters.base import InboundContext, SentMessage
from venues.adapters.registry import adapter_named
from venues.domain.echoes import is_echo, is_status_answer
from venues.domain.fix_codec import first_values, parse
from venues.domain.inbox import ALL_SHARDS, inbox_cursor
from venues.locks import claim_shards
from venues.selectors import previous_about, sent_by_number
from venues.selectors.inbox import InboxRow, read_inbox
from venues.services.heed_refusals import heed_refusals
from venues.services.return_post_trade import return_post_trade
from venues.services.set_aside_message import set_aside_message

log = logging.getLogger("venues.inbox")

MESSAGE_REFUSED_BY_VENUE = "MESSAGE_REFUSED_BY_VENUE"
_TRANSIENT = (OperationalError, InterfaceError, Unavailable)


@dataclass(frozen=True, slots=True)
class InboxRun:
    """One pass over the shards that were free."""

    handled: int
    duplicates: int = 0
    set_aside: int = 0

    def __add__(self, other: InboxRun) -> InboxRun:
        return InboxRun(
            self.handled + other.handled, self.duplicates + other.duplicates, self.set_aside + other.set_aside
        )


@dataclass(frozen=True, slots=True)
class _Job:
    session: str
    adapter_name: str
    shards: tuple[int, ...]
    at: datetime


class _Poison(Exception):
    """A slice failed for a reason that is not the database's."""

    def __init__(self, rows: Sequence[InboxRow], cause: Exception) -> None:
        super().__init__(str(cause))
        self.rows = rows
        self.cause = cause


def consume_inbox(
    *, session: str, adapter_name: str, shards: Sequence[int] | None, limit: int, at: datetime
) -> InboxRun:
    """About ``limit`` messages of the shards (all when None) that nobody else works on just now.

    Raises only what is wrong with the database; then nothing was done.
    """
    job = _Job(session, adapter_name, ALL_SHARDS if shards is None else tuple(sorted(shards)), at)
    try:
        return _slice(job, limit)
    except _Poison as poison:
        log.warning("a slice of %d messages of session %s failed: %s", len(poison.rows), session, poison.cause)
        run = InboxRun(0)
        for shard in sorted({row.shard for row in poison.rows}):
            rows = [row for row in poison.rows if row.shard == shard]
            run += _halve(replace(job, shards=(shard,)), rows)
        return run


def _slice(job: _Job, limit: int) -> InboxRun:
    with transaction.atomic(durable=True):
        positions = claim_shards(session=job.session, shards=job.shards)
        if not positions:
            return InboxRun(0)
        rows = read_inbox(session=job.session, positions=positions, limit=limit)
        fresh = [row for row in rows if not row.again]
        try:
            returned = return_post_trade(
                session=job.session, adapter=adapter_named(job.adapter_name), rows=fresh, at=job.at
            )
            fresh = [row for row in fresh if row.id not in returned]
            reports = _map(job, fresh)
            if reports:
                apply_reports(reports=reports, at=job.at)
            heed_refusals(session=job.session, rows=fresh, at=job.at)
        except _TRANSIENT:
            raise
        except Exception as error:
            raise _Poison(rows, error) from error
        _advance(job, {row.shard: row.id for row in rows})
        crash_point("inbox_before_commit")
    crash_point("inbox_after_commit")
    return InboxRun(len(rows), duplicates=sum(row.again for row in rows))


def _map(job: _Job, rows: Sequence[InboxRow]) -> list[Report]:
    """The reports of the rows in order; what a message should tell a person becomes an anomaly."""
    adapter = adapter_named(job.adapter_name)
    reports: list[Report] = []
    echoes = _echoes(job, rows)
    for row in rows:
        if row.id in echoes:
            continue
        fields = parse(row.raw)
        context = InboundContext(
            session=job.session,
            epoch=row.epoch,
            msg_seq_num=row.msg_seq_num,
            received_at=row.recorded_at,
            wire_message_id=row.id,
            raw_sha256=sha256(row.raw.encode()).hex(),
            sent=_sent(job, row, first_values(fields).get(45, "")) if row.msg_type in ("3", "j") else {},
        )
        mapped = adapter.map_inbound(fields, context)
        reports += mapped.reports
        if mapped.problem:
            _tell(job, row, mapped.problem)
    return reports


def _echoes(job: _Job, rows: Sequence[InboxRow]) -> frozenset[int]:
    """Status answers that say again what was said last about their order."""
    answers = {row.id: row.raw for row in rows if is_status_answer(row.raw)}
    if not answers:
        return frozenset()
    before = previous_about(session=job.session, ids=list(answers))
    return frozenset(id for id, raw in answers.items() if id in before and is_echo(raw, before[id]))


def _sent(job: _Job, row: InboxRow, number: str) -> dict[int, SentMessage]:
    if not number.isdigit():
        return {}
    return sent_by_number(session=job.session, epoch=row.epoch, numbers=[int(number)])


def _tell(job: _Job, row: InboxRow, sentence: str) -> None:
    raise_anomaly(
        anomaly=Anomaly(
            kind=MESSAGE_REFUSED_BY_VENUE,
            severity=Severity.HIGH,
            subject_type="session",
            subject_id=job.session,
            sentence=sentence,
            dedupe_key=f"wire:{job.session}:{row.epoch}:{row.msg_seq_num}",
            evidence={"wire_message_id": row.id, "raw": row.raw},
        ),
        actor="process:inbox",
        at=job.at,
    )


def _advance(job: _Job, positions: Mapping[int, int]) -> None:
    """Move the cursor of each shard that was worked to its last message."""
    rows = [(inbox_cursor(job.session, shard), position, job.at) for shard, position in sorted(positions.items())]
    update_rows(Cursor, rows, key=("name",), fields=("position", "updated_at"))


def _halve(job: _Job, rows: Sequence[InboxRow]) -> InboxRun:
    """Work the failed messages of one shard in smaller slices until the last of them is behind us."""
    target = rows[-1].id
    size = max(len(rows) // 2, 1)
    done = InboxRun(0)
    reached = 0
    while reached < target:
        try:
            run = _slice(job, size)
        except _Poison as found:
            if len(found.rows) > 1:
                size = len(found.rows) // 2
                continue
            _set_aside(job, found)
            done, reached, size = done + InboxRun(1, set_aside=1), found.rows[0].id, 1
        else:
            if run.handled == 0:
                break
            done, reached, size = done + run, _position(job), size * 2
    return done


def _position(job: _Job) -> int:
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT position FROM journal_cursor WHERE name = %s", [inbox_cursor(job.session, job.shards[0])]
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _set_aside(job: _Job, poison: _Poison) -> None:
    row = poison.rows[0]
    with transaction.atomic(durable=True):
        if claim_shards(session=job.session, shards=job.shards).get(row.shard, row.id) >= row.id:
            return  # another consumer has been faster
        set_aside_message(
            source=f"inbox:{job.session}",
            position=str(row.id),
            session=job.session,
            reason=f"{type(poison.cause).__name__}: {poison.cause}"[:2000],
            payload={"wire_message_id": row.id, "raw": row.raw},
            at=job.at,
        )
        _advance(job, {row.shard: row.id})
