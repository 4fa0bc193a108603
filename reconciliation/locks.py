"""Breaks under lock: first of all in a transaction of this room, before accounts, blocks and orders."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from kernel.errors import NotFound
from reconciliation.models import Break


def lock_break(break_id: UUID) -> Break:
    """The break; nobody else changes it until commit. Raises NotFound BREAK_UNKNOWN."""
    found = lock_breaks([break_id])
    if not found:
        raise NotFound("BREAK_UNKNOWN", "There is no such break that you may see.")
    return found[0]


def lock_breaks(break_ids: Collection[UUID]) -> list[Break]:
    """Those that are there, ascending by id."""
    return list(Break.objects.select_for_update().filter(id__in=list(break_ids)).order_by("id"))
