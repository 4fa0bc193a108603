"""What a custodian says of one instruction, and when: a course that follows from the seed and its reference alone. Pure.

Most settle; some settle in two parts, some fail first (the other side lacks the stock), some are refused for a wrong safekeeping
account, and of some nothing is ever said. What was refused once and is sent again settles. Some of what we instruct in new shares it
had transformed by itself: that settles under the old reference, ours beside it does not. ``Pace`` says how long each step takes:
``REAL`` waits for the day of settlement, ``DEMO`` lives it in minutes, whatever the day.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from allocations.domain import transitions as moves
from allocations.domain.settling import ACCEPTED
from kernel.numbers import round_money


class Fate(StrEnum):
    """What becomes of an instruction."""

    SETTLES = "settles"
    SPLITS = "splits"
    FAILS_FIRST = "fails_first"
    REFUSED = "refused"
    SILENT = "silent"


SHARES = ((Fate.REFUSED, 4), (Fate.SILENT, 2), (Fate.FAILS_FIRST, 10), (Fate.SPLITS, 12))
"""Of a hundred; the rest settles."""
OWN_WAY = 4


@dataclass(frozen=True, slots=True)
class Instructed:
    """One instruction as it was read from our file. ``previous``: the reference it takes the place of."""

    ref: str
    delivery: str
    isin: str
    qty: Decimal
    amount: Decimal
    currency: str
    settlement_date: date
    safekeeping_account: str
    previous: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds from one step to the next. ``opens``: when the day of settlement begins (UTC); None: it is not waited for."""

    accepts: int
    matches: int
    settles: int
    late: int
    opens: time | None


REAL = Pace(accepts=60, matches=3600, settles=1800, late=24 * 3600, opens=time(7))
DEMO = Pace(accepts=3, matches=20, settles=120, late=240, opens=None)


@dataclass(frozen=True, slots=True)
class Word:
    """What is said at a moment; ``qty`` and ``amount`` of this word alone."""

    at: datetime
    instructed: Instructed
    status: str
    their_ref: str
    qty: Decimal | None = None
    amount: Decimal | None = None
    reason_code: str = ""


def fate_of(instructed: Instructed, seed: int) -> Fate:
    """By its reference; what was sent again settles."""
    if instructed.previous:
        return Fate.SETTLES
    left = _dice(instructed.ref, seed, "fate") % 100
    for fate, share in SHARES:
        left -= share
        if left < 0:
            return fate
    return Fate.SETTLES


def course(instructed: Instructed, *, received_at: datetime, seed: int, pace: Pace) -> list[Word]:
    """Every word about it, in order of time."""
    fate, ref = fate_of(instructed, seed), f"C{_dice(instructed.ref, seed, 'ref') % 10**10:010d}"
    if fate is Fate.SILENT:
        return []
    accepted = received_at + timedelta(seconds=pace.accepts)
    if fate is Fate.REFUSED:
        return [Word(accepted, instructed, moves.REJECTED, ref, reason_code="SAFE")]
    spread = _dice(instructed.ref, seed, "spread") % (pace.settles + 1)
    matched = accepted + timedelta(seconds=pace.matches)
    begin = matched
    if pace.opens is not None:
        begin = max(matched, datetime.combine(instructed.settlement_date, pace.opens, tzinfo=received_at.tzinfo))
    words = [Word(accepted, instructed, ACCEPTED, ref), Word(matched, instructed, moves.MATCHED, ref)]
    if fate is Fate.FAILS_FIRST:
        words.append(Word(begin + timedelta(seconds=spread), instructed, moves.PENDING, ref, reason_code="LACK"))
        begin += timedelta(seconds=pace.late)
        words.append(Word(begin + timedelta(seconds=spread), instructed, moves.FAILED, ref, reason_code="LACK"))
        begin += timedelta(seconds=pace.late)
    settled = begin + timedelta(seconds=pace.settles + spread)
    return words + _settled(instructed, fate, ref, settled, timedelta(seconds=pace.settles))


def transformed_itself(old: Instructed, new: Instructed, seed: int) -> bool:
    """Whether it had made the old one into the new shares before we instructed those: one in ``OWN_WAY``."""
    return old.qty != new.qty and _dice(old.ref, seed, "shares") % OWN_WAY == 0


def own_course(
    old: Instructed, new: Instructed, *, received_at: datetime, seed: int, pace: Pace
) -> tuple[list[Word], list[Word]]:
    """What it says under the old reference and under the new one, where it did: all of it settles under the old."""
    ref = f"C{_dice(old.ref, seed, 'ref') % 10**10:010d}"
    settles = received_at + timedelta(seconds=pace.settles)
    accepted = Word(received_at + timedelta(seconds=pace.accepts), new, ACCEPTED, f"{ref}N")
    said_as = replace(new, ref=old.ref)
    return [Word(settles, said_as, moves.SETTLED, f"{ref}T", new.qty, new.amount)], [accepted]


def _settled(instructed: Instructed, fate: Fate, ref: str, at: datetime, apart: timedelta) -> list[Word]:
    part = (instructed.qty / 2).quantize(Decimal(1), rounding=ROUND_DOWN)
    if fate is not Fate.SPLITS or not part:
        return [Word(at, instructed, moves.SETTLED, ref, instructed.qty, instructed.amount)]
    money = round_money(instructed.amount * part / instructed.qty, instructed.currency)
    return [
        Word(at, instructed, moves.PARTIAL, f"{ref}/1", part, money),
        Word(at + apart, instructed, moves.SETTLED, f"{ref}/2", instructed.qty - part, instructed.amount - money),
    ]


def _dice(ref: str, seed: int, what: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{what}:{ref}".encode()).digest()[:8])
