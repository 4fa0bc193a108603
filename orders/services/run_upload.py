"""Works one slice of a staged upload: every waiting row gets its own answer, a bad one loses no good one.

May be lost or run twice, also at once: a slice captured before answers again from its idempotency key, and the counts
are recounted from the rows instead of being added up.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from authorisation.domain.principal import Principal
from journal.bulk import update_rows
from orders.domain.results import RowResult
from orders.domain.terms import OrderTerms
from orders.domain.upload_rows import read_row
from orders.models import Upload, UploadRow
from orders.services.capture_orders import capture_orders

SLICE = 200
OUTCOMES = ("released", "pending_authorisation", "refused", "invalid")
_ANSWER_FIELDS = ("outcome", "code", "sentence", "order_id", "order_ref")
_Answer = tuple[str, str, str, UUID | None, str]


def run_upload(*, actor: Principal, at: datetime, upload_id: UUID) -> int:
    """Rows still waiting afterwards; 0 when the upload is done, stopped or unknown."""
    open_upload = Upload.objects.filter(id=upload_id, state__in=[Upload.State.STAGED, Upload.State.RUNNING])
    rows = list(UploadRow.objects.filter(upload__in=open_upload, outcome="").order_by("number")[:SLICE])
    if not rows:
        return 0

    answers: dict[int, _Answer] = {}
    good: list[tuple[str, OrderTerms]] = []
    for row in rows:
        reading = read_row(row.raw)
        if reading.terms is None:
            sentence = " ".join(f"{name}: {' '.join(said)}" for name, said in reading.fields.items())
            answers[row.number] = ("invalid", "ROW_INVALID", sentence, None, "")
        else:
            good.append((str(row.number), reading.terms))

    if good:
        captured = capture_orders(
            actor=actor,
            at=at,
            idempotency_key=f"{upload_id}:{rows[0].number}",
            route="upload",
            rows=good,
            source="upload",
            in_basket=True,
        )
        answers |= {int(one.client_row_id): _answer(one) for one in captured}

    with transaction.atomic():
        update_rows(UploadRow, [(row.id, *answers[row.number]) for row in rows], key=("id",), fields=_ANSWER_FIELDS)
        return _recount(upload_id, at)


def _answer(result: RowResult) -> _Answer:
    captured = result.result
    if captured is None:
        fields = " ".join(f"{name}: {' '.join(said)}" for name, said in result.fields.items())
        return result.outcome, result.code, fields or result.sentence, None, ""
    return result.outcome, result.code, result.sentence or captured.sentence, captured.order_id, captured.ref


def _recount(upload_id: UUID, at: datetime) -> int:
    counts = UploadRow.objects.filter(upload_id=upload_id).aggregate(
        waiting=Count("id", filter=Q(outcome="")),
        rows_done=Count("id", filter=~Q(outcome="")),
        **{name: Count("id", filter=Q(outcome=name)) for name in OUTCOMES},
    )
    waiting = int(counts.pop("waiting"))
    Upload.objects.filter(id=upload_id).exclude(state=Upload.State.STOPPED).update(
        state=Upload.State.RUNNING if waiting else Upload.State.DONE, finished_at=None if waiting else at
    )
    Upload.objects.filter(id=upload_id).update(updated_at=at, **counts)
    return waiting
