"""Reservations and bookings move balances exactly, and every change has its row."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from accounts.domain.fees import Charge
from accounts.domain.ledger import OrderHold
from accounts.models import AccountGroup, Booking, CashBalance, Holding, Reservation
from accounts.selectors import read_money
from accounts.services.book_executions import book_executions
from accounts.services.deposit import Deposit, deposit
from accounts.services.release_reservations import release_reservations
from accounts.services.set_reservation import set_reservation
from journal.models import Event
from kernel.errors import Invalid, Refused
from kernel.fix import Side
from kernel.ids import new_id
from kernel.numbers import Money
from tests.factories.accounts import AT, DAY, SEED, VOD, booking, funded_account

pytestmark = pytest.mark.django_db


def commission(amount: str) -> tuple[Charge, ...]:
    return (Charge("commission", "commission", 1, Decimal(amount)),)


def gbp(amount: str) -> Money:
    return Money(Decimal(amount), "GBP")


def state() -> list[Any]:
    """Everything of this room that may move."""
    return [
        list(CashBalance.objects.order_by("id").values()),
        list(Holding.objects.order_by("id").values()),
        list(Reservation.objects.order_by("order_id").values()),
        list(Booking.objects.order_by("id").values()),
    ]


def cash_of(account: Any, currency: str = "GBP") -> tuple[Any, ...]:
    row = read_money([account.id])[account.id].cash[currency]
    return row.settled, row.pending, row.reserved, row.overdrawn_by_event is not None


def stock_of(account: Any) -> tuple[Any, ...]:
    row = read_money([account.id])[account.id].holdings[VOD]
    return row.settled, row.pending, row.reserved, row.short, row.overdrawn_by_event is not None


def test_a_reservation_is_whole_not_a_difference() -> None:
    account, order = funded_account(), new_id()
    for amount in ("400", "1000", "250", "250"):
        set_reservation(account_id=account.id, order_id=order, cash=gbp(amount), stock=None, at=AT)
        assert cash_of(account) == (1000, 0, Decimal(amount), False)
        assert Reservation.objects.get().cash == Decimal(amount)
    assert release_reservations(order_ids=[order, new_id()], at=AT) == 1
    assert cash_of(account) == (1000, 0, 0, False)
    assert not Reservation.objects.exists()


@pytest.mark.parametrize(
    ("cash", "stock", "code"),
    [
        (Money(Decimal("1000.01"), "GBP"), None, "CASH_INSUFFICIENT"),
        (Money(Decimal("0.01"), "USD"), None, "CASH_INSUFFICIENT"),
        (None, (VOD, Decimal("50.00000001")), "HOLDING_INSUFFICIENT"),
        (None, (new_id(), Decimal("1")), "HOLDING_INSUFFICIENT"),
    ],
)
def test_what_is_not_there_cannot_be_reserved(cash: Any, stock: Any, code: str) -> None:
    account = funded_account(stock="50")
    set_reservation(account_id=account.id, order_id=new_id(), cash=None, stock=None, at=AT)
    before = state()
    with pytest.raises(Refused) as refusal:
        set_reservation(account_id=account.id, order_id=new_id(), cash=cash, stock=stock, at=AT)
    assert refusal.value.code == code
    assert state() == before


def test_a_fill_moves_its_share_from_reserved_to_pending() -> None:
    account, order = funded_account(), new_id()
    set_reservation(account_id=account.id, order_id=order, cash=gbp("1000"), stock=None, at=AT)
    result = book_executions(
        bookings=[booking(account.id, qty="40", cash="-390.00", order_id=order)],
        holds=[OrderHold(order, account.id, "GBP", Decimal("600"))],
        at=AT,
    )
    assert (result.raised, result.cleared) == ((), ())
    assert cash_of(account) == (1000, -390, 600, False)
    assert stock_of(account) == (0, 40, 0, 0, False)
    rows = Booking.objects.filter(order_id=order).order_by("id").values_list("kind", "layer", "currency", "amount")
    assert list(rows) == [("trade", "pending", "GBP", Decimal("-390")), ("trade", "pending", "", Decimal("40"))]


def test_a_bust_reverses_exactly() -> None:
    account = funded_account(stock="10")
    before = (cash_of(account), stock_of(account))
    trade = booking(account.id, qty="-7", cash="701.37", side=Side.SELL, charges=commission("1.25"))
    book_executions(bookings=[trade], at=AT)
    assert cash_of(account) == (1000, Decimal("700.12"), 0, False)
    bust = booking(
        account.id, qty="7", cash="-701.37", side=Side.SELL, charges=commission("-1.25"), kind="bust",
        order_id=trade.order_id,
    )  # fmt: skip
    book_executions(bookings=[bust], at=AT)
    assert (cash_of(account), stock_of(account)) == before
    told = Booking.objects.filter(charge="commission").order_by("id").values_list("kind", "event_id", "amount")
    assert list(told) == [
        ("commission", trade.event_id, Decimal("-1.25")),
        ("commission", bust.event_id, Decimal("1.25")),
    ]


def test_a_fact_may_overdraw_and_says_so_until_covered() -> None:
    account, order = funded_account(stock="10"), new_id()
    book_executions(bookings=[booking(account.id, qty="-10", cash="500", side=Side.SELL)], at=AT)
    set_reservation(account_id=account.id, order_id=order, cash=gbp("1400"), stock=None, at=AT)
    bust = booking(account.id, qty="10", cash="-500", side=Side.SELL, kind="bust")
    result = book_executions(bookings=[bust], at=AT)
    assert cash_of(account) == (1000, 0, 1400, True)
    assert CashBalance.objects.get().overdrawn_by_event == bust.event_id
    anomaly = result.raised[0]
    assert (anomaly.kind, anomaly.evidence["available"], anomaly.subject_id) == ("OVERDRAWN", "-400", str(account.id))
    again = book_executions(bookings=[booking(account.id, qty="1", cash="-5")], at=AT)
    assert (again.raised, again.cleared) == ((), ())
    before = state()
    with pytest.raises(Refused):
        set_reservation(account_id=account.id, order_id=new_id(), cash=gbp("0.01"), stock=None, at=AT)
    assert state() == before
    set_reservation(account_id=account.id, order_id=order, cash=gbp("1395"), stock=None, at=AT)
    assert cash_of(account) == (1000, -5, 1395, True)
    result = book_executions(bookings=[booking(account.id, qty="-1", cash="400", side=Side.SELL)], at=AT)
    assert cash_of(account) == (1000, 395, 1395, False)
    assert [found.dedupe_key for found in result.cleared] == [anomaly.dedupe_key]


def test_a_short_sale_is_a_leg_of_its_own() -> None:
    account = funded_account(stock="100")
    book_executions(bookings=[booking(account.id, qty="-30", cash="300", side=Side.SELL_SHORT)], at=AT)
    assert stock_of(account) == (100, 0, 0, 30, False)
    row = read_money([account.id])[account.id].holdings[VOD]
    assert (row.net, row.sellable) == (Decimal(70), Decimal(70))


def test_another_currency_begins_at_its_first_booking() -> None:
    account = funded_account()
    result = book_executions(bookings=[booking(account.id, qty="1", cash="-20", currency="USD")], at=AT)
    assert cash_of(account, "USD") == (0, -20, 0, True)
    assert cash_of(account) == (1000, 0, 0, False)
    assert [found.dedupe_key for found in result.raised] == [f"overdrawn:{account.id}:USD"]


def test_every_balance_is_its_bookings() -> None:
    account = funded_account(stock="10")
    book_executions(bookings=[booking(account.id, qty="3", cash="-30.15", charges=commission("0.5"))], at=AT)
    book_executions(bookings=[booking(account.id, qty="-2", cash="25", side=Side.SELL)], at=AT)
    sums = {
        (row["layer"], row["currency"]): row["total"]
        for row in Booking.objects.values("layer", "currency").annotate(total=Sum("amount"))
    }
    assert sums == {
        ("settled", "GBP"): Decimal(1000),
        ("settled", ""): Decimal(10),
        ("pending", "GBP"): Decimal("-5.65"),
        ("pending", ""): Decimal(1),
    }
    assert cash_of(account)[:2] == (sums["settled", "GBP"], sums["pending", "GBP"])
    opening = Booking.objects.filter(kind="opening").values_list("event_id", flat=True)
    assert set(opening) == set(Event.objects.filter(kind="OpeningBalancesBooked").values_list("id", flat=True))


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity"])
def test_a_deposit_is_positive(amount: str) -> None:
    account = funded_account()
    before = state(), Event.objects.count()
    with pytest.raises(Invalid):
        deposit(actor=SEED, at=AT, business_date=DAY, deposits=[Deposit(account.id, Decimal(amount), currency="GBP")])
    assert (state(), Event.objects.count()) == before


@pytest.mark.parametrize("sql", ["UPDATE accounts_booking SET amount = 0", "DELETE FROM accounts_booking"])
def test_bookings_cannot_be_changed(sql: str) -> None:
    funded_account()
    before = state()
    with pytest.raises(IntegrityError, match="its rows are evidence"), transaction.atomic():
        connection.cursor().execute(f"SET CONSTRAINTS ALL IMMEDIATE; {sql}")
    assert state() == before


PAST = {
    "INSERT INTO accounts_cashbalance (account_id, currency, settled, pending, reserved) "
    "SELECT a, 'GBP', 0, 0, 0 FROM unnest(%(ids)s::uuid[]) a": "accounts_cashbalance.account_id names {stranger}",
    "INSERT INTO accounts_holding (account_id, instrument_id, settled, pending, reserved, short) "
    "SELECT a, a, 0, 0, 0, 0 FROM unnest(%(ids)s::uuid[]) a": "accounts_holding.account_id names {stranger}",
    "UPDATE accounts_cashbalance SET account_id = (%(ids)s::uuid[])[1] WHERE account_id = (%(ids)s::uuid[])[2]": "denied",
    "UPDATE accounts_holding SET account_id = (%(ids)s::uuid[])[1] WHERE account_id = (%(ids)s::uuid[])[2]": "denied",
    "DELETE FROM accounts_tradingaccount WHERE id = ANY(%(ids)s::uuid[])": "is named by accounts_",
}


def test_a_balance_is_of_an_account_that_exists_and_stays_of_it() -> None:
    """What a foreign key would hold row by row is held statement by statement, and at once."""
    bare, account = funded_account("BARE"), funded_account("AC9", cash="10", stock="5")
    CashBalance.objects.filter(account=bare).delete()
    stranger = new_id()
    for sql, said in PAST.items():
        ids = [stranger, account.id] if "%(ids)s::uuid[])[" in sql or sql.startswith("DELETE") else [bare.id, stranger]
        with pytest.raises(IntegrityError, match=said.format(stranger=stranger)), transaction.atomic():
            connection.cursor().execute(sql, {"ids": ids})
    with connection.cursor() as cursor:  # of accounts that exist they are written, and an account without any may go
        cursor.execute(next(iter(PAST)), {"ids": [bare.id]})
        cursor.execute("DELETE FROM accounts_cashbalance WHERE account_id = %s", [bare.id])
        cursor.execute("DELETE FROM accounts_tradingaccount WHERE id = %s", [bare.id])


ASTRAY = {
    "INSERT INTO accounts_tradingaccount (id, code, name, client_id, group_id, base_currency, state, short_allowed, version) "
    "SELECT gen_random_uuid(), c, c, %(stranger)s, group_id, 'GBP', 'active', false, 1 "
    "FROM accounts_tradingaccount, unnest(ARRAY['N1', 'N2']) c": "accounts_tradingaccount.client_id names {stranger}",
    "INSERT INTO accounts_tradingaccount (id, code, name, client_id, group_id, base_currency, state, short_allowed, version) "
    "SELECT gen_random_uuid(), 'N1', 'N1', client_id, -1, 'GBP', 'active', false, 1 "
    "FROM accounts_tradingaccount": "accounts_tradingaccount.group_id names -1",
    "UPDATE accounts_tradingaccount SET client_id = %(stranger)s": "accounts_tradingaccount.client_id names {stranger}",
    "UPDATE accounts_tradingaccount SET group_id = -1": "accounts_tradingaccount.group_id names -1",
    "DELETE FROM accounts_client": "is named by accounts_tradingaccount.client_id",
    "DELETE FROM accounts_accountgroup": "is named by accounts_tradingaccount.group_id",
}


def test_an_account_is_of_a_client_and_in_a_group_that_exist() -> None:
    """So too where a person moves it, and what it left may go."""
    account, stranger = funded_account(), new_id()
    for sql, said in ASTRAY.items():
        with pytest.raises(IntegrityError, match=said.format(stranger=stranger)), transaction.atomic():
            connection.cursor().execute(sql, {"stranger": stranger})
    left = account.group
    account.group = AccountGroup.objects.create(code="G2", name="Group two", desk=left.desk)
    account.save()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_accountgroup WHERE id = %s", [left.id])
    assert list(AccountGroup.objects.values_list("code", flat=True)) == ["G2"]
