"""A person says no to what the counterparty says of an allocation: it is told why, and what it said counts no more.

Theirs may say it again: as buy side we wait for another confirmation; as broker for another instruction.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from allocations.domain.confirm_messages import answer
from allocations.models import CounterpartyRecord
from allocations.permissions import require_work
from allocations.selectors.confirming import terms_of
from allocations.services._acting import Acted, hold, once, require_reason
from allocations.services._confirm_watch import watch_blocks
from allocations.services._confirming import Step, carry_out, release
from authorisation.domain.principal import Principal
from journal.bulk import update_rows
from kernel.errors import Conflict
from kernel.post_trade import AckStatus, MessageKind, PostTradeMessage

ANSWERS = {
    MessageKind.CONFIRMATION.value: MessageKind.CONFIRMATION_ACK,
    MessageKind.ALLOCATION_REPORT.value: MessageKind.ALLOCATION_REPORT_ACK,
    MessageKind.ALLOCATION_INSTRUCTION.value: MessageKind.ALLOCATION_ACK,
}


def reject_confirmation(
    *, actor: Principal, at: datetime, idempotency_key: str, route: str, confirmation_id: UUID, reason: str
) -> Acted:
    """Reject what is paired with it.

    Raises NotPermitted RIGHT_MISSING, NotFound CONFIRMATION_UNKNOWN, Invalid REASON_INVALID, Conflict (CONFIRMATION_STATE,
    NOTHING_TO_REJECT).
    """
    require_work(actor)
    why = require_reason(reason)

    def act() -> Acted:
        one = hold(actor, [confirmation_id])[0]
        said = CounterpartyRecord.objects.filter(
            confirmation=one.row, state=CounterpartyRecord.State.PAIRED, kind__in=ANSWERS
        )
        records = list(said.order_by("id"))
        if not records:
            raise Conflict("NOTHING_TO_REJECT", f"{one.row.counterparty} has said nothing of {one.row.ref} yet.")
        carry_out([Step(one, "reject", reason=f"We rejected it: {why}")], actor=actor, at=at)
        said_no = f"{actor.username} rejected it: {why}"
        gone = [(row.id, CounterpartyRecord.State.SUPERSEDED, True, said_no) for row in records]
        update_rows(CounterpartyRecord, gone, key=("id",), fields=("state", "by_hand", "why"))
        if terms_of([one.row.counterparty])[one.row.counterparty].sends_messages:
            release([_no(row, one.line.trade_date, one.line.ref, why, at) for row in records], at=at)
        watch_blocks([one.line.block_id], at=at)
        return Acted(f"{one.row.ref} rejected; {one.row.counterparty} is told why.")

    content = {"confirmation": str(confirmation_id), "reason": why}
    return once(actor=actor, at=at, route=route, key=idempotency_key, content=content, act=act)


def _no(row: CounterpartyRecord, trade_date: date, allocation_ref: str, why: str, at: datetime) -> PostTradeMessage:
    return answer(
        ANSWERS[row.kind], AckStatus.REJECTED, counterparty=row.counterparty, ref_of=row.their_ref, at=at, text=why,
        trade_date=trade_date, allocation_ref=allocation_ref,
    )  # fmt: skip
