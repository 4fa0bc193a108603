"""Lines looked at by the block are those looked at one by one: none more, none less, none by its tail alone."""

from __future__ import annotations

import random

import pytest

from reconciliation.domain.records import COLUMNS, Kind
from reconciliation.formats.csv_clean import clean_of

CELLS = {
    "account": ["AC1", "B0000007", "", "#AC1", "Müller", "x" * 35, " AC1"],
    "isin": ["GB00BH4HKS39", "gb00bh4hks39", ""],
    "currency": ["GBP", "gbp", ""],
    "lei": ["213800D1EI4B9WTWWD28", "213800", ""],
    "qty": ["10", "-0.5", "NaN", "1e3"],
    "amount": ["10", "-0.5", "Infinity"],
    "as_of": ["2026-11-25", "today", "2026-02-30", ""],
}
TAILS = ["rubbish B0000007,GBP,10,2026-11-25", "#,AC1,GBP,10,2026-11-25", "B0000007,GBP,10,2026-11-25\r"]
SHAPES = {
    Kind.HOLDINGS: ("account", "isin", "qty", "as_of"),  # one judged column
    Kind.CASH: ("account", "currency", "amount", "as_of"),
    Kind.ACCOUNTS: ("account", "name", "lei", "base_currency"),  # two
    Kind.POSITIONS: ("account", "qty", "as_of"),  # none
}


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("full", [True, False])
def test_a_block_has_as_many_matches_as_clean_lines(kind: Kind, full: bool) -> None:
    dice = random.Random(7)
    columns = {one.name: one for one in COLUMNS[kind]}
    clean = clean_of([columns[name] for name in SHAPES[kind]], ",", full=full)
    lines = [
        dice.choice(TAILS)
        if dice.random() < 0.02
        else ",".join(dice.choice(CELLS.get(name, ["GBP", "AC1"])) for name in SHAPES[kind])
        for _ in range(2_000)
    ]
    alone = [found.groups() for found in map(clean.line, lines) if found is not None]
    assert 20 < len(alone) < 1_900
    assert clean.lines("".join(f"{line}\n" for line in lines)) == alone
    for line in [*lines[:200], *TAILS]:
        assert len(clean.lines(f"{line}\n")) == (clean.line(line) is not None)
