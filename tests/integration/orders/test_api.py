"""The order API as a partner meets it: answers, refusals, keys, and that a refusal changes nothing."""

from __future__ import annotations

import hashlib
import json
import threading
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.test import Client

from authorisation.models import ApiKey, User
from journal.models import Event
from kernel.clock import utc_now
from kernel.ids import new_id
from orders.models import Order, OrderRequest
from orders.services._answers import content_hash, terms_content
from orders.services.record_hand_over import record_hand_over
from risk.models import Limit
from tests.factories import DeskWorld, make_desk, make_principal, set_price, terms, trading_off

pytestmark = pytest.mark.django_db
TOKEN = "oms_test-token"


def issue_token(user_id: int, token: str = TOKEN) -> None:
    ApiKey.objects.create(
        id=new_id(),
        user_id=user_id,
        name="test",
        prefix=token[:8],
        digest=hashlib.sha256(token.encode()).hexdigest(),
        created_at=utc_now(),
    )


@pytest.fixture
def world() -> DeskWorld:
    return fresh_world()


def fresh_world() -> DeskWorld:
    world = make_desk()
    set_price(world.listing, "72.50", at=utc_now())
    Limit.objects.filter(kind="price_age").update(warn=Decimal(600))
    issue_token(world.dealer.user_id)
    return world


def body(world: DeskWorld, **changes: Any) -> dict[str, Any]:
    values = {
        "account": world.account.code,
        "symbol": world.listing.symbol,
        "side": "buy",
        "ord_type": "limit",
        "order_qty": "1000",
        "price": "72.50",
    }
    return {**values, **changes}


def post(path: str, data: Any, *, key: str | None = "k1", token: str = TOKEN, raw: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    if key is not None:
        headers["Idempotency-Key"] = key
    content = raw if raw is not None else json.dumps(data)
    return Client().post(f"/api/v1{path}", content, content_type="application/json", headers=headers)


def get(path: str, token: str = TOKEN) -> Any:
    return Client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})


def test_an_order_is_released_and_can_be_read(world: DeskWorld) -> None:
    answer = post("/orders", body(world, client_order_id="pms-1"))
    assert answer.status_code == 201
    assert answer.json()["outcome"] == "released"
    read = get(f"/orders/{answer.json()['order_id']}").json()
    assert (read["ref"], read["order_qty"], read["price"], read["price_unit"]) == (
        answer.json()["ref"],
        "1000",
        "72.5",
        "GBX",
    )
    assert read["ord_status"] is None
    assert read["client_order_id"] == "pms-1"
    assert [row["ref"] for row in get("/orders?open=true").json()["orders"]] == [read["ref"]]


def test_the_same_key_and_body_give_the_same_answer(world: DeskWorld) -> None:
    first, second = post("/orders", body(world)), post("/orders", body(world))
    assert first.json() == second.json()
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert Order.objects.count() == 1


def test_the_same_key_with_another_body_is_a_conflict(world: DeskWorld) -> None:
    post("/orders", body(world))
    events = Event.objects.count()
    answer = post("/orders", body(world, order_qty="1001"))
    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert (Order.objects.count(), Event.objects.count()) == (1, events)


def test_a_refusal_by_checks_is_kept_and_answered_with_its_id(world: DeskWorld) -> None:
    answer = post("/orders", body(world, order_qty="200000"))
    assert answer.status_code == 422
    assert answer.json()["code"] == "ORDER_REFUSED"
    request = OrderRequest.objects.get(id=answer.json()["request_id"])
    assert request.state == "refused"
    assert "refuse" in {check["verdict"] for check in answer.json()["checks"]}
    assert not Order.objects.get().is_open


def test_above_the_warning_it_waits_for_a_second_person(world: DeskWorld) -> None:
    answer = post("/orders", body(world, order_qty="60000"))
    assert answer.status_code == 202
    assert answer.json()["outcome"] == "pending_authorisation"
    assert answer.json()["authorisation_id"]


def test_trading_off_refuses_all(world: DeskWorld) -> None:
    trading_off()
    assert post("/orders", body(world)).status_code == 422


