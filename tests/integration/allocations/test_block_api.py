"""Programs read blocks, divide them once under their key, and read what each account got."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from authorisation.models import User
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
