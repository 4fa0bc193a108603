"""Put a held request before a second person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.services.raise_request import raise_request
from orders.domain.words import SIDE_WORDS
from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.checks.limits import OrderNotionalLimit

KIND = "order_request"


def summary_of(kind: str, ref: str, message: Mapping[str, Any]) -> str:
    """One line for the list: ``buy 45,000 VOD.L at 72.34 GBX for ACC-1 (O-2611-000001)``."""
    px = message.get("price") or message.get("stop_px")
    at_price = f"at {px} {message['price_unit']}" if px else "at market"
    doing = "" if kind == "new" else f"{kind} to "
    side = SIDE_WORDS[message["side"]].replace("_", " ")
    return f"{doing}{side} {message['order_qty']} {message['symbol']} {at_price} for {message['account']} ({ref})"


def hold_for_authorisation(
    *,
    actor: Principal,
    at: datetime,
    authorisation_id: UUID,
    kind: str,
    ref: str,
    request_id: UUID,
    version: int,
    desk_id: int,
    group_id: int,
    message: Mapping[str, Any],
    answers: tuple[CheckAnswer, ...],
    correlation_id: UUID,
) -> None:
    """Open the authorisation request. The decision binds to the terms: its payload is the request's whole message."""
    value = next((answer.facts for answer in answers if answer.code == OrderNotionalLimit.code), {})
    raise_request(
        actor=actor,
        at=at,
        kind=KIND,
        subject_type=KIND,
        subject_id=str(request_id),
        subject_version=version,
        payload={"request_id": str(request_id), "kind": kind, "ref": ref, "message": dict(message)},
        summary=summary_of(kind, ref, message),
        reasons=[{"code": a.code, "sentence": a.sentence} for a in answers if a.verdict is Verdict.AUTHORISE],
        desk_id=desk_id,
        group_id=group_id,
        value=value.get("notional"),
        currency=value.get("currency", ""),
        request_id=authorisation_id,
        correlation_id=correlation_id,
    )
