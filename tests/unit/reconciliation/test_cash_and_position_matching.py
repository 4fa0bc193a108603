"""Cash by entry and never by balance alone; positions by account, instrument and basis and never by net."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from reconciliation.domain.cash_days import of_the_day, tell_other_days
from reconciliation.domain.cash_matching import OurBalance, OurCash, TheirBalance, TheirEntry, judge_cash
from reconciliation.domain.findings import Finding
from reconciliation.domain.position_matching import ActionNear, OurPosition, TheirPosition, judge_positions
from reconciliation.domain.rules import Rules

DAY = date(2026, 11, 26)
ACCOUNT, INSTRUMENT = UUID(int=1), UUID(int=2)


def matter(ref: str, amount: str, **values: Any) -> OurCash:
    return OurCash(
        key=f"k{ref}", account_id=ACCOUNT, account="A", currency="GBP", amount=Decimal(amount), value_date=DAY, ref=ref,
        refs=frozenset({ref}), group="O-1", groups=frozenset({"O-1", "C1"}), **values,
    )  # fmt: skip


def entry(line: int, ref: str, amount: str, **values: Any) -> TheirEntry:
    standard: dict[str, Any] = {"account_id": ACCOUNT, "value_date": DAY, "words": (ref,), "entry_ref": f"B{line}"}
    return TheirEntry(line, "A", "GBP", Decimal(amount), our_ref=ref, **(standard | values))


def cash(
    ours: list[OurCash], entries: list[TheirEntry], balances: list[TheirBalance] | None = None, booked: str = "0"
) -> list[str]:
    books = [OurBalance(ACCOUNT, "A", "GBP", Decimal(booked))]
    found = judge_cash(ours, entries, balances or [], books, rules=Rules(), with_entries=bool(entries))
    return sorted(one.category.value for one in found.findings)


OURS = [matter("X1", "-100", cost=Decimal(-2)), matter("X2", "-50")]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry(1, "X1", "-100"), entry(2, "X2", "-50")], []),
        ([entry(1, "C1", "-150")], []),  # one entry for the order: all its matters of the day
        ([entry(1, "C1", "-149")], ["quantity"]),
        ([entry(1, "X1", "-98"), entry(2, "X2", "-50")], ["fee"]),
        ([entry(1, "X1", "-50"), entry(2, "X2", "-100")], ["quantity", "quantity"]),  # the net agrees, and nothing else
        ([entry(1, "X1", "-100"), entry(2, "X1", "-100"), entry(3, "X2", "-50")], ["duplicate_suspect"]),
        ([entry(1, "X1", "-100")], ["missing_external"]),
        ([entry(1, "X1", "-100"), entry(2, "", "-50", words=())], ["missing_external", "missing_internal"]),
        ([entry(1, "X1", "-100", value_date=DAY + timedelta(days=1)), entry(2, "X2", "-50")], ["timing"]),
        ([entry(1, "X1", "-60"), entry(2, "X2", "-50"), entry(3, "X1", "-40")], []),  # paid in parts
        ([entry(1, "X1", "-50"), entry(2, "X2", "-50"), entry(3, "X1", "-50")], []),  # in equal ones
        ([entry(1, "X1", "-60"), entry(2, "X2", "-50"), entry(3, "X1", "-30")], ["quantity"]),  # and not all of it
        ([entry(1, "X1", "-60"), entry(2, "X2", "-50"), entry(3, "X1", "-41")], ["missing_internal", "quantity"]),
        ([entry(1, "X1", "-101"), entry(2, "X2", "-50"), entry(3, "X1", "1")], ["missing_internal", "quantity"]),
        ([entry(1, "NET", "-150", words=("NET", "X1", "X2"))], []),  # names both
        ([entry(1, "NET", "-150", words=("NET", "X1"))], ["missing_external", "quantity"]),
    ],
)
def test_cash_is_matched_by_entry(entries: list[TheirEntry], expected: list[str]) -> None:
    assert cash(OURS, entries) == expected


def test_parts_are_told_with_all_their_lines_and_more_than_it_names_what_took_it() -> None:
    parts = judge_cash(
        OURS[:1], [entry(4, "X1", "-60"), entry(7, "X1", "-30")], [], [], rules=Rules(), with_entries=True
    )
    (short,) = parts.findings
    assert (short.lines, short.exposure) == ((4, 7), Decimal(10))
    assert "The bank moved -90 GBP in 2 entries" in short.why
    over = judge_cash(
        OURS[:1], [entry(4, "X1", "-100"), entry(7, "X1", "-3")], [], [], rules=Rules(), with_entries=True
    )
    assert "our books have -100 under that reference, which another entry tells already" in over.findings[0].why


def test_a_balance_is_told_only_where_entries_do_not_explain_it() -> None:
    entries = [entry(1, "X1", "-100"), entry(2, "X2", "-40")]
    row = TheirBalance(9, "A", "GBP", Decimal(860), ACCOUNT, Decimal(1000))
    assert cash(OURS, entries, [row], booked="850") == ["quantity"]  # the entry, and 10 of the balance by it
    assert cash(OURS, entries, [row], booked="849") == ["quantity", "quantity"]
    assert cash([], [], [row], booked="860") == []
    assert cash([], [], [row, row], booked="860") == ["duplicate_suspect"]
    assert cash([], [], [row], booked="859.99") == ["quantity"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [("100", []), ("130", []), ("90", []), ("70", []), ("110", ["quantity"]), ("120", ["quantity"])],
)
def test_a_bank_may_say_what_was_booked_when_its_file_came_or_what_is_now(said: str, expected: list[str]) -> None:
    book = OurBalance(ACCOUNT, "A", "GBP", Decimal(100), Decimal(30), settled_later=Decimal(30), due_later=Decimal(10))
    row = TheirBalance(9, "A", "GBP", Decimal(said), ACCOUNT)
    found = judge_cash([], [], [row], [book], rules=Rules(), with_entries=False)
    assert [one.category.value for one in found.findings] == expected


def positions(settled: str, *said: str, due: str = "0", actions: Any = (), **values: Any) -> list[Finding]:
    ours = [OurPosition(ACCOUNT, "A", INSTRUMENT, "GB00BH4HKS39", Decimal(settled), Decimal(due), Decimal(settled))]
    standard: dict[str, Any] = {"account_id": ACCOUNT, "instrument_id": INSTRUMENT, "isin": "GB00BH4HKS39"}
    rows = [
        TheirPosition(n, "A", "GB00BH4HKS39", Decimal(qty), **(standard | values))
        for n, qty in enumerate(said, start=2)
    ]
    judged = judge_positions(
        ours, rows, as_of=DAY, bases=["settled"], rules=Rules(), actions={INSTRUMENT: actions} if actions else {}
    )
    return judged.findings


SPLIT = ActionNear("DTCC 77", DAY, Decimal(2), booked=False)


@pytest.mark.parametrize(
    ("found", "category", "says"),
    [
        (positions("100", "90"), "quantity", "10 less with them"),
        (positions("100", "-100"), "quantity", "The sign alone differs"),
        (positions("100", "200", actions=[SPLIT]), "quantity", "exactly the ratio of DTCC 77"),
        (positions("100", "130", due="30"), "timing", "30 units of A in GB00BH4HKS39 settled that fell due"),
        (positions("100", "100", "100"), "duplicate_suspect", "once more with the same 100"),
        (positions("100"), "missing_external", "does not list it"),
        (positions("0", "40"), "missing_internal", "our books have none"),
        (positions("0", "40", account_id=None), "missing_internal", "no account A of ours"),
        (positions("100", "100", as_of=DAY - timedelta(days=1)), "timing", "it is of 2026-11-25"),
    ],
)
def test_positions_differ_in_so_many_ways(found: list[Finding], category: str, says: str) -> None:
    assert [one.category.value for one in found] == [category]
    assert says in found[0].why


def test_several_lines_of_one_key_are_one_position() -> None:
    assert positions("100", "60", "40") == []


def row(kind: str, day: date | None, account: str = "A", currency: str = "GBP") -> dict[str, Any]:
    return {"record": kind, "as_of": day, "account": account, "currency": currency}


def test_a_file_of_several_days_is_compared_with_the_day_alone() -> None:
    before, after = DAY - timedelta(days=1), DAY + timedelta(days=1)
    old, late, of_day = row("entry", before), row("entry", after), row("entry", DAY)
    undated, saturday = row("entry", None), row("entry", DAY - timedelta(days=5))
    end, previous, following = row("balance", DAY), row("balance", before), row("balance", after)
    everything = [old, previous, of_day, undated, end, late, following, saturday]
    assert of_the_day(everything, DAY) == [of_day, undated, end]
    assert of_the_day([saturday, of_day, end], DAY) == [saturday, of_day, end], "one statement is as it is"
    assert of_the_day([old, previous], DAY) == [old, previous], "none is of the day: it is told"
    other = row("balance", before, account="B")
    assert of_the_day([end, other], DAY) == [end, other], "each account by itself"


def test_a_balance_that_agrees_and_is_of_another_day_is_a_matter_of_time() -> None:
    said, books = TheirBalance(9, "A", "GBP", Decimal(860), ACCOUNT), [OurBalance(ACCOUNT, "A", "GBP", Decimal(860))]
    yesterday = DAY - timedelta(days=1)
    for as_of, booked, expected in (
        (DAY, 860, []),
        (None, 860, []),
        (yesterday, 860, ["timing"]),
        (yesterday, 859, ["quantity"]),
    ):
        books = [OurBalance(ACCOUNT, "A", "GBP", Decimal(booked))]
        judged = judge_cash([], [], [said], books, rules=Rules(), with_entries=False)
        tell_other_days([(said, as_of)], books, DAY, judged)
        assert ([one.category.value for one in judged.findings], judged.matched) == (expected, int(not expected))
        assert all(
            "of 2026-11-25 and not of 2026-11-26" in one.why for one in judged.findings if expected == ["timing"]
        )
