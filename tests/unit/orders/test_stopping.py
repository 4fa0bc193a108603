"""What a stop does to an order in each state, and what proves that it works no longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from orders.domain.stopping import (
    ASK_AGAIN_AFTER,
    MOST_ASKED,
    PROVEN,
    Asked,
    Found,
    Plan,
    Proof,
    asks_again,
    plan_stop,
    proof_of,
)
from orders.domain.transitions import REQUEST_STATES

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
WAITS, OTHER = UUID(int=1), UUID(int=2)
NEW = Asked("new", "accepted")


def plan(*requests: Asked, is_open: bool = True, locked: frozenset[UUID] = frozenset({WAITS})) -> Plan | None:
    return plan_stop(requests, is_open=is_open, locked=locked)


@pytest.mark.parametrize(
    ("requests", "is_open", "expected"),
    [
        ([Asked("new", "released")], True, Plan(Found.UNSENT, (0,), False)),
        ([Asked("new", "pending_authorisation", WAITS)], True, Plan(Found.UNSENT, (0,), False)),
        ([Asked("new", "handed_over")], True, Plan(Found.WORKING, (), True)),
        ([Asked("new", "unknown")], True, Plan(Found.WORKING, (), True)),
        ([NEW], True, Plan(Found.WORKING, (), True)),
        ([NEW, Asked("replace", "released")], True, Plan(Found.WORKING, (1,), True)),
        ([NEW, Asked("replace", "handed_over")], True, Plan(Found.WORKING, (), True)),
        ([NEW, Asked("replace", "pending_authorisation", WAITS)], True, Plan(Found.WORKING, (1,), True)),
        ([NEW, Asked("cancel", "released")], True, Plan(Found.CANCEL_UNDER_WAY, (), False)),
        ([NEW, Asked("cancel", "unknown")], True, Plan(Found.CANCEL_UNDER_WAY, (), False)),
        ([NEW, Asked("cancel", "rejected")], True, Plan(Found.WORKING, (), True)),
        # Staged: the replace that would enter it anew ends, its cancel is under way.
        ([NEW, Asked("replace", "released"), Asked("cancel", "handed_over")], True, Plan(Found.CANCEL_UNDER_WAY, (1,), False)),
        ([NEW, Asked("replace", "released"), Asked("cancel", "accepted")], False, Plan(Found.OVER, (1,), False)),
        ([], True, Plan(Found.BY_PHONE, (), False)),
    ],
)  # fmt: skip
def test_the_plan_of_each_state(requests: list[Asked], is_open: bool, expected: Plan) -> None:
    assert plan(*requests, is_open=is_open) == expected


def test_what_came_to_wait_meanwhile_is_left_to_the_next_pass() -> None:
    assert plan(Asked("new", "pending_authorisation", OTHER)) is None
    assert plan(NEW, Asked("replace", "pending_authorisation", OTHER)) is None


def test_nothing_that_left_the_house_is_ever_refused_here() -> None:
    for new, other, kind in product(REQUEST_STATES, REQUEST_STATES, ("replace", "cancel")):
        found = plan(Asked("new", new, WAITS), Asked(kind, other, WAITS))
        assert found is not None
        refused = {(("new", new), (kind, other))[place] for place in found.refuse}
        assert all(state in ("captured", "pending_authorisation", "released") for _, state in refused)
        assert ("cancel", other) not in refused
        assert not (found.cancel and found.found is Found.UNSENT)


@pytest.mark.parametrize(
    ("found", "is_open", "ord_status", "cancel_state", "expected"),
    [
        ("working", False, "4", "accepted", Proof.CANCELED),
        ("working", False, "4", "handed_over", Proof.CANCELED),  # the venue's word on the order is enough
        ("working", False, "2", "rejected", Proof.FILLED),
        ("working", False, "8", "unknown", Proof.OVER),
        ("working", False, "C", "handed_over", Proof.OVER),
        ("unsent", False, None, None, Proof.NEVER_SENT),
        ("working", True, "0", "released", Proof.TO_SEND),
        ("working", True, "0", "refused", Proof.TO_SEND),
        ("working", True, "0", "handed_over", Proof.WAITING),
        ("working", True, "6", "accepted", Proof.WAITING),  # taken, but the order is not said to be over
        ("working", True, None, "unknown", Proof.UNKNOWN),
        ("working", True, "1", "rejected", Proof.REFUSED),
        ("by_phone", True, "0", None, Proof.BY_PHONE),
    ],
)
def test_the_proof_of_each_state(
    found: str, is_open: bool, ord_status: str | None, cancel_state: str | None, expected: Proof
) -> None:
    assert proof_of(found=found, is_open=is_open, ord_status=ord_status, cancel_state=cancel_state) is expected
    assert (expected in PROVEN) is not is_open


def test_an_order_that_is_open_is_never_proven_whatever_our_cancel_says() -> None:
    for found, status, state in product(Found, ("0", "1", "6", "E", None), (*REQUEST_STATES, None)):
        assert proof_of(found=found, is_open=True, ord_status=status, cancel_state=state) not in PROVEN


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"cancel_state": "refused"}, True),
        ({"cancel_state": "handed_over"}, False),
        ({"is_open": False}, False),
        ({"found": "by_phone"}, False),
        ({"asked": MOST_ASKED - 1}, True),
        ({"asked": MOST_ASKED}, False),
        ({"ended_at": AT - ASK_AGAIN_AFTER + timedelta(microseconds=1)}, False),
        ({"ended_at": AT - ASK_AGAIN_AFTER}, True),
    ],
)
def test_a_cancel_that_came_to_nothing_is_asked_for_again_a_few_times(
    changes: dict[str, object], expected: bool
) -> None:
    facts: dict[str, object] = {
        "found": "working", "is_open": True, "asked": 1, "cancel_state": "rejected", "ended_at": AT - timedelta(minutes=1),
    }  # fmt: skip
    assert asks_again(**(facts | changes), at=AT) is expected  # type: ignore[arg-type]
