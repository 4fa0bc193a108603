"""Plants in files of allocated trades and of settlements: what both have in common, and what only one of them says. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from reconciliation.domain.making.plants import Change, Expected, Group, PlantKind, instead, lose, most_of, singles
from reconciliation.domain.making.sheet import Dice, Record
from reconciliation.domain.records import Kind

Making = Callable[[Group, Dice], Change]


def _at(record: Record) -> dict[str, str]:
    return record.named("account", "isin")


def _changed(group: Group, category: str, says: str, **values: str | Decimal | date) -> Change:
    (record,) = group
    return Change(
        instead(record, record.but(**values)), (Expected(category, _at(record)),), f"{record['our_ref']}: {says}"
    )


def _lost(group: Group, dice: Dice) -> Change:
    (record,) = group
    return Change(instead(record), (Expected("missing_external", _at(record)),), f"{record['our_ref']} was left out")


def _added(group: Group, dice: Dice) -> Change:
    """Under a name that nobody gave, so that it can be no other record."""
    (record,) = group
    name = f"X{dice.number(9_000_000) + 1_000_000}"
    extra = record.beside("extra", our_ref=name, their_ref=name, qty=Decimal(1 + dice.number(500)))
    expected = Expected("missing_internal", extra.named("account", "isin"))
    return Change(instead(record, record, extra), (expected,), f"{name} was added: nothing of ours")


def _twice(group: Group, dice: Dice) -> Change:
    (record,) = group
    again = record.beside("again", their_ref=f"{record['their_ref']}B")
    expected = Expected("duplicate_suspect", _at(record))
    return Change(instead(record, record, again), (expected,), f"{record['our_ref']} is there twice")


def _units(group: Group, dice: Dice) -> Change:
    qty = group[0].number("qty") + 1 + dice.number(100)
    return _changed(group, "quantity", f"{qty} instead of {group[0]['qty']}", qty=qty)


def _money(column: str) -> Making:
    def making(group: Group, dice: Dice) -> Change:
        amount = group[0].number(column) + Decimal(1 + dice.number(9_000)) / 100
        return _changed(group, "price", f"{column} {amount} instead of {group[0][column]}", **{column: amount})

    return making


def _fee(group: Group, dice: Dice) -> Change:
    amount = group[0].number("commission") + Decimal(1 + dice.number(900)) / 100
    return _changed(group, "fee", f"commission {amount} instead of {group[0]['commission']}", commission=amount)


def _day(group: Group, dice: Dice) -> Change:
    day = date.fromisoformat(group[0]["settlement_date"]) + timedelta(days=1)
    return _changed(group, "timing", f"settles {day} instead of {group[0]['settlement_date']}", settlement_date=day)


def _status(word: str) -> Making:
    def making(group: Group, dice: Dice) -> Change:
        return _changed(group, "status", f"{word} instead of {group[0]['status'] or 'nothing'}", status=word)

    return making


def _plants(kind: Kind, money: str, status: str, *more: tuple[str, str, Making]) -> tuple[PlantKind, ...]:
    table: tuple[tuple[str, str, Making], ...] = (
        ("missing_internal", "a record that is nothing of ours", _added),
        ("missing_external", "a record of ours is left out", _lost),
        ("quantity", "another number of units", _units),
        ("price", f"another {money}", _money(money)),
        *more,
        ("wrong_day", "settles a day later", _day),
        ("status", "another status", _status(status)),
        ("duplicate_line", "a record twice", _twice),
    )
    return (
        *(PlantKind(kind, name, says, singles(), making) for name, says, making in table),
        PlantKind(kind, "truncated", "the last two thirds are missing: the file is doubted", most_of, lose),
    )


PLANTS = (
    *_plants(Kind.ALLOCATIONS, "net", "rejected", ("fee", "another commission", _fee)),
    *_plants(Kind.SETTLEMENTS, "amount", "rejected"),
)
