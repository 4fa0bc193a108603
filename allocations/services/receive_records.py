"""Take in a counterparty's file of confirmations: each good line once, faults told by line, then matched as messages are.

The same bytes again change nothing: a line is one source (``file:<sha256>:<line>``). The file is an event with its digest and counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db import transaction

from allocations.domain.confirmation_file import Fault, read_file
from allocations.locks import lock_counterparties
from allocations.permissions import require_work
from allocations.services.on_post_trade_received import take_records
from allocations.services.record_counterparty import Told
from authorisation.domain.principal import Principal
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Invalid
from kernel.ids import new_id

MOST_BYTES = 8 * 1024 * 1024
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Received:
    """How many lines are new, how many were known, and what is wrong with the rest."""

    new: int
    known: int
    faults: tuple[Fault, ...]

    @property
    def sentence(self) -> str:
        """As it is told."""
        return f"{self.new} lines are new, {self.known} were known, {len(self.faults)} could not be read."


def receive_records(*, actor: Principal, at: datetime, counterparty: str, name: str, content: bytes) -> Received:
    """Take it in.

    Raises NotPermitted RIGHT_MISSING, Invalid (FILE_TOO_LARGE, FILE_NOT_TEXT, COUNTERPARTY_INVALID).
    """
    require_work(actor)
    party = counterparty.strip()
    if not 1 <= len(party) <= 24 or not party.isprintable():
        raise Invalid("COUNTERPARTY_INVALID", "Name the counterparty that says so.", {"counterparty": ["Name one."]})
    if len(content) > MOST_BYTES:
        raise Invalid("FILE_TOO_LARGE", f"The file is larger than {MOST_BYTES // (1024 * 1024)} MB.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("FILE_NOT_TEXT", "The file is not UTF-8 text.") from error
    digest = sha256(content).hexdigest()
    messages, faults = read_file(text, counterparty=party, at=at)
    with transaction.atomic():
        lock_counterparties([party])
        event_id = new_id()
        told = [Told(message, f"file:{digest[:48]}:{line}", event_id) for line, message in messages]
        new = take_records(party, told, at=at)
        done = Received(new, len(messages) - new, faults)
        append_to_stream(drafts=[_event(actor, at, event_id, party, name, digest, done)], at=at)
    return done


def _event(
    actor: Principal, at: datetime, event_id: UUID, party: str, name: str, digest: str, done: Received
) -> EventDraft:
    payload = {
        "counterparty": party, "name": name[:120], "sha256": digest, "new": done.new, "known": done.known,
        "faults": [[fault.line, fault.sentence] for fault in done.faults[:SHOWN]], "faulty": len(done.faults),
    }  # fmt: skip
    return EventDraft(
        id=event_id, stream=f"post-trade:{party}", kind="ConfirmationFileReceived", actor=actor.actor,
        on_behalf_of=actor.on_behalf_of, correlation_id=event_id, event_at=at, received_at=at, business_date=at.date(),
        payload=payload,
    )  # fmt: skip
