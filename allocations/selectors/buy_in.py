"""The dated rules of buying in, read once a process: they are part of the release and change with it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from allocations.domain.buy_in import COLUMNS, BuyInRule, parse_rules
from kernel.errors import InvariantBroken
from refdata.domain.import_rows import read_rows

FILE = Path(__file__).resolve().parents[1] / "data" / "buy_in_rules.csv"


@cache
def buy_in_rules() -> tuple[BuyInRule, ...]:
    """Every dated line. Raises InvariantBroken BUY_IN_RULES_FAULTY when our own file cannot be read."""
    rows, issues = read_rows(FILE.read_text(encoding="utf-8"), COLUMNS)
    if issues:
        raise InvariantBroken("BUY_IN_RULES_FAULTY", issues[0].sentence)
    try:
        return parse_rules(rows)
    except ValueError as error:
        raise InvariantBroken("BUY_IN_RULES_FAULTY", str(error)) from error
