"""Who sees which account, and who may open one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import AccountGroup, CashBalance, Client, TradingAccount
from accounts.selectors import (
    buying_power,
    cash_and_holdings,
    find_account_by_code,
    get_account,
    get_account_by_code,
    list_accounts,
)
from accounts.services.deposit import Deposit, deposit
from accounts.services.open_account import open_account
from accounts.services.set_reservation import set_reservation
from authorisation.domain.principal import Principal
from authorisation.models import Desk
from journal.models import Event
from kernel.errors import Conflict, NotFound, NotPermitted
from kernel.ids import new_id
from kernel.numbers import Money
from tests.factories.accounts import AT, DAY, SEED, VOD, funded_account

pytestmark = pytest.mark.django_db


def someone(*, view: tuple[int, ...] = (), trade: tuple[int, ...] = (), rights: tuple[str, ...] = ()) -> Principal:
    grants = {"view_accountgroup": frozenset(view), "trade_accountgroup": frozenset(trade)}
    return Principal(1, "ada", "user:1", "dealer", rights=frozenset(rights), grants=grants)


def test_what_was_not_granted_does_not_exist() -> None:
    account = funded_account()
    group = account.group_id
    stranger, viewer, dealer = someone(view=(group + 1,)), someone(view=(group,)), someone(trade=(group,))
    assert find_account_by_code(stranger, "AC1") is None
    for ask in (
        lambda: get_account_by_code(stranger, "AC1"),
        lambda: get_account(stranger, account.id),
        lambda: cash_and_holdings(stranger, account.id),
        lambda: buying_power(stranger, account.id, "GBP"),
        lambda: get_account_by_code(dealer, "AC2"),
    ):
        with pytest.raises(NotFound) as unknown:
            ask()
        assert unknown.value.code == "ACCOUNT_UNKNOWN"
    seen = get_account_by_code(viewer, "AC1")
    assert (seen.id, seen.client_code, seen.desk_id, seen.state, seen.may_trade) == (
        account.id,
        "C1",
        Desk.objects.get().pk,
        "active",
        False,
    )
    assert get_account(dealer, account.id).may_trade


def test_lists_are_by_code_and_searchable() -> None:
    first, second = funded_account("B-2"), funded_account("A-1")
    dealer = someone(trade=(first.group_id,))
    assert [account.code for account in list_accounts(dealer)] == ["A-1", "B-2"]
    assert list_accounts(dealer, search="b-") == [get_account(dealer, first.id)]
    assert list_accounts(dealer, search="C1", limit=1) == [get_account(dealer, second.id)]
    assert list_accounts(someone()) == []


def test_money_as_shown() -> None:
    account = funded_account(stock="10")
    dealer = someone(trade=(account.group_id,))
    set_reservation(account_id=account.id, order_id=new_id(), cash=Money(Decimal(300), "GBP"), stock=None, at=AT)
    money = cash_and_holdings(dealer, account.id)
    assert money.cash["GBP"].available == Decimal(700)
    assert (money.sellable(VOD), money.sellable(new_id())) == (Decimal(10), Decimal(0))
    assert (buying_power(dealer, account.id, "GBP"), buying_power(dealer, account.id, "USD")) == (
        Decimal(700),
        Decimal(0),
    )


def opening(actor: Principal, code: str = "NEW") -> TradingAccount:
    return open_account(
        actor=actor,
        at=AT,
        business_date=DAY,
        code=code,
        name="New",
        client=Client.objects.get(),
        group=AccountGroup.objects.get(),
        base_currency="EUR",
    )


def test_an_opened_account_has_its_base_currency_and_its_event() -> None:
    funded_account()
    account = opening(someone(rights=("administer_accounts",)))
    row = CashBalance.objects.get(account=account)
    assert (row.currency, row.settled, row.reserved) == ("EUR", Decimal(0), Decimal(0))
    event = Event.objects.get(stream=f"account:{account.id}")
    assert (event.kind, event.actor, event.payload["code"]) == ("AccountOpened", "user:1", "NEW")


def counts() -> tuple[int, ...]:
    return TradingAccount.objects.count(), CashBalance.objects.count(), Event.objects.count()


def test_opening_and_paying_in_need_the_right_and_a_free_code() -> None:
    account = funded_account()
    lines = [Deposit(account.id, Decimal(1), currency="GBP")]
    before = counts()
    refused: list[tuple[Any, type[Exception]]] = [
        (lambda: opening(someone()), NotPermitted),
        (lambda: opening(SEED, "AC1"), Conflict),
        (lambda: deposit(actor=someone(), at=AT, business_date=DAY, deposits=lines), NotPermitted),
    ]
    for ask, error in refused:
        with pytest.raises(error):
            ask()
    assert counts() == before
