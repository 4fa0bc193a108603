"""Pages against real tables: who sees what, what a send keeps, and how many statements a page costs."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from authorisation.domain.principal import Principal
from authorisation.models import User
from kernel.clock import utc_now
from kernel.fix import OrdType
from kernel.ids import new_id
from operations.domain.numbers import grouped
from orders.domain.results import CaptureResult
from orders.models import Order, OrderRequest
from orders.services.capture_order import capture_order
from tests.factories import DeskWorld, make_desk, set_price, terms

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> DeskWorld:
    made = make_desk()
    set_price(made.listing, "72.50", at=utc_now())
    return made


def client_of(actor: Principal) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id), backend="django.contrib.auth.backends.ModelBackend")
    return client


def capture(world: DeskWorld, **changes: object) -> CaptureResult:
    return capture_order(
        actor=world.dealer,
        at=utc_now(),
        idempotency_key=str(new_id()),
        route="ticket",
        terms=terms(world, **changes),
        source="ticket",
    )


def ticket(world: DeskWorld, **changes: str) -> dict[str, str]:
    return {
        "key": str(new_id()),
        "side": "1",
        "symbol": world.listing.symbol,
        "qty": "1,000",
        "price": "72.50",
        "account": world.account.code,
        "ord_type": "2",
        "time_in_force": "0",
    } | changes


def test_signed_out_people_are_led_to_the_sign_in_and_parts_say_so(world: DeskWorld) -> None:
    assert Client().get("/desk").headers["Location"] == "/sign-in?next=/desk"
    assert Client().get("/desk", headers={"HX-Request": "true"}).status_code == 401
    assert Client().post("/ticket/send", ticket(world), headers={"HX-Request": "true"}).status_code == 401
    assert Order.objects.count() == 0


def test_rows_of_another_desk_do_not_exist(world: DeskWorld) -> None:
    other = make_desk("EQ2")
    result = capture(world)
    body = json.loads(client_of(world.dealer).get("/desk/rows.json").content)
    at = body["columns"].index("ref")
    assert [row[at] for row in body["rows"]] == [result.ref]
    assert json.loads(client_of(other.dealer).get("/desk/rows.json").content)["rows"] == []
    for path in (f"/o/{result.ref}", f"/o/{result.order_id}", f"/o/{result.ref}/amend"):
        assert client_of(other.dealer).get(path).status_code == 404
    assert client_of(other.dealer).post("/o/cancel", {"refs": result.ref, "reason": "OTHER"}).status_code == 404
    assert Order.objects.get(ref=result.ref).last_request_seq == 1


def test_figures_travel_as_text(world: DeskWorld) -> None:
    capture(world)
    body = json.loads(client_of(world.dealer).get("/desk/rows.json").content)
    row = dict(zip(body["columns"], body["rows"][0], strict=True))
    assert (row["qty"], row["price"], row["leaves"], row["avg"]) == ("1000", "72.5", "1000", None)
    assert (row["side"], row["type"], row["tif"], row["status"]) == ("BUY", "LMT", "DAY", "Released")


def test_the_snapshot_costs_the_same_for_one_order_and_for_many(world: DeskWorld) -> None:
    client = client_of(world.dealer)
    capture(world)
    client.get("/desk/rows.json")  # that somebody came is noted once a day
    with CaptureQueriesContext(connection) as one:
        client.get("/desk/rows.json")
    for _ in range(5):
        capture(world)
    with CaptureQueriesContext(connection) as many:
        client.get("/desk/rows.json")
    assert len(one) == len(many)


def test_a_preview_writes_nothing_and_says_the_order(world: DeskWorld) -> None:
    answer = client_of(world.dealer).post("/ticket/preview", ticket(world)).content.decode()
    assert "Send BUY 1,000 VOD.L @ 72.50" in answer
    assert ", GBX" in answer
    assert Order.objects.count() == 0


def test_a_preview_of_half_a_ticket_says_what_is_missing(world: DeskWorld) -> None:
    answer = client_of(world.dealer).post("/ticket/preview", ticket(world, qty="", account="")).content.decode()
    assert "Still needed: quantity, account." in answer


def test_the_same_key_is_the_same_order(world: DeskWorld) -> None:
    client, data = client_of(world.dealer), ticket(world)
    first = client.post("/ticket/send", data)
    second = client.post("/ticket/send", data)
    assert (first.status_code, second.status_code) == (200, 200)
    assert Order.objects.count() == 1
    assert "nothing was sent twice" in second.content.decode()
    assert client.post("/ticket/send", data | {"qty": "2,000"}, headers={"HX-Request": "true"}).status_code == 409
    assert Order.objects.count() == 1


def test_a_refused_send_is_kept_and_says_the_rule(world: DeskWorld) -> None:
    answer = client_of(world.dealer).post("/ticket/send", ticket(world, qty="100,001"))
    assert answer.status_code == 422
    assert OrderRequest.objects.get().state == "refused"
    assert "ORDER_QUANTITY_LIMIT" in answer.content.decode()


def test_a_slip_names_its_field_and_keeps_nothing(world: DeskWorld) -> None:
    answer = client_of(world.dealer).post("/ticket/send", ticket(world, qty="many"), headers={"HX-Request": "true"})
    assert answer.status_code == 400
    assert answer.headers["HX-Retarget"] == "#form-error"
    assert "is not a number" in answer.content.decode()
    assert Order.objects.count() == 0


def test_an_order_page_shows_its_whole_life(world: DeskWorld) -> None:
    result = capture(world)
    page = client_of(world.dealer).get(f"/o/{result.ref}").content.decode()
    for text in (
        "Order captured: 1,000 @ 72.5",
        "Released for sending",
        result.cl_ord_id,
        "Nothing has gone to a venue",
    ):
        assert text in page


def test_the_maker_may_not_decide_and_a_stranger_sees_nothing(world: DeskWorld) -> None:
    other = make_desk("EQ2")
    set_price(world.listing, "72.50", at=utc_now() - timedelta(minutes=5))
    result = capture(world)
    assert result.outcome == "pending_authorisation"
    address = f"/approvals/{result.authorisation_id}"
    data = {"verdict": "approve", "payload_hash": "x"}
    assert client_of(world.dealer).post(f"{address}/decide", data).status_code == 403
    assert client_of(other.checker).get(address).status_code == 404
    assert client_of(other.checker).post(f"{address}/decide", data).status_code == 404
    assert Order.objects.get(pk=result.order_id).request_state == "pending_authorisation"
    page = client_of(world.dealer).get(address).content.decode()
    assert "You are the maker" in page


def test_the_approval_of_an_order_without_limit_carries_what_it_was_judged_to_be_worth(world: DeskWorld) -> None:
    set_price(world.listing, "72.50", at=utc_now() - timedelta(minutes=5))
    result = capture(world, ord_type=OrdType.MARKET, price=None)
    assert result.outcome == "pending_authorisation"
    judged = next(answer for answer in result.checks if answer.code == "ORDER_NOTIONAL_LIMIT").facts["notional"]
    page = client_of(world.checker).get(f"/approvals/{result.authorisation_id}").content.decode()
    assert f"Approve: 1,000 at market, about {grouped(judged, 2)} GBP" in page


def test_any_identifier_finds_the_order(world: DeskWorld) -> None:
    other = make_desk("EQ2")
    result = capture(world, client_order_id="PMS-77")
    client = client_of(world.dealer)
    pasted = f"8=FIX.4.4|35=8|11={result.cl_ord_id}|17=X1|"
    for query in (result.ref, result.ref.lower(), str(result.order_id), result.cl_ord_id, "PMS-77", pasted):
        assert client.get("/search", {"q": query}).headers.get("Location") == f"/o/{result.ref}", query
    listed = client.get("/search", {"q": world.account.code})
    assert listed.status_code == 200
    assert result.ref in listed.content.decode()
    assert result.ref not in client_of(other.dealer).get("/search", {"q": world.account.code}).content.decode()
    assert client_of(other.dealer).get("/search", {"q": result.cl_ord_id}).status_code == 200


def test_preferences_are_kept_or_refused_whole(world: DeskWorld) -> None:
    client = client_of(world.dealer)
    good = {"theme": "dark", "density": "dense", "time_zone": "Asia/Tokyo"}
    assert client.post("/preferences", good).status_code == 302
    assert client.post("/preferences", good | {"theme": "pink"}).status_code == 400
    user = User.objects.get(pk=world.dealer.user_id)
    assert (user.theme, user.density, user.time_zone) == ("dark", "dense", "Asia/Tokyo")
    page = client.get("/desk").content.decode()
    assert 'data-theme="dark" data-density="dense"' in page
    assert "JST" in page


def test_health_pages_need_no_sign_in() -> None:
    assert Client().get("/healthz").content == b"ok"
    assert Client().get("/readyz").json()["database"] is True
