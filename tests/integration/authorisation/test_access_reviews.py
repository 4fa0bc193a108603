"""Who has what is asked line by line; what nobody keeps ends with a close that two people made, never the last holder."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, transaction

from authorisation.domain.principal import ENTER_ORDER, TRADE_DESK, process_principal
from authorisation.models import (
    AccessReview,
    AccessUse,
    ApiKey,
    AuthorisationRequest,
    Desk,
    ReviewAssignment,
    ReviewLine,
    ReviewWord,
    User,
)
from authorisation.selectors import get_principal
from authorisation.selectors.reviews import get_line, get_review, list_lines, list_reviews
from authorisation.services.ask_review_close import ask_review_close
from authorisation.services.decide_access_review import decide_access_review
from authorisation.services.join_role import join_role
from authorisation.services.keep_lines import keep_lines
from authorisation.services.lapse_requests import lapse_requests
from authorisation.services.leave_role import leave_role
from authorisation.services.revoke_api_key import revoke_api_key
from authorisation.services.watch_reviews import watch_reviews
from authorisation.services.withdraw_request import withdraw_request
from journal.models import Event
from journal.selectors.anomalies import is_raised
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, OmsError, Refused
from kernel.ids import new_id
from tests.factories.reviews import DEADLINE, GIVEN_AT, OPENED_AT, ReviewHouse, make_review_house

pytestmark = pytest.mark.django_db
PROCESS = process_principal("test")


@pytest.fixture
def house() -> ReviewHouse:
    return make_review_house()


def everything() -> list[Any]:
    """All that a refusal must leave as it is."""
    models = (AccessReview, ReviewAssignment, ReviewLine, ReviewWord, AuthorisationRequest, User.groups.through, ApiKey)
    return [list(model.objects.order_by("pk").values()) for model in models] + [Event.objects.count()]


def refused(error: type[OmsError], code: str, call: Any) -> OmsError:
    before = everything()
    with pytest.raises(error) as found:
        call()
    assert found.value.code == code
    assert everything() == before
    return found.value


def test_a_snapshot_says_who_has_what_since_when_and_by_whom(house: ReviewHouse) -> None:
    AccessUse.objects.create(actor=f"user:{house.user('d.one').pk}", right=ENTER_ORDER, last_on=OPENED_AT.date())
    review_id = house.open()
    lines = list(ReviewLine.objects.filter(review_id=review_id).order_by("number"))
    kinds = [line.kind for line in lines]
    assert {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)} == {
        "member": 12, "role_right": 9, "grant": 3, "api_key": 1
    }  # fmt: skip
    assert [line.number for line in lines] == list(range(1, 26))
    member = house.line(review_id, kind="member", user__username="d.one", role="trader")
    assert member.title == "d.one is in the role trader"
    assert (member.granted_by, member.granted_at) == (f"user:{house.user('adm.one').pk}", GIVEN_AT)
    assert (member.person, member.desk, member.last_used_on) == (member.user, house.desk, OPENED_AT.date())
    assert (member.barred, member.conflicts, member.dormant) == (house.user("adm.one"), [], False)
    grant = house.line(review_id, kind="grant", role="trader:A")
    assert (grant.title, grant.desk) == ("The role trader:A may trade_desk on A", house.desk)
    key = house.line(review_id, kind="api_key")
    assert (key.title, key.barred, key.last_used_on) == ("d.one has the key sheet", house.user("adm.two"), None)
    told = Event.objects.get(stream=f"access_review:{review_id}")
    assert (told.kind, told.payload["lines"]) == ("AccessReviewOpened", 25)
    assert told.payload["snapshot_digest"] == AccessReview.objects.get().snapshot_digest


def test_what_speaks_against_a_line_is_on_it(house: ReviewHouse) -> None:
    robot = User.objects.create(username="robot", kind=User.Kind.SERVICE, date_joined=GIVEN_AT, desk=house.desk)
    join_role(actor=PROCESS, at=GIVEN_AT, user=robot, roles=[Group.objects.get(name="trader")])
    around = User.objects.create(username="around", date_joined=GIVEN_AT, desk=house.desk)
    around.groups.add(Group.objects.get(name="trader:A"))
    User.objects.filter(username="d.two").update(is_active=False)
    later = GIVEN_AT + timedelta(days=46)
    AccessUse.objects.create(actor=f"user:{house.user('d.one').pk}", right=ENTER_ORDER, last_on=later.date())
    review_id = house.open(at=later, deadline_at=later + timedelta(days=7))
    said = {
        line.user.username: line.conflicts
        for line in ReviewLine.objects.filter(review_id=review_id, kind="member", role__startswith="trader").order_by(
            "-role"
        )
        if line.user
    }
    assert said == {
        "robot": ["Nobody answers for this service account."],
        "around": ["No event tells who gave it and when."],
        "d.two": ["The user is disabled."],
        "d.one": [],
    }
    dormant = ReviewLine.objects.filter(review_id=review_id, kind="member", role="trader", dormant=True)
    assert sorted(line.user.username for line in dormant if line.user) == ["d.two", "robot"]


def test_a_scope_is_a_desk_or_a_role(house: ReviewHouse) -> None:
    by_role = house.open(scope="role", scope_name="trader")
    assert {line.kind for line in ReviewLine.objects.filter(review_id=by_role)} == {"member", "role_right"}
    by_desk = house.open(scope="desk", scope_name="A")
    desks = set(ReviewLine.objects.filter(review_id=by_desk).values_list("desk__code", flat=True))
    assert desks == {"A"}
    everywhere = house.open()
    assert AccessReview.objects.filter(state="open").count() == 3
    refused(Conflict, "REVIEW_OPEN", house.open)
    assert everywhere


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"scope": "house"}, Invalid, "REVIEW_INVALID"),
        ({"reason": " "}, Invalid, "REVIEW_INVALID"),
        ({"deadline_at": OPENED_AT}, Invalid, "REVIEW_INVALID"),
        ({"deadline_at": OPENED_AT + timedelta(days=91)}, Invalid, "REVIEW_INVALID"),
        ({"scope": "role", "scope_name": "none"}, NotFound, "ROLE_UNKNOWN"),
        ({"scope": "desk", "scope_name": "none"}, NotFound, "DESK_UNKNOWN"),
        ({"reviewers": {}}, Refused, "REVIEWER_MISSING"),
    ],
)
def test_a_review_that_cannot_be_opened(house: ReviewHouse, changes: Any, error: Any, code: str) -> None:
    refused(error, code, lambda: house.open(**changes))


def test_only_who_runs_reviews_opens_one_and_only_reviewers_review(house: ReviewHouse) -> None:
    refused(NotPermitted, "RIGHT_MISSING", lambda: house.open(actor=house.actor("h.one")))
    refused(NotPermitted, "RIGHT_MISSING", lambda: house.open(actor=PROCESS))
    refused(Invalid, "REVIEW_INVALID", lambda: house.open(reviewers=house.reviewers("d.one")))
    alone = house.reviewers("h.one")
    missing = refused(Refused, "REVIEWER_MISSING", lambda: house.open(reviewers=alone))
    assert "h.one is in the role supervisor" in missing.sentence


def test_keep_remove_and_another_mind(house: ReviewHouse) -> None:
    review_id = house.open()
    line = house.line(review_id, kind="member", user__username="d.one", role="trader")
    assert house.say("h.one", line) == "kept"
    assert house.say("c.one", line, "remove", reason="has left the desk") == "removed"
    line.refresh_from_db()
    assert (line.said_by, line.said_why) == (house.user("c.one"), "has left the desk")
    assert list(ReviewWord.objects.order_by("said_at", "id").values_list("verdict", flat=True)) == ["keep", "remove"]
    told = Event.objects.filter(stream=f"access_review:{review_id}", kind="AccessLineReviewed")
    assert [event.payload["verdict"] for event in told.order_by("seq")] == ["keep", "remove"]
    assert house.actor("d.one").rights >= {ENTER_ORDER}, "nothing ends before the close"
    late = house.say("c.one", line, "keep", at=DEADLINE + timedelta(seconds=1))
    assert (late, ReviewWord.objects.latest("said_at").late) == ("kept", True)


def test_whose_word_does_not_count(house: ReviewHouse) -> None:
    review_id = house.open()
    own = house.line(review_id, kind="member", user__username="c.one", role="reviewing")
    role = house.line(review_id, kind="role_right", role="supervisor", right="release_order")
    other = house.line(review_id, kind="member", user__username="d.one", role="trader")
    refused(NotPermitted, "NOT_YOUR_LINE", lambda: house.say("c.one", own))
    refused(NotPermitted, "NOT_YOUR_LINE", lambda: house.say("h.one", role))
    refused(NotPermitted, "RIGHT_MISSING", lambda: house.say("adm.one", other))
    refused(Invalid, "WORD_INVALID", lambda: house.say("c.one", other, "perhaps"))
    refused(Invalid, "WORD_INVALID", lambda: house.say("c.one", other, reason=""))
    other.number = 999
    refused(NotFound, "REVIEW_LINE_UNKNOWN", lambda: house.say("c.one", other))


def test_who_gave_it_does_not_review_it_unless_nobody_else_can(house: ReviewHouse) -> None:
    administering, granter = Group.objects.get(name="administering"), house.user("adm.one")
    third = User.objects.create(username="adm.three", date_joined=GIVEN_AT)
    join_role(actor=PROCESS, at=GIVEN_AT, user=third, roles=[administering])
    leave_role(actor=PROCESS, at=GIVEN_AT, user=granter, roles=[administering])
    join_role(actor=PROCESS, at=GIVEN_AT, user=granter, roles=[Group.objects.get(name="supervisor")])
    both = house.reviewers("adm.one", "c.one", "c.two", "h.one")
    review_id = house.open(reviewers=both)
    line = house.line(review_id, kind="member", user__username="d.one", role="trader")
    refused(NotPermitted, "NOT_YOUR_LINE", lambda: house.say("adm.one", line))
    house.say("h.one", line)
    alone = house.open(scope="role", scope_name="trader", reviewers=house.reviewers("adm.one"))
    line = house.line(alone, kind="member", user__username="d.one")
    assert (line.barred, house.say("adm.one", line)) == (None, "kept")


def test_many_are_kept_at_once_but_for_what_needs_a_look(house: ReviewHouse) -> None:
    later = GIVEN_AT + timedelta(days=46)
    AccessUse.objects.create(actor=f"user:{house.user('d.one').pk}", right=ENTER_ORDER, last_on=later.date())
    review_id = house.open(at=later, deadline_at=later + timedelta(days=7))
    fresh = house.line(review_id, kind="member", user__username="d.one", role="trader")
    dormant = house.line(review_id, kind="member", user__username="d.two", role="trader")
    own = house.line(review_id, kind="member", user__username="h.one", role="supervisor")
    numbers = [fresh.number, dormant.number, own.number, 999]
    actor = house.actor("h.one")
    answers = keep_lines(actor=actor, at=later, review_id=review_id, numbers=numbers, reason="known")
    assert {answer.number: answer.why_not for answer in answers} == {
        fresh.number: "",
        dormant.number: "It is dormant; look at it by itself.",
        own.number: "It is your own access.",
        999: "There is no such line that you may review.",
    }
    assert ReviewLine.objects.filter(review_id=review_id, state="kept").count() == 1
    for wrong in ([], list(range(1, 202))):
        refused(
            Invalid,
            "TOO_MANY_LINES",
            lambda wrong=wrong: keep_lines(actor=actor, at=later, review_id=review_id, numbers=wrong, reason="x"),
        )


def test_the_close_ends_what_was_removed_and_what_nobody_reviewed(house: ReviewHouse) -> None:
    review_id = house.open()
    removed = house.line(review_id, kind="member", user__username="d.two", role="trader")
    right = house.line(review_id, kind="role_right", role="trader", right=ENTER_ORDER)
    house.say("h.one", removed, "remove", reason="moved on")
    house.say("c.two", right, "remove", reason="orders come from elsewhere")
    unreviewed = house.line(review_id, kind="grant", role="trader:A")
    key = house.line(review_id, kind="api_key")
    house.keep_rest(review_id, but=(unreviewed.number, key.number))
    actor = house.actor("c.one")
    early = DEADLINE - timedelta(seconds=1)
    refused(
        Refused,
        "REVIEW_NOT_DUE",
        lambda: ask_review_close(actor=actor, at=early, review_id=review_id, reason="now"),
    )
    answer = house.close(review_id)
    assert (answer.outcome, answer.sentence) == ("applied", "The review is closed: 4 grants have ended.")
    ended = dict(ReviewLine.objects.exclude(state="kept").values_list("number", "state"))
    assert ended == {removed.number: "ended", right.number: "ended", unreviewed.number: "lapsed", key.number: "lapsed"}
    assert not house.user("d.two").groups.filter(name="trader").exists()
    first = house.actor("d.one")
    assert (ENTER_ORDER in first.rights, "engage_kill_switch" in first.rights, first.granted(TRADE_DESK)) == (
        False, True, frozenset()
    )  # fmt: skip
    assert ApiKey.objects.get().revoked_at == DEADLINE + timedelta(minutes=1)
    review = AccessReview.objects.get()
    assert (review.state, review.closed_by, len(review.outcome_digest)) == ("closed", house.user("c.two"), 64)
    told = Event.objects.get(stream=f"access_review:{review_id}", kind="AccessReviewClosed")
    assert told.payload["counts"] == {"kept": 21, "ended": 2, "lapsed": 2}
    left = Event.objects.get(stream=f"user:{house.user('d.two').pk}", kind="RoleLeft")
    assert (left.actor, left.on_behalf_of) == ("process:access-review", house.actor("c.two").actor)
    assert left.payload == {"role": "trader", "because": f"access review {review_id}"}


def test_what_is_said_stands_still_while_a_second_person_looks(house: ReviewHouse) -> None:
    review_id = house.open(scope="role", scope_name="trader")
    house.keep_rest(review_id)
    line = house.line(review_id, user__username="d.one")
    asked = ask_review_close(actor=house.actor("c.one"), at=OPENED_AT, review_id=review_id, reason="done")
    refused(Conflict, "REVIEW_NOT_OPEN", lambda: house.say("h.one", line, "remove"))
    refused(
        Conflict,
        "REVIEW_NOT_OPEN",
        lambda: ask_review_close(actor=house.actor("c.two"), at=OPENED_AT, review_id=review_id, reason="again"),
    )

    def decide(name: str, **changes: Any) -> Any:
        values: dict[str, Any] = {
            "verdict": "approve", "reason_code": "", "reason": "", "payload_hash": asked.payload_hash
        }  # fmt: skip
        return decide_access_review(
            actor=house.actor(name),
            at=OPENED_AT + timedelta(minutes=1),
            authorisation_id=asked.id,
            **(values | changes),
        )

    before = everything()
    with pytest.raises(NotPermitted, match="SELF_APPROVAL"):
        decide("c.one")
    assert everything() == [*before[:-1], before[-1] + 1], "the attempt alone is kept"
    refused(NotFound, "AUTHORISATION_UNKNOWN", lambda: decide("h.one"))
    refused(Conflict, "AUTHORISATION_CHANGED", lambda: decide("c.two", payload_hash="0" * 64))
    answer = decide("c.two", verdict="decline", reason_code="NOT_NOW", reason="look at d.one again")
    assert (answer.outcome, AccessReview.objects.get().state) == ("declined", "open")
    assert house.say("h.one", line, "remove", reason="indeed") == "removed"
    assert house.close(review_id).outcome == "applied"
    assert line.user is not None
    assert not line.user.groups.filter(name="trader").exists()


@pytest.mark.parametrize("how", ["withdrawn", "lapsed"])
def test_a_close_that_nobody_approved_lets_the_review_go_on(house: ReviewHouse, how: str) -> None:
    review_id = house.open(scope="role", scope_name="trader")
    house.keep_rest(review_id)
    actor = house.actor("c.one")
    asked = ask_review_close(actor=actor, at=OPENED_AT, review_id=review_id, reason="done")
    assert watch_reviews(at=OPENED_AT) == 0
    if how == "withdrawn":
        withdraw_request(actor=actor, at=OPENED_AT, authorisation_id=asked.id)
    else:
        assert len(lapse_requests(at=asked.expires_at)) == 1
    assert watch_reviews(at=OPENED_AT) == 1
    assert AccessReview.objects.get().state == "open"
    told = Event.objects.filter(stream=f"access_review:{review_id}").latest("seq")
    assert (told.kind, told.payload["why"]) == ("AccessReviewReopened", how)
    assert watch_reviews(at=OPENED_AT) == 0


def test_what_ended_meanwhile_says_so_and_what_was_given_later_is_not_touched(house: ReviewHouse) -> None:
    review_id = house.open()
    dealer, left = Group.objects.get(name="trader"), house.user("d.two")
    again = house.user("d.one")
    newcomer = User.objects.create(username="d.new", date_joined=OPENED_AT)
    join_role(actor=PROCESS, at=OPENED_AT, user=newcomer, roles=[dealer])
    leave_role(actor=PROCESS, at=OPENED_AT, user=left, roles=[dealer])
    leave_role(actor=PROCESS, at=OPENED_AT, user=again, roles=[dealer])
    join_role(actor=PROCESS, at=OPENED_AT + timedelta(hours=1), user=again, roles=[dealer])
    revoke_api_key(actor=PROCESS, at=OPENED_AT, key_id=house.keys["d.one"])
    gone = [house.line(review_id, user__username=name, role="trader") for name in ("d.one", "d.two")]
    house.say("h.one", gone[0], "remove")
    house.keep_rest(review_id)
    house.close(review_id)
    states = dict(ReviewLine.objects.exclude(state="kept").values_list("title", "state"))
    assert states == {
        "d.one is in the role trader": "gone",
        "d.two is in the role trader": "gone",
        "d.one has the key sheet": "gone",
    }
    sentences = [house.line(review_id, pk=line.pk).outcome for line in gone]
    assert sentences == [
        "It ended and was given again; the new grant is not of this review.",
        "It had ended before the close.",
    ]
    assert ENTER_ORDER in house.actor("d.one").rights
    assert ENTER_ORDER in house.actor("d.new").rights


def test_the_last_holder_is_held_and_somebody_owns_it(house: ReviewHouse) -> None:
    review_id = house.open()
    for name in ("d.one", "d.two"):
        line = house.line(review_id, user__username=name, role="trader")
        house.say("h.one", line, "remove", reason="both")
    administrator = house.line(review_id, user__username="adm.two", role="administering")
    house.say("c.one", administrator, "remove", reason="too many")
    house.keep_rest(review_id)
    house.close(review_id)
    held = list(ReviewLine.objects.filter(state="held").order_by("number"))
    assert [(line.title, line.outcome) for line in held] == [
        ("adm.two is in the role administering", "At least 2 people must hold administer_users, and 1 would be left."),
        ("d.two is in the role trader", "At least one person must hold engage_kill_switch, and nobody would be left."),
    ]
    assert "engage_kill_switch" in house.actor("d.two").rights
    assert house.actor("d.one").rights == frozenset()
    keys = [f"access_review:{review_id}:held:{line.number}" for line in held]
    assert [is_raised(key) for key in keys] == [True, True]
    assert watch_reviews(at=DEADLINE) == 0
    third = User.objects.create(username="adm.three", date_joined=GIVEN_AT)
    join_role(actor=PROCESS, at=DEADLINE, user=third, roles=[Group.objects.get(name="administering")])
    leave_role(actor=PROCESS, at=DEADLINE, user=house.user("adm.two"), roles=[Group.objects.get(name="administering")])
    assert watch_reviews(at=DEADLINE) == 1
    assert [is_raised(key) for key in keys] == [False, True]


def test_what_is_warned_of_and_when(house: ReviewHouse) -> None:
    review_id = house.open()
    names = ("due-7", "due-1", "overdue")

    def standing(days: float) -> list[str]:
        watch_reviews(at=DEADLINE - timedelta(days=days))
        return [name for name in names if is_raised(f"access_review:{review_id}:{name}")]

    assert [standing(days) for days in (8, 7, 1, 0)] == [[], ["due-7"], ["due-7", "due-1"], ["overdue"]]
    item = get_review(house.actor("h.one"), review_id, at=DEADLINE - timedelta(hours=3))
    assert item.warning == "Less than 1 day left: 25 lines end with the close unless somebody keeps them."
    house.keep_rest(review_id)
    house.close(review_id)
    assert standing(-1) == []


def test_a_year_without_a_review_of_everybody_is_told(house: ReviewHouse) -> None:
    User.objects.update(date_joined=GIVEN_AT)
    year = timedelta(days=365)
    assert watch_reviews(at=GIVEN_AT + year) == 0
    assert watch_reviews(at=GIVEN_AT + year + timedelta(seconds=1)) == 1
    assert is_raised("access_review:missing")
    review_id = house.open()
    house.keep_rest(review_id)
    house.close(review_id)
    watch_reviews(at=DEADLINE + timedelta(days=1))
    assert not is_raised("access_review:missing")


def test_a_reviewer_sees_the_lines_to_review_and_who_runs_reviews_sees_all(house: ReviewHouse) -> None:
    review_id = house.open()
    narrow = house.open(scope="role", scope_name="trader", reviewers=house.reviewers("c.one", "c.two"))
    at = OPENED_AT
    assert [item.review.id for item in list_reviews(house.actor("h.one"), at=at)] == [review_id]
    assert {item.review.id for item in list_reviews(house.actor("c.one"), at=at)} == {review_id, narrow}
    assert list_reviews(house.actor("d.one"), at=at) == []
    for name in ("h.one", "d.one"):
        with pytest.raises(NotFound, match="REVIEW_UNKNOWN"):
            get_review(house.actor(name), narrow, at=at)
        with pytest.raises(NotFound, match="REVIEW_LINE_UNKNOWN"):
            get_line(house.actor(name), narrow, 1)
    mine = list_lines(house.actor("h.one"), review_id, chosen="all", limit=10)
    assert (mine.total, len(mine.items), mine.next_after) == (25, 10, 10)
    rest = list_lines(house.actor("h.one"), review_id, chosen="all", after=10, limit=100)
    assert (len(rest.items), rest.next_after) == (15, 0)
    why = {item.row.title: item.why_not for item in [*mine.items, *rest.items]}
    assert why["h.one is in the role supervisor"] == "It is your own access."
    assert why["The role supervisor may release_order"] == "You hold the role supervisor yourself."
    assert why["d.one is in the role trader"] == ""


def spoil(sql: str, *values: Any) -> str:
    with pytest.raises(DatabaseError) as found, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    return str(found.value)


def test_the_database_keeps_reviews_as_they_were(house: ReviewHouse) -> None:
    review_id = house.open()
    line = house.line(review_id, kind="member", user__username="c.one", role="reviewing")
    columns = "id, line_id, reviewer_id, verdict, reason, late, said_at"
    word = f"INSERT INTO authorisation_reviewword ({columns}) VALUES (%s, %s, %s, 'keep', 'x', false, now())"
    me, head = house.user("c.one").pk, house.user("h.one").pk
    assert "their own" in spoil(word, new_id(), line.pk, me)
    role = house.line(review_id, kind="role_right", role="supervisor", right="release_order")
    assert "their own" in spoil(word, new_id(), role.pk, head)
    assert "not this reviewer" in spoil(word, new_id(), line.pk, house.user("d.one").pk)
    assert "no reviewer said so" in spoil("UPDATE authorisation_reviewline SET state = 'kept' WHERE id = %s", line.pk)
    said = "UPDATE authorisation_reviewline SET said_by_id = person_id WHERE id = %s"
    assert "authorisation_own_line_not_said" in spoil(said, line.pk)
    moves = "UPDATE authorisation_reviewline SET state = 'lapsed' WHERE id = %s"
    assert "with the close alone" in spoil(moves, line.pk)
    assert "keeps what was asked" in spoil("UPDATE authorisation_reviewline SET dormant = true WHERE id = %s", line.pk)
    assert "keeps what was asked" in spoil("UPDATE authorisation_accessreview SET deadline_at = now()")
    assert "cannot move" in spoil("UPDATE authorisation_accessreview SET state = 'closed'")
    for table in ("accessreview", "reviewline", "reviewword", "reviewassignment"):
        assert "denied" in spoil(f"DELETE FROM authorisation_{table}")
    assert "denied" in spoil("UPDATE authorisation_reviewassignment SET desk_id = NULL")
    house.keep_rest(review_id)
    assert "denied" in spoil("UPDATE authorisation_reviewword SET reason = 'y'")
    ask_review_close(actor=house.actor("c.one"), at=DEADLINE, review_id=review_id, reason="done")
    assert "a second person closes" in spoil("UPDATE authorisation_accessreview SET state = 'closed'")
    assert "cannot move" in spoil("UPDATE authorisation_reviewline SET state = 'ended' WHERE id = %s", line.pk)
    assert "not open" in spoil(word, new_id(), line.pk, head)
    assert Desk.objects.count() == 1
    assert get_principal(house.user("c.one")).user_id == me
