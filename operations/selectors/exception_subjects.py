"""What an exception is about as people call it: an order by its reference, an account by its code, else the words it was raised with.

Whoever sees an item reads the same names in its sentence; a link to what is named is guarded where it leads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import TradingAccount
from operations.models import ExceptionItem
from orders.models import Order


def subject_of(item: ExceptionItem) -> tuple[str, str]:
    """Type and id of what the item is about."""
    name, _, key = item.subject.partition(" ")
    return name, key


def subjects_of(items: Sequence[ExceptionItem]) -> dict[UUID, str]:
    """By item: ``order O-2611-000074``, ``account AC4471``, ``session SIM1-A``. At most one statement for orders, one for accounts."""
    pairs = {item.pk: subject_of(item) for item in items}
    refs = _names(Order.objects.values_list("pk", "ref"), (key for kind, key in pairs.values() if kind == "order"))
    codes = _names(
        TradingAccount.objects.values_list("pk", "code"), (key for kind, key in pairs.values() if kind == "account")
    )
    known = {"order": refs, "account": codes}
    return {pk: f"{kind.replace('_', ' ')} {known.get(kind, {}).get(key, key)}" for pk, (kind, key) in pairs.items()}


def _names(rows: QuerySet[Any, Any], keys: Iterable[str]) -> dict[str, str]:
    """The names of those keys that are ids; what is none keeps the words it was raised with."""
    ids = {found for key in keys if (found := _uuid(key)) is not None}
    return {str(pk): str(name) for pk, name in rows.filter(pk__in=ids)} if ids else {}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
