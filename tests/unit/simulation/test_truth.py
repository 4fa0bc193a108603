"""The venue's truth is its own: it shares no code with what it judges, and its arithmetic is right by other means."""

from __future__ import annotations

import ast
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import venues.simulation
from venues.simulation.messages import Words, digits, read, units, write
from venues.simulation.script import PX, QTY
from venues.simulation.truth import Happening, VenueOrder, average, cents, cents_up, half_even

HERE = Path(venues.simulation.__file__).parent
OURS = ("kernel", "journal", "accounts", "orders", "risk", "venues.adapters", "venues.domain", "decimal")


@pytest.mark.parametrize("name", ["truth", "venue", "acts", "messages", "script", "choices", "wire"])
def test_the_venue_and_the_wire_use_nothing_of_ours(name: str) -> None:
    imported = {
        node.module or ""
        for node in ast.walk(ast.parse((HERE / f"{name}.py").read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    assert {module for module in imported if module.startswith(OURS)} == set()


@given(st.integers(0, 10**12), st.integers(1, 10**9))
def test_half_even(numerator: int, denominator: int) -> None:
    exact = Decimal(numerator) / Decimal(denominator)
    if len(str(exact)) < 28:  # within the digits of the decimal context the two must agree
        assert half_even(numerator, denominator) == int(exact.to_integral_value(ROUND_HALF_EVEN))


def test_money_of_a_trade() -> None:
    assert cents(3 * QTY, 1005 * PX // 1000, 1) == 302  # 3.015 to the even cent
    assert cents_up(3 * QTY, 1001 * PX // 1000, 1) == 301
    assert cents(100 * QTY, 250 * PX, 100) == 25_000  # pence
    assert average(3 * QTY * PX + QTY * 2 * PX, 4 * QTY) == 12_500_000_000
    assert average(0, 0) == 0


@given(st.integers(0, 10**14))
def test_numbers_survive_the_wire(value: int) -> None:
    assert units(digits(value, PX), PX) == value


def test_what_is_finer_than_the_scale_is_no_number() -> None:
    with pytest.raises(ValueError, match="no number"):
        units("1.001", QTY)


def an_order() -> VenueOrder:
    return VenueOrder("V", 0, "A.1", "A.1", "1", "0", 1000 * QTY, 10 * PX)


def test_amendments_hold_for_those_who_heard_of_the_trade() -> None:
    order = an_order()
    order.history += [
        Happening(1, "trade", 0, 500, PX),
        Happening(2, "correct", 0, 300, PX, 1),
        Happening(3, "split", -1, 2, 1),
        Happening(4, "correct", 0, 800, PX, 2),
        Happening(5, "bust", 1, 0, PX, 6),
        Happening(6, "trade", 1, 700, PX),
    ]
    assert order.executed({1}.__contains__) == [(500, PX)]
    assert order.executed({2, 3}.__contains__) == []
    assert order.executed({1, 2, 3}.__contains__) == [(600, PX // 2)]
    assert order.executed({1, 4}.__contains__) == [(500, PX)]  # it names a version nobody has heard of
    assert order.executed({1, 2, 3, 4, 5, 6}.__contains__) == [(800, PX), (0, PX)]
    assert order.executed({6}.__contains__) == [(700, PX)]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, "A"),
        ({"acked": "0"}, "0"),
        ({"acked": "0", "suspended": True}, "9"),
        ({"acked": "0", "suspended": True, "stopped": True}, "7"),
        ({"acked": "0", "dead": "4"}, "4"),
        ({"acked": "0", "dead": "C", "pending": [("A.2", "E"), ("A.3", "6")]}, "6"),
        ({"acked": "0", "done_on": 1}, "3"),
        ({"acked": "0", "rejected": True}, "8"),
    ],
)
def test_status_by_precedence(change: dict[str, object], status: str) -> None:
    order = an_order()
    for name, value in change.items():
        setattr(order, name, value)
    assert order.status(2) == status


def test_a_report_in_two_dialects() -> None:
    words = Words("G", "1", "V", "A.1", exec_id="E2", ref="E1", order_qty=1000, px=PX, last_qty=50, last_px=PX, cum=50)
    new = read(write(words, "fix44", seq=7, clock="20260105-09:00:01.000"))
    old = read(write(words, "fix42", seq=7, clock="20260105-09:00:01.000", repeat=True))
    assert (new[150], new.get(20), new[34], new.get(97), new[75]) == ("G", None, "7", None, "20260105")
    assert (old[150], old[20], old[97], old[8], old[32]) == ("1", "2", "Y", "FIX.4.2", "0.5")
