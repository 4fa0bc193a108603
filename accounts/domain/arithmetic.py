"""What a trade costs, and what an open order holds back. Pure; the only place where quantity becomes money.

Prices are in the listing's price unit; ``divisor`` is how many of it make one of the currency (100 for pence).
A booking rounds half-even to the minor unit, a reservation rounds up, so that one fill never costs more than was
reserved for it. Many small fills may, by half a minor unit each: a fact like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from kernel.fix import Side
from kernel.numbers import ZERO, Money, round_money, round_money_up

MARKET_COLLAR = Decimal("1.05")


@dataclass(frozen=True, slots=True)
class Effect:
    """What one execution changes: ``qty`` units (bought +, sold -), ``cash`` in the currency (received +, paid -)."""

    qty: Decimal
    cash: Decimal

    def __sub__(self, other: Effect) -> Effect:
        return Effect(self.qty - other.qty, self.cash - other.cash)


@dataclass(frozen=True, slots=True)
class HoldAmounts:
    """What an open order holds back: cash in its currency, or units of its instrument. Zero of both holds nothing."""

    cash: Decimal = ZERO
    stock: Decimal = ZERO

    def worse(self, other: HoldAmounts) -> HoldAmounts:
        """The larger of each: what is held while a replace is unanswered."""
        return HoldAmounts(max(self.cash, other.cash), max(self.stock, other.stock))


def trade_value(*, qty: Decimal, px: Decimal, divisor: int, currency: str) -> Money:
    """Quantity times price in the currency, half-even to the minor unit; never negative for positive inputs."""
    return Money(round_money(qty * px / divisor, currency), currency)


def fill_effect(*, side: Side, qty: Decimal, px: Decimal, divisor: int, currency: str) -> Effect:
    """What an execution of ``qty`` at ``px`` changes. A busted one (``qty`` 0) changes nothing."""
    value = trade_value(qty=qty, px=px, divisor=divisor, currency=currency).amount
    return Effect(qty, -value) if side.is_buy else Effect(-qty, value)


def change_effect(
    *,
    side: Side,
    before: tuple[Decimal, Decimal],
    after: tuple[Decimal, Decimal],
    divisor: int,
    currency: str,
) -> Effect:
    """From the effective (quantity, price) booked so far to the one that holds now.

    A trade comes from (0, 0), a bust goes to (0, 0) and so reverses to the last minor unit what was booked.
    """
    new = fill_effect(side=side, qty=after[0], px=after[1], divisor=divisor, currency=currency)
    old = fill_effect(side=side, qty=before[0], px=before[1], divisor=divisor, currency=currency)
    return new - old


def hold_amounts(
    *,
    side: Side,
    leaves_qty: Decimal,
    limit_px: Decimal | None,
    reference_px: Decimal | None,
    divisor: int,
    currency: str,
    fees: Decimal = ZERO,
) -> HoldAmounts:
    """What ``leaves_qty`` holds back. A buy holds its limit, without one the reference price and a 5 % collar.

    A sale holds the stock. A short sale holds nothing yet. A buy without any price raises ValueError: it must not
    have come this far.
    """
    if leaves_qty <= 0:
        return HoldAmounts()
    if side is Side.SELL:
        return HoldAmounts(stock=leaves_qty)
    if side.is_short:
        return HoldAmounts()
    if limit_px is None and reference_px is None:
        raise ValueError("a buy without limit and reference price cannot be reserved for")
    px = limit_px if limit_px is not None else (reference_px or ZERO) * MARKET_COLLAR
    return HoldAmounts(cash=round_money_up(leaves_qty * px / divisor, currency) + fees)
