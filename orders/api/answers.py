"""What the API answers: results and rows as JSON, decimals as text, FIX codes as the words people use."""

from __future__ import annotations

from typing import Any

from rest_framework import status
from rest_framework.response import Response

from kernel.canonical import jsonable
from kernel.fix import ORD_STATUS_NAMES, OrdStatus
from kernel.numbers import Money, plain
from orders.domain.results import (
    COMPLETED_LOCALLY,
    PENDING_AUTHORISATION,
    REFUSED,
    RELEASED,
    CaptureResult,
    Preview,
    RowResult,
)
from orders.domain.words import ORD_TYPE_WORDS, SIDE_WORDS, TIME_IN_FORCE_WORDS
from orders.models import Order, OrderRequest
from risk.domain.answers import Verdict, answer_to_json
from risk.domain.checks.rates import retry_after

_HTTP = {
    RELEASED: status.HTTP_201_CREATED,
    COMPLETED_LOCALLY: status.HTTP_200_OK,
    PENDING_AUTHORISATION: status.HTTP_202_ACCEPTED,
    REFUSED: status.HTTP_422_UNPROCESSABLE_ENTITY,
}


def result_body(result: CaptureResult) -> dict[str, Any]:
    """One request's answer. A refusal also carries ``code`` and ``sentence`` like every other error."""
    body: dict[str, Any] = {
        "order_id": str(result.order_id),
        "ref": result.ref,
        "request_id": str(result.request_id),
        "cl_ord_id": result.cl_ord_id,
        "outcome": result.outcome,
        "state": result.state,
        "authorisation_id": str(result.authorisation_id) if result.authorisation_id else None,
        "checks": [answer_to_json(answer) for answer in result.checks],
    }
    if result.outcome == REFUSED:
        body |= {"code": "ORDER_REFUSED", "sentence": result.sentence}
    return body


def request_answer(result: CaptureResult) -> Response:
    """201 released, 200 completed without the venue, 202 waits for a second person, 422 refused; so also on replay.

    Refused by a rate it is 429, with Retry-After.
    """
    wait = retry_after(result.checks)
    code = status.HTTP_429_TOO_MANY_REQUESTS if wait is not None else _HTTP[result.outcome]
    response = Response(result_body(result), status=code)
    if wait is not None:
        response["Retry-After"] = str(wait)
    if result.replayed:
        response["Idempotency-Replayed"] = "true"
    return response


_PREVIEWED = {
    Verdict.PASS: RELEASED,
    Verdict.ACKNOWLEDGE: PENDING_AUTHORISATION,
    Verdict.AUTHORISE: PENDING_AUTHORISATION,
    Verdict.REFUSE: REFUSED,
}


def preview_body(preview: Preview) -> dict[str, Any]:
    """What would become of an order that is sent now: its outcome, every check, value, charges and what they leave."""
    return {
        "dry_run": True,
        "outcome": _PREVIEWED[preview.worst],
        "sentence": preview.sentence,
        "checks": [answer_to_json(answer) for answer in preview.checks],
        "value": _money(preview.notional),
        "fees": _money(preview.fees),
        "cash_before": _money(preview.cash_before),
        "cash_after": _money(preview.cash_after),
        "position_before": plain(preview.position_before),
        "position_after": plain(preview.position_after),
    }


def _money(amount: Money | None) -> dict[str, str] | None:
    return None if amount is None else {"currency": amount.currency, "amount": plain(amount.amount)}


def row_body(row: RowResult) -> dict[str, Any]:
    """One row of a batch under the client's own id."""
    body: dict[str, Any] = {"client_order_id": row.client_row_id, "outcome": row.outcome}
    if row.result is not None:
        body |= result_body(row.result)
    if row.code:
        body |= {"code": row.code, "sentence": row.sentence, "fields": jsonable(row.fields)}
    return body


def order_body(order: Order) -> dict[str, Any]:
    """An order as partners see it: ``ord_status`` is the venue's word, null until it has said something."""
    return {
        "order_id": str(order.id),
        "ref": order.ref,
        "client_order_id": order.client_order_id,
        "account": order.account.code,
        "symbol": order.listing.symbol,
        "side": SIDE_WORDS[order.side],
        "ord_type": ORD_TYPE_WORDS[order.ord_type],
        "time_in_force": TIME_IN_FORCE_WORDS[order.time_in_force],
        "currency": order.listing.currency,
        "price_unit": order.listing.price_unit,
        **{
            name: jsonable(getattr(order, name))
            for name in (
                "order_qty",
                "price",
                "stop_px",
                "min_qty",
                "max_floor",
                "expire_at",
                "expire_date",
                "cum_qty",
                "leaves_qty",
                "avg_px",
                "cl_ord_id",
                "venue_order_id",
                "entered_at",
                "updated_at",
                "version",
            )
        },
        "ord_status": ORD_STATUS_NAMES[OrdStatus(order.ord_status)] if order.ord_status else None,
        "request_state": order.request_state,
        "is_open": order.is_open,
        "ticket": {
            "instructed_at": jsonable(order.instructed_at),
            "instructed_by": order.instructed_by,
            "entered_at": jsonable(order.entered_at),
            "entered_by": getattr(order, "entered_by", None) or order.owner.username,
            "responsible": order.responsible.username if order.responsible else None,
            "source": order.source,
            "capacity": order.capacity,
            "discretion": order.discretion,
        },
    }


def version_body(request: OrderRequest) -> dict[str, Any]:
    """One version of what was asked of the order: who asked when, for what, and what became of it."""
    return {
        "request_id": str(request.id),
        "seq": request.seq,
        "kind": request.kind,
        "state": request.state,
        "cl_ord_id": request.cl_ord_id,
        "asked_by": request.maker,
        "on_behalf_of": request.on_behalf_of or None,
        "asked_at": jsonable(request.captured_at),
        "terms": request.payload,
        "outcome_code": request.outcome_code or None,
    }
