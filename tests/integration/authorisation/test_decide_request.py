"""The frame every kind is decided in: applied at the last word, not at all, or nothing decided; and attempts that are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import Group

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest, Decision
from authorisation.services.decide_request import Applied, Asking, Decided, NotApplied, Subject, decide_request
from authorisation.services.raise_request import RaisedRequest
from journal.models import Event
from kernel.errors import Conflict, InvariantBroken, NotFound, NotPermitted, OmsError, Unavailable
from tests.factories.authorisation import AT, principal
from tests.integration.authorisation.test_checkers import policy
from tests.integration.authorisation.test_requests import CHECKER, ask, state

pytestmark = pytest.mark.django_db


@dataclass
class Room:
    """A room whose subject is a group of that name: made when approved, and told what else became of it."""

    fails: Exception | None = None
    told: list[str] = field(default_factory=list)

    def subject(self) -> Subject[str]:
        return Subject("order_request", self.load, self.apply, self.decline, give_up=self.give_up)

    def load(self, asking: Asking) -> str:
        return f"subject {asking.facts.subject_id}"

    def apply(self, asking: Asking, case: str) -> Applied:
        assert AuthorisationRequest.objects.get(pk=asking.facts.id).state == "approved"
        Group.objects.create(name=case)
        if self.fails is not None:
            raise self.fails
        return Applied(f"{case} is there.", ("green",))

    def decline(self, asking: Asking, case: str) -> str:
        self.told.append(f"declined: {asking.reason}")
        return f"{case} will not be."

    def give_up(self, asking: Asking, case: str, why: str) -> None:
        self.told.append(f"given up: {why}")


def decide(room: Room, actor: Principal, raised: RaisedRequest, verdict: str = "approve", **changes: Any) -> Decided:
    values: dict[str, Any] = {"at": AT, "reason_code": "X", "reason": "no", "payload_hash": raised.payload_hash}
    return decide_request(
        subject=room.subject(), actor=actor, authorisation_id=raised.id, verdict=verdict, **{**values, **changes}
    )


def made() -> bool:
    return Group.objects.filter(name="subject 1").exists()


def said() -> list[tuple[str, str]]:
    return list(Decision.objects.order_by("id").values_list("checker__username", "verdict"))


def test_an_approval_is_applied_in_the_transaction_that_keeps_it() -> None:
    room, raised = Room(), ask(principal("maker"))
    done = decide(room, principal("checker", **CHECKER), raised)
    assert (done.outcome, done.sentence, done.checks) == ("applied", "subject 1 is there.", ("green",))
    assert (made(), room.told, said()) == (True, [], [("checker", "approve")])


def test_a_no_ends_it() -> None:
    room, raised = Room(), ask(principal("maker"))
    done = decide(room, principal("checker", **CHECKER), raised, "decline")
    assert (done.outcome, done.sentence, made(), room.told) == (
        "declined",
        "subject 1 will not be.",
        False,
        ["declined: no"],
    )


@pytest.mark.parametrize(
    ("error", "checks"), [(NotApplied("It moved.", ("red",)), ("red",)), (Conflict("MOVED", "It moved."), ())]
)
def test_what_the_world_no_longer_allows_leaves_nothing_behind(error: OmsError, checks: tuple[str, ...]) -> None:
    room, raised = Room(error), ask(principal("maker"))
    done = decide(room, principal("checker", **CHECKER), raised)
    assert (done.outcome, done.sentence, done.checks) == ("not_applied", "It moved.", checks)
    assert (made(), room.told, said()) == (False, ["given up: It moved."], [("checker", "approve")])
    row = AuthorisationRequest.objects.get()
    assert (row.state, row.outcome) == ("not_applied", "It moved.")
    assert Event.objects.filter(kind="AuthorisationDecided").count() == 1


@pytest.mark.parametrize("error", [InvariantBroken("BOOKS", "No."), Unavailable("DOWN", "No."), RuntimeError("a bug")])
def test_what_is_broken_or_unknown_decides_nothing(error: Exception) -> None:
    room, raised = Room(error), ask(principal("maker"))
    checker, before = principal("checker", **CHECKER), state()
    with pytest.raises(type(error)):
        decide(room, checker, raised)
    assert (state(), made(), room.told) == (before, False, [])


def test_it_is_applied_at_the_last_word_alone() -> None:
    policy(checkers=3)
    room, raised = Room(), ask(principal("maker"))
    people = [principal(name, **CHECKER) for name in ("first", "second", "third")]
    outcomes = [(done.outcome, made()) for done in (decide(room, who, raised) for who in people)]
    assert outcomes == [("recorded", False), ("recorded", False), ("applied", True)]
    assert said() == [("first", "approve"), ("second", "approve"), ("third", "approve")]
    waiting = [
        event.payload["approvals"] for event in Event.objects.filter(kind="AuthorisationDecided").order_by("seq")
    ]
    assert waiting == [1, 2, 3]


def test_how_many_are_missing_is_said() -> None:
    policy(checkers=2)
    done = decide(Room(), principal("first", **CHECKER), ask(principal("maker")))
    assert done.sentence == "1 of 2 have said yes; one more person must before it is done."


@pytest.mark.parametrize("verdict", ["approve", "decline"])
def test_an_attempt_on_ones_own_request_is_refused_and_kept(verdict: str) -> None:
    maker = principal("maker", **CHECKER)
    raised = ask(maker)
    with pytest.raises(NotPermitted) as refused:
        decide(Room(), maker, raised, verdict)
    assert refused.value.code == "SELF_APPROVAL"
    assert (made(), said(), AuthorisationRequest.objects.get().state) == (False, [], "pending")
    attempt = Event.objects.get(kind="SelfApprovalRefused")
    assert (attempt.stream, attempt.actor, attempt.payload) == (
        f"authorisation:{raised.id}",
        maker.actor,
        {"verdict": verdict, "person_id": maker.user_id},
    )


@pytest.mark.parametrize(
    "who",
    [
        lambda: principal("far", desks=("D2",), **CHECKER),
        lambda: principal("checker", **CHECKER),
    ],
)
def test_what_is_of_another_kind_or_desk_does_not_exist(who: Callable[[], Principal]) -> None:
    actor = who()
    raised = ask(principal("maker"), kind="order_request" if actor.username == "far" else "suspense")
    before = state()
    with pytest.raises(NotFound):
        decide(Room(), actor, raised)
    assert (state(), made()) == (before, False)
