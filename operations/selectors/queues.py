"""Approvals, exceptions and search: what waits for whom, and which order an identifier means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from accounts.selectors import visible_accounts
from accounts.services.end_withdrawal import KIND as WITHDRAWAL
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from authorisation.selectors import RequestItem, get_request, list_requests
from kernel.errors import NotFound
from operations.models import ExceptionItem
from operations.selectors.desk import visible_orders
from operations.selectors.frame import visible_exceptions
from orders.models import Order, OrderRequest
from orders.permissions import visible_desks, visible_groups

MOST = 200
MOST_HITS = 50
ORDER_REQUEST = "order_request"
SUSPENSE = "suspense"


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """A request for a second person as one actor sees it, with the order request behind it where there is one."""

    item: RequestItem
    request: OrderRequest | None

    @property
    def approval(self) -> RequestFacts:
        return self.item.facts

    @property
    def why_not(self) -> str:
        return self.item.why_not


def list_approvals(*, actor: Principal, view: str, at: datetime) -> list[WaitingItem]:
    """``view`` is mine, raised, all or decided. What concerns an order the actor may not see is left out."""
    return _with_requests(actor, list_requests(actor, view, at=at, limit=MOST))


def get_approval(*, actor: Principal, approval_id: UUID, at: datetime) -> WaitingItem:
    """One item, or NotFound when it does not exist for the actor."""
    found = _with_requests(actor, [get_request(actor, approval_id, at=at)])
    if not found:
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    return found[0]


def _with_requests(actor: Principal, items: list[RequestItem]) -> list[WaitingItem]:
    ids = [item.facts.subject_id for item in items if item.facts.subject_type == ORDER_REQUEST]
    requests = {
        str(request.pk): request
        for request in OrderRequest.objects.filter(
            pk__in=ids, order__account__group_id__in=visible_groups(actor), order__desk_id__in=visible_desks(actor)
        ).select_related("order__account", "order__listing__instrument", "order__desk", "order__owner")
    }
    hidden = _hidden(actor, items)
    return [
        WaitingItem(item, requests.get(item.facts.subject_id))
        for item in items
        if (item.facts.subject_type != ORDER_REQUEST or item.facts.subject_id in requests)
        and item.facts.subject_id not in hidden
    ]


def _hidden(actor: Principal, items: list[RequestItem]) -> frozenset[str]:
    """Subjects the actor may not see: orders that requests about suspense speak of, and payments out of other accounts."""
    named = {item.facts.subject_id for item in items if item.facts.kind == SUSPENSE and "ref" in item.facts.payload}
    hidden: set[str] = set()
    if named:
        seen = visible_orders(actor).filter(pk__in=named).values_list("pk", flat=True)
        hidden = named - {str(pk) for pk in seen}
    payments = {item.facts.subject_id: item.facts.payload["account"] for item in items if item.facts.kind == WITHDRAWAL}
    if payments:
        codes = set(visible_accounts(actor).filter(code__in=payments.values()).values_list("code", flat=True))
        hidden |= {subject_id for subject_id, code in payments.items() if code not in codes}
    return frozenset(hidden)


def list_exceptions(*, actor: Principal, view: str) -> list[ExceptionItem]:
    """``view`` is open or closed; worst first, then oldest."""
    items = visible_exceptions(actor).select_related("desk", "owner")
    if view == "closed":
        return list(items.exclude(state=ExceptionItem.State.OPEN).order_by("-closed_at", "id")[:MOST])
    found = list(items.filter(state=ExceptionItem.State.OPEN).order_by("-raised_at", "id")[:MOST])
    rank = {severity: place for place, severity in enumerate(reversed(ExceptionItem.Severity.values))}
    return sorted(found, key=lambda item: (rank[item.severity], item.raised_at))


def get_exception(*, actor: Principal, item_id: UUID) -> ExceptionItem:
    """One item, or NotFound when it does not exist for the actor."""
    item = visible_exceptions(actor).select_related("desk", "owner").filter(pk=item_id).first()
    if item is None:
        raise NotFound("EXCEPTION_UNKNOWN", "There is no such exception that you may see.")
    return item


_PASTED_TAGS = re.compile(r"(?:^|[\x01|;^\s])(11|41|37|17)=([^\x01|;^\s]+)")


def identifiers_in(text: str) -> list[str]:
    """What to look for: ids out of a pasted FIX line (11, 41, 37, 17), else the text itself."""
    pasted = [value for _, value in _PASTED_TAGS.findall(text)]
    return pasted or [text.strip()]


def find_orders(*, actor: Principal, query: str) -> tuple[list[Order], bool]:
    """Orders an identifier means, newest first, at most 50, and whether they were exact hits.

    Exact: reference, id, any ClOrdID of the chain, venue order id, ExecID, client reference. Otherwise by account
    code, symbol or the end of a reference.
    """
    orders = visible_orders(actor).select_related("account", "listing", "owner")
    names = identifiers_in(query)
    if not any(names):
        return [], False
    upper = [name.upper() for name in names]
    exact = (
        Q(ref__in=upper)
        | Q(venue_order_id__in=names)
        | Q(client_order_id__in=names)
        | Q(pk__in=OrderRequest.objects.filter(cl_ord_id__in=names).values("order_id"))
        | Q(executions__exec_id__in=names)
    )
    for name in names:
        try:
            exact |= Q(pk=UUID(name))
        except ValueError:
            continue
    hits = list(orders.filter(exact).distinct().order_by("-id")[:MOST_HITS])
    if hits:
        return hits, True
    text = upper[0]
    near = Q(account__code=text) | Q(listing__symbol=text) | Q(owner__username=names[0].lower())
    if text.isdigit() and len(text) >= 2:
        near |= Q(ref__endswith=text.zfill(6) if len(text) <= 6 else text)
    return list(orders.filter(near).order_by("-id")[:MOST_HITS]), False
