"""Random lives through the core: one answer for a set of reports, whatever the venue says and in whatever order it comes.

Seeds are drawn by hypothesis, so a failing life is found again and made shorter.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.numbers import AVG_PX_PLACES, ZERO
from orders.domain.changes import AnomalyFound, AnomalyGone, ExecutionChange, Folded
from orders.domain.derive import Derived, all_answers, all_notes, derive
from orders.domain.facts import OrderFacts, facts_to_json
from orders.domain.fold import fold, fold_many, request_sent
from orders.domain.report import Report
from orders.domain.state import Exec
from tests.unit.orders.builders import NEXT_DAY
from tests.unit.orders.kept import Kept
from tests.unit.orders.lives import Life, life
from tests.unit.orders.paths import facts_after

LIVES = st.builds(life, st.integers(0, 10**9), st.integers(1, 24))
DICE = st.randoms(use_true_random=False)


def on(facts: OrderFacts) -> Derived:
    return derive(facts, business_date=NEXT_DAY)


def deliveries(one: Life, dice: Random) -> list[Report]:
    """Each report one to three times, in any order."""
    arriving = [report for report in one.reports for _ in range(dice.choice((1, 1, 2, 3)))]
    dice.shuffle(arriving)
    return arriving


def distinct(one: Life) -> list[Report]:
    """The reports that are facts of their own, in the venue's order."""
    first: dict[str, Report] = {}
    for report in sorted(one.reports, key=lambda r: (r.position.epoch, r.position.seq)):
        first.setdefault(report.identity, report)
    return list(first.values())


@settings(max_examples=400, deadline=None)
@given(LIVES, DICE)
def test_the_same_reports_give_the_same_order(one: Life, dice: Random) -> None:
    straight = facts_after(one.requests, one.reports)
    crooked = facts_after(one.requests, deliveries(one, dice))
    assert crooked == straight
    assert [fact.place for fact in crooked.facts] == [(r.position.epoch, r.position.seq) for r in distinct(one)]
    assert on(crooked) == on(straight)
    assert all_answers(crooked.state) == all_answers(straight.state)
    assert all_notes(crooked.state) == all_notes(straight.state)


@settings(max_examples=200, deadline=None)
@given(LIVES, DICE)
def test_however_they_are_cut_into_batches_and_stored_between(one: Life, dice: Random) -> None:
    kept = Kept()
    for request in one.requests:
        kept.send(request)
    arriving = deliveries(one, dice)
    while arriving:
        size = dice.randint(1, len(arriving))
        kept.take(arriving[:size])
        arriving = arriving[size:]
    assert json.loads(kept.row) == facts_to_json(facts_after(one.requests, one.reports))


def booked(folded: Folded, worth: dict[str, tuple[Decimal, Decimal]], raised: set[str]) -> None:
    """What a service holds that only ever applies differences."""
    for change in folded.changes:
        if isinstance(change, ExecutionChange):
            before = worth.pop(change.identity, (ZERO, change.effective_px_before))
            assert before == (change.effective_qty_before, change.effective_px_before)
            if change.effective_qty:
                worth[change.identity] = (change.effective_qty, change.effective_px)
        elif isinstance(change, AnomalyFound):
            raised.add(change.dedupe_key)
        elif isinstance(change, AnomalyGone):
            raised.discard(change.dedupe_key)


@settings(max_examples=300, deadline=None)
@given(LIVES, DICE)
def test_differences_add_up_at_every_moment(one: Life, dice: Random) -> None:
    facts, worth, raised = facts_after(one.requests, ()), dict[str, tuple[Decimal, Decimal]](), set[str]()
    for report in deliveries(one, dice):
        folded = fold(facts, report)
        facts = folded.facts
        booked(folded, worth, raised)
        assert worth == {e.identity: e.booked for e in facts.state.execs if e.booked[0]}
        assert raised == {note.key for note in all_notes(facts.state)}


def exactly(execs: Sequence[Exec]) -> tuple[Decimal, Decimal]:
    """Quantity and notional, summed apart from the core and with room to spare."""
    with localcontext(prec=200):
        return sum((e.qty for e in execs), ZERO), sum((e.qty * e.px for e in execs), ZERO)


@settings(max_examples=300, deadline=None)
@given(LIVES, DICE)
def test_sums_are_exact_and_nothing_is_less_than_nothing(one: Life, dice: Random) -> None:
    facts = facts_after(one.requests, ())
    for report in deliveries(one, dice):
        facts = fold(facts, report).facts
        derived, (qty, notional) = on(facts), exactly(facts.state.execs)
        assert (derived.cum_qty, facts.state.notional) == (qty, notional)
        assert min(derived.leaves_qty, derived.cum_qty, *(e.qty for e in facts.state.execs), ZERO) == ZERO
        if derived.order_qty is not None:
            assert derived.leaves_qty in (ZERO, max(derived.order_qty - qty, ZERO))
            assert derived.overfilled == (qty > derived.order_qty)
        if qty:
            with localcontext(prec=200):
                assert derived.avg_px == (notional / qty).quantize(AVG_PX_PLACES, rounding=ROUND_HALF_EVEN)
        if derived.leaves_qty:
            assert derived.is_open


@settings(max_examples=200, deadline=None)
@given(LIVES, DICE)
def test_a_request_put_on_record_at_any_time_changes_nothing(one: Life, dice: Random) -> None:
    early = dice.randint(0, len(one.requests))
    reports = deliveries(one, dice)
    cut = dice.randint(0, len(reports))
    facts = facts_after(one.requests[:early], reports[:cut])
    for request in one.requests[early:]:
        facts = request_sent(facts, request)
    facts = fold_many(facts, reports[cut:]).facts
    assert facts == facts_after(one.requests, one.reports)


@settings(max_examples=200, deadline=None)
@given(LIVES)
def test_status_falls_back_to_whatever_else_is_true(one: Life) -> None:
    """No memory of one level: with a pending request answered, the others still decide the name."""
    facts = facts_after(one.requests, one.reports)
    state, status = facts.state, on(facts).ord_status
    kinds = {kind for _, kind in state.pending}
    assert (status == "6") == ("6" in kinds)
    if "6" not in kinds:
        assert (status == "E") == ("E" in kinds)
