"""Which subjects a text names: exact hits only, each by the identifier that hit. What one may not see is not named either.

Each kind of identifier is one indexed read. ``Subject.key`` with its kind is the address of the timeline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower

from authorisation.domain.policy import POLICIES
from authorisation.domain.principal import Principal
from authorisation.models import ApiKey, AuthorisationRequest, User
from journal.selectors.searching import find_events
from kernel.errors import OmsError
from kernel.fix import Side
from kernel.numbers import plain
from operations.domain.audit_query import Names
from operations.domain.rows import SIDE_WORDS
from operations.selectors.audit.seeing import (
    accounts_seen,
    exceptions_seen,
    only_seen,
    orders_seen,
    requests_seen,
    sees_restrictions,
    uploads_seen,
)
from orders.models import Execution, Order, OrderRequest, UploadRow
from refdata.models import CorporateAction, Listing
from risk.domain.checks.gates import RESTRICTED_SOURCE
from risk.models import Block, Limit, Rule
from risk.permissions import require_scope
from venues.models import FixSession, WireMessage

MOST = 50


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that things happen to. ``why`` says by which identifier it was found; ``href`` is its own page, if any."""

    kind: str
    key: str
    title: str
    why: str = ""
    href: str = ""

    @property
    def path(self) -> str:
        return f"/audit/{self.kind}/{self.key}"


def find_subjects(actor: Principal, names: Names) -> list[Subject]:
    """Subjects the names mean, orders first, each once; at most 50."""
    found: dict[tuple[str, str], Subject] = {}
    for finder in _FINDERS:
        for subject in finder(actor, names):
            found.setdefault((subject.kind, subject.key), subject)
    return list(found.values())[:MOST]


def order_subject(order: Order, why: str = "") -> Subject:
    """An order in words."""
    qty = f"{order.order_qty.normalize():,f}" if order.order_qty is not None else ""
    price = f" @ {plain(order.price)} {order.listing.price_unit}" if order.price is not None else ""
    title = f"{order.ref} · {SIDE_WORDS[Side(order.side)]} {qty} {order.listing.symbol}{price} · {order.account.code}"
    return Subject("order", order.ref, title, why, f"/o/{order.ref}")


def request_subject(row: AuthorisationRequest, why: str = "") -> Subject:
    """A request for a second person in words."""
    policy = POLICIES.get(row.kind)
    title = f"{policy.title if policy else row.kind}: {row.summary}"
    return Subject("approval", str(row.pk), title, why, f"/approvals?view=all&id={row.pk}")


def limit_subject(row: Limit, why: str = "") -> Subject:
    """A limit in words."""
    return Subject(
        "limit",
        str(row.pk),
        f"Limit {row.pk}: {row.get_kind_display()} of {row.scope} {row.scope_id}".strip(),
        why,
        f"/risk/limits/{row.pk}",
    )


def _orders(actor: Principal, names: Names) -> Iterable[Subject]:
    """Reference, id, ClOrdID anywhere in a chain, venue's OrderID, ExecID, client's reference, request, execution, upload."""
    why: dict[UUID, str] = {}
    words = list(names.words)

    def hits(rows: Any, said: str) -> None:
        for order_id, value in rows[:MOST]:
            why.setdefault(order_id, f"{said} {value}".strip())

    hits(Order.objects.filter(ref__in=names.upper).values_list("id", "ref"), "")
    hits(OrderRequest.objects.filter(cl_ord_id__in=words).values_list("order_id", "cl_ord_id"), "ClOrdID")
    hits(Execution.objects.filter(exec_id__in=words).values_list("order_id", "exec_id"), "ExecID")
    hits(Order.objects.filter(venue_order_id__in=words).values_list("id", "venue_order_id"), "broker OrderID")
    hits(
        Order.objects.filter(client_order_id__in=words)
        .exclude(client_order_id="")
        .values_list("id", "client_order_id"),
        "client reference",
    )
    if names.ids:
        hits(Order.objects.filter(id__in=names.ids).values_list("id", "ref"), "internal id of")
        hits(OrderRequest.objects.filter(id__in=names.ids).values_list("order_id", "id"), "request")
        hits(Execution.objects.filter(id__in=names.ids).values_list("order_id", "id"), "execution")
    rows = orders_seen(actor).filter(pk__in=why).select_related("listing", "account").order_by("-id")
    return [order_subject(order, why[order.pk]) for order in rows[:MOST]]


def _accounts(actor: Principal, names: Names) -> Iterable[Subject]:
    named = Q(code__in=names.upper) | Q(client__code__in=names.upper) | Q(pk__in=names.ids)
    return [
        Subject("account", row.code, f"Account {row.code} · {row.name}", href=f"/positions/{row.code}")
        for row in accounts_seen(actor).filter(named).order_by("code")[:MOST]
    ]


def _people(actor: Principal, names: Names) -> Iterable[Subject]:
    numbers = [int(word[5:]) for word in names.words if word.startswith("user:") and word[5:].isdigit()]
    keys = ApiKey.objects.filter(pk__in=names.ids).values_list("user_id", flat=True) if names.ids else []
    lower = [word.lower() for word in names.words]
    rows = User.objects.annotate(lower=Lower("username")).filter(Q(lower__in=lower) | Q(pk__in=[*numbers, *keys]))
    return [
        Subject("person", row.username, f"{row.username} · {row.get_full_name() or row.get_persona_display()}")
        for row in rows.order_by("username")[:MOST]
    ]


