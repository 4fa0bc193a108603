"""Limits change by a second person's word only: applied with version and event, bound to what was asked, for a time, or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import Error

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from authorisation.selectors import facts_of
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted
from operations.selectors.limits import as_tree, describe_limit_change, list_limit_lines
from risk.domain.limit_change import MANDATORY, LimitChange
from risk.models import Limit, LimitUsage
from risk.selectors import get_marks
from risk.services.decide_limit_change import decide_limit_change
from risk.services.request_limit_change import request_limit_change
from tests.factories import AT, DeskWorld, make_desk, make_principal, set_mark

pytestmark = pytest.mark.django_db
D = Decimal
FIRM = LimitChange("firm", "", "open_notional", "GBP", D(800), D(1000), "m.ruiz")


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


@pytest.fixture
def maker(world: DeskWorld) -> Principal:
    return make_principal("asks", role="asks", rights=("ask_risk_change",), desks=(world.desk,), groups=(world.group,))


@pytest.fixture
def checker(world: DeskWorld) -> Principal:
    return make_principal(
        "says", role="risk", rights=("decide_risk_change",), desks=(world.desk,), groups=(world.group,)
    )


def ask(maker: Principal, change: LimitChange = FIRM) -> AuthorisationRequest:
    asked = request_limit_change(actor=maker, at=AT, change=change, reason="Busy day")
    return AuthorisationRequest.objects.get(id=asked.authorisation_id)


def decide(actor: Principal, asked: AuthorisationRequest, verdict: str = "approve", **late: Any) -> Any:
    return decide_limit_change(
        actor=actor, at=AT + timedelta(**late), authorisation_id=asked.id, verdict=verdict, reason_code="OTHER",
        reason="ok", payload_hash=asked.payload_hash,
    )  # fmt: skip


def firm_limits(hours: int = 0) -> dict[str, Decimal]:
    at = AT + timedelta(hours=hours)
    return {mark.kind: mark.hard for mark in get_marks([("firm", "")], at=at).limits}


def test_a_new_mark_is_set_counted_and_told(maker: Principal, checker: Principal) -> None:
    asked = ask(maker)
    assert "open_notional" not in firm_limits()
    assert decide(checker, asked).outcome == "applied"
    assert firm_limits()["open_notional"] == D(1000)
    assert LimitUsage.objects.filter(key="firm:").exists()
    limit = Limit.objects.get(kind="open_notional")
    assert (limit.version, limit.change_id, limit.owner, limit.history.count()) == (1, asked.id, "m.ruiz", 1)
    event = Event.objects.get(kind="LimitChanged")
    assert (event.actor, event.payload["hard"], event.payload["before"]) == (checker.actor, "1000", None)


def test_declined_nothing_changes(maker: Principal, checker: Principal) -> None:
    assert decide(checker, ask(maker), "decline").outcome == "declined"
    assert not Limit.objects.filter(kind="open_notional").exists()
    assert not Event.objects.filter(kind="LimitChanged").exists()


def test_nobody_decides_on_an_own_question_or_without_the_right(maker: Principal, world: DeskWorld) -> None:
    both = make_principal("both", role="both", rights=("ask_risk_change", "decide_risk_change"))
    asked = ask(both)
    with pytest.raises(NotPermitted):
        decide(both, asked)
    with pytest.raises((NotPermitted, NotFound)):
        decide(world.dealer, asked)
    with pytest.raises(NotPermitted, match="RIGHT_MISSING"):
        ask(world.dealer, replace(FIRM, kind="daily_gross"))
    assert not Limit.objects.filter(kind="open_notional").exists()


def test_a_change_for_a_time_shadows_the_mark_and_ends_by_itself(maker: Principal, checker: Principal) -> None:
    set_mark("open_notional", "500")
    change = replace(FIRM, effective_from=AT + timedelta(hours=1), effective_until=AT + timedelta(hours=3))
    decide(checker, ask(maker, change))
    assert [firm_limits(hours)["open_notional"] for hours in (0, 1, 2, 3, 4)] == [
        D(500),
        D(1000),
        D(1000),
        D(500),
        D(500),
    ]


def test_a_removed_mark_keeps_its_row_and_may_come_back(maker: Principal, checker: Principal) -> None:
    set_mark("open_notional", "500")
    assert decide(checker, ask(maker, replace(FIRM, warn=None, hard=None))).outcome == "applied"
    assert "open_notional" not in firm_limits()
    with pytest.raises(NotFound, match="LIMIT_UNKNOWN"):
        ask(maker, replace(FIRM, warn=None, hard=None))
    decide(checker, ask(maker))
    limit = Limit.objects.get(kind="open_notional")
    assert (limit.version, limit.hard, limit.effective_until) == (3, D(1000), None)


def test_an_approval_is_not_applied_when_the_limit_has_changed_since(maker: Principal, checker: Principal) -> None:
    mark = set_mark("open_notional", "500")
    asked = ask(maker)
    mark.version = 2
    mark.save()
    assert decide(checker, asked).outcome == "not_applied"
    assert firm_limits()["open_notional"] == D(500)


def test_one_question_a_limit_at_a_time(maker: Principal) -> None:
    ask(maker)
    with pytest.raises(Conflict, match="DECISION_PENDING"):
        ask(maker)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "nonsense"}, "kind"),
        ({"currency": "USD"}, "currency"),
        ({"hard": D(0), "warn": None}, "hard"),
        ({"warn": D(1001)}, "warn"),
        ({"effective_until": AT}, "effective_until"),
        ({"effective_from": AT - timedelta(seconds=1)}, "effective_from"),
        ({"hard": None}, "hard"),
        ({"on_breach": "panic"}, "on_breach"),
        ({"owner": " "}, "owner"),
        ({"kind": "order_qty"}, "currency"),
    ],
)
def test_what_makes_no_sense_is_not_asked(maker: Principal, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as error:
        ask(maker, replace(FIRM, **changes))
    assert field in error.value.fields
    assert not AuthorisationRequest.objects.exists()


SHADOW = """
INSERT INTO risk_limit (scope, scope_id, kind, currency, hard, owner, version, effective_from)
VALUES ('firm', '', 'open_notional', 'GBP', 999999, 'x', 1, now())
"""


def as_a_process(sql: str) -> None:
    """Carried out with the rights of a process of the house; undone with the transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO oms_app")
        cursor.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO oms_app")
        cursor.execute("SET LOCAL ROLE oms_app")
        cursor.execute(sql)


