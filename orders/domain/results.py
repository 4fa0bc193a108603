"""What the doors of this room answer: frozen results, each whole enough for a screen or an API to show without a second read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.fees import Charge
from kernel.numbers import Money
from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.checks.closeness import Closeness

RELEASED = "released"
PENDING_AUTHORISATION = "pending_authorisation"
REFUSED = "refused"
COMPLETED_LOCALLY = "completed_locally"


@dataclass(frozen=True, slots=True)
class CaptureResult:
    """Answer to a new order. ``outcome`` is released, pending_authorisation or refused; ``checks`` holds every answer.

    ``replayed`` is True when the same key had been answered before; nothing was done this time.
    """

    order_id: UUID
    ref: str
    request_id: UUID
    cl_ord_id: str
    state: str
    outcome: str
    checks: tuple[CheckAnswer, ...]
    replayed: bool = False
    authorisation_id: UUID | None = None

    @property
    def sentence(self) -> str:
        """Why it was refused or waits; empty when it was released."""
        worst = {REFUSED: Verdict.REFUSE, PENDING_AUTHORISATION: Verdict.AUTHORISE}.get(self.outcome)
        return " ".join(answer.sentence for answer in self.checks if answer.verdict is worst) if worst else ""


@dataclass(frozen=True, slots=True)
class RequestResult(CaptureResult):
    """Answer to a replace or a cancel of an order. ``outcome`` may also be completed_locally (cancel of an unsent order)."""


@dataclass(frozen=True, slots=True)
class RowResult:
    """Answer to one row of a batch: a capture result, or the code, sentence and field errors of a row that was malformed."""

    client_row_id: str
    outcome: str  # released, pending_authorisation, refused, invalid
    result: CaptureResult | None = None
    code: str = ""
    sentence: str = ""
    fields: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen if these terms were sent now. Money in the listing's currency, positions in units.

    ``charges`` are the lines of ``fees``, for the whole quantity in one day at the price it is valued at.
    ``closeness`` has every mark on usage and position that applies, the closest first.
    """

    checks: tuple[CheckAnswer, ...]
    worst: Verdict
    notional: Money | None
    notional_text: str
    fees: Money
    charges: tuple[Charge, ...]
    cash_before: Money | None
    cash_after: Money | None
    position_before: Decimal
    position_after: Decimal
    can_send: bool
    sentence: str
    closeness: tuple[Closeness, ...] = ()


@dataclass(frozen=True, slots=True)
class BoundaryAnswer:
    """Whether a released request may leave the house now; if not, the code and sentence it is refused with.

    ``is_canary``: of an account that has no session, whatever else was answered.
    ``says`` is what was released: kind, order, ClOrdID and the whole message. Nothing else may leave under its name.
    """

    allowed: bool
    code: str = ""
    sentence: str = ""
    says: tuple[str, UUID, str, Mapping[str, Any] | None] | None = None
    is_canary: bool = False


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What a batch of reports did. ``anomalies`` counts what was raised, ``unmatched`` reports that name no order of ours."""

    applied: int
    duplicates: int
    unmatched: int
    anomalies: int
    order_ids: tuple[UUID, ...] = ()


def capture_answer(result: CaptureResult) -> dict[str, Any]:
    """The result as it is kept with its idempotency key; the checks stay with the request."""
    return {
        "order_id": str(result.order_id),
        "ref": result.ref,
        "request_id": str(result.request_id),
        "cl_ord_id": result.cl_ord_id,
        "state": result.state,
        "outcome": result.outcome,
        "authorisation_id": str(result.authorisation_id) if result.authorisation_id else None,
    }
