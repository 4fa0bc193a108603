"""Ask a second person for the next step of a buy-in. Nothing changes before it is approved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from allocations.domain.buying_in import SUBJECT, BuyInStep, obstacle, read_step
from allocations.locks import lock_instructions
from allocations.models import SettlementInstruction
from allocations.permissions import require_work
from allocations.selectors.buy_in import failing_of
from allocations.selectors.settlement import find_instruction
from allocations.services._acting import Acted, once, require_reason
from allocations.services._on_one_instruction import NotPossible
from allocations.services.decide_post_trade_rules import KIND
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict
from kernel.numbers import plain


def ask_buy_in(
    *, actor: Principal, at: datetime, idempotency_key: str, route: str, ref: str, said: Mapping[str, Any], reason: str
) -> Acted:
    """``said`` names the step and what it needs (``domain.buying_in``).

    Raises NotPermitted RIGHT_MISSING, Invalid (BUY_IN_INVALID, REASON_INVALID), NotFound INSTRUCTION_UNKNOWN, NotPossible
    BUY_IN_REFUSED, Conflict CHANGE_PENDING; then nothing changed.
    """
    require_work(actor)
    why, found = require_reason(reason), find_instruction(actor, ref)
    step = read_step(said, currency=found.currency)

    def act() -> Acted:
        row = lock_instructions([found.id])[found.id]  # of two who ask at once one is first
        now = failing_of(row)
        refused = obstacle(step, now)
        if refused:
            raise NotPossible("BUY_IN_REFUSED", refused)
        if AuthorisationRequest.objects.filter(
            kind=KIND, subject_type=SUBJECT, subject_id=row.ref, state__in=OPEN
        ).exists():
            raise Conflict("CHANGE_PENDING", f"A step of the buy-in of {row.ref} waits for a second person already.")
        summary = f"{row.ref}: {words_of(step, row)}"
        raised = raise_request(
            actor=actor, at=at, kind=KIND, subject_type=SUBJECT, subject_id=row.ref, subject_version=row.version,
            payload={
                "ref": row.ref, "instruction_id": str(row.id), "step": step.step, "qty": plain(step.qty),
                "amount": plain(step.amount), "agent": step.agent, "reference": step.reference, "bearer": step.bearer,
                "reason": why,
            },
            summary=summary[:500], desk_id=row.allocation.block.desk_id, group_id=row.account.group_id,
        )  # fmt: skip
        return Acted(f"It waits for a second person: {summary}", raised.id)

    content = {"ref": ref, "said": {key: str(value) for key, value in said.items()}, "reason": why}
    return once(actor=actor, at=at, route=route, key=idempotency_key, content=content, act=act)


def words_of(step: BuyInStep, row: SettlementInstruction) -> str:
    """The step as a summary tells it."""
    money, borne = f"{plain(step.amount)} {row.currency}", f"({step.reference}), borne by the {step.bearer}"
    return {
        "initiate": f"buy in {plain(step.qty)} units through {step.agent}",
        "execute": f"{plain(step.qty)} units were bought in for {money} {borne}",
        "compensate": f"{money} are agreed in place of the stock {borne}",
        "withdraw": "call the buy-in off",
    }[step.step]
