"""Rules of reconciliation change by two people, a version at a time, with what that does to open breaks said before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authorisation.models import AuthorisationRequest
from authorisation.selectors.requests import facts_of
from authorisation.services.decide_request import Decided
from journal.models import Event
from kernel.errors import OmsError
from operations.selectors.break_effects import describe_break_repair, describe_recon_rules
from reconciliation.models import BreakPolicy
from reconciliation.selectors.rules import list_policies, write_off_limit
from reconciliation.services._repairing import Asked
from reconciliation.services.ask_rule_change import ask_rule_change
from reconciliation.services.decide_recon_rules import decide_recon_rules
from reconciliation.services.settle_policies import settle_policies
from tests.factories import AT
from tests.factories.breaks import Repairing, make_break, their_fill
from tests.factories.trading import Desk
from tests.integration.reconciliation.test_repairs import cash_break, missing_fill

pytestmark = pytest.mark.django_db
NOTHING = {
    "kind": "executions",
    "category": "missing_internal",
    "effect": "nothing",
    "above": "0",
    "escalate_after_s": "60",
}
WRITE_OFF = {"kind": "cash", "source": "", "field": "write_off", "currency": "GBP", "amount": "5"}


@pytest.fixture
def house() -> Repairing:
    return Repairing(Desk())


def ask(house: Repairing, rule: str, said: dict[str, str], *, key: str = "r") -> Asked:
    return ask_rule_change(
        actor=house.maker,
        at=AT,
        idempotency_key=key,
        route="rules",
        rule=rule,
        said=said,
        reason="Agreed with the broker",
    )


def decide(house: Repairing, asked: Asked, **changes: Any) -> Decided:
    row = AuthorisationRequest.objects.get(id=str(asked.authorisation_id))
    values: dict[str, Any] = {"actor": house.checker, "verdict": "approve"} | changes
    return decide_recon_rules(
        at=AT, authorisation_id=row.id, reason_code="OTHER", reason="ok", payload_hash=row.payload_hash, **values
    )


def test_a_policy_becomes_the_next_version_and_breaks_follow_it(house: Repairing) -> None:
    missing_fill(house)
    settle_policies(at=AT)
    asked = ask(house, "policy", NOTHING)
    row = AuthorisationRequest.objects.get()
    effect = describe_recon_rules(house.checker, facts_of(row), AT)
    assert [(line.label, line.then) for line in effect.lines] == [("Open breaks that would stop nothing any more", "1")]
    assert [(line.label, line.now, line.then) for line in effect.fields if line.changes] == [
        ("effect", "block_instrument", "nothing"), ("escalate after s", "900", "60"),
    ]  # fmt: skip
    assert decide(house, asked).outcome == "applied"
    newest = BreakPolicy.objects.get(kind="executions", category="missing_internal", version=2)
    told = Event.objects.get(kind="ReconciliationRuleChanged")
    assert (newest.effect, newest.request_id, newest.event_id) == ("nothing", asked.authorisation_id, told.id)
    assert settle_policies(at=AT).changed == 1
    before = list_policies(at=AT - timedelta(seconds=1))
    assert [one.version for one in before if (one.kind, one.category) == ("executions", "missing_internal")] == [1]


def test_a_lowered_mark_stops_a_write_off_that_was_asked_before(house: Repairing) -> None:
    item = cash_break(house, "100", "90")
    waiting = house.ask(item, "write_off")
    decide(house, ask(house, "tolerance", WRITE_OFF))
    assert str(write_off_limit(kind="cash", source="BANK", currency="GBP")) == "5.00000000"
    assert house.decide(waiting).outcome == "not_applied"


def test_one_change_waits_at_a_time_and_what_stands_is_not_asked(house: Repairing) -> None:
    ask(house, "policy", NOTHING)
    for said, code in (
        (NOTHING, "CHANGE_PENDING"),
        (NOTHING | {"category": "fee", "escalate_after_s": "86400"}, "RULE_UNCHANGED"),
    ):
        with pytest.raises(OmsError) as raised:
            ask(house, "policy", said, key=code)
        assert raised.value.code == code


def test_nobody_decides_on_an_own_change_and_declined_nothing_changes(house: Repairing) -> None:
    asked = ask(house, "policy", NOTHING)
    own = replace(house.maker, rights=frozenset({"work_break", "decide_break"}))
    with pytest.raises(OmsError, check=lambda error: error.code == "SELF_APPROVAL"):
        decide(house, asked, actor=own)
    assert decide(house, asked, verdict="decline").outcome == "declined"
    assert not BreakPolicy.objects.filter(version=2).exists()


def test_a_change_that_another_overtook_is_not_applied(house: Repairing) -> None:
    asked = ask(house, "policy", NOTHING)
    row = BreakPolicy.objects.get(kind="executions", category="missing_internal")
    row.pk, row.version = None, 2
    row.save()
    assert decide(house, asked).outcome == "not_applied"


def test_the_checker_of_a_repair_reads_evidence_effect_and_obstacle(house: Repairing) -> None:
    order = house.working()
    item = make_break(order, theirs=their_fill(order))
    settle_policies(at=AT)
    house.ask(item, "book_execution")
    row = AuthorisationRequest.objects.get()
    effect = describe_break_repair(house.checker, facts_of(row), AT)
    assert [(line.label, line.now, line.then) for line in effect.lines][:2] == [
        (f"{order.ref} executed", "0", "100"), ("Break", "open", "closed"),
    ]  # fmt: skip
    assert (effect.obstacle, "fills.csv, line 2" in effect.warnings[0]) == ("", True)
    house.desk.say(order, "F", "1", exec_id="X900", t38=1000, t32=100, t31="72.5", t14=100, t151=900)
    assert "already" in describe_break_repair(house.checker, facts_of(row), AT).obstacle