def _requests(actor: Principal, names: Names) -> Iterable[Subject]:
    if not names.ids:
        return []
    texts = [str(one) for one in names.ids]
    rows = AuthorisationRequest.objects.filter(Q(pk__in=names.ids) | Q(subject_id__in=texts)).order_by("id")[:MOST]
    return [request_subject(row) for row in requests_seen(actor, rows)]


def _limits(actor: Principal, names: Names) -> Iterable[Subject]:
    wanted = [
        int(word.rpartition(":")[2]) for word in names.words if word.lower().startswith("limit:") and word[6:].isdigit()
    ]
    rows = Limit.objects.filter(pk__in=wanted) if wanted else Limit.objects.none()
    return [limit_subject(row) for row in rows if sees_scope(actor, row.scope, row.scope_id)]


def sees_scope(actor: Principal, scope: str, scope_id: str) -> bool:
    """Whether the scope of a limit or stop exists for the actor."""
    try:
        require_scope(actor, scope, scope_id)
    except OmsError:
        return False
    return True


def _rules(actor: Principal, names: Names) -> Iterable[Subject]:
    rows = Rule.objects.filter(code__in=names.upper).order_by("code", "id")
    return [
        Subject("rule", code, f"Rule {code}", href="/risk/rules") for code in dict.fromkeys(row.code for row in rows)
    ]


def _stops(actor: Principal, names: Names) -> Iterable[Subject]:
    rows = Block.objects.filter(pk__in=names.ids) if names.ids else Block.objects.none()
    return [
        Subject(
            "stop",
            str(row.pk),
            f"Stop of {row.scope} {row.scope_id or ''}: {row.reason}".replace(" :", ":"),
            row.source,
        )
        for row in rows
        if sees_scope(actor, row.scope, row.scope_id) and (row.source != RESTRICTED_SOURCE or sees_restrictions(actor))
    ]


def _sessions(actor: Principal, names: Names) -> Iterable[Subject]:
    rows = FixSession.objects.filter(name__in=names.upper).order_by("name")
    return [Subject("session", row.name, f"FIX session {row.name}", href=f"/venues/{row.name}") for row in rows]


def _uploads(actor: Principal, names: Names) -> Iterable[Subject]:
    lower = [word.lower() for word in names.words]
    named = Q(file_name__in=names.words) | Q(sha256__in=lower) | Q(pk__in=names.ids)
    rows = uploads_seen(actor).filter(named).order_by("-created_at", "id")[:MOST]
    return [Subject("upload", str(row.pk), f"Upload {row.file_name} · {row.rows_total} rows") for row in rows]


def _exceptions(actor: Principal, names: Names) -> Iterable[Subject]:
    named = Q(dedupe_key__in=names.words) | Q(pk__in=names.ids)
    rows = exceptions_seen(actor).filter(named).order_by("-raised_at", "id")[:MOST]
    return [
        Subject("exception", str(row.pk), f"{row.kind}: {row.sentence}", href=f"/exceptions/{row.pk}") for row in rows
    ]


def _actions(actor: Principal, names: Names) -> Iterable[Subject]:
    rows = CorporateAction.objects.filter(pk__in=names.ids).select_related("listing") if names.ids else []
    return [
        Subject(
            "action",
            str(row.pk),
            f"{row.get_kind_display()} of {row.listing.symbol}",
            href=f"/corporate-actions/{row.pk}",
        )
        for row in rows
    ]


def _instruments(actor: Principal, names: Names) -> Iterable[Subject]:
    rows = Listing.objects.filter(symbol__in=names.upper).select_related("instrument").order_by("symbol")
    return [
        Subject("instrument", row.symbol, f"{row.symbol} · {row.instrument.name}", href=f"/prices/{row.symbol}")
        for row in rows[:MOST]
    ]


def _messages(actor: Principal, names: Names) -> Iterable[Subject]:
    """Messages that name an order only by the venue's id, or by a ClOrdID we never gave: the orders they speak of."""
    words = list(names.words)
    wires = (
        WireMessage.objects.filter(venue_order_id__in=words).exclude(cl_ord_id="").values_list("cl_ord_id", flat=True)
    )
    orders = OrderRequest.objects.filter(cl_ord_id__in=list(wires[:MOST])).values_list("order_id", flat=True)
    rows = orders_seen(actor).filter(pk__in=list(orders)).select_related("listing", "account").order_by("-id")
    return [order_subject(order, "named so in a message") for order in rows[:MOST]]


def _events(actor: Principal, names: Names) -> Iterable[Subject]:
    """Events by their id, and what belongs to one correlation."""
    if not names.ids:
        return []
    events = only_seen(actor, find_events(names.ids))
    wanted = set(names.ids)
    ids = [one for event in events for one in (event.correlation_id,) if event.id in wanted or one in wanted]
    return [
        Subject(
            "correlation",
            str(one),
            f"{sum(event.correlation_id == one for event in events)} events that belong together",
        )
        for one in dict.fromkeys(ids)
    ]


_FINDERS: tuple[Callable[[Principal, Names], Iterable[Subject]], ...] = (
    _orders, _messages, _accounts, _people, _requests, _limits, _rules, _stops, _sessions, _uploads, _exceptions, _actions,
    _instruments, _events,
)  # fmt: skip


def rows_of_upload(upload_id: UUID) -> list[UUID]:
    """Orders that came of the rows of an upload, at most 1,000."""
    rows = UploadRow.objects.filter(upload_id=upload_id, order_id__isnull=False).order_by("number")
    return [order_id for order_id in rows.values_list("order_id", flat=True)[:1000] if order_id is not None]
