"""What the sender says a file holds, told apart from the file: a file cut off, doubled or swapped is refused whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from kernel.numbers import parse_decimal, plain

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """Each None when the sender said nothing: rows without the header, the sum of order_qty, SHA-256 of the bytes."""

    rows: int | None = None
    order_qty: Decimal | None = None
    sha256: str | None = None


def read_control_totals(*, rows: str, order_qty: str, sha256: str) -> tuple[ControlTotals, dict[str, list[str]]]:
    """Totals as typed, and the faults by field; thousands separators and capital letters are fine."""
    faults: dict[str, list[str]] = {}
    count, total, digest = rows.strip().replace(",", ""), order_qty.strip(), sha256.strip().lower()
    if count and not (count.isascii() and count.isdigit() and len(count) <= 9):
        faults["control_rows"] = ["A number of rows is a whole number."]
    quantity = parse_decimal(total) if total else None
    if total and quantity is None:
        faults["control_qty"] = ["This is not a number."]
    if digest and not _SHA256.fullmatch(digest):
        faults["control_sha256"] = ["A SHA-256 has 64 hexadecimal digits."]
    if faults:
        return ControlTotals(), faults
    return ControlTotals(int(count) if count else None, quantity, digest or None), {}


def control_faults(totals: ControlTotals, *, quantities: Sequence[str], sha256: str) -> list[str]:
    """Sentences for what differs. ``quantities`` are the cells of order_qty, one a row, as they stand in the file."""
    found: list[str] = []
    if totals.sha256 is not None and totals.sha256 != sha256:
        found.append("The SHA-256 of the file is not the one you gave.")
    if totals.rows is not None and totals.rows != len(quantities):
        found.append(f"The file has {len(quantities):,} rows, not {totals.rows:,}.")
    if totals.order_qty is not None:
        numbers = [parse_decimal(text) for text in quantities]
        unread = sum(number is None for number in numbers)
        total = sum((number for number in numbers if number is not None), Decimal(0))
        if unread:
            found.append(f"The quantities cannot be summed: {unread:,} of them are not numbers.")
        elif total != totals.order_qty:
            found.append(f"The quantities sum to {plain(total)}, not {plain(totals.order_qty)}.")
    return found
