"""Throttles at the doors: the last that passes and the first that does not, per source and account, and who is not held."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from kernel.clock import utc_now
from orders.domain.results import CaptureResult
from orders.domain.terms import ReplaceTerms
from orders.models import Order
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from orders.services.preview_order import preview_order
from orders.services.replace_order import replace_order
from risk.domain.answers import Verdict
from risk.domain.rates import RateKind
from risk.models import RateBucket
from tests.factories import AT, DeskWorld, make_account, make_desk, set_price, terms
from tests.factories.rates import SLOW_S, slow_mark, used
from tests.factories.trading import Desk
from tests.integration.orders.test_api import TOKEN, body, issue_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def capture(world: DeskWorld, key: str, **changes: Any) -> CaptureResult:
    return capture_order(
        actor=world.dealer, at=AT, idempotency_key=key, route="api", terms=terms(world, **changes), source="api"
    )


def refusals(result: CaptureResult) -> list[str]:
    return [answer.code for answer in result.checks if answer.verdict is Verdict.REFUSE]


def test_inside_at_and_outside_the_mark_of_a_source(world: DeskWorld) -> None:
    slow_mark(RateKind.USER, burst=2)
    outcomes = [capture(world, f"k{n}").outcome for n in range(3)]
    assert outcomes == ["released", "released", "refused"]
    refused = capture(world, "k9")
    assert refusals(refused) == ["SOURCE_RATE"]
    wait = next(a for a in refused.checks if a.code == "SOURCE_RATE").facts["retry_after_s"]
    assert SLOW_S - 60 <= wait <= SLOW_S  # not longer for having asked twice: a refusal of a rate is not counted
    assert f"send it again in {wait} s" in refused.sentence
    assert Order.objects.filter(is_open=True).count() == 2


def test_the_mark_of_an_account_holds_for_everybody_who_sends_to_it(world: DeskWorld) -> None:
    slow_mark(RateKind.ACCOUNT, burst=1)
    assert capture(world, "k1").outcome == "released"
    assert refusals(capture(world, "k2")) == ["ACCOUNT_RATE"]
    other = make_account("OTHER", group=world.group, cash="100000")
    assert capture(world, "k3", account=other.code).outcome == "released"


def test_a_mark_of_ones_own_comes_before_that_of_all(world: DeskWorld) -> None:
    slow_mark(RateKind.USER, burst=1)
    slow_mark(RateKind.USER, burst=3, subject=world.dealer.actor)
    assert [capture(world, f"k{n}").outcome for n in range(4)] == ["released"] * 3 + ["refused"]


def test_what_another_check_refused_is_counted(world: DeskWorld) -> None:
    slow_mark(RateKind.USER, burst=2)
    too_much = capture(world, "k1", order_qty=Decimal(100_010))
    assert refusals(too_much) == ["ORDER_QUANTITY_LIMIT"]
    assert [capture(world, f"n{n}").outcome for n in range(2)] == ["released", "refused"]


def test_the_same_key_again_costs_nothing(world: DeskWorld) -> None:
    slow_mark(RateKind.USER, burst=2)
    assert [capture(world, "same").replayed for _ in range(5)] == [False] + [True] * 4
    assert capture(world, "next").outcome == "released"


def test_a_preview_tells_and_costs_nothing(world: DeskWorld) -> None:
    slow_mark(RateKind.USER, burst=1)
    for _ in range(3):
        assert preview_order(actor=world.dealer, at=AT, terms=terms(world)).can_send
    assert not used(world.dealer.actor)
    capture(world, "k1")
    assert not preview_order(actor=world.dealer, at=AT, terms=terms(world)).can_send


def test_rows_of_a_batch_pass_until_the_burst_is_used(world: DeskWorld) -> None:
    slow_mark(RateKind.USER, burst=3)
    rows = [(str(n), terms(world)) for n in range(5)]
    results = capture_orders(actor=world.dealer, at=AT, idempotency_key="b", route="batch", rows=rows, source="api")
    assert [row.outcome for row in results] == ["released"] * 3 + ["refused"] * 2
    ahead = RateBucket.objects.get(subject=world.dealer.actor).full_at - utc_now()
    assert 3 * SLOW_S - 60 < ahead.total_seconds() <= 3 * SLOW_S
    assert capture(world, "k1").outcome == "refused"


def test_replaces_that_add_risk_wait_and_cancels_and_reductions_never_do() -> None:
    desk = Desk()
    order = desk.buy()
    desk.send(at=AT)
    desk.say(order, "0", "0")
    slow_mark(RateKind.USER, burst=1)

    def replaced(key: str, qty: int) -> str:
        asked = replace_order(
            actor=desk.world.dealer, at=AT, idempotency_key=key, route="api", order_id=order.pk,
            terms=ReplaceTerms(order_qty=Decimal(qty)),
        )  # fmt: skip
        return asked.outcome

    RateBucket.objects.update(full_at=utc_now() + timedelta(seconds=SLOW_S))  # the burst is used
    assert replaced("r1", 1100) == "refused"
    assert replaced("r2", 500) == "released"
    canceled = cancel_order(
        actor=desk.world.dealer, at=AT, idempotency_key="c1", route="api", order_id=order.pk, reason="stop"
    )
    assert canceled.outcome == "released"


def test_the_api_says_429_and_when_to_come_back(world: DeskWorld) -> None:
    set_price(world.listing, "72.50", at=utc_now())
    issue_token(world.dealer.user_id)
    slow_mark(RateKind.KEY, burst=1)

    def post(key: str) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key}
        content = json.dumps(body(world))
        return Client().post("/api/v1/orders", content, content_type="application/json", headers=headers)

    assert post("k1").status_code in (201, 202)
    held = post("k2")
    assert held.status_code == 429
    assert SLOW_S - 60 <= int(held["Retry-After"]) <= SLOW_S
    assert held.json()["code"] == "ORDER_REFUSED"
    assert held.json()["outcome"] == "refused"
    assert post("k2").status_code == 429  # the same key gets the same answer: after the wait another is needed
