"""Who sees which break: the account's group must be granted and, where it is about an order, the order's desk.

A break of no account of ours (their record names nobody we know) exists for those who work on breaks or decide about them,
and for whoever was granted every account group. The totals of a run are the firm's: the same people see them.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import AccountGroup, TradingAccount
from authorisation.domain.principal import Principal
from authorisation.models import Desk
from orders.models import Order
from orders.permissions import visible_desks, visible_groups
from reconciliation.models import Break
from reconciliation.permissions import DECIDE_BREAK, WORK_BREAK


def sees_everything(actor: Principal) -> bool:
    """Whether no break there is or will be is hidden from the actor: every desk and account group is granted. One statement."""
    if actor.is_process:
        return True
    others = AccountGroup.objects.exclude(pk__in=visible_groups(actor)).order_by().values("pk")
    desks = Desk.objects.exclude(pk__in=visible_desks(actor)).order_by().values("pk")
    return not others.union(desks, all=True).exists()


def sees_totals(actor: Principal) -> bool:
    """Whether the actor sees what belongs to no account: the counts of a whole run, breaks of nobody we know."""
    return not actor.rights.isdisjoint((WORK_BREAK, DECIDE_BREAK)) or sees_everything(actor)


def break_sight(actor: Principal, *, before: str = "") -> Q:
    """The condition under which a break exists for the actor; ``before`` leads to it from another row (``item__``)."""
    if actor.is_process:
        return Q()
    accounts = TradingAccount.objects.filter(group_id__in=visible_groups(actor)).values("id")
    ours = Q(**{f"{before}account_id__in": accounts})
    if sees_totals(actor):
        ours |= Q(**{f"{before}account_id": None})
    order = Order.objects.filter(pk=OuterRef(f"{before}order_id"), desk_id__in=visible_desks(actor))
    return ours & (Q(**{f"{before}order_id": None}) | Q(Exists(order)))


def visible_breaks(actor: Principal) -> QuerySet[Break]:
    """Breaks that exist for the actor, as a queryset that others may filter further."""
    return Break.objects.filter(break_sight(actor))
