"""What becomes of an open order when its instrument has a corporate action: kept, canceled by us, or changed by its venue. Pure.

An order that works at a venue is never edited in our books: either the venue restates it and says so, or we cancel it
through the normal door and the client enters another. Where the venue changes it, ``adjusted`` says what it must come to;
what has not come to that in time is canceled by us, because an old price on new shares is a wrong price.

Sources: FINRA Rule 5330 for the United States (buy limits and sell stops are reduced by a dividend, rounded down to the
tick, others not, below one cent nothing is; a split changes price and size; a reverse split cancels). Elsewhere it is the
house's own cautious rule: what changes shares or names cancels, a dividend keeps. Orders of this house carry no ExecInst,
so none is marked DNR (do not reduce).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from kernel.fix import Side
from kernel.numbers import ZERO, plain
from refdata.domain.action_terms import ActionKind, ActionTerms
from refdata.domain.tick_table import Band, tick_above, tick_below

PATIENCE_S = 600
"""How long a venue has to restate an order before we cancel it, and an order to end before somebody is told."""
_LEAST_DIVIDEND = Decimal("0.01")


class Treatment(StrEnum):
    """What becomes of an order."""

    KEEP = "keep"
    CANCEL = "cancel"
    VENUE = "venue"


_UNITED_STATES = {
    ActionKind.SPLIT: Treatment.VENUE,
    ActionKind.REVERSE_SPLIT: Treatment.CANCEL,
    ActionKind.CASH_DIVIDEND: Treatment.VENUE,
    ActionKind.NAME_CHANGE: Treatment.CANCEL,
}
ELSEWHERE = {
    ActionKind.SPLIT: Treatment.CANCEL,
    ActionKind.REVERSE_SPLIT: Treatment.CANCEL,
    ActionKind.CASH_DIVIDEND: Treatment.KEEP,
    ActionKind.NAME_CHANGE: Treatment.CANCEL,
}
CONVENTIONS = {"XNYS": _UNITED_STATES, "XNAS": _UNITED_STATES}


@dataclass(frozen=True, slots=True)
class Working:
    """The working terms of an open order that a corporate action may touch. ``at_venue``: it was handed over."""

    side: str
    order_qty: Decimal | None
    price: Decimal | None
    stop_px: Decimal | None
    mic: str
    at_venue: bool


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Terms after the action, in the same units; None where the order has none."""

    order_qty: Decimal | None
    price: Decimal | None
    stop_px: Decimal | None


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of the order, and its terms in new shares where they change."""

    treatment: Treatment
    adjusted: Adjusted


def plan(order: Working, terms: ActionTerms, *, ticks: Sequence[Band], lot: Decimal, divisor: int) -> Planned:
    """By the convention of the order's market. What was never handed over has no venue to change it: it is canceled."""
    same = Adjusted(order.order_qty, order.price, order.stop_px)
    treatment = CONVENTIONS.get(order.mic, ELSEWHERE)[terms.kind]
    if terms.kind is ActionKind.NAME_CHANGE and not terms.new_symbol:
        return Planned(Treatment.KEEP, same)
    adjusted = adjusted_terms(order, terms, ticks=ticks, lot=lot, divisor=divisor)
    if treatment is Treatment.VENUE and adjusted == same:
        return Planned(Treatment.KEEP, same)
    if treatment is Treatment.VENUE and not order.at_venue:
        treatment = Treatment.CANCEL
    return Planned(treatment, adjusted)


def undone(order: Working, terms: ActionTerms) -> Planned:
    """Taking back a split or a name cancels what was entered under it; a dividend that is taken back leaves orders alone."""
    treatment = Treatment.KEEP if terms.kind is ActionKind.CASH_DIVIDEND else Treatment.CANCEL
    return Planned(treatment, Adjusted(order.order_qty, order.price, order.stop_px))


def adjusted_terms(
    order: Working, terms: ActionTerms, *, ticks: Sequence[Band], lot: Decimal, divisor: int
) -> Adjusted:
    """The terms in new shares. A price moves in the client's favour to the next tick, a size down to whole lots."""
    buys = Side(order.side).is_buy
    if terms.kind.is_split:
        new, old = terms.ratio
        return Adjusted(
            order_qty=_lots(order.order_qty * new / old, lot) if order.order_qty is not None else None,
            price=_tick(order.price * old / new, ticks, down=buys) if order.price is not None else None,
            stop_px=_tick(order.stop_px * old / new, ticks, down=not buys) if order.stop_px is not None else None,
        )
    amount = terms.amount or ZERO
    price, stop_px = order.price, order.stop_px
    if terms.kind is ActionKind.CASH_DIVIDEND and amount >= _LEAST_DIVIDEND:
        less = amount * divisor
        if buys and price is not None and stop_px is None and price > less:
            price = _tick(price - less, ticks, down=True)
        if not buys and stop_px is not None and stop_px > less:
            stop_px = _tick(stop_px - less, ticks, down=True)
    return Adjusted(order.order_qty, price, stop_px)


def terms_to_json(terms: Adjusted) -> dict[str, str | None]:
    """Quantity and prices as text, as they are kept."""
    values = {"order_qty": terms.order_qty, "price": terms.price, "stop_px": terms.stop_px}
    return {name: plain(value) if value is not None else None for name, value in values.items()}


def terms_of_json(body: Mapping[str, str | None]) -> Adjusted:
    """The inverse of :func:`terms_to_json`."""
    values = {name: Decimal(text) if text is not None else None for name, text in body.items()}
    return Adjusted(**values)


def has_come_to(order: Working, wanted: Adjusted) -> bool:
    """Whether the venue has restated the order to exactly what it must come to."""
    return order.price == wanted.price and order.stop_px == wanted.stop_px and order.order_qty == wanted.order_qty


def _lots(qty: Decimal, lot: Decimal) -> Decimal:
    return (qty / lot).to_integral_value(ROUND_FLOOR) * lot


def _tick(price: Decimal, ticks: Sequence[Band], *, down: bool) -> Decimal:
    return tick_below(ticks, price) if down else tick_above(ticks, price)
