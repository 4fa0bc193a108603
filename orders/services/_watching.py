"""Tell compliance, and nobody else, of orders in what it watches. The order itself carries no trace of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from journal.domain.records import Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from risk.domain.checks.conduct import entries_on
from risk.domain.conduct import WATCH_LIST_HIT
from risk.domain.facts import Facts
from risk.domain.rulebook.entries import RestrictionEntry

ACTOR = "process:watch"
MOST_NAMED = 50


def watched(facts: Facts) -> list[RestrictionEntry]:
    """Entries of the watch list that this request meets."""
    return entries_on(facts, watch=True)


def tell_of_watched(hits: Iterable[tuple[RestrictionEntry, str, str]], *, at: datetime) -> None:
    """One matter an entry and account; ``hits`` are entry, account code and order reference."""
    met: dict[tuple[str, str, str], list[str]] = {}
    for entry, account, ref in hits:
        met.setdefault((entry.id, entry.reference, account), []).append(ref)
    drafts = [
        anomaly_draft(
            anomaly=Anomaly(
                kind=WATCH_LIST_HIT,
                severity=Severity.MEDIUM,
                subject_type="restriction",
                subject_id=entry_id,
                sentence=f"Account {account} entered {len(refs)} order{'s' if len(refs) > 1 else ''} in what "
                f"{reference} watches.",
                dedupe_key=f"watch:{entry_id}:{account}",
                evidence={"reference": reference, "account": account, "orders": refs[:MOST_NAMED]},
            ),
            actor=ACTOR,
            at=at,
        )
        for (entry_id, reference, account), refs in met.items()
    ]
    if drafts:
        append_to_stream(drafts=drafts, at=at)
