"""All reads of this room. Sessions are seen by everyone who may see the Venues page; messages only with their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from authorisation.domain.principal import Principal
from journal.bulk import raw_cursor
from journal.domain.records import ANOMALY_RAISED, EventRecord
from journal.selectors import stream_records
from kernel.canonical import jsonable, sha256
from kernel.errors import NotFound
from kernel.fix import OrdType, TimeInForce
from orders.domain.venue_rules import VenueRules
from orders.models import Order, OrderRequest
from orders.permissions import visible_desks, visible_groups
from venues.adapters.base import SentMessage
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import DecodedField, decode, message_name
from venues.domain.post_trade_codes import KINDS
from venues.domain.route import VenueFacts
from venues.models import FixSession, Recovery, RouteDecision, Venue, WireIntent, WireMessage
from venues.permissions import WORK_POST_TRADE, require_view_sessions
from venues.selectors.recoveries import latest_recoveries

MAX_MESSAGES = 500


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as its card shows it. Ages in seconds; None when there was never a message."""

    name: str
    group: str
    venue: str
    venue_name: str
    phone: str
    state: str
    state_reason: str
    state_at: datetime | None
    enabled: bool
    begin_string: str
    adapter: str
    sender_comp_id: str
    target_comp_id: str
    next_in: int
    next_out: int
    last_in_at: datetime | None
    last_out_at: datetime | None
    heartbeat_s: int
    wait_s: int
    waiting: int
    unanswered: int
    held_until: datetime | None
    recovery: Recovery | None


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """A session with its timeline (oldest first) and its last messages (newest first)."""

    session: SessionRow
    events: tuple[EventRecord, ...]
    messages: tuple[WireRow, ...]


@dataclass(frozen=True, slots=True)
class WireRow:
    """One message for a person: raw (SOH kept, secrets masked) and decoded."""

    id: int
    direction: str
    session: str
    epoch: str
    msg_seq_num: int
    msg_type: str
    name: str
    poss_dup: bool
    cl_ord_id: str
    venue_order_id: str
    sent_at: datetime | None
    recorded_at: datetime
    raw: str
    fields: tuple[DecodedField, ...]


def list_sessions(actor: Principal) -> list[SessionRow]:
    """Every session with its queue, by name. Raises NotPermitted without the right to see sessions."""
    require_view_sessions(actor)
    return _session_rows(FixSession.objects.select_related("venue").order_by("name"))


def get_session(actor: Principal, *, name: str, messages: int = 100) -> SessionDetail:
    """One session with its timeline and, of its last messages, those about no order the actor may not see.

    Raises NotFound, and NotPermitted without the right to see sessions.
    """
    require_view_sessions(actor)
    rows = _session_rows(FixSession.objects.select_related("venue").filter(name=name))
    if not rows:
        raise NotFound("SESSION_NOT_FOUND", f"There is no session {name}.")
    last = list(WireMessage.objects.filter(session=name).order_by("-id")[: min(messages, MAX_MESSAGES)])
    shown = tuple(_wire_row(message) for message in _without_hidden(actor, rows[0].group, last))
    return SessionDetail(rows[0], tuple(stream_records(f"session:{name}")), shown)


def _without_hidden(actor: Principal, group: str, messages: Sequence[WireMessage]) -> list[WireMessage]:
    """The messages that name no order of a desk or account group the actor may not see.

    What comes after a trade names accounts of many clients: only who works on that sees it.
    """
    if WORK_POST_TRADE not in actor.rights:
        messages = [message for message in messages if message.msg_type not in KINDS]
    desks, groups = visible_desks(actor), visible_groups(actor)
    requests = (
        OrderRequest.objects.filter(cl_ord_id__in={message.cl_ord_id for message in messages} - {""})
        .exclude(order__desk_id__in=desks, order__account__group_id__in=groups)
        .values_list("cl_ord_id", flat=True)
    )
    orders = (
        Order.objects.filter(venue_order_id__in={message.venue_order_id for message in messages} - {""})
        .filter(session_group=group)
        .exclude(desk_id__in=desks, account__group_id__in=groups)
        .values_list("venue_order_id", flat=True)
    )
    hidden, hidden_at_venue = set(requests), set(orders)
    return [
        message
        for message in messages
        if message.cl_ord_id not in hidden and message.venue_order_id not in hidden_at_venue
    ]


