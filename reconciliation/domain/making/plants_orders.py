"""Plants in a file of orders, or of open orders. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

from reconciliation.domain.making.plants import (
    Change,
    Expected,
    Group,
    PlantKind,
    instead,
    lose,
    most_of,
    singles,
)
from reconciliation.domain.making.sheet import Book, Dice, Record
from reconciliation.domain.records import Kind

LIVE = frozenset({"new", "partially_filled"})
OTHER_SIDE = {"1": "2", "2": "1", "5": "1", "6": "1"}


def _ids(record: Record) -> dict[str, str]:
    return record.named("cl_ord_id", "venue_order_id")


def _one(record: Record, changed: Record, category: str, says: str) -> Change:
    return Change(
        instead(record, changed), (Expected(category, record.named("cl_ord_id")),), f"{record['cl_ord_id']}: {says}"
    )


def _stranger(record: Record, dice: Dice) -> Record:
    name = f"Z{dice.number(9_000_000, 'name') + 1_000_000}"
    return record.beside("stranger", cl_ord_id=name, venue_order_id=f"V{name}", orig_cl_ord_id="")


def _extra(group: Group, dice: Dice) -> Change:
    (record,) = group
    extra = _stranger(record, dice).but(order_qty=record.number("order_qty") + 11)
    says = f"{extra['cl_ord_id']} was added: no order of ours"
    return Change(instead(record, record, extra), (Expected("missing_internal", _ids(extra)),), says)


def _dropped(group: Group, dice: Dice) -> Change:
    (record,) = group
    expected = Expected("missing_external", record.named("cl_ord_id"))
    return Change(instead(record), (expected,), f"{record['cl_ord_id']} was left out")


def _renamed(group: Group, dice: Dice) -> Change:
    (record,) = group
    renamed = _stranger(record, dice)
    expected = (Expected("missing_external", record.named("cl_ord_id")), Expected("missing_internal", _ids(renamed)))
    says = f"{record['cl_ord_id']} is called {renamed['cl_ord_id']}: alike, and not the same"
    return Change(instead(record, renamed), expected, says)


def _status(group: Group, dice: Dice) -> Change:
    """Canceled there and open here, or the other way round; what was executed is told alike."""
    (record,) = group
    left = record.number("order_qty") - record.number("cum_qty")
    if record["ord_status"] in LIVE:
        changed = record.but(ord_status="canceled", leaves_qty="0")
    else:
        live = "partially_filled" if record.number("cum_qty") else "new"
        changed = record.but(ord_status=live, leaves_qty=max(left, Decimal(0)))
    return _one(record, changed, "status", f"{changed['ord_status']} instead of {record['ord_status']}")


def _quantity(group: Group, dice: Dice) -> Change:
    (record,) = group
    more = 1 + dice.number(40)
    changed = record.but(order_qty=record.number("order_qty") + more)
    if record["ord_status"] in LIVE:
        changed = changed.but(leaves_qty=record.number("leaves_qty") + more)
    return _one(record, changed, "quantity", f"quantity {changed['order_qty']} instead of {record['order_qty']}")


def _executed(group: Group, dice: Dice) -> Change:
    (record,) = group
    done = record.number("cum_qty") - 1
    changed = record.but(cum_qty=done)
    if record["ord_status"] in LIVE:
        changed = changed.but(leaves_qty=record.number("leaves_qty") + 1)
    return _one(record, changed, "quantity", f"{done} executed instead of {record['cum_qty']}")


def _price(group: Group, dice: Dice) -> Change:
    (record,) = group
    price = record.number("price") + Decimal(1 + dice.number(30)) / 100
    return _one(record, record.but(price=price), "price", f"limit {price} instead of {record['price']}")


def _price_unit(group: Group, dice: Dice) -> Change:
    (record,) = group
    factor = Decimal("0.01") if record.about["divisor"] == "100" else Decimal(100)
    return _one(
        record, record.but(price=record.number("price") * factor), "price", "the limit is told in the other unit"
    )


def _side(group: Group, dice: Dice) -> Change:
    (record,) = group
    other = OTHER_SIDE[record["side"]]
    return _one(record, record.but(side=other), "quantity", f"side {other} instead of {record['side']}")


def _twice(group: Group, dice: Dice) -> Change:
    (record,) = group
    expected = Expected("duplicate_suspect", record.named("cl_ord_id"))
    return Change(instead(record, record, record.beside("again")), (expected,), f"{record['cl_ord_id']} is there twice")


def _old_name(group: Group, dice: Dice) -> Change:
    """A venue that keeps calling a replaced order by its first name: any request of the lineage is the order."""
    (record,) = group
    old = record.about["former_names"].split()[0]
    changed = record.but(cl_ord_id=old, orig_cl_ord_id="")
    return Change(instead(record, changed), (), f"{record['cl_ord_id']} is listed under its former name {old}")


def _unnamed(group: Group, dice: Dice) -> Change:
    (record,) = group
    changed = record.but(cl_ord_id="", orig_cl_ord_id="")
    return Change(
        instead(record, changed), (), f"{record['cl_ord_id']} is listed under {record['venue_order_id']} alone"
    )


def _kind(
    name: str, says: str, groups: Callable[[Book], Iterable[Group]], change: Callable[[Group, Dice], Change]
) -> PlantKind:
    return PlantKind(Kind.ORDERS, name, says, groups, change)


def _of_open(plant: PlantKind) -> PlantKind:
    """The same in a list of what is open: an order can be wrong there in the same ways."""
    return replace(plant, kind=Kind.OPEN_ORDERS)


def _named(record: Record) -> bool:
    return bool(record["cl_ord_id"]) and record["ord_status"] not in ("rejected",)


def _priced(record: Record) -> bool:
    return _named(record) and bool(record["price"])


def _traded(record: Record) -> bool:
    return _named(record) and record.number("cum_qty") > 1


PLANTS = (
    _kind(
        "old_name",
        "a replaced order under its former name: no break",
        singles(lambda r: bool(r.about.get("former_names"))),
        _old_name,
    ),
    _kind(
        "unnamed",
        "under the venue's name alone: no break",
        singles(lambda r: bool(r["venue_order_id"]) and _named(r)),
        _unnamed,
    ),
    _kind("missing_internal", "an order that is none of ours", singles(_named), _extra),
    _kind("missing_external", "an order of ours is left out", singles(_named), _dropped),
    _kind(
        "status",
        "over there and open here, or the other way round",
        singles(lambda r: _named(r) and r["ord_status"] in LIVE | {"canceled"}),
        _status,
    ),
    _kind("quantity", "another OrderQty", singles(lambda r: _named(r) and bool(r["order_qty"])), _quantity),
    _kind("executed", "less executed", singles(_traded), _executed),
    _kind("price", "another limit", singles(_priced), _price),
    _kind("price_unit", "pounds for pence, or the other way round", singles(_priced), _price_unit),
    _kind("wrong_side", "bought for sold", singles(_named), _side),
    _kind("duplicate_line", "a line twice", singles(_named), _twice),
    _kind("renamed", "the same economics under other names: not the same", singles(_named), _renamed),
    _kind("truncated", "the last two thirds are missing: the file is doubted", most_of, lose),
)
OF_OPEN = tuple(_of_open(plant) for plant in PLANTS)
