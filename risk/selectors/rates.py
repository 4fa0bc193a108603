"""All reads of rates: the marks that hold, and how much of them sources, accounts and sessions have used."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from journal.bulk import raw_cursor
from risk.domain.breakers import HALF_OPEN
from risk.domain.rates import Bucket, RateKind, RateMark, Rates, account_subject, mark_for, source_kind
from risk.models import Breaker
from risk.models import RateMark as RateMarkRow

RATE_VERSION_SQL = "(SELECT coalesce(max(id), 0) FROM risk_ratemark)"


def ahead_sql(subject: str) -> str:
    """How far ahead of now the bucket of an SQL text is, microseconds by the database's clock; null for none."""
    return f"""(SELECT (extract(epoch FROM b.full_at - statement_timestamp()) * 1000000)::bigint
                  FROM risk_ratebucket b WHERE b.subject = {subject})"""  # noqa: S608


_held_marks: tuple[int, tuple[RateMark, ...]] = (0, ())


def rate_marks(version: int) -> tuple[RateMark, ...]:
    """Every mark for rates, read once a version (``RATE_VERSION_SQL``, which travels with the read it is needed for)."""
    global _held_marks
    held, marks = _held_marks
    if held != version:
        marks = tuple(_rate_mark(row) for row in RateMarkRow.objects.filter(id__lte=version).order_by("id"))
        _held_marks = (version, marks)
    return marks


def _rate_mark(row: RateMarkRow) -> RateMark:
    return RateMark(
        kind=RateKind(row.kind),
        amount=row.amount,
        seconds=row.seconds,
        burst=row.burst,
        share=row.share,
        pause_s=row.pause_s,
        subject=row.subject,
        version=row.id,
        effective_from=row.effective_from,
    )


def rates_of(
    *, version: int, source: str, source_ahead: int | None, account_id: UUID, account_ahead: int | None, at: datetime
) -> Rates:
    """The two buckets of a request of a door, from what its reading statement told of them."""
    marks, account = rate_marks(version), account_subject(account_id)
    return Rates(
        Bucket(source, max(source_ahead or 0, 0), mark_for(marks, source_kind(source), source, at)),
        Bucket(account, max(account_ahead or 0, 0), mark_for(marks, RateKind.ACCOUNT, account, at)),
    )


_AHEAD = f"""
SELECT {RATE_VERSION_SQL}, b.subject, (extract(epoch FROM b.full_at - statement_timestamp()) * 1000000)::bigint
  FROM (SELECT 1) AS one LEFT JOIN risk_ratebucket b ON b.subject = ANY(%s::text[])
"""  # noqa: S608


def read_ahead(subjects: Collection[str]) -> tuple[int, dict[str, int]]:
    """The version of the marks, and how far ahead of now each of the buckets is that has ever been used."""
    with raw_cursor() as cursor:
        cursor.execute(_AHEAD, [sorted(set(subjects))])
        rows = cursor.fetchall()
    return rows[0][0], {subject: ahead for _, subject, ahead in rows if subject is not None}


def get_bucket(*, kind: RateKind, subject: str, at: datetime) -> Bucket:
    """One bucket with the mark that holds for it."""
    version, ahead = read_ahead([subject])
    return Bucket(subject, max(ahead.get(subject, 0), 0), mark_for(rate_marks(version), kind, subject, at))


def get_rates(*, source: str, account_ids: Collection[UUID], at: datetime) -> dict[UUID, Rates]:
    """The buckets of requests of one source, by account: one statement."""
    version, ahead = read_ahead([source, *map(account_subject, account_ids)])
    return {
        account_id: rates_of(
            version=version,
            source=source,
            source_ahead=ahead.get(source),
            account_id=account_id,
            account_ahead=ahead.get(account_subject(account_id)),
            at=at,
        )
        for account_id in account_ids
    }


def read_marks() -> tuple[RateMark, ...]:
    """Every mark for rates as it stands now, for whoever is not in the middle of a statement that tells the version."""
    version, _ = read_ahead([])
    return rate_marks(version)


def due_probes(subjects: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Kind and subject of the half-open breakers of these subjects whose venue has not been asked yet."""
    waiting = Breaker.objects.filter(state=HALF_OPEN, subject__in=subjects, probed_at=None, answered_at=None)
    return tuple(waiting.order_by("kind", "subject").values_list("kind", "subject"))
