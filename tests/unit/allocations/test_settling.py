"""The fold of statuses: order of arrival and repetition never matter, contradictions are never counted, only allowed moves."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from allocations.domain import transitions as moves
from allocations.domain.settling import Asked, Contradicts, Said, change_of, money_difference, stand

D = Decimal
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ASKED = Asked(D(100), D("72.45"), "GBP")
PAIRS = set(moves.pairs(moves.INSTRUCTION))


def said(
    number: int, status: str, hours: int = 0, qty: str | None = None, amount: str | None = None, **more: Any
) -> Said:
    return Said(
        UUID(int=number), status, NOON + timedelta(hours=hours), f"R{number}",
        None if qty is None else D(qty), None if amount is None else D(amount), **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("statuses", "state", "qty", "amount"),
    [
        ([], "instructed", "0", "0"),
        ([said(1, "matched")], "matched", "0", "0"),
        ([said(1, "matched"), said(2, "pending", 1, reason_code="LACK")], "pending", "0", "0"),
        ([said(1, "pending", 1), said(2, "matched")], "pending", "0", "0"),
        ([said(1, "partial", 1, "40", "28.98")], "partial", "40", "28.98"),
        ([said(1, "partial", 1, "40"), said(2, "settled", 2)], "settled", "100", "72.45"),
        ([said(1, "partial", 1, "40"), said(2, "partial", 2, "60")], "settled", "100", "72.45"),
        ([said(1, "partial", 1, "40"), said(2, "pending", 2)], "partial", "40", "28.98"),
        ([said(1, "partial", 1, "40"), said(2, "failed", 2)], "failed", "40", "28.98"),
        ([said(1, "failed", 1), said(2, "pending", 2)], "pending", "0", "0"),
        ([said(1, "rejected", 1), said(2, "pending", 2)], "rejected", "0", "0"),
        ([said(1, "rejected", 1), said(2, "settled", 2, "100", "72.45")], "settled", "100", "72.45"),
        ([said(1, "canceled", 1)], "rejected", "0", "0"),
        ([said(1, "settled", 1, "100", "72.45")], "settled", "100", "72.45"),
    ],
)
def test_what_statuses_come_to_in_whatever_order_they_arrive(
    statuses: list[Said], state: str, qty: str, amount: str
) -> None:
    for seed in range(4):
        shuffled = statuses * 2
        random.Random(seed).shuffle(shuffled)
        standing = stand(ASKED, shuffled)
        assert (standing.state, standing.settled_qty, standing.settled_amount) == (state, D(qty), D(amount))
        assert standing.contradictions == ()


@pytest.mark.parametrize(
    ("asked", "statuses", "code", "state", "qty"),
    [
        (ASKED, [said(1, "settled", 0, "101")], Contradicts.TOO_MUCH, "instructed", "0"),
        (ASKED, [said(1, "settled"), said(2, "partial", -1, "1")], None, "settled", "100"),
        (ASKED, [said(1, "settled", 0, "100"), said(2, "partial", -1, "1")], Contradicts.TOO_MUCH, "settled", "100"),
        (ASKED, [said(1, "settled", 0, "100"), said(2, "settled", 1)], Contradicts.TOO_MUCH, "settled", "100"),
        (ASKED, [said(1, "settled", 0, "100", currency="USD")], Contradicts.OTHER_CURRENCY, "instructed", "0"),
        (ASKED, [said(1, "partial")], Contradicts.QTY_MISSING, "instructed", "0"),
        (ASKED, [said(1, "settled"), said(2, "failed", 1)], Contradicts.AFTER_SETTLED, "settled", "100"),
        (ASKED, [said(1, "partial", 0, "5"), said(2, "rejected", 1)], Contradicts.AFTER_SETTLED, "partial", "5"),
        (replace(ASKED, canceled=True), [said(1, "settled")], Contradicts.AFTER_CANCEL, "canceled", "0"),
        (replace(ASKED, canceled=True), [said(1, "canceled")], None, "canceled", "0"),
        (replace(ASKED, sent=False), [said(1, "settled")], Contradicts.NOT_ASKED, "waiting", "0"),
        (replace(ASKED, sent=False), [said(1, "matched")], Contradicts.NOT_ASKED, "waiting", "0"),
        (replace(ASKED, failing=True), [said(1, "pending")], None, "failed", "0"),
        (replace(ASKED, failing=True), [said(1, "partial", 0, "5")], None, "failed", "5"),
        (replace(ASKED, failing=True), [said(1, "settled")], None, "settled", "100"),
    ],
)
def test_a_contradiction_is_named_and_not_counted(
    asked: Asked, statuses: list[Said], code: Contradicts | None, state: str, qty: str
) -> None:
    standing = stand(asked, statuses)
    assert [item.code for item in standing.contradictions] == ([code] if code else [])
    assert (standing.state, standing.settled_qty) == (state, D(qty))


def test_what_the_custodian_repeats_under_its_own_reference_counts_once_whenever_it_came() -> None:
    """A day counts as noon, and never as later than its arrival: the same record of two files then has two times."""
    first = said(1, "partial", -2, "40")
    again, other = (
        replace(first, id=UUID(int=2), effective_at=NOON),
        replace(said(3, "partial", 0, "40"), their_ref="R3"),
    )
    assert stand(ASKED, [first, again]).settled_qty == 40
    assert stand(ASKED, [again, other, first]).settled_qty == 80


def test_random_histories_move_along_the_table_and_end_alike() -> None:
    dice = random.Random(7)
    for _round in range(300):
        left, statuses = 100, []
        for number in range(1, dice.randint(2, 8)):
            status = dice.choice(["matched", "pending", "failed", "rejected", "partial", "settled"])
            qty = dice.randint(1, left) if status == "partial" and left else None
            left -= qty or 0
            if status == "partial" and qty is None:
                continue
            statuses.append(said(number, status, dice.randint(0, 5), None if qty is None else str(qty)))
        ends = set()
        for _shuffle in range(3):
            arrived: list[Said] = []
            failing, before = False, stand(ASKED, [])
            order = statuses[:]
            dice.shuffle(order)
            for one in order:
                arrived.append(one)
                failing = failing or dice.random() < 0.1
                after = stand(replace(ASKED, failing=failing), arrived)
                assert after.state == before.state or (before.state, after.state) in PAIRS
                change = change_of(before, after)
                moved = sum((p.qty for p in change.added), D(0)) - sum((p.qty for p in change.removed), D(0))
                assert before.settled_qty + moved == after.settled_qty <= ASKED.qty
                assert (after.state == "settled") == (after.settled_qty == ASKED.qty)
                before = after
            final = stand(ASKED, arrived)
            ends.add((final.state, final.settled_qty, final.settled_amount))
        assert len(ends) == 1


def test_money_that_is_not_what_was_instructed_is_named_exactly() -> None:
    standing = stand(ASKED, [said(1, "settled", 0, "100", "72.40")])
    assert money_difference(ASKED, standing) == D("-0.05")
    partly = stand(ASKED, [said(1, "partial", 0, "40", "28.99")])
    assert money_difference(ASKED, partly) == 0
