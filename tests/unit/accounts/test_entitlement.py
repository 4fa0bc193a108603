"""What corporate actions entitle to: exact shares and money, layer by layer, whatever is held."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.entitlement import (
    DividendRule,
    Entitlement,
    Key,
    Part,
    Position,
    SplitRule,
    difference,
    entitlement,
    payment,
)
from accounts.domain.ledger import Layer

VOD = UUID(int=7)
EX, PAY, T1, T2 = date(2026, 11, 23), date(2026, 12, 4), date(2026, 11, 24), date(2026, 11, 25)


def held(settled: str = "0", pending: dict[date, str] | None = None, short: str = "0") -> Position:
    parts = [Part(Layer.SETTLED, date(2026, 1, 2), Decimal(settled))]
    parts += [Part(Layer.PENDING, day, Decimal(units)) for day, units in sorted((pending or {}).items())]
    parts += [Part(Layer.SHORT, T1, Decimal(short))]
    return Position(tuple(part for part in parts if part.units))


def split(new: str, old: str, fractions: str = "cash", px: str = "10.005", currency: str = "GBP") -> SplitRule:
    return SplitRule(VOD, Decimal(new), Decimal(old), fractions, Decimal(px), currency, EX, PAY)


def units(found: Entitlement) -> dict[tuple[str, date], Decimal]:
    return {(key.layer.value, key.settlement_date): amount for key, amount in found.lines.items() if key.instrument_id}


def test_two_for_one_doubles_every_layer_on_its_own_date() -> None:
    found = entitlement(split("2", "1"), held("100", {T1: "50", T2: "-30"}, short="7"))
    assert units(found) == {
        ("settled", EX): Decimal(100),
        ("pending", T1): Decimal(50),
        ("pending", T2): Decimal(-30),
        ("short", T1): Decimal(7),
    }
    assert (found.cash, found.fraction, found.units) == (Decimal(0), Decimal(0), Decimal(113))


@pytest.mark.parametrize(
    ("position", "rule", "shares", "cash", "fraction"),
    [
        (held("75", {T1: "50"}), split("3", "2"), "62", "5.00", "0.5"),  # 125 -> 187.5: 5.0025 half-even
        (held("75"), split("3", "2", px="10.01"), "37", "5.00", "0.5"),  # 112.5: 5.005 to the even cent
        (held("75"), split("3", "2", px="10.03"), "37", "5.02", "0.5"),  # 5.015 to the even cent
        (held("75"), split("3", "2", "up"), "38", "0", "-0.5"),
        (held("75"), split("3", "2", "down"), "37", "0", "0.5"),
        (held("109"), split("1", "10"), "-99", "9.00", "0.9"),  # 9.0045
        (held("9"), split("1", "10"), "-9", "9.00", "0.9"),  # all of it is a fraction
        (held("0", short="5"), split("3", "2"), "-2", "-5.00", "-0.5"),  # who is short owes
        (held("100"), split("1", "3", px="3"), "-67", "1.00", "0.33333333"),
        (held("101", {T1: "-30"}), split("3", "2", px="2"), "35", "1.00", "0.5"),
        (held("75"), split("3", "2", currency="JPY", px="101"), "37", "50", "0.5"),  # 50.5 yen to the even one
    ],
)
def test_fractions(position: Position, rule: SplitRule, shares: str, cash: str, fraction: str) -> None:
    found = entitlement(rule, position)
    assert (found.units, found.cash, found.fraction) == (Decimal(shares), Decimal(cash), Decimal(fraction))


@pytest.mark.parametrize(
    ("position", "amount", "cash"),
    [
        (held("100"), "0.125", "12.50"),
        (held("100", {T1: "40"}), "0.125", "17.50"),  # the unsettled purchase is entitled: a claim
        (held("100", {T1: "-100"}), "0.125", "0"),  # sold before the ex date, delivered later
        (held(short="100"), "0.125", "-12.50"),
        (held("3"), "0.125", "0.38"),  # 0.375
        (held("1"), "0.125", "0.12"),  # 0.125 to the even cent
    ],
)
def test_dividends(position: Position, amount: str, cash: str) -> None:
    found = entitlement(DividendRule(VOD, Decimal(amount), "GBP", EX, PAY), position)
    assert (found.cash, found.units) == (Decimal(cash), Decimal(0))
    assert all(key == Key("dividend", Layer.PENDING, "GBP", None, PAY) for key in found.lines)


def test_the_payment_settles_what_was_receivable_and_nothing_else() -> None:
    due = entitlement(DividendRule(VOD, Decimal("0.5"), "USD", EX, PAY), held("10"))
    key = Key("dividend", Layer.PENDING, "USD", None, PAY)
    assert payment(due.lines).lines == {key: Decimal("-5.00"), key._replace(layer=Layer.SETTLED): Decimal("5.00")}


amounts = st.integers(min_value=-100_000, max_value=100_000).map(Decimal)
positive = st.integers(min_value=0, max_value=100_000).map(Decimal)
positions = st.builds(
    lambda settled, one, two, short: Position(
        tuple(
            part
            for part in (
                Part(Layer.SETTLED, EX, settled),
                Part(Layer.PENDING, T1, one),
                Part(Layer.PENDING, T2, two),
                Part(Layer.SHORT, T1, short),
            )
            if part.units
        )
    ),
    positive,
    amounts,
    amounts,
    positive,
)
sizes = st.integers(min_value=1, max_value=1000).map(Decimal)


@given(positions, sizes, sizes, st.sampled_from(["cash", "up", "down"]))
def test_a_split_conserves_shares_and_value(position: Position, new: Decimal, old: Decimal, fractions: str) -> None:
    px = Decimal("12.34")
    rule = split(str(new), str(old), fractions, str(px))
    found = entitlement(rule, position)
    ratio = Fraction(new) / Fraction(old)
    for leg, before in ((False, position.long), (True, position.short)):
        change = sum(
            (amount for key, amount in found.lines.items() if key.instrument_id and (key.layer is Layer.SHORT) == leg),
            Decimal(0),
        )
        after, exact = before + change, Fraction(before) * ratio
        assert after == after.to_integral_value()
        assert abs(Fraction(after) - exact) < 1
        assert abs(after) <= abs(exact) or fractions == "up"
    if fractions == "cash":
        exact_net = Fraction(position.long - position.short) * ratio
        kept = Fraction(position.long - position.short + found.units)
        assert abs((exact_net - kept) * Fraction(px) - Fraction(found.cash)) <= Fraction(1, 200)
    else:
        assert found.cash == 0


@given(positions, positions, sizes, sizes)
def test_whatever_changes_later_the_difference_leads_to_the_same_books(
    first: Position, then: Position, new: Decimal, old: Decimal
) -> None:
    rule = split(str(new), str(old))
    kept = dict(entitlement(rule, first).lines)
    for wanted in (entitlement(rule, then).lines, {}):
        for key, amount in difference(wanted, kept).items():
            kept[key] = kept.get(key, Decimal(0)) + amount
        assert {key: amount for key, amount in kept.items() if amount} == dict(wanted)
        assert difference(wanted, kept) == {}
