"""Columns of a preview say what every line of it says alone: the same shares, charges, checks and differences."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from uuid import UUID

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.fee_book import NOT_COVERED, Selected
from accounts.domain.fees import Basis, ChargeKind, ChargeTerms
from allocations.domain.account_checks import AccountFacts, FactColumns, Have, checks_of
from allocations.domain.allocating import Plan, make_plan
from allocations.domain.block import Block, units_text
from allocations.domain.charging import Earlier, charges_of
from allocations.domain.lines import Line
from allocations.domain.methods import lines_to_json, read_lines, read_stated
from allocations.domain.weighed_text import lines_text
from allocations.domain.weighing import WeighedLine, left_out, weigh
from allocations.domain.words import Method
from kernel.fix import Side
from kernel.numbers import ZERO, Rounding, plain

COMMISSION = ChargeTerms(
    "commission", 1, ChargeKind.COMMISSION, Basis.ORDER_DAY, Rounding.HALF_EVEN, "GBP", bps=D(12), minimum=D(7)
)
DUTY = ChargeTerms("duty", 3, ChargeKind.TAX, Basis.ORDER_DAY, Rounding.UP, "GBP", bps=D(50), above=D(20))
SCHEDULES = {
    "": Selected((COMMISSION, DUTY), covered=True),
    "fund": Selected((DUTY,), covered=True),
    "new": NOT_COVERED,
}
MONEY = st.integers(-100, 100_000).map(lambda pence: D(pence) / 100)
UNITS = st.integers(0, 200).map(D)
ACCOUNTS = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["active", "active", "active", "frozen", "reduce_only", "closed"]),
        "cash": MONEY,
        "stock": UNITS,
        "short": UNITS,
        "restricted": st.sampled_from([False, False, False, True]),
        "outside_mandate": st.sampled_from(["", "", "", "The mandate has no bonds."]),
        "blocked": st.sampled_from(["", "", "", "a break"]),
        "account_class": st.sampled_from(["", "", "fund", "new"]),
    }
)
AMOUNTS = st.builds(
    lambda zeros, number, rest: f"{'0' * zeros}{number}{rest}",
    st.integers(0, 2), st.integers(0, 999), st.sampled_from(["", "", ".5", ".0"]),
)  # fmt: skip
LINES = st.lists(st.tuples(st.integers(0, 4), ACCOUNTS), min_size=1, max_size=9)


def by_the_line(
    plan: Plan, side: Side, facts: list[AccountFacts], earlier: dict[UUID, Earlier], said: list[D] | None
) -> list[WeighedLine]:
    """The rule as it is: each share by the schedules of its account's class, then checked."""
    found = []
    for place, (line, known) in enumerate(zip(plan.lines, facts, strict=True)):
        selected, before = SCHEDULES[known.account_class], earlier.get(line.account_id)
        owed = (
            charges_of(selected, qty=line.qty, value=abs(line.gross), currency="GBP", earlier=before)
            if line.qty
            else ()
        )
        fees = sum((charge.amount for charge in owed), ZERO)
        checks = checks_of(side, line.qty, line.gross - fees, known)
        wanted = said[place] if said else None
        found.append(WeighedLine(f"A{place}", line, owed, fees, line.gross - fees, checks, wanted))
    return found


@settings(max_examples=150, deadline=None)
@given(
    side=st.sampled_from([Side.BUY, Side.SELL, Side.SELL_SHORT]),
    drawn=LINES,
    qty=st.integers(1, 900),
    px=st.integers(1, 9_999_999),
    had=st.sets(st.integers(0, 8)),
    compared=st.booleans(),
)
def test_columns_are_their_lines(
    side: Side, drawn: list[tuple[int, dict[str, object]]], qty: int, px: int, had: set[int], compared: bool
) -> None:
    block = Block(UUID(int=7), side, D(qty), D(qty) * D(px) / 1000, D(px), "GBP", b"seed", divisor=100)
    lines = [Line(UUID(int=place + 1), D(amount), place) for place, (amount, _) in enumerate(drawn)]
    plan = make_plan(Method.WEIGHTS, block, lines)
    if not isinstance(plan, Plan):
        return
    rows = [
        AccountFacts(covered=SCHEDULES[str(known["account_class"])].covered, currency="GBP", **known)  # type: ignore[arg-type]
        for _, known in drawn
    ]
    state, cash, stock, short, restricted, outside, covered, _, blocked, classes = zip(*rows, strict=True)
    facts = FactColumns(state, Have(cash, stock, short), restricted, outside, covered, "GBP", blocked, classes)
    earlier = {UUID(int=place + 1): Earlier(D(3), D("90.50"), {"commission": D("1.20")}) for place in had}
    said = [D(place * 3) for place in range(len(lines))] if compared else None

    codes = [f"A{place}" for place in range(len(lines))]
    found = replace(weigh(plan, side, codes, facts, SCHEDULES, earlier), said=said)
    expected = by_the_line(plan, side, rows, earlier, said)

    assert found.lines == expected
    assert set(found.checks) == {place for place, line in enumerate(expected) if line.checks}
    assert (found.qty, found.gross) == (sum(one.line.qty for one in expected), sum(one.line.gross for one in expected))
    assert (found.fees, found.differing) == (
        sum(one.fees for one in expected),
        sum(bool(one.difference) for one in expected),
    )
    assert orjson.loads(lines_text(found)) == [told(line) for line in expected]


def told(line: WeighedLine) -> dict[str, object]:
    """A line as the API tells it."""
    body: dict[str, object] = {
        "account": line.account, "qty": plain(line.line.qty), "exact": plain(line.line.exact), "gross": str(line.line.gross),
        "fees": str(line.fees), "net": str(line.net),
    }  # fmt: skip
    if line.charges:
        body["charges"] = [[one.kind, one.name, one.version, plain(one.amount)] for one in line.charges]
    if line.checks:
        body["checks"] = [[check.code.value, check.sentence] for check in line.checks]
    return body if line.said is None else body | {"said": plain(line.said)}


def test_who_was_to_get_something_and_is_no_line_is_left_out() -> None:
    block = Block(UUID(int=7), Side.BUY, D(10), D(100), D(-100), "GBP", b"seed")
    plan = make_plan(Method.WEIGHTS, block, [Line(UUID(int=1), D(1))])
    assert isinstance(plan, Plan)
    assert left_out(plan, {UUID(int=1): D(5), UUID(int=2): D(4), UUID(int=3): ZERO}) == {UUID(int=2): D(4)}


@given(units=st.integers(0, 10**20))
def test_units_as_text(units: int) -> None:
    assert units_text(units) == plain(D(units).scaleb(-8))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {"account": st.sampled_from(["A", "B\"", "C\\"]), "weight": AMOUNTS},
            optional={"min_qty": st.sampled_from(["0", "3", "2.50"]), "house": st.booleans()},
        ),
        max_size=4,
    )
)  # fmt: skip
def test_lines_are_kept_in_one_form(rows: list[dict[str, object]]) -> None:
    """However numbers were written, and whether lines were read one by one or a column at a time."""
    stated, kept = read_stated(Method.WEIGHTS, rows)
    lines = stated.rows
    assert list(kept) == lines_to_json(Method.WEIGHTS, lines)
    assert read_lines(Method.WEIGHTS, kept) == lines
    assert [(line.account, line.amount) for line in lines] == [(row["account"], D(str(row["weight"]))) for row in rows]
