"""What every bank's format gives: rows of cash in the columns of the kind, and the arithmetic of a statement."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from kernel.numbers import plain
from reconciliation.domain.records import Kind, names_of
from reconciliation.formats.problems import FileCode, FileProblem
from reconciliation.formats.words import BALANCE, ENTRY

_NAMES: Final = names_of(Kind.CASH)


def balance_row(*, account: str, currency: str, opening: str, amount: str, as_of: str) -> Sequence[str]:
    """Booked, at the begin and at the end of the day."""
    said = {
        "record": BALANCE,
        "account": account,
        "currency": currency,
        "opening": opening,
        "amount": amount,
        "as_of": as_of,
    }
    return [said.get(name, "") for name in _NAMES]


def entry_row(
    *,
    account: str,
    currency: str,
    amount: str,
    as_of: str,
    entry_ref: str,
    our_ref: str,
    value_date: str,
    narrative: str,
) -> Sequence[str]:
    """What came in (positive) or went out; references are cut to what the columns hold."""
    said = {
        "record": ENTRY,
        "account": account,
        "currency": currency,
        "amount": amount,
        "as_of": as_of,
        "entry_ref": entry_ref[:64],
        "our_ref": our_ref[:140],
        "value_date": value_date,
        "narrative": _printable(narrative)[:500],
    }
    return [said.get(name, "") for name in _NAMES]


def judge_balance(account: str, *, opening: Decimal | None, entered: Decimal, closing: Decimal) -> None:
    """Raises FileProblem when opening and entries do not come to closing; without an opening nothing can be said."""
    if opening is not None and opening + entered != closing:
        sentence = (
            f"Account {account}: opening {plain(opening)} and entries {plain(entered)} come to "
            f"{plain(opening + entered)}, closing is {plain(closing)}."
        )
        raise FileProblem(FileCode.BALANCE_DIFFERS, sentence)


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text).strip()
