"""Many standing conditions made known at once, each as ``set_anomaly`` does: raised when it begins, cleared when it ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from journal.bulk import one_transaction
from journal.domain.records import ANOMALY_CLEARED, ANOMALY_RAISED, Anomaly
from journal.locks import lock_heads
from journal.selectors.anomalies import raised_among
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft


def set_anomalies(
    *, matters: Iterable[tuple[Anomaly, bool]], actor: str, at: datetime, business_date: date | None = None
) -> int:
    """``matters``: each anomaly with whether it is wrong now; one of a dedupe key. How many were raised or cleared."""
    by_key = {anomaly.dedupe_key: (anomaly, wrong) for anomaly, wrong in matters}
    turned = _turned(by_key)
    if not turned:
        return 0
    with one_transaction():
        lock_heads([f"anomaly:{key}" for key in turned])
        drafts = [
            anomaly_draft(
                anomaly=by_key[key][0],
                actor=actor,
                at=at,
                kind=ANOMALY_RAISED if by_key[key][1] else ANOMALY_CLEARED,
                business_date=business_date,
            )
            for key in _turned({key: by_key[key] for key in turned})
        ]
        append_to_stream(drafts=drafts, at=at)
    return len(drafts)


def _turned(by_key: dict[str, tuple[Anomaly, bool]]) -> list[str]:
    """Those whose last word is not what is true now."""
    raised = raised_among(by_key)
    return [key for key, (_, wrong) in by_key.items() if wrong != (key in raised)]
