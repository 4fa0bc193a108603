"""The rulebook is changed by two people: asked for, decided, applied under its own version, told; and no other way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from authorisation.models import AuthorisationRequest
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted
from risk.models import Collar, ConductPolicy, Mandate, Restriction, Rule
from risk.rulebook import get_rulebook, rulebook_at
from risk.services.request_restriction import request_restriction, request_restriction_end
from risk.services.request_rule_change import request_rule_change
from tests.factories import AT, DeskWorld, make_desk
from tests.factories.conduct import (
    BEFORE,
    LONDON,
    RISK_RIGHTS,
    RULE,
    decide,
    lay_down,
    people,
    restrict,
    restriction_of,
)

pytestmark = pytest.mark.django_db
COPIED = """
INSERT INTO risk_restriction (id, reference, list, subject, subject_id, subject_name, scope, scope_id, sides, sweep, source,
    reason, owner, effective_from, asked_at, approved_at, version)
SELECT gen_random_uuid(), 'R-9', list, subject, subject_id, subject_name, scope, scope_id, sides, sweep, source, reason,
    owner, effective_from, asked_at, approved_at, version FROM risk_restriction
"""
POLICY: dict[str, Any] = {
    "duplicate_window_s": "90",
    "self_trade_account": "refuse",
    "self_trade_client": "authorise",
    "self_trade_firm": "pass",
    "volume_warn": "10",
    "volume_hard": "25",
    "volume_unknown": "acknowledge",
    "spread_warn": "",
    "depth_warn": "20",
    "book_unknown": "pass",
    "basket_orders": "500",
    "basket_notional": "GBP 5m, EUR 4m",
    "basket_ratio": "10",
    "owner": "compliance",
}


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def ask(world: DeskWorld, about: str = "rule", given: dict[str, Any] = RULE, **more: Any) -> Any:
    maker, checker = people(world, rights=RISK_RIGHTS)
    conditions = LONDON if about == "rule" else ()
    asked = request_rule_change(
        actor=maker,
        at=AT,
        about=about,
        given=given,
        conditions=more.pop("conditions", conditions),
        reason="needed",
        **more,
    )
    return checker, asked.authorisation_id


def test_a_rule_holds_once_a_second_person_said_so(world: DeskWorld) -> None:
    before = get_rulebook()
    checker, authorisation_id = ask(world)
    assert not Rule.objects.exists()
    assert decide(checker, authorisation_id).outcome == "applied"
    rule = Rule.objects.get()
    assert (rule.code, rule.version, rule.conditions) == (
        "NO_LONDON",
        1,
        [{"fact": "market", "op": "in", "values": ["XLON"]}],
    )
    book = get_rulebook()
    assert before is not None
    assert book is not None
    assert book.version > before.version
    assert [entry.code for entry in book.rules([("firm", "")], AT)] == ["NO_LONDON"]
    event = Event.objects.get(kind="RuleChanged")
    assert (event.stream, event.actor) == ("rulebook:rule", checker.actor)
    assert event.payload["before"] is None
    assert event.payload["after"]["code"] == "NO_LONDON"
    assert event.payload["rulebook"] == book.version
    assert event.payload["maker_id"] == world.dealer.user_id


def test_a_change_keeps_what_stood_before_and_an_end_ends_it(world: DeskWorld) -> None:
    lay_down(world)
    checker, authorisation_id = ask(world, given=RULE | {"verdict": "authorise"})
    assert decide(checker, authorisation_id).outcome == "applied"
    checker, authorisation_id = ask(world, given={"code": "NO_LONDON"}, action="end")
    assert decide(checker, authorisation_id).outcome == "applied"
    rule = Rule.objects.get()
    assert (rule.version, rule.verdict, rule.effective_until) == (3, "authorise", AT)
    assert [row.verdict for row in rule.history.order_by("version")] == ["refuse", "authorise", "authorise"]
    told = Event.objects.filter(kind="RuleChanged").order_by("seq")
    assert [(e.payload["action"], e.payload["version"]) for e in told] == [("set", 1), ("set", 2), ("end", 3)]
    assert told[1].payload["before"]["verdict"] == "refuse"


def test_declined_or_asked_by_the_same_person_nothing_changes(world: DeskWorld) -> None:
    _, authorisation_id = ask(world)
    maker, checker = people(world, rights=RISK_RIGHTS)
    with pytest.raises(NotPermitted, match="You are the maker"):
        decide(maker, authorisation_id)
    with pytest.raises(NotFound):
        decide(replace(checker, rights=frozenset({"ask_risk_change"}), grants={}), authorisation_id)
    with pytest.raises(Conflict):
        decide(checker, authorisation_id, payload_hash="of something else")
    assert decide(checker, authorisation_id, verdict="decline").outcome == "declined"
    assert not Rule.objects.exists()
    assert not Event.objects.filter(kind="RuleChanged").exists()


def test_one_change_of_a_rule_waits_at_a_time_and_one_that_came_late_is_not_applied(world: DeskWorld) -> None:
    checker, first = ask(world)
    with pytest.raises(Conflict, match="waits for a second person"):
        ask(world)
    assert decide(checker, first).outcome == "applied"
    checker, second = ask(world, given=RULE | {"title": "Another"})
    Rule.objects.update(version=7)
    result = decide(checker, second)
    assert (result.outcome, Rule.objects.get().title) == ("not_applied", "No orders in London")
    assert "changed meanwhile" in result.sentence


def test_who_may_not_ask_asks_nothing(world: DeskWorld) -> None:
    maker, _ = people(world, rights=frozenset({"enter_order"}))
    with pytest.raises(NotPermitted):
        request_rule_change(actor=maker, at=AT, about="rule", given=RULE, conditions=LONDON, reason="x")
    with pytest.raises(NotPermitted):
        request_restriction(actor=maker, at=AT, given=restriction_of(world))
    assert not AuthorisationRequest.objects.exists()


@pytest.mark.parametrize(
    ("about", "given", "more", "error"),
    [
        ("rule", RULE | {"code": "x"}, {}, Invalid),
        ("rule", RULE | {"scope": "account", "scope_id": "nobody"}, {}, NotFound),
        ("rule", {"code": "NOT_THERE"}, {"action": "end"}, NotFound),
        ("policy", POLICY, {"action": "remove"}, Invalid),
        ("planet", POLICY, {}, Invalid),
        ("mandate", {"scope": "desk", "scope_id": "1", "owner": "c"}, {}, Invalid),
        ("collar", {"hard": "10", "warn": "20", "owner": "c"}, {}, Invalid),
        ("policy", POLICY | {"basket_notional": "much"}, {}, Invalid),
        ("policy", POLICY | {"volume_warn": "30"}, {}, Invalid),
        ("policy", POLICY | {"self_trade_firm": "perhaps"}, {}, Invalid),
    ],
)
def test_what_cannot_be_read_is_not_asked(
    world: DeskWorld, about: str, given: dict[str, Any], more: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask(world, about, given, **more)
    assert not AuthorisationRequest.objects.exists()


def test_mandates_collars_and_marks_are_changed_the_same_way(world: DeskWorld) -> None:
    account = str(world.account.id)
    mandate = {"scope": "account", "scope_id": account, "markets": "xlon, xpar", "owner": "compliance"}
    collar = {"asset_class": "etf", "phase": "continuous", "warn": "1", "hard": "2.5", "owner": "compliance"}
    for about, given in (("mandate", mandate), ("collar", collar), ("policy", POLICY)):
        checker, authorisation_id = ask(world, about, given)
        assert decide(checker, authorisation_id).outcome == "applied"
    own = Mandate.objects.get(scope="account")
    assert (own.markets, own.currencies, own.short_allowed) == (["XLON", "XPAR"], None, False)
    book = get_rulebook()
    assert book is not None
    assert book.policy is not None
    assert (book.policy.duplicate_window_s, str(book.policy.basket_notional["EUR"])) == (90, "4000000")
    marks = book.collar("etf", "continuous")
    assert marks is not None
    assert (str(marks.warn), str(marks.hard)) == ("0.010000", "0.025000")
    checker, authorisation_id = ask(world, "mandate", {"scope": "account", "scope_id": account}, action="remove")
    assert decide(checker, authorisation_id).outcome == "applied"
    assert not Mandate.objects.filter(scope="account").exists()
    assert ConductPolicy.objects.get().version == 2


def test_a_restriction_counts_once_approved_and_says_why_to_compliance_alone(world: DeskWorld) -> None:
    maker, checker = people(world)
    asked = request_restriction(actor=maker, at=AT, given=restriction_of(world))
    row = Restriction.objects.get()
    subjects = [("instrument", str(world.listing.instrument_id))]
    book = get_rulebook()
    assert book is not None
    assert book.restrictions(subjects, [("firm", "")], AT) == []
    with pytest.raises(NotPermitted, match="Compliance alone"):
        decide(replace(checker, rights=RISK_RIGHTS), asked.authorisation_id)
    assert decide(checker, asked.authorisation_id).outcome == "applied"
    book = get_rulebook()
    assert book is not None
    assert [entry.reference for entry in book.restrictions(subjects, [("firm", "")], AT)] == [row.reference]
    told = "".join(
        [str(list(AuthorisationRequest.objects.values())), str(list(Event.objects.values_list("payload", flat=True)))]
    )
    assert row.reference in told
    assert "Nightjar" not in told
    assert "takeover" not in told


def test_a_restriction_ends_by_two_people_too(world: DeskWorld) -> None:
    row = restrict(world)
    maker, checker = people(world)
    asked = request_restriction_end(actor=maker, at=AT, restriction_id=row.id, reason="announced")
    later = AT + timedelta(minutes=1)
    assert decide(checker, asked.authorisation_id, at=later).outcome == "applied"
    row.refresh_from_db()
    assert (row.effective_until, row.version) == (later, 2)
    with pytest.raises(Conflict):
        request_restriction_end(actor=maker, at=later, restriction_id=row.id, reason="again")


def test_every_road_of_change_gives_the_rulebook_a_new_number(world: DeskWorld) -> None:
    restrict(world)
    lay_down(world)
    numbers = []
    for change in (
        lambda: Rule.objects.update(owner="x"),
        lambda: Restriction.objects.update(owner="x"),
        lambda: Mandate.objects.update(owner="x"),
        lambda: Collar.objects.create(asset_class="z", hard=1, owner="x"),
        lambda: Collar.objects.filter(asset_class="z").delete(),
        lambda: ConductPolicy.objects.update(owner="x"),
    ):
        change()
        book = get_rulebook()
        assert book is not None
        numbers.append(book.version)
    assert numbers == sorted(set(numbers))


def test_the_database_keeps_rules_and_what_was_asked_of_restrictions(world: DeskWorld) -> None:
    lay_down(world)
    restrict(world)
    for forbidden in (
        "DELETE FROM risk_rule",
        "DELETE FROM risk_restriction",
        "UPDATE risk_restriction SET reason = 'another'",
        "UPDATE risk_restriction SET subject_id = 'another'",
        COPIED,
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(forbidden)


def test_a_book_with_one_row_nobody_can_read_is_no_book(world: DeskWorld) -> None:
    lay_down(world)
    Rule.objects.update(conditions=[{"fact": "quantity", "op": "above", "values": ["many"]}])
    assert get_rulebook() is None
    Rule.objects.update(conditions=[], effective_until=BEFORE)
    assert get_rulebook() is not None
    assert rulebook_at(None) is None


def as_a_process(cursor: Any) -> None:
    """With the rights of a process of the house from here on."""
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    cursor.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO oms_app")
    cursor.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO oms_app")
    cursor.execute("SET LOCAL ROLE oms_app")


def at_commit(statement: str, *given: Any) -> None:
    """As a process of the house, and judged as at commit; undone afterwards."""
    with transaction.atomic(), connection.cursor() as cursor:
        as_a_process(cursor)
        cursor.execute(statement, given)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)


def test_no_process_of_the_house_changes_the_rulebook_without_an_approved_request(world: DeskWorld) -> None:
    lay_down(world)
    restrict(world)
    approved = Rule.objects.get().change_id
    for forbidden in (
        "UPDATE risk_rule SET verdict = 'pass'",
        "UPDATE risk_rule SET verdict = 'pass', change_id = gen_random_uuid()",
        "UPDATE risk_restriction SET effective_until = now()",
        "UPDATE risk_conductpolicy SET duplicate_window_s = 0",
        "DELETE FROM risk_mandate",
        "INSERT INTO risk_collar (asset_class, phase, hard, owner, version) VALUES ('etf', '', 1, 'me', 1)",
    ):
        with pytest.raises(IntegrityError, match="approved request only"):
            at_commit(forbidden)
    with pytest.raises(IntegrityError, match="approved request only"):
        at_commit("UPDATE risk_mandate SET change_id = %s", approved)
    at_commit("UPDATE risk_restriction SET swept_at = now()")


def test_what_two_people_decided_passes_the_guard(world: DeskWorld) -> None:
    maker, checker = people(world)
    asked = request_restriction(actor=maker, at=AT, given=restriction_of(world)).authorisation_id
    rule = request_rule_change(actor=maker, at=AT, about="rule", given=RULE, conditions=LONDON, reason="r")
    Mandate.objects.create(scope="account", scope_id=str(world.account.id), owner="c")
    gone = {"scope": "account", "scope_id": str(world.account.id)}
    removal = request_rule_change(actor=maker, at=AT, about="mandate", given=gone, action="remove", reason="r")
    with connection.cursor() as cursor:
        as_a_process(cursor)
        for authorisation_id in (asked, rule.authorisation_id, removal.authorisation_id):
            assert decide(checker, authorisation_id).outcome == "applied"
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("RESET ROLE")
    assert Rule.objects.get().change_id == rule.authorisation_id
