"""Two orders race for the same money: exactly one gets it, and no sum is ever lost."""

from __future__ import annotations

import random
from decimal import Decimal as D
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError
from django.db.models import Sum

from accounts.domain.ledger import OrderHold
from accounts.models import Booking, CashBalance, Holding, Reservation, TradingAccount
from accounts.services.book_executions import book_executions
from accounts.services.deposit import Deposit, deposit
from accounts.services.set_reservation import set_reservation
from accounts.services.set_reservations import set_reservations
from kernel.errors import Refused
from kernel.fix import Side
from kernel.ids import new_id
from kernel.numbers import Money
from tests.concurrency.threads import together
from tests.factories.accounts import AT, DAY, SEED, VOD, booking, funded_account

pytestmark = pytest.mark.django_db(transaction=True)


def codes(results: list[Any]) -> list[str]:
    return sorted(result.code if isinstance(result, Refused) else repr(result) for result in results)


@pytest.mark.parametrize("orders", [2, 12])
def test_one_of_many_orders_gets_the_cash(orders: int) -> None:
    account = funded_account(cash="1000")

    def buy() -> None:
        set_reservation(account_id=account.id, order_id=new_id(), cash=Money(D("600"), "GBP"), stock=None, at=AT)

    assert codes(together([buy] * orders)) == ["CASH_INSUFFICIENT"] * (orders - 1) + ["None"]
    assert CashBalance.objects.get().reserved == 600
    assert Reservation.objects.count() == 1


def test_one_of_two_orders_gets_the_stock() -> None:
    account = funded_account(stock="100")

    def sell() -> None:
        set_reservation(account_id=account.id, order_id=new_id(), cash=None, stock=(VOD, D(60)), at=AT)

    assert codes(together([sell] * 2)) == ["HOLDING_INSUFFICIENT", "None"]
    assert Holding.objects.get().reserved == 60
    assert Reservation.objects.count() == 1


def test_the_first_booking_of_a_balance_by_two_makes_one_row() -> None:
    account = funded_account(cash="1000")

    def fill() -> None:
        book_executions(bookings=[booking(account.id, qty="1", cash="-10", currency="USD")], at=AT)

    results = together([fill] * 6)
    assert results == [None] * 6
    assert CashBalance.objects.get(currency="USD").pending == -60
    assert Holding.objects.get().pending == 6


def _mixed_day(seed: int, accounts: list[UUID]) -> None:
    """Reserve, fill, bust and release over several accounts at once, in any order."""
    choose = random.Random(seed)
    for _ in range(12):
        some = choose.sample(accounts, 2)
        order = new_id()
        try:
            set_reservations(holds=[OrderHold(order, some[0], "GBP", D(choose.randint(1, 400)))], at=AT)
        except Refused:
            continue
        qty, cash = choose.randint(1, 9), choose.randint(1, 50)
        trades = [booking(account_id, qty=str(qty), cash=str(-cash), order_id=order) for account_id in some]
        book_executions(bookings=trades, holds=[OrderHold(order, some[0], "GBP", D(1))], at=AT)
        if choose.random() < 0.5:
            undo = booking(some[1], qty=str(-qty), cash=str(cash), side=Side.BUY, kind="bust", order_id=order)
            book_executions(bookings=[undo], at=AT)
        if choose.random() < 0.7:
            set_reservations(holds=[OrderHold(order, some[0])], at=AT)


def test_a_mixed_day_on_many_threads_loses_no_sum_and_never_deadlocks() -> None:
    accounts = [funded_account(f"AC{i}", cash="1000").id for i in range(4)]
    results = together([partial(_mixed_day, seed, accounts) for seed in range(6)])
    assert results == [None] * 6
    for row in CashBalance.objects.all():
        sums = dict(
            Booking.objects.filter(account_id=row.account_id, currency="GBP")
            .values_list("layer")
            .annotate(total=Sum("amount"))
        )
        assert (row.settled, row.pending) == (sums["settled"], sums.get("pending", D(0)))
        held = Reservation.objects.filter(account_id=row.account_id).aggregate(total=Sum("cash"))["total"] or D(0)
        assert row.reserved == held
        assert (row.settled + row.pending - row.reserved < 0) == (row.overdrawn_by_event is not None)
    for stock in Holding.objects.all():
        total = Booking.objects.filter(account_id=stock.account_id, instrument_id=VOD).aggregate(t=Sum("amount"))["t"]
        assert stock.pending == total


def test_deposits_beside_orders_are_counted() -> None:
    account = funded_account(cash="10")

    def pay_in() -> None:
        for _ in range(10):
            lines = [Deposit(account.id, D(1), currency="GBP")]
            deposit(actor=SEED, at=AT, business_date=DAY, deposits=lines)

    assert together([pay_in] * 4) == [None] * 4
    assert CashBalance.objects.get().settled == 50


def test_an_account_does_not_go_while_its_first_balance_comes() -> None:
    account = funded_account(cash="0")
    CashBalance.objects.all().delete()

    def come() -> None:
        CashBalance.objects.create(account_id=account.id, currency="GBP")

    def go() -> None:
        TradingAccount.objects.filter(pk=account.pk).delete()

    for _ in range(3):
        results = together([come, go])
        assert sum(isinstance(result, IntegrityError) for result in results) == 1, results
        assert CashBalance.objects.exists() is TradingAccount.objects.exists() is (results[0] is None)
        if results[0] is not None:
            return
        CashBalance.objects.all().delete()
