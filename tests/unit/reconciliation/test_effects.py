"""What must stand because of a break: each policy against what is known, valued and trusted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from reconciliation.domain.effects import SENTENCES, BreakFacts, Policy, Stands, escalates_at, must_stand
from tests.factories import AT

ACCOUNT, INSTRUMENT = UUID(int=1), UUID(int=2)
FACTS = BreakFacts(
    state="open", effect="", trusted=True, exposure=Decimal(7250), account_id=ACCOUNT, instrument_id=INSTRUMENT,
    reachable=True,
)  # fmt: skip


def policy(effect: str, above: int = 0) -> Policy:
    return Policy(effect, Decimal(above), 900)


@pytest.mark.parametrize(
    ("effect", "stands"),
    [(word, word) for word in ("block_account", "block_instrument", "cancel_working", "recovery", "allow_existing")]
    + [("nothing", "")],
)
def test_each_policy_lets_its_own_stand(effect: str, stands: str) -> None:
    assert must_stand(policy(effect), FACTS) == stands


@pytest.mark.parametrize(
    ("exposure", "stands"),
    [
        ("99.99", ""), ("100", ""), ("-100", ""), ("100.01", "block_account"), ("-100.01", "block_account"),
        (None, "block_account"),
    ],
)  # fmt: skip
def test_below_at_and_above_the_mark_and_without_a_value(exposure: str | None, stands: str) -> None:
    facts = replace(FACTS, exposure=None if exposure is None else Decimal(exposure))
    assert must_stand(policy("block_account", 100), facts) == stands


def test_without_a_mark_a_value_of_zero_stops_too() -> None:
    assert must_stand(policy("block_account"), replace(FACTS, exposure=Decimal(0))) is Stands.ACCOUNT


def test_who_is_not_known_cannot_be_blocked_and_what_is_not_known_blocks_all() -> None:
    assert must_stand(policy("block_instrument"), replace(FACTS, account_id=None)) is Stands.TOOTHLESS
    assert must_stand(policy("block_instrument"), replace(FACTS, instrument_id=None)) is Stands.ACCOUNT
    assert must_stand(policy("recovery"), replace(FACTS, reachable=False)) is Stands.TOOTHLESS


@pytest.mark.parametrize("state", ["accepted", "closed"])
def test_what_is_accepted_or_closed_stops_nothing(state: str) -> None:
    assert must_stand(policy("block_account"), replace(FACTS, state=state, effect="block_account")) == ""


@pytest.mark.parametrize("effect", ["", "block_account"])
def test_a_doubted_file_neither_stops_nor_lets_go(effect: str) -> None:
    assert must_stand(policy("block_instrument"), replace(FACTS, trusted=False, effect=effect)) == effect


def test_it_is_late_from_the_second_its_policy_says() -> None:
    assert escalates_at(policy("nothing"), found_at=AT) == AT + timedelta(minutes=15)


def test_everything_that_may_stand_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Stands)
