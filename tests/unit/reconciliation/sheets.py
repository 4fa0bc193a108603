"""Books of a small day, made of nothing but words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from reconciliation.domain.making.sheet import Book, Record, instant
from reconciliation.domain.records import Kind

DAY = date(2026, 11, 20)
CUT = datetime(2026, 11, 20, 18, tzinfo=UTC)


def executions(count: int = 24) -> Book:
    """Three a order on two accounts; the first two trades were busted and corrected."""
    records = [_trade(number) for number in range(count)]
    for number, word in ((0, "bust"), (1, "correction")):
        trade = records[number]
        about = {**trade.about, "versions": "2"}
        records[number] = Record(trade.key, trade.values, about)
        names = {"exec_id": f"{trade['exec_id']}B", "exec_ref_id": trade["exec_id"], "exec_type": word}
        qty = {"last_qty": "55"} if word == "correction" else {}
        records.append(Record(f"{trade.key}:2", {**trade.values, **names, **qty}, about))
    return Book("executions", Kind.EXECUTIONS, "BROKER", DAY, CUT, tuple(records))


def _trade(number: int) -> Record:
    order = f"A{number // 3}"
    at = datetime(2026, 11, 20, 10, tzinfo=UTC) + timedelta(seconds=number)
    values = {
        "exec_id": f"X{number}", "exec_type": "trade", "cl_ord_id": f"{order}.1", "venue_order_id": f"V{order}",
        "account": f"ACC-{number % 2}", "isin": "GB00BH4HKS39", "symbol": "VOD.L", "mic": "XLON", "side": "1",
        "last_qty": str(100 + number), "last_px": "72.5", "currency": "GBP", "commission": "7", "fees": "0.5",
        "trade_date": "2026-11-20", "transact_time": instant(at), "settlement_date": "2026-11-24",
    }  # fmt: skip
    about = {"matter": f"m{number}", "order": order, "divisor": "100", "versions": "1", "order_qty": "900"}
    return Record(f"m{number}:1", values, about)


def orders(count: int = 20) -> Book:
    """Live and done, one replaced."""
    return Book("orders", Kind.ORDERS, "VENUE", DAY, CUT, tuple(_order(number) for number in range(count)))


def open_orders(count: int = 16) -> Book:
    """Those that live, of other names than :func:`orders`."""
    live = [_order(number) for number in range(100, 100 + 2 * count) if number % 4 != 3][: count - 1]
    return Book("open_orders", Kind.OPEN_ORDERS, "VENUE", DAY, CUT, (replaced(), *live))


def replaced() -> Record:
    """One that works under the name of its replace."""
    record = _order(200)
    return Record(record.key, record.values, {**record.about, "former_names": "A200.1"})


def _order(number: int) -> Record:
    done = number % 4 == 3
    values = {
        "cl_ord_id": f"A{number}.2", "venue_order_id": f"VA{number}", "account": "ACC-1", "isin": "GB00BH4HKS39",
        "symbol": "VOD.L", "mic": "XLON", "side": "1", "ord_type": "2", "time_in_force": "0",
        "ord_status": "canceled" if done else "partially_filled", "order_qty": "500", "cum_qty": "200",
        "leaves_qty": "0" if done else "300", "price": "72.5", "transact_time": "2026-11-20T10:00:00.000000Z",
    }  # fmt: skip
    former = {"former_names": f"A{number}.1"} if number == 5 else {}
    return Record(f"A{number}", values, {"order": f"A{number}", "divisor": "100", **former})


def positions(count: int = 12) -> Book:
    """Two instruments on each account."""
    records = tuple(
        Record(
            f"p{number}",
            {"account": f"ACC-{number // 2}", "isin": ("GB00BH4HKS39", "US5949181045")[number % 2],
             "qty": str(1000 + number), "basis": "settled", "as_of": "2026-11-20"},
            {"not_held": "GB0031348658"},
        )
        for number in range(count)
    )  # fmt: skip
    return Book("positions", Kind.POSITIONS, "CUSTODIAN", DAY, CUT, records)


def cash(count: int = 4) -> Book:
    """A balance of each account with five entries."""
    records = []
    for number in range(count):
        at = {"account": f"ACC-{number}", "currency": "GBP", "as_of": "2026-11-20"}
        moves = [-100 - number * 7 - step for step in range(5)]
        balance = {"record": "balance", "opening": "5000", "amount": str(5000 + sum(moves)), **at}
        records.append(Record(f"b{number}", balance))
        for step, amount in enumerate(moves):
            names = {"entry_ref": f"B{number}{step}", "our_ref": f"X{number}-{step}", "value_date": "2026-11-20"}
            records.append(Record(f"e{number}:{step}", {"record": "entry", "amount": str(amount), **names, **at}))
    return Book("cash", Kind.CASH, "BANK", DAY, CUT, tuple(records))


def allocated(count: int = 12) -> Book:
    """As many trades, each of an account and stock of its own."""
    records = tuple(Record(f"A-{n}", {**_post_trade(n), **_money(n)}) for n in range(count))
    return Book("allocations", Kind.ALLOCATIONS, "BROKER", DAY, CUT, records)


def settled(count: int = 12) -> Book:
    """The same as instructions."""
    said = {"amount": "812.5", "settled_qty": "0", "status": "pending"}
    records = tuple(Record(f"S{n}-1", {**_post_trade(n), "our_ref": f"S{n}-1", **said}) for n in range(count))
    return Book("settlements", Kind.SETTLEMENTS, "CUSTODIAN", DAY, CUT, records)


def _post_trade(number: int) -> dict[str, str]:
    return {
        "our_ref": f"A-{number}", "their_ref": f"T{number}", "account": f"ACC-{number}", "isin": "GB00BH4HKS39",
        "symbol": "VOD.L", "mic": "XLON", "side": "1", "qty": str(1000 + number), "currency": "GBP",
        "trade_date": "2026-11-20", "settlement_date": "2026-11-24",
    }  # fmt: skip


def _money(number: int) -> dict[str, str]:
    return {
        "avg_px": "72.5", "gross": "725", "commission": "7", "fees": "3.63", "net": f"{735 + number}.63", "status": "confirmed",
    }  # fmt: skip


def books() -> list[Book]:
    """All of them."""
    return [executions(), orders(), open_orders(), positions(), cash(), allocated(), settled()]
