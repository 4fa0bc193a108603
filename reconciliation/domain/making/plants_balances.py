"""Plants in files of positions and of cash. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal

from reconciliation.domain.making.plants import (
    Change,
    Expected,
    Group,
    PlantKind,
    instead,
    lose,
    most_of,
    pairs_within,
    singles,
)
from reconciliation.domain.making.sheet import Book, Dice, Record
from reconciliation.domain.records import Kind

Groups = Callable[[Book], Iterable[Group]]
Making = Callable[[Group, Dice], Change]


def _at(record: Record) -> dict[str, str]:
    return record.named("account", "isin")


def _position(record: Record, changed: Record, category: str, says: str) -> Change:
    where = f"{record['account']} {record['isin']} {record['basis']}"
    return Change(instead(record, changed), (Expected(category, _at(record)),), f"{where}: {says}")


def _position_lost(group: Group, dice: Dice) -> Change:
    (record,) = group
    return Change(instead(record), (Expected("missing_external", _at(record)),), f"{_where(record)} was left out")


def _position_added(group: Group, dice: Dice) -> Change:
    """Of an account that has nothing in it: the ISIN is one that the account does not hold."""
    (record,) = group
    extra = record.beside("extra", isin=record.about["not_held"], symbol="", mic="", qty=Decimal(17 + dice.number(80)))
    says = f"{_where(extra)} was added"
    return Change(instead(record, record, extra), (Expected("missing_internal", _at(extra)),), says)


def _position_off(group: Group, dice: Dice) -> Change:
    (record,) = group
    qty = record.number("qty") + 1 + dice.number(100)
    return _position(record, record.but(qty=qty), "quantity", f"{qty} instead of {record['qty']}")


def _position_scaled(group: Group, dice: Dice) -> Change:
    """One of the two has taken a split in and the other has not."""
    (record,) = group
    ratio = (2, 5, 10)[dice.number(3)]
    qty = record.number("qty") * ratio
    return _position(
        record, record.but(qty=qty), "quantity", f"{qty} instead of {record['qty']}, a split of {ratio} for 1"
    )


def _position_turned(group: Group, dice: Dice) -> Change:
    (record,) = group
    qty = -record.number("qty")
    return _position(record, record.but(qty=qty), "quantity", f"{qty} instead of {record['qty']}: long told as short")


def _position_twice(group: Group, dice: Dice) -> Change:
    (record,) = group
    expected = Expected("duplicate_suspect", _at(record))
    return Change(instead(record, record, record.beside("again")), (expected,), f"{_where(record)} is there twice")


def _positions_crossed(group: Group, dice: Dice) -> Change:
    """Too much on one account and as much too little on another: the net agrees, and nothing else does."""
    one, other = group
    units = Decimal(3 + dice.number(20))
    more, less = one.but(qty=one.number("qty") + units), other.but(qty=other.number("qty") - units)
    expected = (Expected("quantity", _at(one)), Expected("quantity", _at(other)))
    says = f"{units} units moved from {_where(other)} to {_where(one)}"
    return Change({one.key: (more,), other.key: (less,)}, expected, says)


def _where(record: Record) -> str:
    return " ".join(record[name] for name in ("account", "isin", "currency", "basis", "entry_ref") if record[name])


def _ref(record: Record) -> dict[str, str]:
    return record.named("account", "currency", "our_ref")


def _entry_lost(group: Group, dice: Dice) -> Change:
    (record,) = group
    expected = Expected("missing_external", _ref(record))
    return Change(instead(record), (expected,), f"the entry of {record['our_ref']} was left out")


def _entry_added(group: Group, dice: Dice) -> Change:
    (record,) = group
    name = f"BK{dice.number(9_000_000) + 1_000_000}"
    amount = Decimal(1_000 + dice.number(9_000)) / 100
    extra = record.beside("extra", entry_ref=name, our_ref="", amount=amount, narrative="CHARGES")
    return Change(
        instead(record, record, extra), (Expected("missing_internal", extra.named("account", "entry_ref")),),
        f"{_where(extra)} over {amount} was added: nothing of ours",
    )  # fmt: skip


def _entry_twice(group: Group, dice: Dice) -> Change:
    (record,) = group
    again = record.beside("again", entry_ref=f"{record['entry_ref']}B")
    expected = Expected("duplicate_suspect", _ref(record))
    return Change(instead(record, record, again), (expected,), f"{record['our_ref']} was booked twice by the bank")


def _entry_amount(group: Group, dice: Dice) -> Change:
    (record,) = group
    amount = record.number("amount") + Decimal(1 + dice.number(5_000)) / 100
    return _entry(record, record.but(amount=amount), "quantity", f"{amount} instead of {record['amount']}")


def _entry_day(group: Group, dice: Dice) -> Change:
    (record,) = group
    day = date.fromisoformat(record["value_date"]) + timedelta(days=1)
    return _entry(record, record.but(value_date=day), "timing", f"value date {day} instead of {record['value_date']}")


def _entries_crossed(group: Group, dice: Dice) -> Change:
    """Two entries with each other's reference: their sum agrees, and nothing else does."""
    one, other = group
    expected = (Expected("quantity", _ref(one)), Expected("quantity", _ref(other)))
    changed = {one.key: (one.but(our_ref=other["our_ref"]),), other.key: (other.but(our_ref=one["our_ref"]),)}
    return Change(changed, expected, f"{one['our_ref']} and {other['our_ref']} carry each other's reference")


