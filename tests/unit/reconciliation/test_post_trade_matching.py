"""Allocated trades and settlements pair by name, else by their keys; every way in which a pair differs is a break of its own."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from kernel.ids import new_id
from reconciliation.domain.findings import Finding
from reconciliation.domain.post_trade_matching import Record, judge_post_trade
from reconciliation.domain.rules import Rules

D = Decimal
DAY, SETTLES = date(2026, 11, 20), date(2026, 11, 24)
ACCOUNT, OTHER, STOCK = new_id(), new_id(), new_id()
RULES = Rules({("amount", ""): D("0.01")})
MINE = Record(
    ref="A-7", account="C-1", instrument="GB00BH4HKS39", side="1", trade_date=DAY, settlement_date=SETTLES, currency="GBP",
    status="sent", names=frozenset({"A-7", "C-7-1"}), account_id=ACCOUNT, instrument_id=STOCK,
    figures={"qty": D(400), "avg_px": D("72.45"), "gross": D("289.80"), "commission": D(7), "fees": D("1.45"), "net": D("298.25")},
)  # fmt: skip
TOLD = replace(MINE, ref="T1", names=frozenset({"A-7"}), line=2, status="")


def told(
    line: int = 2, *, names: tuple[str, ...] = ("A-7",), figures: dict[str, Any] | None = None, **changes: Any
) -> Record:
    said = {**TOLD.figures, **{name: D(str(value)) for name, value in (figures or {}).items()}}
    return replace(TOLD, line=line, names=frozenset(names), figures=said, **changes)


def judged(ours: list[Record], theirs: list[Record]) -> list[tuple[str, str]]:
    return [(one.category.value, ",".join(d.field for d in one.differences)) for one in findings(ours, theirs)]


def findings(ours: list[Record], theirs: list[Record]) -> list[Finding]:
    return judge_post_trade(ours, theirs, what="allocation", rules=RULES).findings


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (told(), []),
        (told(names=("C-7-1",)), []),
        (told(names=()), []),
        (told(figures={"net": "298.26"}), []),
        (told(figures={"net": "298.27"}), [("price", "net")]),
        (told(figures={"qty": 300}), [("quantity", "qty")]),
        (told(figures={"commission": 8}), [("fee", "commission")]),
        (told(figures={"avg_px": "72.46", "gross": "289.84"}), [("price", "avg_px,gross")]),
        (told(account="C-9", account_id=OTHER), [("quantity", "account")]),
        (told(side="2"), [("quantity", "side")]),
        (told(currency="EUR"), [("price", "currency")]),
        (told(settlement_date=date(2026, 11, 25)), [("timing", "settlement_date")]),
        (told(status="Affirmed"), [("status", "status")]),
        (told(names=("A-8",)), [("missing_external", "qty"), ("missing_internal", "qty")]),
        (told(names=(), account="X", account_id=None), [("missing_external", "qty"), ("missing_internal", "qty")]),
        (told(names=(), trade_date=SETTLES), [("missing_external", "qty"), ("missing_internal", "qty")]),
    ],
)
def test_what_a_record_comes_to(record: Record, expected: list[tuple[str, str]]) -> None:
    assert judged([MINE], [record]) == expected


def test_a_record_that_comes_twice_counts_once() -> None:
    assert judged([MINE], [told(2), told(3)]) == [("duplicate_suspect", "")]
    keys = {one.key("allocations", "SIM") for one in findings([MINE], [told(2), told(3), told(4)])}
    assert len(keys) == 2


@pytest.mark.parametrize("seed", range(5))
def test_without_names_equal_quantities_pair_and_the_price_breaks_the_tie(seed: int) -> None:
    prices = ("72.40", "72.45", "72.50")
    ours = [
        replace(MINE, ref=f"A-{n}", names=frozenset({f"A-{n}"}), figures={"qty": D(400), "avg_px": D(px)})
        for n, px in enumerate(prices)
    ]
    theirs = [told(9 - n, names=(), figures={"avg_px": px}) for n, px in enumerate(prices)]
    theirs = [replace(one, figures={"qty": D(400), "avg_px": one.figures["avg_px"]}) for one in theirs]
    random.Random(seed).shuffle(ours)
    random.Random(seed).shuffle(theirs)

    assert judged(ours, theirs) == []
    assert judged(ours, theirs[:2]) == [("missing_external", "qty")]


def test_several_of_other_quantities_are_not_guessed_at() -> None:
    ours = [replace(MINE, ref=f"A-{n}", names=frozenset({f"A-{n}"})) for n in range(2)]
    theirs = [told(n, names=(), figures={"qty": 100 + n}) for n in (2, 3)]

    assert sorted(judged(ours, theirs)) == [("missing_external", "qty")] * 2 + [("missing_internal", "qty")] * 2


def test_a_break_says_what_differs_and_by_how_much() -> None:
    (found,) = findings([MINE], [told(figures={"net": "299.25"})])

    assert found.why == "Allocation A-7 of C-1 in GB00BH4HKS39: net is 298.25 with us and 299.25 with them."
    assert (found.exposure, found.currency, found.lines) == (D(1), "GBP", (2,))
    assert (
        found.key("allocations", "SIM")
        == "allocations:SIM:price:ref=A-7:account=C-1:isin=GB00BH4HKS39:side=1:trade_date=2026-11-20"
    )
