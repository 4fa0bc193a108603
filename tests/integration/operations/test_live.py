"""From the journal to the browser: the picture follows, the stream knows who listens, exceptions are kept once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client

from authorisation.models import User
from authorisation.session_store import SessionStore
from journal.domain.records import ANOMALY_CLEARED, ANOMALY_RAISED, Anomaly, EventRecord, Severity
from journal.selectors import list_events_after, stream_records
from journal.services.clear_anomaly import clear_anomaly
from journal.services.raise_anomaly import raise_anomaly
from kernel.clock import utc_now
from kernel.ids import new_id
from operations.models import ExceptionItem
from operations.services.on_anomaly_raised import handle
from operations.stream import application, find_viewer, origin_allowed
from orders.models import Order
from orders.services.capture_order import capture_order
from tests.factories import DeskWorld, make_desk, set_price, terms


def capture(world: DeskWorld) -> str:
    set_price(world.listing, "72.50", at=utc_now())
    return capture_order(
        actor=world.dealer,
        at=utc_now(),
        idempotency_key=str(new_id()),
        route="ticket",
        terms=terms(world),
        source="ticket",
    ).ref


@pytest.mark.django_db(transaction=True)
def test_the_stream_knows_its_listener_by_the_session_cookie() -> None:
    world = make_desk()
    user = User.objects.get(pk=world.dealer.user_id)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    cookie = f"other=1; oms={client.cookies['oms'].value}"
    viewer = find_viewer(cookie)
    assert viewer is not None
    assert (viewer.user_id, viewer.desks, viewer.groups) == (
        user.pk,
        frozenset({world.desk.pk}),
        frozenset({world.group.pk}),
    )

    assert find_viewer("") is None
    assert find_viewer("oms=unknown") is None
    session = SessionStore(client.cookies["oms"].value)
    session["_auth_user_hash"] = "forged"
    session.save()
    assert find_viewer(cookie) is None


@pytest.mark.django_db(transaction=True)
def test_nobody_listens_after_signing_out_or_being_shut_out() -> None:
    world = make_desk()
    user = User.objects.get(pk=world.dealer.user_id)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    cookie = f"oms={client.cookies['oms'].value}"
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert find_viewer(cookie) is None
    User.objects.filter(pk=user.pk).update(is_active=True)
    client.post("/sign-out")
    assert find_viewer(cookie) is None


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://desk.example:8000", True),
        ("https://desk.example", True),
        ("http://desk.example:9999", False),
        ("http://evil.example:8000", False),
        ("null", False),
        ("http://desk.example:port", False),
    ],
)
def test_only_our_own_pages_may_listen(origin: str, allowed: bool, settings: Any) -> None:
    settings.WEB_PORT = 8000
    assert origin_allowed(origin, "desk.example:8001") is allowed


def anomaly(severity: Severity = Severity.MEDIUM, sentence: str = "Sent, no answer.") -> Anomaly:
    return Anomaly("SENT_NO_ACK", severity, "session", "SIM1-A", sentence, "no-ack:1", {"waited_s": 31})


def events() -> list[EventRecord]:
    return [event for event in stream_records("anomaly:no-ack:1") if event.kind in (ANOMALY_RAISED, ANOMALY_CLEARED)]


@pytest.mark.django_db
def test_a_matter_is_one_item_however_often_it_is_raised_or_read() -> None:
    raise_anomaly(anomaly=anomaly(), actor="process:gateway", at=utc_now())
    raise_anomaly(anomaly=anomaly(Severity.HIGH, "Still no answer."), actor="process:gateway", at=utc_now())
    for _ in range(3):
        handle(events())
    item = ExceptionItem.objects.get()
    assert (item.occurrences, item.severity, item.sentence, item.state) == (2, "high", "Still no answer.", "unreviewed")


@pytest.mark.django_db
def test_a_settled_matter_closes_and_a_new_one_opens_again() -> None:
    raise_anomaly(anomaly=anomaly(), actor="process:gateway", at=utc_now())
    clear_anomaly(anomaly=anomaly(sentence="Answered."), actor="process:gateway", at=utc_now())
    handle(events())
    handle(events())
    item = ExceptionItem.objects.get()
    assert (item.state, item.closing_sentence) == ("cleared", "Answered.")
    raise_anomaly(anomaly=anomaly(), actor="process:gateway", at=utc_now())
    handle(events())
    assert sorted(ExceptionItem.objects.values_list("state", flat=True)) == ["cleared", "unreviewed"]


@pytest.mark.django_db(transaction=True)
def test_an_item_of_an_order_belongs_to_its_desk() -> None:
    world, other = make_desk(), make_desk("EQ2")
    order = Order.objects.get(ref=capture(world))
    matter = Anomaly("OVERFILL", Severity.CRITICAL, "order", str(order.pk), "Too much was filled.", "over:1")
    raise_anomaly(anomaly=matter, actor="process:inbox", at=utc_now())
    handle([event for event in list_events_after(0, limit=100) if event.kind == ANOMALY_RAISED])
    item = ExceptionItem.objects.get()
    assert (item.order_id, item.desk_id) == (order.pk, world.desk.pk)
    for actor, status in ((world.dealer, 200), (other.dealer, 404)):
        client = Client()
        client.force_login(User.objects.get(pk=actor.user_id), backend="django.contrib.auth.backends.ModelBackend")
        assert client.get(f"/exceptions/{item.pk}").status_code == status


def test_every_answer_of_the_stream_is_guarded() -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {"type": "http", "method": "GET", "path": "/nowhere", "query_string": b"", "headers": []}
    with ThreadPoolExecutor(1) as elsewhere:  # a browser test before this one may have left a loop in our thread
        elsewhere.submit(asyncio.run, application(scope, receive, send)).result()
    headers = dict(sent[0]["headers"])
    assert sent[0]["status"] == 404
    assert headers[b"content-security-policy"] == b"default-src 'none'; frame-ancestors 'none'"
    assert (headers[b"x-content-type-options"], headers[b"cache-control"]) == (b"nosniff", b"no-store")
