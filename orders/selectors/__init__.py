"""All reads of orders. What an actor may not see does not exist: desk and account group must both be granted.

Lists are read by key (newest first, from a cursor), never by offset, one branch a desk, so that a page costs the same
however many orders there are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db.models import OuterRef, Q, QuerySet, Subquery

from accounts.selectors import OVERDRAWN_SQL
from authorisation.domain.principal import Principal
from authorisation.models import User
from journal.bulk import raw_cursor
from journal.models import Event
from kernel.errors import NotFound
from orders.domain.account_row import AccountRow
from orders.domain.derive import Derived, derive
from orders.domain.facts import facts_from_json, facts_of_reports, facts_until
from orders.models import Execution, Order, OrderRequest
from orders.permissions import visible_desks, visible_groups
from orders.selectors.history import find_reports
from risk.domain.answers import CheckAnswer, answer_from_json


def find_orders_by_name(cl_ord_ids: Collection[str]) -> dict[str, UUID]:
    """The order of each ClOrdID of ours; others are absent."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT cl_ord_id, order_id FROM orders_orderrequest WHERE cl_ord_id = ANY(%s)", [sorted(set(cl_ord_ids))]
        )
        return dict(cursor.fetchall())


@dataclass(frozen=True, slots=True)
class Told:
    """An order as of a place in the venue's stream. ``changing``: a replace of ours had no answer there."""

    derived: Derived
    changing: bool


def states_where_told(places: Mapping[UUID, tuple[str, int]]) -> dict[UUID, Told]:
    """The orders as of a place (epoch, MsgSeqNum) each, read again from the journal where it has told more since."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT id, facts::text, trade_date FROM orders_order WHERE id = ANY(%s::uuid[])", [sorted(places)]
        )
        rows = cursor.fetchall()
    kept = {order_id: facts_from_json(orjson.loads(text)) for order_id, text, _ in rows}
    again = find_reports([order_id for order_id, facts in kept.items() if facts.behind.place > places[order_id]])
    told = {}
    for order_id, _, trade_date in rows:
        facts = kept[order_id]
        if order_id in again:
            facts = facts_until(facts_of_reports(facts.requests, again[order_id]), places[order_id])
        changing = any(r.kind == "replace" and facts.state.answer_to(r.cl_ord_id) is None for r in facts.requests)
        told[order_id] = Told(derive(facts, business_date=trade_date), changing)
    return told


def find_orders_of_requests(request_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Order id of each request; unknown requests are absent."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT id, order_id FROM orders_orderrequest WHERE id = ANY(%s::uuid[])", [sorted(set(request_ids))]
        )
        return dict(cursor.fetchall())


def find_account_of_order(order_id: UUID) -> tuple[UUID, UUID] | None:
    """Account and instrument of an order: their locks come before the order's."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT account_id, (instrument_snapshot ->> 'instrument_id')::uuid FROM orders_order WHERE id = %s",
            [order_id],
        )
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None


class BoundaryRow(NamedTuple):
    """A request with what of its order and account decides whether it may still be sent."""

    kind: str
    state: str
    payload: Mapping[str, Any]
    may_work: bool  # open, or filled at a venue that revives filled orders
    order_qty: Decimal | None
    cum_qty: Decimal
    price: Decimal | None
    stop_px: Decimal | None
    time_in_force: str
    strategy: str
    source: str
    listing_id: UUID
    desk_id: int
    owner_id: int
    account_id: UUID
    account_code: str
    account_state: str
    short_allowed: bool
    client_id: UUID
    client_active: bool
    overdrawn: bool
    released_at: datetime | None
    order_id: UUID
    cl_ord_id: str
    is_canary: bool

    @property
    def says(self) -> tuple[str, UUID, str, Mapping[str, Any] | None]:
        """What was released: kind, order, ClOrdID and message; a cancel's message is the order's own, made as it leaves."""
        return (self.kind, self.order_id, self.cl_ord_id, None if self.kind == "cancel" else self.payload)