@pytest.mark.parametrize(
    ("change", "outcome"),
    [({}, "released"), ({"order_qty": "60000"}, "pending_authorisation"), ({"order_qty": "200000"}, "refused")],
)
def test_a_dry_run_shows_every_check_and_keeps_nothing(world: DeskWorld, change: dict[str, Any], outcome: str) -> None:
    events = Event.objects.count()
    answer = post("/orders?dry_run=true", body(world, **change), key=None)
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert (shown["dry_run"], shown["outcome"]) == (True, outcome)
    assert (Order.objects.count(), OrderRequest.objects.count(), Event.objects.count()) == (0, 0, events)
    sent = post("/orders", body(world, **change)).json()
    assert sent["outcome"] == outcome
    assert [check["code"] for check in shown["checks"]] == [check["code"] for check in sent["checks"]]


def test_a_dry_run_says_what_an_order_costs(world: DeskWorld) -> None:
    shown = post("/orders?dry_run=true", body(world), key=None).json()
    assert shown["value"] == {"currency": "GBP", "amount": "725"}
    before, after = Decimal(shown["cash_before"]["amount"]), Decimal(shown["cash_after"]["amount"])
    assert before - after == Decimal(725) + Decimal(shown["fees"]["amount"])
    assert (shown["position_before"], shown["position_after"]) != (None, shown["position_before"])


@pytest.mark.parametrize(
    "query", ["dry_run=yes", "dry_run=", "dry_run=True", "dryrun=true", "dry_run=true&dry_run=false"]
)
def test_what_is_no_dry_run_is_no_order_either(world: DeskWorld, query: str) -> None:
    answer = post(f"/orders?{query}", body(world))
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAMETERS_INVALID")
    assert Order.objects.count() == 0


@pytest.mark.parametrize("path", ["/orders/batch", "/orders/{}/cancel", "/orders/{}/replace", "/stops"])
def test_where_there_is_no_dry_run_it_is_not_done_in_earnest(world: DeskWorld, path: str) -> None:
    order_id = post("/orders", body(world)).json()["order_id"]
    events = Event.objects.count()
    answer = post(path.format(order_id) + "?dry_run=true", {"reason": "x"}, key="k2")
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAMETERS_INVALID")
    assert Event.objects.count() == events


def test_the_ticket_says_who_gave_entered_and_answers_for_it(world: DeskWorld) -> None:
    told = {
        "instructed_at": "2026-11-20T09:30:00Z",
        "instructed_by": "Mr Fox, Alpha Pension",
        "discretion": "price_and_time",
        "capacity": "P",
    }
    order_id = post("/orders", body(world, **told)).json()["order_id"]
    read = get(f"/orders/{order_id}").json()
    assert read["ticket"] == {
        "instructed_at": "2026-11-20T09:30:00.000000Z",
        "instructed_by": "Mr Fox, Alpha Pension",
        "entered_at": read["entered_at"],
        "entered_by": world.dealer.username,
        "responsible": world.dealer.username,
        "source": "api",
        "capacity": "P",
        "discretion": "price_and_time",
    }
    captured = Event.objects.get(stream=f"order:{order_id}", kind="OrderCaptured").payload
    assert (captured["instructed_by"], captured["discretion"]) == ("Mr Fox, Alpha Pension", "price_and_time")
    assert captured["responsible_id"] == world.dealer.user_id


def test_every_version_of_an_order_can_be_read(world: DeskWorld) -> None:
    placed = post("/orders", body(world)).json()
    record_hand_over(request_ids=[UUID(placed["request_id"])], at=utc_now())
    post(f"/orders/{placed['order_id']}/replace", {"order_qty": "800"}, key="k2")
    versions = get(f"/orders/{placed['order_id']}").json()["versions"]
    assert [(one["seq"], one["kind"], one["terms"]["order_qty"]) for one in versions] == [
        (1, "new", "1000"),
        (2, "replace", "800"),
    ]
    assert versions[0]["request_id"] == placed["request_id"]
    assert {one["asked_by"] for one in versions} == {f"key:{ApiKey.objects.get().pk}"}


@pytest.mark.parametrize(
    ("change", "field"), [({"discretion": "all"}, "discretion"), ({"instructed_by": "x" * 81}, "instructed_by")]
)
def test_a_ticket_is_told_in_the_words_of_the_house(world: DeskWorld, change: dict[str, Any], field: str) -> None:
    answer = post("/orders", body(world, **change))
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


