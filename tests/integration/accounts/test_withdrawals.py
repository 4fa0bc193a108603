"""Withdrawals: checked and held like an order, decided by a second person, booked when still covered; proven by replay."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from accounts.as_at import get_money_as_at
from accounts.models import Booking, CashBalance, Reservation
from accounts.services.ask_withdrawal import ask_withdrawal
from accounts.services.book_executions import book_executions
from accounts.services.decide_withdrawal import decide_withdrawal
from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from authorisation.services.decide_request import Decided
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, OmsError, Refused
from operations.approving import KINDS
from operations.services.compare_replay import compare_replay
from orders.services.lapse_order_requests import lapse_order_requests
from tests.factories import AT, DeskWorld, make_desk
from tests.factories.accounts import booking, funded_account
from tests.factories.busy_day import told_desk
from tests.integration.operations.test_pages import client_of

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world() -> DeskWorld:
    return told_desk(cash="1000")


def keeper(world: DeskWorld, *, second: bool = False) -> Principal:
    """Operations of the desk; the second one is another person."""
    who = world.checker if second else world.dealer
    return replace(who, rights=frozenset({"ask_static_data", "decide_static_data"}))


def ask(world: DeskWorld, amount: str, *, key: str = "w1", currency: str = "GBP", **changes: Any) -> UUID:
    given: dict[str, Any] = {
        "actor": keeper(world), "at": AT, "idempotency_key": key, "account_id": world.account.id, "currency": currency,
        "amount": D(amount), "purpose": "To the client's bank",
    } | changes  # fmt: skip
    return ask_withdrawal(**given)


def decide(world: DeskWorld, withdrawal_id: UUID, verdict: str = "approve", **changes: Any) -> Decided:
    request = AuthorisationRequest.objects.get(id=withdrawal_id)
    given: dict[str, Any] = {
        "actor": keeper(world, second=True), "at": AT, "authorisation_id": withdrawal_id, "verdict": verdict,
        "reason_code": "OTHER", "reason": "Called back.", "payload_hash": request.payload_hash,
    } | changes  # fmt: skip
    return decide_withdrawal(**given)


def cash(world: DeskWorld) -> tuple[Decimal, Decimal]:
    row = CashBalance.objects.get(account=world.account, currency="GBP")
    return row.settled, row.reserved


def equal_to_replay() -> bool:
    return not list(compare_replay().differences)


def test_asked_held_approved_booked(world: DeskWorld) -> None:
    withdrawal_id = ask(world, "600.00")
    assert ask(world, "600.00") == withdrawal_id
    assert cash(world) == (D(1000), D(600))
    assert equal_to_replay()
    with pytest.raises(Refused, match="can pay out 400 GBP"):
        ask(world, "400.01", key="w2")
    assert decide(world, withdrawal_id).outcome == "applied"
    assert cash(world) == (D(400), D(0))
    assert Booking.objects.get(kind="withdrawal").amount == D(-600)
    assert not Reservation.objects.exists()
    assert equal_to_replay()
    kinds = list(
        Event.objects.filter(stream=f"account:{world.account.id}").order_by("seq").values_list("kind", flat=True)
    )
    assert kinds[-2:] == ["WithdrawalAsked", "WithdrawalBooked"]
    with pytest.raises(Conflict):
        decide(world, withdrawal_id)
    assert cash(world) == (D(400), D(0))


@pytest.mark.parametrize("amount", ["1000", "999.99"])
def test_at_and_inside_the_mark(world: DeskWorld, amount: str) -> None:
    decide(world, ask(world, amount))
    assert cash(world) == (D(1000) - D(amount), D(0))


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"amount": D("1000.01")}, Refused, "WITHDRAWAL_NOT_COVERED"),
        ({"currency": "USD"}, Refused, "WITHDRAWAL_NOT_COVERED"),
        ({"amount": D(0)}, Invalid, "WITHDRAWAL_INVALID"),
        ({"amount": D("-5")}, Invalid, "WITHDRAWAL_INVALID"),
        ({"amount": D("0.001")}, Invalid, "WITHDRAWAL_INVALID"),
        ({"amount": D("Infinity")}, Invalid, "WITHDRAWAL_INVALID"),
        ({"currency": "gbp"}, Invalid, "WITHDRAWAL_INVALID"),
        ({"purpose": " "}, Invalid, "WITHDRAWAL_INVALID"),
        ({"account_id": UUID(int=1)}, NotFound, "ACCOUNT_UNKNOWN"),
    ],
)
def test_refused_and_nothing_changed(
    world: DeskWorld, changes: dict[str, Any], error: type[OmsError], code: str
) -> None:
    with pytest.raises(error) as refused:
        ask(world, str(changes.pop("amount", "5")), **changes)
    assert refused.value.code == code
    assert cash(world) == (D(1000), D(0))
    assert not AuthorisationRequest.objects.exists()
    assert not Event.objects.filter(kind="WithdrawalAsked").exists()


def test_the_same_key_for_another_amount_conflicts_and_a_dealer_may_not_ask(world: DeskWorld) -> None:
    ask(world, "5")
    with pytest.raises(Conflict, match="IDEMPOTENCY_CONFLICT"):
        ask(world, "6")
    with pytest.raises(NotPermitted):
        ask(world, "5", key="w2", actor=world.dealer)


def test_only_a_second_person_with_the_right_and_the_account_decides(world: DeskWorld) -> None:
    withdrawal_id = ask(world, "5")
    for actor, error in (
        (keeper(world), NotPermitted),
        (world.checker, NotPermitted),
        (replace(keeper(world, second=True), grants={}), NotFound),
    ):
        with pytest.raises(error):
            decide(world, withdrawal_id, actor=actor)
    assert cash(world) == (D(1000), D(5))


@pytest.mark.parametrize("how", ["declined", "lapsed"])
def test_what_comes_to_nothing_gives_back_what_it_held(world: DeskWorld, how: str) -> None:
    withdrawal_id = ask(world, "600")
    if how == "declined":
        assert decide(world, withdrawal_id, "decline").outcome == "declined"
    else:
        assert lapse_order_requests(at=AT + timedelta(days=1)) == 1
    assert cash(world) == (D(1000), D(0))
    assert Event.objects.filter(stream=f"account:{world.account.id}").latest("seq").kind == "WithdrawalEnded"
    assert AuthorisationRequest.objects.get().state == how
    assert equal_to_replay()


def test_unsettled_receipts_cannot_be_taken_out_and_debts_count() -> None:
    account = funded_account(cash="1000")
    world = make_desk("EQ9")
    world.account, world.group = account, account.group
    grants = {"view_accountgroup": frozenset({account.group_id}), "view_desk": frozenset({account.group.desk_id})}
    actor = replace(keeper(world), grants=grants)
    book_executions(bookings=[booking(account.id, qty="-10", cash="500")], at=AT)
    with pytest.raises(Refused, match="can pay out 1000 GBP"):
        ask(world, "1000.01", actor=actor)
    later = AT.date() + timedelta(days=9)
    book_executions(bookings=[booking(account.id, qty="10", cash="-300", settlement_date=later)], at=AT)
    with pytest.raises(Refused, match="can pay out 700 GBP"):
        ask(world, "700.01", actor=actor)
    ask(world, "700", actor=actor)


def test_approved_when_it_is_covered_no_more_is_not_applied(world: DeskWorld) -> None:
    withdrawal_id = ask(world, "600")
    book_executions(
        bookings=[booking(world.account.id, qty="10", cash="-500")], at=AT
    )  # a fact of the venue nobody reserved for
    facts = KINDS["withdrawal"]
    assert facts.describe is not None
    page = client_of(world.checker).get(f"/approvals/{withdrawal_id}").content.decode()
    assert "It is not covered any more: 100 GBP are missing." in page
    decided = decide(world, withdrawal_id)
    assert (decided.outcome, decided.sentence) == ("not_applied", "It is not covered any more: 100 GBP are missing.")
    assert cash(world) == (D(1000), D(0))
    assert not Booking.objects.filter(kind="withdrawal").exists()


def test_as_at_and_the_account_know_what_waits(world: DeskWorld) -> None:
    withdrawal_id = ask(world, "600")
    decide(world, withdrawal_id, at=AT + timedelta(minutes=5))
    for minutes, settled, reserved in ((0, "1000", "600"), (4, "1000", "600"), (5, "400", "0")):
        then = get_money_as_at(account_id=world.account.id, at=AT + timedelta(minutes=minutes)).cash_in("GBP")
        assert (then.settled, then.reserved) == (D(settled), D(reserved))
