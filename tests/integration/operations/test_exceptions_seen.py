"""An exception about an order exists for those who may see the order, and for nobody else of the desk."""

from __future__ import annotations

import pytest

from accounts.models import AccountGroup
from kernel.ids import new_id
from operations.models import ExceptionItem
from operations.selectors.frame import visible_exceptions
from orders.services.capture_order import capture_order
from tests.factories import AT, make_desk, make_principal, terms

pytestmark = pytest.mark.django_db


def test_the_desk_alone_does_not_show_an_order_of_another_account_group() -> None:
    world = make_desk()
    captured = capture_order(
        actor=world.dealer, at=AT, idempotency_key="k", route="ticket", terms=terms(world), source="ticket"
    )
    common = {"desk": world.desk, "severity": "high", "first_event_id": new_id(), "raised_at": AT, "last_seen_at": AT}
    about_order = ExceptionItem.objects.create(
        id=new_id(), kind="OVER_FILL", subject="x", order_id=captured.order_id, sentence="s", dedupe_key="a", **common
    )
    about_desk = ExceptionItem.objects.create(
        id=new_id(), kind="SESSION_DOWN", subject="y", sentence="s", dedupe_key="b", **common
    )
    other_group = AccountGroup.objects.create(code="G-OTHER", name="Other", desk=world.desk)
    colleague = make_principal("colleague", role="dealer", rights=(), desks=(world.desk,), groups=(other_group,))
    assert set(visible_exceptions(world.dealer)) == {about_order, about_desk}
    assert set(visible_exceptions(colleague)) == {about_desk}
