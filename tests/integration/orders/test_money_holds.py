"""Whatever we do and whatever the venue says, in any order: no decision overdraws, facts that do are told, the books add up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Booking, CashBalance
from operations.services.compare_replay import compare_replay
from tests.factories.dealing import Dealing, prove_money

pytestmark = pytest.mark.django_db

ACTS = ("buy", "sell", "short", "replace", "cancel", "withdraw", "approve", "decline")
FACTS = ("fill", "fill", "bust", "correct", "canceled")
STEP = st.tuples(
    st.sampled_from([("act", name) for name in ACTS * 2] + [("fact", name) for name in FACTS * 2]),
    st.sampled_from([1, 100, 300, 500, 700, 900, 1300]),
    st.integers(0, 5),
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(STEP, min_size=8, max_size=16))
def test_no_decision_overdraws_and_facts_that_do_are_told(steps: list[tuple[tuple[str, str], int, int]]) -> None:
    with transaction.atomic():
        dealing = Dealing()
        for (kind, name), size, place in steps:
            (dealing.act if kind == "act" else dealing.fact)(name, size, place)
        prove_money()
        assert [str(one) for one in compare_replay().differences] == []
        transaction.set_rollback(True)


def test_the_property_meets_what_it_is_about() -> None:
    """Named steps that end below zero by facts alone, and decisions that are refused there: else the property says nothing."""
    dealing = Dealing()
    assert dealing.act("buy", 900, 0)
    assert not dealing.act("buy", 900, 0)
    assert dealing.act("short", 500, 0)
    assert not dealing.act("short", 301, 0)
    assert dealing.act("sell", 700, 0)
    assert not dealing.act("sell", 301, 0)
    assert dealing.act("withdraw", 100, 0)
    assert not dealing.act("withdraw", 900, 0)
    assert dealing.fact("fill", 1300, 2)
    assert dealing.fact("fill", 900, 1)
    assert dealing.shortfalls().keys() >= {"D1"}
    assert not dealing.act("short", 1, 0)
    assert dealing.act("approve", 0, 0)
    prove_money()


def test_a_bust_of_a_sale_whose_proceeds_are_spent_overdraws_and_is_told() -> None:
    dealing = Dealing()
    assert dealing.act("sell", 700, 0)
    assert dealing.fact("fill", 700, 0)
    assert dealing.act("buy", 1300, 0)
    assert dealing.act("buy", 700, 0)
    row = CashBalance.objects.get(account=dealing.world.account, currency="GBP")
    spare = row.settled + row.pending - row.reserved
    assert dealing.fact("bust", 0, 0)
    taken_back = Booking.objects.filter(kind="bust", currency="GBP").values_list("amount", flat=True)
    assert list(taken_back) == [Decimal("-507.50")]
    charges = Booking.objects.filter(
        currency="GBP", event_id=Booking.objects.filter(kind="bust").values_list("event_id", flat=True)[0]
    ).exclude(kind="bust")
    given_back = sum((line.amount for line in charges), Decimal(0))
    assert dealing.shortfalls() == {"GBP": Decimal("507.50") - given_back - spare}
    assert not dealing.act("buy", 1, 0)
    assert not dealing.act("withdraw", 1, 0)
    prove_money()
