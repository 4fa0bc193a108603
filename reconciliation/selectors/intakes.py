"""Reads of intakes: as one object for command and API, and what the page of the start of day shows."""

from __future__ import annotations

from typing import Any

from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from reconciliation.models import Intake

SINCE_COLUMNS = ("word", "line", "line_before", "named", "was", "now")


def intake_to_json(intake: Intake) -> dict[str, Any]:
    """One file of the start of day as the command and the API answer it. Amounts are text."""
    return {
        "file_id": str(intake.file_id),
        "intake_id": str(intake.id),
        "name": intake.file.name,
        "kind": intake.kind,
        "source": intake.source,
        "day": intake.day.isoformat(),
        "cut_at": intake.cut_at.isoformat(),
        "state": str(intake.state),
        "sentence": intake.sentence,
        "rows": intake.rows,
        "changed": intake.changed,
        "unchanged": intake.unchanged,
        "refused": intake.refused,
        "totals": intake.totals,
        "since_last": since_to_json(intake),
        "problems": intake.issues,
    }


def since_to_json(intake: Intake) -> dict[str, Any] | None:
    """What it says otherwise than the file applied before it; None where there was none, or it was the same file."""
    if not intake.since:
        return None
    rows = [dict(zip(SINCE_COLUMNS, row, strict=True)) for row in intake.since["rows"]]
    return {**intake.since, "rows": rows}


def request_is_open(intake: Intake) -> bool:
    """Whether a second person is asked about it now."""
    return (
        intake.request_id is not None
        and AuthorisationRequest.objects.filter(pk=intake.request_id, state__in=OPEN).exists()
    )
