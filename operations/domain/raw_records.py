"""One side of a break as a person reads it: its fields, the raw line, a FIX message decoded, and where it stands. Pure.

What reconciliation keeps of a record is a flat mapping; ``raw``, ``file``, ``line`` and ``sha256`` are about where it came
from, everything else is a field of the record, in the order it was kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kernel.fix import ExecType, OrdStatus, OrdType, TimeInForce
from kernel.fix import Side as FixSide
from operations.domain.numbers import grouped
from venues.domain.fix_codec import SOH, DecodedField, decode, mask_secrets

SOURCE = ("raw", "file", "line", "sha256")
NESTED = "record"
_FIX = re.compile(r"^8=FIX[^|^\x01]*[|^\x01]")
MOST_CHARACTERS = 4_000
CODED: dict[str, type[StrEnum]] = {
    "side": FixSide, "ord_type": OrdType, "time_in_force": TimeInForce, "ord_status": OrdStatus, "exec_type": ExecType,
}  # fmt: skip
FIGURES = frozenset({
    "qty", "order_qty", "cum_qty", "leaves_qty", "last_qty", "settled_qty", "settled", "traded", "due", "price", "stop_px", "last_px",
    "avg_px", "amount", "gross", "net", "commission", "fees", "fee", "settled_amount", "market_value",
})  # fmt: skip
"""Names of fields that hold a number, never a name that only looks like one."""


@dataclass(frozen=True, slots=True)
class Side:
    """``fields`` are name and value; ``decoded`` is empty unless the raw line is a FIX message."""

    fields: tuple[tuple[str, str], ...]
    raw: str = ""
    decoded: tuple[DecodedField, ...] = ()
    file: str = ""
    line: str = ""
    sha256: str = ""

    @property
    def is_there(self) -> bool:
        return bool(self.fields or self.raw)


def read_side(record: Mapping[str, Any]) -> Side:
    """A kept record, whatever its kind. Empty for a record that one side does not have."""
    nested = record.get(NESTED)
    inner: Mapping[str, Any] = nested if isinstance(nested, Mapping) else {}
    fields = [
        (name, said_as(name, value))
        for part in (inner, record)
        for name, value in part.items()
        if name not in (*SOURCE, NESTED) and value not in (None, "")
    ]
    raw = _masked(str(record.get("raw") or ""))[:MOST_CHARACTERS]
    file, line, sha256 = (_text(record.get(name)) for name in SOURCE[1:])
    return Side(tuple(fields), raw, decode_line(raw), file, line, sha256)


def said_as(name: str, value: Any) -> str:
    """A field as people read it: a FIX code with its word, a figure with its thousands apart, anything else as it was kept."""
    text = _text(value)
    if name in CODED:
        try:
            return f"{text} {CODED[name](text).name.replace('_', ' ').lower()}"
        except ValueError:
            return text
    return grouped(text) if name in FIGURES and text else text


def decode_line(raw: str) -> tuple[DecodedField, ...]:
    """The fields of a FIX message written with SOH, ``|`` or ``^`` between them; nothing for any other line."""
    if not _FIX.match(raw):
        return ()
    try:
        return decode(_separated(raw))
    except ValueError:
        return ()


def _masked(raw: str) -> str:
    """A FIX message without its secrets; any other line as it is."""
    return mask_secrets(_separated(raw)) if _FIX.match(raw) else raw


def _separated(raw: str) -> str:
    return raw if SOH in raw else raw.replace("|", SOH).replace("^", SOH)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return " · ".join(f"{name} {_text(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(one) for one in value)
    return str(value)
