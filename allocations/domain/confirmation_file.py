"""A counterparty's confirmations as CSV (``docs/formats/confirmations.md``): good lines as messages, each fault with its line. Pure.

One line a confirmation. The header names the columns in any order; an unknown column is a fault of the whole file, for what it says would
be lost. Numbers are plain decimals with a point, dates ISO, the side BUY or SELL.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from kernel.post_trade import AccountLine, MessageKind, PostTradeMessage, TransType

COLUMNS = (
    "their_ref", "action", "ref_of", "our_ref", "account", "isin", "mic", "side", "trade_date", "settlement_date", "currency", "qty",
    "avg_px", "gross", "commission", "fees", "net", "said_at",
)  # fmt: skip
NEEDED = ("their_ref", "account", "isin", "side", "trade_date", "currency", "qty", "avg_px")
MOST_LINES = 20_000
_SIDES = {"BUY": "1", "SELL": "2"}
_NUMBER = re.compile(r"[0-9]{1,16}(\.[0-9]{1,12})?")
_TEXT = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,63}")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line, or with line 0 or 1 the file, was not taken."""

    line: int
    sentence: str


def read_file(
    text: str, *, counterparty: str, at: datetime
) -> tuple[list[tuple[int, PostTradeMessage]], tuple[Fault, ...]]:
    """Messages by line, and faults. ``at`` stands for the time of lines that say none."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        names = [(name or "").strip() for name in reader.fieldnames or ()]
        fault = _header_fault(names)
        if fault is not None:
            return [], (fault,)
        reader.fieldnames = names
        rows: list[tuple[int, dict[Any, Any]]] = []
        for row in reader:
            if len(rows) == MOST_LINES:
                return [], (Fault(0, f"The file has more than {MOST_LINES} lines."),)
            rows.append((reader.line_num, row))
    except csv.Error as error:
        return [], (Fault(reader.line_num, f"Not CSV: {error}."),)
    messages, faults = [], []
    for line, row in rows:
        try:
            messages.append((line, _message(row, counterparty=counterparty, at=at)))
        except ValueError as error:
            faults.append(Fault(line, str(error)))
    return messages, tuple(faults)


def _header_fault(names: list[str]) -> Fault | None:
    missing = [name for name in NEEDED if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing or unknown or len(set(names)) < len(names):
        said = (
            f"lacks {', '.join(missing)}" if missing else f"has columns nobody knows or twice: {', '.join(names)[:200]}"
        )
        return Fault(1, f"The header {said}.")
    return None


def _message(row: Mapping[Any, Any], *, counterparty: str, at: datetime) -> PostTradeMessage:
    if None in row or None in row.values():
        raise ValueError("The line has more or fewer cells than the header.")
    cells = {str(name): str(value).strip() for name, value in row.items()}
    for name in NEEDED:
        if not cells[name]:
            raise ValueError(f"{name} is empty.")
    action = TransType(_choice(cells.get("action", "") or "new", [one.value for one in TransType], "action"))
    if (action is not TransType.NEW) != bool(cells.get("ref_of")):
        raise ValueError("ref_of is what a replace or cancel is about, and nothing else has one.")
    qty, avg_px = _number(cells, "qty"), _number(cells, "avg_px")
    if not qty or avg_px is None:
        raise ValueError("qty must be above zero.")
    our_ref = _text(cells, "our_ref")
    line = AccountLine(
        ref=our_ref, account=_text(cells, "account"), qty=qty, avg_px=avg_px, gross=_number(cells, "gross"),
        commission=_number(cells, "commission"), fees=_number(cells, "fees"), net=_number(cells, "net"),
    )  # fmt: skip
    return PostTradeMessage(
        kind=MessageKind.CONFIRMATION, ref=_text(cells, "their_ref"), counterparty=counterparty, transact_at=_time(cells, at),
        ref_of=_text(cells, "ref_of"), allocation_ref=our_ref, trans_type=action,
        side=_SIDES[_choice(cells["side"].upper(), list(_SIDES), "side")], isin=_text(cells, "isin"), mic=_text(cells, "mic"),
        currency=_text(cells, "currency"), qty=qty, avg_px=avg_px, trade_date=_date(cells, "trade_date"),
        settlement_date=_date(cells, "settlement_date"), accounts=(line,),
    )  # fmt: skip


def _choice(value: str, known: list[str], name: str) -> str:
    if value not in known:
        raise ValueError(f"{name} is none of {', '.join(known)}: {value[:20]!r}.")
    return value


def _text(cells: Mapping[str, str], name: str) -> str:
    value = cells.get(name, "")
    if value and not _TEXT.fullmatch(value):
        raise ValueError(f"{name} is not a name of at most 64 printable characters.")
    return value


def _number(cells: Mapping[str, str], name: str) -> Decimal | None:
    value = cells.get(name, "")
    if not value:
        return None
    if not _NUMBER.fullmatch(value):
        raise ValueError(f"{name} is not a plain number: {value[:20]!r}.")
    try:
        return Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"{name} is not a plain number.") from error


def _date(cells: Mapping[str, str], name: str) -> date | None:
    value = cells.get(name, "")
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise ValueError(f"{name} is no date: {value[:20]!r}.") from error


def _time(cells: Mapping[str, str], at: datetime) -> datetime:
    value = cells.get("said_at", "")
    if not value:
        return at
    try:
        said = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"said_at is no time: {value[:30]!r}.") from error
    if said.tzinfo is None:
        raise ValueError("said_at has no zone.")
    return said.astimezone(UTC)
