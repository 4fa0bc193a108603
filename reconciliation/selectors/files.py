"""Reads of kept files and intakes for programs: newest first, by key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from kernel.errors import NotFound
from reconciliation.models import FeedFile, Intake

AT_ONCE = 50


def list_files(*, before: UUID | None = None, **filters: Any) -> tuple[list[FeedFile], UUID | None]:
    """Fifty files, and the ``before`` of the next ones. Ids are in the order in which files came."""
    return _page(FeedFile.objects.select_related("feed"), filters, before)


def list_intakes(*, before: UUID | None = None, **filters: Any) -> tuple[list[Intake], UUID | None]:
    """The same of intakes."""
    return _page(Intake.objects.select_related("file"), filters, before)


def _page(rows: QuerySet[Any], filters: Mapping[str, Any], before: UUID | None) -> tuple[list[Any], UUID | None]:
    chosen = rows.filter(**{name: value for name, value in filters.items() if value})
    if before is not None:
        chosen = chosen.filter(id__lt=before)
    found = list(chosen.order_by("-id")[: AT_ONCE + 1])
    return found[:AT_ONCE], found[AT_ONCE - 1].id if len(found) > AT_ONCE else None


def get_file(file_id: UUID) -> FeedFile:
    """Raises NotFound FILE_UNKNOWN."""
    found = FeedFile.objects.select_related("feed").filter(pk=file_id).first()
    if found is None:
        raise NotFound("FILE_UNKNOWN", "There is no such file.")
    return found


def file_to_json(file: FeedFile) -> dict[str, Any]:
    """A kept file as the API answers it; counts and sums as text, problems bounded."""
    return {
        "id": str(file.pk),
        "feed": file.feed_id,
        "kind": file.kind,
        "source": file.source,
        "format": file.format,
        "name": file.name,
        "sha256": file.sha256,
        "size": file.size,
        "state": file.state,
        "date": file.statement_date.isoformat() if file.statement_date else None,
        "cut_at": _moment(file.cut_at),
        "sequence": file.sequence or None,
        "said": file.said,
        "counted": file.counted,
        "signed_by": file.signed_by or None,
        "received_by": file.received_by,
        "received_at": file.received_at.isoformat(),
        "problems": list(file.problems),
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
