"""Canaries through the house: all caught and kept as evidence; one that escapes stops the firm and has nowhere to go."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import CanaryAccount, CashBalance, TradingAccount
from accounts.services.open_canary import open_canary
from authorisation.domain.principal import Principal
from journal.models import Event
from orders.models import Order
from orders.services.capture_order import capture_order
from orders.services.run_canaries import run_canaries
from orders.services.run_due_canaries import run_due_canaries
from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.canaries import AT_THE_DOOR, CANARIES
from risk.domain.checks import CHECKS
from risk.domain.checks.gates import AccountOverdrawn
from risk.domain.checks.money import BuyingPower
from risk.models import Block
from risk.selectors.canaries import last_canary_run
from tests.factories import AT, terms
from tests.factories.trading import EPOCH, GROUP, SESSION, Desk, relay
from venues.adapters.registry import adapter_named
from venues.models import HandOver
from venues.services.mark_handed_over import mark_handed_over

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


def asleep(monkeypatch: pytest.MonkeyPatch, check: type) -> None:
    """A control that lets everything pass, as a bad release would."""
    monkeypatch.setattr(check, "answer", lambda self, facts: CheckAnswer(self.code, Verdict.PASS))


def standing() -> list[str]:
    return list(Block.objects.filter(source="canary", lifted_at=None).values_list("reason", flat=True))


def test_every_control_is_proven_and_the_run_is_kept(desk: Desk) -> None:
    done = run_canaries(at=AT)
    assert {result.code for result in done.results if result.way == "facts"} == {check.code for check in CHECKS}
    assert {result.code for result in done.results if result.way == "order"} == set(AT_THE_DOOR)
    assert [result for result in done.results if not result.caught] == []
    event = Event.objects.get(kind="CanariesRan")
    assert (event.stream, event.payload["controls"], event.payload["escaped"]) == ("risk:canary", len(CANARIES), [])
    assert len(event.payload["results"]) == len(CANARIES) + len(AT_THE_DOOR)
    orders = Order.objects.filter(source="canary")
    assert (orders.count(), orders.filter(is_open=True).count()) == (len(AT_THE_DOOR), 0)
    assert {order.account.code for order in orders} == {"CANARY"}
    assert standing() == []


def test_a_control_that_sleeps_stops_the_firm_until_it_is_awake(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as bad_release:
        asleep(bad_release, AccountOverdrawn)
        done = run_canaries(at=AT)
    assert [(one.code, one.way) for one in done.escaped] == [("ACCOUNT_OVERDRAWN", "facts")]
    assert standing() == ["Controls let their canaries pass: ACCOUNT_OVERDRAWN."]
    raised = Event.objects.get(kind="AnomalyRaised", payload__kind="CONTROL_SLEEPS").payload
    assert (raised["severity"], raised["subject_id"]) == ("critical", "ACCOUNT_OVERDRAWN")
    assert desk.buy(outcome="refused").requests.get().outcome_code == "NO_STANDING_BLOCK"
    assert run_canaries(at=AT + timedelta(minutes=5)).escaped == ()
    assert standing() == []
    assert Event.objects.filter(kind="AnomalyCleared", payload__kind="CONTROL_SLEEPS").count() == 1


def test_a_canary_that_escapes_is_released_and_never_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Money is not asked for, so the canary's order is a released order; the account has no session at any gateway."""
    account = open_canary(at=AT, business_date=AT.date(), base_currency="GBP")
    CashBalance.objects.filter(account=account).update(settled=Decimal(1_000_000))
    escaped = capture_order(
        actor=_for(account, desk), at=AT, idempotency_key="c", route="canary",
        terms=terms(desk.world, account="CANARY"), source="canary",
    )  # fmt: skip
    assert escaped.outcome == "released"
    relay()
    handed = mark_handed_over(
        group=GROUP,
        session=SESSION,
        epoch=EPOCH,
        fence=0,
        adapter=adapter_named("fix44"),
        limit=50,
        only_safe=False,
        at=AT,
    )
    assert (handed.outgoing, [one.code for one in handed.not_sent]) == ((), ["CANARY_ESCAPED"])
    assert not HandOver.objects.exists()
    raised = Event.objects.get(kind="AnomalyRaised", payload__kind="CANARY_ESCAPED").payload
    assert raised["severity"] == "critical"


def test_a_real_order_that_its_control_let_pass_is_seen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asleep(monkeypatch, BuyingPower)
    open_canary(at=AT, business_date=AT.date(), base_currency="GBP")
    CashBalance.objects.filter(account__code="CANARY").update(settled=Decimal(1_000_000))
    escaped = {(one.code, one.way) for one in run_canaries(at=AT).escaped}
    assert escaped == {("BUYING_POWER", "facts"), ("BUYING_POWER", "order")}


def test_once_a_day_and_soon_again_when_one_escaped(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (run_due_canaries(at=AT), run_due_canaries(at=AT + timedelta(hours=3))) == (True, False)
    tomorrow = AT.replace(hour=0) + timedelta(days=1)
    with monkeypatch.context() as bad_release:
        asleep(bad_release, AccountOverdrawn)
        assert run_due_canaries(at=tomorrow)
    assert not run_due_canaries(at=tomorrow + timedelta(minutes=4))
    assert run_due_canaries(at=tomorrow + timedelta(minutes=5))
    last = last_canary_run()
    assert last is not None
    assert (last.clean, last.at, last.controls) == (True, tomorrow + timedelta(minutes=5), len(CANARIES))


def test_a_house_without_a_listing_has_nothing_to_prove_with() -> None:
    assert not run_due_canaries(at=AT)
    assert (Event.objects.count(), TradingAccount.objects.count()) == (0, 0)


@pytest.mark.parametrize("change", [lambda rows: rows.delete(), lambda rows: rows.update(marked_at=AT)])
def test_a_canary_account_stays_one(desk: Desk, change: Any) -> None:
    open_canary(at=AT, business_date=AT.date(), base_currency="GBP")
    with pytest.raises(IntegrityError), transaction.atomic():
        change(CanaryAccount.objects.all())
    assert CanaryAccount.objects.count() == 1


def _for(account: TradingAccount, desk: Desk) -> Principal:
    dealer = desk.world.dealer
    return Principal(
        user_id=dealer.user_id, username="canary", actor="process:canary", persona="process",
        rights=frozenset({"enter_order"}),
        grants={"trade_desk": frozenset({account.group.desk_id}), "trade_accountgroup": frozenset({account.group_id})},
    )  # fmt: skip
