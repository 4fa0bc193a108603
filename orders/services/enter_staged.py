"""Sweeper: what is left of an order that was canceled for a staged replace is entered as a new order, once.

One transaction each, under the order's lock: the hold passes from the old order to the new one, the request ends, and
the new order is captured with every check run again. The key of the capture is made of the request's id and the database
takes one order in an order's place at most, so a repetition finds it done. What cannot be entered ends the request and is
told: the client must know that nothing works.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.models import User
from authorisation.selectors import get_principal
from journal.domain.records import Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.crash_points import crash_point
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, Refused
from kernel.fix import ExecType, OrdStatus
from orders.domain.amending import terms_of_message
from orders.domain.derive import all_notes
from orders.domain.facts import facts_from_json
from orders.domain.results import REFUSED, CaptureResult
from orders.domain.staging import Ended, Enter, Proof, next_step
from orders.models import Order, OrderRequest
from orders.selectors.history import find_reports
from orders.selectors.standing import find_staged_due
from orders.services._capturing import Replaced
from orders.services._holds import lock_for_request, set_hold
from orders.services._moving import Said, move_request, record, who
from orders.services.capture_order import capture_order
from risk.domain.answers import Acknowledgement

ACTOR = "process:staging"
ROUTE = SOURCE = "staged"
NOT_ENTERED = "STAGED_NOT_ENTERED"


def enter_staged(*, at: datetime, limit: int = 200) -> int:
    """Enter or end up to ``limit`` staged replaces whose orders' fates are known. Returns how many; again at once, none.

    What fails unforeseen is kept as it was and raised after the others had their turn.
    """
    done, failed = 0, None
    for request_id in find_staged_due(limit=limit):
        try:
            with transaction.atomic():
                done += _settle(request_id, at)
                crash_point("staged.written")
        except Exception as error:  # one that cannot be settled now keeps no other client waiting
            failed = failed or error
            continue
        crash_point("staged.committed")
    if failed is not None:
        raise failed
    return done


def _settle(request_id: UUID, at: datetime) -> int:
    order, request, requests = lock_for_request(request_id)
    if request.state != OrderRequest.State.RELEASED:
        return 0  # somebody else was here first
    step = next_step(_proof(order, request, requests), wanted=Decimal(request.payload["order_qty"]))
    if isinstance(step, Enter):
        _enter(order, request, requests, step, at)
    elif isinstance(step, Ended):
        _end(order, request, requests, step, at)
    return int(step is not None)


def _proof(order: Order, request: OrderRequest, requests: Sequence[OrderRequest]) -> Proof:
    cancel = next((r for r in requests if r.kind == OrderRequest.Kind.CANCEL and r.seq > request.seq), None)
    said = [
        report.cum_qty if report.cum_qty is not None else order.cum_qty
        for report in (() if order.is_open else find_reports([order.id])[order.id])
        if report.exec_type is ExecType.CANCELED or report.ord_status is OrdStatus.CANCELED
    ]
    return Proof(
        ref=order.ref,
        is_open=order.is_open,
        ord_status=order.ord_status,
        cum_qty=order.cum_qty,
        said_cum_qty=max(said, default=None),
        cancel_state=cancel.state if cancel is not None else OrderRequest.State.WITHDRAWN,
        cancel_text=cancel.outcome_text if cancel is not None else "",
        matters={note.kind for note in all_notes(facts_from_json(order.facts).state)},
    )


def _enter(order: Order, request: OrderRequest, requests: Sequence[OrderRequest], step: Enter, at: datetime) -> None:
    # Given back first, taken again by the capture: the account is locked, so nobody sees or takes what lies between.
    set_hold(order, [item for item in requests if item is not request], at=at)
    crash_point("staged.released")
    try:
        result = _capture(order, request, step, at)
    except (Conflict, Invalid, NotFound, NotPermitted, Refused) as error:
        sentence = f"{order.ref} is canceled and was not entered anew: {error.sentence} Nothing of it works now."
        _end(order, request, requests, Ended(error.code, sentence, nothing_works=True), at)
        return
    crash_point("staged.captured")
    if result.outcome == REFUSED:
        sentence = (
            f"{order.ref} is canceled; {result.ref} in its place was refused: {result.sentence} Nothing works now."
        )
        _end(order, request, requests, Ended("NEW_ORDER_REFUSED", sentence, nothing_works=True), at)
        return
    text = f"Entered anew as {result.ref}."
    move_request(request, OrderRequest.State.ACCEPTED, text=text, answered_at=at)
    payload = {**who(order, request), "code": "", "text": text, "replaced_by": str(result.order_id)}
    record(order, [Said("ReplaceEnteredAnew", payload, ACTOR)], at=at)


def _capture(order: Order, request: OrderRequest, step: Enter, at: datetime) -> CaptureResult:
    """Every check on the facts of now, for who asked; nobody is there to acknowledge what had not to be then.

    Where who asked was cut off meanwhile, for whose order it is by now.
    """
    asked_by = User.objects.get(pk=request.maker_id)
    maker: Principal = get_principal(asked_by if asked_by.is_active else User.objects.get(pk=order.owner_id))
    terms = replace(
        terms_of_message(request.payload),
        order_qty=step.order_qty,
        client_order_id=order.client_order_id,
        strategy=order.strategy,
        parent_id=order.parent_id,
        instructed_at=request.captured_at,
        instructed_by=order.instructed_by or "",
        discretion=order.discretion or "",
    )
    return capture_order(
        actor=replace(maker, actor=ACTOR, on_behalf_of=request.maker if asked_by.is_active else maker.actor),
        at=at,
        idempotency_key=f"{request.id}",
        route=ROUTE,
        terms=terms,
        source=SOURCE,
        acknowledgements=[Acknowledgement(item["code"], item["reason"]) for item in request.acknowledgements],
        correlation_id=order.correlation_id,
        replaces=Replaced(order.id, order.root_id),
    )


def _end(order: Order, request: OrderRequest, requests: Sequence[OrderRequest], step: Ended, at: datetime) -> None:
    """The request ends with us, lets go what it held, and somebody is told what the client has now."""
    move_request(request, OrderRequest.State.REFUSED, code=step.code, text=step.sentence, answered_at=at)
    payload = {**who(order, request), "code": step.code, "sentence": step.sentence}
    record(order, [Said("RequestNotSent", payload, ACTOR)], at=at)
    set_hold(order, requests, at=at)
    anomaly = Anomaly(
        kind=NOT_ENTERED,
        severity=Severity.HIGH if step.nothing_works else Severity.MEDIUM,
        subject_type="order",
        subject_id=str(order.id),
        sentence=step.sentence,
        dedupe_key=f"order:{order.id}:{NOT_ENTERED}:{request.cl_ord_id}",
        evidence={"ref": order.ref, "code": step.code, "cl_ord_id": request.cl_ord_id},
    )
    append_to_stream(drafts=[anomaly_draft(anomaly=anomaly, actor=ACTOR, at=at)], at=at)
