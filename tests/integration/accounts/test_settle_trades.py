"""Confirmed trades settle once: whether the statement of bank or registry comes first, later with an older cut, or never."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from accounts.as_at import get_money_as_at
from accounts.domain.money import Money
from accounts.models import Booking, TradingAccount
from accounts.selectors.books import get_books
from accounts.services.settle_trades import SettledTrade, lock_settling, settle_trades
from authorisation.domain.principal import Principal
from journal.models import Event
from journal.selectors.happenings import list_happenings
from kernel.errors import NotPermitted
from kernel.ids import new_id
from operations.services.compare_replay import compare_replay
from tests.factories.accounts import SEED, SETTLES, VOD, funded_account
from tests.integration.accounts.test_statements import LATER, apply, bought, cash, prove, stock

pytestmark = pytest.mark.django_db
D = Decimal
MORNING = datetime(2026, 11, 24, 8, tzinfo=LATER.tzinfo)


def settle(
    account: TradingAccount,
    *parts: tuple[str, str],
    effective: datetime = MORNING,
    at: datetime = LATER,
    ref: str = "S1-1",
) -> list[bool]:
    """Units and money that changed hands, signed as received."""
    trades = []
    for units, money in parts:
        common = (SETTLES, effective, effective.date())
        trades.append(SettledTrade(ref, account.id, "GBP", None, D(money), *common))
        trades.append(SettledTrade(ref, account.id, "", VOD, D(units), *common))
    with transaction.atomic():
        lock_settling([account.id])
        return settle_trades(actor=SEED, at=at, batch_id=new_id(), source="CUSTODIAN", trades=trades)


def replayed_settled() -> None:
    """What events say is settled is what the tables say; the trades of these tests have no events, so pending is not asked."""
    wrong = [one for one in compare_replay().differences if one.field.endswith("settled")]
    assert wrong == []


def test_what_changed_hands_moves_from_pending_to_settled_in_parts_and_every_view_agrees() -> None:
    account, other = funded_account(stock="500"), funded_account("AC2")
    bought(account, "100", "-200")
    bought(other, "30", "-60")

    assert settle(account, ("40", "-80.01")) == [True, True]
    assert (cash(account), stock(account)) == ((D("919.99"), D("-119.99")), (D(540), D(60)))
    books = get_books(account_id=account.id, today=SETTLES)
    assert [(line.settlement_date, line.amount) for line in books.cash[0].unsettled] == [(SETTLES, D("-119.99"))]
    settle(account, ("60", "-119.98"))  # a penny less than was agreed: it stays open
    assert (cash(account), stock(account)) == ((D("800.01"), D("-0.01")), (D(600), D(0)))
    assert cash(other) == (D(1000), D(-60))
    assert get_books(account_id=account.id, today=SETTLES).cash[0].to_trade == D(800)

    settled = [
        (b.layer, b.amount, b.settlement_date) for b in Booking.objects.filter(kind="settlement", currency="GBP")
    ]
    assert settled == [
        ("settled", D("-80.01"), SETTLES), ("pending", D("80.01"), SETTLES),
        ("settled", D("-119.98"), SETTLES), ("pending", D("119.98"), SETTLES),
    ]  # fmt: skip
    assert get_money_as_at(account_id=account.id, at=LATER).cash_in("GBP").settled == D("800.01")
    prove()
    replayed_settled()
    money = Money()
    for event in list_happenings(after=0):
        money.apply(event)
    assert money.accounts[str(account.id)]["GBP"][0] == D("800.01")
    assert money.accounts[str(account.id)][str(VOD)][0] == D(600)


def test_a_statement_that_came_first_has_settled_it_already_balance_by_balance() -> None:
    account = funded_account(stock="500")
    bought(account, "100", "-200")
    apply([(account, "GBP", "800")])  # the bank's file of LATER has it; the registry has not sent one
    events = Event.objects.filter(kind="TradesSettled")

    assert settle(account, ("100", "-200")) == [False, True]
    assert (cash(account), stock(account)) == ((D(800), D(0)), (D(600), D(0)))
    assert [len(event.payload["rows"]) for event in events] == [1]

    apply([(account, VOD, "600")], what="holdings")
    assert stock(account) == (D(600), D(0))
    prove()
    replayed_settled()


def test_a_statement_that_comes_later_replaces_or_is_laid_under_what_was_confirmed() -> None:
    same, older = funded_account(stock="500"), funded_account("AC2", stock="500")
    for account in (same, older):
        bought(account, "100", "-200")
        settle(account, ("100", "-200"), effective=LATER - timedelta(hours=1), at=LATER - timedelta(minutes=30))

    apply([(same, "GBP", "800")])  # the cut is later than the settlement: the file has it
    apply([(older, "GBP", "1000")], cut=LATER - timedelta(hours=2))  # the cut is earlier: the file cannot have it
    apply([(same, VOD, "600")], what="holdings")
    apply([(older, VOD, "500")], what="holdings", cut=LATER - timedelta(hours=2))

    for account in (same, older):
        assert (cash(account), stock(account)) == ((D(800), D(0)), (D(600), D(0)))
    prove()
    replayed_settled()


def test_people_settle_nothing_by_hand() -> None:
    with pytest.raises(NotPermitted, match="second person"):
        settle_trades(
            actor=Principal(7, "eve", "user:7", "operations"), at=LATER, batch_id=new_id(), source="EVE", trades=[]
        )
    assert not Booking.objects.exists()
