"""The answer to a batch row as it is kept with its idempotency key, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from orders.domain.results import CaptureResult, RowResult, capture_answer
from risk.domain.answers import CheckAnswer


def row_to_json(row: RowResult) -> dict[str, Any]:
    """Plain JSON; the checks stay with the request."""
    return {
        "row": row.client_row_id,
        "outcome": row.outcome,
        "code": row.code,
        "sentence": row.sentence,
        "fields": {name: list(said) for name, said in row.fields.items()},
        "result": capture_answer(row.result) if row.result else None,
    }


def row_from_json(stored: Mapping[str, Any], checks: Mapping[UUID, tuple[CheckAnswer, ...]]) -> RowResult:
    """The row as it was answered, marked as replayed."""
    answer = stored["result"]
    return RowResult(
        client_row_id=stored["row"],
        outcome=stored["outcome"],
        result=result_from_json(answer, checks[UUID(answer["request_id"])]) if answer else None,
        code=stored["code"],
        sentence=stored["sentence"],
        fields=stored["fields"],
    )


def result_from_json(answer: Mapping[str, Any], checks: tuple[CheckAnswer, ...]) -> CaptureResult:
    """A capture result as it was answered, marked as replayed."""
    authorisation_id = answer["authorisation_id"]
    return CaptureResult(
        order_id=UUID(answer["order_id"]),
        ref=answer["ref"],
        request_id=UUID(answer["request_id"]),
        cl_ord_id=answer["cl_ord_id"],
        state=answer["state"],
        outcome=answer["outcome"],
        checks=checks,
        replayed=True,
        authorisation_id=UUID(authorisation_id) if authorisation_id else None,
    )
