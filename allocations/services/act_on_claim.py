"""A person's word about a market claim: what the other side says of it at once, its end by a second person.

Agreed and disputed are what the counterparty answered, and may be said again and again; paid needs the day and the reference of the
bank's entry, written off a reason: both are asked, and ``decide_post_trade_rules`` carries them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from allocations.domain import transitions as moves
from allocations.domain.claiming import AGREE, DISPUTE, SUBJECT, WRITE_OFF, ClaimStep, read_step
from allocations.locks import lock_claims
from allocations.models import Claim
from allocations.models.claims import OPEN
from allocations.permissions import require_work
from allocations.selectors.claims import find_claim
from allocations.services._acting import Acted, once, require_reason
from allocations.services._claims import end_claim, keep
from allocations.services._on_one_instruction import NotPossible
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN as WAITS
from authorisation.models import AuthorisationRequest
from authorisation.services.decide_request import Applied, Asking
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict
from kernel.numbers import parse_decimal, plain

KIND = "post_trade_rules"
_TARGETS = {AGREE: (moves.AGREED, "agree"), DISPUTE: (moves.DISPUTED, "dispute")}


def act_on_claim(
    *, actor: Principal, at: datetime, idempotency_key: str, route: str, ref: str, said: Mapping[str, Any], reason: str
) -> Acted:
    """``said`` names the ``step``: agree, dispute, pay (with ``paid_on`` and ``reference``), write_off.

    Raises NotPermitted RIGHT_MISSING, Invalid (CLAIM_STEP_INVALID, REASON_INVALID), NotFound CLAIM_UNKNOWN, NotPossible CLAIM_REFUSED,
    Conflict CHANGE_PENDING; then nothing changed.
    """
    require_work(actor)
    why, row = require_reason(reason), find_claim(actor, ref)
    step = str(said.get("step", ""))
    asked = None if step in _TARGETS else read_step(said, today=at.date())

    def act() -> Acted:
        if asked is None:
            return _say(actor, at, row, step, why)
        return _ask(actor, at, row, asked, why)

    content = {"ref": ref, "said": {key: str(value) for key, value in said.items()}, "reason": why}
    return once(actor=actor, at=at, route=route, key=idempotency_key, content=content, act=act)


def _say(actor: Principal, at: datetime, found: Claim, step: str, why: str) -> Acted:
    target, move = _TARGETS[step]
    row = next(one for one in lock_claims(found.action_id) if one.id == found.id)
    if row.state not in moves.sources_of(moves.CLAIM, move):
        raise NotPossible("CLAIM_REFUSED", f"{row.ref} is {row.get_state_display().lower()}.")
    row.state, row.reason = target, why
    keep(row, actor=actor, at=at)
    return Acted(f"{row.ref} is {row.get_state_display().lower()}.")


def _ask(actor: Principal, at: datetime, row: Claim, step: ClaimStep, why: str) -> Acted:
    row = next(one for one in lock_claims(row.action_id) if one.id == row.id)  # of two who ask at once one is first
    if row.state not in OPEN:
        raise NotPossible("CLAIM_REFUSED", f"{row.ref} is {row.get_state_display().lower()}.")
    if step.step == WRITE_OFF and not row.currency:
        raise NotPossible(
            "CLAIM_REFUSED", f"{row.ref} is {row.said}: shares are delivered, or bought in; money is agreed apart."
        )
    if AuthorisationRequest.objects.filter(
        kind=KIND, subject_type=SUBJECT, subject_id=row.ref, state__in=WAITS
    ).exists():
        raise Conflict("CHANGE_PENDING", f"The end of {row.ref} waits for a second person already.")
    summary = words_of(step, row)
    raised = raise_request(
        actor=actor, at=at, kind=KIND, subject_type=SUBJECT, subject_id=row.ref, subject_version=1,
        payload={
            "claim_id": str(row.id), "ref": row.ref, "step": step.step, "amount": plain(row.amount), "currency": row.currency,
            "paid_on": step.paid_on.isoformat() if step.paid_on else "", "reference": step.reference, "reason": why,
        },
        summary=summary[:500], desk_id=row.instruction.allocation.block.desk_id, group_id=row.account.group_id,
        value=abs(row.amount) if row.currency else None, currency=row.currency,
    )  # fmt: skip
    return Acted(f"It waits for a second person: {summary}", raised.id)


def words_of(step: ClaimStep, row: Claim) -> str:
    """The step as a summary tells it."""
    money = f"{row.ref}: {row.said} of {row.counterparty or 'the other side'}"
    if step.step == WRITE_OFF:
        return f"{money} written off, borne by the house"
    return f"{money} paid on {step.paid_on} by {step.reference}"


def apply_claim_step(asking: Asking) -> Applied:
    """What two people decided, unless the claim became another since it was asked."""
    told = asking.payload
    amount = parse_decimal(told["amount"])
    assert amount is not None
    return end_claim(asking, step_of(told, asking.at), amount=amount)


def step_of(told: Mapping[str, Any], at: datetime) -> ClaimStep:
    """As the request keeps it."""
    return read_step({name: told[name] for name in ("step", "paid_on", "reference")}, today=at.date())