def test_no_process_of_the_house_changes_a_limit_around_the_request(maker: Principal, checker: Principal) -> None:
    set_mark("open_notional", "500")
    asked = ask(maker)
    attempts = (
        "UPDATE risk_limit SET hard = 999999 WHERE kind = 'open_notional'",
        "DELETE FROM risk_limit WHERE kind = 'open_notional'",
        SHADOW,
        f"UPDATE risk_limit SET hard = 999999, change_id = '{asked.id}' WHERE kind = 'open_notional'",  # not approved
    )
    for sql in attempts:
        with pytest.raises(Error, match="limit"):
            as_a_process(sql)
    assert firm_limits()["open_notional"] == D(500)
    as_a_process(  # setup: a first mark only adds a bound
        "INSERT INTO risk_limit (scope, scope_id, kind, currency, hard, owner, version) "
        "VALUES ('firm', '', 'daily_net', 'GBP', 1, 'x', 1)"
    )


@pytest.mark.parametrize("kind", sorted(MANDATORY))
@pytest.mark.parametrize("scope", ["firm", "desk"])
def test_what_an_order_needs_to_pass_is_set_by_no_process_without_a_request(
    world: DeskWorld, kind: str, scope: str
) -> None:
    Limit.objects.filter(kind=kind).delete()
    with pytest.raises(Error, match="approved request only"):
        as_a_process(
            "INSERT INTO risk_limit (scope, scope_id, kind, currency, hard, owner, version) "
            f"VALUES ('{scope}', '', '{kind}', 'GBP', 999999, 'x', 1)"
        )
    assert not Limit.objects.filter(kind=kind).exists()


def test_the_checker_reads_the_usage_of_now_against_old_and_new(maker: Principal, checker: Principal) -> None:
    set_mark("open_notional", "4000")
    LimitUsage.objects.update(open_orders=3, open_buy=D(1500), open_sell=D(500))
    asked = ask(maker)
    facts = facts_of(asked)
    effect = describe_limit_change(checker, facts, AT)
    lines = {line.label: (line.now, line.then) for line in effect.lines}
    assert lines["Limit"] == ("4,000", "1,000")
    assert lines["Used of it"] == ("50% (2,000 of 4,000)", "200% (2,000 of 1,000)")
    assert effect.button == "set 1,000"
    assert any("above the new limit" in warning for warning in effect.warnings)


def test_the_page_lists_the_closest_first_and_only_what_one_sees(maker: Principal, world: DeskWorld) -> None:
    other = make_desk("EQ9", symbol="BARC.L")
    set_mark("open_notional", "4000")
    set_mark("open_orders", "4", warn="2", scope="desk", scope_id=world.desk.pk)
    set_mark("open_orders", "4", scope="desk", scope_id=other.desk.pk)
    LimitUsage.objects.filter(key="firm:").update(open_buy=D(1000))
    LimitUsage.objects.filter(key=f"desk:{world.desk.pk}").update(open_orders=3)
    ask(maker)
    lines = [line for line in list_limit_lines(maker, at=AT) if line.used is not None]
    assert [(line.name, line.kind, line.percent, line.state) for line in lines] == [
        ("desk EQ1", "open_orders", 75, "warning"),
        ("the whole firm", "open_notional", 25, "inside"),
    ]
    assert [line.waiting_id is not None for line in lines] == [False, True]


def test_by_scope_each_desk_stands_below_the_firm_and_its_accounts_below_it(maker: Principal, world: DeskWorld) -> None:
    set_mark("open_orders", "4", scope="account", scope_id=world.account.id)
    set_mark("position_qty", "9", scope="instrument", scope_id=world.listing.instrument_id)
    set_mark("open_orders", "4", scope="desk", scope_id=world.desk.pk)
    set_mark("open_notional", "4000")
    LimitUsage.objects.filter(key=f"account:{world.account.id}").update(open_orders=3)
    lines = list_limit_lines(maker, at=AT)
    tree = [(line.scope, line.depth) for line in as_tree(lines) if line.kind not in MANDATORY]
    assert lines[0].scope == "account"
    assert tree == [("firm", 0), ("desk", 1), ("account", 2), ("instrument", 1)]
    assert {line.id for line in as_tree(lines)} == {line.id for line in lines}
