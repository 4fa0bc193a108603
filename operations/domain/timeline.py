"""One line of an order's timeline out of one journal event: glyph, family and a sentence. Unknown kinds still get a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from kernel.fix import ORD_STATUS_NAMES, OrdStatus
from kernel.numbers import plain


@dataclass(frozen=True, slots=True)
class Line:
    """``code`` names the glyph, ``family`` the tint, ``group`` the filter: business, messages, human or system."""

    code: str
    family: str
    group: str
    text: str


_LINES: dict[str, tuple[str, str, str, str]] = {
    "OrderCaptured": ("neutral", "neutral", "human", "Order captured"),
    "OrderRefused": ("refused", "refused", "business", "Refused by our checks"),
    "OrderHeld": ("queued", "waiting", "business", "Queued for a second person"),
    "OrderReleased": ("pass", "done", "business", "Released for sending"),
    "ReplaceCaptured": ("neutral", "neutral", "human", "Amend asked for"),
    "ReplaceRefused": ("refused", "refused", "business", "Amend refused by our checks"),
    "ReplaceHeld": ("queued", "waiting", "business", "Amend queued for a second person"),
    "ReplaceReleased": ("pass", "done", "business", "Amend released for sending"),
    "ReplaceStaged": ("pass", "done", "business", "Cancel, wait for proof, then enter anew"),
    "ReplaceEnteredAnew": ("pass", "done", "business", "Canceled, and the rest entered as a new order"),
    "CancelCaptured": ("neutral", "neutral", "human", "Cancel asked for"),
    "CancelReleased": ("pass", "done", "business", "Cancel released for sending"),
    "RequestDeclined": ("refused", "refused", "human", "Declined by a second person"),
    "RequestLapsed": ("ended", "ended", "system", "Approval time ran out"),
    "RequestWithdrawn": ("ended", "ended", "human", "Withdrawn"),
    "OrderRouted": ("sent", "waiting", "system", "Routed"),
    "OrderReowned": ("person", "neutral", "human", "Given to another dealer"),
    "RequestHandedOver": ("sent", "waiting", "messages", "Handed to the FIX engine"),
    "RequestNotSent": ("refused", "refused", "system", "Not sent"),
    "RequestUnknown": ("unknown", "unknown", "system", "Fate unknown: the venue is asked"),
    "ReportApplied": ("working", "working", "messages", "Venue report"),
    "ExecutionRecorded": ("partial", "working", "business", "Fill"),
    "ExecutionCorrected": ("warn", "waiting", "business", "Fill corrected by the venue"),
    "ExecutionBusted": ("refused", "refused", "business", "Fill withdrawn by the venue"),
    "TradingDayTurned": ("working", "working", "system", "A new trading day"),
    "ExcessMoved": ("warn", "waiting", "business", "Moved in or out of suspense"),
    "ExcessAccepted": ("pass", "done", "human", "Excess accepted"),
    "TradesDisowned": ("refused", "refused", "human", "Answered DK to the venue"),
    "RequestAccepted": ("pass", "done", "business", "Accepted by the venue"),
    "RequestRejected": ("refused", "refused", "business", "Rejected by the venue"),
    "AnomalyRaised": ("unknown", "unknown", "system", "Something a person must look at"),
    "AnomalyCleared": ("pass", "done", "system", "Settled"),
}


def figure(value: Any) -> str:
    """A decimal with thousands separators; anything else as it is."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    whole, _, fraction = plain(number).partition(".")
    return f"{int(whole):,}" + (f".{fraction}" if fraction else "")


def status_word(code: Any) -> str:
    """Name of an OrdStatus code as people read it."""
    try:
        name = ORD_STATUS_NAMES[OrdStatus(str(code))]
    except ValueError:
        return str(code)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def _first(payload: Mapping[str, Any], *names: str) -> Any:
    nested = [payload, *(value for value in payload.values() if isinstance(value, Mapping))]
    for name in names:
        for place in nested:
            if place.get(name) not in (None, ""):
                return place[name]
    return None


_QTY = ("stated_qty", "effective_qty", "last_qty", "qty")
_PX = ("stated_px", "effective_px", "last_px", "px")
"""What a venue says since a split counts for a reader before what is booked."""


