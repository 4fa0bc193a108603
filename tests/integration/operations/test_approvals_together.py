"""Several approved together, each held to what was shown; and the digest that counts what people decided."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from authorisation.models import AuthorisationRequest, Decision
from journal.models import Event
from kernel.clock import utc_now
from operations.selectors.approval_digest import get_digest
from operations.services.decide_many import MOST
from orders.domain.results import CaptureResult
from orders.models import Order
from orders.services.lapse_order_requests import lapse_order_requests
from risk.models import Limit
from tests.factories import DeskWorld, make_desk, make_principal, set_price
from tests.factories.approvals import decide_as_shown
from tests.integration.operations.test_approvals import Api, another, client_of, held, row, text
from tests.integration.operations.test_approvals import world as world

pytestmark = pytest.mark.django_db
_HIDDEN = re.compile(r'name="(item|kind|request_id)" value="([^"]*)"')


def asked(world: DeskWorld, *results: CaptureResult) -> tuple[str, dict[str, list[str]]]:
    ids = ",".join(str(result.authorisation_id) for result in results)
    page = text(client_of(world.checker), f"/approvals/together?ids={ids}")
    fields: dict[str, list[str]] = {}
    for name, value in _HIDDEN.findall(page):
        fields.setdefault(name, []).append(value)
    return page, fields


def states(*results: CaptureResult) -> list[str]:
    return [row(result).state for result in results]


def test_together_with_the_sum_the_count_typed_and_an_outcome_each(world: DeskWorld) -> None:
    two = held(world), held(world, order_qty=Decimal(70_000))
    page, fields = asked(world, *two)
    assert "94,250.00 GBP" in page
    client = client_of(world.checker)
    assert client.post("/approvals/together", {**fields, "count": "1"}).status_code == 400
    assert states(*two) == ["pending", "pending"]
    done = client.post("/approvals/together", {**fields, "count": "2", "reason": "Reviewed at the meeting"})
    assert "2 of 2 approved" in done.content.decode()
    assert states(*two) == ["approved", "approved"]
    notes = set(Decision.objects.values_list("reason", flat=True))
    assert notes == {f"Reviewed at the meeting (one of 2 approved together, request {fields['request_id'][0]})"}
    again = client.post("/approvals/together", {**fields, "count": "2"}).content.decode()
    assert "0 of 2 approved" in again
    assert Decision.objects.count() == 2


def test_what_moved_or_is_not_green_is_left_and_says_why(world: DeskWorld) -> None:
    moved, good = held(world), held(world, order_qty=Decimal(55_000))
    _, fields = asked(world, moved, good)
    Limit.objects.filter(kind="order_qty").update(hard=Decimal(56_000))
    page, _ = asked(world, moved, good)
    assert "Left out: 1" in page
    done = client_of(world.checker).post("/approvals/together", {**fields, "count": "2"}).content.decode()
    assert "1 of 2 approved" in done
    assert "It is not as you were shown" in done
    assert states(moved, good) == ["pending", "approved"]
    assert Order.objects.get(pk=moved.order_id).request_state == "pending_authorisation"


def test_nobody_approves_their_own_or_what_they_do_not_see_together(world: DeskWorld) -> None:
    result, other = held(world), make_desk("EQ2")
    _, fields = asked(world, result)
    for actor in (world.dealer, other.checker):
        done = client_of(actor).post("/approvals/together", {**fields, "count": "1"})
        assert "0 of 1 approved" in done.content.decode()
    assert "Approve 0 together" in text(client_of(world.dealer), f"/approvals/together?ids={result.authorisation_id}")
    assert states(result) == ["pending"]


def test_by_api_an_outcome_each_under_one_request(world: DeskWorld) -> None:
    two, api = (held(world), held(world, order_qty=Decimal(70_000))), Api(world.checker)
    items = []
    for result in two:
        item = api("get", f"/{result.authorisation_id}")[1]
        items.append({"id": item["id"], "payload_hash": item["payload_hash"], "shown": item["shown"]})
    items[1]["payload_hash"] = "0" * 64
    status, done = api("post", "/together", {"kind": "order_request", "items": items})
    assert (status, [one["outcome"] for one in done["outcomes"]]) == (200, ["applied", "left"])
    assert states(*two) == ["approved", "pending"]
    status, refused = api("post", "/together", {"kind": "order_request", "items": items * MOST})
    assert (status, refused["code"]) == (400, "BODY_INVALID")
    status, refused = api("post", "/together", {"kind": "order_request", "items": [items[1], items[1]]})
    assert (status, refused["code"]) == (400, "MANY_INVALID")


def test_the_digest_counts_decisions_overrides_lapses_and_attempts(world: DeskWorld) -> None:
    approved, declined, lapsed = held(world), held(world), held(world)
    decide_as_shown(client_of(world.checker), row(approved).pk)
    second = another(world)
    decide_as_shown(client_of(second), row(declined).pk, "decline", reason_code="PRICE", reason="Too far")
    assert decide_as_shown(client_of(world.dealer), row(lapsed).pk).status_code == 403
    AuthorisationRequest.objects.filter(pk=row(lapsed).pk).update(expires_at=utc_now())
    assert lapse_order_requests(at=utc_now()) == 1
    assert Event.objects.filter(kind="SelfApprovalRefused").count() == 1
    auditor = make_principal(
        "auditor", role="auditor", rights=("search_audit",), desks=(world.desk,), groups=(world.group,), trades=False,
        persona="auditor",
    )  # fmt: skip
    at = utc_now()
    found = get_digest(actor=auditor, since=at - timedelta(days=1), until=at)
    said = {(one.person, one.approved, one.declined, one.overrides) for one in found.people}
    assert said == {(world.checker.username, 1, 0, 1), (second.username, 0, 1, 0)}
    assert found.lapsed == (("Order release", 1),)
    assert found.self_approvals == ((world.dealer.username, 1),)
    assert [(day.approved, day.declined, day.lapsed) for day in found.days] == [(1, 1, 1)]
    client = client_of(auditor)
    assert "Attempts blocked" in text(client, "/approvals/digest?days=1")
    for form in ("csv", "pdf"):
        assert client.get(f"/approvals/digest?days=1&form={form}").status_code == 200
    assert client_of(world.checker).get("/approvals/digest").status_code == 403
    assert client.get("/approvals/digest?days=2").status_code == 400


def test_the_digest_leaves_out_what_the_reader_may_not_see(world: DeskWorld) -> None:
    result, other = held(world), make_desk("EQ2")
    set_price(other.listing, "72.50", at=utc_now())
    decide_as_shown(client_of(world.checker), row(result).pk)
    decide_as_shown(client_of(world.dealer), row(held(world)).pk)
    stranger = make_principal(
        "stranger", role="stranger", rights=("search_audit",), desks=(other.desk,), groups=(), trades=False,
        persona="auditor",
    )  # fmt: skip
    at = utc_now()
    found = get_digest(actor=stranger, since=at - timedelta(days=1), until=at)
    assert (found.people, found.lapsed, found.self_approvals) == ((), (), ())
