"""Blotter rows: the snapshot of what an actor may see, and rows of given orders for the live picture."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from authorisation.domain.principal import Principal
from journal.models import Event
from operations.domain.rows import order_row
from orders.models import Order
from orders.permissions import visible_desks, visible_groups

ROW_FIELDS = (
    "id", "ref", "entered_at", "account__code", "account__group_id", "listing__symbol", "listing__market_id",
    "listing__price_unit", "listing__currency", "listing__price_divisor", "side", "ord_type", "time_in_force",
    "order_qty", "price", "stop_px", "cum_qty", "leaves_qty", "avg_px", "overfilled", "accepted_excess", "ord_status", "request_state",
    "is_open", "needs_attention", "last_event_seq", "updated_at", "desk_id", "desk__code", "owner_id",
    "owner__username", "cl_ord_id", "venue_order_id", "client_order_id", "source",
)  # fmt: skip
SNAPSHOT_LIMIT = 10_000
SNAPSHOT_AGE = timedelta(hours=24)


def visible_orders(actor: Principal) -> QuerySet[Order]:
    """Orders that exist for the actor: desk and account group both granted."""
    return Order.objects.filter(desk_id__in=visible_desks(actor), account__group_id__in=visible_groups(actor))


def first_id_at(at: datetime) -> UUID:
    """The smallest version 7 id of a moment: ids sort by creation, so it bounds an index scan by time."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def journal_position() -> int:
    """The highest position in the journal now; read before rows, so that what follows it is never missed."""
    return Event.objects.aggregate(last=Max("position"))["last"] or 0


def list_desk_rows(*, actor: Principal, at: datetime) -> tuple[int, list[list[Any]]]:
    """Journal position, and rows of everything open or entered in the last 24 hours, newest first, at most 10,000."""
    position = journal_position()
    recent = first_id_at(at - SNAPSHOT_AGE)
    orders = visible_orders(actor).filter(Q(is_open=True) | Q(id__gte=recent)).order_by("-id").values(*ROW_FIELDS)
    return position, [order_row(order) for order in orders[:SNAPSHOT_LIMIT]]


def list_rows_of(order_ids: Collection[UUID]) -> list[tuple[int, int, list[Any]]]:
    """(desk id, account group id, row) of each order, whoever asks: for the picture process only."""
    orders = Order.objects.filter(id__in=order_ids).values(*ROW_FIELDS)
    return [(order["desk_id"], order["account__group_id"], order_row(order)) for order in orders]
