"""What a judged new order is written as: order, request, events and what is held for it. Pure; ids and time arrive.

One capture tells its stream two things: what was captured (terms and every answer that was not a pass) and what came
of it: released, held for a second person, or refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from accounts.domain.fees import FeeSet
from authorisation.domain.principal import Principal
from journal.domain.chain import EventDraft, EventRow, Head, chain
from kernel.canonical import jsonable
from kernel.fix import TimeInForce
from kernel.ids import cl_ord_id, order_ref, shard_of
from kernel.numbers import ZERO, plain
from orders.domain.charging import decision_to_json, first_fees
from orders.domain.facts import NO_FACTS, facts_to_json
from orders.domain.fold import request_sent
from orders.domain.results import PENDING_AUTHORISATION, REFUSED, RELEASED, CaptureResult
from orders.domain.state import RequestFact
from orders.domain.terms import OrderTerms
from refdata.domain.listing_facts import ListingFacts, listing_snapshot
from risk.domain.answers import Acknowledgement, CheckAnswer, Judgement, Verdict, answer_to_json
from risk.domain.checks import REGISTRY_VERSION

OUTCOMES = {Verdict.PASS: RELEASED, Verdict.AUTHORISE: PENDING_AUTHORISATION, Verdict.REFUSE: REFUSED}
_KINDS = {RELEASED: "OrderReleased", PENDING_AUTHORISATION: "OrderHeld", REFUSED: "OrderRefused"}

TELLS_ALL = 2
"""Version of the events whose payloads tell everything that replay needs (ADR 0015); version 1 of them did not."""


@dataclass(frozen=True, slots=True)
class CaptureIds:
    """Ids made at the edge of the pure part; ``number`` comes from the sequence of order numbers."""

    order_id: UUID
    request_id: UUID
    captured_event_id: UUID
    outcome_event_id: UUID
    correlation_id: UUID
    number: int
    authorisation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CaptureContext:
    """Who asks, when, through which door, for which account, and where the order stands in a tree."""

    actor: Principal
    at: datetime
    source: str
    idempotency_key: str
    account_id: UUID
    account_code: str
    desk_id: int
    group_id: int
    root_id: UUID | None = None
    replaces_id: UUID | None = None
    acknowledgements: tuple[Acknowledgement, ...] = ()


@dataclass(frozen=True, slots=True)
class CaptureDraft:
    """Rows by field name, events in their chain, what is to be held (cash with fees, or units of stock), whose group it is."""

    order: Mapping[str, Any]
    request: Mapping[str, Any]
    events: tuple[EventRow, ...]
    hold_cash: Decimal
    hold_stock: Decimal
    result: CaptureResult
    group_id: int


def message_of(terms: OrderTerms, listing: ListingFacts, account_code: str) -> dict[str, Any]:
    """The normalised message an adapter maps to its dialect: plain JSON, decimals as text."""
    return {
        "symbol": listing.symbol,
        "venue_symbol": listing.venue_symbol,
        "mic": listing.mic,
        "isin": listing.isin,
        "currency": listing.currency,
        "price_unit": listing.price_unit,
        "side": terms.side.value,
        "ord_type": terms.ord_type.value,
        "time_in_force": terms.time_in_force.value,
        "order_qty": plain(terms.order_qty),
        "price": _text(terms.price),
        "stop_px": _text(terms.stop_px),
        "min_qty": _text(terms.min_qty),
        "max_floor": _text(terms.max_floor),
        "expire_at": terms.expire_at.isoformat() if terms.expire_at else None,
        "expire_date": terms.expire_date.isoformat() if terms.expire_date else None,
        "locate_ref": terms.locate_ref,
        "capacity": terms.capacity,
        "handling": "1",
        "account": account_code,
    }


def released_payload(
    *, order_id: UUID, request_id: UUID, account_id: UUID, desk_id: int, correlation_id: UUID, kind: str, cl_ord: str,
    message: Mapping[str, Any], orig_cl_ord_id: str | None = None, venue_order_id: str | None = None,
    session_group: str = "", adds_risk: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """What every …Released event carries: all that routing and the gateway need, so that they need not ask back."""
    return {
        "order_id": str(order_id),
        "request_id": str(request_id),
        "account_id": str(account_id),
        "desk_id": desk_id,
        "kind": kind,
        "cl_ord_id": cl_ord,
        "orig_cl_ord_id": orig_cl_ord_id,
        "venue_order_id": venue_order_id,
        "session_group": session_group,
        "adds_risk": adds_risk,
        "correlation_id": str(correlation_id),
        "message": dict(message),
    }


@lru_cache(maxsize=256)
def _bare_pass(code: str) -> orjson.Fragment:
    """A check that passed and saw nothing worth keeping, as it is written: the same text for every order."""
    return orjson.Fragment(orjson.dumps({"code": code, "verdict": Verdict.PASS.word}))


def checks_json(answers: tuple[CheckAnswer, ...]) -> bytes:
    """All answers as JSON text: what ``answer_to_json`` makes of each, at a third of the cost."""
    rows: list[Any] = []
    for answer in answers:
        if answer.verdict is Verdict.PASS and not (answer.facts or answer.sentence or answer.reason):
            rows.append(_bare_pass(answer.code))
            continue
        row: dict[str, Any] = {"code": answer.code, "verdict": answer.verdict.word}
        if answer.facts:
            row["facts"] = dict(answer.facts)
        if answer.sentence:
            row["sentence"] = answer.sentence
        if answer.reason:
            row["reason"] = answer.reason
        rows.append(row)
    return orjson.dumps(rows, default=jsonable)


def captured_payload(
    *,
    ids: Mapping[str, Any],
    terms: Mapping[str, Any],
    answers: tuple[CheckAnswer, ...],
    checks: bytes,
    decision: bytes,
) -> dict[str, Any]:
    """What …Captured says: the terms, the answers that were not a pass, the digests of all answers and of what they saw."""
    return {
        **ids,
        "terms": dict(terms),
        "checks": {
            "registry": REGISTRY_VERSION,
            "sha256": sha256(checks).hexdigest(),
            "facts_sha256": sha256(decision).hexdigest(),
            "answers": [answer_to_json(answer) for answer in answers if answer.verdict is not Verdict.PASS],
        },
    }


def instrument_told(listing: ListingFacts, snapshot: bytes) -> dict[str, Any]:
    """What an event says of the listing: what prices and books the order, and the digest of the whole snapshot kept with it."""
    return {
        "listing_id": str(listing.listing_id),
        "instrument_id": str(listing.instrument_id),
        "price_divisor": listing.price_divisor,
        "reference_price": _text(listing.price.last) if listing.price else None,
        "snapshot": sha256(snapshot).hexdigest(),
    }


def snapshot_json(listing: ListingFacts) -> bytes:
    """The instrument snapshot in the one form its digest is taken of: keys sorted, no spaces."""
    return orjson.dumps(listing_snapshot(listing), option=orjson.OPT_SORT_KEYS)


def draft_capture(
    *,
    terms: OrderTerms,
    listing: ListingFacts,
    judgement: Judgement,
    context: CaptureContext,
    ids: CaptureIds,
    hold_cash: Decimal,
    hold_stock: Decimal,
    decision: bytes,
    charged_by: FeeSet = (),
) -> CaptureDraft:
    """Everything one capture writes. The worst answer decides the outcome; ACKNOWLEDGE must have been dealt with before."""
    at, outcome, refused = context.at, OUTCOMES[judgement.worst], judgement.worst is Verdict.REFUSE
    ref = order_ref(year=at.year, month=at.month, number=ids.number)
    cl_ord = cl_ord_id(ref=ref, request_seq=1, shard=shard_of(context.account_id))
    message = message_of(terms, listing, context.account_code)
    checks, snapshot = checks_json(judgement.answers), snapshot_json(listing)
    told = instrument_told(listing, snapshot) | {"fees": decision_to_json((listing.business_date, charged_by))}
    events = _events(terms, listing, judgement, context, ids, (ref, cl_ord, outcome, checks, decision, message, told))
    order = {
        "id": ids.order_id,
        "ref": ref,
        "parent_id": terms.parent_id,
        "root_id": context.root_id or ids.order_id,
        "replaces_id": context.replaces_id,
        "account_id": context.account_id,
        "desk_id": context.desk_id,
        "listing_id": listing.listing_id,
        "owner_id": context.actor.user_id,
        "source": context.source,
        "client_order_id": terms.client_order_id,
        "correlation_id": ids.correlation_id,
        **_term_columns(terms),
        "session_group": "",
        "cl_ord_id": cl_ord,
        "venue_order_id": None,
        "last_request_seq": 1,
        "facts": _first_facts(terms, cl_ord),
        "ord_status": None,
        "cum_qty": ZERO,
        "leaves_qty": ZERO if refused else terms.order_qty,
        "avg_px": ZERO,
        "overfilled": False,
        "request_state": outcome,
        "is_open": not refused,
        "needs_attention": "",
        "instrument_snapshot": snapshot,
        "fees": first_fees(charged_by, listing.business_date),
        **_ticket_columns(terms, context),
        "entered_at": at,
        "updated_at": at,
        "trade_date": listing.business_date,
        "version": events[-1].seq,
        "last_event_seq": events[-1].seq,
        "last_event_hash": events[-1].hash,
    }
    request = _request_row(context, ids, judgement, (cl_ord, outcome, checks, decision, message))
    result = CaptureResult(
        order_id=ids.order_id,
        ref=ref,
        request_id=ids.request_id,
        cl_ord_id=cl_ord,
        state=outcome,
        outcome=outcome,
        checks=judgement.answers,
        authorisation_id=ids.authorisation_id if outcome == PENDING_AUTHORISATION else None,
    )
    held = (ZERO, ZERO) if refused else (hold_cash, hold_stock)
    return CaptureDraft(order, request, events, *held, result, context.group_id)


def _ticket_columns(terms: OrderTerms, context: CaptureContext) -> dict[str, Any]:
    """When and by whom it was instructed, what was left to the dealer, who answers for it."""
    return {
        "instructed_at": terms.instructed_at or context.at,
        "instructed_by": terms.instructed_by or None,
        "discretion": terms.discretion or None,
        "responsible_id": context.actor.answered_for_by,
    }


def _first_facts(terms: OrderTerms, cl_ord: str) -> bytes:
    """What is known of an order nobody has reported on: that we asked for it."""
    asked = RequestFact("new", cl_ord, None, terms.order_qty, terms.price, terms.stop_px, terms.time_in_force.value)
    return orjson.dumps(facts_to_json(request_sent(NO_FACTS, asked)))


def _request_row(
    context: CaptureContext,
    ids: CaptureIds,
    judgement: Judgement,
    drafted: tuple[str, str, bytes, bytes, Mapping[str, Any]],
) -> dict[str, Any]:
    cl_ord, outcome, checks, decision, message = drafted
    at, worst = context.at, judgement.with_verdict(Verdict.REFUSE)
    return {
        "id": ids.request_id,
        "order_id": ids.order_id,
        "seq": 1,
        "kind": "new",
        "state": outcome,
        "cl_ord_id": cl_ord,
        "orig_cl_ord_id": None,
        "payload": orjson.dumps(message),
        "maker": context.actor.actor,
        "maker_id": context.actor.user_id,
        "on_behalf_of": context.actor.on_behalf_of,
        "idempotency_key": context.idempotency_key,
        "checks": checks,
        "decision": decision,
        "acknowledgements": orjson.dumps([{"code": a.code, "reason": a.reason} for a in context.acknowledgements]),
        "authorisation_id": ids.authorisation_id if outcome == PENDING_AUTHORISATION else None,
        "outcome_code": worst[0].code if worst else "",
        "outcome_text": judgement.sentence if outcome == REFUSED else "",
        "captured_at": at,
        "released_at": at if outcome == RELEASED else None,
        "handed_over_at": None,
        "answered_at": None,
    }


def _events(
    terms: OrderTerms,
    listing: ListingFacts,
    judgement: Judgement,
    context: CaptureContext,
    ids: CaptureIds,
    drafted: tuple[str, str, str, bytes, bytes, Mapping[str, Any], Mapping[str, Any]],
) -> tuple[EventRow, ...]:
    ref, cl_ord, outcome, checks, decision, message, told = drafted
    who = {
        "order_id": str(ids.order_id),
        "request_id": str(ids.request_id),
        "ref": ref,
        "cl_ord_id": cl_ord,
        "account_id": str(context.account_id),
        "desk_id": context.desk_id,
        "owner_id": context.actor.user_id,
        "source": context.source,
        "client_order_id": terms.client_order_id,
    }
    captured = captured_payload(ids=who, terms=message, answers=judgement.answers, checks=checks, decision=decision)
    captured |= {"instrument": told, **_seldom(terms, context)}
    if outcome == RELEASED:
        came_of_it = released_payload(
            order_id=ids.order_id,
            request_id=ids.request_id,
            account_id=context.account_id,
            desk_id=context.desk_id,
            correlation_id=ids.correlation_id,
            kind="new",
            cl_ord=cl_ord,
            message=message,
        )
    else:
        came_of_it = {**who, "sentence": judgement.sentence}
        if outcome == PENDING_AUTHORISATION:
            came_of_it["authorisation_id"] = str(ids.authorisation_id)
    stream = f"order:{ids.order_id}"
    drafts = [
        EventDraft(
            id=event_id,
            stream=stream,
            kind=kind,
            actor=context.actor.actor,
            on_behalf_of=context.actor.on_behalf_of,
            correlation_id=ids.correlation_id,
            causation_id=causation,
            event_at=context.at,
            received_at=context.at,
            business_date=listing.business_date,
            payload=payload,
            version=version,
        )
        for event_id, kind, causation, payload, version in (
            (ids.captured_event_id, "OrderCaptured", None, captured, TELLS_ALL),
            (ids.outcome_event_id, _KINDS[outcome], ids.captured_event_id, came_of_it, 1),
        )
    ]
    return chain(drafts, {stream: Head()}, recorded_at=context.at)


def _seldom(terms: OrderTerms, context: CaptureContext) -> dict[str, Any]:
    """What few orders have; left out of the event where there is nothing to say."""
    said: dict[str, Any] = {}
    if context.root_id is not None:
        said["root_id"] = str(context.root_id)
    if terms.parent_id is not None:
        said["parent_id"] = str(terms.parent_id)
    if context.replaces_id is not None:
        said["replaces"] = str(context.replaces_id)
    if terms.strategy:
        said["strategy"] = terms.strategy
    if terms.instructed_at is not None and terms.instructed_at != context.at:
        said["instructed_at"] = jsonable(terms.instructed_at)
    if terms.instructed_by:
        said["instructed_by"] = terms.instructed_by
    if terms.discretion:
        said["discretion"] = terms.discretion
    if context.actor.answered_for_by is not None:
        said["responsible_id"] = context.actor.answered_for_by
    if context.acknowledgements:
        said["acknowledgements"] = [{"code": a.code, "reason": a.reason} for a in context.acknowledgements]
    return said


def _term_columns(terms: OrderTerms) -> dict[str, Any]:
    return {
        "side": terms.side.value,
        "ord_type": terms.ord_type.value,
        "time_in_force": TimeInForce(terms.time_in_force).value,
        "order_qty": terms.order_qty,
        "price": terms.price,
        "stop_px": terms.stop_px,
        "min_qty": terms.min_qty,
        "max_floor": terms.max_floor,
        "expire_at": terms.expire_at,
        "expire_date": terms.expire_date,
        "locate_ref": terms.locate_ref,
        "capacity": terms.capacity,
        "handling": "1",
        "strategy": terms.strategy,
    }


def _text(value: Decimal | None) -> str | None:
    return plain(value) if value is not None else None
