"""When something is tried again, given up, left in peace: inside, at and outside each mark; and what is sent in which lane."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from outbound.domain.pacing import (
    FIRST_WAIT_S,
    GIVE_UP_AFTER,
    LONGEST_WAIT_S,
    MOST_ATTEMPTS,
    MOST_HELD,
    OPEN_AFTER,
    SLICE,
    Health,
    is_dead,
    wait,
)
from outbound.domain.slices import Item, Plan, plan, room_for_new
from outbound.domain.transitions import PAIRS
from outbound.models import Subscription

AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OPEN = Health(failures=OPEN_AFTER, failing_since=AT)


def test_waits_double_to_a_bound_and_are_spread() -> None:
    assert [wait(n, 0.5).total_seconds() for n in (1, 2, 3, 4)] == [2, 4, 8, 16]
    assert wait(50, 0.5).total_seconds() == wait(10**9, 0.5).total_seconds() == LONGEST_WAIT_S
    assert wait(1, 0.0).total_seconds() == FIRST_WAIT_S * 0.75
    assert wait(1, 0.999).total_seconds() < FIRST_WAIT_S * 1.25


@pytest.mark.parametrize(("failures", "is_open"), [(OPEN_AFTER - 1, False), (OPEN_AFTER, True), (OPEN_AFTER + 1, True)])
def test_the_breaker_opens_at_its_mark(failures: int, is_open: bool) -> None:
    health = Health().after([False] * failures, at=AT, unit=0.5)
    assert health.is_open is is_open
    assert health.may_try(AT) is not is_open
    assert health.failing_since == AT


def test_one_success_closes_it() -> None:
    assert OPEN.after([True], at=AT, unit=0.5) == Health(last_success_at=AT)
    assert OPEN.after([True, False], at=AT, unit=0.5) == Health(1, AT, AT, None)


def test_pauses_of_an_open_breaker_grow() -> None:
    once = OPEN.after([False], at=AT, unit=0.5)
    again = once.after([False], at=AT, unit=0.5)
    assert once.quiet_until is not None
    assert again.quiet_until is not None
    assert AT < once.quiet_until < again.quiet_until
    assert not once.may_try(once.quiet_until - SECOND)
    assert once.may_try(once.quiet_until)


def test_nothing_tried_changes_nothing() -> None:
    quiet = Health(OPEN_AFTER, AT, None, AT)
    assert quiet.after([], at=AT + SECOND, unit=0.5) is quiet


@pytest.mark.parametrize(("age", "given_up"), [(GIVE_UP_AFTER - SECOND, False), (GIVE_UP_AFTER, True)])
def test_a_day_without_success_is_given_up(age: timedelta, given_up: bool) -> None:
    assert Health(1, AT).is_given_up(AT + age) is given_up
    assert not Health(last_success_at=AT).is_given_up(AT + age)


@pytest.mark.parametrize(
    ("attempts", "success", "dead"),
    [
        (MOST_ATTEMPTS - 1, AT + SECOND, False),
        (MOST_ATTEMPTS, AT + SECOND, True),
        (MOST_ATTEMPTS, AT, False),
        (MOST_ATTEMPTS, None, False),
        (10 * MOST_ATTEMPTS, AT - SECOND, False),
    ],
)
def test_an_event_dies_only_of_an_endpoint_that_lives(attempts: int, success: datetime | None, dead: bool) -> None:
    assert is_dead(attempts=attempts, first_failed_at=AT, health=Health(last_success_at=success)) is dead


def new(number: int, stream: str) -> Item:
    return Item(number, UUID(int=number), stream, "order.reported")


def held(number: int, stream: str, *, attempts: int = 0, due: datetime = AT) -> Item:
    return Item(number, UUID(int=number), stream, "order.reported", attempts, due, None)


def numbers(planned: Plan) -> list[list[int]]:
    return [[item.position for item in lane] for lane in planned.lanes]


def test_each_subject_has_its_lane_in_its_order() -> None:
    planned = plan([], [new(1, "a"), new(2, "b"), new(3, "a")], reached=9, health=Health(), at=AT)
    assert (numbers(planned), planned.parked, planned.position) == ([[1, 3], [2]], (), 9)


def test_what_is_held_goes_first_and_what_is_not_due_parks_what_follows() -> None:
    waiting = [held(1, "a"), held(2, "b", due=AT + SECOND), held(3, "a", due=AT + SECOND)]
    planned = plan(waiting, [new(4, "a"), new(5, "b"), new(6, "c")], reached=6, health=Health(), at=AT)
    assert numbers(planned) == [[1, 3, 4], [6]]
    assert [item.position for item in planned.parked] == [5]


def test_a_long_queue_is_sent_in_slices_and_what_is_new_waits_behind_it() -> None:
    waiting = [held(number, "a") for number in range(1, SLICE + 2)]
    planned = plan(waiting, [new(900, "a"), new(901, "b")], reached=901, health=Health(), at=AT)
    assert numbers(planned) == [list(range(1, SLICE + 1)), [901]]
    assert [item.position for item in planned.parked] == [900]


def test_nothing_is_sent_or_read_while_an_endpoint_is_left_in_peace() -> None:
    quiet = Health(OPEN_AFTER, AT, None, AT + SECOND)
    assert plan([held(1, "a")], [new(2, "b")], reached=2, health=quiet, at=AT) == Plan()


def test_an_open_breaker_is_asked_by_the_first_new_event_that_nothing_is_before() -> None:
    planned = plan([held(1, "a", attempts=7)], [new(2, "a"), new(3, "b"), new(4, "c")], reached=4, health=OPEN, at=AT)
    assert numbers(planned) == [[3]]
    assert [item.position for item in planned.parked] == [2]
    assert planned.position == 3, "4 is still to be read"


def test_else_by_the_least_tried_of_what_is_held_and_due() -> None:
    waiting = [
        held(1, "a", attempts=7), held(2, "b", attempts=2), held(3, "b"), held(4, "c", attempts=1, due=AT + SECOND),
    ]  # fmt: skip
    assert numbers(plan(waiting, [], reached=9, health=OPEN, at=AT)) == [[2]]
    assert numbers(plan(waiting[3:], [], reached=9, health=OPEN, at=AT)) == []


@pytest.mark.parametrize(("count", "room"), [(0, SLICE), (MOST_HELD - 1, SLICE), (MOST_HELD, 0), (MOST_HELD + 9, 0)])
def test_a_full_queue_stops_the_reading(count: int, room: int) -> None:
    assert room_for_new(count) == room


def test_the_model_declares_the_table_of_states() -> None:
    field = Subscription._meta.get_field("state")
    declared = {
        (str(transition.source), str(transition.target))
        for transition in field.get_all_transitions(Subscription)  # type: ignore[union-attr]
    }
    assert declared == set(PAIRS)
