"""Everything the house holds about one subject: which streams tell of it, and the rows beside them. Only what the actor may see.

A dossier is closed: it is shown and exported whole, or refused because it is too large. What never ends (an account's life, a
person's work, a session) shows its newest part and says what is left out; the search pages through the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import Booking
from authorisation.domain.access import ROLE_JOINED
from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest, User
from authorisation.permissions import USER_RIGHT
from journal.domain.records import EventRecord
from journal.domain.wanted import Wanted
from journal.selectors import records_of_streams, stream_records
from journal.selectors.searching import count_events, events_together_with, find_events, search_events
from kernel.errors import NotFound, OmsError
from operations.selectors.audit.names import (
    Subject,
    limit_subject,
    order_subject,
    request_subject,
    rows_of_upload,
    sees_scope,
)
from operations.selectors.audit.seeing import (
    accounts_seen,
    exceptions_seen,
    only_seen,
    orders_seen,
    requests_seen,
    sees_restrictions,
    streams_seen,
    uploads_seen,
)
from orders.models import Order, OrderRequest, StoppedOrder, UnknownOrder
from refdata.models import CorporateAction, Listing
from risk.domain.checks.gates import RESTRICTED_SOURCE
from risk.domain.conduct import FOR_COMPLIANCE_ALONE
from risk.models import Block, Limit, Rule
from venues.models import FixSession
from venues.selectors import WireRow, list_wire_messages

MOST_EVENTS = 2_000
MOST_RELATED = 50


@dataclass(slots=True)
class Dossier:
    """``streams`` are told whole; ``events`` are those to show, in order of position. ``left_out`` says what is not here."""

    subject: Subject
    streams: list[str] = field(default_factory=list)
    events: list[EventRecord] = field(default_factory=list)
    requests: list[OrderRequest] = field(default_factory=list)
    approvals: list[AuthorisationRequest] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    messages: list[WireRow] = field(default_factory=list)
    order: Order | None = None
    related: list[Subject] = field(default_factory=list)
    left_out: str = ""


def get_dossier(actor: Principal, kind: str, key: str) -> Dossier:
    """Raises NotFound SUBJECT_UNKNOWN for what does not exist for the actor, whatever the reason."""
    if kind not in _GATHER:
        raise _unknown()
    try:
        dossier = _GATHER[kind](actor, key)
    except (ValueError, Order.DoesNotExist):
        dossier = None
    if dossier is None:
        raise _unknown()
    if not dossier.events:
        _tell(actor, dossier)
    return dossier


def _unknown() -> OmsError:
    return NotFound("SUBJECT_UNKNOWN", "Nothing is known under that name that you may see.")


def _tell(actor: Principal, dossier: Dossier) -> None:
    """Load the events of the streams: all of them, or where there are too many the newest."""
    seen = streams_seen(actor, dossier.streams)
    dossier.streams = [stream for stream in dossier.streams if stream in seen]
    if count_events(dossier.streams) <= MOST_EVENTS:
        told = [event for event, _ in records_of_streams(dossier.streams)] if dossier.streams else []
    else:
        told = list(search_events(Wanted(streams=tuple(dossier.streams)), limit=MOST_EVENTS).events)
        dossier.left_out = f"Only the newest {MOST_EVENTS:,} events are shown; the search pages through the rest."
    dossier.events = sorted(only_seen(actor, told), key=lambda event: event.position)


def _approvals_of(actor: Principal, subject_ids: Iterable[object]) -> list[AuthorisationRequest]:
    rows = _requests().filter(subject_id__in=[str(one) for one in subject_ids])
    return requests_seen(actor, rows.order_by("created_at", "id")[:500])


def _requests() -> QuerySet[AuthorisationRequest]:
    """Requests for a second person with who asked, every version, and who decided."""
    rows = AuthorisationRequest.objects.select_related("maker", "maker_person", "desk")
    return rows.prefetch_related("versions__asked_by", "decisions__checker", "decisions__checker_person")


def _order(actor: Principal, key: str) -> Dossier | None:
    try:
        named = Q(pk=UUID(key))
    except ValueError:
        named = Q(ref=key.upper())
    order = (
        orders_seen(actor)
        .select_related("account", "desk", "listing__instrument", "owner", "parent__listing", "parent__account")
        .filter(named)
        .first()
    )
    if order is None:
        return None
    requests = list(order.requests.order_by("seq"))
    approvals = _approvals_of(actor, [order.pk, *(request.pk for request in requests)])
    raised = exceptions_seen(actor).filter(order_id=order.pk).exclude(kind__in=FOR_COMPLIANCE_ALONE).order_by("id")
    unmatched = UnknownOrder.objects.filter(order=order).order_by("id").values_list("pk", flat=True)
    near = Q(parent_id=order.pk) | Q(replaces_id=order.pk) | Q(pk=order.replaces_id) | Q(pk=order.parent_id)
    if order.parent_id is not None:
        near |= Q(parent_id=order.parent_id)
    family = orders_seen(actor).filter(near).exclude(pk=order.pk).select_related("listing", "account")
    return Dossier(
        order_subject(order),
        streams=[
            f"order:{order.pk}",
            *(f"authorisation:{row.pk}" for row in approvals),
            *(f"anomaly:{key}" for key in raised.values_list("dedupe_key", flat=True)),
            *(f"unknown:{pk}" for pk in unmatched),
        ],
        requests=requests,
        approvals=approvals,
        bookings=list(Booking.objects.filter(order_id=order.pk).order_by("id")[:MOST_EVENTS]),
        messages=list_wire_messages(
            cl_ord_ids=[request.cl_ord_id for request in requests],
            venue_order_ids=[order.venue_order_id] if order.venue_order_id else [],
        ),
        order=order,
        related=[order_subject(one, "same family") for one in family.order_by("id")[:MOST_RELATED]],
    )


def _approval(actor: Principal, key: str) -> Dossier | None:
    found = requests_seen(actor, _requests().filter(pk=UUID(key)))
    if not found:
        return None
    row = found[0]
    own = f"authorisation:{row.pk}"
    told = stream_records(own)
    decided = [event.position for event in told if event.kind == "AuthorisationDecided"]
    together = [event for event in events_together_with(decided) if not event.stream.startswith("anomaly:")]
    effects = only_seen(actor, [event for event in together if event.stream != own])
    dossier = Dossier(request_subject(row), streams=[own], approvals=[row])
    dossier.events = sorted([*told, *effects], key=lambda event: event.position)
    dossier.streams += sorted({event.stream for event in effects})
    dossier.related = _about(actor, row)
    return dossier


def _about(actor: Principal, row: AuthorisationRequest) -> list[Subject]:
    """What the request is about, where it has a page of its own."""
    if row.subject_type == "order_request":
        orders = orders_seen(actor).filter(requests__pk=UUID(row.subject_id)).select_related("listing", "account")
        return [order_subject(order, "what it is about") for order in orders]
    if row.subject_type == "block":
        return [Subject("stop", row.subject_id, "The stop it is about")]
    return []


def _limit(actor: Principal, key: str) -> Dossier | None:
    row = Limit.objects.filter(pk=int(key)).first()
    if row is None or not sees_scope(actor, row.scope, row.scope_id):
        return None
    stream = f"risk:limit:{row.scope}:{row.scope_id}"
    told = [event for event in stream_records(stream, limit=MOST_EVENTS) if event.payload.get("limit_id") == row.pk]
    return _with_requests(actor, Dossier(limit_subject(row), streams=[stream]), only_seen(actor, told))


def _rule(actor: Principal, key: str) -> Dossier | None:
    if not Rule.objects.filter(code=key).exists():
        return None
    stream = "rulebook:rule"
    told = [event for event in stream_records(stream, limit=MOST_EVENTS) if _names_code(event, key)]
    return _with_requests(actor, Dossier(Subject("rule", key, f"Rule {key}"), streams=[stream]), told)


def _names_code(event: EventRecord, code: str) -> bool:
    return any((event.payload.get(side) or {}).get("code") == code for side in ("before", "after"))


def _with_requests(actor: Principal, dossier: Dossier, told: Sequence[EventRecord]) -> Dossier:
    """The changes told in a shared stream, with the requests that allowed them."""
    ids = [UUID(event.payload["authorisation_id"]) for event in told if event.payload.get("authorisation_id")]
    rows = _requests().filter(pk__in=ids)
    dossier.approvals = requests_seen(actor, rows.order_by("created_at", "id"))
    streams = [f"authorisation:{row.pk}" for row in dossier.approvals]
    asked = [event for event, _ in records_of_streams(streams)] if streams else []
    dossier.streams += streams
    dossier.events = sorted([*told, *asked], key=lambda event: event.position)
    return dossier


def _stop(actor: Principal, key: str) -> Dossier | None:
    row = Block.objects.filter(pk=UUID(key)).first()
    if row is None or not sees_scope(actor, row.scope, row.scope_id):
        return None
    if row.source == RESTRICTED_SOURCE and not sees_restrictions(actor):
        return None
    name = str(row.pk)
    stream = f"risk:{row.scope}:{row.scope_id}"
    told = [
        event
        for event in stream_records(stream, limit=MOST_EVENTS)
        if name in (event.payload.get("stop_id"), event.payload.get("block_id"))
    ]
    approvals = _approvals_of(actor, [name])
    raised = exceptions_seen(actor).filter(dedupe_key=f"kill:{name}").values_list("dedupe_key", flat=True)
    beside = [*(f"authorisation:{one.pk}" for one in approvals), *(f"anomaly:{one}" for one in raised)]
    more = [event for event, _ in records_of_streams(beside)] if beside else []
    stopped = StoppedOrder.objects.filter(sweep_id=row.pk).values_list("order_id", flat=True)
    orders = orders_seen(actor).filter(pk__in=list(stopped[:1000])).select_related("listing", "account").order_by("-id")
    title = f"Stop of {row.scope}{f' {row.scope_id}' if row.scope_id else ''}: {row.reason}"
    return Dossier(
        Subject("stop", name, title, href=f"/risk/kill/{name}" if row.source == "kill_switch" else ""),
        streams=[stream, *beside],
        events=sorted(only_seen(actor, [*told, *more]), key=lambda event: event.position),
        approvals=approvals,
        related=[order_subject(order, "stopped by it") for order in orders[:MOST_RELATED]],
    )


def _person(actor: Principal, key: str) -> Dossier | None:
    """A person's access: what was granted, by whom, and what their roles could do. Their work is found by the search."""
    user = User.objects.filter(username=key).first()
    if user is None:
        return None
    own = f"user:{user.pk}"
    joined = [event.payload["role"] for event in stream_records(own, limit=MOST_EVENTS) if event.kind == ROLE_JOINED]
    roles = list(dict.fromkeys([*joined, *user.groups.order_by("name").values_list("name", flat=True)]))
    asked = [own, f"user:{user.username}", *(f"role:{name}" for name in roles)]
    approvals = [row for row in _approvals_of(actor, asked) if row.subject_type == USER_RIGHT]
    return Dossier(
        Subject("person", user.username, f"{user.username} · {user.get_full_name() or user.get_persona_display()}"),
        streams=[own, *(f"role:{name}" for name in roles), *(f"authorisation:{row.pk}" for row in approvals)],
        approvals=approvals,
    )


