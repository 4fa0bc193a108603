"""Buckets: rate, burst, wait and the share for cancels by hand-made figures; which of several marks holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.checks.rates import AccountRate, SourceRate, retry_after
from risk.domain.rates import FROM_THE_START, POLICY, Bucket, RateKind, RateMark, Rates, mark_for, source_kind
from tests.unit.risk.world import facts

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
TEN = RateMark(RateKind.SESSION, amount=10, seconds=1, burst=5, share=40)


@pytest.mark.parametrize(
    ("ahead_us", "free", "for_orders", "waits_us"),
    [
        (0, 5, 3, 0),
        (1, 4, 2, 0),  # not a whole step is free any more
        (100_000, 4, 2, 0),
        (200_000, 3, 1, 0),
        (300_000, 2, 0, 0),  # what is left is for cancels
        (400_000, 1, 0, 0),
        (400_001, 0, 0, 1),
        (500_000, 0, 0, 100_000),
        (900_000, 0, 0, 500_000),
    ],
)
def test_a_bucket(ahead_us: int, free: int, for_orders: int, waits_us: int) -> None:
    bucket = Bucket("session:S", ahead_us, TEN)
    assert (bucket.free(), bucket.free(removes_risk=False), bucket.waits_us) == (free, for_orders, waits_us)


def test_orders_that_never_stop_leave_the_share_to_cancels() -> None:
    """A second of a venue that takes ten a second: orders take all they are let, cancels find their share at any moment."""
    ahead = sent = 0
    for _ in range(100):  # every 10 ms
        bucket = Bucket("session:S", ahead, TEN)
        orders = bucket.free(removes_risk=False)
        assert bucket.after(orders).free() >= 2
        sent += orders
        ahead = max(bucket.after(orders).ahead_us - 10_000, 0)
    assert sent == 3 + 9  # the burst that is theirs, then ten a second


def test_what_passed_moves_the_bucket_and_time_empties_it() -> None:
    assert Bucket("s", 0, TEN).after(3).ahead_us == 300_000
    assert Bucket("s", -5_000_000, TEN).after(1).ahead_us == 100_000  # an idle hour buys no more than the burst
    assert Rates(Bucket("a", 0, TEN), Bucket("b", 1, TEN)).after(1) == Rates(
        Bucket("a", 100_000, TEN), Bucket("b", 100_001, TEN)
    )


def test_the_wait_is_told_in_whole_seconds_rounded_up() -> None:
    slow = RateMark(RateKind.USER, amount=1, seconds=10, burst=1, version=7)
    rates = Rates(Bucket("user:1", 12_000_001, slow), Bucket("account:1", 0, slow))
    refused, passed = SourceRate().answer(facts(rates=rates)), AccountRate().answer(facts(rates=rates))
    assert (refused.verdict, refused.facts) == (
        Verdict.REFUSE,
        {"mark": "1 in 10 s, 1 at once", "version": 7, "retry_after_s": 13},
    )
    assert "send it again in 13 s" in refused.sentence
    assert retry_after([refused, passed]) == 13
    assert retry_after([passed, CheckAnswer("OTHER", Verdict.REFUSE, "No.", {"retry_after_s": 99})]) is None


def test_the_mark_that_holds() -> None:
    own = replace(TEN, subject="session:S", version=3, effective_from=AT)
    later = replace(own, amount=1, version=4, effective_from=AT + timedelta(hours=1))
    general = replace(TEN, amount=2, version=5, effective_from=AT - timedelta(days=1))
    corrected = replace(general, amount=3, version=6)
    marks = [own, later, general, corrected]
    before = AT - timedelta(seconds=1)
    assert mark_for(marks, RateKind.SESSION, "session:S", before) is corrected  # of two from one moment the last set
    assert mark_for(marks, RateKind.SESSION, "session:S", AT) is own
    assert mark_for(marks, RateKind.SESSION, "session:S", AT + timedelta(hours=1)) is later
    assert mark_for(marks, RateKind.SESSION, "session:T", AT) is corrected
    assert mark_for(marks, RateKind.SESSION, "session:T", AT - timedelta(days=2)) is FROM_THE_START[RateKind.SESSION]
    assert mark_for([], RateKind.KEY, "key:1", AT) is FROM_THE_START[RateKind.KEY]


def test_every_kind_has_a_mark_from_the_start_and_says_what_happens_at_it() -> None:
    assert set(FROM_THE_START) == set(RateKind) == set(POLICY)
    assert [source_kind(text) for text in ("key:3", "user:7", "process:relay")] == [
        RateKind.KEY,
        RateKind.USER,
        RateKind.USER,
    ]
