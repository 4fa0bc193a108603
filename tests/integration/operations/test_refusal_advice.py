"""The order page says what a refusal of the venue means."""

from __future__ import annotations

import pytest

from kernel.fix import ExecType, OrdStatus
from operations.selectors.order_page import get_order_page
from orders.models import Order
from orders.services.apply_reports import apply_reports
from tests.factories import make_desk
from tests.integration.orders.test_apply_reports import LATER, report, sent
from venues.domain.error_contract import Class, Rule

pytestmark = pytest.mark.django_db


def advice() -> list[Rule]:
    page = get_order_page(order=Order.objects.get())
    return [entry.advice for entry in page.timeline if entry.advice is not None]


def test_a_rejection_is_explained_by_its_code() -> None:
    order = sent(make_desk())
    rejected = report(order, 1, ExecType.REJECTED, OrdStatus.REJECTED, reject_code="2", text="closed")
    apply_reports(reports=[rejected], at=LATER)
    (rule,) = advice()
    assert (rule.kind, rule.name, rule.repeatable) == (Class.VENUE_STATE, "ExchangeClosed", True)


def test_what_a_status_answer_proved_has_its_own_words() -> None:
    order = sent(make_desk())
    denied = report(order, 1, ExecType.ORDER_STATUS, OrdStatus.REJECTED, reject_code="5", venue_order_id=None)
    apply_reports(reports=[denied], at=LATER)
    assert Order.objects.get().request_state == "rejected"
    assert advice() == []
