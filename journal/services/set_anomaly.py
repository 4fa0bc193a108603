"""Make a standing condition known once: raised when it begins, cleared when it ends, nothing in between.

For whoever looks again and again at the same thing: a sweeper that raised at each look would fill the journal.
"""

from __future__ import annotations

from datetime import datetime

from journal.bulk import one_transaction
from journal.domain.records import Anomaly
from journal.locks import lock_heads
from journal.selectors.anomalies import is_raised
from journal.services.clear_anomaly import clear_anomaly
from journal.services.raise_anomaly import raise_anomaly


def set_anomaly(*, anomaly: Anomaly, wrong: bool, actor: str, at: datetime) -> bool:
    """Raise the anomaly if it is ``wrong`` and not raised yet, clear it if it is raised and no longer wrong.

    ``anomaly.sentence`` says what is wrong, or why it no longer is. True when something was appended.
    """
    if is_raised(anomaly.dedupe_key) == wrong:
        return False
    with one_transaction():
        lock_heads([f"anomaly:{anomaly.dedupe_key}"])
        if is_raised(anomaly.dedupe_key) == wrong:
            return False
        (raise_anomaly if wrong else clear_anomaly)(anomaly=anomaly, actor=actor, at=at)
    return True
