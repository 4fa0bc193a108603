"""The same set of reports gives the same order, whatever their order of arrival and however often each arrives."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.fix import ExecType, OrdStatus
from kernel.numbers import ZERO
from orders.domain.changes import ExecutionChange
from orders.domain.derive import derive
from orders.domain.facts import facts_from_json, facts_to_json
from orders.domain.fold import fold, fold_many, request_sent
from orders.domain.report import Position, Report
from orders.domain.state import EXACT, RequestFact
from tests.unit.orders.kept import Kept
from tests.unit.orders.paths import LAST_DAY, OrderPath, derived_after, facts_after, order_paths

PATHS = order_paths()
AT = datetime(2026, 1, 5, 9, tzinfo=UTC)


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
    booked: dict[str, tuple[object, object]] = {}
    for report in arrived:
        folded = fold(facts, report)
        for change in folded.changes:
            if isinstance(change, ExecutionChange):
                before = booked.get(change.identity, (ZERO, ZERO))
                assert before == (change.effective_qty_before, change.effective_px_before)
                booked[change.identity] = (change.effective_qty, change.effective_px)
        facts = folded.facts
        held = {e.identity: e.booked for e in facts.state.execs}
        # A resend that was counted and then met the first telling of itself is left with nothing.
        assert {name: worth for name, worth in booked.items() if worth[0] or name in held} == held


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


@settings(max_examples=400, deadline=None)
@given(disordered(), st.randoms(use_true_random=False))
def test_a_sum_of_facts_and_the_journal_behave_as_all_facts_in_hand(
    case: tuple[OrderPath, list[Report]], random: Random
) -> None:
    path, arrived = case
    facts, kept = facts_after(path.requests, []), Kept()
    for request in path.requests:
        kept.send(request)
    while arrived:
        size = random.randint(1, len(arrived))
        batch, arrived = arrived[:size], arrived[size:]
        folded = fold_many(facts, batch)
        facts = folded.facts
        assert kept.take(batch) == folded.changes
        assert json.loads(kept.row) == facts_to_json(facts)
        resumed = facts_from_json(json.loads(kept.row))
        assert derive(resumed, business_date=LAST_DAY) == derive(facts, business_date=LAST_DAY)


@settings(max_examples=200, deadline=None)
@given(disordered(), st.data())
def test_a_request_recorded_late_changes_nothing_in_a_sum(
    case: tuple[OrderPath, list[Report]], data: st.DataObject
) -> None:
    path, arrived = case
    early = data.draw(st.integers(0, len(path.requests)))
    kept = Kept()
    for request in path.requests[:early]:
        kept.send(request)
    for report in arrived:
        kept.take([report])
    for request in path.requests[early:]:
        kept.send(request)
    assert json.loads(kept.row) == facts_to_json(facts_after(path.requests, path.reports))


def test_trades_in_turn_are_folded_without_reading_the_others_again() -> None:
    kept = Kept()
    kept.send(RequestFact("new", "A1", None, Decimal(5000), Decimal(10), None, "0"))
    first = Report(
        msg_type="8",
        position=Position("e", 1),
        identity="n",
        received_at=AT,
        event_at=AT,
        trade_date=AT.date(),
        exec_type=ExecType.NEW,
        ord_status=OrdStatus.NEW,
        cl_ord_id="A1",
        venue_order_id="V",
    )
    kept.take([first])
    sizes = []
    for number in range(2, 300):
        trade = replace(
            first,
            position=Position("e", number),
            identity=f"t{number}",
            exec_type=ExecType.TRADE,
            ord_status=OrdStatus.PARTIALLY_FILLED,
            last_qty=Decimal(10),
            last_px=Decimal(10),
        )
        assert len(kept.take([trade])) == 1
        sizes.append(len(kept.row))
    assert kept.read_again == 0
    assert max(sizes) - min(sizes) < 10, "the row grows with the number of fills"


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