def _account(actor: Principal, key: str) -> Dossier | None:
    row = accounts_seen(actor).filter(code=key.upper()).first()
    if row is None:
        return None
    orders = orders_seen(actor).filter(account=row).select_related("listing", "account").order_by("-id")
    bookings = Booking.objects.filter(account_id=row.pk, order_id__isnull=True).order_by("-id")[:500]
    return Dossier(
        Subject("account", row.code, f"Account {row.code} · {row.name}", href=f"/positions/{row.code}"),
        streams=[f"account:{row.pk}"],
        bookings=sorted(bookings, key=lambda booking: booking.pk),
        related=[order_subject(order, "newest orders") for order in orders[:MOST_RELATED]],
    )


def _session(actor: Principal, key: str) -> Dossier | None:
    if not FixSession.objects.filter(name=key).exists():
        return None
    return Dossier(Subject("session", key, f"FIX session {key}", href=f"/venues/{key}"), streams=[f"session:{key}"])


def _upload(actor: Principal, key: str) -> Dossier | None:
    row = uploads_seen(actor).filter(pk=UUID(key)).first()
    if row is None:
        return None
    orders = (
        orders_seen(actor).filter(pk__in=rows_of_upload(row.pk)).select_related("listing", "account").order_by("id")
    )
    chosen = list(orders[:MOST_RELATED])
    return Dossier(
        Subject("upload", key, f"Upload {row.file_name} · {row.rows_total} rows · sha256 {row.sha256[:16]}"),
        streams=[f"upload:{row.pk}", *(f"order:{order.pk}" for order in chosen)],
        related=[order_subject(order, "came of it") for order in chosen],
        left_out=""
        if len(chosen) < MOST_RELATED
        else f"Only the first {MOST_RELATED} orders of the file are told here.",
    )


