"""The rate of a session at the hand-over: orders wait in their place, cancels go first and have a share of their own."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from operations.selectors.order_page import get_order_page
from risk.domain.rates import RateKind
from risk.models import RateBucket
from tests.factories import AT, set_price
from tests.factories.rates import slow_mark
from tests.factories.trading import EPOCH, GROUP, SESSION, Desk, relay
from venues.adapters.registry import adapter_named
from venues.models import HandOver, WireIntent
from venues.services.mark_handed_over import HandedOver, mark_handed_over
from venues.services.tell_waiting import tell_waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


def hand_over(*, limit: int = 50, only_safe: bool = False, later: timedelta = timedelta(0)) -> HandedOver:
    relay()
    return mark_handed_over(
        group=GROUP, session=SESSION, epoch=EPOCH, fence=0, adapter=adapter_named("fix44"), limit=limit,
        only_safe=only_safe, at=AT + later,
    )  # fmt: skip


def waiting() -> int:
    return WireIntent.objects.filter(state="waiting").count()


def test_inside_at_and_outside(desk: Desk) -> None:
    slow_mark(RateKind.SESSION, burst=3)
    for _ in range(2):
        desk.buy()
    inside = hand_over()
    assert (len(inside.outgoing), inside.rate_met) == (2, "")
    for _ in range(2):
        desk.buy()
    at_mark = hand_over()
    assert (len(at_mark.outgoing), at_mark.rate_met, waiting()) == (1, "1 in 1,000 s, 3 at once", 1)
    outside = hand_over()
    assert (len(outside.outgoing), len(outside.not_sent), waiting()) == (0, 0, 1)  # it waits and is not dropped
    assert outside.rate_met
    RateBucket.objects.filter(subject=f"session:{SESSION}").delete()  # as time would
    assert (len(hand_over().outgoing), waiting()) == (1, 0)


def test_orders_go_in_the_order_in_which_they_came(desk: Desk) -> None:
    slow_mark(RateKind.SESSION, burst=2)
    refs = [desk.buy().cl_ord_id for _ in range(4)]
    assert [out.cl_ord_id for out in hand_over().outgoing] == refs[:2]


def test_cancels_go_first_and_use_what_is_kept_for_them(desk: Desk) -> None:
    first, second = desk.buy(), desk.buy()
    hand_over()
    for order in (first, second):
        desk.say(order, "0", "0")
    RateBucket.objects.all().delete()
    slow_mark(RateKind.SESSION, burst=4, share=50)
    for _ in range(4):
        desk.buy()
    assert len(hand_over().outgoing) == 2  # orders stop where the share of cancels begins
    desk.cancel(first)
    desk.cancel(second)
    canceled = hand_over()
    assert [out.fields[0][1] for out in canceled.outgoing] == ["F", "F"]
    assert (canceled.rate_met != "", waiting()) == (True, 2)


def test_what_was_refused_at_the_boundary_uses_nothing(desk: Desk) -> None:
    slow_mark(RateKind.SESSION, burst=2)
    desk.buy()
    relay()
    desk.world.account.state = "frozen"
    desk.world.account.save()
    assert len(hand_over().not_sent) == 1
    assert not RateBucket.objects.filter(subject=f"session:{SESSION}").exists()


def test_who_waits_is_told_why_on_its_page(desk: Desk) -> None:
    slow_mark(RateKind.SESSION, burst=1)
    desk.buy()
    held = desk.buy()
    words = hand_over().rate_met
    assert tell_waiting(group=GROUP, sentence=f"Waits for the rate of session {SESSION}: {words}.") == 1
    assert get_order_page(order=held).waits == f"Waits for the rate of session {SESSION}: 1 in 1,000 s, 1 at once."
    assert tell_waiting(group=GROUP, sentence="again") == 0


def test_an_order_that_waited_has_its_price_checked_again(desk: Desk) -> None:
    slow_mark(RateKind.SESSION, burst=1)
    desk.buy()
    near, far = desk.buy(), desk.buy()
    hand_over()
    set_price(desk.world.listing, "150.00", at=AT + timedelta(seconds=10))  # 72.50 is half of that: beyond 30 %
    RateBucket.objects.all().delete()
    at_once = hand_over(limit=1, later=timedelta(seconds=1))  # too short a wait for the market to have gone on
    assert [out.cl_ord_id for out in at_once.outgoing] == [near.cl_ord_id]
    RateBucket.objects.all().delete()
    later = hand_over(later=timedelta(seconds=10))
    assert (len(later.outgoing), [refusal.code for refusal in later.not_sent]) == (0, ["PRICE_COLLAR"])
    assert (
        WireIntent.objects.get(order_id=far.pk).state == "waiting"
    )  # the gateway refuses it in a transaction of its own


def test_a_forged_intent_never_leaves(desk: Desk) -> None:
    """Written past the doors: another quantity, an order that was never released, a new order that says it adds no risk."""
    more, unreleased, safe = (
        desk.buy(),
        desk.buy(outcome="pending_authorisation", order_qty=Decimal(60_000)),
        desk.buy(),
    )
    relay()
    intent = WireIntent.objects.get(order_id=more.pk)
    intent.payload["message"]["order_qty"] = "9999999"
    intent.save()
    WireIntent.objects.filter(order_id=safe.pk).update(adds_risk=False)
    request = unreleased.requests.get()
    WireIntent.objects.create(
        session_group=GROUP, kind="new", order_id=unreleased.pk, request_id=request.pk, account_id=unreleased.account_id,
        cl_ord_id=request.cl_ord_id, payload={"message": request.payload}, adds_risk=True, not_after=AT,
        correlation_id=unreleased.correlation_id, created_at=AT,
    )  # fmt: skip
    handed = hand_over()
    assert handed.outgoing == ()
    assert sorted(refusal.code for refusal in handed.not_sent) == [
        "INTENT_FORGED", "INTENT_FORGED", "REQUEST_NOT_RELEASED",
    ]  # fmt: skip
    assert not HandOver.objects.exists()
