"""Webhooks on screen: asked, approved by another, given a secret, run, worked; and what each role is shown."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest, User
from kernel.clock import utc_now
from kernel.ids import new_id
from outbound.models import DeliveryAttempt, HeldDelivery, Subscription
from tests.factories import make_desk
from tests.factories.webhooks import Hooks, make_hooks

pytestmark = pytest.mark.django_db

URL = "https://hooks.example.com/oms"


@pytest.fixture
def hooks() -> Hooks:
    return make_hooks(make_desk("EQ1"))


def as_(actor: Principal) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id), backend="django.contrib.auth.backends.ModelBackend")
    return client


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_asked_approved_given_a_secret_and_run_on_screen(hooks: Hooks) -> None:
    admin, compliance = as_(hooks.administrator), as_(hooks.compliance)
    form = {
        "name": "warehouse",
        "url": URL,
        "user": "pms",
        "desks": "EQ1",
        "kinds": "order.reported",
        "reason": "Needed.",
    }
    assert admin.post("/admin/webhooks/ask", form).status_code == 302
    request = AuthorisationRequest.objects.get()
    shown = text_of(compliance.get(f"/approvals/{request.pk}", headers={"HX-Request": "true"}))
    for said in (URL, "pms", "EQ1", "order.reported", "cannot be taken back"):
        assert said in shown, said
    hooks.decide(request.pk)
    made = Subscription.objects.get()
    page = f"/admin/webhooks/{made.pk}"
    assert "no secret yet" in text_of(admin.get(page))
    issued = text_of(admin.post(f"{page}/secret"))
    secret = made.secrets.get()
    assert str(secret.pk) in issued
    found = re.search(r"Secret</th><td class=\"mono\">([A-Za-z0-9_-]{43})<", issued)
    assert found is not None
    assert found[1] not in text_of(admin.get(page)), "shown once"
    assert admin.post(f"{page}/resume", {"reason": "Go."}).status_code == 302
    made.refresh_from_db()
    assert made.state == "active"
    for what, state in (("pause", "paused"), ("end", "ended")):
        assert admin.post(f"{page}/{what}", {"reason": "So."}).status_code == 302
        made.refresh_from_db()
        assert made.state == state


def test_what_is_typed_wrongly_is_told_in_place(hooks: Hooks) -> None:
    admin = as_(hooks.administrator)
    form = {"name": "warehouse", "url": "http://169.254.169.254/", "user": "nobody", "desks": "XX", "reason": ""}
    answer = admin.post("/admin/webhooks/ask", form, headers={"HX-Request": "true"})
    assert (answer.status_code, "no such desk" in text_of(answer)) == (400, True)
    answer = admin.post("/admin/webhooks/ask", form | {"desks": []}, headers={"HX-Request": "true"})
    for name in ("url", "user", "reason"):
        assert f"{name}:" in text_of(answer), name


def test_each_role_sees_what_it_may_do(hooks: Hooks) -> None:
    made, _ = hooks.subscribe(URL)
    page = f"/admin/webhooks/{made.pk}"
    admin, ops, compliance = (
        text_of(as_(one).get(page)) for one in (hooks.administrator, hooks.operator, hooks.compliance)
    )
    assert "Make a secret" in admin
    assert "Make a secret" not in ops + compliance
    assert "Stop sending to warehouse" in ops
    assert "Your role looks on" in compliance
    assert as_(hooks.world.dealer).get(page).status_code == 403
    assert as_(hooks.compliance).post(f"{page}/pause", {"reason": "x"}).status_code == 403
    assert as_(hooks.operator).post(f"{page}/end", {"reason": "x"}).status_code == 403
    assert as_(hooks.operator).post(f"{page}/nonsense").status_code == 404
    assert as_(hooks.operator).get(f"/admin/webhooks/{new_id()}").status_code == 404


def tried(made: Subscription, outcome: str, **more: Any) -> DeliveryAttempt:
    values = {
        "subscription": made, "position": 7, "event_id": new_id(), "stream": f"order:{new_id()}", "kind": "order.reported",
        "attempt": 1, "tried_at": utc_now(), "outcome": outcome, "ms": 12, "status": 200,
    }  # fmt: skip
    return DeliveryAttempt.objects.create(**(values | more))


def held(made: Subscription, state: str) -> HeldDelivery:
    return HeldDelivery.objects.create(
        subscription=made, position=7, event_id=new_id(), stream="order:x", kind="order.reported", state=state,
        attempts=8, due_at=utc_now() + timedelta(hours=1), held_at=utc_now(), last_error="STATUS_422",
    )  # fmt: skip


def test_health_and_tries_are_shown_and_filtered(hooks: Hooks) -> None:
    made, _ = hooks.subscribe(URL)
    good, bad = tried(made, "arrived"), tried(made, "failed", status=None, error="TIMED_OUT", kind="order.captured")
    held(made, "waiting")
    held(made, "dead")
    Subscription.objects.update(failures=6, failing_since=utc_now(), last_error="TIMED_OUT")
    ops = as_(hooks.operator)
    assert "takes nothing" in text_of(ops.get("/admin/webhooks"))
    page = f"/admin/webhooks/{made.pk}"
    for query, there in (
        ("", {good, bad}),
        ("?outcome=failed", {bad}),
        ("?kind=order.reported", {good}),
        (f"?about={good.event_id}", {good}),
        (f"?about={bad.stream}", {bad}),
        (f"?before={bad.pk}", {good}),
    ):
        shown = text_of(ops.get(page + query))
        assert {one for one in (good, bad) if str(one.event_id) in shown} == there, query
    assert ops.get(f"{page}?before=x").status_code == 400
    assert ops.post(f"{page}/drop", {"reason": "They know."}).status_code == 302
    assert HeldDelivery.objects.filter(state="dead").count() == 0


@pytest.mark.parametrize(
    "form", [{"which": "ids", "events": "x"}, {"which": "range", "after": "-1"}, {"which": "dead"}, {}]
)
def test_a_replay_of_nothing_is_told(hooks: Hooks, form: dict[str, str]) -> None:
    made, _ = hooks.subscribe(URL)
    assert as_(hooks.operator).post(f"/admin/webhooks/{made.pk}/replay", form).status_code == 400


def test_a_page_costs_the_same_however_much_there_is(hooks: Hooks) -> None:
    made, _ = hooks.subscribe(URL)
    ops, counts = as_(hooks.operator), []
    ops.get(f"/admin/webhooks/{made.pk}")  # what is kept in the process is kept now
    for number in (1, 40):
        for _ in range(number):
            tried(made, "arrived")
            held(made, "dead")
        with CaptureQueriesContext(connection) as queries:
            ops.get(f"/admin/webhooks/{made.pk}")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20
