"""When venue and house hold the same about an order, and in what they differ."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from venues.domain.recovering import Kind, Listing, WithUs, answer_from, compare

OURS = WithUs("1", Decimal(1000), Decimal(400), Decimal(600), Decimal(10))
SAID = {11: "A", 37: "V1", 39: "1", 38: "1000", 14: "400", 151: "600", 44: "10"}


def compared(*, ours: WithUs = OURS, **changes: str) -> Kind | None:
    said = {**SAID, **{int(tag[1:]): value for tag, value in changes.items()}}
    return compare(ours, answer_from(said, seq=7, wire_message_id=1, question="Q"))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({}, None),
        ({"t14": "500"}, Kind.EXECUTION_MISSING),
        ({"t14": "300"}, Kind.EXECUTION_SURPLUS),
        ({"t39": "4", "t151": "0"}, Kind.LIFE_DIFFERS),
        ({"t38": "900"}, Kind.TERMS_DIFFER),
        ({"t44": "10.5"}, Kind.TERMS_DIFFER),
        ({"t39": "8", "t14": "0"}, Kind.UNKNOWN_AT_VENUE),
        ({"t39": "9"}, None),  # another name for an order that works
        ({"t38": "", "t14": "", "t44": ""}, None),  # what is not said is not compared
        ({"t44": "0"}, None),  # no price
        ({"t14": "400.00", "t38": "1000.0"}, None),
    ],
)
def test_what_differs(said: dict[str, Any], kind: Kind | None) -> None:
    assert compared(**said) is kind


def test_the_gravest_difference_counts() -> None:
    assert compared(t14="500", t39="2", t38="1") is Kind.EXECUTION_MISSING


def test_terms_on_the_way_differ_rightly() -> None:
    assert compared(ours=replace(OURS, changing=True), t38="900") is None
    assert compared(ours=replace(OURS, changing=True), t14="500") is Kind.EXECUTION_MISSING


def test_an_order_over_on_both_sides_is_equal_whatever_it_is_called() -> None:
    assert compared(ours=replace(OURS, ord_status="C"), t39="4", t38="1") is None


@pytest.mark.parametrize("number", ["x", "1,0"])
def test_what_is_no_number_is_not_read(number: str) -> None:
    with pytest.raises(ArithmeticError):
        compared(t14=number)


def test_a_listing_is_complete_when_all_announced_orders_are_there_and_a_message_told_twice_counts_once() -> None:
    first, second = {37: "V1", 911: "2", 912: "N"}, {37: "V2", 911: "2", 912: "Y"}
    one = Listing().with_answers([first, first])
    assert (one.expected, one.complete) == (2, False)
    assert one.with_answers([second]).complete
    assert Listing().with_answers([second]).complete is False  # the last one is there, one before it is not
    assert Listing().with_answers([{37: "NONE", 911: "0", 912: "Y"}]).complete
    assert Listing().with_answers([{37: "V1", 912: "Y"}]).complete  # a venue that announces no number
