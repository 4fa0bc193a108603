"""The files of the last ten days judged by other terms: which would have been refused, which late, which no feed's. Nothing is kept.

Each is judged at the moment it came and against those before it, by the rules that judge files when they come (``domain.feeds``). What
only its bytes could say again is not asked anew: a file that could not be read stays refused, an opening balance is not compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q

from kernel.errors import Unavailable
from reconciliation.domain.feeds import Arrived, Before, FeedTerms, due_on, faults_of, matches
from reconciliation.domain.file_faults import FaultCode
from reconciliation.models import Feed, FeedFile
from reconciliation.selectors.feeds import business_days, terms_of

LOOKED_BACK = timedelta(days=10)
MOST = 500
_OF_ITS_BYTES = frozenset({FaultCode.CORRUPT.value, FaultCode.TRUNCATED.value, FaultCode.TOTALS_DIFFER.value})


@dataclass(frozen=True, slots=True)
class Trial:
    """``refused``, ``late`` and ``not_its`` are names of files; ``days_without`` days that a file was owed about and none came."""

    files: int = 0
    refused: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    not_its: tuple[str, ...] = ()
    days_without: tuple[date, ...] = ()
    sentence: str = ""


def try_terms(feed: Feed, *, code: str, at: datetime) -> Trial:
    """``feed`` need not be kept: it is what would be agreed under ``code``."""
    since = at - LOOKED_BACK
    rows = FeedFile.objects.filter(Q(kind=feed.kind) | Q(feed=code), received_at__range=(since, at))
    files = [
        file
        for file in rows.order_by("received_at", "id")[:MOST]
        if file.feed_id == code or matches(feed.pattern, file.name)
    ]
    try:
        days = business_days(feed, at.date())
    except Unavailable as problem:
        return Trial(files=len(files), sentence=problem.sentence)
    rivals = list(Feed.objects.exclude(pk=code).filter(folder=feed.folder))
    terms = terms_of(feed)
    not_its = [file for file in files if not _is_its(file, feed, rivals)]
    mine = [file for file in files if file not in not_its]
    refused, late, good = [], [], list[FeedFile]()
    for file in mine:
        if _refused(file, feed, terms, _before(good, file.statement_date), days):
            refused.append(file.name)
            continue
        day = file.statement_date
        if day is not None and all(one.statement_date != day for one in good) and _is_late(file, day, terms, days):
            late.append(file.name)
        good.append(file)
    answered = {file.statement_date for file in good}
    owed = _owed(feed, terms, days, since, at)
    return Trial(
        len(files), tuple(refused), tuple(late), tuple(one.name for one in not_its),
        tuple(day for day in owed if day not in answered),
    )  # fmt: skip


def _is_its(file: FeedFile, feed: Feed, rivals: Sequence[Feed]) -> bool:
    """A name that two feeds of a folder have is nobody's."""
    named = file.kind == feed.kind and matches(feed.pattern, file.name)
    return named and not any(matches(other.pattern, file.name) for other in rivals)


def _refused(file: FeedFile, feed: Feed, terms: FeedTerms, before: Before, days: Sequence[date]) -> bool:
    if file.state == FeedFile.State.REFUSED and any(one.get("code") in _OF_ITS_BYTES for one in file.problems):
        return True
    if file.size > feed.largest or (feed.signature_key and file.signed_by != feed.signature_key):
        return True
    if feed.partial == Feed.Partial.WHOLE and file.counted.get("refused"):
        return True
    day = file.statement_date
    arrived = Arrived(file.name, day, file.cut_at, file.sequence)
    return any(fault.refuses for fault in faults_of(terms, arrived, before, days, file.received_at))


def _before(good: Sequence[FeedFile], day: date | None) -> Before:
    """As ``selectors.feeds.read_before`` reads it of the files that are kept; that something was applied meanwhile is left out."""
    dated = sorted(
        (one.statement_date, one.received_at, one.sequence) for one in good if one.statement_date is not None
    )
    if not dated:
        return Before()
    earlier = [(of, sequence) for of, _, sequence in dated if day is None or of < day]
    sequence_day, sequence = (earlier[-1][0], earlier[-1][1]) if earlier else (None, "")
    return Before(
        latest_day=dated[-1][0],
        sequence=sequence,
        sequence_day=sequence_day,
        of_day=any(of == day for of, _, _ in dated),
    )


def _is_late(file: FeedFile, day: date, terms: FeedTerms, days: Sequence[date]) -> bool:
    for one in days:
        due = due_on(terms, days, one)
        if due is not None and due.about == day:
            return file.received_at > due.late_at
    return False


def _owed(feed: Feed, terms: FeedTerms, days: Sequence[date], since: datetime, at: datetime) -> list[date]:
    """What was owed and missing by now; nothing where nobody would wait."""
    if feed.watched_from is None:
        return []
    dues = [due_on(terms, days, one) for one in days]
    owed = [due for due in dues if due is not None and since <= due.due_at and due.missing_at <= at]
    return [due.about for due in owed if due.day >= feed.watched_from]
