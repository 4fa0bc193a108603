"""Judge ticks and write what follows: ticks by COPY, prices by one upsert, an anomaly where a price comes into doubt.

A batch of one and a batch of a thousand are the same statements. Of the ticks of one listing in one batch those that
changed nothing but figures are conflated to the last; whatever was doubted, or moved a doubt, is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from journal.bulk import insert_rows, write_rows
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.errors import Unavailable
from kernel.ids import new_id
from kernel.numbers import plain
from refdata.domain.judging import LARGEST, Hearing, Held, Judged, Marks, Outcome, judge
from refdata.domain.market_clock import MarketClock
from refdata.domain.quality import Quality
from refdata.domain.ticks import PricedListing, Tick
from refdata.locks import lock_prices
from refdata.models import PriceTick, ReferencePrice

KIND = "PRICE_SUSPECT"
_HELD = ("listing_id", *(field.name for field in fields(Held)))
_UPSERT = "(listing_id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _HELD[1:])
_TICK = (
    "id", "listing_id", "source", "session", "made_at", "received_at", "last", "bid", "ask", "bid_size", "ask_size",
    "previous_close", "phase", "outcome", "doubt",
)  # fmt: skip
_CONFLATED = (Outcome.APPLIED,)
_SILENT = (Outcome.UNCHANGED, Outcome.PASSED_OVER, Outcome.IGNORED)


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch did: prices changed, ticks stored, listings that came into doubt and that left it (by symbol)."""

    changed: int
    stored: int
    doubted: tuple[str, ...]
    cleared: tuple[str, ...]


@dataclass(slots=True)
class _Course:
    """One listing's way through a batch."""

    before: Held | None
    now: Held | None
    rows: list[tuple[Any, ...]]
    last_doubt: str = ""
    said: Decimal | None = None
    outcome: Outcome = Outcome.UNCHANGED


def write_prices(
    *,
    actor: str,
    at: datetime,
    source: str,
    session: UUID | None,
    marks: Marks,
    ticks: Sequence[Tick],
    listings: dict[UUID, PricedListing],
) -> Written:
    """Judge the ticks in their order, in the caller's transaction; locks the listings' prices."""
    held = lock_prices({tick.listing_id for tick in ticks})
    courses: dict[UUID, _Course] = {}
    for tick in ticks:
        known = held.get(tick.listing_id)
        course = courses.setdefault(tick.listing_id, _Course(known, known, []))
        hearing = Hearing(
            source=source,
            session=session,
            tick_id=new_id(),
            marks=marks,
            at=at,
            new_day=_is_later_day(listings[tick.listing_id].clock, course.now, tick.made_at),
        )
        _note(course, tick, judge(course.now, tick, hearing), hearing)
    stored = write_rows(PriceTick, [row for course in courses.values() for row in course.rows], fields=_TICK)
    moved = [(key, one.now) for key, one in sorted(courses.items()) if one.now is not None and one.now != one.before]
    values = [(key, *(getattr(now, name) for name in _HELD[1:])) for key, now in moved]
    insert_rows(ReferencePrice, values, fields=_HELD, on_conflict=_UPSERT)
    told = _tell(courses, listings, actor=actor, at=at, source=source)
    return Written(len(moved), stored, *told)


def _is_later_day(clock: MarketClock, held: Held | None, made_at: datetime) -> bool:
    if held is None or made_at <= held.priced_at or clock.local_date(made_at) == clock.local_date(held.priced_at):
        return False
    try:
        return clock.business_date(made_at) > clock.business_date(held.priced_at)
    except Unavailable:
        return False  # beyond the calendar no order passes; the close is rolled when it is loaded


def _note(course: _Course, tick: Tick, judged: Judged, hearing: Hearing) -> None:
    course.now = judged.held
    if judged.outcome in _SILENT:
        return
    if course.rows and judged.outcome in _CONFLATED and course.outcome in _CONFLATED:
        course.rows.pop()
    course.outcome = judged.outcome
    if judged.doubt is not None:
        course.last_doubt, course.said = judged.doubt.value, tick.last
    figures = (tick.last, tick.bid, tick.ask, tick.bid_size, tick.ask_size, tick.previous_close)
    course.rows.append(
        (
            hearing.tick_id,
            tick.listing_id,
            hearing.source,
            hearing.session,
            tick.made_at,
            hearing.at,
            *(_storable(value) for value in figures),
            tick.phase,
            judged.outcome.value,
            judged.doubt.value if judged.doubt else "",
        )
    )


def _storable(value: Decimal | None) -> Decimal | None:
    return value if value is not None and value.is_finite() and abs(value) < LARGEST else None


def _tell(
    courses: dict[UUID, _Course], listings: dict[UUID, PricedListing], *, actor: str, at: datetime, source: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Raise an anomaly for each listing that came into doubt, clear it for each that left it."""
    doubted, cleared = [], []
    for key, course in sorted(courses.items()):
        before = course.before is not None and course.before.quality is Quality.SUSPECT
        now = course.now.quality is Quality.SUSPECT if course.now is not None else bool(course.last_doubt)
        passed = not now and (bool(course.last_doubt) or course.before is None)
        if before == now and not passed:
            continue
        symbol = listings[key].symbol
        if now:
            doubted.append(symbol)
        elif before:
            cleared.append(symbol)
        wrong = price_anomaly(listings[key], course.now, doubt=course.last_doubt, said=course.said, source=source)
        if passed and course.last_doubt and not before:
            set_anomaly(anomaly=wrong, wrong=True, actor=actor, at=at)
        set_anomaly(anomaly=wrong if now else settled(wrong, course.outcome.value), wrong=now, actor=actor, at=at)
    return tuple(doubted), tuple(cleared)


def price_anomaly(
    listing: PricedListing, held: Held | None, *, doubt: str, said: Decimal | None, source: str
) -> Anomaly:
    """The matter of one listing's doubted price."""
    told = plain(said) if said is not None else "no last price"
    good = f"the last good price is {plain(held.last)}" if held is not None else "no good price is known"
    return Anomaly(
        kind=KIND,
        severity=Severity.HIGH,
        subject_type="listing",
        subject_id=listing.symbol,
        sentence=f"{source} said {told} {listing.price_unit} for {listing.symbol} ({doubt or 'first price'}); {good}.",
        dedupe_key=f"price:{listing.listing_id}",
        evidence={
            "listing_id": str(listing.listing_id),
            "doubt": doubt,
            "said": told,
            "last_good": plain(held.last) if held is not None else "",
            "tick": str(held.doubted_tick) if held is not None and held.doubted_tick else "",
            "source": source,
        },
    )


def settled(anomaly: Anomaly, how: str) -> Anomaly:
    """The same matter, settled."""
    sentences = {
        Outcome.CONFIRMED.value: "Further ticks of the feed confirmed the doubted price.",
        Outcome.RETURNED.value: "The feed is back near the last good price.",
        Outcome.WITHDRAWN.value: "The feed no longer prices the listing.",
    }
    return Anomaly(
        kind=anomaly.kind,
        severity=anomaly.severity,
        subject_type=anomaly.subject_type,
        subject_id=anomaly.subject_id,
        sentence=sentences.get(how, how if how not in set(Outcome) else "There is a good price."),
        dedupe_key=anomaly.dedupe_key,
        evidence=anomaly.evidence,
    )
