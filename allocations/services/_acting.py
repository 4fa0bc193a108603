"""What the doors of a person's acts on confirmations share: seen, once under a key, with a reason, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from allocations.locks import lock_confirmations, lock_counterparties
from allocations.models import Confirmation
from allocations.selectors.confirmations import visible_confirmations
from allocations.selectors.confirming import Standing, standings
from authorisation.domain.principal import Principal
from journal.services.claim_key import claim_key
from journal.services.store_answer import store_answer
from kernel.canonical import payload_hash
from kernel.errors import Invalid, NotFound

LONGEST_REASON = 500
MOST = 1000


@dataclass(frozen=True, slots=True)
class Acted:
    """What was done, in one sentence; ``authorisation_id`` where it waits for a second person."""

    sentence: str
    authorisation_id: UUID | None = None
    replayed: bool = False


def require_reason(reason: str) -> str:
    """The reason without spaces around it. Raises Invalid REASON_INVALID."""
    said = reason.strip()
    if not said or len(said) > LONGEST_REASON:
        sentence = f"Say why, in at most {LONGEST_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    return said


def once(
    *, actor: Principal, at: datetime, route: str, key: str, content: Mapping[str, Any], act: Callable[[], Acted]
) -> Acted:
    """Carry it out in one transaction with its key, or give the answer that the key was given before."""
    scope = {"principal": f"user:{actor.user_id}", "route": route, "key": key, "payload_hash": payload_hash(content)}
    with transaction.atomic():
        stored = claim_key(**scope)
        if stored is not None:
            waits = stored.answer["authorisation_id"]
            return Acted(stored.answer["sentence"], UUID(waits) if waits else None, replayed=True)
        acted = act()
        answer = {"sentence": acted.sentence, "authorisation_id": str(acted.authorisation_id or "")}
        store_answer(**scope, status=202 if acted.authorisation_id else 200, answer=answer, at=at)
    return acted


def hold(actor: Principal, ids: Collection[UUID]) -> list[Standing]:
    """The confirmations, their counterparties held, locked until commit. Raises NotFound CONFIRMATION_UNKNOWN, Invalid."""
    wanted = set(ids)
    if not wanted or len(wanted) > MOST:
        raise Invalid("CONFIRMATIONS_INVALID", f"Name 1 to {MOST} confirmations.")
    seen = dict(visible_confirmations(actor).filter(id__in=wanted).values_list("id", "counterparty"))
    if seen.keys() != wanted:
        raise NotFound("CONFIRMATION_UNKNOWN", "There is no such confirmation that you may see.")
    lock_counterparties(seen.values())
    rows: list[Confirmation] = lock_confirmations(wanted)
    return standings(rows)


def named(items: Collection[Standing]) -> str:
    """The confirmations as a sentence names them."""
    refs = [one.row.ref for one in items]
    return refs[0] if len(refs) == 1 else f"{len(refs)} confirmations"