_BOUNDARY = f"""
SELECT r.id, r.kind, r.state, r.payload::text,
       o.is_open OR (r.kind = 'replace' AND o.ord_status = '2'
                     AND coalesce((o.venue_rules #>> '{{replace,revives_filled}}')::boolean, false)),
       o.order_qty, o.cum_qty, o.price, o.stop_px, o.time_in_force,
       o.strategy, o.source, o.listing_id, o.desk_id, o.owner_id, a.id, a.code, a.state, a.short_allowed, c.id, c.active,
       {OVERDRAWN_SQL}, r.released_at, o.id, r.cl_ord_id, EXISTS (SELECT FROM accounts_canaryaccount x WHERE x.account_id = a.id)
  FROM orders_orderrequest r
  JOIN orders_order o ON o.id = r.order_id
  JOIN accounts_tradingaccount a ON a.id = o.account_id
  JOIN accounts_client c ON c.id = a.client_id
 WHERE r.id = ANY(%s)
"""  # noqa: S608


def find_boundary_rows(request_ids: Collection[UUID]) -> dict[UUID, BoundaryRow]:
    """The requests as the last boundary sees them, in one statement; unknown ones are absent."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_BOUNDARY, [list(request_ids)])
        return {row[0]: BoundaryRow(row[1], row[2], orjson.loads(row[3]), *row[4:]) for row in cursor.fetchall()}


def find_pending_authorisations(order_id: UUID) -> list[UUID]:
    """Authorisation requests that wait for a decision about this order, ascending: their locks come first."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT authorisation_id FROM orders_orderrequest WHERE order_id = %s AND state = 'pending_authorisation' "
            "AND authorisation_id IS NOT NULL ORDER BY authorisation_id",
            [order_id],
        )
        return [row[0] for row in cursor.fetchall()]


_ACCOUNTS = f"""
SELECT a.id, a.code, a.state, a.short_allowed, a.group_id, g.desk_id, a.client_id, c.active, {OVERDRAWN_SQL},
       a.account_class, a.opens_currencies
  FROM accounts_tradingaccount a
  JOIN accounts_accountgroup g ON g.id = a.group_id
  JOIN accounts_client c ON c.id = a.client_id
 WHERE a.code = ANY(%s::text[])
"""  # noqa: S608


def find_account_rows(codes: Collection[str]) -> dict[str, AccountRow]:
    """Accounts by code, whoever asks: visibility is judged row by row by the capture."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_ACCOUNTS, [sorted(set(codes))])
        return {row[1]: AccountRow(*row) for row in cursor.fetchall()}


def find_checks(request_ids: Collection[UUID]) -> dict[UUID, tuple[CheckAnswer, ...]]:
    """The stored check answers of requests."""
    rows = OrderRequest.objects.filter(id__in=list(request_ids)).values_list("id", "checks")
    return {request_id: tuple(answer_from_json(item) for item in checks) for request_id, checks in rows}


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Orders, newest first, with account and listing loaded; ``next_cursor`` is where the next page begins, or None."""

    orders: tuple[Order, ...]
    next_cursor: UUID | None


_PAGE = """
SELECT x.id FROM unnest(%(desks)s::bigint[]) AS d(id), LATERAL (
    SELECT o.id FROM orders_order o JOIN accounts_tradingaccount a ON a.id = o.account_id
     WHERE o.desk_id = d.id AND a.group_id = ANY(%(groups)s::bigint[]) {conditions}
     ORDER BY o.id DESC LIMIT %(limit)s
) AS x ORDER BY x.id DESC LIMIT %(limit)s
"""
_CONDITIONS = {
    "before": "AND o.id < %(before)s",
    "open_only": "AND o.is_open",
    "account": "AND a.code = %(account)s",
    "symbol": "AND o.listing_id = (SELECT l.id FROM refdata_listing l WHERE l.symbol = upper(%(symbol)s))",
    "client_order_id": "AND o.client_order_id = %(client_order_id)s",
}
MAX_PAGE = 500


def list_orders(
    *,
    actor: Principal,
    before: UUID | None = None,
    limit: int = 100,
    open_only: bool = False,
    account: str = "",
    symbol: str = "",
    client_order_id: str = "",
) -> OrderPage:
    """One page of the orders the actor may see, newest first, by key: two statements whatever the number of orders."""
    size = max(1, min(limit, MAX_PAGE))
    given: dict[str, Any] = {
        "before": before,
        "open_only": open_only,
        "account": account,
        "symbol": symbol,
        "client_order_id": client_order_id,
    }
    conditions = " ".join(_CONDITIONS[name] for name, value in given.items() if value)
    parameters = {name: value for name, value in given.items() if value and name != "open_only"} | {
        "desks": sorted(visible_desks(actor)),
        "groups": sorted(visible_groups(actor)),
        "limit": size + 1,
    }
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_PAGE.format(conditions=conditions), parameters)
        ids = [row[0] for row in cursor.fetchall()]
    rows = _told(Order.objects.all()).in_bulk(ids[:size])
    return OrderPage(
        orders=tuple(rows[order_id] for order_id in ids[:size]),
        next_cursor=ids[size - 1] if len(ids) > size else None,
    )