def test_a_key_of_before_the_ticket_grew_still_finds_its_answer(world: DeskWorld) -> None:
    plain, told = (content_hash(terms(world, **more), ()) for more in ({}, {"instructed_by": "x"}))
    assert not {"instructed_by", "discretion"} & set(terms_content(terms(world)))
    assert plain != told


def test_nobody_answers_for_a_service_account_until_somebody_is_named(world: DeskWorld) -> None:
    service = make_principal(
        "pms", role="service", rights=("enter_order",), desks=(world.desk,), groups=(world.group,), kind="service"
    )
    issue_token(service.user_id, "oms_pms")
    first = post("/orders", body(world), token="oms_pms").json()["order_id"]
    User.objects.filter(pk=service.user_id).update(responsible_id=world.checker.user_id)
    second = post("/orders", body(world, order_qty="900"), key="k2", token="oms_pms").json()["order_id"]
    named = [get(f"/orders/{one}").json()["ticket"]["responsible"] for one in (first, second)]
    assert named == [None, world.checker.username]


BAD_BODIES = [
    ({"order_qty": "-5"}, "order_qty"),
    ({"order_qty": "0"}, "order_qty"),
    ({"order_qty": "NaN"}, "order_qty"),
    ({"order_qty": "1e400"}, "order_qty"),
    ({"order_qty": True}, "order_qty"),
    ({"order_qty": None}, "order_qty"),
    ({"order_qty": [1]}, "order_qty"),
    ({"price": "abc"}, "price"),
    ({"side": "hold"}, "side"),
    ({"ord_type": "peg"}, "ord_type"),
    ({"time_in_force": "gtd"}, "expire_date"),
    ({"unexpected": 1}, "unexpected"),
    ({"account": "NOBODY"}, "account"),
    ({"symbol": "NOSUCH.L"}, "symbol"),
    ({"account": "A" * 25}, "account"),
    ({"account": "AC\u0000C"}, "account"),
]


@pytest.mark.parametrize(("change", "field"), BAD_BODIES)
def test_a_malformed_body_names_the_field_and_keeps_nothing(
    world: DeskWorld, change: dict[str, Any], field: str
) -> None:
    answer = post("/orders", body(world, **change))
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["fields"], answer.json()
    assert (Order.objects.count(), OrderRequest.objects.count()) == (0, 0)


@pytest.mark.parametrize("raw", ["", "{", "[]", '"x"', '{"order_qty": NaN}', '{"a": 1, "a": 2}', "\x00", "[" * 5000])
def test_what_is_no_json_object_is_refused(world: DeskWorld, raw: str) -> None:
    answer = post("/orders", None, raw=raw)
    assert answer.status_code == 400
    assert answer.json()["code"]
    assert Order.objects.count() == 0


