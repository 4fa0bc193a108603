"""Claims, questions, versions, several checkers, policies by value and desk, the person behind: who may say what when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from authorisation.domain.principal import Principal
from authorisation.models import ApprovalPolicy, AuthorisationRequest, Decision, RequestVersion, User
from authorisation.selectors import get_request, list_requests
from authorisation.services.claim_request import claim_request
from authorisation.services.issue_api_key import issue_api_key
from authorisation.services.lapse_requests import lapse_requests
from authorisation.services.raise_request import RaisedRequest
from authorisation.services.release_claim import release_claim
from authorisation.services.resubmit_request import Anew, resubmit_request
from authorisation.services.send_back_request import send_back_request
from authorisation.services.withdraw_request import withdraw_request
from journal.domain.chain import verify_chain
from journal.models import Event
from journal.selectors import stream_events
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, OmsError, Refused
from kernel.ids import new_id
from tests.factories.authorisation import AT, desk, person, principal
from tests.integration.authorisation.test_requests import CHECKER, ask, decide, state

pytestmark = pytest.mark.django_db
SOON = AT + timedelta(minutes=1)


def policy(**changes: Any) -> ApprovalPolicy:
    values: dict[str, Any] = {
        "kind": "order_request", "version": 2, "checkers": 1, "right": "release_order", "patience_s": 1800, "claim_s": 120,
        "stops_clock": False, "effective_from": AT - timedelta(days=1),
    }  # fmt: skip
    return ApprovalPolicy.objects.create(**{**values, **changes})


def row() -> AuthorisationRequest:
    return AuthorisationRequest.objects.get()


def kinds(raised: RaisedRequest) -> list[str]:
    stored = list(stream_events(f"authorisation:{raised.id}"))
    assert verify_chain(stored) == []
    return [event.draft.kind.removeprefix("Authorisation") for event in stored]


def test_a_claim_keeps_others_out_until_its_time_is_over() -> None:
    raised, first, second = ask(principal("maker")), principal("first", **CHECKER), principal("second", **CHECKER)
    until = claim_request(actor=first, at=AT, authorisation_id=raised.id)
    assert until == AT + timedelta(minutes=2)
    before = state()
    for refused in (
        lambda: claim_request(actor=second, at=SOON, authorisation_id=raised.id),
        lambda: decide(second, raised, at=until - timedelta(microseconds=1)),
        lambda: send_back_request(
            actor=second, at=SOON, authorisation_id=raised.id, question="why?", payload_hash=raised.payload_hash
        ),
    ):
        with pytest.raises(Conflict) as error:
            refused()
        assert (error.value.code, error.value.sentence) == ("CLAIMED_BY_OTHER", "first looks at it now.")
    assert state() == before
    assert get_request(second, raised.id, at=SOON).why_not == "first looks at it now."
    assert [item.facts.state_at(until) for item in list_requests(second, "mine", at=until)] == ["pending"]
    decide(second, raised, at=until)  # no sweeper ran: the claim ended by itself
    assert (row().state, row().claimed_by) == ("approved", None)
    assert kinds(raised) == ["Raised", "Claimed", "Decided"]


def test_a_claim_is_let_go_by_who_holds_it() -> None:
    raised, first, second = ask(principal("maker")), principal("first", **CHECKER), principal("second", **CHECKER)
    claim_request(actor=first, at=AT, authorisation_id=raised.id)
    with pytest.raises(Conflict, match="do not hold"):
        release_claim(actor=second, at=SOON, authorisation_id=raised.id)
    with pytest.raises(Conflict, match="do not hold"):
        release_claim(actor=first, at=AT + timedelta(minutes=2), authorisation_id=raised.id)
    release_claim(actor=first, at=SOON, authorisation_id=raised.id)
    assert (row().state, row().claimed_by) == ("pending", None)
    claim_request(actor=second, at=SOON, authorisation_id=raised.id)
    assert claim_request(actor=second, at=AT + timedelta(minutes=2), authorisation_id=raised.id) == AT + timedelta(
        minutes=4
    )
    assert kinds(raised) == ["Raised", "Claimed", "Released", "Claimed", "Claimed"]


@pytest.mark.parametrize(
    ("who", "code"),
    [
        (lambda maker: maker, "SELF_APPROVAL"),
        (lambda maker: principal("other"), "RIGHT_MISSING"),
        (lambda maker: principal("far", rights=("release_order",), desks=("D2",)), "AUTHORISATION_UNKNOWN"),
        (lambda maker: replace(principal("robot", **CHECKER), is_service=True), "CHECKER_NOT_A_PERSON"),
    ],
)
def test_who_may_not_decide_neither_claims_nor_asks(who: Callable[[Principal], Principal], code: str) -> None:
    maker = principal("maker", **CHECKER)
    raised = ask(maker)
    actor, before = who(maker), state()
    with pytest.raises(OmsError) as claimed:
        claim_request(actor=actor, at=AT, authorisation_id=raised.id)
    with pytest.raises(OmsError) as asked:
        send_back_request(
            actor=actor, at=AT, authorisation_id=raised.id, question="?", payload_hash=raised.payload_hash
        )
    assert (claimed.value.code, asked.value.code) == (code, code)
    assert state() == before


def sent_back(raised: RaisedRequest, checker: Principal, **changes: Any) -> None:
    values: dict[str, Any] = {"question": "Which client?", "payload_hash": raised.payload_hash, "at": SOON}
    send_back_request(actor=checker, authorisation_id=raised.id, **{**values, **changes})


def test_the_maker_answers_in_a_new_version_and_the_earlier_one_is_kept() -> None:
    maker, checker = principal("maker"), principal("checker", **CHECKER)
    raised = ask(maker)
    sent_back(raised, checker)
    assert (row().state, row().question, row().asked_by_id) == ("sent_back", "Which client?", checker.user_id)
    with pytest.raises(Conflict) as waiting:
        decide(checker, raised)
    assert (waiting.value.code, waiting.value.sentence) == (
        "SENT_BACK",
        "checker asked the maker something; it waits for the answer.",
    )
    digest = resubmit_request(
        actor=maker, at=SOON, authorisation_id=raised.id, answer="Alpha",
        anew=Anew(payload={"ref": "O-2611-000002"}, summary="Buy 200 VOD.L", subject_version=2),
    )  # fmt: skip
    assert digest == row().payload_hash != raised.payload_hash
    assert (row().state, row().version, row().answer, row().payload) == (
        "pending",
        2,
        "Alpha",
        {"ref": "O-2611-000002"},
    )
    kept = RequestVersion.objects.get()
    assert (kept.version, kept.payload, kept.payload_hash, kept.question) == (
        1,
        {"ref": "O-2611-000001"},
        raised.payload_hash,
        "Which client?",
    )
    with pytest.raises(Conflict) as stale:
        decide(checker, raised)
    assert stale.value.code == "AUTHORISATION_CHANGED"
    decide(checker, raised, payload_hash=digest)
    assert (row().state, Decision.objects.get().version) == ("approved", 2)
    assert kinds(raised) == ["Raised", "SentBack", "Resubmitted", "Decided"]


def test_the_same_with_an_answer_is_a_new_version_too() -> None:
    maker, checker = principal("maker"), principal("checker", **CHECKER)
    raised = ask(maker)
    hashes = {raised.payload_hash}
    for answer in ("Alpha", "Alpha"):
        sent_back(raised, checker, payload_hash=row().payload_hash)
        hashes.add(resubmit_request(actor=maker, at=SOON, authorisation_id=raised.id, answer=answer))
    assert (len(hashes), row().version, RequestVersion.objects.count()) == (3, 3, 2)
    assert row().payload == {"ref": "O-2611-000001"}


@pytest.mark.parametrize(
    ("who", "at", "answer", "error", "code"),
    [
        ("checker", SOON, "x", NotPermitted, "NOT_THE_MAKER"),
        ("far", SOON, "x", NotFound, "AUTHORISATION_UNKNOWN"),
        ("maker", SOON, " ", Invalid, "ANSWER_INVALID"),
        ("maker", AT + timedelta(minutes=30), "x", Refused, "AUTHORISATION_EXPIRED"),
    ],
)
def test_a_refused_answer_changes_nothing(who: str, at: Any, answer: str, error: type[OmsError], code: str) -> None:
    people = {"maker": principal("maker"), "checker": principal("checker", **CHECKER)}
    people["far"] = principal("far", desks=("D2",))
    raised = ask(people["maker"])
    with pytest.raises(Conflict, match="Nobody asked"):
        resubmit_request(actor=people["maker"], at=SOON, authorisation_id=raised.id, answer="x")
    sent_back(raised, people["checker"])
    before = state()
    with pytest.raises(error) as refused:
        resubmit_request(actor=people[who], at=at, authorisation_id=raised.id, answer=answer)
    assert refused.value.code == code
    assert state() == before


def test_what_was_sent_back_lapses_and_is_withdrawn() -> None:
    maker, checker = principal("maker"), principal("checker", **CHECKER)
    late, unwanted = ask(maker), ask(maker, expires_at=AT + timedelta(hours=5))
    for raised in (late, unwanted):
        sent_back(raised, checker)
    assert [item.id for item in lapse_requests(at=AT + timedelta(minutes=30))] == [late.id]
    withdraw_request(actor=maker, at=AT + timedelta(minutes=31), authorisation_id=unwanted.id)
    assert set(AuthorisationRequest.objects.values_list("state", flat=True)) == {"lapsed", "withdrawn"}


@pytest.mark.parametrize(("stops", "while_asked", "after"), [(True, 31, 49), (False, 30, 30)])
def test_a_question_stops_the_clock_where_the_policy_says_so(stops: bool, while_asked: int, after: int) -> None:
    policy(stops_clock=stops)
    maker, checker = principal("maker"), principal("checker", **CHECKER)
    raised = ask(maker)
    sent_back(raised, checker)
    assert row().expires_at == AT + timedelta(minutes=while_asked)
    resubmit_request(actor=maker, at=AT + timedelta(minutes=20), authorisation_id=raised.id, answer="x")
    assert row().expires_at == AT + timedelta(minutes=after)


def test_two_people_say_yes_before_anything_is_done() -> None:
    policy(checkers=2)
    maker, first, second = principal("maker"), principal("first", **CHECKER), principal("second", **CHECKER)
    raised = ask(maker)
    claim_request(actor=first, at=AT, authorisation_id=raised.id)
    said = decide(first, raised)
    assert (said.complete, said.approvals, said.checkers, said.state) == (False, 1, 2, "pending")
    before = state()
    with pytest.raises(NotPermitted) as twice:
        decide(first, raised)
    assert twice.value.code == "APPROVED_ALREADY"
    assert state() == before
    item = get_request(second, raised.id, at=SOON)
    assert [(one.name, one.at) for one in item.facts.approvals] == [("first", SOON)]
    assert (item.may_decide, get_request(first, raised.id, at=SOON).may_decide) == (True, False)
    done = decide(second, raised)
    assert (done.complete, done.approvals, row().state) == (True, 2, "approved")
    assert {one.checker_id for one in Decision.objects.all()} == {first.user_id, second.user_id}


def test_one_no_is_enough_and_a_new_version_needs_every_yes_again() -> None:
    policy(checkers=2)
    maker, first, second = principal("maker"), principal("first", **CHECKER), principal("second", **CHECKER)
    declined, asked_again = ask(maker), ask(maker)
    decide(first, declined)
    assert decide(second, declined, "decline").state == "declined"
    decide(first, asked_again)
    sent_back(asked_again, second)
    digest = resubmit_request(actor=maker, at=SOON, authorisation_id=asked_again.id, answer="so")
    assert get_request(first, asked_again.id, at=SOON).facts.approvals == ()
    assert not decide(second, asked_again, payload_hash=digest).complete
    assert decide(first, asked_again, payload_hash=digest).complete


@pytest.mark.parametrize(
    ("value", "currency", "where", "checkers"),
    [
        (Decimal(1_000_000), "GBP", "D1", 1),
        (Decimal("1000000.01"), "GBP", "D1", 2),
        (Decimal(1), "USD", "D1", 2),
        (None, "", "D1", 2),
        (Decimal(1), "GBP", "D2", 3),
        (Decimal(2_000_000), "GBP", "D2", 3),
    ],
)
def test_policy_by_value_and_desk(value: Decimal | None, currency: str, where: str, checkers: int) -> None:
    policy(version=1, above=Decimal(1_000_000), currency="GBP", checkers=2)
    policy(version=1, desk=desk("D2"), checkers=3)
    ask(principal("maker"), value=value, currency=currency, desk_id=desk(where).pk)
    assert row().checkers == checkers


def test_what_waits_keeps_the_policy_it_was_raised_under() -> None:
    policy(checkers=2)
    raised = ask(principal("maker"))
    policy(version=3, checkers=1, effective_from=AT)
    first, second = principal("first", **CHECKER), principal("second", **CHECKER)
    assert not decide(first, raised).complete
    assert decide(second, raised).complete
    assert ask(principal("other")).id
    assert AuthorisationRequest.objects.latest("id").checkers == 1


def test_without_a_policy_nobody_decides_and_somebody_is_told() -> None:
    policy(ended=True)
    maker, checker = principal("maker"), principal("checker", **CHECKER)
    raised = ask(maker)
    assert (row().policy_id, row().right, raised.expires_at) == (None, "", AT + timedelta(hours=1))
    before = state()
    with pytest.raises(NotPermitted) as refused:
        decide(checker, raised)
    assert refused.value.code == "POLICY_MISSING"
    assert state() == before
    told = Event.objects.get(kind="AnomalyRaised").payload
    assert (told["kind"], told["subject_id"]) == ("APPROVAL_POLICY_MISSING", str(raised.id))
    with pytest.raises(IntegrityError, match="no policy"), transaction.atomic():
        insert_decision(raised, checker.user_id)


def test_an_answer_does_not_slip_under_a_policy_that_asks_for_more() -> None:
    policy(version=1, above=Decimal(1_000_000), currency="GBP", checkers=2)
    maker, checker = principal("maker"), principal("checker", **CHECKER)
    raised = ask(maker, value=Decimal(5), currency="GBP")
    sent_back(raised, checker)
    before = state()
    more = Anew({"ref": "x"}, "Buy much", 1, value=Decimal(2_000_000), currency="GBP")
    with pytest.raises(Refused) as refused:
        resubmit_request(actor=maker, at=SOON, authorisation_id=raised.id, answer="more", anew=more)
    assert refused.value.code == "MORE_CHECKERS_NEEDED"
    assert state() == before


def insert_decision(raised: RaisedRequest, checker_id: int, **changes: Any) -> None:
    values: dict[str, Any] = {
        "id": new_id(), "request_id": raised.id, "version": 1, "maker_id": 0, "checker_id": checker_id, "on_behalf_of": "",
        "verdict": "approve", "reason_code": "X", "reason": "", "payload_hash": raised.payload_hash, "decided_at": AT,
    } | changes  # fmt: skip
    columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO authorisation_decision ({columns}) VALUES ({places})", list(values.values()))


def test_the_person_behind_a_service_account_is_no_second_person() -> None:
    behind = principal("behind", **CHECKER)
    robot = principal("robot", kind=User.Kind.SERVICE, responsible_id=behind.user_id)
    raised = ask(robot)
    assert row().maker_person_id == behind.user_id
    with pytest.raises(NotPermitted) as refused:
        decide(behind, raised)
    assert refused.value.code == "SELF_APPROVAL"
    for checker_id in (behind.user_id, robot.user_id):
        with pytest.raises(IntegrityError, match=r"maker|only a person"), transaction.atomic():
            insert_decision(raised, checker_id)
    User.objects.filter(pk=robot.user_id).update(responsible_id=person("straw").pk)  # afterwards is too late
    with pytest.raises(IntegrityError, match="maker"), transaction.atomic():
        insert_decision(raised, behind.user_id)


def test_neither_a_delegate_of_the_maker_nor_its_key_decides() -> None:
    maker, delegate = principal("maker", **CHECKER), principal("delegate", **CHECKER)
    raised = ask(maker)
    key = issue_api_key(
        actor=replace(maker, rights=frozenset({"administer_users"})), at=AT, user_id=maker.user_id, name="k"
    )
    for actor in (replace(maker, actor=f"key:{key.id}"), replace(delegate, on_behalf_of=maker.actor)):
        with pytest.raises(NotPermitted) as refused:
            decide(actor, raised)
        assert refused.value.code == "SELF_APPROVAL"
    for acting_for in (maker.actor, f"key:{key.id}"):
        with pytest.raises(IntegrityError, match="delegate_of_maker"), transaction.atomic():
            insert_decision(raised, delegate.user_id, on_behalf_of=acting_for)


def test_who_a_request_was_made_for_does_not_decide_it() -> None:
    delegate, chief = principal("delegate"), principal("chief", **CHECKER)
    raised = ask(replace(delegate, on_behalf_of=chief.actor))
    with pytest.raises(NotPermitted) as refused:
        decide(chief, raised)
    assert refused.value.code == "SELF_APPROVAL"
    with pytest.raises(IntegrityError, match="behind_maker"), transaction.atomic():
        insert_decision(raised, chief.user_id)


@pytest.mark.parametrize(
    ("sql", "match"),
    [
        ("UPDATE authorisation_authorisationrequest SET state = 'approved'", "the word of 2 people"),
        ("UPDATE authorisation_authorisationrequest SET state = 'not_applied'", "the word of 2 people"),
        ("UPDATE authorisation_authorisationrequest SET state = 'declined'", "the word of a person"),
        ("UPDATE authorisation_authorisationrequest SET checkers = 1", "keeps what was asked"),
        ("UPDATE authorisation_authorisationrequest SET maker_person_id = maker_id + 1", "keeps what was asked"),
        ("UPDATE authorisation_authorisationrequest SET version = 2, payload_hash = 'x'", "keeps what was asked"),
        ("DELETE FROM authorisation_requestversion", "evidence"),
        ("UPDATE authorisation_approvalpolicy SET checkers = 1", "evidence"),
        ("DELETE FROM authorisation_approvalpolicy", "evidence"),
    ],
)
def test_sql_neither_approves_alone_nor_bends_what_was_asked(sql: str, match: str) -> None:
    policy(checkers=2)
    raised = ask(principal("maker"))
    decide(principal("checker", **CHECKER), raised)
    before = state()
    with pytest.raises(IntegrityError, match=match), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert state() == before


def test_a_decision_is_about_what_waits_now() -> None:
    raised, checker = ask(principal("maker")), person("checker")
    for changes in ({"version": 2}, {"payload_hash": "0" * 64}):
        with pytest.raises(IntegrityError, match="what waits now"), transaction.atomic():
            insert_decision(raised, checker.pk, **changes)
    AuthorisationRequest.objects.filter(pk=raised.id).update(state="withdrawn")
    with pytest.raises(IntegrityError, match="what waits now"), transaction.atomic():
        insert_decision(raised, checker.pk)
