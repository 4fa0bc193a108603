"""The cut-off board and the share affirmed in time: clocks and shares as tables have them now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from django.db.models import QuerySet

from allocations.domain import transitions as moves
from allocations.domain.affirming_in_time import RATE_OVER, Clock, Share, add_up
from allocations.models import Confirmation
from journal.bulk import raw_cursor
from kernel.numbers import ZERO
from refdata.selectors import get_fx_rates
from risk.selectors.usage import counting_rate

_Key = TypeVar("_Key", str, date)
LOOK_BACK = timedelta(days=7)
_CLOCKS = f"""
WITH c AS (
     SELECT l.market_id AS mic, c.counterparty, a.trade_date, c.affirm_by, c.state, c.affirmed_at, b.currency, abs(a.gross) AS gross
       FROM allocations_confirmation c
       JOIN allocations_allocation a ON a.id = c.allocation_id
       JOIN allocations_block b ON b.id = a.block_id
       JOIN refdata_listing l ON l.id = b.listing_id
       JOIN accounts_tradingaccount t ON t.id = a.account_id
      WHERE c.affirm_by IS NOT NULL AND c.affirm_by >= %(since)s AND c.state <> '{moves.CANCELED}'
        AND (%(desks)s::int[] IS NULL OR (b.desk_id = ANY(%(desks)s::int[]) AND t.group_id = ANY(%(groups)s::int[])))
)
SELECT mic, counterparty, trade_date, affirm_by, currency,
       count(*) FILTER (WHERE state <> '{moves.AFFIRMED}'),
       coalesce(sum(gross) FILTER (WHERE state <> '{moves.AFFIRMED}'), 0),
       count(*) FILTER (WHERE state = '{moves.AFFIRMED}'),
       count(*) FILTER (WHERE state = '{moves.AFFIRMED}' AND affirmed_at > %(lately)s AND affirmed_at <= %(at)s)
  FROM c GROUP BY 1, 2, 3, 4, 5 ORDER BY affirm_by, mic, counterparty, trade_date, currency
"""  # noqa: S608 constants of ours
_SHARES = f"""
SELECT l.market_id, c.counterparty, a.trade_date, b.currency,
       count(*) FILTER (WHERE c.affirmed_at <= c.affirm_by), count(*),
       coalesce(sum(abs(a.gross)) FILTER (WHERE c.affirmed_at <= c.affirm_by), 0), coalesce(sum(abs(a.gross)), 0)
  FROM allocations_confirmation c
  JOIN allocations_allocation a ON a.id = c.allocation_id
  JOIN allocations_block b ON b.id = a.block_id
  JOIN refdata_listing l ON l.id = b.listing_id
  JOIN accounts_tradingaccount t ON t.id = a.account_id
 WHERE c.affirm_by IS NOT NULL AND a.trade_date BETWEEN %(first)s AND %(last)s
   AND (c.affirmed_at IS NOT NULL OR c.affirm_by <= %(at)s) AND NOT (c.state = '{moves.CANCELED}' AND c.closed_at <= c.affirm_by)
   AND (%(desks)s::int[] IS NULL OR (b.desk_id = ANY(%(desks)s::int[]) AND t.group_id = ANY(%(groups)s::int[])))
 GROUP BY 1, 2, 3, 4 ORDER BY a.trade_date DESC, l.market_id, c.counterparty, b.currency
"""  # noqa: S608 constants of ours


@dataclass(frozen=True, slots=True)
class Sight:
    """Of which rows: None is everything."""

    desks: Collection[int] | None = None
    groups: Collection[int] | None = None

    @property
    def parameters(self) -> dict[str, list[int] | None]:
        """For the statements."""
        return {
            "desks": None if self.desks is None else sorted(self.desks),
            "groups": None if self.groups is None else sorted(self.groups or ()),
        }


ALL = Sight()


def list_clocks(*, at: datetime, sight: Sight = ALL) -> list[Clock]:
    """Every market, counterparty and trade date whose hour is ahead or was in the last week, by hour; counted in one currency."""
    values = {"since": at - LOOK_BACK, "at": at, "lately": at - RATE_OVER, **sight.parameters}
    with raw_cursor() as cursor:
        cursor.execute(_CLOCKS, values)
        rows = cursor.fetchall()
    worth = _worths({row[4] for row in rows}, at)
    found: dict[tuple[str, str, date, datetime], Clock] = {}
    for mic, party, day, affirm_by, currency, open_, gross, affirmed, lately in rows:
        key = (mic, party, day, affirm_by)
        had = found.get(key) or Clock(mic, party, day.isoformat(), affirm_by, 0, ZERO, 0, 0)
        value = _sum(had.value, gross if not open_ else _times(gross, worth[currency]))
        found[key] = Clock(
            mic,
            party,
            day.isoformat(),
            affirm_by,
            had.open + open_,
            value,
            had.affirmed + affirmed,
            had.lately + lately,
        )
    return list(found.values())


@dataclass(frozen=True, slots=True)
class ShareRow:
    """The share of one market, counterparty, trade date and currency."""

    mic: str
    counterparty: str
    trade_date: date
    currency: str
    share: Share


def affirmed_in_time(*, first: date, last: date, at: datetime, sight: Sight = ALL) -> list[ShareRow]:
    """What was affirmed by its hour of what was due by ``at``, newest day first."""
    with raw_cursor() as cursor:
        cursor.execute(_SHARES, {"first": first, "last": last, "at": at, **sight.parameters})
        return [
            ShareRow(mic, party, day, currency, Share(in_time, due, value_in, value_due))
            for mic, party, day, currency, in_time, due, value_in, value_due in cursor.fetchall()
        ]


def by_counterparty(rows: Iterable[ShareRow]) -> list[tuple[str, Share]]:
    """Counts alone add up over currencies: the sums by counterparty, by name."""
    return sorted(_summed((row.counterparty, row.share) for row in rows).items())


def by_day(rows: Iterable[ShareRow]) -> list[tuple[date, Share]]:
    """The same by trade date, newest first."""
    return sorted(_summed((row.trade_date, row.share) for row in rows).items(), reverse=True)


def _summed(rows: Iterable[tuple[_Key, Share]]) -> dict[_Key, Share]:
    found: dict[_Key, list[Share]] = defaultdict(list)
    for key, share in rows:
        found[key].append(share)
    return {key: add_up(shares) for key, shares in found.items()}


def late_rows(*, at: datetime) -> QuerySet[Confirmation]:
    """Past their hour and not affirmed."""
    rows = Confirmation.objects.filter(affirm_by__lte=at)
    return rows.exclude(state__in=(moves.AFFIRMED, moves.CANCELED)).order_by("affirm_by", "id")


def _worths(currencies: Collection[str], at: datetime) -> Mapping[str, Decimal | None]:
    rates = get_fx_rates() if currencies else None
    return defaultdict(
        lambda: None, {currency: counting_rate(currency, at=at, rates=rates) for currency in sorted(currencies)}
    )


def _times(amount: Decimal, rate: Decimal | None) -> Decimal | None:
    return None if rate is None else amount * rate


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other