def _session_rows(sessions: Any) -> list[SessionRow]:
    waiting, unanswered = _waiting_by_group(), _unanswered_by_group()
    rows = list(sessions)
    recoveries = latest_recoveries(sessions=[row.name for row in rows])
    return [
        SessionRow(
            name=s.name,
            group=s.group,
            venue=s.venue.code,
            venue_name=s.venue.name,
            phone=s.venue.phone,
            state=s.state,
            state_reason=s.state_reason,
            state_at=s.state_at,
            enabled=s.enabled,
            begin_string=s.begin_string,
            adapter=s.venue.adapter,
            sender_comp_id=s.sender_comp_id,
            target_comp_id=s.target_comp_id,
            next_in=s.next_in,
            next_out=s.next_out,
            last_in_at=s.last_in_at,
            last_out_at=s.last_out_at,
            heartbeat_s=s.heartbeat_s,
            wait_s=s.wait_s,
            waiting=waiting.get(s.group, 0),
            unanswered=unanswered.get(s.group, 0),
            held_until=s.held_until,
            recovery=recoveries.get(s.name),
        )
        for s in rows
    ]


def _waiting_by_group() -> dict[str, int]:
    return _counts("SELECT session_group, count(*) FROM venues_wireintent WHERE state = 'waiting' GROUP BY 1")


def _unanswered_by_group() -> dict[str, int]:
    return _counts(
        "SELECT o.session_group, count(*) FROM orders_orderrequest r JOIN orders_order o ON o.id = r.order_id "
        "WHERE r.state IN ('handed_over', 'unknown') GROUP BY 1"
    )


def _counts(sql: str) -> dict[str, int]:
    with raw_cursor() as cursor:
        cursor.execute(sql)
        return {str(group): int(count) for group, count in cursor.fetchall()}


def list_wire_messages(*, cl_ord_ids: Sequence[str], venue_order_ids: Sequence[str] = ()) -> list[WireRow]:
    """The messages of an order by its ClOrdIDs, and those that name only the venue's id; oldest first, at most 500.

    The caller has already shown that the actor may see the order.
    """
    ids = set(
        WireMessage.objects.filter(cl_ord_id__in=list(cl_ord_ids))
        .exclude(cl_ord_id="")
        .values_list("id", flat=True)[:MAX_MESSAGES]
    )
    if venue_order_ids:
        named = WireMessage.objects.filter(venue_order_id__in=list(venue_order_ids), cl_ord_id="")
        ids |= set(named.exclude(venue_order_id="").values_list("id", flat=True)[:MAX_MESSAGES])
    rows = WireMessage.objects.filter(id__in=ids).order_by("id")[:MAX_MESSAGES]
    return [_wire_row(message) for message in rows]


