"""The list of instructions: its filter, a page of it, all of it for an export, and what fails by age and reason.

By settlement date and reference, the oldest first: what is late stands on top. A page goes on behind the last row of the one
before (keyset), so rows that come or go meanwhile are neither skipped nor shown twice. Age counts settlement days of the market.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Case, Count, F, Q, QuerySet, Sum, When

from allocations.domain import transitions as moves
from allocations.domain.buy_in import age_in_days
from allocations.domain.instructing import RECEIVE
from allocations.models import SettlementInstruction
from allocations.selectors.settlement import OVER, visible_instructions
from authorisation.domain.principal import Principal
from kernel.errors import Invalid
from kernel.numbers import ZERO
from refdata.domain.market_clock import MarketClock
from refdata.domain.settlement import is_settlement_day
from refdata.models import Market
from refdata.selectors import get_market_clock

A_PAGE = 100
MIC = "allocation__block__listing__market_id"
BUCKETS: tuple[tuple[str, int], ...] = (("1", 1), ("2–3", 3), ("4–7", 7), ("8 and more", 10**6))
"""Ages as people call them, and the most of each."""


@dataclass(frozen=True, slots=True)
class InstructionFilter:
    """What a list is narrowed to; empty is everything that is not over. ``age``: settlement days late, at least."""

    day: date | None = None
    state: str = ""
    account: str = ""
    currency: str = ""
    mic: str = ""
    custodian: str = ""
    age: int | None = None
    held: bool = False

    @property
    def told(self) -> dict[str, str]:
        """What is set, as addresses and headings say it."""
        values = {
            "day": self.day.isoformat() if self.day else "", "state": self.state, "account": self.account,
            "currency": self.currency, "mic": self.mic, "custodian": self.custodian,
            "age": "" if self.age is None else str(self.age), "held": "yes" if self.held else "",
        }  # fmt: skip
        return {name: text for name, text in values.items() if text}


@dataclass(frozen=True, slots=True)
class ListPage:
    """Rows, and where the next page begins; empty on the last."""

    rows: Sequence[SettlementInstruction]
    next_after: str


def page_of_instructions(
    actor: Principal, wanted: InstructionFilter, *, at: datetime, after: str = "", most: int = A_PAGE
) -> ListPage:
    """Raises Invalid PLACE_INVALID for a place that no page gave."""
    rows = _filtered(actor, wanted, at)
    if after:
        day, ref = read_place(after)
        rows = rows.filter(Q(settlement_date__gt=day) | Q(settlement_date=day, ref__gt=ref))
    found = list(rows.order_by("settlement_date", "ref")[: most + 1])
    last = found[most - 1] if len(found) > most else None
    return ListPage(found[:most], f"{last.settlement_date.isoformat()}.{last.ref}" if last else "")


def all_instructions(
    actor: Principal, wanted: InstructionFilter, *, at: datetime, most: int
) -> list[SettlementInstruction]:
    """The whole list, for an export."""
    return list(_filtered(actor, wanted, at).order_by("settlement_date", "ref")[:most])


def read_place(text: str) -> tuple[date, str]:
    """``2026-11-24.S1000-1``. Raises Invalid PLACE_INVALID."""
    day, _, ref = text.partition(".")
    try:
        return date.fromisoformat(day), ref[:16]
    except ValueError:
        raise Invalid("PLACE_INVALID", "No page goes on there.", {"after": ["No page goes on there."]}) from None


def _filtered(actor: Principal, wanted: InstructionFilter, at: datetime) -> QuerySet[SettlementInstruction]:
    rows = visible_instructions(actor)
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    elif wanted.day is None:
        rows = rows.exclude(state__in=OVER)
    exact = {
        "settlement_date": wanted.day, "account__code__iexact": wanted.account, "currency": wanted.currency.upper(),
        MIC: wanted.mic.upper(), "standing__agent": wanted.custodian.upper(),
    }  # fmt: skip
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if wanted.held:
        rows = rows.filter(held_at__isnull=False)
    return rows.filter(_as_old_as(wanted.age, at)) if wanted.age else rows


def _as_old_as(age: int, at: datetime) -> Q:
    """What was to settle so many settlement days ago or earlier, by the calendar of each market."""
    found = Q(pk__in=[])
    for mic in Market.objects.order_by("mic").values_list("mic", flat=True):
        clock = get_market_clock(mic)
        day, left = clock.local_date(at), age
        while left > 0:
            left -= is_settlement_day(day, clock.settlement_holidays)
            day -= timedelta(days=1)
        found |= Q(**{MIC: mic, "settlement_date__lte": day})
    return found


@dataclass(slots=True)
class Fails:
    """What fails for one reason in one currency: how many by ``BUCKETS``, and the cash that is open (+ to come)."""

    reason: str
    currency: str
    counts: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))
    net: Decimal = ZERO

    @property
    def count(self) -> int:
        return sum(self.counts)


def fails_by_age(actor: Principal, *, at: datetime) -> list[Fails]:
    """Of all whose day has passed and that have not settled, those that never left or were refused among them; most first."""
    cash = Case(
        When(delivery=RECEIVE, then=F("settled_amount") - F("amount")), default=F("amount") - F("settled_amount")
    )
    rows = (
        visible_instructions(actor)
        .select_related(None)
        .exclude(state__in=OVER)
        .filter(settlement_date__lt=at.date() + timedelta(days=1))
        .values(MIC, "settlement_date", "state", "reason_code", "currency")
        .annotate(count=Count("id"), net=Sum(cash))
    )
    clocks: dict[str, MarketClock] = {}
    found: dict[tuple[str, str], Fails] = {}
    for row in rows:
        clock = clocks.setdefault(row[MIC], get_market_clock(row[MIC]))
        today = clock.local_date(at)
        if row["settlement_date"] < today:
            reason = _reason(row["state"], row["reason_code"])
            line = found.setdefault((reason, row["currency"]), Fails(reason, row["currency"]))
            age = age_in_days(row["settlement_date"], today, clock.settlement_holidays)
            line.counts[next(place for place, (_, most) in enumerate(BUCKETS) if age <= most)] += row["count"]
            line.net += row["net"]
    return sorted(found.values(), key=lambda line: (-line.count, line.reason, line.currency))


def _reason(state: str, code: str) -> str:
    if state in (moves.WAITING, moves.REJECTED):
        return f"{state}, not sent" if state == moves.WAITING else f"refused {code}".strip()
    return code or "no reason given"
