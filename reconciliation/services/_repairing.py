"""What the doors of repairs share: one open request a break, asked once under a key, with both raw records as evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.services.raise_request import raise_request
from journal.services.claim_key import claim_key
from journal.services.store_answer import store_answer
from kernel.canonical import payload_hash
from kernel.errors import Conflict, Invalid
from reconciliation.domain.repairs import LONGEST_REASON
from reconciliation.models import Break
from reconciliation.selectors.repairs import KIND, owner_of, pending_request


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that waits for a second person (None: done at once), and what is told of it."""

    authorisation_id: UUID | None
    sentence: str
    replayed: bool = False


def require_reason(reason: str) -> str:
    """The reason without spaces around it. Raises Invalid REASON_INVALID."""
    said = reason.strip()
    if not said or len(said) > LONGEST_REASON:
        sentence = f"Say why, in at most {LONGEST_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    return said


def once(
    *, actor: Principal, at: datetime, route: str, key: str, content: Mapping[str, Any], question: Callable[[], Asked]
) -> Asked:
    """Carry it out in one transaction with its key, or give the answer that the key was given before."""
    scope = {"principal": f"user:{actor.user_id}", "route": route, "key": key, "payload_hash": payload_hash(content)}
    with transaction.atomic():
        stored = claim_key(**scope)
        if stored is not None:
            said = stored.answer["authorisation_id"]
            return Asked(UUID(said) if said else None, stored.answer["sentence"], replayed=True)
        asked = question()
        answer = {"authorisation_id": str(asked.authorisation_id or ""), "sentence": asked.sentence}
        store_answer(**scope, status=202 if asked.authorisation_id else 200, answer=answer, at=at)
    return asked


def raise_repair(
    item: Break,
    *,
    actor: Principal,
    at: datetime,
    repair: str,
    reason: str,
    details: Mapping[str, Any],
    summary: str,
    value: Decimal | None = None,
    currency: str = "",
) -> Asked:
    """Put it before a second person; the break is locked. Raises Conflict REPAIR_PENDING."""
    if pending_request(item.id) is not None:
        raise Conflict("REPAIR_PENDING", f"A request about {item.ref} waits for a second person already.")
    owner = owner_of(item)
    raised = raise_request(
        actor=actor,
        at=at,
        kind=KIND,
        subject_type="break",
        subject_id=str(item.id),
        subject_version=item.version,
        payload={
            "repair": repair,
            "break_id": str(item.id),
            "breaks": [str(item.id)],
            "ref": item.ref,
            "key": item.key,
            "reason": reason,
            "account": owner.code,
            "evidence": {"run_id": str(item.last_run_id), "ours": item.ours, "theirs": item.theirs, "why": item.why},
            **details,
        },
        summary=summary[:500],
        desk_id=owner.desk_id,
        group_id=owner.group_id,
        value=value,
        currency=currency,
    )
    return Asked(raised.id, f"It waits for a second person: {summary}")
