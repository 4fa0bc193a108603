"""Cash that open instructions bring and cost, by date and currency, whole or split by account, desk or custodian.

Where ``accounts.selectors.forecast`` says what is pending on all balances, this says by which instructions, and how sure they are:
what its counterparty has not affirmed, and what fails and is therefore expected on the next settlement day of its market instead of
its own. Whatever the split, the lines of a currency sum to the open amounts of its instructions (test).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django.db.models import BooleanField, Case, Count, Exists, ExpressionWrapper, F, OuterRef, Q, Sum, Value, When

from allocations.domain import transitions as moves
from allocations.domain.instructing import RECEIVE
from allocations.models import Confirmation
from allocations.selectors.settlement import OVER, visible_instructions
from allocations.selectors.settlement_list import MIC
from authorisation.domain.principal import Principal
from kernel.numbers import ZERO
from refdata.domain.market_clock import MarketClock
from refdata.domain.settlement import is_settlement_day
from refdata.selectors import get_market_clock


class Split(StrEnum):
    """By what the forecast is divided."""

    NONE = "none"
    ACCOUNT = "account"
    DESK = "desk"
    CUSTODIAN = "custodian"


_KEYS = {
    Split.NONE: Value(""),
    Split.ACCOUNT: F("account__code"),
    Split.DESK: F("allocation__block__desk__code"),
    Split.CUSTODIAN: F("standing__agent"),
}


@dataclass(slots=True)
class ForecastLine:
    """``receipts`` >= 0 and ``payments`` <= 0 of a date; of their sum ``unaffirmed`` and ``failing`` say how much is uncertain.

    ``key`` is empty where nothing is split, and for a custodian that nobody has named yet.
    """

    key: str
    currency: str
    day: date
    count: int = 0
    receipts: Decimal = ZERO
    payments: Decimal = ZERO
    unaffirmed: Decimal = ZERO
    failing: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        return self.receipts + self.payments


def forecast_settlement(actor: Principal, *, at: datetime, by: Split = Split.NONE) -> list[ForecastLine]:
    """By key, currency and date; one statement, whatever the number of instructions."""
    disputed = Confirmation.objects.filter(allocation_id=OuterRef("allocation_id")).exclude(
        state__in=[moves.CANCELED, moves.AFFIRMED]
    )
    cash = Case(
        When(delivery=RECEIVE, then=F("settled_amount") - F("amount")), default=F("amount") - F("settled_amount")
    )
    rows = (
        visible_instructions(actor)
        .select_related(None)
        .exclude(state__in=OVER)
        .annotate(
            key=_KEYS[by],
            open=Exists(disputed),
            failed=ExpressionWrapper(Q(state=moves.FAILED), output_field=BooleanField()),
        )
        .values("key", MIC, "currency", "settlement_date", "delivery", "open", "failed")
        .annotate(count=Count("id"), net=Sum(cash))
        .order_by("key", "currency", "settlement_date")
    )
    clocks: dict[str, MarketClock] = {}
    lines: dict[tuple[str, str, date], ForecastLine] = {}
    for row in rows:
        clock = clocks.setdefault(row[MIC], get_market_clock(row[MIC]))
        day = expected_on(row["settlement_date"], clock, at)
        place = (row["key"] or "", row["currency"], day)
        line = lines.setdefault(place, ForecastLine(*place))
        line.count += row["count"]
        if row["net"] >= ZERO:
            line.receipts += row["net"]
        else:
            line.payments += row["net"]
        line.unaffirmed += row["net"] if row["open"] else ZERO
        line.failing += row["net"] if row["failed"] or day != row["settlement_date"] else ZERO
    return [lines[place] for place in sorted(lines)]


def expected_on(settlement_date: date, clock: MarketClock, at: datetime) -> date:
    """Its own day, or, when that has passed, the next settlement day of its market from today on."""
    day = clock.local_date(at)
    if settlement_date >= day:
        return settlement_date
    while not is_settlement_day(day, clock.settlement_holidays):
        day += timedelta(days=1)
    return day


def totals(lines: Iterable[ForecastLine]) -> dict[str, Decimal]:
    """Net by currency."""
    found: dict[str, Decimal] = {}
    for line in lines:
        found[line.currency] = found.get(line.currency, ZERO) + line.net
    return found
