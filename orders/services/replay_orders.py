"""Rebuild orders from their events and compare them with their rows, column by column. Reads only, a slice at a time.

Whoever calls sees to it that events and rows are of one moment (one repeatable-read transaction).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db import models

from accounts.domain.arithmetic import fill_effect
from accounts.domain.ledger import OrderHold
from accounts.domain.replaying import OrderShare
from journal.bulk import raw_cursor, shape_of
from journal.domain.differing import Difference, differences, missing_rows
from journal.domain.records import EventRecord
from journal.selectors.events import records_of_streams
from kernel.fix import Side
from kernel.numbers import ZERO
from orders.domain.facts import VERSION as FACTS_VERSION
from orders.domain.facts import facts_from_json, facts_to_json
from orders.domain.replayed import NOT_TOLD, ReplayedOrder
from orders.domain.replaying import Replay, tells_all
from orders.models import Execution, Order, OrderRequest

Rows = Mapping[UUID, Mapping[str, Any]]


@dataclass(slots=True)
class ReplayedOrders:
    """What a slice of orders came to. ``shares``: what each order means for its account, by the events;
    ``suspended``: what of it lies in a suspense account instead.

    ``events`` counts what was read. ``untold`` are orders of before the events told everything: not compared.
    """

    orders: int = 0
    events: int = 0
    untold: list[UUID] = field(default_factory=list)
    shares: list[OrderShare] = field(default_factory=list)
    suspended: list[OrderShare] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def replay_orders(*, order_ids: Collection[UUID]) -> ReplayedOrders:
    """Rebuild and compare. An order without events, or with events that no service could have written, is a difference."""
    result = ReplayedOrders(orders=len(order_ids))
    rows = read_rows(Order, "id", order_ids)
    requests = _by_order(read_rows(OrderRequest, "order_id", order_ids))
    executions = _by_order(read_rows(Execution, "order_id", order_ids))
    seen: set[UUID] = set()
    for order_id, told, head in _replays(order_ids, result):
        seen.add(order_id)
        subject = f"order:{order_id}"
        if told is None:
            continue
        row = rows.get(order_id)
        if row is None:
            result.differences.append(Difference(subject, "row", "an order", "(nothing)"))
            continue
        result.shares.append(share_of(told))
        if told.suspense_account_id is not None:
            result.suspended.append(suspended_share_of(told))
        own = requests.get(order_id, {}), executions.get(order_id, {})
        result.differences += compare(told, row, *own, head=head)
    for order_id in sorted(rows.keys() - seen):
        result.differences.append(Difference(f"order:{order_id}", "events", "(nothing)", "an order"))
    return result


def _replays(order_ids: Collection[UUID], result: ReplayedOrders) -> Iterator[tuple[UUID, ReplayedOrder | None, bytes]]:
    """Each order that has events, rebuilt (None when it cannot be, or tells too little), with the hash of its last one."""
    stream, taken, head, fault = "", Replay(), b"", ""
    for event, digest in records_of_streams([f"order:{order_id}" for order_id in sorted(order_ids)]):
        result.events += 1
        if event.stream != stream:
            if stream:
                yield UUID(stream[6:]), _rebuilt(stream, taken, fault, result), head
            stream, taken, fault = event.stream, Replay(), ""
            if event.kind in BORN_BEFORE and not tells_all(event):
                result.untold.append(UUID(stream[6:]))
                fault = UNTOLD
        head = digest
        if not fault:
            fault = _take(taken, event)
    if stream:
        yield UUID(stream[6:]), _rebuilt(stream, taken, fault, result), head


UNTOLD = "untold"
BORN_BEFORE = frozenset({"OrderCaptured", "OrderPhoned"})


def _take(taken: Replay, event: EventRecord) -> str:
    """Why the event cannot be taken, or the empty text."""
    try:
        taken.take(event)
    except (KeyError, ValueError, TypeError, ArithmeticError) as error:
        return f"event {event.seq} ({event.kind}) cannot be replayed: {type(error).__name__} {error}"
    return ""


def _rebuilt(stream: str, taken: Replay, fault: str, result: ReplayedOrders) -> ReplayedOrder | None:
    if not fault:
        try:
            return taken.order()
        except (KeyError, ValueError, TypeError, ArithmeticError) as error:
            fault = f"its reports cannot be folded: {type(error).__name__} {error}"
    if fault != UNTOLD:
        result.differences.append(Difference(stream, "events", fault, "an order"))
    return None


def compare(
    told: ReplayedOrder, row: Mapping[str, Any], requests: Rows, executions: Rows, *, head: bytes
) -> Iterable[Difference]:
    """Every difference of one order: its row, its requests, its executions."""
    subject = f"order:{told.id}"
    found = list(differences(subject, {**told.columns(), "last_event_hash": head}, row))
    told_requests = {item.id: item for item in told.requests.values()}
    found += missing_rows(subject, told_requests, requests, what="request")
    for request_id in told_requests.keys() & requests.keys():
        item = told_requests[request_id]
        within = f"request {item.seq}"
        found += differences(subject, item.columns(), requests[request_id], within=within)
    told_executions = {item.id: item for item in told.executions.values()}
    found += missing_rows(subject, told_executions, executions, what="execution")
    for execution_id in told_executions.keys() & executions.keys():
        trade = told_executions[execution_id]
        within = f"execution {trade.trade.exec_id}"
        found += differences(subject, trade.columns(), executions[execution_id], within=within)
    return found


def share_of(told: ReplayedOrder) -> OrderShare:
    """What the order means for its account: money and stock its executions moved, and what it holds."""
    side = Side(told.fixed["side"])
    cash, qty = ZERO, ZERO
    for execution in told.executions.values():
        effect = fill_effect(
            side=side,
            qty=execution.effective_qty,
            px=execution.effective_px,
            divisor=told.price_divisor,
            currency=told.currency,
        )
        cash += effect.cash - execution.suspense_cash
        qty += effect.qty - _signed(side, execution.suspense_qty)
    cash -= told.fees.booked
    held = told.held
    account_id = told.fixed["account_id"]
    hold = OrderHold(
        order_id=told.id,
        account_id=account_id,
        cash_currency=told.currency if held.cash else "",
        cash=held.cash,
        instrument_id=told.instrument_id if held.stock else None,
        stock=held.stock,
    )
    return OrderShare(account_id, told.currency, told.instrument_id, cash, qty, side.is_short, hold)


def suspended_share_of(told: ReplayedOrder) -> OrderShare:
    """What of the order lies in suspense. Its suspense account holds nothing for it."""
    assert told.suspense_account_id is not None
    side = Side(told.fixed["side"])
    rows = told.executions.values()
    return OrderShare(
        account_id=told.suspense_account_id,
        currency=told.currency,
        instrument_id=told.instrument_id,
        cash=sum((row.suspense_cash for row in rows), ZERO),
        qty=sum((_signed(side, row.suspense_qty) for row in rows), ZERO),
        is_short=side.is_short,
        hold=OrderHold(told.id, told.suspense_account_id),
    )


def _signed(side: Side, qty: Decimal) -> Decimal:
    return qty if side.is_buy else -qty


_UNKNOWN = """
SELECT payload ->> 'account_id', payload ->> 'currency', payload ->> 'instrument_id', payload ->> 'side',
       sum((payload ->> 'cash_delta')::numeric), sum((payload ->> 'qty_delta')::numeric)
  FROM journal_event WHERE kind = 'UnknownOrderBooked' GROUP BY 1, 2, 3, 4
