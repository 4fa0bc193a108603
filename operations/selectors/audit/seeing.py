"""Which streams of the journal exist for an actor who may search the audit. One statement a family, whatever the page holds.

Rows of desks and account groups are as everywhere else; what belongs to no desk (limits, rules, roles, sessions, prices) is
for everybody who may search. What is for compliance alone (watch lists, restrictions and why) needs the right to see
restrictions. One of our own processes sees everything: it runs verbs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import Client, TradingAccount
from accounts.selectors import visible_accounts
from accounts.services.end_withdrawal import KIND as WITHDRAWAL
from authorisation.domain.four_eyes import visible_desks, visible_groups
from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest, User
from journal.domain.records import EventRecord
from operations.models import ExceptionItem
from operations.selectors.approvals import ORDER_REQUEST, SUSPENSE
from operations.selectors.frame import visible_exceptions
from orders.models import Order, OrderRequest, UnknownOrder, Upload
from orders.selectors import visible_orders
from risk.domain.checks.gates import RESTRICTED_SOURCE
from risk.domain.conduct import FOR_COMPLIANCE_ALONE
from risk.permissions import SEE_RESTRICTIONS

RESTRICTION = "restriction"
Ids = Collection[str]


def orders_seen(actor: Principal) -> QuerySet[Order]:
    """Orders that exist for the actor."""
    return Order.objects.all() if actor.is_process else visible_orders(actor)


def accounts_seen(actor: Principal) -> QuerySet[TradingAccount]:
    """Accounts that exist for the actor."""
    return TradingAccount.objects.all() if actor.is_process else visible_accounts(actor)


def exceptions_seen(actor: Principal) -> QuerySet[ExceptionItem]:
    """Exceptions that exist for the actor."""
    return ExceptionItem.objects.all() if actor.is_process else visible_exceptions(actor)


def uploads_seen(actor: Principal) -> QuerySet[Upload]:
    """Uploads of people of the actor's desks, and of nobody's desk."""
    if actor.is_process:
        return Upload.objects.all()
    return Upload.objects.filter(Q(owner__desk_id__in=visible_desks(actor)) | Q(owner__desk_id__isnull=True))


def sees_restrictions(actor: Principal) -> bool:
    """Whether what is for compliance alone exists for the actor."""
    return actor.is_process or SEE_RESTRICTIONS in actor.rights


def requests_seen(actor: Principal, rows: Iterable[AuthorisationRequest]) -> list[AuthorisationRequest]:
    """Of these requests for a second person those that exist for the actor: as on the approvals page, and those of no desk."""
    rows = list(rows)
    if actor.is_process:
        return rows
    desks, groups, watches = visible_desks(actor), visible_groups(actor), sees_restrictions(actor)
    asked = [row.subject_id for row in rows if row.subject_type == ORDER_REQUEST]
    shown = set(_texts(OrderRequest.objects.filter(pk__in=_uuids(asked), order__in=visible_orders(actor)), "pk"))
    told = [row.subject_id for row in rows if row.kind == SUSPENSE and "ref" in row.payload]
    orders = set(_texts(visible_orders(actor).filter(pk__in=_uuids(told)), "pk"))
    codes = {row.payload.get("account") for row in rows if row.kind == WITHDRAWAL}
    accounts = set(visible_accounts(actor).filter(code__in=codes).values_list("code", flat=True))

    def is_seen(row: AuthorisationRequest) -> bool:
        if row.payload.get("about") == RESTRICTION:
            return watches
        if row.desk_id is not None and row.desk_id not in desks:
            return False
        if row.group_id is not None and row.group_id not in groups:
            return False
        if row.subject_type == ORDER_REQUEST:
            return row.subject_id in shown
        if row.kind == SUSPENSE and "ref" in row.payload:
            return row.subject_id in orders
        return row.kind != WITHDRAWAL or row.payload.get("account") in accounts

    return [row for row in rows if is_seen(row)]


def only_seen(actor: Principal, events: Iterable[EventRecord]) -> list[EventRecord]:
    """The events whose streams exist for the actor, less those for compliance alone."""
    events = list(events)
    if actor.is_process:
        return events
    seen = streams_seen(actor, {event.stream for event in events})
    watches = sees_restrictions(actor)
    return [event for event in events if event.stream in seen and (watches or not _is_hidden(event))]


def _is_hidden(event: EventRecord) -> bool:
    return event.payload.get("source") == RESTRICTED_SOURCE or event.payload.get("kind") in FOR_COMPLIANCE_ALONE


def streams_seen(actor: Principal, streams: Collection[str]) -> set[str]:
    """Of these streams those that exist for the actor."""
    if actor.is_process:
        return set(streams)
    by_family: dict[str, set[str]] = defaultdict(set)
    for stream in streams:
        family, _, rest = stream.partition(":")
        by_family[family].add(rest)
    return {
        f"{family}:{rest}"
        for family, ids in by_family.items()
        for rest in (_FAMILIES[family](actor, ids) if family in _FAMILIES else ids)
    }


def _uuids(texts: Iterable[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _texts(rows: QuerySet[Any], column: str) -> list[str]:
    return [str(value) for value in rows.values_list(column, flat=True)]


def _orders(actor: Principal, ids: Ids) -> Ids:
    return _texts(visible_orders(actor).filter(pk__in=_uuids(ids)), "pk")


def _unknown(actor: Principal, ids: Ids) -> Ids:
    rows = UnknownOrder.objects.filter(pk__in=_uuids(ids))
    return _texts(rows.filter(Q(account__isnull=True) | Q(account__in=visible_accounts(actor))), "pk")


def _accounts(actor: Principal, ids: Ids) -> Ids:
    return _texts(visible_accounts(actor).filter(pk__in=_uuids(ids)), "pk")


def _requests(actor: Principal, ids: Ids) -> Ids:
    return [str(row.pk) for row in requests_seen(actor, AuthorisationRequest.objects.filter(pk__in=_uuids(ids)))]


def _anomalies(actor: Principal, ids: Ids) -> Ids:
    """Those whose exception exists for the actor; one without an exception yet waits for it."""
    return set(visible_exceptions(actor).filter(dedupe_key__in=ids).values_list("dedupe_key", flat=True))


def _exceptions(actor: Principal, ids: Ids) -> Ids:
    return _texts(visible_exceptions(actor).filter(pk__in=_uuids(ids)), "pk")


def _readers(actor: Principal, ids: Ids) -> Ids:
    """Readers at home on a desk the actor sees, on none, and the actor."""
    wanted = [int(text) for text in ids if text.isdigit()]
    rows = User.objects.filter(pk__in=wanted).filter(
        Q(desk_id__in=visible_desks(actor)) | Q(desk_id__isnull=True) | Q(pk=actor.user_id)
    )
    return [*_texts(rows, "pk"), *(["0"] if "0" in ids else [])]


def _scopes(actor: Principal, ids: Ids) -> Ids:
    """Streams of risk end in scope and id: those of a desk, dealer, account or client are seen with it."""
    by_scope: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for rest in ids:
        head, _, scope_id = rest.rpartition(":")
        by_scope[head.rpartition(":")[2]][scope_id].append(rest)
    return [
        rest
        for scope, named in by_scope.items()
        for scope_id in (_SCOPES[scope](actor, named) if scope in _SCOPES else named)
        for rest in named[scope_id]
    ]


def _desks(actor: Principal, ids: Ids) -> Ids:
    return [one for one in ids if one.isdigit() and int(one) in visible_desks(actor)]


def _clients(actor: Principal, ids: Ids) -> Ids:
    return _texts(Client.objects.filter(pk__in=_uuids(ids), accounts__in=visible_accounts(actor)).distinct(), "pk")


def _rulebook(actor: Principal, ids: Ids) -> Ids:
    return [one for one in ids if one != RESTRICTION or sees_restrictions(actor)]


Seeing = Callable[[Principal, Ids], Ids]
_SCOPES: dict[str, Seeing] = {"desk": _desks, "dealer": _readers, "account": _accounts, "client": _clients}
_FAMILIES: dict[str, Seeing] = {
    "order": _orders,
    "unknown": _unknown,
    "account": _accounts,
    "authorisation": _requests,
    "anomaly": _anomalies,
    "exception": _exceptions,
    "reads": _readers,
    "risk": _scopes,
    "rulebook": _rulebook,
}
