"""When a tick is believed: inside, at and outside the band, faults of its own, witnesses, and what ends a doubt."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refdata.domain.judging import Doubt, Hearing, Held, Judged, Marks, Outcome, judge
from refdata.domain.quality import Quality
from refdata.domain.ticks import Tick

D = Decimal
AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
S = timedelta(seconds=1)
VOD = UUID(int=1)
FEED, OTHER = UUID(int=7), UUID(int=8)
MARKS = Marks(D("0.10"), 3)
HELD = Held(
    last=D(100),
    bid=D("99.9"),
    ask=D("100.1"),
    bid_size=D(10),
    ask_size=D(20),
    previous_close=D(98),
    phase="continuous",
    quality=Quality.GOOD,
    suspicion="",
    doubted_last=None,
    doubted_at=None,
    doubted_tick=None,
    witnesses=0,
    source="SIM1",
    priced_at=AT,
    tick=UUID(int=100),
    session=FEED,
)


def tick(
    last: str | None = "101", *, bid: str | None = None, ask: str | None = None, after: int = 1, **more: Any
) -> Tick:
    values: dict[str, Any] = {"phase": "continuous"} | more
    for name, text in (("last", last), ("bid", bid), ("ask", ask)):
        values[name] = None if text is None else D(text)
    return Tick(VOD, AT + after * S, **values)


def hear(held: Held | None, given: Tick, *, number: int = 101, **more: Any) -> Judged:
    values: dict[str, Any] = {"source": "SIM1", "session": FEED, "marks": MARKS, "at": given.made_at}
    return judge(held, given, Hearing(tick_id=UUID(int=number), **(values | more)))


def doubting(last: str = "150") -> Held:
    judged = hear(HELD, tick(last))
    assert judged.held is not None
    return judged.held


CASES: list[tuple[str, Tick, Outcome, Doubt | None]] = [
    ("inside the band", tick("105"), Outcome.APPLIED, None),
    ("at its upper edge", tick("110"), Outcome.APPLIED, None),
    ("above it", tick("110.01"), Outcome.DOUBTED, Doubt.JUMP),
    ("at its lower edge", tick("90"), Outcome.APPLIED, None),
    ("below it", tick("89.99"), Outcome.DOUBTED, Doubt.JUMP),
    ("the quotes jump, the last does not", tick("100", bid="119", ask="121"), Outcome.DOUBTED, Doubt.JUMP),
    ("quotes at the edge", tick("100", bid="109", ask="111"), Outcome.APPLIED, None),
    ("locked book", tick("100", bid="100", ask="100"), Outcome.APPLIED, None),
    ("crossed book", tick("100", bid="100.1", ask="100"), Outcome.DOUBTED, Doubt.CROSSED),
    ("crossed in a call", tick("100", bid="101", ask="99", phase="pre_open"), Outcome.APPLIED, None),
    ("zero", tick("0"), Outcome.DOUBTED, Doubt.NOT_POSITIVE),
    ("negative", tick("-5"), Outcome.DOUBTED, Doubt.NOT_POSITIVE),
    ("not a number", tick("NaN"), Outcome.DOUBTED, Doubt.NOT_POSITIVE),
    ("infinite ask", tick("100", ask="Infinity"), Outcome.DOUBTED, Doubt.NOT_POSITIVE),
    ("negative size", tick("100", bid_size=D(-1)), Outcome.DOUBTED, Doubt.NOT_POSITIVE),
    ("size of zero", tick("100", bid="99", bid_size=D(0)), Outcome.APPLIED, None),
    ("a close of zero", tick("100", previous_close=D(0)), Outcome.DOUBTED, Doubt.NOT_POSITIVE),
    ("time stands still", tick("101", after=0), Outcome.APPLIED, None),
    ("time runs backwards", tick("101", after=-1), Outcome.DOUBTED, Doubt.TIME_BACKWARDS),
    ("only quotes", tick(None, bid="99", ask="100"), Outcome.APPLIED, None),
    ("nothing at all", tick(None), Outcome.APPLIED, None),
    ("the feed lets go", tick(None, withdrawn=True), Outcome.WITHDRAWN, None),
]


@pytest.mark.parametrize(("case", "given", "outcome", "doubt"), CASES, ids=[case[0] for case in CASES])
def test_one_tick(case: str, given: Tick, outcome: Outcome, doubt: Doubt | None) -> None:
    judged = hear(HELD, given)
    assert (judged.outcome, judged.doubt) == (outcome, doubt)
    assert judged.held is not None
    if outcome is Outcome.DOUBTED:
        assert judged.held.quality is Quality.SUSPECT
        assert (judged.held.last, judged.held.bid, judged.held.ask) == (HELD.last, HELD.bid, HELD.ask)
        assert (judged.held.doubted_tick, judged.held.suspicion) == (UUID(int=101), doubt)
    elif outcome is Outcome.APPLIED:
        assert (judged.held.quality, judged.held.tick) == (Quality.GOOD, UUID(int=101))


@pytest.mark.parametrize(("ahead", "outcome"), [(5, Outcome.APPLIED), (6, Outcome.DOUBTED)])
def test_a_tick_from_the_future_is_doubted_and_blocks_nothing_after_it(ahead: int, outcome: Outcome) -> None:
    judged = hear(HELD, tick("101", after=ahead), at=AT)
    assert judged.outcome is outcome
    if outcome is Outcome.DOUBTED:
        assert judged.held is not None
        assert judged.held.doubted_at == AT
        assert hear(judged.held, tick("101", after=1)).outcome is Outcome.RETURNED


def test_the_first_word_needs_a_last_price() -> None:
    assert hear(None, tick("101")).outcome is Outcome.APPLIED
    assert hear(None, tick(None, bid="1", ask="2")) == Judged(None, Outcome.DOUBTED, Doubt.NO_LAST)
    assert hear(None, tick("0")) == Judged(None, Outcome.DOUBTED, Doubt.NOT_POSITIVE)
    assert hear(None, tick(None, withdrawn=True)) == Judged(None, Outcome.IGNORED)


def test_the_same_again_is_no_tick_but_vouches_on_the_new_connection() -> None:
    again = tick("100", bid="99.9", ask="100.1", bid_size=D(10), ask_size=D(20), after=9)
    assert hear(HELD, again) == Judged(HELD, Outcome.UNCHANGED)
    assert hear(HELD, again, session=OTHER) == Judged(replace(HELD, session=OTHER), Outcome.UNCHANGED)
    assert hear(HELD, replace(again, phase="halted")).outcome is Outcome.APPLIED


def test_one_tick_near_the_good_price_ends_the_doubt() -> None:
    judged = hear(doubting(), tick("102", bid="101", ask="103", after=2))
    assert judged.outcome is Outcome.RETURNED
    assert judged.held is not None
    assert (judged.held.quality, judged.held.last, judged.held.doubted_last) == (Quality.GOOD, D(102), None)


def test_a_tick_without_figures_ends_no_doubt() -> None:
    assert hear(doubting(), tick(None, after=2)).outcome is Outcome.UNCHANGED


def test_three_witnesses_confirm_a_real_move() -> None:
    held: Held | None = doubting()
    outcomes = []
    for second, last in ((2, "151"), (3, "149"), (4, "152")):
        judged = hear(held, tick(last, after=second), number=100 + second)
        outcomes.append(judged.outcome)
        held = judged.held
    assert outcomes == [Outcome.WITNESS, Outcome.WITNESS, Outcome.CONFIRMED]
    assert held is not None
    assert (held.quality, held.last, held.tick, held.witnesses) == (Quality.GOOD, D(152), UUID(int=104), 0)


def test_a_repeat_is_no_witness() -> None:
    held = doubting()
    for _ in range(5):
        judged = hear(held, tick("150"))
        assert judged.outcome is Outcome.UNCHANGED
        assert judged.held is not None
        held = judged.held
    assert held.quality is Quality.SUSPECT


def test_another_jump_begins_a_new_doubt() -> None:
    one = hear(doubting(), tick("151", after=2)).held
    assert one is not None
    assert one.witnesses == 1
    two = hear(one, tick("300", after=3)).held
    assert two is not None
    assert (two.witnesses, two.doubted_last) == (0, D(300))


def test_a_fault_between_witnesses_starts_again() -> None:
    one = hear(doubting(), tick("151", after=2)).held
    faulty = hear(one, tick("0", after=3)).held
    assert faulty is not None
    assert (faulty.witnesses, faulty.suspicion) == (0, Doubt.NOT_POSITIVE)
    assert hear(faulty, tick("151", after=4)).outcome is Outcome.DOUBTED


def test_another_source_may_be_late_without_being_wrong() -> None:
    assert hear(HELD, tick("101", after=-1), source="file") == Judged(HELD, Outcome.IGNORED)
    assert hear(HELD, tick(None, withdrawn=True), source="file") == Judged(HELD, Outcome.IGNORED)
    assert hear(HELD, tick("101"), source="file").outcome is Outcome.APPLIED


def test_what_is_no_longer_quoted_comes_back_with_its_next_price() -> None:
    gone = hear(HELD, tick(None, withdrawn=True)).held
    assert gone is not None
    assert (gone.quality, gone.last, gone.bid, gone.previous_close) == (Quality.MISSING, D(100), None, D(98))
    assert hear(gone, tick(None, withdrawn=True, after=2)).outcome is Outcome.UNCHANGED
    back = hear(gone, tick("100", after=3)).held
    assert back is not None
    assert back.quality is Quality.GOOD


@pytest.mark.parametrize(
    ("new_day", "told", "close"), [(False, None, "98"), (True, None, "100"), (True, D("99.5"), "99.5")]
)
def test_the_close_of_before(new_day: bool, told: Decimal | None, close: str) -> None:
    judged = hear(HELD, tick("103", previous_close=told), new_day=new_day)
    assert judged.held is not None
    assert judged.held.previous_close == D(close)


_PRICES = st.one_of(st.none(), st.decimals(D("-10"), D(400), places=2), st.just(D("NaN")))
_TICKS = st.builds(
    Tick,
    listing_id=st.just(VOD),
    made_at=st.integers(-5, 30).map(lambda seconds: AT + seconds * S),
    last=_PRICES,
    bid=_PRICES,
    ask=_PRICES,
    phase=st.sampled_from(["", "continuous", "pre_open", "halted"]),
    withdrawn=st.booleans(),
)


@given(st.lists(_TICKS, max_size=12))
def test_whatever_comes_the_figures_in_use_are_good_ones(ticks: list[Tick]) -> None:
    held: Held | None = None
    for number, one in enumerate(ticks):
        before = held
        judged = hear(held, one, number=number, at=AT + 10 * S)
        held = judged.held
        if held is None:
            assert before is None
            continue
        assert held.last > 0
        assert (held.quality is Quality.SUSPECT) == bool(held.suspicion) == (held.doubted_tick is not None)
        if held.bid is not None and held.ask is not None:
            assert 0 < held.bid <= held.ask
        if before is not None and judged.doubt is not None:
            assert (held.last, held.bid, held.ask, held.tick) == (before.last, before.bid, before.ask, before.tick)
        if before is not None and judged.outcome in (Outcome.APPLIED, Outcome.RETURNED):
            assert abs(held.last - before.last) <= before.last * MARKS.band
