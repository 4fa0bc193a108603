"""Two people decide: raised by one, decided by another, bound to what was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from authorisation.domain.principal import Principal, process_principal
from authorisation.domain.transitions import PAIRS
from authorisation.models import AuthorisationRequest, Decision
from authorisation.selectors import count_requests, get_request, list_requests
from authorisation.services.lapse_requests import lapse_requests
from authorisation.services.raise_request import RaisedRequest, raise_request
from authorisation.services.record_decision import record_decision
from authorisation.services.withdraw_request import withdraw_request
from journal.domain.chain import verify_chain
from journal.models import Event
from journal.selectors import stream_events
from kernel.errors import Conflict, Invalid, InvariantBroken, NotFound, NotPermitted, OmsError, Refused
from kernel.ids import new_id
from tests.factories.authorisation import AT, desk, principal

pytestmark = pytest.mark.django_db
CHECKER = {"rights": ("release_order",)}


def ask(maker: Principal, **changes: Any) -> RaisedRequest:
    values: dict[str, Any] = {
        "kind": "order_request",
        "subject_type": "order_request",
        "subject_id": "1",
        "subject_version": 1,
        "payload": {"ref": "O-2611-000001"},
        "summary": "Buy 100 VOD.L",
        "reasons": [{"code": "NOTIONAL", "sentence": "Above the limit."}],
        "desk_id": desk().pk,
    }
    return raise_request(actor=maker, at=AT, **{**values, **changes})


def decide(checker: Principal, raised: RaisedRequest, verdict: str = "approve", **changes: Any) -> Any:
    values: dict[str, Any] = {
        "at": AT + timedelta(minutes=1),
        "reason_code": "CLIENT_CALL",
        "reason": "as agreed",
        "payload_hash": raised.payload_hash,
    }
    return record_decision(actor=checker, authorisation_id=raised.id, verdict=verdict, **{**values, **changes})


def state() -> list[Any]:
    return [
        list(AuthorisationRequest.objects.order_by("id").values()),
        list(Decision.objects.order_by("id").values()),
        Event.objects.count(),
    ]


@pytest.mark.parametrize(
    ("verdict", "because", "expected"),
    [("approve", "", "approved"), ("approve", "price moved", "not_applied"), ("decline", "", "declined")],
)
def test_a_second_person_decides(verdict: str, because: str, expected: str) -> None:
    maker, checker = principal("maker"), principal("checker", **CHECKER)
    raised = ask(maker)
    recorded = decide(checker, raised, verdict, not_applied_because=because)
    assert (recorded.state, recorded.subject_id) == (expected, "1")
    row = AuthorisationRequest.objects.get()
    assert (row.state, row.outcome, row.closed_at) == (expected, because, AT + timedelta(minutes=1))
    said = Decision.objects.get()
    assert (said.maker_id, said.checker_id, said.verdict) == (maker.user_id, checker.user_id, verdict)
    stored = list(stream_events(f"authorisation:{raised.id}"))
    assert [event.draft.kind for event in stored] == ["AuthorisationRaised", "AuthorisationDecided"]
    assert verify_chain(stored) == []


def _stranger() -> Principal:
    return principal("stranger", rights=("release_order",), desks=("D2",))


REFUSALS: list[tuple[Callable[[Principal], Principal], dict[str, Any], type[OmsError], str]] = [
    (lambda maker: maker, {}, NotPermitted, "SELF_APPROVAL"),
    (lambda maker: principal("other"), {}, NotPermitted, "RIGHT_MISSING"),
    (lambda maker: _stranger(), {}, NotFound, "AUTHORISATION_UNKNOWN"),
    (
        lambda maker: replace(principal("robot", **CHECKER), is_service=True),
        {},
        NotPermitted,
        "CHECKER_NOT_A_PERSON",
    ),
    (lambda maker: principal("checker", **CHECKER), {"payload_hash": "0" * 64}, Conflict, "AUTHORISATION_CHANGED"),
    (
        lambda maker: principal("checker", **CHECKER),
        {"at": AT + timedelta(minutes=30)},
        Refused,
        "AUTHORISATION_EXPIRED",
    ),
    (lambda maker: principal("checker", **CHECKER), {"verdict": "decline", "reason": " "}, Invalid, "VERDICT_INVALID"),
    (lambda maker: principal("checker", **CHECKER), {"verdict": "perhaps"}, Invalid, "VERDICT_INVALID"),
]


@pytest.mark.parametrize(("who", "changes", "error", "code"), REFUSALS)
def test_a_refused_decision_changes_nothing(
    who: Callable[[Principal], Principal], changes: dict[str, Any], error: type[OmsError], code: str
) -> None:
    maker = principal("maker", **CHECKER)
    raised = ask(maker)
    checker = who(maker)
    before = state()
    with pytest.raises(error) as refused:
        decide(checker, raised, **changes)
    assert refused.value.code == code
    assert state() == before


def test_nobody_decides_twice() -> None:
    maker, checker = principal("maker"), principal("checker", **CHECKER)
    raised = ask(maker)
    decide(checker, raised)
    before = state()
    with pytest.raises(Conflict) as refused:
        decide(principal("second", **CHECKER), raised)
    assert refused.value.code == "AUTHORISATION_CLOSED"
    assert state() == before


def test_a_process_cannot_be_a_maker_and_a_kind_needs_a_policy() -> None:
    for changes, actor in (({}, process_principal("flow")), ({"kind": "unheard_of"}, principal("maker"))):
        with pytest.raises(InvariantBroken):
            ask(actor, **changes)
    assert not AuthorisationRequest.objects.exists()


def test_what_is_late_lapses_once() -> None:
    maker = principal("maker")
    late, fresh = ask(maker, expires_at=AT + timedelta(minutes=5)), ask(maker)
    assert lapse_requests(at=AT + timedelta(minutes=4)) == ()
    lapsed = lapse_requests(at=AT + timedelta(minutes=5))
    assert [(item.id, item.subject_id) for item in lapsed] == [(late.id, "1")]
    assert lapse_requests(at=AT + timedelta(minutes=6)) == ()
    assert AuthorisationRequest.objects.get(pk=late.id).state == "lapsed"
    assert AuthorisationRequest.objects.get(pk=fresh.id).state == "pending"


def test_the_maker_takes_back_others_do_not() -> None:
    maker = principal("maker")
    raised = ask(maker)
    viewer = replace(principal("viewer"), grants={"view_desk": frozenset([desk().pk])})
    before = state()
    with pytest.raises(NotPermitted) as refused:
        withdraw_request(actor=viewer, at=AT, authorisation_id=raised.id)
    assert refused.value.code == "NOT_THE_MAKER"
    with pytest.raises(NotFound):
        withdraw_request(actor=_stranger(), at=AT, authorisation_id=raised.id)
    assert state() == before
    withdraw_request(actor=maker, at=AT, authorisation_id=raised.id, reason="client changed their mind")
    assert AuthorisationRequest.objects.get().state == "withdrawn"
    with pytest.raises(Conflict):
        withdraw_request(actor=maker, at=AT, authorisation_id=raised.id)


def ids(actor: Principal, tab: str) -> list[UUID]:
    return [item.facts.id for item in list_requests(actor, tab, at=AT)]


def test_lists_show_what_one_may_see_and_say_why_not() -> None:
    maker, checker, other = principal("maker", **CHECKER), principal("checker", **CHECKER), principal("other")
    first = ask(maker, expires_at=AT + timedelta(minutes=5))
    own = ask(checker)
    closed = ask(maker)
    decide(checker, closed)
    assert ids(checker, "mine") == [first.id]
    assert ids(checker, "raised") == [own.id]
    assert ids(checker, "all") == [first.id, own.id]
    assert ids(checker, "decided") == [closed.id]
    assert ids(other, "mine") == []
    assert ids(other, "all") == [first.id, own.id]
    assert ids(_stranger(), "all") == []
    assert count_requests(checker, at=AT) == {"mine": 1, "raised": 1, "all": 2}
    reasons = {item.facts.id: item.why_not for item in list_requests(checker, "all", at=AT)}
    assert reasons == {first.id: "", own.id: "You are the maker; a second person must decide."}
    assert get_request(other, first.id, at=AT).why_not == "Your role may not decide order release requests."
    assert get_request(checker, first.id, at=AT).seconds_left == 300
    with pytest.raises(NotFound):
        get_request(principal("far", desks=("D2",)), first.id, at=AT)
    with pytest.raises(ValueError, match="no tab"):
        list_requests(checker, "others", at=AT)


def put(raised: RaisedRequest, state: str, holder: Principal) -> None:
    """Into a state by hand, with whoever holds it where somebody must."""
    held = state == "claimed"
    AuthorisationRequest.objects.filter(pk=raised.id).update(
        state=state, claimed_by_id=holder.user_id if held else None, claimed_until=AT if held else None
    )


@pytest.mark.parametrize("source", AuthorisationRequest.State.values)
def test_the_database_knows_the_table(source: str) -> None:
    raised, checker = ask(principal("maker")), principal("checker")
    for verdict, who in (("approve", checker), ("decline", principal("other"))):
        Decision.objects.create(
            id=new_id(), request_id=raised.id, maker_id=who.user_id, checker_id=who.user_id, verdict=verdict,
            payload_hash=raised.payload_hash, decided_at=AT,
        )  # fmt: skip
    if source != "pending":
        put(raised, source, checker)
    for target in AuthorisationRequest.State.values:
        with transaction.atomic():
            if source == target or (source, target) in PAIRS:
                put(raised, target, checker)
                assert AuthorisationRequest.objects.get().state == target
            else:
                with pytest.raises(IntegrityError, match="cannot move"), transaction.atomic():
                    put(raised, target, checker)
                assert AuthorisationRequest.objects.get().state == source
            transaction.set_rollback(True)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM authorisation_authorisationrequest",
        "TRUNCATE authorisation_authorisationrequest CASCADE",
        "UPDATE authorisation_authorisationrequest SET payload = '{}'",
        "UPDATE authorisation_authorisationrequest SET payload_hash = ''",
        "DELETE FROM authorisation_decision",
        "UPDATE authorisation_decision SET checker_id = maker_id",
    ],
)
def test_evidence_stays(sql: str) -> None:
    raised = ask(principal("maker"))
    decide(principal("checker", **CHECKER), raised)
    before = state()
    with pytest.raises(IntegrityError), transaction.atomic():
        connection.cursor().execute(f"SET CONSTRAINTS ALL IMMEDIATE; {sql}")
    assert state() == before


def test_a_request_begins_pending() -> None:
    raised = ask(principal("maker"))
    row = AuthorisationRequest.objects.values().get(pk=raised.id)
    with pytest.raises(IntegrityError, match="cannot begin"), transaction.atomic():
        AuthorisationRequest.objects.create(**{**row, "id": new_id(), "state": "approved"})
    assert AuthorisationRequest.objects.count() == 1
