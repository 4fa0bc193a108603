"""How one row of an upload becomes an order, or the sentences why it does not. Text in, values out, nothing raised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from kernel.numbers import parse_decimal
from orders.domain.shape import order_faults
from orders.domain.terms import OrderTerms
from orders.domain.words import ORD_TYPES, SIDES, TIMES_IN_FORCE

REQUIRED = ("account", "symbol", "side", "ord_type", "order_qty")
OPTIONAL = (
    "client_order_id",
    "time_in_force",
    "price",
    "stop_px",
    "min_qty",
    "max_floor",
    "expire_date",
    "locate_ref",
    "strategy",
)
NUMBERS = ("order_qty", "price", "stop_px", "min_qty", "max_floor")
COLUMNS = REQUIRED + OPTIONAL
MAX_ROWS = 100_000
MAX_CELL = 200
SURPLUS = "surplus"  # cells beyond the last column; no column may be called so
_FORMULA = ("=", "+", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class RowReading:
    """``terms`` when the row is well formed, else ``fields``: column name to sentences."""

    terms: OrderTerms | None
    fields: Mapping[str, list[str]] = field(default_factory=dict)


def header_faults(header: Sequence[str]) -> list[str]:
    """What is wrong with the column names; empty when every required one is there once and no other is unknown."""
    names = [name.strip().lower() for name in header]
    faults = [f"Column {name} is missing." for name in REQUIRED if name not in names]
    faults += [f"Column {name or '(empty)'} is not known." for name in dict.fromkeys(names) if name not in COLUMNS]
    faults += [f"Column {name} stands twice." for name in dict.fromkeys(names) if names.count(name) > 1]
    return faults


def read_row(row: Mapping[str, str]) -> RowReading:
    """One row by column name. Words are case-insensitive; numbers may have thousands separators."""
    faults: dict[str, list[str]] = {}
    if SURPLUS in row:
        faults["row"] = ["The row has more cells than there are columns."]
    for name, value in row.items():
        if value.startswith(_FORMULA):
            faults[name] = ["A formula is not accepted; give the value."]
        elif len(value) > MAX_CELL or not value.isprintable():
            faults[name] = [f"At most {MAX_CELL} printable characters."]
    if faults:
        return RowReading(None, faults)
    text = {name: row.get(name, "").strip() for name in COLUMNS}
    side = SIDES.get(text["side"].lower().replace(" ", "_"))
    ord_type = ORD_TYPES.get(text["ord_type"].lower().replace(" ", "_"))
    time_in_force = TIMES_IN_FORCE.get((text["time_in_force"] or "day").lower().replace(" ", "_"))
    for name, found, words in (
        ("side", side, SIDES),
        ("ord_type", ord_type, ORD_TYPES),
        ("time_in_force", time_in_force, TIMES_IN_FORCE),
    ):
        if found is None:
            faults[name] = [f"Must be one of {', '.join(words)}."]
    numbers = {
        name: _number(text[name], name, faults) for name in ("order_qty", "price", "stop_px", "min_qty", "max_floor")
    }
    if not text["order_qty"]:
        faults["order_qty"] = ["A quantity is needed."]
    expire_date = _date(text["expire_date"], faults)
    order_qty = numbers["order_qty"]
    if faults or side is None or ord_type is None or time_in_force is None or order_qty is None:
        return RowReading(None, faults)
    terms = OrderTerms(
        account=text["account"].upper(),
        symbol=text["symbol"].upper(),
        side=side,
        ord_type=ord_type,
        order_qty=order_qty,
        time_in_force=time_in_force,
        price=numbers["price"],
        stop_px=numbers["stop_px"],
        min_qty=numbers["min_qty"],
        max_floor=numbers["max_floor"],
        expire_date=expire_date,
        locate_ref=text["locate_ref"],
        strategy=text["strategy"],
        client_order_id=text["client_order_id"],
    )
    shape = order_faults(terms)
    return RowReading(None, shape) if shape else RowReading(terms)


def _number(text: str, name: str, faults: dict[str, list[str]]) -> Decimal | None:
    if not text:
        return None
    value = parse_decimal(text)
    if value is None:
        faults[name] = ["This is not a number."]
    return value


def _date(text: str, faults: dict[str, list[str]]) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        faults["expire_date"] = ["A date is written 2026-11-21."]
        return None