"""
_SUSPENSE_ACCOUNTS = """
SELECT account_id FROM accounts_suspenseaccount
 UNION SELECT suspense_account_id FROM orders_order WHERE suspense_account_id IS NOT NULL
 UNION SELECT account_id FROM orders_unknownorder WHERE account_id IS NOT NULL
"""


def list_suspense_ids() -> list[UUID]:
    """Every account in which something of an order, or an unknown order, lies or ever lay."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_SUSPENSE_ACCOUNTS)
        return sorted(row[0] for row in cursor.fetchall())


def list_unknown_shares() -> list[OrderShare]:
    """What orders that nobody knows have moved, by suspense account, as their events say."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_UNKNOWN)
        rows = cursor.fetchall()
    return [
        OrderShare(
            UUID(account_id), currency, UUID(instrument_id), cash, qty, Side(side).is_short,
            OrderHold(UUID(int=0), UUID(account_id)),
        )
        for account_id, currency, instrument_id, side, cash, qty in rows
    ]  # fmt: skip


def list_suspended_orders(account_id: UUID) -> list[UUID]:
    """Orders of which something lies in this suspense account."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute("SELECT id FROM orders_order WHERE suspense_account_id = %s ORDER BY id", [account_id])
        return [row[0] for row in cursor.fetchall()]


def read_rows(model: type[models.Model], key: str, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Rows by their id, every column the events tell; JSON parsed, the instrument snapshot as its digest."""
    left_out = NOT_TOLD[model.__name__].keys() - {"last_event_hash"}
    names = tuple(item.attname for item in model._meta.concrete_fields if item.attname not in left_out)
    shape = shape_of(model, names)
    json_at = {place for place, _ in shape.json_at}
    columns = ", ".join(f"{name}::text" if at in json_at else name for at, name in enumerate(shape.columns))
    sql = f"SELECT {columns} FROM {shape.table} WHERE {key} = ANY(%s::uuid[])"  # noqa: S608
    found: dict[UUID, dict[str, Any]] = {}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(sql, [list(ids)])
        for values in cursor:
            row = dict(zip(names, values, strict=True))
            for place in json_at:
                text = row[names[place]]
                row[names[place]] = orjson.loads(text) if text is not None else None
            if "instrument_snapshot" in row:
                row["instrument_snapshot"] = _digest(row["instrument_snapshot"])
            if "facts" in row:
                row["facts"] = _facts_of_now(row["facts"])
            found[row["id"]] = row
    return found


def _facts_of_now(facts: Any) -> Any:
    """Facts an earlier build wrote, in the form of now; what cannot be read as such is compared as it is, and differs."""
    if not isinstance(facts, dict) or facts.get("v") == FACTS_VERSION:
        return facts
    try:
        return facts_to_json(facts_from_json(facts))
    except (KeyError, ValueError, TypeError, ArithmeticError):
        return facts


def _digest(snapshot: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(snapshot, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _by_order(rows: Rows) -> dict[UUID, dict[UUID, Mapping[str, Any]]]:
    found: dict[UUID, dict[UUID, Mapping[str, Any]]] = {}
    for row_id, row in rows.items():
        found.setdefault(row["order_id"], {})[row_id] = row
    return found


def list_order_slices(account_ids: Sequence[UUID], *, size: int) -> Iterator[list[UUID]]:
    """Ids of all orders of the accounts, in slices by id."""
    last = UUID(int=0)
    while True:
        with raw_cursor(binary=True) as cursor:
            cursor.execute(
                "SELECT id FROM orders_order WHERE account_id = ANY(%s::uuid[]) AND id > %s ORDER BY id LIMIT %s",
                [list(account_ids), last, size],
            )
            ids = [row[0] for row in cursor.fetchall()]
        if ids:
            yield ids
        if len(ids) < size:
            return
        last = ids[-1]
