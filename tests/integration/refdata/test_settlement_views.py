"""From a market's calendar to an account's books: what is unsettled by date, and that a date which has come settles nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from accounts.selectors.books import get_books
from accounts.services.book_executions import book_executions
from refdata.selectors import settlement_date
from tests.factories.accounts import AT, booking, funded_account

pytestmark = pytest.mark.usefixtures("listings")
D = Decimal


def test_trades_of_9_and_12_october_in_new_york_settle_together() -> None:
    account = funded_account(cash="1000")
    for day, paid in ((date(2026, 10, 9), "-300"), (date(2026, 10, 12), "100")):
        qty, settles = ("30" if paid[0] == "-" else "-10"), settlement_date("XNYS", day)
        trade = booking(account.id, qty=qty, cash=paid, trade_date=day, settlement_date=settles)
        book_executions(bookings=[trade], at=AT)

    for today, due in ((date(2026, 10, 12), False), (date(2026, 10, 13), True), (date(2027, 1, 1), True)):
        books = get_books(account_id=account.id, today=today)
        cash, stock = books.cash[0], books.stock[0]
        assert [(item.settlement_date, item.amount, item.is_due) for item in cash.unsettled] == [
            (date(2026, 10, 13), D(-200), due)
        ]
        assert [(item.settlement_date, item.amount) for item in stock.unsettled] == [(date(2026, 10, 13), D(20))]
        # However late it is: settled only when somebody confirms it.
        assert (cash.settled, cash.due, cash.to_trade, cash.withdrawable) == (D(1000), D(-200) * due, D(800), D(800))


@pytest.mark.parametrize("mic", ["XLON", "XETR", "XPAR"])
def test_europe_moves_to_one_day_on_11_october_2027(mic: str) -> None:
    assert settlement_date(mic, date(2027, 10, 8)) == date(2027, 10, 12)
    assert settlement_date(mic, date(2027, 10, 11)) == date(2027, 10, 12)
