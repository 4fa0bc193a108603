"""Keep the answer given under an idempotency key, in the transaction it answers for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from journal.bulk import insert_rows
from journal.models import IdempotencyKey

KEY_FIELDS = ("principal", "route", "key", "payload_hash", "status", "answer", "recorded_at")


def store_answer(
    *, principal: str, route: str, key: str, payload_hash: str, status: int, answer: Any, at: datetime
) -> None:
    """Insert the row. A second row for the same scope raises IntegrityError: the unique key is the last guard."""
    insert_rows(IdempotencyKey, [(principal, route, key, payload_hash, status, answer, at)], fields=KEY_FIELDS)