def _entry(record: Record, changed: Record, category: str, says: str) -> Change:
    return Change(instead(record, changed), (Expected(category, _ref(record)),), f"{record['our_ref']}: {says}")


def _balance_off(group: Group, dice: Dice) -> Change:
    """Opening and closing alike too high: the entries agree, and the balance was wrong before the day began."""
    (record,) = group
    more = Decimal(100 + dice.number(9_000)) / 100
    changed = record.but(amount=record.number("amount") + more, opening=record.number("opening") + more)
    expected = Expected("quantity", record.named("account", "currency"))
    return Change(
        instead(record, changed), (expected,), f"{_where(record)}: balance {more} too high since before the day"
    )


def _plants(kind: Kind, table: Iterable[tuple[str, str, Groups, Making]]) -> tuple[PlantKind, ...]:
    return tuple(PlantKind(kind, *row) for row in table)


def _is_entry(record: Record) -> bool:
    return record["record"] == "entry" and bool(record["our_ref"])


def _crossable(book: Book) -> Iterable[Group]:
    pairs = pairs_within(lambda record: f"{record['account']} {record['currency']}", _is_entry)(book)
    return (
        (one, other) for one, other in pairs if one["amount"] != other["amount"] and one["our_ref"] != other["our_ref"]
    )


def _same_isin(book: Book) -> Iterable[Group]:
    return pairs_within(lambda record: f"{record['isin']} {record['basis']}", lambda record: True)(book)


POSITIONS = _plants(
    Kind.POSITIONS,
    (
        ("crossed", "too much here and as much too little there: the net agrees", _same_isin, _positions_crossed),
        (
            "missing_internal",
            "a position that we do not have",
            singles(lambda r: "not_held" in r.about),
            _position_added,
        ),
        ("missing_external", "a position of ours is left out", singles(), _position_lost),
        ("quantity", "another number of units", singles(), _position_off),
        ("action_ratio", "off by the ratio of a split", singles(), _position_scaled),
        ("sign", "long told as short", singles(), _position_turned),
        ("duplicate_line", "a line twice", singles(), _position_twice),
        ("truncated", "the last two thirds are missing: the file is doubted", most_of, lose),
    ),
)
CASH = _plants(
    Kind.CASH,
    (
        ("crossed", "two entries with each other's reference: the net agrees", _crossable, _entries_crossed),
        ("missing_internal", "an entry that is nothing of ours", singles(_is_entry), _entry_added),
        ("missing_external", "an entry of ours is left out", singles(_is_entry), _entry_lost),
        ("duplicate_entry", "an entry twice, under two references of the bank", singles(_is_entry), _entry_twice),
        ("amount", "another amount", singles(_is_entry), _entry_amount),
        ("value_date", "valued a day later", singles(_is_entry), _entry_day),
        (
            "balance",
            "a balance that was wrong before the day began",
            singles(lambda r: r["record"] == "balance"),
            _balance_off,
        ),
    ),
)
