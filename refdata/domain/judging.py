"""Whether a tick is believed. Pure: what is held, one tick and the marks give what is held next.

* A figure that is not above zero, a crossed book in continuous trading, time running backwards or ahead, and a jump
  beyond the band make the price suspect. The good figures stay; what is doubted stands beside them.
* One clean tick near the good price ends a doubt: the glitch has passed. Otherwise so many later ticks near the
  doubted price confirm it. A repeat of the same figures is no witness: a stuck feed cannot confirm itself.
* A book may be crossed while orders collect for an auction; its sides are no quotes then and are left out.
* Where the house asks for quiet, a tick that comes soon after the price in use and moves none of its figures by more than
  ``STILL`` vouches for that price and is passed over: what is in use is always a tick that was kept, never far from the last word.
* The first price of a new business date makes the last good one the previous close, unless the feed states it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from refdata.domain.quality import Quality
from refdata.domain.ticks import Tick

CLOCK_TOLERANCE = timedelta(seconds=5)
CONTINUOUS = ("", "continuous")
STILL = Decimal("0.002")
"""Fraction of the price in use; far inside any collar."""
LARGEST = Decimal(10) ** 12
"""What a price column holds; a doubted figure beyond it is kept with its tick's reason only."""


class Doubt(StrEnum):
    """Why a tick is not believed."""

    JUMP = "JUMP"
    CROSSED = "CROSSED"
    NOT_POSITIVE = "NOT_POSITIVE"
    TIME_BACKWARDS = "TIME_BACKWARDS"
    TIME_AHEAD = "TIME_AHEAD"
    NO_LAST = "NO_LAST"


