"""Look at the differences that stand once more: what agrees now is settled, and the account's block goes by itself.

Venue and house agree when the venue's last answer equals our state where that answer stands, or when the order has been
over on both sides since. What still differs may differ in another way than before: it is kept as it is now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from journal.domain.records import ANOMALY_CLEARED
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from venues.adapters.base import QUESTION
from venues.domain.fix_codec import first_values, parse
from venues.domain.recovering import AtVenue, Kind, WithUs, answer_from, compare
from venues.models import RecoveryDifference
from venues.selectors.inbox import inbox_has_reached
from venues.selectors.recoveries import OpenDifference, last_answers, list_open_differences, states_at
from venues.services._differences import difference_anomaly, set_block
from venues.services.record_recovery_progress import ACTOR
from venues.services.record_session_event import record_session_event

AGREED = "The venue's answer and our state agree."


def review_differences(*, session: str, group: str, epoch: str, at: datetime) -> int:
    """How many stand after it."""
    open_ones = [d for d in list_open_differences(session=session) if d.order_id is not None]
    if not open_ones:
        return 0
    heard = last_answers(session=session, epoch=epoch)
    answers = {
        id: answer_from(first_values(parse(h.raw)), seq=h.seq, wire_message_id=h.id, question=QUESTION)
        for id, h in heard.items()
        if inbox_has_reached(session=session, wire_message_id=h.id)
    }
    ours = states_at({d.order_id: (epoch, answers[d.id].seq) for d in open_ones if d.id in answers and d.order_id})
    settled = 0
    for difference in open_ones:
        theirs = answers.get(difference.id)
        state = ours.get(difference.order_id) if difference.order_id else None
        if theirs is not None and state is not None:
            settled += _judge(difference, state, theirs, group=group, session=session, at=at)
    return len(open_ones) - settled


def _judge(
    difference: OpenDifference, ours: WithUs, theirs: AtVenue, *, group: str, session: str, at: datetime
) -> bool:
    """Whether it is settled; its own transaction."""
    kind = compare(ours, theirs)
    with transaction.atomic():
        rows = RecoveryDifference.objects.filter(id=difference.id, resolved_at=None)
        if kind is None:
            rows.update(resolved_at=at, resolution=AGREED, ours=ours.to_json(), theirs=theirs.to_json())
            _tell(difference, kind=difference.kind, ours=ours, theirs=theirs, session=session, at=at, settled=AGREED)
            if difference.account_id is not None:
                set_block(account_id=difference.account_id, group=group, at=at)
            detail = {"order_id": str(difference.order_id), "kind": difference.kind}
            record_session_event(session=session, kind="DifferenceSettled", at=at, detail=detail)
        elif kind.value != difference.kind:
            rows.update(kind=kind.value, ours=ours.to_json(), theirs=theirs.to_json())
            _tell(difference, kind=kind.value, ours=ours, theirs=theirs, session=session, at=at)
    return kind is None


def _tell(
    difference: OpenDifference,
    *,
    kind: str,
    ours: WithUs,
    theirs: AtVenue,
    session: str,
    at: datetime,
    settled: str = "",
) -> None:
    """Clear the old matter, or raise it as it is now: the kind of an exception is its first."""
    now: Mapping[str, str] = ours.to_json()
    anomaly = difference_anomaly(
        session=session,
        kind=Kind(kind).value,
        order_id=difference.order_id,
        ref=difference.ref,
        venue_order_id=difference.venue_order_id,
        ours=now,
        theirs=theirs.to_json(),
        settled=settled,
    )
    draft = (
        anomaly_draft(anomaly=anomaly, actor=ACTOR, at=at, kind=ANOMALY_CLEARED)
        if settled
        else anomaly_draft(anomaly=anomaly, actor=ACTOR, at=at)
    )
    append_to_stream(drafts=[draft], at=at)
