"""Breaks as people read them. One exists for whoever sees its account's group and, where it is about an order, its desk.

What is about no account of ours (a name nobody knows) is seen by those who see runs. Dealers see breaks of their desk's orders; what may be done with them is another matter (``permissions``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.selectors import visible_accounts
from authorisation.domain.principal import Principal
from kernel.errors import NotFound
from orders.models import Order
from orders.permissions import visible_desks, visible_groups
from reconciliation.domain import transitions as moves
from reconciliation.models import Break
from reconciliation.permissions import sees_runs

PAGE = 200
_REF = re.compile(r"(?:BRK-)?0*(\d{1,12})", re.IGNORECASE)


def visible_breaks(actor: Principal) -> QuerySet[Break]:
    """Those that exist for the actor; nothing is ordered."""
    of_account = Q(account_id__in=visible_accounts(actor).order_by().values("id"))
    orders = Order.objects.filter(desk_id__in=visible_desks(actor), account__group_id__in=visible_groups(actor))
    of_order = Q(order_id__isnull=True) | Q(order_id__in=orders.order_by().values("id"))
    seen = of_account & of_order
    if sees_runs(actor):
        seen |= Q(account_id__isnull=True) & of_order
    return Break.objects.filter(seen)


def list_breaks(
    actor: Principal, *, kind: str = "", source: str = "", category: str = "", states: Iterable[str] = (moves.OPEN, moves.ACCEPTED),
    account_id: UUID | None = None, order_id: UUID | None = None, since: date | None = None, before: int | None = None,
    limit: int = PAGE,
) -> list[Break]:  # fmt: skip
    """Newest number first; ``before`` is the last number of the page before. No ``states``: all."""
    found = visible_breaks(actor)
    conditions = {
        "kind": kind, "source": source, "category": category, "account_id": account_id, "order_id": order_id,
        "business_date__gte": since, "number__lt": before, "state__in": list(states),
    }  # fmt: skip
    found = found.filter(**{name: value for name, value in conditions.items() if value})
    return list(found.select_related("first_run", "last_run").order_by("-number")[: min(limit, PAGE)])


def get_break(actor: Principal, ref: str | UUID) -> Break:
    """By id, number or ``BRK-000192``. Raises NotFound BREAK_UNKNOWN, the same for what is hidden."""
    found = visible_breaks(actor).select_related("first_run", "first_run__file", "last_run", "last_run__file")
    named = None
    if isinstance(ref, UUID):
        named = found.filter(pk=ref).first()
    elif match := _REF.fullmatch(ref.strip()):
        named = found.filter(number=int(match[1])).first()
    if named is None:
        raise NotFound("BREAK_UNKNOWN", "There is no such break.")
    return named


def find_breaks(actor: Principal, text: str) -> list[Break]:
    """For the search: by reference, or by a name in its ids, the newest twenty."""
    wanted = text.strip()
    if not wanted:
        return []
    if wanted.upper().startswith("BRK-") and (match := _REF.fullmatch(wanted)):
        return list(visible_breaks(actor).filter(number=int(match[1])))
    named = Q()
    for name in ("exec_id", "cl_ord_id", "venue_order_id", "order", "our_ref", "entry_ref"):
        named |= Q(ids__contains={name: wanted})
    return list(visible_breaks(actor).filter(named).order_by("-number")[:20])


def count_open(actor: Principal) -> int:
    """Open and accepted breaks the actor sees."""
    return visible_breaks(actor).exclude(state=moves.CLOSED).count()


def dedupe_key_of(item: Break) -> str:
    """By what its exception item is found: owner, clock and comments live there."""
    return f"break:{item.key}"
