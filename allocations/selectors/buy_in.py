"""The dated rules of buying in, read once a process: they are part of the release and change with it; and how one stands."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from allocations.domain import transitions as moves
from allocations.domain.buy_in import COLUMNS, BuyInRule, parse_rules
from allocations.domain.buying_in import Failing
from allocations.models import BuyIn, SettlementInstruction
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


def open_buy_in(row: SettlementInstruction) -> BuyIn | None:
    """The one that is open."""
    return BuyIn.objects.filter(instruction=row, state=moves.INITIATED).first()


def failing_of(row: SettlementInstruction) -> Failing:
    """The instruction as a step of a buy-in looks at it."""
    is_open = row.state not in (moves.WAITING, moves.REJECTED, moves.SETTLED, moves.CANCELED)
    failing = is_open and (row.failing_since is not None or row.state == moves.FAILED)
    current = open_buy_in(row)
    return Failing(row.qty, row.amount, row.open_qty, row.currency, failing, current.qty if current else None)
