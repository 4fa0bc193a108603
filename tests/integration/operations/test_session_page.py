"""The page of a FIX session: how far its recovery is, what differs, what is unanswered, and who may do something about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from authorisation.domain.principal import Principal
from journal.models import Event
from kernel.clock import utc_now
from kernel.ids import new_id
from orders.models import Order
from tests.factories import DeskWorld, make_desk, make_principal, set_price
from tests.factories.venues import make_session
from tests.integration.operations.test_pages import capture, client_of
from venues.models import FixSession, Inquiry, Recovery, RecoveryDifference

OPERATES = ("switch_session", "open_recovery_gate")
pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def world() -> DeskWorld:
    made = make_desk()
    set_price(made.listing, "72.50", at=utc_now())
    make_session()
    FixSession.objects.update(state="recovering")
    return made


@pytest.fixture
def operator(world: DeskWorld) -> Principal:
    return make_principal(
        "op-1",
        role="operations",
        rights=("switch_session", "open_recovery_gate"),
        desks=(world.desk,),
        groups=(world.group,),
        persona="operations",
    )


def recovery(**values: object) -> Recovery:
    at = utc_now()
    defaults = {"state": "asking", "mass": True, "expected": 7, "received": 3, "fence": 1, "epoch": "E1"}
    return Recovery.objects.create(
        id=new_id(), session="T1-A", session_group="T1", started_at=at - timedelta(minutes=1), **(defaults | values)
    )


def unanswered(order: Order) -> None:
    at = utc_now()
    Inquiry.objects.create(
        request_id=new_id(), order_id=order.id, session_group="T1", session="T1-A", kind="cancel", cl_ord_id="C.2",
        reason="No answer.", attempts=4, opened_at=at, last_asked_at=at, next_at=at + timedelta(minutes=1),
    )  # fmt: skip


def differing(order: Order) -> None:
    RecoveryDifference.objects.create(
        recovery=recovery(state="different"), session="T1-A", kind="EXECUTION_MISSING", order_id=order.id,
        account_id=order.account_id, ours={"cum_qty": "0"}, theirs={"cum_qty": "400"}, found_at=utc_now(),
        next_at=utc_now(),
    )  # fmt: skip


def test_progress_differences_and_unanswered_requests_are_shown_with_their_orders(world: DeskWorld) -> None:
    order = Order.objects.get(id=capture(world).order_id)
    differing(order)
    unanswered(order)
    told = client_of(world.dealer).get("/venues/T1-A?part=1").content.decode()
    assert f'<a href="/o/{order.ref}">{order.ref}</a>' in told
    assert ("Execution missing" in told, "400" in told, "C.2" in told, "Different" in told) == (True,) * 4
    assert "3 of 7" in told
    assert "Ask the venue now" not in told


def test_another_desk_sees_neither_the_orders_nor_that_there_are_any(world: DeskWorld) -> None:
    order = Order.objects.get(id=capture(world).order_id)
    differing(order)
    unanswered(order)
    stranger = make_desk("EQ2", symbol="SAP.DE").dealer
    told = client_of(stranger).get("/venues/T1-A?part=1").content.decode()
    assert order.ref not in told
    assert ("Not answered · 0" in told, "Differences · 0" in told, "C.2" in told) == (True, True, False)


def test_asking_now_makes_everything_due_and_stays_on_the_page(world: DeskWorld, operator: Principal) -> None:
    unanswered(Order.objects.get(id=capture(world).order_id))
    client = client_of(operator)
    assert "Ask the venue now" in client.get("/venues/T1-A").content.decode()
    assert client.post("/venues/T1-A/ask", headers=HTMX).status_code == 200
    assert Inquiry.objects.get().next_at <= utc_now()


def test_new_orders_are_stopped_and_allowed_with_a_reason(world: DeskWorld, operator: Principal) -> None:
    client = client_of(operator)
    assert client.post("/venues/T1-A/switch", {"enabled": "no", "reason": " "}).status_code == 400
    assert client.post("/venues/T1-A/switch", {"enabled": "maybe", "reason": "x"}).status_code == 400
    assert FixSession.objects.get().enabled
    assert client.post("/venues/T1-A/switch", {"enabled": "no", "reason": "venue test"}).status_code == 302
    assert not FixSession.objects.get().enabled
    assert "Allow new orders on T1-A" in client.get("/venues/T1-A").content.decode()
    assert client.post("/venues/T1-A/switch", {"enabled": "yes", "reason": "done"}).status_code == 302
    kinds = Event.objects.filter(stream="session:T1-A").order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["SessionDisabled", "SessionEnabled"]


def test_the_gate_is_offered_only_when_overdue_and_opened_only_by_its_typed_name(
    world: DeskWorld, operator: Principal
) -> None:
    client = client_of(operator)
    row = recovery()
    assert "Open the gate" not in client.get("/venues/T1-A").content.decode()
    assert client.post("/venues/T1-A/gate", {"typed": "T1-A", "reason": "x"}).status_code == 409
    Recovery.objects.update(overdue_at=utc_now(), reason="No answer.")
    assert "Open the gate" in client.get("/venues/T1-A").content.decode()
    assert client.post("/venues/T1-A/gate", {"typed": "T1-B", "reason": "x"}).status_code == 400
    assert client.post("/venues/T1-A/gate", {"typed": "T1-A", "reason": ""}).status_code == 400
    row.refresh_from_db()
    assert (row.opened_at, FixSession.objects.get().state) == (None, "recovering")
    assert client.post("/venues/T1-A/gate", {"typed": "T1-A", "reason": "phoned Ann"}).status_code == 302
    row.refresh_from_db()
    assert (row.opened_by, row.opened_reason) == (operator.actor, "phoned Ann")
    assert FixSession.objects.get().state == "logged_on"
    assert client_of(world.checker).post("/venues/T1-A/gate", {"typed": "T1-A", "reason": "x"}).status_code == 403


def test_the_cards_say_how_far_the_recovery_is(world: DeskWorld) -> None:
    recovery()
    told = client_of(world.dealer).get("/venues?part=1").content.decode()
    assert ("Asking" in told, "3 of 7 answers" in told) == (True, True)