def _exception(actor: Principal, key: str) -> Dossier | None:
    row = exceptions_seen(actor).filter(pk=UUID(key)).first()
    if row is None:
        return None
    orders = orders_seen(actor).filter(pk=row.order_id).select_related("listing", "account") if row.order_id else []
    return Dossier(
        Subject("exception", key, f"{row.kind}: {row.sentence}", href=f"/exceptions/{row.pk}"),
        streams=[f"anomaly:{row.dedupe_key}", f"exception:{row.pk}"],
        related=[order_subject(order, "what it is about") for order in orders],
    )


def _action(actor: Principal, key: str) -> Dossier | None:
    row = CorporateAction.objects.select_related("listing").filter(pk=UUID(key)).first()
    if row is None:
        return None
    approvals = _approvals_of(actor, [row.pk])
    return Dossier(
        Subject("action", key, f"{row.get_kind_display()} of {row.listing.symbol}", href=f"/corporate-actions/{key}"),
        streams=[f"action:{row.pk}", *(f"authorisation:{one.pk}" for one in approvals)],
        approvals=approvals,
    )


def _instrument(actor: Principal, key: str) -> Dossier | None:
    row = Listing.objects.select_related("instrument").filter(symbol=key).first()
    if row is None:
        return None
    actions = CorporateAction.objects.filter(instrument=row.instrument).order_by("id").values_list("pk", flat=True)
    orders = orders_seen(actor).filter(listing=row).select_related("listing", "account").order_by("-id")
    return Dossier(
        Subject("instrument", key, f"{row.symbol} · {row.instrument.name}", href=f"/prices/{row.symbol}"),
        streams=[f"price:{row.pk}", *(f"action:{pk}" for pk in actions)],
        related=[order_subject(order, "newest orders") for order in orders[:MOST_RELATED]],
    )


def _correlation(actor: Principal, key: str) -> Dossier | None:
    told = only_seen(actor, find_events([UUID(key)]))
    if not told:
        return None
    subject = Subject("correlation", key, f"{len(told)} events that belong together")
    return Dossier(subject, streams=sorted({event.stream for event in told}), events=told)


_GATHER: dict[str, Callable[[Principal, str], Dossier | None]] = {
    "order": _order,
    "approval": _approval,
    "limit": _limit,
    "rule": _rule,
    "stop": _stop,
    "person": _person,
    "account": _account,
    "session": _session,
    "upload": _upload,
    "exception": _exception,
    "action": _action,
    "instrument": _instrument,
    "correlation": _correlation,
}
SUBJECT_KINDS = tuple(_GATHER)
