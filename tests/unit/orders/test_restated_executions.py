"""A split that a venue states of executions, and the same split by the house: counted once, in any order (ADR 0066)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.domain.arithmetic import change_effect
from accounts.domain.entitlement import SplitRule, entitlement, position_of
from accounts.domain.ledger import Layer
from kernel.fix import Side
from orders.domain.changes import ExecutionChange
from orders.domain.fold import fold
from orders.domain.report import Report
from orders.domain.restated import Split, is_explained
from orders.domain.state import Exec
from orders.domain.suspense import Acceptance, accepted_units, booked_excess, excess_units
from tests.unit.orders.builders import DAY, after, report, sent

D = Decimal
EX = DAY + timedelta(days=1)
NOTHING = D(0)
STOCK = UUID(int=7)
RATIOS = ((2, 1), (3, 1), (3, 2), (1, 2), (1, 4), (7, 3))


def booked(reports: list[Report]) -> tuple[Decimal, Decimal, tuple[Exec, ...]]:
    """Units and money that folding them one by one books for a buy, and what the venue states at the end."""
    facts, units, cash = sent(qty=6000, tif="1"), D(0), D(0)
    for one in reports:
        folded = fold(facts, one)
        facts = folded.facts
        for change in folded.changes:
            if isinstance(change, ExecutionChange):
                effect = change_effect(
                    side=Side.BUY, before=(change.effective_qty_before, change.effective_px_before),
                    after=(change.effective_qty, change.effective_px), divisor=1, currency="GBP",
                )  # fmt: skip
                units, cash = units + effect.qty, cash + effect.cash
    return units, cash, facts.state.execs


def with_action(units: Decimal, new: int, old: int, *, others: Decimal = NOTHING) -> Decimal:
    """What an account with ``others`` beside has after the house applied the split."""
    position = position_of([(Layer.PENDING.value, EX, units), (Layer.SETTLED.value, DAY, others)])
    rule = SplitRule(STOCK, D(new), D(old), "cash", D(1), "GBP", EX, EX)
    return units + others + entitlement(rule, position).units


@st.composite
def stories(draw: st.DrawFn) -> tuple[int, int, list[Report], Decimal]:
    """Fills of a day, a restatement, then corrections and busts in new shares; shuffled as they arrive; what the venue counts."""
    new, old = draw(st.sampled_from(RATIOS))
    fills = draw(st.lists(st.integers(1, 40).map(lambda n: n * old), min_size=1, max_size=5))
    said = [report(n, "F", "1", qty=qty, px=21, exec_id=f"A{n}") for n, qty in enumerate(fills, 1)]
    counted = {n: qty * new // old for n, qty in enumerate(fills, 1)}
    number = len(said) + 1
    said.append(report(number, "D", "1", order_qty=6000 * new // old if 6000 * new % old == 0 else 14000, reason="0"))
    for n in draw(st.lists(st.sampled_from(sorted(counted)), unique=True, max_size=3)):
        number += 1
        if draw(st.booleans()):
            counted[n] = 0
            said.append(report(number, "H", "1", exec_id=f"B{n}", ref=f"A{n}"))
        else:
            counted[n] = draw(st.integers(1, 50))
            said.append(report(number, "G", "1", qty=counted[n], px=7, exec_id=f"B{n}", ref=f"A{n}"))
    return new, old, draw(st.permutations(said)), D(sum(counted.values()))


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(stories(), st.integers(0, 3))
def test_restatement_and_action_commute_and_neither_counts_twice(
    story: tuple[int, int, list[Report], Decimal], lots: int
) -> None:
    new, old, arrivals, counted = story
    units, cash, execs = booked(arrivals)
    others = D(lots * old)
    assert sum((one.qty for one in execs), D(0)) == counted
    assert with_action(units, new, old, others=others) == counted + lots * new
    # One by one or at once, in any order of arrival: the books are those of the reports in the order of the venue.
    assert (units, cash) == booked(sorted(arrivals, key=lambda one: one.position.seq))[:2]
    assert all(
        is_explained(one.booked[0], one.qty, trade_date=DAY, splits=[Split(EX, D(new), D(old))]) for one in execs
    )


def test_by_hand() -> None:
    """ADR 0066: 90 at 30 of 3 for 1, corrected to 271 at 10 and busted."""
    trade, anew = report(1, "F", "1", qty=90, px=30, exec_id="A"), report(2, "D", "1", order_qty=18_000, reason="0")
    amended = report(3, "G", "1", qty=271, px=10, exec_id="B", ref="A")
    assert booked([trade, anew])[:2] == (D(90), D(-2700))
    assert with_action(D(90), 3, 1) == 270
    units, cash, _ = booked([trade, anew, amended])
    assert (units, cash) == (D("90.33333333"), D("-2710.00"))
    assert with_action(units, 3, 1) == 271
    assert booked([trade, anew, amended, report(4, "H", "1", exec_id="C", ref="B")])[:2] == (D(0), D(0))


@pytest.mark.parametrize(
    ("stated", "ex_date", "explained"),
    [
        (200, EX, True),
        (201, EX, False),
        ("200.5", EX, True),
        (100, EX, False),
        (200, DAY, False),
        (100, DAY, True),
    ],
)
def test_an_action_explains_what_a_venue_states_of_trades_before_its_ex_date(
    stated: str | int, ex_date: date, explained: bool
) -> None:
    assert is_explained(D(100), D(stated), trade_date=DAY, splits=[Split(ex_date, D(2), D(1))]) is explained


def test_excess_lies_in_suspense_in_the_shares_of_its_trade() -> None:
    said = [report(1, "F", "2", qty=6000, exec_id="A"), report(2, "F", "2", qty=90, exec_id="B")]
    execs = after(sent(qty=6000, tif="1"), *said, report(3, "D", "2", order_qty=18_000, reason="0")).state.execs
    assert booked_excess(execs, order_qty=D(18_000)) == {execs[1].identity: D(90)}
    assert booked_excess(execs, order_qty=D(18_150)) == {execs[1].identity: D(40)}


@settings(deadline=None, max_examples=150)
@given(
    fills=st.lists(st.integers(1, 400), min_size=1, max_size=6),
    more=st.integers(0, 300),
    part=st.integers(0, 300),
    ratios=st.lists(st.tuples(st.integers(1, 12), st.integers(2, 6)), min_size=1, max_size=2),
)
def test_what_was_accepted_is_split_with_everything_else(
    fills: list[int], more: int, part: int, ratios: list[tuple[int, int]]
) -> None:
    """Filled is filled, accepted is accepted, and what lies in suspense stays what it is, whatever the ratio leaves of a unit."""
    ordered = max(sum(fills) - more, 1)
    over = sum(fills) - ordered
    said = Acceptance(D(min(part, over)))
    told = [report(n, "F", "1", qty=qty, exec_id=f"A{n}") for n, qty in enumerate(fills, 1)]
    before = after(sent(qty=ordered, tif="1"), *told).state
    lying = booked_excess(before.execs, order_qty=D(ordered), accepted=accepted_units([said], before))
    assert accepted_units([said], before) == said.qty
    qty = ordered
    for n, (new, old) in enumerate(ratios, len(told) + 1):
        qty = max(
            qty * new // old, 1
        )  # a venue lists whole shares, so the ratio is what it says and not what was announced
        told.append(report(n, "D", "1", order_qty=qty, reason="0"))
        state = after(sent(qty=ordered, tif="1"), *told).state
        accepted = accepted_units([said], state)
        open_ = excess_units(cum_qty=state.cum_qty, order_qty=state.order_qty, accepted=accepted)
        assert (open_ == 0) == (said.qty == over), "nobody is asked for what a ratio leaves, nor forgotten by it"
        assert (state.cum_qty > qty) == (over > 0), "filled, and not more"
        assert booked_excess(state.execs, order_qty=state.order_qty, accepted=accepted) == lying, (
            "nothing is moved by it"
        )
        # Accepted in the units of today, it is those units, as often as it is read.
        assert accepted_units([Acceptance(D(5), state.new, state.old)], state) == 5
