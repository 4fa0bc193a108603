"""Every door asks every control: no order comes past one by another way in, by waiting, or by what changed meanwhile.

For each control the tables are spoiled (``spoiled.py``) around four orders of one desk: one released and not yet sent, one
that waits for a second person, one at its venue, and one that is still to be entered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import CashBalance
from authorisation.models import AuthorisationRequest, User
from authorisation.services.decide_request import Decided
from kernel.errors import NotPermitted, Refused, Unavailable
from kernel.fix import ExecType, OrdStatus
from kernel.ids import new_id
from orders.domain.results import CaptureResult
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest
from orders.services.apply_reports import apply_reports
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from orders.services.check_boundaries import check_boundaries
from orders.services.decide_order_request import decide_order_request
from orders.services.preview_order import preview_order
from orders.services.record_hand_over import record_hand_over
from orders.services.replace_order import replace_order
from orders.services.stage_replace import stage_replace
from risk.domain.answers import Acknowledgement, CheckAnswer
from risk.domain.checks import BOUNDARY_CHECKS, CHECKS
from tests.controls.spoiled import NOT_AT_APPROVAL, NOT_FOR_A_REPLACE, REFUSES_BASKETS_WHOLE, SPOILED, no_calendar
from tests.factories import AT, DeskWorld, make_desk, make_listing, make_market, terms
from tests.integration.orders.test_apply_reports import LATER, report

pytestmark = pytest.mark.django_db
CODES = [check.code for check in CHECKS]
AT_BOUNDARY = [check.code for check in BOUNDARY_CHECKS if check.code in SPOILED] + ["RULE_NO_LONDON"]
EVERYTHING = [Acknowledgement(code, "I want it") for code in [*SPOILED, *CODES]]


@dataclass(frozen=True)
class Lives:
    """The orders that were there before anything was wrong."""

    world: DeskWorld
    unsent: CaptureResult
    waiting: CaptureResult
    working: CaptureResult


@pytest.fixture
def lives() -> Lives:
    world = make_desk(cash="1000000")
    working = enter(world)
    record_hand_over(request_ids=[working.request_id], at=AT)
    apply_reports(reports=[report(working, 1, ExecType.NEW, OrdStatus.NEW)], at=LATER)
    found = Lives(world, enter(world), enter(world, order_qty=Decimal(60_000)), working)
    assert (found.unsent.outcome, found.waiting.outcome) == ("released", "pending_authorisation")
    return found


def enter(world: DeskWorld, **changes: Any) -> CaptureResult:
    return capture_order(
        actor=world.dealer, at=AT, idempotency_key=str(new_id()), route="api", terms=terms(world, **changes), source="api",
        acknowledgements=EVERYTHING,
    )  # fmt: skip


def in_a_batch(world: DeskWorld) -> CaptureResult:
    (row,) = capture_orders(
        actor=world.dealer,
        at=AT,
        idempotency_key=str(new_id()),
        route="batch",
        rows=[("1", terms(world))],
        source="api",
    )
    assert row.result is not None, row
    return row.result


def amend(lives: Lives) -> CaptureResult:
    return replace_order(
        actor=lives.world.dealer, at=LATER, idempotency_key=str(new_id()), route="api", order_id=lives.working.order_id,
        terms=ReplaceTerms(order_qty=Decimal(1100)), acknowledgements=EVERYTHING,
    )  # fmt: skip


def amend_staged(lives: Lives) -> CaptureResult:
    return stage_replace(
        actor=lives.world.dealer, at=LATER, idempotency_key=str(new_id()), route="api", order_id=lives.working.order_id,
        terms=ReplaceTerms(order_qty=Decimal(1100)), acknowledgements=EVERYTHING,
    )  # fmt: skip


def approve(lives: Lives) -> Decided:
    asked = AuthorisationRequest.objects.get(kind="order_request")
    return decide_order_request(
        actor=lives.world.checker, at=LATER, authorisation_id=asked.id, verdict="approve", reason_code="OTHER",
        reason="I know", payload_hash=asked.payload_hash,
    )  # fmt: skip


def verdicts(answers: tuple[CheckAnswer, ...]) -> dict[str, str]:
    return {answer.code: answer.verdict.word for answer in answers}


@pytest.mark.parametrize("code", SPOILED)
def test_no_door_lets_past_what_a_control_refuses(lives: Lives, code: str) -> None:
    """Ticket and API, batch, preview, amendment and approval, each with a reason given for everything."""
    SPOILED[code](lives.world)
    before = CashBalance.objects.values_list("reserved", flat=True).first()
    if code in REFUSES_BASKETS_WHOLE:
        with pytest.raises(Refused, match="BASKET_LIMIT"):
            in_a_batch(lives.world)
    for enters in (enter,) if code in REFUSES_BASKETS_WHOLE else (enter, in_a_batch):
        refused = enters(lives.world)
        assert (refused.outcome, verdicts(refused.checks)[code]) == ("refused", "refuse"), enters
        assert not Order.objects.get(pk=refused.order_id).is_open
    shown = preview_order(actor=lives.world.dealer, at=AT, terms=terms(lives.world), acknowledgements=EVERYTHING)
    assert (shown.can_send, verdicts(shown.checks)[code]) == (False, "refuse")
    if code not in NOT_FOR_A_REPLACE:
        amended = amend(lives)
        assert (amended.outcome, verdicts(amended.checks)[code]) == ("refused", "refuse")
    assert CashBalance.objects.values_list("reserved", flat=True).first() == before
    if code not in NOT_AT_APPROVAL:
        decided = approve(lives)
        assert (decided.outcome, verdicts(decided.checks)[code]) == ("not_applied", "refuse")
    assert not OrderRequest.objects.filter(state="pending_authorisation").exclude(pk=lives.waiting.request_id).exists()


@pytest.mark.parametrize("code", AT_BOUNDARY)
def test_a_change_after_capture_is_seen_before_the_wire(lives: Lives, code: str) -> None:
    requests = [lives.unsent.request_id]
    assert check_boundaries(request_ids=requests, at=AT)[requests[0]].allowed
    SPOILED[code](lives.world)
    answer = check_boundaries(request_ids=requests, at=AT)[requests[0]]
    assert (answer.allowed, answer.code) == (False, code)


DOORS: dict[str, Callable[[Lives], Any]] = {
    "ticket": lambda lives: enter(lives.world),
    "batch": lambda lives: in_a_batch(lives.world),
    "preview": lambda lives: preview_order(actor=lives.world.dealer, at=AT, terms=terms(lives.world)),
    "amendment": amend,
    "staged amendment": amend_staged,
    "approval": approve,
}


@pytest.mark.parametrize("door", DOORS)
def test_every_door_keeps_the_answer_of_every_check(lives: Lives, door: str) -> None:
    answers = DOORS[door](lives).checks
    assert [answer.code for answer in answers] == CODES


def test_every_check_is_refused_by_rows_or_shown_elsewhere_at_its_own_door() -> None:
    """What is not spoiled here is about the terms of the one request, or its venue's rules: those have tests of their own."""
    assert set(CODES) - set(SPOILED) == {
        "OPERATOR_PERMISSION", "SERVICE_SEND_RIGHT", "MARKET_ORDER_TYPES", "SHORT_MARKING", "LOCATE_COVER", "PRICE_STEP",
        "LOT_SIZE", "MINIMUM_AND_DISPLAYED_QUANTITY", "EXPIRY_DATE", "STOP_PRICE", "REPLACE_OUTSTANDING",
        "FEES_COVERED", "FIELD_NOT_REPLACEABLE", "REPLACE_TOO_SOON", "QUANTITY_ABOVE_EXECUTED", "PRICE_FRESHNESS", "PRICE_QUALITY",
        "SELLABLE_HOLDINGS",
    }  # fmt: skip


