"""The same set of reports gives the same order, whatever their order of arrival and however often each arrives."""

from __future__ import annotations

import json
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.numbers import ZERO
from orders.domain.changes import ExecutionChange
from orders.domain.derive import derive
from orders.domain.facts import facts_from_json, facts_to_json
from orders.domain.fold import fold, fold_many, request_sent
from orders.domain.report import Report
from orders.domain.state import EXACT
from tests.unit.orders.paths import LAST_DAY, OrderPath, derived_after, facts_after, order_paths

PATHS = order_paths()


@st.composite
def disordered(draw: st.DrawFn) -> tuple[OrderPath, list[Report]]:
    """A path, and its reports each delivered one to three times in any order."""
    path = draw(st.sampled_from(PATHS))
    copies = [report for report in path.reports for _ in range(draw(st.integers(1, 3)))]
    return path, draw(st.permutations(copies))


@settings(max_examples=400, deadline=None)
@given(disordered())
def test_disorder_and_duplicates_change_nothing(case: tuple[OrderPath, list[Report]]) -> None:
    path, arrived = case
    straight = facts_after(path.requests, path.reports)
    facts = facts_after(path.requests, arrived)
    assert facts == straight
    assert derive(facts, business_date=LAST_DAY) == derived_after(path)


@settings(max_examples=300, deadline=None)
@given(disordered())
def test_changes_add_up_to_the_effective_executions(case: tuple[OrderPath, list[Report]]) -> None:
    """A service that only ever applies the differences holds exactly what the core holds, at every moment."""
    path, arrived = case
    facts = facts_after(path.requests, [])
    worth: dict[str, tuple[object, object]] = {}
    for report in arrived:
        folded = fold(facts, report)
        for change in folded.changes:
            if isinstance(change, ExecutionChange):
                before = worth.get(change.identity, (ZERO, ZERO))
                assert before == (change.effective_qty_before, change.effective_px_before)
                worth[change.identity] = (change.effective_qty, change.effective_px)
        facts = folded.facts
        assert worth == {e.identity: (e.qty, e.px) for e in facts.state.execs}


@settings(max_examples=300, deadline=None)
@given(disordered())
def test_sums_hold_after_every_report(case: tuple[OrderPath, list[Report]]) -> None:
    path, arrived = case
    facts = facts_after(path.requests, [])
    for report in arrived:
        facts = fold(facts, report).facts
        derived = derive(facts, business_date=LAST_DAY)
        execs = facts.state.execs
        assert derived.leaves_qty >= ZERO
        assert derived.cum_qty == sum((e.qty for e in execs), ZERO)
        assert facts.state.notional == sum((EXACT.multiply(e.qty, e.px) for e in execs), ZERO)
        if derived.order_qty is not None and derived.leaves_qty:
            assert derived.order_qty == derived.cum_qty + derived.leaves_qty
        assert derived.overfilled == (derived.order_qty is not None and derived.cum_qty > derived.order_qty)


@settings(max_examples=200, deadline=None)
@given(disordered(), st.randoms(use_true_random=False))
def test_batches_of_any_size_are_the_same_code(case: tuple[OrderPath, list[Report]], random: Random) -> None:
    path, arrived = case
    facts = facts_after(path.requests, [])
    while arrived:
        size = random.randint(1, len(arrived))
        facts = fold_many(facts, arrived[:size]).facts
        arrived = arrived[size:]
    assert facts == facts_after(path.requests, path.reports)


@settings(max_examples=200, deadline=None)
@given(disordered(), st.data())
def test_json_round_trip_at_any_moment(case: tuple[OrderPath, list[Report]], data: st.DataObject) -> None:
    path, arrived = case
    cut = data.draw(st.integers(0, len(arrived)))
    facts = facts_after(path.requests, arrived[:cut])
    stored = json.loads(json.dumps(facts_to_json(facts)))
    assert facts_from_json(stored) == facts
    for report in arrived[cut:]:
        facts = fold(facts, report).facts
    resumed = facts_from_json(stored)
    for report in arrived[cut:]:
        resumed = fold(resumed, report).facts
    assert resumed == facts


@settings(max_examples=200, deadline=None)
@given(disordered(), st.data())
def test_a_request_recorded_late_changes_nothing(case: tuple[OrderPath, list[Report]], data: st.DataObject) -> None:
    """After a crash our own sends may be put on record behind the venue's answers to them."""
    path, arrived = case
    early = data.draw(st.integers(0, len(path.requests)))
    facts = facts_after(path.requests[:early], arrived)
    for request in path.requests[early:]:
        facts = request_sent(facts, request)
    assert facts == facts_after(path.requests, path.reports)