@pytest.mark.parametrize("key", [None, "", "x" * 201])
def test_a_key_is_needed(world: DeskWorld, key: str | None) -> None:
    answer = post("/orders", body(world), key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")
    assert Order.objects.count() == 0


def test_json_numbers_keep_their_decimals(world: DeskWorld) -> None:
    answer = post("/orders", None, raw=json.dumps(body(world)).replace('"72.50"', "72.53"))
    assert get(f"/orders/{answer.json()['order_id']}").json()["price"] == "72.53"


def test_no_token_an_unknown_one_and_a_leavers_are_refused_alike(world: DeskWorld) -> None:
    assert Client().get("/api/v1/orders").status_code == 401
    unknown = get("/orders", token="oms_other")
    User.objects.filter(id=world.dealer.user_id).update(is_active=False)
    leaver = get("/orders")
    assert (unknown.status_code, leaver.status_code) == (401, 401)
    assert unknown.json() == leaver.json()


def test_orders_of_another_desk_do_not_exist(world: DeskWorld) -> None:
    order_id = post("/orders", body(world)).json()["order_id"]
    other = make_desk("EQ2")
    issue_token(other.dealer.user_id, "oms_foreign")
    assert get(f"/orders/{order_id}", "oms_foreign").status_code == 404
    assert get("/orders", "oms_foreign").json()["orders"] == []
    refused = post(f"/orders/{order_id}/cancel", {"reason": "x"}, token="oms_foreign", key="c")
    assert refused.status_code == 404
    foreign = post("/orders", body(world), token="oms_foreign")
    assert (foreign.status_code, list(foreign.json()["fields"])) == (400, ["account"])
    assert Order.objects.count() == 1


def test_who_may_not_enter_orders_gets_403(world: DeskWorld) -> None:
    auditor = make_principal("auditor", role="auditor", rights=(), desks=(world.desk,), groups=(world.group,))
    issue_token(auditor.user_id, "oms_auditor")
    assert post("/orders", body(world), token="oms_auditor").status_code == 403
    assert Order.objects.count() == 0


def test_an_unsent_order_is_canceled_at_home(world: DeskWorld) -> None:
    order_id = post("/orders", body(world)).json()["order_id"]
    answer = post(f"/orders/{order_id}/cancel", {"reason": "client called"}, key="c1")
    assert (answer.status_code, answer.json()["outcome"]) == (200, "completed_locally")
    assert get(f"/orders/{order_id}").json()["is_open"] is False


def test_a_batch_judges_each_row(world: DeskWorld) -> None:
    rows = [
        body(world, client_order_id="a"),
        body(world, client_order_id="b", order_qty="-1"),
        body(world, client_order_id="c", symbol="NOSUCH.L"),
        body(world, client_order_id="d", order_qty="200000"),
        body(world, client_order_id="e"),
        body(world),
    ]
    answer = post("/orders/batch", {"orders": rows})
    assert answer.status_code == 200
    outcomes = [(row["client_order_id"], row["outcome"]) for row in answer.json()["orders"]]
    assert outcomes == [
        ("a", "released"),
        ("b", "invalid"),
        ("c", "invalid"),
        ("d", "refused"),
        ("e", "released"),
        ("", "invalid"),
    ]
    again = post("/orders/batch", {"orders": rows}).json()["orders"]
    assert [row.get("order_id") for row in again] == [row.get("order_id") for row in answer.json()["orders"]]
    assert Order.objects.filter(is_open=True).count() == 2


def test_pages_follow_their_cursor(world: DeskWorld) -> None:
    rows = [body(world, client_order_id=f"r{number}", order_qty="1") for number in range(7)]
    post("/orders/batch", {"orders": rows})
    seen: list[str] = []
    cursor = ""
    for expected in (3, 3, 1):
        page = get(f"/orders?limit=3&cursor={cursor}").json()
        assert len(page["orders"]) == expected
        seen += [row["client_order_id"] for row in page["orders"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert seen == [f"r{number}" for number in reversed(range(7))]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=zzz", "open=maybe", "sort=price"])
def test_bad_queries_are_refused(world: DeskWorld, query: str) -> None:
    assert get(f"/orders?{query}").json()["code"] == "PARAMETERS_INVALID"


def test_the_schema_names_every_door(world: DeskWorld) -> None:
    schema = json.loads(get("/schema").content)
    assert {path.rsplit("/api/v1", 1)[1] for path in schema["paths"]} >= {
        "/orders",
        "/orders/batch",
        "/orders/{order_id}",
        "/orders/{order_id}/replace",
        "/orders/{order_id}/cancel",
    }


def test_a_database_that_went_away_is_said_so_and_the_same_key_works_later(
    world: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise OperationalError("terminating connection due to unexpected postmaster exit")

    with monkeypatch.context() as broken:
        broken.setattr("orders.api.views.capture_order", lost)
        answer = post("/orders", body(world))
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "DATABASE_AWAY", "1")
    assert "postmaster" not in answer.content.decode()
    assert (Order.objects.count(), Event.objects.filter(stream__startswith="order:").count()) == (0, 0)
    assert post("/orders", body(world)).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_fifty_equal_requests_at_once_are_one_order() -> None:
    world = fresh_world()
    answers: list[Any] = []

    def send() -> None:
        try:
            answers.append(post("/orders", body(world), key="same"))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["order_id"] for answer in answers}) == 1
    assert (len(answers), Order.objects.count()) == (50, 1)
