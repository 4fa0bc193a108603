"""What stands still too long is told once, to the order's desk, and cleared when it moves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from journal.models import Event
from kernel.fix import ExecType, OrdStatus
from orders.models import StuckMark
from orders.services.apply_reports import apply_reports
from orders.services.capture_order import capture_order
from orders.services.mark_stuck import mark_stuck
from orders.services.record_hand_over import record_hand_over
from tests.factories import AT, make_desk, terms
from tests.integration.orders.test_apply_reports import report, sent

pytestmark = pytest.mark.django_db
S = timedelta(seconds=1)


def told() -> list[tuple[Any, ...]]:
    events = Event.objects.filter(stream__startswith="anomaly:").order_by("position")
    return [(e.kind, e.payload["kind"], e.payload["subject_id"]) for e in events]


def test_a_released_request_that_does_not_leave_is_told_once_and_cleared() -> None:
    world = make_desk()
    order = capture_order(
        actor=world.dealer, at=AT, idempotency_key="k", route="t", terms=terms(world), source="ticket"
    )
    assert (mark_stuck(at=AT + 60 * S), told()) == (0, [])
    assert (mark_stuck(at=AT + 61 * S), mark_stuck(at=AT + 90 * S)) == (1, 0)
    assert told() == [("AnomalyRaised", "STUCK_ORDER", str(order.order_id))]
    sentence = Event.objects.get(kind="AnomalyRaised").payload["sentence"]
    assert sentence == (f"{order.ref}: Its new {order.cl_ord_id} has waited for the gateway for more than 60 seconds.")
    record_hand_over(request_ids=[order.request_id], at=AT + 100 * S)
    mark_stuck(at=AT + 101 * S)
    mark_stuck(at=AT + 102 * S)
    assert [kind for kind, _, _ in told()] == ["AnomalyRaised", "AnomalyCleared"]
    assert list(StuckMark.objects.values_list("state", "moved_at")) == [("released", AT + 101 * S)]


def test_a_pending_that_the_venue_never_ends_is_told_after_its_last_word() -> None:
    order = sent(make_desk())
    pending = report(order, 1, ExecType.PENDING_NEW, OrdStatus.PENDING_NEW)
    apply_reports(reports=[pending], at=AT + 30 * S)
    assert mark_stuck(at=AT + 150 * S) == 0
    assert mark_stuck(at=AT + 151 * S) == 1
    apply_reports(reports=[report(order, 2, ExecType.NEW, OrdStatus.NEW)], at=AT + 160 * S)
    assert mark_stuck(at=AT + 600 * S) == 0
    assert [kind for kind, _, _ in told()] == ["AnomalyRaised", "AnomalyCleared"]


def test_an_order_that_rests_is_not_stuck() -> None:
    order = sent(make_desk())
    apply_reports(reports=[report(order, 1, ExecType.NEW, OrdStatus.NEW)], at=AT)
    assert (mark_stuck(at=AT + timedelta(days=30)), told()) == (0, [])
