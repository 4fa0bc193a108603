"""Positions as rows of a file and as answers of the API: plain text and JSON, decimals as text. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Protocol

from accounts.domain.average_cost import METHOD
from accounts.domain.settling import TO_TRADE, WITHDRAWABLE, CashView, Unsettled
from kernel.numbers import plain

HEADER = (
    "account", "symbol", "isin", "name", "start_of_day", "bought", "sold", "moved", "position", "working_buy", "working_sell",
    "reserved", "available", "settled", "due_not_settled", "average_cost", "price_unit", "cost_value", "last", "value", "currency",
)  # fmt: skip


class Shown(Protocol):
    """What of ``operations.selectors.positions.Positions`` is needed here."""

    @property
    def account(self) -> Any: ...
    @property
    def cash(self) -> Any: ...
    @property
    def stock(self) -> Any: ...


def csv_rows(positions: Shown) -> Iterator[tuple[str, ...]]:
    """One row an instrument, in the order of ``HEADER``."""
    for line in positions.stock:
        view, listing, cost = line.view, line.listing, line.cost
        figures = (
            view.opening, view.day.bought, view.day.sold, view.day.moved, view.net, line.working.buy, line.working.sell,
            view.reserved, view.available, view.settled, view.due,
        )  # fmt: skip
        yield (
            positions.account.code,
            line.symbol,
            listing.isin if listing else "",
            listing.name if listing else "",
            *(plain(figure) for figure in figures),
            _text(line.cost_px) or "",
            listing.price_unit if listing else "",
            _text(cost.value if cost else None) or "",
            _text(line.last) or "",
            _text(line.value) or "",
            listing.currency if listing else "",
        )


def cash_answer(positions: Shown) -> dict[str, Any]:
    """Cash by currency, both views, with what each figure means."""
    return {
        "account": positions.account.code,
        "definitions": {"to_trade": TO_TRADE, "withdrawable": WITHDRAWABLE},
        "cash": [_cash(view) for view in positions.cash],
    }


def positions_answer(positions: Shown) -> dict[str, Any]:
    """Stock by instrument, both views, with what it cost."""
    return {
        "account": positions.account.code,
        "cost_method": METHOD,
        "positions": [_position(line) for line in positions.stock],
    }


def _cash(view: CashView) -> dict[str, Any]:
    return {
        "currency": view.currency,
        "opening": plain(view.opening),
        "received_today": plain(view.day.bought),
        "paid_today": plain(view.day.sold),
        "settled": plain(view.settled),
        "pending": plain(view.pending),
        "unsettled": [_unsettled(item) for item in view.unsettled],
        "due_not_settled": plain(view.due),
        "reserved": plain(view.reserved),
        "to_trade": plain(view.to_trade),
        "withdrawable": plain(view.withdrawable),
        "overdrawn": view.overdrawn,
    }


def _position(line: Any) -> dict[str, Any]:
    view, listing, cost = line.view, line.listing, line.cost
    return {
        "instrument_id": str(view.instrument_id),
        "symbol": line.symbol,
        "isin": listing.isin if listing else None,
        "position": plain(view.net),
        "settled": plain(view.settled),
        "pending": plain(view.pending),
        "short": plain(view.short),
        "unsettled": [_unsettled(item) for item in view.unsettled],
        "due_not_settled": plain(view.due),
        "reserved": plain(view.reserved),
        "available": plain(view.available),
        "working_buy": plain(line.working.buy),
        "working_sell": plain(line.working.sell),
        "average_cost": _text(line.cost_px),
        "price_unit": listing.price_unit if listing else None,
        "cost": _text(cost.value if cost else None),
        "cost_currency": (cost.currency or None) if cost else None,
        "cost_missing_because": line.why or None,
        "realised": {currency: plain(amount) for currency, amount in line.realised},
        "last": _text(line.last),
        "value": _text(line.value),
        "currency": listing.currency if listing else None,
        "overdrawn": view.overdrawn,
    }


def _unsettled(item: Unsettled) -> dict[str, Any]:
    return {"settlement_date": item.settlement_date.isoformat(), "amount": plain(item.amount), "due": item.is_due}


def _text(value: Decimal | None) -> str | None:
    return plain(value) if value is not None else None
