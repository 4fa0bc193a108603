"""How a break may be mended, and what each way asks of its records. Pure.

Invariants: nothing is booked that nobody reported with an id; a state is only the venue's word; a write-off is money up to a
mark and never units; what is matched by hand agrees in account and instrument or currency, key by key, and says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from uuid import UUID

from kernel.errors import Conflict
from kernel.numbers import ZERO, plain, spelt
from reconciliation.domain import transitions as moves
from reconciliation.domain.records import Kind

LONGEST_REASON = 500


class Repair(StrEnum):
    """The ways."""

    BOOK = "book_execution"
    STATE = "accept_state"
    MAPPING = "correct_mapping"
    WRITE_OFF = "write_off"
    MATCH = "match_by_hand"
    TIMING = "accept_timing"


TITLES: dict[Repair, str] = {
    Repair.BOOK: "Book the execution they report",
    Repair.STATE: "Accept the venue's state of the order",
    Repair.MAPPING: "Declare what they call our thing",
    Repair.WRITE_OFF: "Write the difference off",
    Repair.MATCH: "Match by hand",
    Repair.TIMING: "Accept as a difference in time",
}
MISSING = frozenset({"missing_internal", "missing_external"})
ENDED = frozenset({"canceled", "4", "expired", "c"})


@dataclass(frozen=True, slots=True)
class Facts:
    """A break as far as a repair asks."""

    ref: str
    kind: str
    source: str
    category: str
    state: str
    ours: Mapping[str, Any]
    theirs: Mapping[str, Any]
    differences: Sequence[Mapping[str, Any]]
    currency: str
    account_id: UUID | None
    instrument_id: UUID | None
    order_id: UUID | None


def why_not(repair: Repair, facts: Facts) -> str:
    """Why this way is none for the break; empty when it is one."""
    if facts.state == moves.CLOSED:
        return f"{facts.ref} is closed."
    return _WHY_NOT[repair](facts)


def _not_booked(facts: Facts) -> str:
    if facts.kind != Kind.EXECUTIONS or facts.category != "missing_internal":
        return "Only an execution that they report and we do not have can be booked."
    if not facts.theirs.get("exec_id") or not is_vouched(facts.theirs):
        return "Their record names no execution in a file: nobody reported one."
    return "" if facts.order_id else "It is of no order of ours: put the order on record first."


def _no_state(facts: Facts) -> str:
    if facts.kind not in (Kind.ORDERS, Kind.OPEN_ORDERS) or facts.category != "status" or facts.order_id is None:
        return "Only the status of an order of ours can be taken over."
    said = str(facts.theirs.get("ord_status", "")).lower()
    if said not in ENDED or not is_vouched(facts.theirs):
        return "Their record does not say that the order is canceled or expired."
    return ""


def _no_mapping(facts: Facts) -> str:
    return "" if facts.theirs else "They say nothing whose name could be declared."


def _no_write_off(facts: Facts) -> str:
    if facts.account_id is None or not facts.currency:
        return "Nobody can tell whose money it is, or in which currency."
    return "" if amount_of(facts) else "Only a difference in cash or fees can be written off."


def _no_match(facts: Facts) -> str:
    return "" if facts.category in MISSING else "Only what one side has and the other has not can be matched by hand."


def _no_timing(facts: Facts) -> str:
    return "It is accepted already." if facts.state == moves.ACCEPTED else ""


_WHY_NOT = {
    Repair.BOOK: _not_booked,
    Repair.STATE: _no_state,
    Repair.MAPPING: _no_mapping,
    Repair.WRITE_OFF: _no_write_off,
    Repair.MATCH: _no_match,
    Repair.TIMING: _no_timing,
}


def is_vouched(theirs: Mapping[str, Any]) -> bool:
    """Whether the record says which file and line it stands in, and keeps it raw."""
    return bool(theirs.get("sha256") and theirs.get("line") and theirs.get("raw"))


def said_by(theirs: Mapping[str, Any]) -> dict[str, Any]:
    """What their record says, without where it stands: the same record in a later file says the same."""
    return {name: value for name, value in theirs.items() if name not in ("raw", "file", "line", "sha256", "further")}


def amount_of(facts: Facts) -> Decimal:
    """What an account would be moved by to agree with them, signed; zero where the difference is not money alone."""
    names = {"amount"} if facts.kind == Kind.CASH else {"commission", "fees", "fee"}
    sign = 1 if facts.kind == Kind.CASH else -1  # a cost of theirs that is higher leaves less
    fits = (facts.kind == Kind.CASH and facts.category == "quantity") or facts.category == "fee"
    if not fits or not facts.differences or any(one.get("field") not in names for one in facts.differences):
        return ZERO
    return sign * sum((number(one.get("theirs")) - number(one.get("ours")) for one in facts.differences), ZERO)


def beyond_limit(amount: Decimal, limit: Decimal | None, currency: str) -> str:
    """Why an amount may not be written off: no mark, no write-off, and nobody overrides one. Empty where it may."""
    if limit is None:
        return f"No mark says that {currency} may be written off."
    if abs(amount) > limit:
        return f"{spelt(abs(amount))} {currency} is more than the {spelt(limit)} that may be written off."
    return ""


def require_within(amount: Decimal, limit: Decimal | None, currency: str) -> None:
    """Raise Conflict WRITE_OFF_ABOVE_LIMIT unless it may be written off."""
    said = beyond_limit(amount, limit, currency)
    if said:
        raise Conflict("WRITE_OFF_ABOVE_LIMIT", said, {"limit": plain(limit)} if limit is not None else {})


@dataclass(frozen=True, slots=True)
class Matched:
    """What the two sides of a match by hand differ by: units and money, theirs less ours."""

    qty: Decimal
    value: Decimal
    currency: str


def match(items: Sequence[Facts]) -> Matched:
    """The sums of both sides. Raises Conflict MATCH_ONE_SIDED, MATCH_KEYS_DIFFER, MATCH_TAKEN."""
    first = items[0] if items else None
    if first is None or {item.category for item in items} != MISSING:
        raise Conflict("MATCH_ONE_SIDED", "A match needs records of theirs and records of ours, and nothing else.")
    keys = {(item.kind, item.source, item.account_id, item.instrument_id, item.currency, _side(item)) for item in items}
    if len(keys) > 1 or first.account_id is None:
        raise Conflict(
            "MATCH_KEYS_DIFFER",
            "They are not of one account, instrument or currency, side and source: sums prove nothing.",
        )
    closed = [item.ref for item in items if item.state == moves.CLOSED]
    if closed:
        raise Conflict("MATCH_TAKEN", f"{', '.join(closed)} is closed.")
    qty = sum((_sign(item) * _qty(item) for item in items), ZERO)
    value = sum((_sign(item) * _value(item) for item in items), ZERO)
    return Matched(qty, value, first.currency)


def _record(item: Facts) -> Mapping[str, Any]:
    return item.theirs if item.category == "missing_internal" else item.ours


def _sign(item: Facts) -> int:
    return 1 if item.category == "missing_internal" else -1


def _side(item: Facts) -> str:
    return str(_record(item).get("side", ""))


def _qty(item: Facts) -> Decimal:
    if item.kind == Kind.CASH:
        return ZERO
    return number(_record(item).get("last_qty" if item.kind == Kind.EXECUTIONS else "qty"))


def _value(item: Facts) -> Decimal:
    if item.kind == Kind.CASH:
        return number(_record(item).get("amount"))
    return _qty(item) * number(_record(item).get("last_px")) if item.kind == Kind.EXECUTIONS else ZERO


def number(value: Any) -> Decimal:
    """A figure of a record. Raises Conflict RECORD_UNREADABLE for what is none."""
    try:
        found = Decimal(str(value)) if value not in (None, "") else ZERO
    except InvalidOperation as error:
        raise Conflict("RECORD_UNREADABLE", f"{value!r} is not a number.") from error
    if not found.is_finite():
        raise Conflict("RECORD_UNREADABLE", f"{value!r} is not a number.")
    return found
