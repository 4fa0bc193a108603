"""Statements of bank and registry set the settled layer as of their cut: set-based equal to the pure rule, told, replayed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from accounts.as_at import get_money_as_at
from accounts.domain.statement import Due, explain
from accounts.models import Booking, CashBalance, Holding, StatementPart, TradingAccount
from accounts.services.book_executions import book_executions
from accounts.services.book_statement import (
    Statement,
    StatementResult,
    Weighed,
    book_statement,
    open_statement,
    weigh_statement,
)
from accounts.services.deposit import Deposit, deposit
from journal.models import Event
from journal.selectors.happenings import list_happenings
from journal.services.advance_projection import take_all
from kernel.fix import Side
from kernel.ids import new_id
from operations.domain.picture_state import PictureState
from operations.fsck.money import CHECKS
from operations.services.compare_picture import compare_picture
from operations.services.compare_replay import compare_replay
from tests.factories.accounts import AT, DAY, SEED, VOD, booking, funded_account

pytestmark = pytest.mark.django_db
D = Decimal
CUT = AT + timedelta(hours=8)
LATER = AT + timedelta(days=4)
SETTLES = date(2026, 11, 24)


def apply(
    rows: Sequence[tuple[TradingAccount, str | UUID, str]],
    *,
    what: str = "cash",
    cut: datetime = LATER,
    at: datetime = LATER,
) -> tuple[Weighed, StatementResult]:
    statement = Statement(new_id(), new_id(), "BANK", what, cut, cut.date())
    with transaction.atomic():
        open_statement(statement)
        with connection.cursor() as cursor:
            for account, key, amount in rows:
                cursor.execute("INSERT INTO accounts_wanted VALUES (%s, %s, %s)", [account.id, key, amount])
        weighed = weigh_statement(statement)
        booked = book_statement(actor=SEED, at=at, statement=statement)
    return weighed, booked


def cash(account: TradingAccount, currency: str = "GBP") -> tuple[Decimal, Decimal]:
    row = CashBalance.objects.get(account=account, currency=currency)
    return row.settled, row.pending


def stock(account: TradingAccount) -> tuple[Decimal, Decimal]:
    row = Holding.objects.get(account=account, instrument_id=VOD)
    return row.settled, row.pending


def bought(account: TradingAccount, qty: str, money: str, **changes: Any) -> None:
    side = Side.BUY if D(qty) > 0 else Side.SELL
    book_executions(bookings=[booking(account.id, qty=qty, cash=money, side=side, **changes)], at=AT)


def prove() -> None:
    """Balances are their bookings, bookings are their events, and both roads of replay agree with the tables."""
    with connection.cursor() as cursor:
        for check in CHECKS:
            if check.code in (
                "CASH_DIFFERS",
                "STOCK_DIFFERS",
                "MONEY_FROM_NOWHERE",
                "STATEMENT_BOOKED_WRONGLY",
                "OVERDRAWN_UNMARKED",
            ):
                cursor.execute(check.sql)
                assert cursor.fetchall() == [], check.code


def test_what_no_trade_explains_changes_the_balance_and_an_equal_figure_writes_nothing() -> None:
    account, other = funded_account(), funded_account("AC2")

    weighed, booked = apply([(account, "GBP", "1250.50"), (other, "GBP", "1000")])

    assert (weighed.balances, weighed.changed, booked.changed) == (2, 1, 1)
    assert weighed.totals["GBP"] == {
        "before": D(2000), "after": D("2250.50"), "settled_now": D(0), "unexplained": D("250.50")
    }  # fmt: skip
    assert cash(account) == (D("1250.50"), D(0))
    assert cash(other) == (D(1000), D(0))
    lines = Booking.objects.filter(kind="statement")
    assert [(line.account_id, line.layer, line.amount) for line in lines] == [(account.id, "settled", D("250.5"))]
    events, bookings = Event.objects.count(), Booking.objects.count()
    assert apply([(account, "GBP", "1250.50")])[1].changed == 0
    assert (Event.objects.count(), Booking.objects.count()) == (events, bookings)
    prove()
    assert compare_replay().differing == 0


def test_a_trade_that_settled_moves_and_is_not_counted_twice() -> None:
    account = funded_account(stock="500")
    bought(account, "100", "-200")

    apply([(account, VOD, "600")], what="holdings")
    apply([(account, "GBP", "800")])

    assert stock(account) == (D(600), D(0))
    assert cash(account) == (D(800), D(0))
    prove()


def test_a_trade_that_failed_to_settle_stays_pending() -> None:
    account = funded_account(stock="500")
    bought(account, "-100", "200")

    assert apply([(account, VOD, "500")], what="holdings")[1].changed == 0
    assert stock(account) == (D(500), D(-100))


def test_a_trade_not_due_by_the_cut_is_untouched() -> None:
    account = funded_account(stock="500")
    bought(account, "100", "-200")

    apply([(account, VOD, "600")], what="holdings", cut=CUT)

    assert stock(account) == (D(600), D(100))
    prove()


def test_what_was_booked_after_the_cut_is_laid_over() -> None:
    account = funded_account()
    deposit(
        actor=SEED,
        at=CUT + timedelta(hours=1),
        business_date=DAY,
        deposits=[Deposit(account.id, D(70), currency="GBP")],
    )

    apply([(account, "GBP", "900")], cut=CUT)

    assert cash(account) == (D(970), D(0))
    assert apply([(account, "GBP", "970")], cut=LATER)[1].changed == 0


def test_an_older_cut_than_the_last_applied_to_a_balance_is_left() -> None:
    account, other = funded_account(), funded_account("AC2")
    apply([(account, "GBP", "900")], cut=LATER)

    weighed, booked = apply([(account, "GBP", "500"), (other, "GBP", "500")], cut=CUT, at=LATER + timedelta(hours=1))

    assert (weighed.older, booked.changed) == (1, 1)
    assert cash(account) == (D(900), D(0))
    assert cash(other) == (D(500), D(0))


def test_a_balance_that_was_not_there_is_opened_and_one_below_what_is_held_is_a_matter() -> None:
    account = funded_account(stock="500")
    bought(account, "-400", "800", settlement_date=SETTLES + timedelta(days=9))

    apply([(account, "EUR", "12.34")])
    booked = apply([(account, VOD, "100")], what="holdings")[1]

    assert cash(account, "EUR") == (D("12.34"), D(0))
    assert booked.overdrawn == 1
    row = Holding.objects.get(account=account, instrument_id=VOD)
    assert row.settled + row.pending == D(-300)
    assert row.overdrawn_by_event is not None
    assert Event.objects.filter(kind="AnomalyRaised", payload__kind="OVERDRAWN").count() == 1
    assert apply([(account, VOD, "400")], what="holdings", cut=LATER + timedelta(hours=1))[1].recovered == 1
    assert Holding.objects.get(pk=row.pk).overdrawn_by_event is None
    prove()


def test_as_at_before_and_after() -> None:
    account = funded_account()
    apply([(account, "GBP", "700")])

    before = get_money_as_at(account_id=account.id, at=LATER - timedelta(seconds=1)).cash["GBP"].settled
    after = get_money_as_at(account_id=account.id, at=LATER).cash["GBP"].settled

    assert (before, after) == (D(1000), D(700))


def test_many_balances_at_random_equal_the_pure_rule_and_every_replay() -> None:
    chance = random.Random(6)
    accounts = [funded_account(f"R{number}", stock="1000") for number in range(40)]
    days = [date(2026, 11, 23), SETTLES, date(2026, 11, 27)]
    wanted: list[tuple[TradingAccount, UUID, str]] = []
    due: dict[UUID, dict[date, list[int]]] = {}
    for account in accounts:
        for day in days:
            for sign in (1, -1):
                qty = sign * chance.choice([0, 0, 10, 25])
                if qty:
                    bought(account, str(qty), str(-2 * qty), settlement_date=day)
                    due.setdefault(account.id, {}).setdefault(day, [0, 0])[0 if qty > 0 else 1] += qty
        wanted.append((account, VOD, str(1000 + chance.choice([0, 10, -10, 25, 35, -25, -50, 7]))))

    apply(wanted, what="holdings")

    for account, _, amount in wanted:
        told = due.get(account.id, {})
        dues = [Due(day, D(r), D(v)) for day, (r, v) in told.items() if day <= LATER.date()]
        found = explain(D(amount) - 1000, dues)
        pending = sum(r + v for r, v in told.values())
        assert stock(account) == (D(amount), pending - found.moved)
        lines = Booking.objects.filter(account_id=account.id, layer="pending", kind="settlement")
        assert sorted((line.settlement_date, -line.amount) for line in lines) == sorted(
            (part.settlement_date, part.amount) for part in found.settles
        )
    prove()


def test_the_picture_and_a_replay_from_nothing_are_equal_after_a_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.services._statement_sql.ROWS_A_PART", 3)
    accounts = [funded_account(f"P{number}") for number in range(10)]
    apply([(account, "GBP", "1100") for account in accounts])
    apply([(account, VOD, "40") for account in accounts], what="holdings")

    assert StatementPart.objects.count() == 8
    assert compare_replay().differing == 0
    state = PictureState()
    take_all(state, list_happenings(0))
    assert compare_picture(state=state, position=2**62).equal
    prove()
