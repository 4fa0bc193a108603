"""Ask a second person to affirm a confirmation although it differs by more than one person may let pass.

Nothing of our books changes: settlement shows the difference, and the reason says who bears it. As broker we accept nothing: the
other side affirms.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.domain.terms import BROKER
from allocations.models import Block
from allocations.permissions import require_work
from allocations.selectors.confirming import Standing
from allocations.services._acting import Acted, hold, once, require_reason
from allocations.services.decide_post_trade_rules import KIND, MISMATCH
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict


def accept_mismatch(
    *, actor: Principal, at: datetime, idempotency_key: str, route: str, confirmation_id: UUID, reason: str
) -> Acted:
    """Ask for it, bound to the differences as they are now.

    Raises NotPermitted RIGHT_MISSING, NotFound CONFIRMATION_UNKNOWN, Invalid REASON_INVALID, Conflict (CONFIRMATION_STATE,
    BROKER_AFFIRMS_NOT, CHANGE_PENDING).
    """
    require_work(actor)
    why = require_reason(reason)

    def act() -> Acted:
        one = hold(actor, [confirmation_id])[0]
        refused = why_not_accepted(role=one.row.role, state=one.row.state, ref=one.row.ref)
        if refused is not None:
            raise refused
        if AuthorisationRequest.objects.filter(kind=KIND, subject_id=str(one.row.id), state__in=OPEN).exists():
            raise Conflict("CHANGE_PENDING", f"A request about {one.row.ref} waits for a second person already.")
        return _ask(one, actor=actor, at=at, why=why)

    content = {"confirmation": str(confirmation_id), "reason": why}
    return once(actor=actor, at=at, route=route, key=idempotency_key, content=content, act=act)


def why_not_accepted(*, role: str, state: str, ref: str) -> Conflict | None:
    """Why its differences may not be accepted; None: a second person may be asked."""
    if role == BROKER:
        return Conflict("BROKER_AFFIRMS_NOT", f"{ref} is our own confirmation: the other side affirms it.")
    if state != moves.MISMATCHED:
        return Conflict("CONFIRMATION_STATE", f"{ref} is {state}: there is no difference to accept.")
    return None


def _ask(one: Standing, *, actor: Principal, at: datetime, why: str) -> Acted:
    summary = f"Affirm {one.row.ref} of {one.line.account} although: {one.row.reason}"
    desk_id = Block.objects.values_list("desk_id", flat=True).get(pk=one.line.block_id)
    raised = raise_request(
        actor=actor, at=at, kind=KIND, subject_type=MISMATCH, subject_id=str(one.row.id), subject_version=one.row.version,
        payload={
            "confirmation": str(one.row.id), "ref": one.row.ref, "counterparty": one.row.counterparty,
            "account": one.line.account, "differences": one.row.differences, "reason": why,
        },
        summary=summary[:500], desk_id=desk_id, group_id=one.row.allocation.account.group_id, value=one.line.gross,
        currency=one.line.currency,
    )  # fmt: skip
    return Acted(f"It waits for a second person: {summary}", raised.id)
