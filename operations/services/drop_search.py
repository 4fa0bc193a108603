"""Forget a search that one kept."""

from __future__ import annotations

from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import NotFound
from operations.models import SavedSearch
from operations.permissions import require_audit


def drop_search(*, actor: Principal, search_id: UUID) -> None:
    """Raises NotPermitted, NotFound SEARCH_UNKNOWN for another's."""
    require_audit(actor)
    dropped, _ = SavedSearch.objects.filter(pk=search_id, owner_id=actor.user_id).delete()
    if not dropped:
        raise NotFound("SEARCH_UNKNOWN", "You keep no such search.")