class Outcome(StrEnum):
    """What one tick did."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    PASSED_OVER = "passed_over"
    DOUBTED = "doubted"
    WITNESS = "witness"
    CONFIRMED = "confirmed"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Marks:
    """``band``: fraction of the last good price a tick may move; ``confirming``: witnesses a suspect price needs.

    ``quiet``: for so long after a price, ticks that hardly move it are passed over; nothing is, when zero.
    """

    band: Decimal
    confirming: int
    quiet: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Held:
    """A listing's price as it is kept."""

    last: Decimal
    bid: Decimal | None
    ask: Decimal | None
    bid_size: Decimal | None
    ask_size: Decimal | None
    previous_close: Decimal | None
    phase: str
    quality: Quality
    suspicion: str
    doubted_last: Decimal | None
    doubted_at: datetime | None
    doubted_tick: UUID | None
    witnesses: int
    source: str
    priced_at: datetime
    tick: UUID | None
    session: UUID | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What is held next (None: still nothing), what the tick did, and why it is doubted, if it is."""

    held: Held | None
    outcome: Outcome
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class Hearing:
    """Under which circumstances a tick is judged: who said it on which connection, its id, the marks, the time now.

    ``new_day``: the tick belongs to a later business date than the held price.
    """

    source: str
    session: UUID | None
    tick_id: UUID
    marks: Marks
    at: datetime
    new_day: bool = False


def judge(held: Held | None, tick: Tick, hearing: Hearing) -> Judged:
    """One tick against what is held."""
    doubt = _fault(tick, hearing.at)
    if doubt is None:
        tick = _without_call_quotes(tick)
        doubt = Doubt.CROSSED if tick.bid is not None and tick.ask is not None and tick.bid > tick.ask else None
    if held is None:
        return _begin(tick, doubt, hearing)
    if tick.made_at < _clock_of(held) and hearing.source != held.source:
        return Judged(held, Outcome.IGNORED)
    if tick.withdrawn:
        return _withdraw(held, tick, hearing)
    if doubt is None and tick.made_at < _clock_of(held):
        doubt = Doubt.TIME_BACKWARDS
    if doubt is not None:
        return Judged(_doubted(held, tick, doubt, hearing), Outcome.DOUBTED, doubt)
    if _is_near(tick, held.last, hearing.marks.band):
        return _believe(held, tick, hearing)
    return _question(held, tick, hearing)


def _begin(tick: Tick, doubt: Doubt | None, hearing: Hearing) -> Judged:
    """The first word about a listing: there is nothing to measure it by."""
    if tick.withdrawn:
        return Judged(None, Outcome.IGNORED)
    doubt = doubt or (Doubt.NO_LAST if tick.last is None else None)
    if doubt is not None:
        return Judged(None, Outcome.DOUBTED, doubt)
    return Judged(_applied(None, tick, hearing), Outcome.APPLIED)


def _believe(held: Held, tick: Tick, hearing: Hearing) -> Judged:
    """A clean tick near the good price."""
    if held.quality is Quality.SUSPECT:
        if tick.last is None and tick.mid is None:
            return Judged(_heard(held, hearing), Outcome.UNCHANGED)
        return Judged(_applied(held, tick, hearing), Outcome.RETURNED)
    repeats = held.quality is Quality.GOOD and not hearing.new_day and hearing.source == held.source
    if repeats and _says_the_same(held, tick):
        return Judged(_heard(held, hearing), Outcome.UNCHANGED)
    if repeats and tick.made_at - held.priced_at < hearing.marks.quiet and _hardly_moves(held, tick):
        return Judged(_heard(held, hearing), Outcome.PASSED_OVER)
    return Judged(_applied(held, tick, hearing), Outcome.APPLIED)


def _question(held: Held, tick: Tick, hearing: Hearing) -> Judged:
    """A jump: a new doubt, a repeat, a witness of the old doubt, or the last witness it needs."""
    agrees = (
        held.suspicion == Doubt.JUMP
        and held.doubted_last is not None
        and _is_near(tick, held.doubted_last, hearing.marks.band)
    )
    if not agrees:
        return Judged(_doubted(held, tick, Doubt.JUMP, hearing), Outcome.DOUBTED, Doubt.JUMP)
    if held.doubted_at is not None and tick.made_at <= held.doubted_at:
        return Judged(_heard(held, hearing), Outcome.UNCHANGED)
    witnesses = held.witnesses + 1
    if witnesses >= hearing.marks.confirming:
        return Judged(_applied(held, tick, hearing), Outcome.CONFIRMED)
    again = replace(_doubted(held, tick, Doubt.JUMP, hearing), witnesses=witnesses)
    return Judged(again, Outcome.WITNESS, Doubt.JUMP)


def _heard(held: Held, hearing: Hearing) -> Held:
    """The same figures, vouched for on this connection."""
    if held.session == hearing.session or held.source != hearing.source:
        return held
    return replace(held, session=hearing.session)


def _without_call_quotes(tick: Tick) -> Tick:
    if tick.phase in CONTINUOUS or tick.bid is None or tick.ask is None or tick.bid <= tick.ask:
        return tick
    return replace(tick, bid=None, ask=None, bid_size=None, ask_size=None)


def _clock_of(held: Held) -> datetime:
    return max(held.priced_at, held.doubted_at) if held.doubted_at is not None else held.priced_at


def _fault(tick: Tick, at: datetime) -> Doubt | None:
    """What is wrong with a tick by itself, a crossed book apart."""
    for value in (tick.last, tick.bid, tick.ask, tick.previous_close):
        if value is not None and (not value.is_finite() or value <= 0):
            return Doubt.NOT_POSITIVE
    for size in (tick.bid_size, tick.ask_size):
        if size is not None and (not size.is_finite() or size < 0):
            return Doubt.NOT_POSITIVE
    return Doubt.TIME_AHEAD if tick.made_at > at + CLOCK_TOLERANCE else None


def _is_near(tick: Tick, good: Decimal, band: Decimal) -> bool:
    """Whether last and middle, as far as they are told, lie within the band of ``good``; its edge is inside."""
    reach = good * band
    return all(abs(value - good) <= reach for value in (tick.last, tick.mid) if value is not None)


def _says_the_same(held: Held, tick: Tick) -> bool:
    return (
        (tick.last is None or tick.last == held.last)
        and (tick.bid, tick.ask, tick.bid_size, tick.ask_size) == (held.bid, held.ask, held.bid_size, held.ask_size)
        and (not tick.phase or tick.phase == held.phase)
        and (tick.previous_close is None or tick.previous_close == held.previous_close)
    )


def _hardly_moves(held: Held, tick: Tick) -> bool:
    """The same sides in the same phase, each figure within ``STILL`` of what is held."""
    if tick.phase and tick.phase != held.phase:
        return False
    if tick.previous_close is not None and tick.previous_close != held.previous_close:
        return False
    reach = held.last * STILL
    told = ((tick.last if tick.last is not None else held.last, held.last), (tick.bid, held.bid), (tick.ask, held.ask))
    return all(
        new is old is None or (new is not None and old is not None and abs(new - old) <= reach) for new, old in told
    )


def _applied(held: Held | None, tick: Tick, hearing: Hearing) -> Held:
    last = tick.last if tick.last is not None else held.last if held is not None else None
    assert last is not None, "a listing without a price begins with a last"
    close = tick.previous_close
    if close is None and held is not None:
        close = held.last if hearing.new_day else held.previous_close
    return Held(
        last=last,
        bid=tick.bid,
        ask=tick.ask,
        bid_size=tick.bid_size,
        ask_size=tick.ask_size,
        previous_close=close,
        phase=tick.phase or (held.phase if held else ""),
        quality=Quality.GOOD,
        suspicion="",
        doubted_last=None,
        doubted_at=None,
        doubted_tick=None,
        witnesses=0,
        source=hearing.source,
        priced_at=tick.made_at,
        tick=hearing.tick_id,
        session=hearing.session,
    )


def _doubted(held: Held, tick: Tick, doubt: Doubt, hearing: Hearing) -> Held:
    value = tick.last if tick.last is not None else tick.mid
    return replace(
        held,
        quality=Quality.SUSPECT,
        suspicion=doubt.value,
        doubted_last=value if value is not None and value.is_finite() and abs(value) < LARGEST else None,
        doubted_at=max(min(tick.made_at, hearing.at), held.priced_at),
        doubted_tick=hearing.tick_id,
        witnesses=0,
    )


def _withdraw(held: Held, tick: Tick, hearing: Hearing) -> Judged:
    """The feed stops pricing the listing; the figures stay, to be seen as what they are."""
    if hearing.source != held.source:
        return Judged(held, Outcome.IGNORED)
    if held.quality is Quality.MISSING:
        return Judged(_heard(held, hearing), Outcome.UNCHANGED)
    made_at = max(tick.made_at, held.priced_at)
    nothing = Tick(listing_id=tick.listing_id, made_at=made_at, phase=tick.phase)
    gone = replace(_applied(held, nothing, replace(hearing, new_day=False)), quality=Quality.MISSING)
    return Judged(gone, Outcome.WITHDRAWN)
