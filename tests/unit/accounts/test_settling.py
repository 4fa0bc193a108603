"""The two views of a balance, and what may be traded and taken out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from uuid import UUID

import pytest

from accounts.domain.settling import CashView, DayMoves, StockView, Unsettled

MON, TUE, WED = date(2026, 10, 12), date(2026, 10, 13), date(2026, 10, 14)


def unsettled(*pairs: tuple[date, str], today: date = MON) -> tuple[Unsettled, ...]:
    return tuple(Unsettled(day, D(amount), day <= today) for day, amount in pairs)


@pytest.mark.parametrize(
    ("settled", "reserved", "by_date", "to_trade", "withdrawable"),
    [
        ("1000", "0", (), "1000", "1000"),
        ("1000", "300", (), "700", "700"),
        ("1000", "0", ((TUE, "400"),), "1400", "1000"),
        ("1000", "0", ((TUE, "-400"),), "600", "600"),
        # A later receipt pays no earlier debt, and an earlier one only when it has come.
        ("1000", "0", ((TUE, "-400"), (WED, "400")), "1000", "600"),
        ("1000", "0", ((TUE, "400"), (WED, "-400")), "1000", "600"),
        # Due and not confirmed is still not settled.
        ("1000", "0", ((MON, "400"), (TUE, "-100")), "1300", "900"),
        ("100", "50", ((TUE, "-90"),), "-40", "0"),
    ],
)
def test_to_trade_and_withdrawable(
    settled: str, reserved: str, by_date: tuple[tuple[date, str], ...], to_trade: str, withdrawable: str
) -> None:
    lines = unsettled(*by_date)
    view = CashView("GBP", D(settled), sum((line.amount for line in lines), D(0)), D(reserved), lines)
    assert (view.to_trade, view.withdrawable) == (D(to_trade), D(withdrawable))
    assert view.traded == view.settled + sum((line.amount for line in view.unsettled), D(0))


def test_what_is_due_is_told_apart_from_what_is_to_come() -> None:
    view = CashView("GBP", D(0), D(50), D(0), unsettled((MON, "80"), (TUE, "-30")))
    assert (view.due, view.debts, view.traded) == (D(80), D(30), D(50))


def test_a_day_of_stock_adds_up() -> None:
    stock = StockView(UUID(int=1), D(100), D(-20), D(10), D(30), (), DayMoves(D(5), D(45), D(10)))
    assert (stock.opening, stock.net, stock.available) == (D(100), D(70), D(40))
    assert stock.opening + stock.day.bought - stock.day.sold + stock.day.moved == stock.net
    assert StockView(UUID(int=1), D(0), D(0), D(10), D(0)).available == 0
