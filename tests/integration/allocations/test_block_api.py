"""Programs read blocks, divide them once under their key, and read what each account got."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import TradingAccount
from allocations.models import Allocation
from allocations.services.save_scheme import save_scheme
from authorisation.domain.principal import process_principal
from authorisation.models import AuthorisationRequest, User
from journal.models import Event
from tests.factories import AT, make_desk
from tests.factories.blocks import BlockWorld, block_world
from tests.integration.allocations.test_book_allocation import LINES, intended
from tests.integration.orders.test_api import TOKEN, issue_token, post

pytestmark = pytest.mark.django_db
D = Decimal


def get(path: str) -> Any:
    return Client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {TOKEN}"})


def world_with_key() -> BlockWorld:
    world = block_world()
    user = User.objects.get(pk=world.dealer.user_id)
    user.groups.get(name="dealer").permissions.add(Permission.objects.get(codename="allocate_block"))
    issue_token(user.pk)
    return world


def test_a_block_is_read_divided_once_and_its_lines_are_read() -> None:
    world = world_with_key()
    order = world.traded((400, "72.40"), (600, "72.47"))
    intended(world, order.order_id)
    ref = world.block.ref

    (listed,) = get("/blocks").json()["blocks"]
    assert (listed["ref"], listed["qty"], listed["cash"], listed["state"]) == (ref, "1000", "-724.42", "ready")
    assert get("/blocks?state=booked").json() == {"blocks": []}
    assert get("/blocks?state=late").status_code == 400
    said = get(f"/blocks/{ref}").json()["said"]
    assert (said["method"], said["lines"]) == ("pro_rata", LINES)

    sent = {"method": said["method"], "lines": said["lines"]}
    first, again = post(f"/blocks/{ref}/allocations", sent), post(f"/blocks/{ref}/allocations", sent)
    assert (first.status_code, first.json()["outcome"], first.json()["rounding"]) == (200, "booked", "0.01")
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert post(f"/blocks/{ref}/allocations", {"method": "fixed"}).status_code == 409

    found = get(f"/blocks/{ref}/allocations").json()
    assert [(line["account"], line["qty"], line["net"]) for line in found["allocations"]] == [
        ("C1", "400", "-289.77"), ("C2", "300", "-217.33"), ("C3", "300", "-217.33"), ("ROUND", "0", "0.01"),
    ]  # fmt: skip
    assert get(f"/blocks/{ref}/allocations?after={found['next']}").json() == {
        "allocations": [], "next": found["next"], "more": False,
    }  # fmt: skip

    other = {"method": "pro_rata", "lines": [{"account": "C1", "target": "1000"}], "reason": "C2 and C3 withdrew"}
    asked = post(f"/blocks/{ref}/allocations", other, key="k2")
    assert (asked.status_code, [why["code"] for why in asked.json()["whys"]]) == (
        202, ["NOT_AS_INTENDED", "BOOKED_BEFORE"],
    )  # fmt: skip
    assert get(f"/blocks/{ref}").json()["waiting_for"] == asked.json()["authorisation_id"]
    assert (
        post(f"/blocks/{ref}/allocations", {"method": "pro_rata", "lines": [{"x": "y"}]}, key="k3").status_code == 409
    )


def test_a_block_is_previewed_and_a_parked_share_released_by_programs() -> None:
    world = world_with_key()
    order = world.traded((400, "72.40"), (600, "72.47"))
    intended(world, order.order_id)
    ref, before = world.block.ref, Event.objects.count()

    shown = post(f"/blocks/{ref}/preview", {})
    assert shown.status_code == 200
    body = shown.json()
    assert (body["qty"], body["residual"], body["needs_second_person"], len(body["lines"])) == ("1000", "0.01", [], 3)
    assert body["value"] == body["firm_value"] == {"amount": "724.42", "currency": "GBP"}
    other = {"method": "weights", "lines": [{"account": "C1", "weight": "1"}]}
    differs = post(f"/blocks/{ref}/preview", other).json()
    assert [why["code"] for why in differs["needs_second_person"]] == ["NOT_AS_INTENDED"]
    assert differs["left_out"] == {"C2": "300", "C3": "300"}
    assert post(f"/blocks/{ref}/preview", {"method": "guess", "lines": []}).json()["code"] == "METHOD_UNKNOWN"
    assert post("/blocks/B-99/preview", {}).status_code == 404
    assert Event.objects.count() == before
    assert not Allocation.objects.exists()

    TradingAccount.objects.filter(code="C2").update(state="frozen")
    sent = {"method": "pro_rata", "lines": LINES, "preview": body["digest"]}
    assert post(f"/blocks/{ref}/allocations", sent, key="book").json()["parked"] == 1
    line = Allocation.objects.get(state="parked").ref
    refused = post(f"/blocks/{ref}/release", {"line": line}, key="r1")
    assert (refused.status_code, refused.json()["code"]) == (422, "STILL_PARKED")
    TradingAccount.objects.filter(code="C2").update(state="active")
    assert post("/blocks/B-99/release", {"line": line}, key="r2").status_code == 404
    standing = Allocation.objects.get(account__code="C1", state="booked").ref
    assert post(f"/blocks/{ref}/release", {"line": standing}, key="r3").json()["code"] == "NOT_PARKED"
    first, again = (post(f"/blocks/{ref}/release", {"line": line}, key="r4") for _ in range(2))
    assert (first.status_code, first.json()["state"], first.json()["account"]) == (200, "booked", "C2")
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    world.prove()


def test_schemes_are_read_and_asked_for_by_programs() -> None:
    world = world_with_key()
    sent = {
        "code": "HALVES", "name": "Halves", "desk": world.desk.desk.code, "method": "percentage", "reason": "Agreed",
        "lines": [{"account": "C1", "percent": "50"}, {"account": "C2", "percent": "50"}],
    }  # fmt: skip
    short = [sent["lines"][0], {"account": "C2", "percent": "49"}]
    assert post("/allocation-schemes", sent | {"lines": short}, key="a").json()["code"] == "PERCENT_NOT_100"
    assert post("/allocation-schemes", sent | {"method": "manual"}, key="b").json()["code"] == "SCHEME_INVALID"
    asked, again = (post("/allocation-schemes", sent, key="c") for _ in range(2))
    assert (asked.status_code, again.json()) == (202, asked.json())
    assert get("/allocation-schemes").json() == {"schemes": []}
    request = AuthorisationRequest.objects.get()
    assert str(request.id) == asked.json()["authorisation_id"]
    body = {**request.payload["scheme"]}
    save_scheme(actor=process_principal("test"), at=AT, body=body, request_id=request.id)

    (head,) = get("/allocation-schemes").json()["schemes"]
    assert (head["code"], head["version"], head["accounts"], head["waiting_for"]) == (
        "HALVES", 1, 2, asked.json()["authorisation_id"],
    )  # fmt: skip
    TradingAccount.objects.filter(code="C2").update(group=make_desk("EQ9", symbol="MSFT").group)
    (version,) = get("/allocation-schemes/HALVES").json()["versions"]
    assert (version["lines"], version["hidden_lines"], version["ended"]) == (sent["lines"][:1], 1, False)
    assert get("/allocation-schemes/NONE").status_code == 404
    assert post("/allocation-schemes/HALVES/end", {"reason": "x"}, key="d").json()["code"] == "CHANGE_PENDING"
    order = world.traded((1000, "72.50"))
    intended(world, order.order_id)
    told = get(f"/blocks/{world.block.ref}").json()["said"]
    assert ([line["account"] for line in told["lines"]], told["hidden_lines"]) == (["C1", "C3"], 1)