def iterate_raw_messages(*, cl_ord_ids: Sequence[str], venue_order_ids: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """All messages of an order as they stand on the wire, for evidence, oldest first: as plain JSON, SOH kept.

    The caller has already shown that the actor may see the order.
    """
    named = Q(cl_ord_id__in=[name for name in cl_ord_ids if name])
    if venue_order_ids:
        named |= Q(venue_order_id__in=[name for name in venue_order_ids if name], cl_ord_id="")
    for message in WireMessage.objects.filter(named).order_by("id").iterator(chunk_size=1000):
        yield {
            "id": message.id,
            "direction": message.direction,
            "session": message.session,
            "epoch": message.epoch,
            "msg_seq_num": message.msg_seq_num,
            "msg_type": message.msg_type,
            "recorded_at": jsonable(message.recorded_at),
            "raw": message.raw,
            "sha256": sha256(message.raw.encode()).hex(),
        }


def _wire_row(message: WireMessage) -> WireRow:
    return WireRow(
        id=message.id,
        direction=message.direction,
        session=message.session,
        epoch=message.epoch,
        msg_seq_num=message.msg_seq_num,
        msg_type=message.msg_type,
        name=message_name(message.msg_type),
        poss_dup=message.poss_dup,
        cl_ord_id=message.cl_ord_id,
        venue_order_id=message.venue_order_id,
        sent_at=message.sent_at,
        recorded_at=message.recorded_at,
        raw=message.raw,
        fields=decode(message.raw),
    )


def get_route_decision(*, order_id: UUID) -> RouteDecision | None:
    """Where an order was routed and why; None before routing. The caller has shown that the actor may see the order."""
    return RouteDecision.objects.filter(order_id=order_id).first()


def routed_groups(*, order_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The session group of those of the orders that have been routed."""
    return dict(RouteDecision.objects.filter(order_id__in=order_ids).values_list("order_id", "session_group"))


def get_session_group(name: str) -> str:
    """The group of a session; empty when there is no such session."""
    return FixSession.objects.filter(name=name).values_list("group", flat=True).first() or ""


def group_rules() -> dict[str, VenueRules]:
    """What the adapter of every session group declares of requests about orders."""
    pairs = FixSession.objects.values_list("group", "venue__adapter").order_by("group", "name").distinct()
    adapters = {group: adapter_named(name) for group, name in pairs}
    return {group: adapter.capabilities.rules(adapter.mapping) for group, adapter in adapters.items()}


def list_venue_facts(*, ord_type: OrdType, time_in_force: TimeInForce) -> list[VenueFacts]:
    """What routing knows of every session group now, with each adapter's answer for such an order."""
    mics: dict[str, set[str]] = {}
    for venue_code, mic in Venue.markets.through.objects.values_list("venue_id", "market_id"):
        mics.setdefault(venue_code, set()).add(mic)
    groups: dict[tuple[str, str], list[FixSession]] = {}
    for session in FixSession.objects.select_related("venue").order_by("name"):
        groups.setdefault((session.venue.code, session.group), []).append(session)
    return [
        VenueFacts(
            session_group=group,
            venue=code,
            rank=rank,
            enabled=sessions[0].venue.enabled,
            mics=frozenset(mics.get(code, set())),
            session_enabled=any(s.enabled for s in sessions),
            logged_on=any(s.state == FixSession.State.LOGGED_ON for s in sessions),
            refusal=adapter_named(sessions[0].venue.adapter).capabilities.supports(
                ord_type=ord_type, time_in_force=time_in_force
            ),
        )
        for rank, ((code, group), sessions) in enumerate(sorted(groups.items()))
    ]


def is_alarm_open(*, session: str) -> bool:
    """Whether the last word of the house about this session was that it is down."""
    stream = f"anomaly:session-down:{session}"
    with raw_cursor() as cursor:
        cursor.execute("SELECT kind FROM journal_event WHERE stream = %s ORDER BY seq DESC LIMIT 1", [stream])
        row = cursor.fetchone()
    return row is not None and row[0] == ANOMALY_RAISED


def previous_about(*, session: str, ids: Sequence[int]) -> dict[int, str]:
    """The inbound message before each of these about the same order, raw; by the venue's id, else by our ClOrdID."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT m.id, coalesce(v.raw, c.raw) FROM venues_wiremessage m "
            "LEFT JOIN LATERAL (SELECT w.raw FROM venues_wiremessage w WHERE m.venue_order_id <> '' "
            "  AND w.venue_order_id = m.venue_order_id AND w.venue_order_id <> '' AND w.session = m.session "
            "  AND w.direction = 'in' AND w.id < m.id ORDER BY w.id DESC LIMIT 1) v ON true "
            "LEFT JOIN LATERAL (SELECT w.raw FROM venues_wiremessage w WHERE m.venue_order_id = '' "
            "  AND w.cl_ord_id = m.cl_ord_id AND w.cl_ord_id <> '' AND w.session = m.session "
            "  AND w.direction = 'in' AND w.id < m.id ORDER BY w.id DESC LIMIT 1) c ON true "
            "WHERE m.session = %s AND m.id = ANY(%s::bigint[]) AND coalesce(v.raw, c.raw) IS NOT NULL",
            [session, list(ids)],
        )
        return {int(found): str(raw) for found, raw in cursor.fetchall()}


def sent_by_number(*, session: str, epoch: str, numbers: Sequence[int]) -> dict[int, SentMessage]:
    """What we sent under these MsgSeqNums."""
    rows = WireMessage.objects.filter(
        session=session, epoch=epoch, direction=WireMessage.Direction.OUT, msg_seq_num__in=list(numbers)
    ).values_list("msg_seq_num", "msg_type", "cl_ord_id")
    return {number: SentMessage(msg_type, cl_ord_id) for number, msg_type, cl_ord_id in rows}


def last_number_in(*, session: str, epoch: str) -> int:
    """The highest MsgSeqNum stored from the venue in this epoch; 0 for none."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(msg_seq_num), 0) FROM venues_wiremessage "
            "WHERE session = %s AND epoch = %s AND direction = 'in'",
            [session, epoch],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def find_waiting_reason(*, request_ids: Sequence[UUID]) -> str:
    """Why one of these requests still waits at the gateway, where somebody said so; else empty."""
    waiting = WireIntent.objects.filter(request_id__in=request_ids, state=WireIntent.State.WAITING)
    return waiting.exclude(kind="status").exclude(reason="").values_list("reason", flat=True).first() or ""


def session_fence(*, session: str) -> int:
    """The fence of the gateway that holds the session; -1 for a session that does not exist."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT fence FROM venues_fixsession WHERE name = %s", [session])
        row = cursor.fetchone()
    return int(row[0]) if row else -1
