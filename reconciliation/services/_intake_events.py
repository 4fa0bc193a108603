"""What is told of an intake: an event in the stream of its file, and one matter a feed while somebody must look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authorisation.domain.principal import Principal
from journal.domain.chain import EventDraft
from journal.domain.records import Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.set_anomaly import set_anomaly
from kernel.ids import new_id
from reconciliation.models import Intake


def tell(intake: Intake, kind: str, *, actor: Principal, at: datetime, more: Mapping[str, Any] | None = None) -> None:
    """Append an event about the intake."""
    event_id = new_id()
    draft = EventDraft(
        id=event_id,
        stream=f"feed:{intake.file_id}",
        kind=kind,
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=intake.id,
        event_at=at,
        received_at=at,
        business_date=intake.day,
        payload={
            "intake_id": str(intake.id),
            "file_id": str(intake.file_id),
            "kind": intake.kind,
            "source": intake.source,
            "day": intake.day.isoformat(),
            "cut_at": intake.cut_at.isoformat(),
            "state": str(intake.state),
            "rows": intake.rows,
            "changed": intake.changed,
            "unchanged": intake.unchanged,
            "refused": intake.refused,
            "totals": intake.totals,
            "since": {name: value for name, value in intake.since.items() if name != "rows"},
            "sentence": intake.sentence,
            "version": intake.version,
            **(more or {}),
        },
    )
    append_to_stream(drafts=[draft], at=at)


def set_matter(intake: Intake, *, wrong: bool, at: datetime, actor: Principal) -> None:
    """Somebody must look at what a source sent of a kind, or need not any more."""
    title = intake.kind.replace("_", " ")
    anomaly = Anomaly(
        kind="INTAKE_STOPPED",
        severity=Severity.HIGH,
        subject_type="feed_file",
        subject_id=str(intake.file_id),
        sentence=f"{intake.file.name} ({title}) is not in the books. {intake.sentence}" if wrong
        else f"{intake.file.name} ({title}) is in the books, or was put away.",
        dedupe_key=f"intake:{intake.kind}:{intake.source}",
        evidence={"intake_id": str(intake.id), "refused": intake.refused, "state": str(intake.state)},
    )  # fmt: skip
    set_anomaly(anomaly=anomaly, wrong=wrong, actor=actor.actor, at=at)
