"""Keep what a counterparty says, account by account, as it came: once per source, before anything is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from allocations.models import CounterpartyRecord
from journal.bulk import insert_rows
from kernel.ids import new_id
from kernel.post_trade import PostTradeMessage, to_json

_FIELDS = (
    "id", "counterparty", "kind", "their_ref", "trans_type", "says", "source", "state", "confirmation_id", "why", "by_hand",
    "received_at", "event_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """A message with where it came from, and the event that brought it."""

    message: PostTradeMessage
    source: str
    event_id: UUID


def record_counterparty(told: Sequence[Told], *, at: datetime) -> list[UUID]:
    """Store those that are not stored; returns their ids. A message of several accounts becomes one record an account."""
    rows = []
    for one in told:
        lines = one.message.accounts or (None,)
        for place, line in enumerate(lines, start=1):
            said = replace(one.message, accounts=(line,)) if line is not None else one.message
            source = one.source if len(lines) == 1 else f"{one.source}:{place}"
            named = said.ref or said.ref_of
            rows.append(
                (
                    new_id(), said.counterparty, said.kind.value, named[:64], said.trans_type.value, to_json(said), source,
                    CounterpartyRecord.State.UNPAIRED.value, None, "", False, at, one.event_id,
                )
            )  # fmt: skip
    written = insert_rows(CounterpartyRecord, rows, fields=_FIELDS, on_conflict="DO NOTHING", returning=("id",))
    return [row[0] for row in written]
