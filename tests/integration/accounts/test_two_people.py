"""Cash booked by hand and the state of an account: two people, on the facts of now, with their events and nothing else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from accounts.models import Booking, CashBalance, TradingAccount
from accounts.services.ask_cash_booking import ask_cash_booking
from accounts.services.deposit import Deposit, deposit
from accounts.services.request_account_state import request_account_state
from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from authorisation.selectors import get_request
from authorisation.services.decide_request import Decided
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, OmsError
from operations.approving import KINDS
from operations.services.compare_replay import compare_replay
from tests.factories import AT, DeskWorld
from tests.factories.busy_day import told_desk

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world() -> DeskWorld:
    return told_desk(cash="1000")


def keeper(world: DeskWorld, *, second: bool = False) -> Principal:
    who = world.checker if second else world.dealer
    return replace(who, rights=frozenset({"ask_static_data", "decide_static_data"}))


def book(world: DeskWorld, amount: str = "250", **changes: Any) -> UUID:
    given: dict[str, Any] = {
        "actor": keeper(world), "at": AT, "idempotency_key": "b1", "account_id": world.account.id, "currency": "GBP",
        "amount": D(amount), "purpose": "Client's transfer",
    } | changes  # fmt: skip
    return ask_cash_booking(**given)


def set_state(world: DeskWorld, state: str = "frozen", **changes: Any) -> UUID:
    given: dict[str, Any] = {
        "actor": keeper(world),
        "at": AT,
        "account_id": world.account.id,
        "state": state,
        "reason": "Court order",
    }
    return request_account_state(**(given | changes))


def decide(world: DeskWorld, request_id: UUID, verdict: str = "approve", **changes: Any) -> Decided:
    row = AuthorisationRequest.objects.get(pk=request_id)
    given: dict[str, Any] = {
        "actor": keeper(world, second=True), "at": AT, "authorisation_id": request_id, "verdict": verdict,
        "reason_code": "OTHER", "reason": "x", "payload_hash": row.payload_hash,
    } | changes  # fmt: skip
    result = KINDS[row.kind].decide(**given)
    assert isinstance(result, Decided)
    return result


def cash(world: DeskWorld) -> Decimal:
    return CashBalance.objects.get(account=world.account, currency="GBP").settled


def account_of(world: DeskWorld) -> TradingAccount:
    return TradingAccount.objects.get(pk=world.account.pk)


def everything() -> tuple[Any, ...]:
    return (
        list(CashBalance.objects.order_by("id").values()), Booking.objects.count(),
        list(TradingAccount.objects.order_by("id").values("state", "version")), list(AuthorisationRequest.objects.values()),
        Event.objects.exclude(kind="SelfApprovalRefused").count(),
    )  # fmt: skip


def test_nothing_is_booked_before_a_second_person_says_so(world: DeskWorld) -> None:
    request_id = book(world)
    assert book(world) == request_id  # the same key asks once
    assert cash(world) == D(1000)
    row = AuthorisationRequest.objects.get()
    assert (row.kind, row.value, row.currency) == ("cash_booking", D(250), "GBP")
    assert decide(world, request_id).outcome == "applied"
    assert cash(world) == D(1250)
    told = Event.objects.filter(kind="DepositBooked").latest("position")
    assert (told.on_behalf_of, told.payload["maker_id"], told.payload["checker_id"], told.payload["authorisation_id"]) == (
        world.checker.actor, world.dealer.user_id, world.checker.user_id, str(request_id),
    )  # fmt: skip
    assert Booking.objects.get(event_id=told.id).amount == D(250)
    assert list(compare_replay().differences) == []


def test_declined_nothing_is_booked(world: DeskWorld) -> None:
    assert decide(world, book(world), "decline").sentence == "Nothing is booked."
    assert cash(world) == D(1000)


def test_nobody_moves_money_by_hand_alone(world: DeskWorld) -> None:
    lines = [Deposit(world.account.id, D(1), currency="GBP")]
    mighty = replace(world.dealer, rights=frozenset({"administer_accounts", "administer_users"}))
    before = everything()
    with pytest.raises(NotPermitted) as refused:
        deposit(actor=mighty, at=AT, business_date=AT.date(), deposits=lines)
    assert refused.value.code == "SECOND_PERSON_NEEDED"
    assert everything() == before


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"currency": "gbp"}, Invalid, "CASH_INVALID"),
        ({"amount": D(0)}, Invalid, "CASH_INVALID"),
        ({"amount": D("0.001")}, Invalid, "CASH_INVALID"),
        ({"purpose": " "}, Invalid, "CASH_INVALID"),
        ({"account_id": UUID(int=1)}, NotFound, "ACCOUNT_UNKNOWN"),
        ({"actor": None}, NotPermitted, "RIGHT_MISSING"),
    ],
)
def test_a_booking_that_cannot_be_asked_for(
    world: DeskWorld, changes: dict[str, Any], error: type[OmsError], code: str
) -> None:
    before = everything()
    with pytest.raises(error) as refused:
        book(world, **({"actor": world.dealer} if "actor" in changes else changes))
    assert refused.value.code == code
    assert everything() == before


def test_an_account_changes_its_state_by_two_people(world: DeskWorld) -> None:
    version = world.account.version
    request_id = set_state(world)
    assert account_of(world).state == "active"
    assert decide(world, request_id).sentence == "Account TOLD-EQ1 is frozen now."
    account = account_of(world)
    assert (account.state, account.version) == ("frozen", version + 1)
    told = Event.objects.get(kind="AccountStateSet")
    assert (told.actor, told.payload["before"], told.payload["state"], told.payload["maker_id"]) == (
        world.checker.actor, "active", "frozen", world.dealer.user_id,
    )  # fmt: skip
    assert account.history.latest("history_id").state == "frozen"
    assert list(compare_replay().differences) == []


def test_what_has_changed_or_is_not_empty_is_not_applied(world: DeskWorld) -> None:
    closing = set_state(world, "closed")
    done = decide(world, closing)
    assert done.sentence == "Account TOLD-EQ1 cannot be closed: it has cash in EUR, settled, pending or held back."
    stale = set_state(world)
    TradingAccount.objects.update(version=99)
    assert decide(world, stale).sentence == "Account TOLD-EQ1 was changed since this was asked."
    assert account_of(world).state == "active"


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"state": "asleep"}, Invalid, "STATE_INVALID"),
        ({"state": "active"}, Conflict, "STATE_STANDS"),
        ({"reason": " "}, Invalid, "REASON_INVALID"),
        ({"account_id": UUID(int=1)}, NotFound, "ACCOUNT_UNKNOWN"),
    ],
)
def test_a_state_that_cannot_be_asked_for(
    world: DeskWorld, changes: dict[str, Any], error: type[OmsError], code: str
) -> None:
    before = everything()
    with pytest.raises(error) as refused:
        set_state(world, **changes)
    assert refused.value.code == code
    assert everything() == before


def test_one_question_at_a_time_and_none_about_what_is_closed(world: DeskWorld) -> None:
    set_state(world)
    with pytest.raises(Conflict) as waits:
        set_state(world, "reduce_only")
    assert waits.value.code == "DECISION_PENDING"
    TradingAccount.objects.update(state="closed")
    with pytest.raises(Conflict) as closed:
        set_state(world, "active")
    assert closed.value.code == "ACCOUNT_CLOSED"


def test_the_maker_decides_neither(world: DeskWorld) -> None:
    asked = [book(world), set_state(world)]
    before = everything()
    for request_id in asked:
        with pytest.raises(NotPermitted) as refused:
            decide(world, request_id, actor=keeper(world))
        assert refused.value.code == "SELF_APPROVAL"
    assert everything() == before


def test_the_effects_are_those_of_now(world: DeskWorld) -> None:
    checker = keeper(world, second=True)
    facts = [get_request(checker, request_id, at=AT).facts for request_id in (book(world), set_state(world, "closed"))]
    booked, state = (KINDS[one.kind].describe(checker, one, AT) for one in facts)  # type: ignore[misc]
    assert (booked.button, booked.lines[0].now, booked.lines[0].then) == (
        "book 250.00 GBP into TOLD-EQ1",
        "1,000.00 GBP",
        "1,250.00 GBP",
    )
    assert (state.button, state.lines[0].then) == ("make TOLD-EQ1 closed", "Closed")
    assert state.warnings == ("It cannot be closed: it has cash in EUR, settled, pending or held back.",)
