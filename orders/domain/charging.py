"""What an order is charged by, and how that reaches its row, its events and those who read them. Pure.

The order keeps its terms as it keeps its instrument snapshot: decided at capture for that trade date, and again by the first
report of a later one. Whoever replays an order, or works out what it holds, needs no table of schedules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

import orjson

from accounts.domain.fee_book import FeeBook, FeeScope, Selected, side_word
from accounts.domain.fees import (
    NO_FEES,
    FeeSet,
    OrderFees,
    fees_from_json,
    fees_to_json,
    terms_from_json,
    terms_to_json,
)
from kernel.fix import Side
from kernel.numbers import ZERO
from orders.domain.state import EXACT
from refdata.domain.listing_facts import ListingFacts

Decision = tuple[date, FeeSet]
"""By which terms an order is charged on a trade date."""


def select_for_listing(book: FeeBook, listing: ListingFacts, *, side: Side, account_class: str) -> Selected:
    """What a new order is charged by today."""
    scope = FeeScope(listing.mic, listing.isin, listing.asset_class, account_class, side_word(side), listing.currency)
    return book.select(scope, listing.business_date)


def select_for_snapshot(
    book: FeeBook, snapshot: Mapping[str, Any], *, side: str, account_class: str, day: date
) -> Selected:
    """What an order that exists is charged by on a trade date."""
    scope = FeeScope(
        snapshot["mic"],
        snapshot["isin"],
        snapshot["asset_class"],
        account_class,
        side_word(Side(side)),
        snapshot["currency"],
    )
    return book.select(scope, day)


@lru_cache(maxsize=1024)
def first_fees(terms: FeeSet, day: date) -> bytes:
    """What the row of a new order keeps, as JSON."""
    return orjson.dumps(fees_to_json(NO_FEES.decided(day, terms)))


def kept_fees(body: Mapping[str, Any] | None) -> OrderFees:
    """What a row keeps; nothing for an order of before there were fees, until it is reported on."""
    return fees_from_json(body) if body else NO_FEES


def decision_to_json(decision: Decision) -> list[Any]:
    """As an event tells it."""
    return [decision[0].isoformat(), terms_to_json(decision[1])]


def decision_from_json(told: list[Any]) -> Decision:
    """The inverse of :func:`decision_to_json`."""
    return date.fromisoformat(told[0]), terms_from_json(told[1])


class Executed(Protocol):
    """An execution, whatever row it comes in."""

    effective_qty: Decimal
    effective_px: Decimal

    @property
    def trade_date(self) -> date: ...


def charged(fees: OrderFees, day: date, payload: Mapping[str, Any]) -> OrderFees:
    """After an execution event of ``day``: its trade date stands, and what it says was booked is counted."""
    had = fees.day(day)
    if had is None:
        return fees
    booked = dict(had.booked)
    for _, name, _, amount in payload.get("fees", ()):
        booked[name] = booked.get(name, ZERO) + Decimal(amount)
    kept = {name: amount for name, amount in booked.items() if amount}
    return replace(fees, days={**fees.days, day: had._replace(booked=kept)})


def traded_days(fees: OrderFees, executions: Iterable[Executed]) -> OrderFees:
    """The days of an order with what its executions are effectively worth now."""
    sums: dict[date, tuple[Decimal, Decimal]] = {}
    for row in executions:
        qty, notional = sums.get(row.trade_date, (ZERO, ZERO))
        sums[row.trade_date] = (
            EXACT.add(qty, row.effective_qty),
            EXACT.add(notional, EXACT.multiply(row.effective_qty, row.effective_px)),
        )
    days = {
        day: had._replace(qty=sums[day][0], notional=sums[day][1]) if day in sums and fees.sets[had.terms] else had
        for day, had in fees.days.items()
    }
    return replace(fees, days=days)
