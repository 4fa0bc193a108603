"""Keep a search of the audit under a name; the same name again replaces it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import Invalid
from kernel.ids import new_id
from operations.models import SavedSearch
from operations.permissions import require_audit

MOST = 50
KEPT = ("q", "since", "until", "actor", "kind", "search")


def save_search(*, actor: Principal, at: datetime, name: str, query: Mapping[str, str]) -> UUID:
    """Raises NotPermitted, Invalid SEARCH_NAME_INVALID, SEARCHES_TOO_MANY."""
    require_audit(actor)
    name = name.strip()
    if not 1 <= len(name) <= 60:
        sentence = "Give the search a name of at most 60 characters."
        raise Invalid("SEARCH_NAME_INVALID", sentence, {"name": [sentence]})
    own = SavedSearch.objects.filter(owner_id=actor.user_id)
    if own.exclude(name=name).count() >= MOST:
        raise Invalid("SEARCHES_TOO_MANY", f"You keep {MOST} searches; drop one first.")
    kept = {key: query[key][:400] for key in KEPT if query.get(key)}
    row, _ = SavedSearch.objects.update_or_create(
        owner_id=actor.user_id,
        name=name,
        defaults={"query": kept},
        create_defaults={"id": new_id(), "query": kept, "created_at": at},
    )
    return row.pk
