"""What one more report changed, as values the services act on. Nothing here is a command."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from orders.domain.facts import OrderFacts
from orders.domain.report import Report


@dataclass(frozen=True, slots=True)
class ExecutionChange:
    """An execution is new or worth something else than before.

    ``kind``: trade (first report of it; before is zero), correct, bust, or restate (stated anew for a split, or known to be
    a resend of another). Quantities in units of the day of the trade, prices in the price unit of the instrument. ``stated``
    is what the venue says since a split, None where that is the same. ``report`` is the report whose arrival caused the change.
    """

    identity: str
    exec_id: str
    exec_ref_id: str
    kind: str
    effective_qty_before: Decimal
    effective_px_before: Decimal
    effective_qty: Decimal
    effective_px: Decimal
    report: Report
    stated: tuple[Decimal, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """The venue has accepted or rejected a request of ours (``outcome``); a later word may change an answer."""

    cl_ord_id: str
    outcome: str
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class AnomalyFound:
    """Something a person must see. ``dedupe_key`` is unique within the order and stable under replay."""

    kind: str
    severity: str
    sentence: str
    evidence: str
    dedupe_key: str


@dataclass(frozen=True, slots=True)
class AnomalyGone:
    """An anomaly of before that the facts no longer show, as when a parked bust has met its trade."""

    kind: str
    dedupe_key: str


Change = ExecutionChange | RequestAnswered | AnomalyFound | AnomalyGone


@dataclass(frozen=True, slots=True)
class Folded:
    """The facts after a report and what it changed. ``duplicate`` reports change nothing and are safe to forget."""

    facts: OrderFacts
    changes: tuple[Change, ...]
    duplicate: bool = False
