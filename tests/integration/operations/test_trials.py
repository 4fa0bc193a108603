"""A draft rule or limit tried on past orders: in slices, only on what its owner may see, and attached to what is asked for."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from authorisation.models import AuthorisationRequest
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted
from operations.models import Trial
from operations.services import run_trial as runner
from operations.services.run_trial import run_trial
from operations.services.start_trial import start_trial
from operations.services.stop_trial import stop_trial
from operations.tasks import work_trial
from orders.models import OrderRequest
from tests.factories import AT, DeskWorld, make_desk
from tests.factories.conduct import RISK_RIGHTS
from tests.integration.operations.test_rules_page import RULE, compliance
from tests.integration.orders.test_conduct import send

pytestmark = pytest.mark.django_db
DRAFT: dict[str, Any] = {
    "code": "NO_LARGE", "scope": "firm", "scope_id": "", "verdict": "refuse", "sentence": "Too large for now.",
    "conditions": [{"fact": "quantity", "op": "above", "values": ["1000"]}],
    "effective_from": AT.isoformat(), "effective_until": None,
}  # fmt: skip
LIMIT: dict[str, Any] = {
    "kind": "order_qty", "scope": "firm", "scope_id": "", "currency": "", "warn": "1000", "hard": "1500",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_trial, "apply_async", lambda *given, **options: None)


@pytest.fixture
def world() -> DeskWorld:
    found = make_desk(cash="1000000")
    for qty in (900, 1000, 1001, 1500, 1501):
        send(found, order_qty=Decimal(qty))
    return found


def tried(world: DeskWorld, about: str = "rule", draft: dict[str, Any] = DRAFT) -> Trial:
    actor = replace(world.dealer, rights=RISK_RIGHTS)
    trial_id = start_trial(actor=actor, at=AT, about=about, draft=draft, name="draft", days=7)
    while run_trial(trial_id=trial_id, at=AT):
        pass
    return Trial.objects.get(id=trial_id)


def counts(trial: Trial) -> tuple[int, ...]:
    """Passed, asked, held, refused, not concerned."""
    words = ("pass", "acknowledge", "authorise", "refuse")
    return (*(trial.sums["answers"][word] for word in words), trial.sums["not_concerned"])


def test_a_rule_says_what_it_would_have_refused_and_for_whom(world: DeskWorld) -> None:
    trial = tried(world)
    assert (trial.state, trial.requests, counts(trial)) == ("done", 5, (0, 0, 0, 3, 2))
    assert trial.sums["worse"] == 3
    assert trial.sums["by"]["account"] == {world.account.code: {"acknowledge": 0, "authorise": 0, "refuse": 3}}
    assert trial.sums["by"]["desk"] == {"EQ1": {"acknowledge": 0, "authorise": 0, "refuse": 3}}
    newest = trial.sums["examples"][0]
    assert (newest["was"], newest["would"], newest["sentence"]) == ("pass", "refuse", "Too large for now.")


def test_a_limit_is_judged_by_its_own_check_at_its_marks(world: DeskWorld) -> None:
    assert counts(tried(world, "limit", LIMIT)) == (2, 0, 2, 1, 0)
    other = LIMIT | {"scope": "account", "scope_id": str(UUID(int=9))}
    assert counts(tried(world, "limit", other)) == (0, 0, 0, 0, 5)
    euros = LIMIT | {"kind": "order_notional", "currency": "EUR"}
    assert counts(tried(world, "limit", euros)) == (0, 0, 0, 0, 5)


def test_what_cannot_be_judged_is_said(world: DeskWorld) -> None:
    OrderRequest.objects.filter(payload__order_qty="900").update(decision=None)
    OrderRequest.objects.filter(payload__order_qty="1000").update(decision={"facts": {"moon": 1}})
    trial = tried(world)
    assert trial.sums["not_judged"] == {"what it saw was not kept": 1, "what it saw was kept by another version": 1}
    counted = LIMIT | {"kind": "open_orders"}
    assert tried(world, "limit", counted).sums["not_judged"]["its scope was not counted then"] == 3
    unknown = DRAFT | {"conditions": [{"fact": "volume_share", "op": "above", "values": ["1"]}]}
    trial = tried(world, draft=unknown)
    assert (counts(trial)[3], "not known" in trial.sums["examples"][0]["sentence"]) == (3, True)


def test_it_is_worked_in_slices_and_a_slice_twice_counts_once(
    world: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "SLICE", 2)
    trial = tried(world)
    assert (trial.requests, counts(trial), trial.complete) == (5, (0, 0, 0, 3, 2), True)
    assert run_trial(trial_id=trial.id, at=AT) is False
    assert Trial.objects.get(id=trial.id).requests == 5
    monkeypatch.setattr(runner, "MOST_REQUESTS", 4)
    trial = tried(world)
    assert (trial.requests, trial.complete) == (4, False)


def test_only_orders_its_owner_may_see_are_tried(world: DeskWorld) -> None:
    other = make_desk("EQ2")
    assert tried(other).requests == 0


def test_who_may_try_how_much_and_whose_it_is(world: DeskWorld) -> None:
    actor = replace(world.dealer, rights=RISK_RIGHTS)
    given: dict[str, Any] = {"at": AT, "about": "rule", "draft": DRAFT, "name": "draft"}
    with pytest.raises(NotPermitted):
        start_trial(actor=world.dealer, days=7, **given)
    for days in (0, 91):
        with pytest.raises(Invalid):
            start_trial(actor=actor, days=days, **given)
    running = [start_trial(actor=actor, days=7, **given) for _ in range(3)]
    with pytest.raises(Conflict):
        start_trial(actor=actor, days=7, **given)
    with pytest.raises(NotFound):
        stop_trial(actor=world.checker, at=AT, trial_id=running[0])
    assert stop_trial(actor=actor, at=AT, trial_id=running[0]).state == "stopped"
    assert run_trial(trial_id=running[0], at=AT) is False
    assert start_trial(actor=actor, days=7, **given)


def test_what_it_found_goes_to_the_second_person_with_the_very_rule_that_was_tried(world: DeskWorld) -> None:
    maker, checker = compliance(world), compliance(world, "checker")
    typed = RULE | {"values_1": "1000", "days": "90", "verdict": "authorise"}
    page = maker.post("/risk/rules/try", typed).content.decode()
    trial = Trial.objects.get()
    assert f'value="{trial.id}"' in page
    run_trial(trial_id=trial.id, at=AT)
    assert "held <b>3</b>" in maker.get(f"/risk/trials/{trial.id}").content.decode()
    assert checker.get(f"/risk/trials/{trial.id}").status_code == 404
    maker.post("/risk/rules/ask", typed | {"trial": str(trial.id)})
    asked = AuthorisationRequest.objects.get(kind="rule_change")
    assert (asked.payload["trial"]["authorise"], asked.payload["trial"]["requests"]) == (3, 5)
    shown = checker.get(f"/approvals/{asked.id}").content.decode()
    assert "Would have been held" in shown
    assert "5 of 5 orders of 90 days" in shown
    checker.post(f"/approvals/{asked.id}/decide", {"verdict": "decline", "reason_code": "OTHER", "reason": "no",
                                                   "payload_hash": asked.payload_hash})  # fmt: skip
    maker.post("/risk/rules/ask", typed | {"trial": str(trial.id), "values_1": "5000"})
    changed = AuthorisationRequest.objects.latest("created_at")
    assert changed.payload["trial"] is None
    assert "not tried" in checker.get(f"/approvals/{changed.id}").content.decode()
