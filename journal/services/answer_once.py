"""Do something once under a caller's key and give the same answer whenever the same is asked again under it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from journal.services.claim_key import claim_key
from journal.services.store_answer import store_answer


@dataclass(frozen=True, slots=True)
class Answered:
    """HTTP ``status`` and JSON ``answer``; ``replayed`` when it had been given before and nothing was done now."""

    status: int
    answer: Any
    replayed: bool = False


def answer_once(
    *, principal: str, route: str, key: str, payload_hash: str, at: datetime, work: Callable[[], tuple[int, Any]]
) -> Answered:
    """The answer of ``work``, kept with what it did in one transaction; of what it raises nothing is kept.

    Raises Invalid for an unusable key, Conflict IDEMPOTENCY_CONFLICT when the key was used with other content,
    Unavailable REQUEST_IN_FLIGHT while the same request is still at work.
    """
    with transaction.atomic():
        stored = claim_key(principal=principal, route=route, key=key, payload_hash=payload_hash)
        if stored is not None:
            return Answered(stored.status, stored.answer, replayed=True)
        status, answer = work()
        store_answer(
            principal=principal, route=route, key=key, payload_hash=payload_hash, status=status, answer=answer, at=at
        )
    return Answered(status, answer)
