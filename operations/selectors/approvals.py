"""What waits for a second person, as one actor sees it: the list, one item with its effect, and what it resembles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.selectors import visible_accounts
from accounts.services.end_withdrawal import KIND as WITHDRAWAL
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from authorisation.selectors import RequestItem, get_request, list_requests
from kernel.errors import NotFound
from kernel.numbers import Money
from operations.selectors.desk import visible_orders
from orders.models import OrderRequest
from orders.permissions import visible_desks, visible_groups
from risk.domain.checks.limits import OrderNotionalLimit

MOST = 200
ORDER_REQUEST = "order_request"
SUSPENSE = "suspense"
_TITLES = {"new": "Release", "replace": "Amend", "cancel": "Cancel"}


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """A request for a second person as one actor sees it, with the order request behind it where there is one."""

    item: RequestItem
    request: OrderRequest | None
    at: datetime

    @property
    def approval(self) -> RequestFacts:
        return self.item.facts

    @property
    def why_not(self) -> str:
        return self.item.why_not

    @property
    def is_claimed(self) -> bool:
        """Somebody looks at it now; a claim ends by itself."""
        return self.approval.claim_at(self.at)

    @property
    def title(self) -> str:
        """What kind of thing it is: release and amend are told apart."""
        return _TITLES[self.request.kind] if self.request is not None else self.item.title

    @property
    def value(self) -> Money | None:
        """What it is worth, as it was when it was asked; None where nobody can say."""
        facts = self.item.facts
        if facts.value is not None and facts.currency:
            return Money(facts.value, facts.currency)
        if self.request is None:
            return None
        currency = self.request.order.listing.currency
        stored = next((check for check in self.request.checks if check["code"] == OrderNotionalLimit.code), None)
        notional = (stored or {}).get("facts", {}).get("notional")
        return Money(Decimal(notional), currency) if notional not in (None, "") else None


def list_approvals(*, actor: Principal, view: str, at: datetime) -> list[WaitingItem]:
    """``view`` is mine, raised, all or decided. What concerns an order the actor may not see is left out.

    Those that wait by time left, then the largest value first; those decided by the latest.
    """
    items = _with_requests(actor, list_requests(actor, view, at=at, limit=MOST), at)
    if view == "decided":
        return items
    return sorted(items, key=lambda item: (item.approval.expires_at, -_amount(item), item.approval.id))


def _amount(item: WaitingItem) -> Decimal:
    return item.value.amount if item.value is not None else Decimal(0)


def get_approval(*, actor: Principal, approval_id: UUID, at: datetime) -> WaitingItem:
    """One item, or NotFound when it does not exist for the actor."""
    found = _with_requests(actor, [get_request(actor, approval_id, at=at)], at)
    if not found:
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    return found[0]


def list_similar(*, actor: Principal, item: WaitingItem, at: datetime, limit: int = 3) -> list[WaitingItem]:
    """What the same maker asked of the same kind before and how it ended, the latest first, as far as the actor sees it."""
    closed = list_requests(actor, "decided", at=at, limit=MOST)
    same = [
        one
        for one in closed
        if one.facts.kind == item.approval.kind
        and one.facts.maker_id == item.approval.maker_id
        and one.facts.id != item.approval.id
    ]
    return _with_requests(actor, same[: 4 * limit], at)[:limit]


def _with_requests(actor: Principal, items: Sequence[RequestItem], at: datetime) -> list[WaitingItem]:
    ids = [item.facts.subject_id for item in items if item.facts.subject_type == ORDER_REQUEST]
    requests = {
        str(request.pk): request
        for request in OrderRequest.objects.filter(
            pk__in=ids, order__account__group_id__in=visible_groups(actor), order__desk_id__in=visible_desks(actor)
        ).select_related("order__account", "order__listing__instrument", "order__desk", "order__owner")
    }
    hidden = _hidden(actor, items)
    return [
        WaitingItem(item, requests.get(item.facts.subject_id), at)
        for item in items
        if (item.facts.subject_type != ORDER_REQUEST or item.facts.subject_id in requests)
        and item.facts.subject_id not in hidden
    ]


def _hidden(actor: Principal, items: Sequence[RequestItem]) -> frozenset[str]:
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
