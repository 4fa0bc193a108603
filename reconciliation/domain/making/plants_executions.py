"""Plants in an executions file. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise

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
from reconciliation.domain.making.sheet import Book, Dice, Record, instant
from reconciliation.domain.records import Kind

OTHER_SIDE = {"1": "2", "2": "1", "5": "1", "6": "1"}
NEIGHBOURS = {"GBP": "USD", "USD": "GBP"}
_ZONES = tuple(timezone(timedelta(minutes=minutes)) for minutes in (-300, -240, 60, 120, 330, 600))


def _ids(record: Record) -> dict[str, str]:
    return record.named("exec_id")


def _plain(record: Record) -> bool:
    """A trade that stands as it was reported, on an order of ours."""
    return record["exec_type"] == "trade" and record.about.get("versions") == "1" and bool(record.about.get("order"))


def _unmoved(record: Record) -> bool:
    return _plain(record) and bool(record["cl_ord_id"])


def _one(record: Record, changed: Record, category: str, says: str) -> Change:
    return Change(instead(record, changed), (Expected(category, _ids(record)),), f"{record['exec_id']}: {says}")


def _new_exec_id(record: Record, dice: Dice) -> str:
    return f"{record['exec_id']}-{dice.number(900_000, 'exec_id') + 100_000}"[-64:]


def _extra(group: Group, dice: Dice) -> Change:
    (record,) = group
    extra = record.beside(
        "extra",
        exec_id=_new_exec_id(record, dice),
        last_qty=record.number("last_qty") + 7 + dice.number(90),
        last_px=record.number("last_px") * Decimal("1.01"),
        commission="",
        fees="",
    )
    says = f"{extra['exec_id']} on order {record['cl_ord_id']} was added: nobody reported it to us"
    return Change(instead(record, record, extra), (Expected("missing_internal", _ids(extra)),), says)


def _dropped(group: Group, dice: Dice) -> Change:
    (record,) = group
    return Change(instead(record), (Expected("missing_external", _ids(record)),), f"{record['exec_id']} was left out")


def _quantity(group: Group, dice: Dice) -> Change:
    (record,) = group
    qty = record.number("last_qty") + 1 + dice.number(50)
    return _one(record, record.but(last_qty=qty), "quantity", f"quantity {qty} instead of {record['last_qty']}")


def _price(group: Group, dice: Dice) -> Change:
    (record,) = group
    price = record.number("last_px") + Decimal(1 + dice.number(40)) / 100
    return _one(record, record.but(last_px=price), "price", f"price {price} instead of {record['last_px']}")


def _price_unit(group: Group, dice: Dice) -> Change:
    (record,) = group
    factor = Decimal("0.01") if record.about["divisor"] == "100" else Decimal(100)
    unit = "pounds instead of pence" if record.about["divisor"] == "100" else "hundredths"
    changed = record.but(last_px=record.number("last_px") * factor)
    return _one(record, changed, "price", f"the price is told in {unit}")


def _fee(group: Group, dice: Dice) -> Change:
    (record,) = group
    column = "commission" if record["commission"] else "fees"
    fee = record.number(column) + Decimal(1 + dice.number(200)) / 100
    return _one(record, record.but(**{column: fee}), "fee", f"{column} {fee} instead of {record[column]}")


def _currency(group: Group, dice: Dice) -> Change:
    (record,) = group
    other = NEIGHBOURS.get(record["currency"], "GBP")
    return _one(record, record.but(currency=other), "price", f"in {other} instead of {record['currency']}")


def _twice(group: Group, dice: Dice) -> Change:
    (record,) = group
    expected = Expected("duplicate_suspect", _ids(record))
    return Change(instead(record, record, record.beside("again")), (expected,), f"{record['exec_id']} is there twice")


def _repeated_id(group: Group, dice: Dice) -> Change:
    """A venue that numbers by order: the ExecID of one order on another. Both are there, ours knows one of them."""
    record, other = group
    again = other.beside(
        "repeated",
        exec_id=record["exec_id"],
        last_qty=other.number("last_qty") + 3,
        last_px=other.number("last_px") * Decimal("0.99"),
        commission="",
        fees="",
    )
    ids = {**_ids(record), **other.named("cl_ord_id", "venue_order_id")}
    says = f"{record['exec_id']} of order {record['cl_ord_id']} is also an execution of order {other['cl_ord_id']}"
    return Change({record.key: (record,), other.key: (other, again)}, (Expected("missing_internal", ids),), says)


def _renamed(group: Group, dice: Dice) -> Change:
    (record,) = group
    renamed = record.but(exec_id=_new_exec_id(record, dice))
    expected = (Expected("missing_external", _ids(record)), Expected("missing_internal", _ids(renamed)))
    return Change(
        instead(record, renamed),
        expected,
        f"{record['exec_id']} is called {renamed['exec_id']}: alike, and not the same",
    )


def _moved(group: Group, dice: Dice) -> Change:
    """Same account, instrument, side, quantity and price, other execution on another order: never the same trade."""
    (record,) = group
    stranger = f"Z{dice.number(9_000_000) + 1_000_000}"
    moved = record.but(exec_id=_new_exec_id(record, dice), cl_ord_id=stranger, venue_order_id=f"V{stranger}")
    expected = (Expected("missing_external", _ids(record)), Expected("missing_internal", _ids(moved)))
    return Change(instead(record, moved), expected, f"{record['exec_id']} is told as {moved['exec_id']} of {stranger}")


def _bust(group: Group, dice: Dice) -> Change:
    (record,) = group
    bust = record.beside("bust", exec_id=_new_exec_id(record, dice), exec_ref_id=record["exec_id"], exec_type="bust")
    expected = Expected("quantity", _ids(record))
    return Change(
        instead(record, record, bust),
        (expected,),
        f"{record['exec_id']} was busted by {bust['exec_id']}, unknown to us",
    )


def _unbust(group: Group, dice: Dice) -> Change:
    trade, bust = group
    expected = Expected("quantity", _ids(trade))
    return Change(
        {trade.key: (trade,), bust.key: ()},
        (expected,),
        f"the bust {bust['exec_id']} of {trade['exec_id']} was left out",
    )


def _uncorrect(group: Group, dice: Dice) -> Change:
    """One matter, whatever the correction changed: where the quantity is another, the price beside it is no second break."""
    trade, correction = group
    differs = "quantity" if trade.number("last_qty") != correction.number("last_qty") else "price"
    says = f"the correction {correction['exec_id']} of {trade['exec_id']} was left out"
    return Change({trade.key: (trade,), correction.key: ()}, (Expected(differs, _ids(trade)),), says)


def _correction(group: Group, dice: Dice) -> Change:
    (record,) = group
    names = {"exec_id": _new_exec_id(record, dice), "exec_ref_id": record["exec_id"], "exec_type": "correction"}
    if dice.number(2, "what"):
        corrected, category = record.beside("correction", last_qty=record.number("last_qty") + 2, **names), "quantity"
    else:
        corrected, category = record.beside("correction", last_px=record.number("last_px") + 1, **names), "price"
    says = f"{record['exec_id']} was corrected by {names['exec_id']} in {category}, unknown to us"
    return Change(instead(record, record, corrected), (Expected(category, _ids(record)),), says)


def _side(group: Group, dice: Dice) -> Change:
    (record,) = group
    other = OTHER_SIDE[record["side"]]
    return _one(record, record.but(side=other), "quantity", f"side {other} instead of {record['side']}")


def _account(group: Group, dice: Dice) -> Change:
    record, other = group
    changed = record.but(account=other["account"])
    expected = Expected("quantity", _ids(record))
    says = f"{record['exec_id']} is told for account {other['account']} instead of {record['account']}"
    return Change({record.key: (changed,), other.key: (other,)}, (expected,), says)


def _wrong_day(group: Group, dice: Dice) -> Change:
    (record,) = group
    day = date.fromisoformat(record["trade_date"]) + timedelta(days=1)
    changed = record.but(trade_date=day)
    return _one(record, changed, "timing", f"trade date {day} instead of {record['trade_date']}")


def _settles_later(group: Group, dice: Dice) -> Change:
    (record,) = group
    day = date.fromisoformat(record["settlement_date"]) + timedelta(days=1)
    return _one(
        record, record.but(settlement_date=day), "timing", f"settles {day} instead of {record['settlement_date']}"
    )


def _hour_off(group: Group, dice: Dice) -> Change:
    (record,) = group
    at = _time(record) + timedelta(hours=1)
    return _one(
        record, record.but(transact_time=instant(at)), "timing", "its time is an hour late, as summer time makes"
    )


def _other_zone(group: Group, dice: Dice) -> Change:
    (record,) = group
    at = _time(record).astimezone(_ZONES[dice.number(len(_ZONES))])
    changed = record.but(transact_time=at.isoformat(timespec="microseconds"))
    return Change(instead(record, changed), (), f"{record['exec_id']}: the same moment, told in another zone")


def _several(group: Group, dice: Dice) -> Change:
    """Three executions of one order, each wrong in a way of its own: three matters, not one."""
    changes = [
        make((record,), dice.of(name))
        for record, (name, make) in zip(
            group, (("quantity", _quantity), ("price", _price), ("left out", _dropped)), strict=True
        )
    ]
    return Change(
        {key: records for change in changes for key, records in change.records.items()},
        tuple(one for change in changes for one in change.expected),
        "; ".join(change.says for change in changes),
    )


def _after_cut(group: Group, dice: Dice) -> Change:
    """The counterparty closed its file before it traded: it will be in the next one."""
    (record,) = group
    cut = _time(record) - timedelta(milliseconds=1)
    return Change(
        instead(record), (), f"{record['exec_id']} happened after the cut of the file, {instant(cut)}", cut_at=cut
    )


def _last(book: Book) -> Iterable[Group]:
    """The trade that happened last, where it is one alone."""
    trades = sorted((record for record in book.records if record["transact_time"]), key=_time)
    if len(trades) > 1 and _time(trades[-1]) > _time(trades[-2]) and _plain(trades[-1]):
        yield (trades[-1],)


def _threes(book: Book) -> Iterable[Group]:
    by_order: dict[str, list[Record]] = {}
    for record in book.records:
        if _plain(record):
            by_order.setdefault(record.about["order"], []).append(record)
    for records in by_order.values():
        yield from zip(records[::3], records[1::3], records[2::3], strict=False)


def _versions(word: str) -> Callable[[Book], Iterable[Group]]:
    """Trades of ours with the one later version that the file tells of them."""

    def groups(book: Book) -> Iterable[Group]:
        trades = {record.about["matter"]: record for record in book.records if record["exec_type"] == "trade"}
        for record in book.records:
            if record["exec_type"] == word and record.about.get("versions") == "2" and record.about["matter"] in trades:
                yield trades[record.about["matter"]], record

    return groups


def _alone(book: Book) -> Iterable[Group]:
    """Trades whose ExecID names no other one of their order: a bust or correction by ExecID can only mean them."""
    named = Counter((record.about.get("order"), record["exec_id"]) for record in book.records)
    return (
        (record,) for record in book.records if _plain(record) and named[record.about["order"], record["exec_id"]] == 1
    )


def _two_orders(book: Book) -> Iterable[Group]:
    """Neighbours that are executions of different orders, with different names."""
    plain = [record for record in book.records if _unmoved(record)]
    for one, other in zip(plain[::2], plain[1::2], strict=False):
        if one.about["order"] != other.about["order"] and one["exec_id"] != other["exec_id"]:
            yield one, other


def _two_accounts(book: Book) -> Iterable[Group]:
    return (pair for pair in _pairs(book) if pair[0]["account"] and pair[0]["account"] != pair[1]["account"])


def _pairs(book: Book) -> Iterable[tuple[Record, Record]]:
    by_account: dict[str, list[Record]] = {}
    for record in book.records:
        if _plain(record):
            by_account.setdefault(record["account"], []).append(record)
    accounts = sorted(by_account)
    for one, other in pairwise(accounts):
        yield from zip(by_account[one], by_account[other], strict=False)


def _charged(record: Record) -> bool:
    return _plain(record) and bool(record["commission"] or record["fees"])


def _time(record: Record) -> datetime:
    return datetime.fromisoformat(record["transact_time"])


def _kind(
    name: str, says: str, groups: Callable[[Book], Iterable[Group]], change: Callable[[Group, Dice], Change]
) -> PlantKind:
    return PlantKind(Kind.EXECUTIONS, name, says, groups, change)


PLANTS = (
    _kind("several", "three executions of one order, each wrong in its own way", _threes, _several),
    _kind("bust_unknown_to_them", "a bust that we have is not in the file", _versions("bust"), _unbust),
    _kind(
        "correction_unknown_to_them",
        "a correction that we have is not in the file",
        _versions("correction"),
        _uncorrect,
    ),
    _kind("after_cut", "the last trade is after the cut of the file: no break", _last, _after_cut),
    _kind("repeated_exec_id", "an ExecID of one order is also one of another order", _two_orders, _repeated_id),
    _kind("wrong_account", "told for another account", _two_accounts, _account),
    _kind("missing_internal", "a trade that we do not know", singles(_unmoved), _extra),
    _kind("missing_external", "a trade of ours is left out", singles(_plain), _dropped),
    _kind("quantity", "another quantity", singles(_plain), _quantity),
    _kind("price", "another price", singles(_plain), _price),
    _kind("price_unit", "pounds for pence, or the other way round", singles(_plain), _price_unit),
    _kind("fee", "another commission or fee", singles(_charged), _fee),
    _kind("currency", "another currency", singles(_plain), _currency),
    _kind("duplicate_line", "a line twice", singles(_plain), _twice),
    _kind("renamed", "the same trade under another ExecID: not the same", singles(_plain), _renamed),
    _kind("moved", "the same economics on an order of another name: not the same", singles(_unmoved), _moved),
    _kind("bust_unknown_to_us", "a bust that we have not", _alone, _bust),
    _kind("correction_unknown_to_us", "a correction that we have not", _alone, _correction),
    _kind("wrong_side", "bought for sold", singles(_plain), _side),
    _kind("wrong_day", "the neighbouring trade date", singles(_plain), _wrong_day),
    _kind("settlement_date", "settles a day later", singles(_plain), _settles_later),
    _kind("hour_off", "an hour late, as the end of summer time makes it", singles(_plain), _hour_off),
    _kind("other_zone", "the same moment in another zone: no break", singles(_plain), _other_zone),
    _kind("truncated", "the last two thirds are missing: the file is doubted", most_of, lose),
)
