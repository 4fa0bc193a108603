"""Be the only one who works under an idempotency key, or learn the answer already given."""

from __future__ import annotations

from django.db import connection

from journal.domain.idempotency import check_key, require_same
from journal.domain.records import StoredAnswer
from journal.locks import lock_key
from journal.selectors.idempotency import find_answer
from kernel.errors import InvariantBroken, Unavailable


def claim_key(*, principal: str, route: str, key: str, payload_hash: str) -> StoredAnswer | None:
    """The answer given before, or None: then the key is ours until commit and ``store_answer`` must follow.

    Raises Invalid for an unusable key, Conflict IDEMPOTENCY_CONFLICT when the key was used with other content,
    Unavailable REQUEST_IN_FLIGHT after five seconds in which another works under it. Must run inside the transaction of
    the effect.
    """
    check_key(key)
    if not connection.in_atomic_block:
        raise InvariantBroken(
            "TRANSACTION_MISSING", "A key is claimed in the transaction of its effect, or not at all."
        )
    if not lock_key(principal, route, key):
        raise Unavailable("REQUEST_IN_FLIGHT", "The same request is still at work; ask again with the same key.")
    stored = find_answer(principal=principal, route=route, key=key)
    return require_same(stored, key=key, payload_hash=payload_hash) if stored else None
