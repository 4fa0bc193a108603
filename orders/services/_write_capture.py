"""The one writing statement of a capture (ADR 0005): order, request, events, reservation, usage, key and wake-up in one CTE.

Its columns come from the models. It is the only place outside ``accounts`` and ``journal`` that writes their tables,
and it writes what their services would: a reservation with its sum, events in their chain, a key with its answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from django.db import models

from accounts.models import Reservation
from journal.bulk import Shape, json_text, shape_of
from journal.models import Event, IdempotencyKey
from journal.notify import EVENTS_CHANNEL
from journal.services.append_events import EVENT_FIELDS, event_values
from journal.services.store_answer import KEY_FIELDS
from kernel.numbers import ZERO
from orders.domain.drafting import CaptureDraft
from orders.locks import native_cursor, numbered
from orders.models import Order, OrderRequest
from risk.domain.rates import Rates
from risk.locks import COUNT_CAPTURE
from risk.models import OrderUsage
from risk.services.count_messages import COUNT_ROWS_SQL
from risk.services.set_usage import SHARE_FIELDS, OrderShare, share_keys


def write_capture(
    draft: CaptureDraft,
    *,
    cash_id: int | None,
    holding_id: int | None,
    currency: str,
    instrument_id: UUID,
    rates: Rates | None,
    key_row: tuple[str, str, str, str, int, Mapping[str, Any]],
    at: datetime,
    share: OrderShare | None = None,
) -> dict[str, int]:
    """Write one capture. ``key_row`` is principal, route, key, payload hash, status and answer; ``rates`` the buckets that
    it moves, None when it moves none.

    Returns the counted scopes of ``share`` with the versions their sums have now; they stay locked until commit.
    Raises IntegrityError when the key was used meanwhile; the transaction is then to be left.
    """
    order, request = draft.order, draft.request
    parameters: list[Any] = []
    for bucket in (rates.account, rates.source) if rates else ():  # ascending: "account:…" before "key:…" and "user:…"
        parameters += [bucket.subject, bucket.mark.step_us]
    parameters += _values(shape_of(Order), [order[name] for name in shape_of(Order).fields])
    parameters += _values(shape_of(OrderRequest), [request[name] for name in shape_of(OrderRequest).fields])
    for event in draft.events:
        parameters += _values(shape_of(Event, EVENT_FIELDS), list(event_values(event)))
    holds = ""
    if draft.hold_cash > 0:
        holds = "cash"
        parameters += [draft.hold_cash, cash_id]
    elif draft.hold_stock > 0:
        holds = "stock"
        parameters += [draft.hold_stock, holding_id]
    if holds:
        parameters += [
            order["id"],
            order["account_id"],
            currency if holds == "cash" else "",
            draft.hold_cash,
            instrument_id if holds == "stock" else None,
            draft.hold_stock,
            at,
        ]
    principal, route, key, payload_hash, status, answer = key_row
    parameters += [principal, route, key, payload_hash, status, orjson.dumps(answer).decode(), at, EVENTS_CHANNEL]
    if share is not None:
        value = share.counted.open_value * share.rate
        buys, sells = (value, ZERO) if share.is_buy else (ZERO, value)
        parameters = [*parameters[:-1], *share.values(share.counted), share_keys(share), share.counted.open_orders]
        parameters += [buys, sells, EVENTS_CHANNEL]
    with native_cursor() as cursor:
        cursor.execute(_statement(holds, len(draft.events), share is not None, counted=rates is not None), parameters)
        row = cursor.fetchone()
    return dict(json.loads(row[1])) if row is not None and row[1] is not None else {}


def _values(shape: Shape, values: list[Any]) -> list[Any]:
    """The values with finished JSON as text, so that it is not taken for bytea."""
    for place, _ in shape.json_at:
        values[place] = json_text(values[place])
    return values


def _insert(model: type[models.Model], fields: tuple[str, ...] | None, rows: int = 1) -> str:
    shape = shape_of(model, fields)
    one = f"({', '.join(['%s'] * len(shape.fields))})"
    return f"INSERT INTO {shape.table} ({shape.column_list}) VALUES {', '.join([one] * rows)}"  # noqa: S608


_BUCKETS = "VALUES " + ", ".join(["(%s, statement_timestamp() + %s * interval '1 microsecond')"] * 2)


@lru_cache(maxsize=16)
def _statement(holds: str, events: int, counts: bool, *, counted: bool) -> str:
    # PostgreSQL runs writing parts that nothing reads last, the first of them at the very end: so the buckets, which many
    # share, are locked after the sums of limits and just before commit.
    parts = [f"b AS ({COUNT_ROWS_SQL.format(rows=_BUCKETS)})"] if counted else []
    parts += [
        f"o AS ({_insert(Order, None)})",
        f"r AS ({_insert(OrderRequest, None)})",
        f"e AS ({_insert(Event, EVENT_FIELDS, events)})",
    ]
    if holds:
        table = "accounts_cashbalance" if holds == "cash" else "accounts_holding"
        parts.append(f"m AS (UPDATE {table} SET reserved = reserved + %s WHERE id = %s)")  # noqa: S608
        parts.append(f"v AS ({_insert(Reservation, None)})")
    parts.append(f"k AS ({_insert(IdempotencyKey, KEY_FIELDS)} RETURNING 1)")
    if not counts:
        return numbered(f"WITH {', '.join(parts)} SELECT pg_notify(%s, ''), NULL")
    parts += [f"s AS ({_insert(OrderUsage, SHARE_FIELDS)})", COUNT_CAPTURE]
    told = "(SELECT json_agg(json_build_array(key, version))::text FROM u)"
    return numbered(f"WITH {', '.join(parts)} SELECT pg_notify(%s, ''), {told}")
