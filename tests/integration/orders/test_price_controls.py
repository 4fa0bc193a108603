"""The price controls on every road of an order: capture, preview, batch, replace, approval, last boundary; cancels pass.

The table: a good price, at its marks, beyond them, in doubt, withdrawn, never told; and what each names as evidence.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from authorisation.domain.principal import process_principal
from authorisation.models import AuthorisationRequest
from kernel.fix import OrdType
from kernel.ids import new_id
from orders.domain.results import CaptureResult
from orders.domain.terms import ReplaceTerms
from orders.models import OrderRequest
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from orders.services.check_boundaries import check_boundaries
from orders.services.decide_order_request import decide_order_request
from orders.services.preview_order import preview_order
from orders.services.replace_order import replace_order
from refdata.domain.ticks import FeedTick
from refdata.models import ReferencePrice
from refdata.services.take_ticks import take_ticks
from tests.factories import AT, DeskWorld, make_desk, terms
from tests.integration.orders.test_requests import working

pytestmark = pytest.mark.django_db
S = timedelta(seconds=1)
FEED = new_id()
MARKET: dict[str, Any] = {"ord_type": OrdType.MARKET, "price": None}


@pytest.fixture
def world() -> DeskWorld:
    return make_desk(cash="10000000")


def told(last: str | None = "72.50", *, after: int = 0, **more: Any) -> None:
    """The feed speaks."""
    at = AT + after * S
    tick = FeedTick("VOD.L", "GBX", at, last=None if last is None else Decimal(last), phase="continuous", **more)
    take_ticks(actor=process_principal("prices"), at=at, source="SIM1", session=FEED, heard_at=at, ticks=[tick])


def buy(world: DeskWorld, *, after: int = 0, **changes: Any) -> CaptureResult:
    return capture_order(
        actor=world.dealer,
        at=AT + after * S,
        idempotency_key=str(new_id()),
        route="ticket",
        terms=terms(world, **changes),
        source="ticket",
    )


def said(result: Any, code: str) -> str:
    return next(str(answer.verdict.word) for answer in result.checks if answer.code == code)


def approve(world: DeskWorld, held: CaptureResult, *, after: int) -> Any:
    assert held.authorisation_id is not None
    return decide_order_request(
        actor=world.checker,
        at=AT + after * S,
        authorisation_id=held.authorisation_id,
        verdict="approve",
        reason_code="WITHIN_MANDATE",
        reason="",
        payload_hash=AuthorisationRequest.objects.get(pk=held.authorisation_id).payload_hash,
    )


@pytest.mark.parametrize(
    ("case", "age", "limit", "market"),
    [
        ("at the first mark", 15, "released", "released"),
        ("beyond it", 16, "pending_authorisation", "pending_authorisation"),
        ("at the second", 3600, "pending_authorisation", "pending_authorisation"),
        ("beyond both", 3601, "pending_authorisation", "refused"),
    ],
)
def test_the_silence_of_a_feed(world: DeskWorld, case: str, age: int, limit: str, market: str) -> None:
    told()
    assert buy(world, after=age).outcome == limit
    assert buy(world, after=age, **MARKET).outcome == market


def test_a_feed_that_lives_keeps_a_quiet_price_fresh(world: DeskWorld) -> None:
    told()
    at = AT + 4000 * S
    take_ticks(actor=process_principal("prices"), at=at, source="SIM1", session=FEED, heard_at=at, ticks=[])
    assert buy(world, after=4000, **MARKET).outcome == "released"


@pytest.mark.parametrize(
    ("case", "say", "limit"),
    [
        ("a jump", {"last": "99"}, "pending_authorisation"),
        ("zero", {"last": "0"}, "pending_authorisation"),
        ("crossed", {"last": "72.5", "bid": Decimal("72.6"), "ask": Decimal("72.4")}, "pending_authorisation"),
        ("backwards", {"last": "72.5", "after": -1}, "pending_authorisation"),
        ("withdrawn", {"last": None, "withdrawn": True}, "pending_authorisation"),
    ],
)
def test_a_price_that_cannot_be_trusted(world: DeskWorld, case: str, say: dict[str, Any], limit: str) -> None:
    told()
    told(**({"after": 1} | say))
    assert buy(world, after=1).outcome == limit
    assert buy(world, after=1, **MARKET).outcome == "refused"
    preview = preview_order(actor=world.dealer, at=AT + S, terms=terms(world, **MARKET), acknowledgements=())
    assert "refuse" in (said(preview, "PRICE_QUALITY"), said(preview, "REFERENCE_PRICE"))


def test_without_any_price_nothing_is_sent(world: DeskWorld) -> None:
    ReferencePrice.objects.all().delete()
    assert (buy(world).outcome, buy(world, **MARKET).outcome) == ("refused", "refused")


def test_without_price_and_close_a_limit_is_refused_too(world: DeskWorld) -> None:
    told()
    ReferencePrice.objects.update(previous_close=None)
    assert buy(world, after=3601).outcome == "refused"


def test_a_decision_names_the_tick_it_saw(world: DeskWorld) -> None:
    told("72.60")
    result = buy(world)
    seen = next(answer.facts for answer in result.checks if answer.code == "REFERENCE_PRICE")
    assert str(seen["tick"]) == str(ReferencePrice.objects.get().tick)
    assert (Decimal(str(seen["last"])), seen["source"]) == (Decimal("72.60"), "SIM1")


def test_a_batch_sees_the_same(world: DeskWorld) -> None:
    told()
    told("99", after=1)
    rows = [("a", terms(world)), ("b", terms(world, **MARKET))]
    done = capture_orders(actor=world.dealer, at=AT + S, idempotency_key="k", route="api", rows=rows, source="api")
    assert [row.result.outcome for row in done if row.result] == ["pending_authorisation", "refused"]


@pytest.mark.parametrize(("qty", "outcome"), [("900", "released"), ("1100", "pending_authorisation")])
def test_a_replace_that_adds_risk_waits_and_one_that_does_not_goes(world: DeskWorld, qty: str, outcome: str) -> None:
    order = working(world)
    told()
    told("99", after=1)

    replaced = replace_order(
        actor=world.dealer,
        at=AT + S,
        idempotency_key=qty,
        route="ticket",
        order_id=order.order_id,
        terms=ReplaceTerms(order_qty=Decimal(qty)),
    )
    assert replaced.outcome == outcome
    result = cancel_order(
        actor=world.dealer, at=AT + S, idempotency_key="c", route="ticket", order_id=order.order_id, reason=""
    )
    assert check_boundaries(request_ids=[result.request_id], at=AT + S)[result.request_id].allowed


def test_the_last_boundary_stops_a_market_order_whose_price_came_into_doubt_or_went(world: DeskWorld) -> None:
    told()
    market, limit = buy(world, **MARKET), buy(world)
    ids = [market.request_id, limit.request_id]

    def allowed(after: int) -> list[tuple[bool, str]]:
        answers = check_boundaries(request_ids=ids, at=AT + after * S)
        return [(answers[one].allowed, answers[one].code) for one in ids]

    assert allowed(0) == [(True, ""), (True, "")]
    told("99", after=1)
    assert allowed(1) == [(False, "PRICE_QUALITY"), (True, "")]
    told("72.5", after=2)
    assert allowed(2) == [(True, ""), (True, "")]
    assert allowed(3603) == [(False, "REFERENCE_PRICE"), (True, "")]


def test_the_decision_is_made_on_the_price_of_then(world: DeskWorld) -> None:
    """An order that waits for a person is judged again on the price of the decision, not of its capture."""
    told()
    held = buy(world, after=16)
    assert held.authorisation_id is not None
    told("72.55", after=20)
    decided = approve(world, held, after=21)
    assert decided.outcome == "applied"
    request = OrderRequest.objects.get(pk=held.request_id)
    assert request.state == "released"


def test_an_order_without_limit_that_waited_is_refused_on_a_doubted_price(world: DeskWorld) -> None:
    told()
    held = buy(world, after=16, **MARKET)
    assert held.authorisation_id is not None
    told("99", after=20)
    decided = approve(world, held, after=21)
    assert decided.outcome != "applied"
    assert OrderRequest.objects.get(pk=held.request_id).state == "refused"
