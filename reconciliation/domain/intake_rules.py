"""What may be wrong with a file of the start of day, and what follows from it. Pure.

A rule's code is stable; its severity says what it does: an *error* leaves the row out, *accept* lets nothing in before a
second person has said so, a *warning* is told. The verdict over the whole file is here alone, so that page, command and
workflow come to the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

LINES_KEPT = 100
DOUBTED_ROWS, DOUBTED_SHARE = 100, Decimal("0.1")
JUMP = {"cash": Decimal(10_000_000), "holdings": Decimal(10_000_000)}
"""Where no tolerance is set: a balance that changes by more than this without a trade that explains it."""
TOTAL_JUMP = {"cash": Decimal(100_000_000), "holdings": Decimal(100_000_000)}
TOTAL_JUMP_SHARE = Decimal("0.2")


class Severity(StrEnum):
    """What a rule does."""

    ERROR = "error"
    ACCEPT = "accept"
    WARNING = "warning"


class Verdict(StrEnum):
    """What becomes of the file."""

    APPLY = "apply"
    WAIT = "wait"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Rule:
    """``column`` is the one to look at; ``says`` is what people read."""

    code: str
    severity: Severity
    column: str
    says: str


RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        Rule("ACCOUNT_UNKNOWN", Severity.ERROR, "account", "No account of ours has this name, or a declared alternate."),
        Rule("ACCOUNT_HAS_NO_MONEY", Severity.ERROR, "account", "Suspense and canary accounts have no money of their own."),
        Rule("ACCOUNT_CLOSED", Severity.ERROR, "account", "The account is closed and the file says that it has something."),
        Rule("ROW_TWICE", Severity.ERROR, "account", "The file says two things of one balance or account."),
        Rule("DAY_DIFFERS", Severity.ERROR, "as_of", "The row is of another day than the file."),
        Rule("AMOUNT_TOO_FINE", Severity.ERROR, "amount", "More decimals than the currency has."),
        Rule("INSTRUMENT_UNKNOWN", Severity.ERROR, "isin", "No instrument of ours has this ISIN, symbol or declared alternate."),
        Rule("INSTRUMENT_CONTRADICTS", Severity.ERROR, "symbol", "ISIN and symbol name two different instruments."),
        Rule("HOLDING_NEGATIVE", Severity.ERROR, "qty", "A settled holding cannot be below zero."),
        Rule("CUT_OLDER", Severity.ERROR, "as_of", "The balance was set as of a later time already."),
        Rule("GROUP_UNKNOWN", Severity.ERROR, "account_group", "No account group of ours has this code: nobody could see it."),
        Rule("STATE_UNKNOWN", Severity.ERROR, "state", "A state is active, reduce_only, frozen or closed."),
        Rule("CURRENCY_CHANGED", Severity.ERROR, "base_currency", "The base currency of an account never changes."),
        Rule("CLIENT_CHANGED", Severity.ERROR, "client", "The account belongs to another client; open another account."),
        Rule("ACCOUNT_REOPENED", Severity.ERROR, "state", "A closed account stays closed; open another one."),
        Rule("CLASS_UNKNOWN", Severity.ERROR, "account_class", "No fee schedule is for this class of accounts."),
        Rule("CLOSED_WITH_MONEY", Severity.ERROR, "state", "The account still has money, stock or open orders."),
        Rule("STATE_LOOSENED", Severity.ACCEPT, "state", "The account may do more than before: a second person says so."),
        Rule("SHORT_ALLOWED", Severity.ACCEPT, "short_allowed", "The account may sell short from now on: a second person says so."),
        Rule("GROUP_CHANGED", Severity.ACCEPT, "account_group", "Other people would see and trade it: a second person says so."),
        Rule("BALANCE_JUMPS", Severity.ACCEPT, "amount", "It changes by more than the tolerance and no trade explains it."),
        Rule("TOTAL_JUMPS", Severity.ACCEPT, "amount", "The total changes by more than the tolerance and no trade explains it."),
        Rule("ACCOUNT_GONE", Severity.ACCEPT, "account", "It was in the file before, has money or open orders, and is missing now."),
        Rule("ACCOUNT_MISSING", Severity.WARNING, "account", "It was in the file before and is missing now; it has nothing and stays."),
        Rule("BALANCE_GONE", Severity.WARNING, "account", "It was in the file before and is missing now; a holding is then zero."),
        Rule("ORDER_UNKNOWN", Severity.ACCEPT, "cl_ord_id", "The venue works an order that is none of ours."),
        Rule("ORDER_NOT_OPEN", Severity.ACCEPT, "ord_status", "The venue works an order that is over with us."),
        Rule("ORDER_DIFFERS", Severity.ACCEPT, "order_qty", "Quantity, executed or leaves differ from ours."),
        Rule("ORDER_NOT_LISTED", Severity.ACCEPT, "cl_ord_id", "Open with us and not listed by the venue: that proves nothing yet."),
        Rule("CASH_NEGATIVE", Severity.WARNING, "amount", "The bank says that the account is overdrawn."),
        Rule("BELOW_HELD", Severity.WARNING, "amount", "Less is left than open orders and withdrawals hold: new risk is blocked."),
        Rule("NOT_A_BALANCE", Severity.WARNING, "record", "Entries are for reconciliation; the start of day takes balances."),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Issue:
    """``count`` rows meet a rule; ``lines`` are the first of them with the value to look at."""

    code: str
    severity: Severity
    column: str
    sentence: str
    count: int
    lines: tuple[tuple[int, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is kept and shown."""
        return {
            "code": self.code, "severity": self.severity.value, "column": self.column, "sentence": self.sentence,
            "count": self.count, "lines": [{"line": line, "value": value} for line, value in self.lines],
        }  # fmt: skip


def issue(code: str, count: int, lines: Iterable[tuple[int, str]] = (), sentence: str = "") -> Issue:
    """An issue of a rule."""
    rule = RULES[code]
    return Issue(code, rule.severity, rule.column, sentence or rule.says, count, tuple(lines)[:LINES_KEPT])


def judge(issues: Iterable[Issue], *, rows: int, refused: int, partly: bool) -> tuple[Verdict, str]:
    """What becomes of a file of ``rows`` records of which ``refused`` are left out, and why. ``partly``: good rows of an
    imperfect file are taken at once, because that was agreed with whoever sends it."""
    if refused and refused >= rows:
        return Verdict.REFUSE, "Not one row can be used."
    if refused > DOUBTED_ROWS and refused > rows * DOUBTED_SHARE:
        return Verdict.REFUSE, f"{refused:,} of {rows:,} rows cannot be used: the file is doubted, not the books."
    waits = [one for one in issues if one.severity is Severity.ACCEPT]
    if refused and not partly:
        named = "row" if refused == 1 else "rows"
        return (
            Verdict.WAIT,
            f"{refused:,} {named} cannot be used: a second person accepts the file without them, or it is replaced.",
        )
    if waits:
        return Verdict.WAIT, f"A second person must accept it: {waits[0].sentence}"
    return Verdict.APPLY, ""
