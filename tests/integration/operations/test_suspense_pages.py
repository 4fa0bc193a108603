"""What lies in suspense, from its exception to the second person's word, as people click it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import SuspenseAccount, TradingAccount
from authorisation.models import AuthorisationRequest
from journal.domain.records import EventRecord
from journal.models import Event
from journal.selectors import stream_records
from operations.models import ExceptionItem
from operations.services import on_anomaly_raised
from orders.domain.venue_rules import VenueRules
from orders.models import Order, UnknownOrder
from orders.services.apply_reports import apply_reports
from orders.services.record_routes import record_routes
from risk.domain.facts import ReplaceRules
from tests.factories import DeskWorld, make_account, make_desk
from tests.factories.approvals import decide_as_shown
from tests.factories.venues import make_session
from tests.integration.operations.test_pages import client_of
from tests.integration.orders.test_apply_reports import LATER, sent
from tests.integration.orders.test_overfill import money, trade
from tests.integration.orders.test_unmatched import routed, stray

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world() -> DeskWorld:
    world = make_desk()
    account = make_account("SUSPENSE", group=world.group, cash="0")
    SuspenseAccount.objects.create(desk=None, account=account)
    return world


def listen() -> None:
    """What relay does with what was raised."""
    streams = Event.objects.filter(stream__startswith="anomaly:").values_list("stream", flat=True).distinct()
    events: list[EventRecord] = [event for stream in streams for event in stream_records(stream)]
    on_anomaly_raised.handle(sorted(events, key=lambda event: event.position))


def approve(world: DeskWorld) -> str:
    request = AuthorisationRequest.objects.get()
    shown = client_of(world.checker).get(f"/approvals/{request.id}").content.decode()
    assert request.summary in shown
    answer = decide_as_shown(client_of(world.checker), request.id)
    assert answer.status_code == 200
    return answer.content.decode()


def test_excess_is_accepted_from_its_exception(world: DeskWorld) -> None:
    order = sent(world)
    apply_reports(reports=[trade(order, 1, 1100)], at=LATER)
    listen()
    item = ExceptionItem.objects.get(kind="OVERFILL")
    page = client_of(world.dealer).get(f"/exceptions/{item.pk}").content.decode()
    assert "Ask to accept the excess" in page
    shown = client_of(world.dealer).get(f"/o/{order.ref}").content.decode()
    assert "<b>100</b><span>of it in suspense</span>" in shown
    asked = client_of(world.dealer).post(
        f"/exceptions/{item.pk}/accept", {"key": "k1", "reason": "The client takes it."}
    )
    assert "waits for a second person" in asked.content.decode()
    assert "Approved and applied" in approve(world)
    assert Order.objects.get().accepted_excess == D(100)
    listen()
    item.refresh_from_db()
    assert item.state == "cleared"
    twice = client_of(world.dealer).post(
        f"/exceptions/{item.pk}/accept", {"key": "k1", "reason": "The client takes it."}
    )
    assert (twice.status_code, AuthorisationRequest.objects.count()) == (200, 1)
    again = client_of(world.dealer).post(f"/exceptions/{item.pk}/accept", {"key": "k2", "reason": "Again."})
    assert again.status_code == 409


def test_an_unknown_order_is_put_on_record_from_its_exception(world: DeskWorld) -> None:
    make_session(name="SIM1-A", group="SIM1")
    apply_reports(reports=[stray(routed(world), order_qty=D(400))], at=LATER)
    listen()
    item = ExceptionItem.objects.get(kind="UNKNOWN_ORDER")
    form = {"key": "k1", "account": world.account.code, "reason": "Phoned this morning."}
    assert client_of(world.dealer).post(f"/exceptions/{item.pk}/accept", form).status_code == 200
    assert "Approved and applied" in approve(world)
    assert UnknownOrder.objects.get().state == "accepted"
    assert money(TradingAccount.objects.get(code="SUSPENSE")) == (D(0), D(0))
    assert money(world.account) == (D("-289.60"), D(400))


def test_a_filled_order_may_be_amended_where_its_venue_revives_it(world: DeskWorld) -> None:
    for key, revives in (("k1", False), ("k2", True)):
        order = sent(world, key=key)
        rules = VenueRules("t/1", ReplaceRules(revives_filled=revives))
        record_routes(routes={order.order_id: "SIM1"}, rules={"SIM1": rules}, at=LATER)
        fill = trade(order, 1, 1000, venue_order_id=key, identity=key)
        apply_reports(reports=[fill], at=LATER)
        head = client_of(world.dealer).get(f"/o/{order.ref}").content.decode()
        assert (f'hx-get="/o/{order.ref}/amend?part=1"' in head) == revives
        assert "The order is not working: Filled." in head  # a cancel never
        form = client_of(world.dealer).get(f"/o/{order.ref}/amend?part=1").content.decode()
        assert ("The order is not working: Filled." in form) != revives


def test_another_desk_finds_neither_the_exception_nor_the_request(world: DeskWorld) -> None:
    order = sent(world)
    apply_reports(reports=[trade(order, 1, 1100)], at=LATER)
    listen()
    item = ExceptionItem.objects.get(kind="OVERFILL")
    client_of(world.dealer).post(f"/exceptions/{item.pk}/dk", {"key": "k1", "reason": "Not ours."})
    request = AuthorisationRequest.objects.get()
    other = make_desk("EQ2")
    assert client_of(other.dealer).post(f"/exceptions/{item.pk}/dk", {"key": "k1", "reason": "x"}).status_code == 404
    assert client_of(other.checker).get(f"/approvals/{request.id}").status_code == 404
    decide = f"/approvals/{request.id}/decide"
    data = {"verdict": "approve", "payload_hash": request.payload_hash}
    assert client_of(other.checker).post(decide, data).status_code == 404
    assert AuthorisationRequest.objects.get().state == "pending"
