"""``/sync/gates`` and ``/api/v1/gate-overrides``: what stands, the form and its reasons, two people, one answer for one key."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from authorisation.domain.principal import Principal, process_principal
from authorisation.models import AuthorisationRequest, User
from kernel.clock import utc_now
from operations.approving import KINDS
from operations.selectors.frame import get_frame_status
from risk.models import Waiver
from risk.services.impose_block import impose_block
from tests.factories import DeskWorld, make_desk, make_principal
from tests.factories.doors import issue_token
from tests.factories.feeds import make_feed

pytestmark = pytest.mark.django_db
SAID = {"feed": "BANK-CASH", "reason": "The bank is down.", "evidence": "By phone, rec 7."}


@pytest.fixture
def world() -> DeskWorld:
    world = make_desk()
    make_feed()
    return world


def shut() -> None:
    actor = process_principal("start_of_day")
    impose_block(
        actor=actor, at=utc_now(), scope="firm", scope_id="", source="start_of_day:BANK-CASH", reason="It is late."
    )


def keeper(world: DeskWorld, name: str, *rights: str) -> Principal:
    return make_principal(name, role=name, rights=rights, desks=(world.desk,), groups=(world.group,), trades=False)


def client_of(who: Principal) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=who.user_id))
    return client


def drawn(client: Client, path: str = "/sync/gates") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return str(answer.content.decode())


def approve(who: Principal) -> None:
    request = AuthorisationRequest.objects.get(state="pending")
    KINDS["gate_override"].decide(
        actor=who, at=utc_now(), authorisation_id=request.id, verdict="approve", reason_code="", reason="",
        payload_hash=request.payload_hash,
    )  # fmt: skip


def test_a_gate_is_asked_for_shown_and_shut_again(world: DeskWorld) -> None:
    one, other = keeper(world, "keeper", "work_break"), keeper(world, "second", "decide_break")
    client, second = client_of(one), client_of(other)
    assert "No gate is shut." in drawn(client)
    shut()
    assert ("It is late." in drawn(client), "may not ask to open a gate" in drawn(second)) == (True, True)
    for wrong in ({"reason": ""}, {"account": "NOBODY"}, {"feed": "X"}, {"until": "2020-01-01T00:00"}):
        assert client.post("/sync/gates/ask", {**SAID, **wrong}).status_code == 400
    assert second.post("/sync/gates/ask", SAID).status_code == 403
    assert client.post("/sync/gates/ask", {**SAID, "account": world.account.code}).status_code == 302
    request = AuthorisationRequest.objects.get()
    assert f"id={request.id}" in drawn(client)
    item = drawn(second, f"/approvals/{request.id}")
    assert ("Evidence: By phone, rec 7." in item, "Why the gate is shut: It is late." in item) == (True, True)
    approve(other)
    assert f"opened for {world.account.code}" in drawn(client, "/sync?part=1")
    assert "Two people let 1 accounts trade." in get_frame_status(actor=one, at=utc_now()).banners[0].sentence
    assert "second</td>" in drawn(client)
    waiver = Waiver.objects.get()
    address = f"/sync/gates/{waiver.id}/withdraw"
    assert second.post(address, {"reason": ""}).status_code == 400
    assert second.post(address, {"reason": "Not any more."}).status_code == 302
    assert "Withdrawn: Not any more." in drawn(client)


def test_by_key_it_is_asked_once(world: DeskWorld) -> None:
    one, other = keeper(world, "keeper", "work_break"), keeper(world, "second", "decide_break")
    issue_token(one, "oms_keeper")
    shut()

    def call(path: str, body: dict[str, Any] | None = None, key: str = "k1") -> Any:
        headers = {"Authorization": "Bearer oms_keeper"}
        if body is None:
            return Client().get(f"/api/v1/{path}", headers=headers)
        headers["Idempotency-Key"] = key
        return Client().post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)

    first, again = call("gate-overrides", SAID), call("gate-overrides", SAID)
    assert (first.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (202, first.json(), "true")
    assert call("gate-overrides", SAID, "k2").json()["code"] == "DECISION_PENDING"
    assert call("gate-overrides", {**SAID, "more": 1}, "k3").status_code == 400
    approve(other)
    (told,) = call("gate-overrides").json()["overrides"]
    assert "Two people let every account trade until" in get_frame_status(actor=one, at=utc_now()).banners[0].sentence
    assert (told["account"], told["asked_by"], told["granted_by"], told["ended_at"]) == (
        "", one.actor, other.actor, None,
    )  # fmt: skip
    ended = call(f"gate-overrides/{told['id']}/withdraw", {"reason": "Back."}, "k4")
    assert (ended.status_code, ended.json()["ended_reason"]) == (200, "Withdrawn: Back.")


def test_terms_of_a_feed_are_read_and_asked_for_by_key(world: DeskWorld) -> None:
    issue_token(keeper(world, "keeper", "work_break"), "oms_keeper")
    headers = {"Authorization": "Bearer oms_keeper", "Idempotency-Key": "f1"}

    def post(body: dict[str, Any], key: str) -> Any:
        told = headers | {"Idempotency-Key": key}
        return Client().post("/api/v1/feeds", body, content_type="application/json", headers=told)

    (told,) = Client().get("/api/v1/feeds", headers=headers).json()["feeds"]
    assert (told["code"], told["version"], told["terms"]["due"], told["waiting"]) == ("BANK-CASH", 0, "06:30", None)
    asked = {"code": "BANK-CASH", "reason": "They moved.", "terms": {**told["terms"], "due": "07:00"}}
    first, again = post(asked, "f1"), post(asked, "f1")
    assert (first.status_code, again.json()) == (202, first.json())
    assert post(asked, "f2").json()["code"] == "CHANGE_PENDING"
    for wrong in ({"due": "x"}, {"more": "x"}):
        assert post({**asked, "terms": {**told["terms"], **wrong}}, "f3").status_code == 400
    assert post({**asked, "terms": {"due": "07:00"}}, "f4").status_code == 400
    (waits,) = Client().get("/api/v1/feeds", headers=headers).json()["feeds"]
    assert waits["waiting"] == first.json()["authorisation_id"]
