"""Give every break an owner: one anomaly each, cleared when it is closed; of a doubted file one for the file alone.

Only what is not told yet is told, so a run that was killed here goes on where it stopped, and breaks that a doubted run found
are told once a sound run has found them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction

from journal.bulk import raw_cursor
from journal.domain.records import ANOMALY_CLEARED, ANOMALY_RAISED, Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from journal.services.set_anomaly import set_anomaly
from kernel.collecting import no_collecting
from kernel.crash_points import crash_point
from kernel.numbers import plain
from reconciliation.domain import transitions as moves
from reconciliation.models import Break, Run, RunBreak

RECONCILIATION_BREAK, RUN_SUSPECT = "RECONCILIATION_BREAK", "RUN_SUSPECT"
CHUNK = 200
_TOLD = (
    "number", "key", "kind", "source", "category", "ids", "why", "exposure", "exposure_currency", "business_date", "event_at",
    "account_id", "order_id", "state", "closing_sentence",
)  # fmt: skip
"""What of a break an anomaly says."""
_LAST_WORDS = """
SELECT DISTINCT ON (stream) stream, kind FROM journal_event WHERE stream = ANY(%s) ORDER BY stream, seq DESC
"""
_SEVERE = frozenset({Break.Category.MISSING_INTERNAL, Break.Category.QUANTITY, Break.Category.DUPLICATE_SUSPECT})
_LIGHT = frozenset({Break.Category.TIMING, Break.Category.FEE})


def tell_breaks(*, run: Run, actor: str, at: datetime) -> None:
    """In chunks, each its own transaction."""
    set_anomaly(anomaly=_suspicion(run), wrong=bool(run.sentence), actor=actor, at=at)
    if run.sentence:
        return
    for items in _chunks(run):
        with no_collecting(), transaction.atomic():
            words = _last_words([_key(item) for item in items])
            drafts = []
            for item in items:
                told = words.get(f"anomaly:{_key(item)}")
                closed = item.state == moves.CLOSED
                if closed == (told == ANOMALY_RAISED):
                    kind = ANOMALY_CLEARED if closed else ANOMALY_RAISED
                    drafts.append(
                        anomaly_draft(
                            anomaly=break_anomaly(item),
                            actor=actor,
                            at=at,
                            kind=kind,
                            business_date=item.business_date,
                            correlation_id=run.id,
                        )
                    )
            append_to_stream(drafts=drafts, at=at)
        crash_point("run.telling")


def _chunks(run: Run) -> Iterator[Sequence[Break]]:
    ids = list(RunBreak.objects.filter(run=run).order_by("id").values_list("item_id", flat=True))
    for start in range(0, len(ids), CHUNK):
        yield list(Break.objects.filter(id__in=ids[start : start + CHUNK]).only(*_TOLD).order_by("id"))


def _last_words(keys: Sequence[str]) -> dict[str, str]:
    with raw_cursor() as cursor:
        cursor.execute(_LAST_WORDS, [[f"anomaly:{key}" for key in keys]])
        return dict(cursor.fetchall())


def _key(item: Break) -> str:
    return f"break:{item.key}"


def break_anomaly(item: Break) -> Anomaly:
    """The matter of one break: the same key when it is found and when it is closed."""
    severity = Severity.MEDIUM
    if item.category in _SEVERE:
        severity = Severity.HIGH
    elif item.category in _LIGHT:
        severity = Severity.LOW
    subject = ("break", item.ref)
    if item.order_id is not None:
        subject = ("order", str(item.order_id))
    elif item.account_id is not None:
        subject = ("account", str(item.account_id))
    return Anomaly(
        kind=RECONCILIATION_BREAK,
        severity=severity,
        subject_type=subject[0],
        subject_id=subject[1],
        sentence=f"{item.ref}: {item.closing_sentence or item.why}",
        dedupe_key=_key(item),
        evidence={
            "break": item.ref, "break_id": str(item.id), "kind": item.kind, "source": item.source, "category": item.category,
            "ids": item.ids, "exposure": plain(item.exposure) if item.exposure is not None else None,
            "currency": item.exposure_currency, "business_date": item.business_date.isoformat(),
            "event_at": item.event_at.isoformat() if item.event_at else None,
        },
    )  # fmt: skip


def _suspicion(run: Run) -> Anomaly:
    sentence = run.sentence or "A later file of it is sound."
    return Anomaly(
        kind=RUN_SUSPECT,
        severity=Severity.HIGH,
        subject_type="reconciliation",
        subject_id=f"{run.kind} {run.source}",
        sentence=f"The reconciliation of {run.kind} of {run.source} as of {run.as_of}: {sentence}",
        dedupe_key=f"run-suspect:{run.kind}:{run.source}",
        evidence={
            "run_id": str(run.id), "file": run.file.name if run.file else "", "sha256": run.file.sha256 if run.file else "",
            "internal": run.internal, "external": run.external, "matched": run.matched,
        },
    )  # fmt: skip
