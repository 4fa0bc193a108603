"""Reads of uploads: only their owner knows of them."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import NotFound
from orders.domain.upload_rows import COLUMNS
from orders.models import Upload, UploadRow

ERROR_HEADER = ("row", "outcome", "code", "sentence", *COLUMNS)


def list_uploads(*, actor: Principal) -> list[Upload]:
    """The actor's last fifty, newest first."""
    return list(Upload.objects.filter(owner_id=actor.user_id).order_by("-created_at", "id")[:50])


def get_upload(*, actor: Principal, upload_id: UUID) -> Upload:
    """One of the actor's own, or NotFound."""
    upload = Upload.objects.filter(owner_id=actor.user_id, id=upload_id).first()
    if upload is None:
        raise NotFound("UPLOAD_UNKNOWN", "There is no such upload.")
    return upload


def list_rows(*, upload: Upload, after: int = 0, limit: int = 200) -> list[UploadRow]:
    """Rows by number, from the one after ``after``."""
    return list(UploadRow.objects.filter(upload=upload, number__gt=after).order_by("number")[:limit])


def error_lines(*, upload: Upload) -> Iterator[tuple[str, ...]]:
    """Header, then every row that was refused or is malformed, as text cells safe to open in a spreadsheet."""
    yield ERROR_HEADER
    rows = UploadRow.objects.filter(upload=upload, outcome__in=["invalid", "refused"]).order_by("number")
    for row in rows.iterator(chunk_size=2000):
        cells = (str(row.number), row.outcome, row.code, row.sentence, *(row.raw.get(name, "") for name in COLUMNS))
        yield tuple(neutral(cell) for cell in cells)


def neutral(cell: str) -> str:
    """A cell a spreadsheet will not run: what starts like a formula and is no number gets an apostrophe in front."""
    if cell[:1] in ("=", "+", "@", "\t", "\r") or (cell[:1] == "-" and not cell[1:].replace(".", "", 1).isdigit()):
        return f"'{cell}"
    return cell
