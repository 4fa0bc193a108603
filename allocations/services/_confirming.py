"""How confirmations move: many at once, along their table, each move told by an event of its block, messages released with it.

The caller holds the counterparty (``locks.lock_counterparties``), so nobody moves them in between. Events are in the stream
``confirmations:<block>``, at most a thousand lines each; they say of every confirmation what it was and became, and why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.models import Confirmation
from allocations.selectors.confirming import Standing
from authorisation.domain.principal import Principal, process_principal
from journal.bulk import update_rows
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Conflict, InvariantBroken
from kernel.ids import new_id
from kernel.post_trade import PostTradeMessage, to_json

ACTOR = process_principal("confirming")
LINES = 1000
EVENTS = {
    "make": "ConfirmationsMade",
    "send": "ConfirmationsSent",
    "match": "ConfirmationsMatched",
    "mismatch": "ConfirmationsMismatched",
    "affirm": "ConfirmationsAffirmed",
    "reject": "ConfirmationsRejected",
    "cancel": "ConfirmationsCanceled",
}
STATE_SAID = {EVENTS["make"]: moves.WAITING} | {EVENTS[move.name]: move.target for move in moves.CONFIRMATION}
"""In which state each event leaves the confirmations it names; fsck reads it."""
_TARGETS = {move.name: move.target for move in moves.CONFIRMATION}
_FIELDS = (
    "state", "differences", "reason", "sent_in", "sent_at", "matched_at", "affirmed_at", "affirmed_by", "closed_at", "event_id",
)  # fmt: skip
RELEASED = "PostTradeMessageReleased"


@dataclass(frozen=True, slots=True)
class Step:
    """One move of one confirmation. ``sent_in``: the message that carried it."""

    standing: Standing
    name: str
    reason: str = ""
    differences: Sequence[Sequence[str]] = ()
    sent_in: str = ""


def carry_out(steps: Sequence[Step], *, actor: Principal, at: datetime) -> None:
    """Move them all. Raises Conflict CONFIRMATION_STATE when one cannot move so: then nothing moved."""
    if not steps:
        return
    for step in steps:
        require_move(step.standing.row, step.name)
    told: dict[tuple[UUID, str], list[Step]] = defaultdict(list)
    for step in steps:
        told[step.standing.line.block_id, step.name].append(step)
    drafts: list[EventDraft] = []
    rows: list[tuple[Any, ...]] = []
    for (block_id, name), group in told.items():
        for start in range(0, len(group), LINES):
            chosen = group[start : start + LINES]
            lines = [_line(step) for step in chosen]
            draft = event_draft(EVENTS[name], block_id, {"confirmations": lines}, actor=actor, at=at)
            drafts.append(draft)
            rows += [_moved(step, actor=actor, at=at, event_id=draft.id) for step in chosen]
    append_to_stream(drafts=drafts, at=at)
    update_rows(Confirmation, rows, key=("id",), fields=_FIELDS)


def require_move(row: Confirmation, name: str) -> None:
    """Raise Conflict CONFIRMATION_STATE unless the confirmation may move so from where it is."""
    again = name == "mismatch" and row.state == moves.MISMATCHED  # it differs in something else now
    if not again and row.state not in moves.sources_of(moves.CONFIRMATION, name):
        raise Conflict("CONFIRMATION_STATE", f"{row.ref} is {row.state}: that cannot be done with it any more.")


def _moved(step: Step, *, actor: Principal, at: datetime, event_id: UUID) -> tuple[Any, ...]:
    """The row as it becomes; the object in hand is brought up to date as well."""
    row = step.standing.row
    row.state, row.event_id, row.reason = _TARGETS[step.name], event_id, step.reason
    row.differences = [list(one) for one in step.differences] if step.name != "affirm" else row.differences
    row.sent_in = step.sent_in or row.sent_in
    match step.name:
        case "send":
            row.sent_at = at
        case "match":
            row.matched_at = at
        case "affirm":
            row.affirmed_at, row.affirmed_by = at, actor.on_behalf_of or actor.actor
        case "cancel":
            row.closed_at = at
    return (row.id, *(getattr(row, name) for name in _FIELDS))


def _line(step: Step) -> dict[str, Any]:
    row = step.standing.row
    body: dict[str, Any] = {"id": str(row.id), "ref": row.ref, "was": row.state, "counterparty": row.counterparty}
    if step.reason:
        body["why"] = step.reason
    if step.differences:
        body["differences"] = [list(one) for one in step.differences]
    if step.sent_in:
        body["sent_in"] = step.sent_in
    return body


def event_draft(
    kind: str,
    block_id: UUID,
    payload: Mapping[str, Any],
    *,
    actor: Principal,
    at: datetime,
    event_id: UUID | None = None,
) -> EventDraft:
    """An event about confirmations of a block."""
    event_id = event_id or new_id()
    return EventDraft(
        id=event_id, stream=f"confirmations:{block_id}", kind=kind, actor=actor.actor, on_behalf_of=actor.on_behalf_of,
        correlation_id=block_id, event_at=at, received_at=at, business_date=at.date(),
        payload={"block_id": str(block_id), **payload},
    )  # fmt: skip


def release(messages: Sequence[PostTradeMessage], *, at: datetime) -> None:
    """Let them leave: venues takes each to the wire once."""
    if any(not message.counterparty for message in messages):
        raise InvariantBroken("COUNTERPARTY_MISSING", "A post-trade message without a counterparty cannot leave.")
    append_to_stream(drafts=[_released(message, at) for message in messages], at=at)


def _released(message: PostTradeMessage, at: datetime) -> EventDraft:
    event_id = new_id()
    return EventDraft(
        id=event_id, stream=f"post-trade:{message.counterparty}", kind=RELEASED, actor=ACTOR.actor, correlation_id=event_id,
        event_at=at, received_at=at, business_date=at.date(), payload=to_json(message),
    )  # fmt: skip
