"""The blotter's views over its rows: what a chip shows and what an export of it holds. Pure; `static/js/desk.js` has the same rules.

Filters of columns compare as the grid does: the text of the cell as shown holds the text typed, whatever the case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from kernel.errors import Invalid
from kernel.numbers import plain
from operations.domain.rows import COLUMNS, millis

VIEW_TITLES = {"mine": "My working", "all": "Desk · all", "attention": "Needs attention", "filled": "Filled"}
TITLES = {
    "ref": "Order", "at": "Entered at", "account": "Account", "symbol": "Instrument", "side": "Side", "qty": "Quantity",
    "price": "Limit", "stop": "Stop", "unit": "Price unit", "currency": "Currency", "type": "Type", "tif": "TIF", "cum": "Filled",
    "leaves": "Leaves", "avg": "Avg px", "status": "Status", "venue": "Venue", "owner": "Owner", "desk": "Desk",
    "cl_ord_id": "ClOrdID", "venue_order_id": "Venue id", "client_ref": "Client ref", "source": "Source",
    "attention": "Attention", "updated": "Last change at", "id": "Internal id",
}  # fmt: skip
"""The columns of an export, all that people may show, in order."""

PLACES = {"qty": 0, "price": 2, "stop": 2, "cum": 0, "leaves": 0, "avg": 0}
TIMES = frozenset({"at", "updated"})
_AT = {name: place for place, name in enumerate(COLUMNS)}
REFUSED_FOR_MS = 3_600_000
UNANSWERED_MS = 30_000

Row = Sequence[Any]


def in_view(row: Row, view: str, *, me: int, now: datetime) -> bool:
    """Whether the row is in the view; raises Invalid VIEW_UNKNOWN."""
    if view not in _RULES:
        raise Invalid("VIEW_UNKNOWN", f"The blotter has the views {', '.join(VIEW_TITLES.values())}.")
    return _RULES[view](row, me, millis(now))


def _is_abnormal(row: Row, me: int, now: int) -> bool:
    age = now - row[_AT["updated"]]
    return bool(
        row[_AT["attention"]]
        or row[_AT["family"]] == "unknown"
        or (row[_AT["family"]] == "refused" and age < REFUSED_FOR_MS)
        or (row[_AT["open"]] and row[_AT["state"]] == "sent" and age > UNANSWERED_MS)
    )


_RULES: dict[str, Callable[[Row, int, int], bool]] = {
    "mine": lambda row, me, now: bool(row[_AT["open"]]) and row[_AT["owner_id"]] == me,
    "all": lambda row, me, now: True,
    "attention": _is_abnormal,
    "filled": lambda row, me, now: row[_AT["filled"]] == 1,
}


def passes(row: Row, filters: Mapping[str, str]) -> bool:
    """Whether every filtered cell holds its text. Raises Invalid EXPORT_FILTER_UNKNOWN for a column that cannot be filtered here."""
    for name in filters:
        if name not in TITLES or name in TIMES:
            title = TITLES.get(name, name)
            raise Invalid("EXPORT_FILTER_UNKNOWN", f"An export cannot be filtered by {title}; clear that filter first.")
    return all(text.lower() in shown(name, row[_AT[name]]).lower() for name, text in filters.items())


def shown(name: str, value: Any) -> str:
    """The cell as the grid shows it."""
    if value in (None, ""):
        return "—"
    if name not in PLACES:
        return str(value)
    whole, _, fraction = plain(Decimal(value)).partition(".")
    fraction = fraction.ljust(PLACES[name], "0")
    return f"{int(whole):,}" + (f".{fraction}" if fraction else "")


def typed(row: Row) -> tuple[Any, ...]:
    """The cells of an exported row: figures as decimals, times as times."""
    return tuple(_typed(name, row[_AT[name]]) for name in TITLES)


def _typed(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in PLACES:
        return Decimal(value)
    if name in TIMES:
        return datetime.fromtimestamp(value / 1000, UTC)
    return str(value)
