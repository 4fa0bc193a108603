"""Any block, any lines, any method: what can never happen does not, and what is refused says why."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocations.domain.allocate import allocate
from allocations.domain.allocating import Plan, make_plan
from allocations.domain.block import Block
from allocations.domain.lines import Allocation, Line, NotAllocated, RotationMark, Rules
from allocations.domain.words import CAPPED, AllocationCode, BelowMinimum, Method, PartialFill
from kernel.fix import Side
from kernel.numbers import minor_unit
from tests.unit.allocations.blocks import account, block, line

COMPUTED = [one for one in Method if one is not Method.MANUAL]
RULES = st.builds(
    Rules,
    partial=st.sampled_from(PartialFill),
    below_minimum=st.sampled_from(BelowMinimum),
    house_needed=st.booleans(),
    price_places=st.sampled_from([None, 0, 2, 8]),
)
FILLS = st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 10**7)), min_size=1, max_size=6)


@st.composite
def blocks(draw: st.DrawFn, lots: tuple[str, ...] = ("1", "100", "0.001", "7")) -> Block:
    lot = draw(st.sampled_from(lots))
    fills = [(str(D(qty) * min(D(lot), D(1))), str(D(px) / 10_000)) for qty, px in draw(FILLS)]
    made = block(
        *fills,
        side=draw(st.sampled_from(Side)),
        lot=lot,
        divisor=draw(st.sampled_from([1, 100])),
        currency=draw(st.sampled_from(["GBP", "JPY", "KWD"])),
        first_execution=draw(st.integers(1, 10**6)),
    )
    more = draw(st.sampled_from([None, 1, 3]))
    return made if more is None else replace(made, order_qty=made.qty * more + 1)


@st.composite
def lines_for(draw: st.DrawFn, method: Method, made: Block) -> list[Line]:
    count = draw(st.integers(1, 9))
    amounts = [D(draw(st.integers(0, 4000))) for _ in range(count)]
    if method is Method.PERCENTAGE:
        cuts = sorted(draw(st.lists(st.integers(0, 10_000), min_size=count - 1, max_size=count - 1)))
        amounts = [D(end - start) / 100 for start, end in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    elif method in (Method.FIXED, Method.ROTATION):
        amounts = [amount * made.lot for amount in amounts]
    minimums = [D(draw(st.sampled_from([0, 0, 1, 150, 900]))) for _ in range(count)]
    return [
        Line(
            account(number + 1),
            amount,
            place=draw(st.integers(0, 3)),
            minimum=minimum,
            house=draw(st.booleans()),
            position=D(draw(st.integers(-500, 500))) if method is Method.TARGET_POSITION else D(0),
        )
        for number, (amount, minimum) in enumerate(zip(amounts, minimums, strict=True))
    ]


def claim_of(method: Method, made: Block, one: Line) -> D:
    if method is Method.TARGET_POSITION:
        return max(D(0), one.amount - one.position if made.side.is_buy else one.position - one.amount)
    return one.amount


@settings(max_examples=500, deadline=None)
@given(st.data(), st.sampled_from(COMPUTED), blocks(), RULES)
def test_whatever_is_divided(data: st.DataObject, method: Method, made: Block, rules: Rules) -> None:
    lines = data.draw(lines_for(method, made))
    plan = make_plan(method, made, lines, rules)
    assert make_plan(method, made, data.draw(st.permutations(lines)), rules) == plan
    if isinstance(plan, NotAllocated):
        assert plan.sentence.endswith(".")
        assert (plan.code is AllocationCode.LINES_AT_FAULT) == bool(plan.faults)
        return
    assert len(plan.lines) == len(lines)
    assert sum(one.qty for one in plan.lines) == made.qty
    assert sum(one.gross for one in plan.lines) + plan.residual == made.cash
    odd = made.qty % made.lot
    assert [one.qty % made.lot for one in plan.lines if one.qty % made.lot] == ([odd] if odd else [])
    unit = minor_unit(made.currency)
    assert all(one.qty >= 0 and one.gross % unit == 0 for one in plan.lines)
    by_account = {one.account_id: one for one in lines}
    # Who stays below a minimum gets nothing, and the others share what that leaves: then they get more than they claimed.
    nobody_gave_way = all(one.qty or not claim_of(method, made, by_account[one.account_id]) for one in plan.lines)
    for one in plan.lines:
        stated = by_account[one.account_id]
        if rules.below_minimum is not BelowMinimum.IGNORE and method is not Method.ROTATION:
            assert one.qty == 0 or one.qty >= stated.minimum
        if method in CAPPED and nobody_gave_way:
            assert one.qty < claim_of(method, made, stated) + made.lot
    _clients_come_first(method, made, by_account, plan, rules)


def _clients_come_first(method: Method, made: Block, lines: dict[Any, Line], plan: Plan, rules: Rules) -> None:
    """A house that got something while clients claimed more than the block: only where the record proves that it was needed.

    A client whose share stays below his own minimum has given way to everybody, the house among them.
    """
    if rules.house_needed or method not in CAPPED:
        return
    asking = [one for one in plan.lines if not one.house and (one.qty or not lines[one.account_id].minimum)]
    clients = sum(claim_of(method, made, lines[one.account_id]) for one in asking)
    if clients >= made.qty:
        assert sum(one.qty for one in plan.lines if one.house) == 0


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([Method.FIXED, Method.PRO_RATA]),
    st.lists(st.integers(0, 500), min_size=1, max_size=8).filter(any),
    st.integers(0, 99),
    st.integers(0, 7),
)
def test_what_everybody_claims_is_what_everybody_gets(method: Method, lots: list[int], odd: int, holder: int) -> None:
    """All of it executed, in whole lots but for one line, which then is what the block has beyond whole lots."""
    amounts = [size * 100 for size in lots]
    amounts[holder % len(lots)] += odd
    lines = [line(number, str(amount)) for number, amount in enumerate(amounts, start=1)]
    result = allocate(method, block((str(sum(amounts)), "1"), lot="100"), lines)
    assert isinstance(result, Allocation)
    assert [share.qty for share in result.shares] == amounts
    assert all(share.rounding == 0 for share in result.shares)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from([Method.WEIGHTS, Method.PRO_RATA, Method.PERCENTAGE]), blocks())
def test_a_larger_claim_never_gets_less(data: st.DataObject, method: Method, made: Block) -> None:
    lines = [one._replace(minimum=D(0), house=False) for one in data.draw(lines_for(method, made))]
    result = allocate(method, made, lines)
    if isinstance(result, NotAllocated):
        return
    got = {share.account_id: share.qty - (share.qty % made.lot) for share in result.shares}
    for one in lines:
        for other in lines:
            if one.amount > other.amount:
                assert got[one.account_id] >= got[other.account_id]
            if one.amount == other.amount:
                assert abs(got[one.account_id] - got[other.account_id]) <= made.lot


@settings(max_examples=100, deadline=None)
@given(st.data(), blocks())
def test_every_share_is_its_exact_part_to_within_a_lot(data: st.DataObject, made: Block) -> None:
    lines = [one._replace(minimum=D(0), house=False) for one in data.draw(lines_for(Method.WEIGHTS, made))]
    result = allocate(Method.WEIGHTS, made, lines)
    if isinstance(result, Allocation):
        assert all(abs(share.rounding) <= made.lot + made.qty % made.lot for share in result.shares)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_a_rotation_over_many_blocks_is_one_long_rotation(turns: list[int], sizes: list[int]) -> None:
    lines = [line(number, str(size)) for number, size in enumerate(turns, start=1)]
    got: dict[Any, D] = defaultdict(D)
    mark: RotationMark | None = None
    for size in sizes:
        result = allocate(Method.ROTATION, block((str(size), "1")), lines, Rules(start=mark))
        assert isinstance(result, Allocation)
        mark = result.rotation
        for share in result.shares:
            got[share.account_id] += share.qty
    whole = allocate(Method.ROTATION, block((str(sum(sizes)), "1")), lines)
    assert isinstance(whole, Allocation)
    assert got == {share.account_id: share.qty for share in whole.shares}
    assert whole.rotation == mark
    full_turns = [share.qty / size for share, size in zip(whole.shares, turns, strict=True)]
    assert max(full_turns) - min(full_turns) <= 1


def test_a_rotation_whose_account_has_left_goes_on_with_the_next() -> None:
    lines = [line(1, "10"), line(3, "10")]
    result = allocate(Method.ROTATION, block(("5", "1")), lines, Rules(start=RotationMark(2, account(2), D(7))))
    assert isinstance(result, Allocation)
    assert [share.qty for share in result.shares] == [0, 5]
    assert result.rotation == RotationMark(3, account(3), D(5))


def test_ties_are_won_by_all_alike() -> None:
    """One lot, three equal lines, 3,000 blocks: a third each, to within four standard deviations."""
    won: Counter[Any] = Counter()
    for number in range(3000):
        made = block(("1", "1"), first_execution=number + 1)
        result = allocate(Method.WEIGHTS, made, [line(1, "1"), line(2, "1"), line(3, "1")])
        assert isinstance(result, Allocation)
        won.update(share.account_id for share in result.shares if share.qty)
    assert sum(won.values()) == 3000
    assert all(abs(count - 1000) <= 104 for count in won.values()), won


def test_the_seed_is_of_the_executions_and_of_nothing_else() -> None:
    fills = [("3", "1"), ("4", "2")]
    made, again = block(*fills), block(*fills, order_qty="90", side=Side.SELL, lot="2")
    assert made.seed == again.seed
    assert made.seed != block(*fills, first_execution=2).seed
    assert block().seed != made.seed


MANUAL = [
    (["60", "40"], {}, None),
    (["60", "39"], {}, AllocationCode.QUANTITIES_NOT_BLOCK),
    (["60", "41"], {}, AllocationCode.QUANTITIES_NOT_BLOCK),
    (["60", "40"], {"minimum": 41}, AllocationCode.LINES_AT_FAULT),
    (["60", "40"], {"house": True}, None),
]


@pytest.mark.parametrize(("amounts", "second", "code"), MANUAL)
def test_typed_quantities(amounts: list[str], second: dict[str, object], code: AllocationCode | None) -> None:
    lines = [line(1, amounts[0]), line(2, amounts[1], **second)]
    result = allocate(Method.MANUAL, block(("100", "1")), lines)
    assert (result.code if isinstance(result, NotAllocated) else None) == code


def test_typed_quantities_may_not_put_the_house_first() -> None:
    lines = [line(1, "60", intended="90"), line(2, "40", house=True, intended="40")]
    made = block(("100", "1"))
    refused = allocate(Method.MANUAL, made, lines)
    assert isinstance(refused, NotAllocated)
    assert refused.code is AllocationCode.HOUSE_BEFORE_CLIENTS
    assert isinstance(allocate(Method.MANUAL, made, lines, Rules(house_needed=True)), Allocation)
    assert isinstance(allocate(Method.MANUAL, made, [lines[0]._replace(intended=D(60)), lines[1]]), Allocation)


REFUSED = [
    (Method.WEIGHTS, [], {}, "NO_LINES", []),
    (Method.WEIGHTS, [line(1, "0")], {}, "NOTHING_CLAIMED", []),
    (Method.WEIGHTS, [line(1, "-1")], {}, "LINES_AT_FAULT", ["AMOUNT_NEGATIVE"]),
    (Method.WEIGHTS, [line(1, "1"), line(1, "1")], {}, "LINES_AT_FAULT", ["DUPLICATE_ACCOUNT"] * 2),
    (Method.WEIGHTS, [line(1, "0.000000001")], {}, "LINES_AT_FAULT", ["AMOUNT_TOO_FINE"]),
    (Method.PERCENTAGE, [line(1, "33.33"), line(2, "66.66")], {}, "PERCENT_NOT_100", []),
    (Method.PRO_RATA, [line(1, "99")], {}, "BLOCK_ABOVE_TARGETS", []),
    (Method.PRO_RATA, [line(1, "200", minimum="201")], {}, "LINES_AT_FAULT", ["TARGET_BELOW_MINIMUM"]),
    (Method.FIXED, [line(1, "105"), line(2, "5")], {"lot": "10"}, "LINES_AT_FAULT", ["NOT_WHOLE_LOTS"] * 2),
    (Method.WEIGHTS, [line(1, "1", minimum="101")], {}, "MINIMUMS_NOT_MET", []),
    (Method.PRO_RATA, [line(1, "60"), line(2, "90", minimum="70")], {}, "MINIMUMS_LEAVE_A_REST", []),
    (Method.WEIGHTS, [line(1, "1", minimum="60")], {"lot": "1000"}, "", []),
    (Method.WEIGHTS, [line(1, "1", minimum="101")], {"lot": "1000"}, "ODD_REST_FITS_NOBODY", []),
    (Method.ROTATION, [line(1, "0")], {}, "TURN_NOT_SET", []),
    (Method.ROTATION, [line(1, "5"), line(2, "5", house=True)], {}, "HOUSE_BEFORE_CLIENTS", []),
    (Method.TARGET_POSITION, [line(1, "50", position="60")], {}, "NOTHING_CLAIMED", []),
    (Method.TARGET_POSITION, [line(1, "500", position="60", minimum="441")], {}, "NOTHING_CLAIMED", []),
]


@pytest.mark.parametrize(("method", "lines", "more", "code", "faults"), REFUSED)
def test_refused(method: Method, lines: list[Line], more: dict[str, Any], code: str, faults: list[str]) -> None:
    result = allocate(method, block(("100", "1"), **more), lines)
    found = result if isinstance(result, NotAllocated) else NotAllocated("", "")  # type: ignore[arg-type]
    assert (str(found.code), [str(fault.code) for fault in found.faults]) == (code, faults)


def test_nothing_executed_is_nothing_to_allocate() -> None:
    result = allocate(Method.WEIGHTS, block(("0", "1")), [line(1, "1")])
    assert isinstance(result, NotAllocated)
    assert result.code is AllocationCode.NOTHING_EXECUTED


def test_the_digest_names_quantities_and_money() -> None:
    lines = [line(1, "1"), line(2, "2")]
    plan, same = (make_plan(Method.WEIGHTS, block(("90", "1.5")), lines) for _ in range(2))
    other_price = make_plan(Method.WEIGHTS, block(("90", "1.6")), lines)
    other_share = make_plan(Method.WEIGHTS, block(("90", "1.5")), [lines[0], line(2, "3")])
    assert isinstance(plan, Plan)
    assert isinstance(same, Plan)
    assert isinstance(other_price, Plan)
    assert isinstance(other_share, Plan)
    assert plan.digest == same.digest
    assert len({plan.digest, other_price.digest, other_share.digest}) == 3