def test_a_maker_who_lost_the_right_is_not_released(lives: Lives) -> None:
    User.objects.get(pk=lives.world.dealer.user_id).groups.clear()
    decided = approve(lives)
    assert (decided.outcome, verdicts(decided.checks)["OPERATOR_PERMISSION"]) == ("not_applied", "refuse")
    with pytest.raises(NotPermitted):
        enter(replace(lives.world, dealer=replace(lives.world.dealer, rights=frozenset())))


def test_a_service_without_the_right_sends_nothing(lives: Lives) -> None:
    User.objects.filter(pk=lives.world.dealer.user_id).update(kind=User.Kind.SERVICE, may_send=False)
    refused = enter(replace(lives.world, dealer=replace(lives.world.dealer, is_service=True, may_send=False)))
    assert (refused.outcome, verdicts(refused.checks)["SERVICE_SEND_RIGHT"]) == ("refused", "refuse")
    decided = approve(lives)
    assert (decided.outcome, verdicts(decided.checks)["SERVICE_SEND_RIGHT"]) == ("not_applied", "refuse")


def test_a_market_without_a_calendar_sends_nothing_and_holds_up_nobody_else(lives: Lives) -> None:
    """At the boundary: its order is refused, another market's order and its own cancels leave."""
    elsewhere = make_listing("MSFT", market=make_market("XNAS"))
    other = enter(lives.world, symbol=elsewhere.symbol)
    cancel = cancel_order(
        actor=lives.world.dealer, at=LATER, idempotency_key="c", route="api", order_id=lives.working.order_id, reason=""
    )
    no_calendar(lives.world)
    asked = [lives.unsent.request_id, other.request_id, cancel.request_id]
    answers = check_boundaries(request_ids=asked, at=LATER)
    assert [answers[one].allowed for one in asked] == [False, True, True]
    assert answers[asked[0]].code == "CALENDAR_MISSING"
    with pytest.raises(Unavailable, match="CALENDAR_MISSING"):
        enter(lives.world)
