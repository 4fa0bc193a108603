"""What a refusal of the venue asks of the house beyond its order: a person told, or new orders stopped on the session.

By the error contract (``domain.error_contract``). What must happen at once and may be forgotten with the process (backing
off, asking for a status) is the gateway's; what must not be forgotten is done here, in the inbox's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from orders.selectors import find_orders_by_name
from venues.domain.error_contract import Deed, Refusal, refusal_in
from venues.domain.fix_codec import SOH, first_values, parse
from venues.locks import lock_sessions
from venues.selectors import sent_by_number
from venues.selectors.inbox import InboxRow
from venues.services.record_session_event import record_session_event

VENUE_REFUSAL = "VENUE_REFUSAL"
ACTOR = "process:inbox"
_REJECTED = f"{SOH}150=8{SOH}"


def heed_refusals(*, session: str, rows: Sequence[InboxRow], at: datetime) -> int:
    """How many refusals there were among the messages."""
    suspects = [row for row in rows if row.msg_type != "8" or _REJECTED in row.raw]
    found = [(row, r) for row in suspects if (r := refusal_in(row.msg_type, first_values(parse(row.raw)))) is not None]
    for row, refusal in found:
        if refusal.rule.severity is not None:
            _tell(session, row, refusal, refusal.rule.severity, at)
        if refusal.rule.deed is Deed.STOP_SESSION:
            _stop(session, refusal, at)
    return len(found)


def _tell(session: str, row: InboxRow, refusal: Refusal, severity: Severity, at: datetime) -> None:
    rule = refusal.rule
    order_id = _order_of(session, row, refusal)
    if order_id is None and row.msg_type in ("8", "9"):
        return  # about an order that is none of ours: that is an exception already
    words = f' It says: "{refusal.text}".' if refusal.text else ""
    anomaly = Anomaly(
        kind=VENUE_REFUSAL,
        severity=severity,
        subject_type="order" if order_id else "session",
        subject_id=str(order_id or session),
        sentence=f"{session}, {rule.source.value} {refusal.code or 'none'} {rule.name}: {rule.sentence}{words}",
        dedupe_key=f"refusal:{order_id or session}:{row.msg_type}:{refusal.code}",
        evidence={"class": rule.kind.value, "deed": rule.deed.value, "wire_message_id": row.id, "code": refusal.code},
    )
    raise_anomaly(anomaly=anomaly, actor=ACTOR, at=at)


def _order_of(session: str, row: InboxRow, refusal: Refusal) -> UUID | None:
    name = refusal.cl_ord_id
    if not name and refusal.ref_seq_num:
        sent = sent_by_number(session=session, epoch=row.epoch, numbers=[refusal.ref_seq_num])
        name = sent[refusal.ref_seq_num].cl_ord_id if refusal.ref_seq_num in sent else ""
    return find_orders_by_name([name]).get(name) if name else None


def _stop(session: str, refusal: Refusal, at: datetime) -> None:
    row = lock_sessions(names=[session]).get(session)
    if row is None or not row.enabled:
        return
    row.enabled = False
    row.save(update_fields=["enabled"])
    detail = {"reason": f"{refusal.rule.source.value} {refusal.code} {refusal.rule.name}: {refusal.text}"}
    record_session_event(session=session, kind="SessionDisabled", at=at, actor=ACTOR, detail=detail)
