"""Which file is expected when, and whether the one that came is it. Pure: days and figures come in, faults go out.

A feed's *day of business* is a day its calendar knows: a session of a market, or a settlement day of a currency. On day D,
at ``due`` in the feed's zone, the file *about* the ``lag``-th day of business before D is due (0: about D itself). On a
holiday nothing is. A wall time that a change of clocks skips or repeats is taken once: the first one there is.

The days a file may be about: the expected one and those behind it up to today (the same feed during the day), and days
that were missed since the last good file. An older one would set books back; one of another day is no answer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from reconciliation.domain.file_faults import Fault, FaultCode

SHOWN = 20
"""So many differing balances stand in the evidence of a gap."""


@dataclass(frozen=True, slots=True)
class FeedTerms:
    """What was agreed with a source. ``sequence``: free | told | refused; ``resend``: refuse | newest."""

    code: str
    kind: str
    source: str
    due: time
    zone: ZoneInfo
    lag: int = 1
    grace: timedelta = timedelta(minutes=15)
    missing_after: timedelta = timedelta(hours=2)
    mandatory: bool = True
    sequence: str = "free"
    resend: str = "newest"


@dataclass(frozen=True, slots=True)
class Due:
    """One expected file: about ``about``, due on ``day`` at ``due_at``, late from ``late_at``, missing from ``missing_at``."""

    about: date
    day: date
    due_at: datetime
    late_at: datetime
    missing_at: datetime


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a file says of itself. ``balances`` by account and currency; ``day`` None: it does not say."""

    name: str
    day: date | None = None
    cut_at: datetime | None = None
    sequence: str = ""
    opening: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Before:
    """The good files of the same feed that came before. ``of_day``: a good file of the same day is here already;
    ``applied_cut``: as of when what one of that day says is in our books."""

    latest_day: date | None = None
    sequence: str = ""
    sequence_day: date | None = None
    closing: Mapping[str, Decimal] = field(default_factory=dict)
    of_day: bool = False
    applied_cut: datetime | None = None


def matches(pattern: str, name: str) -> bool:
    """Whether a file name is one of the feed's; case does not matter, ``*`` and ``?`` do."""
    return fnmatchcase(name.lower(), pattern.lower())


def due_on(terms: FeedTerms, days: Sequence[date], day: date) -> Due | None:
    """What is due on ``day``; None where it is no day of business, or ``days`` (in order) do not reach back far enough."""
    position = bisect_left(days, day)
    if position >= len(days) or days[position] != day or position < terms.lag:
        return None
    due_at = datetime.combine(day, terms.due, terms.zone)
    # Arithmetic in UTC: in wall time a grace across a change of clocks would be an hour off.
    instant = due_at.astimezone(ZoneInfo("UTC"))
    return Due(days[position - terms.lag], day, instant, instant + terms.grace, instant + terms.missing_after)


def latest_due(terms: FeedTerms, days: Sequence[date], at: datetime) -> Due | None:
    """The last file whose time has come by ``at``; None before the first."""
    today = at.astimezone(terms.zone).date()
    for day in reversed(days[: bisect_right(days, today)]):
        due = due_on(terms, days, day)
        if due is not None and due.due_at <= at:
            return due
    return None


def expected_day(terms: FeedTerms, days: Sequence[date], at: datetime) -> date | None:
    """The day a file that comes now should be about: of today's delivery from midnight on, else of the last one."""
    today = at.astimezone(terms.zone).date()
    position = bisect_right(days, today) - 1
    due = due_on(terms, days, days[position]) if position >= 0 else None
    return due.about if due else None


def faults_of(terms: FeedTerms, arrived: Arrived, before: Before, days: Sequence[date], at: datetime) -> list[Fault]:
    """What is wrong with a readable file of the feed, worst first; empty: it is the one that is expected."""
    faults = _day_faults(terms, arrived, before, days, at)
    return faults or _sequence_faults(terms, arrived, before)


def _day_faults(terms: FeedTerms, arrived: Arrived, before: Before, days: Sequence[date], at: datetime) -> list[Fault]:
    day, today = arrived.day, at.astimezone(terms.zone).date()
    expected = expected_day(terms, days, at)
    if day is None or expected is None:
        return []
    if day > today:
        return [_day(FaultCode.WRONG_DAY, arrived, f"is about {day}, which is still to come", expected)]
    if day not in days:
        return [_day(FaultCode.WRONG_DAY, arrived, f"is about {day}, no day of business of {terms.code}", expected)]
    if before.latest_day is not None and day < before.latest_day:
        what = f"is about {day}; one about {before.latest_day} was taken already, an older one would set books back"
        return [_day(FaultCode.OLDER, arrived, what, expected)]
    missed_since = before.latest_day if before.latest_day is not None else expected
    if day < min(missed_since, expected):
        return [_day(FaultCode.WRONG_DAY, arrived, f"is about {day}; the one about {expected} is expected", expected)]
    if before.of_day and terms.resend == "refuse":
        what = f"is a second one about {day}; {terms.source} agreed to send one"
        return [_day(FaultCode.RESENT, arrived, what, expected)]
    if before.applied_cut is not None and (arrived.cut_at is None or arrived.cut_at <= before.applied_cut):
        what = f"is a second one about {day}, the first is in our books already, and this one says no later time"
        return [_day(FaultCode.RESENT, arrived, what, expected)]
    return []


def _day(code: FaultCode, arrived: Arrived, what: str, expected: date) -> Fault:
    evidence = {"says": str(arrived.day), "expected": str(expected)}
    return Fault(code, f"{arrived.name} {what}. Nothing of it was taken.", evidence=evidence)


def _sequence_faults(terms: FeedTerms, arrived: Arrived, before: Before) -> list[Fault]:
    if terms.sequence == "free":
        return []
    refuses = terms.sequence == "refused"
    end = "Nothing of it was taken." if refuses else "It was taken; ask for what lies between."
    faults: list[Fault] = []
    ours, theirs = number_of(before.sequence), number_of(arrived.sequence)
    if ours is not None and theirs is not None and theirs != ours + 1 and not _new_year(arrived, before, theirs):
        sentence = f"{arrived.name} is number {arrived.sequence}; the one before was {before.sequence}. {end}"
        evidence = {"number": arrived.sequence, "before": before.sequence}
        faults.append(Fault(FaultCode.SEQUENCE_GAP, sentence, refuses, evidence))
    differing = [
        {"of": key, "opening": str(arrived.opening[key]), "closing_before": str(before.closing[key])}
        for key in sorted(arrived.opening.keys() & before.closing.keys())
        if arrived.opening[key] != before.closing[key]
    ]
    if differing:
        first = differing[0]
        sentence = (
            f"{arrived.name} opens {first['of']} at {first['opening']}, the one before closed it at "
            f"{first['closing_before']}" + (f", and {len(differing) - 1} more" if differing[1:] else "") + f". {end}"
        )
        evidence = {"count": str(len(differing)), "first": ", ".join(one["of"] for one in differing[:SHOWN])}
        faults.append(Fault(FaultCode.SEQUENCE_GAP, sentence, refuses, evidence))
    return faults


def number_of(sequence: str) -> int | None:
    """The number of a statement: what stands before a page (``45/1``); None where it has no number."""
    head = sequence.partition("/")[0].strip()
    return int(head) if head.isascii() and head.isdigit() and len(head) <= 18 else None


def _new_year(arrived: Arrived, before: Before, number: int) -> bool:
    """Banks begin at 1 each year."""
    if arrived.day is None or before.sequence_day is None:
        return False
    return number == 1 and arrived.day.year > before.sequence_day.year
