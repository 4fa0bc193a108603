"""What is held, what may end, and what a close does, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authorisation.domain.access_review import (
    Line,
    bar_granter,
    due_warning,
    is_dormant,
    plan_close,
    why_not_in_bulk,
    why_not_reviewer,
)
from authorisation.domain.holdings import (
    AccessWorld,
    Holder,
    Holding,
    HoldingKind,
    LiveKey,
    Origin,
    take_origin,
    why_held,
)
from authorisation.domain.keepers import LEAST_HOLDERS
from authorisation.domain.principal import ADMINISTER_USERS, RELEASE_ORDER
from authorisation.domain.review_transitions import DECIDABLE, LINE_TRANSITIONS, REVIEW_TRANSITIONS
from authorisation.models import AccessReview, ReviewLine
from journal.domain.records import EventRecord

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def holder(number: int, *, active: bool = True, is_service: bool = False) -> Holder:
    return Holder(number, f"u{number}", active, is_service, None if is_service else number)


def world(*members: tuple[int, str], active: frozenset[int] | None = None, **rights: tuple[str, ...]) -> AccessWorld:
    people = {number: holder(number, active=active is None or number in active) for number, _ in members}
    held = {role: frozenset(names) for role, names in rights.items()}
    return AccessWorld(people, frozenset(members), held)


def member(user_id: int, role: str) -> Holding:
    return Holding(HoldingKind.MEMBER, role=role, user_id=user_id)


def event(stream: str, kind: str, minute: int = 0, **payload: object) -> EventRecord:
    at = AT + timedelta(minutes=minute)
    values = (0, uuid4(), stream, minute, kind, 1, "user:9", "", uuid4(), None, at, at, at, at.date(), payload)
    return EventRecord(*values)


def test_the_models_declare_the_tables() -> None:
    for model, table in ((AccessReview(state="open"), REVIEW_TRANSITIONS), (ReviewLine(), LINE_TRANSITIONS)):
        declared = {(found.name, found.source, found.target) for found in model.get_all_state_transitions()}
        assert declared == {(row.name, source, row.target) for row in table for source in row.sources}
    states = {one for row in LINE_TRANSITIONS for one in (*row.sources, row.target)}
    assert states == set(ReviewLine.State.values)
    assert {one for row in LINE_TRANSITIONS for one in row.sources} == DECIDABLE


def test_an_origin_is_the_event_that_gave_what_stands() -> None:
    key = uuid4()
    told = [
        event("user:1", "RoleJoined", 1, role="dealer"),
        event("user:1", "RoleLeft", 2, role="dealer"),
        event("user:1", "RoleJoined", 3, role="dealer"),
        event("user:1", "ApiKeyIssued", 4, key_id=str(key)),
        event("user:1", "PasswordChanged", 5),
        event("role:dealer", "RoleRightsSet", 1, rights=["a", "b"]),
        event("role:dealer", "RoleRightsSet", 2, rights=["b", "c"]),
        event("role:dealer", "AccessGranted", 3, right="view", objects=["x.y:1", "x.y:2"]),
        event("role:dealer", "AccessRevoked", 4, right="view", objects=["x.y:1"]),
    ]
    origins: dict[Holding, Origin] = {}
    for one in told:
        take_origin(origins, one)
    since = {
        (one.kind.value, one.right or one.on or one.role): (at.since - AT) // timedelta(minutes=1)
        for one, at in origins.items()
    }
    assert since == {
        ("member", "dealer"): 3,
        ("api_key", ""): 4,
        ("role_right", "b"): 1,
        ("role_right", "c"): 2,
        ("grant", "view"): 3,
    }
    assert origins[member(1, "dealer")] == Origin(told[2].id, told[2].recorded_at, "user:9")
    assert Holding(HoldingKind.API_KEY, user_id=1, key_id=key) in origins


def test_everything_that_is_held_is_one_holding_and_can_be_taken_away() -> None:
    key = LiveKey(UUID(int=7), 1, "k", AT)
    full = AccessWorld(
        {1: holder(1)},
        frozenset({(1, "a")}),
        {"a": frozenset({"r"})},
        frozenset({("a", "view", "x.y:1")}),
        {key.id: key},
    )
    holdings = list(full.holdings())
    assert [one.kind.value for one in holdings] == ["member", "role_right", "grant", "api_key"]
    left = full
    for one in holdings:
        assert full.has(one)
        left = left.without(one)
        assert not left.has(one)
    assert list(left.holdings()) == []
    assert all(full.has(one) for one in holdings)


@pytest.mark.parametrize(
    ("members", "active", "held"),
    [
        (((1, "r"),), None, True),
        (((1, "r"), (2, "r")), None, False),
        (((1, "r"), (2, "r")), frozenset({1}), True),
        (((1, "r"), (1, "s")), None, False),
    ],
)
def test_the_last_active_holder_of_a_checkers_right_stays(
    members: tuple[tuple[int, str], ...], active: frozenset[int] | None, held: bool
) -> None:
    now = world(*members, active=active, r=(RELEASE_ORDER,), s=(RELEASE_ORDER,))
    assert bool(why_held(now, member(1, "r"))) is held


def test_two_administrators_stay_and_a_right_that_was_short_before_does_not_hold_what_is_no_part_of_it() -> None:
    three = world((1, "adm"), (2, "adm"), (3, "adm"), adm=(ADMINISTER_USERS,), other=("view",))
    assert why_held(three, member(1, "adm")) == ""
    two = three.without(member(1, "adm"))
    assert why_held(two, member(2, "adm")) == "At least 2 people must hold administer_users, and 1 would be left."
    assert why_held(two, Holding(HoldingKind.ROLE_RIGHT, role="adm", right=ADMINISTER_USERS)) == (
        "At least 2 people must hold administer_users, and nobody would be left."
    )
    assert why_held(world((1, "other"), other=("view",)), member(1, "other")) == ""


def line(number: int, holding: Holding, state: str = "unreviewed", origin: UUID | None = None, **more: int) -> Line:
    return Line(number, holding, state, origin, **more)


@given(st.lists(st.sampled_from(["unreviewed", "removed", "kept"]), min_size=1, max_size=6))
def test_whatever_is_said_every_right_that_must_be_held_keeps_its_holders(states: list[str]) -> None:
    people = range(1, len(states) + 1)
    now = world(*((one, "all") for one in people), all=tuple(LEAST_HOLDERS))
    plan = plan_close(
        [line(one, member(one, "all"), state) for one, state in zip(people, states, strict=True)], now, {}
    )
    for outcome in plan:
        if outcome.ends:
            now = now.without(outcome.line.holding)
    left = len(now.people_with(ADMINISTER_USERS))
    assert left >= min(2, len(states))
    assert [one.state for one in plan if one.line.state == "kept"] == ["kept"] * states.count("kept")


def test_a_close_touches_only_the_grant_that_was_reviewed() -> None:
    first, second = uuid4(), uuid4()
    now = world((1, "a"), (2, "a"), (3, "a"), a=("view",))
    origins = {member(one, "a"): Origin(first, AT, "user:9") for one in (1, 2, 3)} | {
        member(2, "a"): Origin(second, AT, "user:9")
    }
    lines = [line(one, member(one, "a"), "removed", first) for one in (1, 2)]
    lines += [line(3, member(3, "a"), origin=first), line(4, member(4, "a"), "kept", first)]
    assert [one.state for one in plan_close(lines, now, origins)] == ["ended", "gone", "lapsed", "gone"]
    assert [one.state for one in plan_close([line(1, member(1, "a"), "kept", first)], now, origins)] == ["kept"]


def test_whose_word_counts() -> None:
    mine = line(1, member(1, "a"), person_id=1, barred_id=5)
    assert why_not_reviewer(mine, 1, ()) == "It is your own access."
    assert why_not_reviewer(mine, 5, ()).startswith("You gave it")
    assert why_not_reviewer(mine, 2, ("a",)) == ""
    service = line(2, member(7, "a"), person_id=2)
    assert why_not_reviewer(service, 2, ()) == "You answer for this service account."
    role = line(3, Holding(HoldingKind.ROLE_RIGHT, role="a", right="r"))
    assert why_not_reviewer(role, 2, ("a",)) == "You hold the role a yourself."
    assert why_not_reviewer(role, 2, ("b",)) == ""
    now = world((1, "a"), (2, "a"))
    assert bar_granter(mine, 2, [2, 3], now) == 2
    assert bar_granter(mine, 2, [2], now) == 0
    assert bar_granter(mine, 2, [1], now) is None
    assert bar_granter(mine, 0, [2], now) == 0


@pytest.mark.parametrize(
    ("used", "since", "dormant"),
    [
        (AT.date() - 45 * DAY, AT - 90 * DAY, False),
        (AT.date() - 46 * DAY, AT - 90 * DAY, True),
        (None, AT - 45 * DAY, False),
        (None, AT - 46 * DAY, True),
        (None, None, True),
    ],
)
def test_dormant_is_longer_than_forty_five_days(used: date | None, since: datetime | None, dormant: bool) -> None:
    assert is_dormant(used=used, since=since, at=AT) is dormant
    assert bool(why_not_in_bulk(conflicts=(), dormant=dormant)) is dormant


def test_the_narrowest_warning_is_the_one_that_is_due() -> None:
    deadline = AT + 7 * DAY
    assert due_warning(deadline=deadline, at=AT - timedelta(seconds=1)) is None
    assert due_warning(deadline=deadline, at=AT) == 7 * DAY
    assert due_warning(deadline=deadline, at=AT + 6 * DAY) == DAY