def _trade(payload: Mapping[str, Any]) -> str:
    qty, px = _first(payload, *_QTY), _first(payload, *_PX)
    exec_id = _first(payload, "exec_id")
    text = f"{figure(qty)} @ {figure(px)}" if qty is not None and px is not None else ""
    return f"{text} · ExecID {exec_id}" if exec_id else text


def _report(payload: Mapping[str, Any]) -> str:
    before, after = payload.get("ord_status_before"), payload.get("ord_status")
    words = []
    if after is not None:
        words.append(status_word(after) if before in (None, after) else f"{status_word(before)} → {status_word(after)}")
    cum, leaves = _first(payload, "cum_qty"), _first(payload, "leaves_qty")
    if cum is not None and leaves is not None:
        words.append(f"filled {figure(cum)}, leaves {figure(leaves)}")
    text = _first(payload, "text")
    return " · ".join([*words, str(text)] if text else words)


def _terms(payload: Mapping[str, Any]) -> str:
    qty, price = _first(payload, "order_qty"), _first(payload, "price")
    if qty is None and price is None:
        return ""
    return " ".join(
        part
        for part in (figure(qty) if qty is not None else "", f"@ {figure(price)}" if price is not None else "")
        if part
    )


def _sentence(payload: Mapping[str, Any]) -> str:
    return str(_first(payload, "sentence", "reason", "text") or "")


def _named(payload: Mapping[str, Any]) -> str:
    return str(_first(payload, "cl_ord_id") or "")


def _routed(payload: Mapping[str, Any]) -> str:
    return f"to session group {_first(payload, 'session_group')}" if _first(payload, "session_group") else ""


_DETAILS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "OrderCaptured": _terms,
    "ReplaceCaptured": _terms,
    "OrderRouted": _routed,
    "OrderReowned": lambda payload: f"{payload['owner_before']} → {payload['owner']} · {payload['reason']}",
    "RequestHandedOver": _named,
    "ReportApplied": _report,
    "TradingDayTurned": _report,
    "ExecutionRecorded": _trade,
    "ExecutionCorrected": _trade,
    "ExecutionBusted": _trade,
    "RequestAccepted": _named,
    "OrderReleased": _named,
    "ReplaceReleased": _named,
    "CancelReleased": _named,
    "AuthorisationRaised": lambda payload: str(payload.get("summary") or payload.get("kind") or ""),
    "AuthorisationDecided": lambda payload: _said(payload, "verdict", "not_applied_because", "reason_code", "reason"),
    "RoleJoined": lambda payload: _said(payload, "role"),
    "RoleLeft": lambda payload: _said(payload, "role"),
    "RoleRightsSet": lambda payload: ", ".join(map(str, payload.get("rights", ()))),
    "AccessGranted": lambda payload: f"{payload.get('right')} on {', '.join(map(str, payload.get('objects', ())))}",
    "AccessRevoked": lambda payload: f"{payload.get('right')} on {', '.join(map(str, payload.get('objects', ())))}",
    "AuditSearched": lambda payload: _said(payload, "names", "search", "kind", "actor", "since", "until"),
    "TimelineOpened": lambda payload: _said(payload, "title"),
    "EvidenceTaken": lambda payload: _said(payload, "title", "form", "sha256"),
    "RecordsExported": lambda payload: _said(payload, "what", "form", "rows", "rows_sha256"),
    "KillSwitchEngaged": lambda payload: _said(payload, "name", "reason"),
    "LimitChanged": lambda payload: _said(payload, "name", "kind", "scope", "hard", "reason"),
}


def _said(payload: Mapping[str, Any], *names: str) -> str:
    """The values of these, where there are any, parted by dots."""
    return " · ".join(str(payload[name]) for name in names if payload.get(name) not in (None, ""))


def describe(kind: str, payload: Mapping[str, Any]) -> Line:
    """The line of one event."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind)
    code, family, group, text = _LINES.get(kind, ("neutral", "neutral", "system", words.capitalize()))
    detail = _DETAILS.get(kind, _sentence)(payload)
    return Line(code, family, group, f"{text}: {detail}" if detail else text)
