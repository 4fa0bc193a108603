"""Takes a file of orders in: reads it, refuses it whole or stages every row. No order exists yet."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import ENTER_ORDER, Principal
from journal.bulk import write_rows
from kernel.errors import Conflict, Invalid
from kernel.ids import new_id
from orders.domain.control_totals import ControlTotals, control_faults
from orders.domain.upload_rows import read_row
from orders.models import Upload, UploadRow
from orders.services._baskets import take_basket
from orders.upload_files import read_rows

SEEN_WITHIN = timedelta(hours=24)
_ROW_FIELDS = ("upload_id", "number", "raw", "outcome", "code", "sentence", "order_id", "order_ref")


def stage_upload(
    *,
    actor: Principal,
    at: datetime,
    file_name: str,
    content: bytes,
    again: bool = False,
    totals: ControlTotals | None = None,
) -> UUID:
    """The id of the new upload.

    A file that is not what ``totals`` say is Invalid (UPLOAD_CONTROL); the same file within 24 hours is a Conflict
    (UPLOAD_SEEN_BEFORE) unless ``again``; a basket beyond its hard limits is Refused whole (BASKET_LIMIT).
    """
    actor.require(ENTER_ORDER, "You may not enter orders.")

    digest = hashlib.sha256(content).hexdigest()
    rows = read_rows(file_name=file_name, content=content)
    quantities = [row.get("order_qty", "") for row in rows]
    faults = control_faults(totals or ControlTotals(), quantities=quantities, sha256=digest)
    if faults:
        raise Invalid("UPLOAD_CONTROL", " ".join(faults), {"control": faults})

    upload_id = new_id()
    with transaction.atomic():
        earlier = (
            Upload.objects.filter(owner_id=actor.user_id, sha256=digest, created_at__gt=at - SEEN_WITHIN)
            .order_by("-created_at", "id")
            .first()
        )
        if earlier is not None and not again:
            raise Conflict(
                "UPLOAD_SEEN_BEFORE",
                f"You uploaded the same file at {earlier.created_at:%H:%M:%S} UTC; say so to send its orders again.",
                {"upload_id": str(earlier.id)},
            )
        readings = [read_row(row) for row in rows]
        readable = [one.terms for one in readings if one.terms is not None]
        take_basket(actor=actor, at=at, source="upload", rows=readable, count=len(rows))
        Upload.objects.create(
            id=upload_id,
            owner_id=actor.user_id,
            file_name=file_name[-120:],
            sha256=digest,
            rows_total=len(rows),
            created_at=at,
            updated_at=at,
        )
        write_rows(
            UploadRow,
            [(upload_id, number, row, "", "", "", None, "") for number, row in enumerate(rows, start=1)],
            fields=_ROW_FIELDS,
        )
    return upload_id
