"""Search: which order an identifier means."""

from __future__ import annotations

import re
from uuid import UUID

from django.db.models import Q

from authorisation.domain.principal import Principal
from operations.selectors.desk import visible_orders
from orders.models import Order, OrderRequest

MOST_HITS = 50


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