def visible_orders(actor: Principal) -> QuerySet[Order]:
    """Orders that exist for the actor, as a queryset that others may filter further."""
    return Order.objects.filter(desk_id__in=visible_desks(actor), account__group_id__in=visible_groups(actor))


def _told(orders: QuerySet[Order]) -> QuerySet[Order]:
    """With what is told of them beside the row. ``entered_by`` is None where no person's request began the order."""
    name = User.objects.filter(pk=OuterRef("maker_id")).values("username")
    first = OrderRequest.objects.filter(order=OuterRef("pk"), seq=1, kind=OrderRequest.Kind.NEW)
    return orders.select_related("account", "listing", "owner", "responsible").annotate(
        entered_by=Subquery(first.annotate(name=Subquery(name)).values("name"))
    )


def get_order(*, actor: Principal, order_id: UUID) -> Order:
    """The order with account and listing; raises NotFound ORDER_UNKNOWN when there is none for the actor."""
    order = _told(visible_orders(actor)).filter(id=order_id).first()
    if order is None:
        raise NotFound("ORDER_UNKNOWN", "There is no such order.")
    return order


@dataclass(frozen=True, slots=True)
class OrderStory:
    """Everything the house keeps about one order: requests and executions oldest first, events in sequence, its tree."""

    order: Order
    requests: tuple[OrderRequest, ...]
    executions: tuple[Execution, ...]
    events: tuple[Event, ...]
    children: tuple[Order, ...]


def get_order_story(*, actor: Principal, order_id: UUID) -> OrderStory:
    """The order with all that belongs to it, in five statements; raises NotFound ORDER_UNKNOWN."""
    order = get_order(actor=actor, order_id=order_id)
    return OrderStory(
        order=order,
        requests=tuple(order.requests.order_by("seq", "id")),
        executions=tuple(order.executions.order_by("session_epoch", "msg_seq_num", "id")),
        events=tuple(Event.objects.filter(stream=f"order:{order_id}").order_by("seq")),
        children=tuple(visible_orders(actor).filter(parent_id=order_id).order_by("id")),
    )


_FIX_FIELD = re.compile(r"(?:^|[\x01|^;\s])(?:8=|35=)")
_FIX_NAME = re.compile(r"(?:^|[\x01|^;\s])(?:11|41|37|17)=([^\x01|^;\s]+)")
MAX_FOUND = 20


def names_in(text: str) -> list[str]:
    """The names to look for: those of fields 11, 41, 37 and 17 when a FIX line was pasted, else the text itself."""
    cleaned = text.strip()[:4000]
    if _FIX_FIELD.search(cleaned):
        return [name for name in _FIX_NAME.findall(cleaned) if name not in ("NONE", "0")]
    return [cleaned] if cleaned else []


def find_orders(*, actor: Principal, text: str) -> list[Order]:
    """Orders of the actor known by a name: reference, ClOrdID, venue order id, ExecID, client id, or our id. Newest first.

    ``text`` may be a pasted FIX line; its fields 11, 41, 37 and 17 are then looked for. At most 20.
    """
    names = names_in(text)
    if not names:
        return []
    known = Q(ref__in=[name.upper() for name in names]) | Q(venue_order_id__in=names) | Q(client_order_id__in=names)
    ids = set(OrderRequest.objects.filter(cl_ord_id__in=names).values_list("order_id", flat=True)[:MAX_FOUND])
    ids |= set(Execution.objects.filter(exec_id__in=names).values_list("order_id", flat=True)[:MAX_FOUND])
    ids |= set(Order.objects.filter(known).values_list("id", flat=True)[:MAX_FOUND])
    ids |= {parsed for name in names if (parsed := _uuid(name)) is not None}
    found = visible_orders(actor).select_related("account", "listing").filter(id__in=ids)
    return list(found.order_by("-id")[:MAX_FOUND])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def count_open_orders(actor: Principal) -> int:
    """How many orders of the actor are open."""
    return visible_orders(actor).filter(is_open=True).count()
