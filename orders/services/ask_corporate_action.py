"""Ask a second person to let a corporate action be applied on its ex date, or to take back one that was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict, Invalid
from kernel.numbers import plain
from orders.selectors.actions import preview_action
from refdata.as_at import terms_of
from refdata.domain.action_terms import terms_to_json
from refdata.domain.action_transitions import CHECKED
from refdata.locks import lock_action
from refdata.models import CorporateAction
from refdata.permissions import ASK_STATIC_DATA
from refdata.services.move_action import move_action, require_move

KIND = "corporate_action"
APPLY, UNDO = "apply", "undo"
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class ActionAsked:
    """The question that now waits for a second person."""

    authorisation_id: UUID
    sentence: str


def ask_corporate_action(*, actor: Principal, at: datetime, action_id: UUID, decision: str, reason: str) -> ActionAsked:
    """Raise it; the decision binds to the version and to what the dry run of now comes to.

    Raises NotPermitted RIGHT_MISSING, NotFound ACTION_UNKNOWN, Invalid REASON_INVALID, Conflict ACTION_STATE or
    DECISION_PENDING; then nothing is kept.
    """
    actor.require(ASK_STATIC_DATA, "Your role may not ask for corporate actions.")
    if not reason.strip() or len(reason) > MAX_REASON or decision not in (APPLY, UNDO):
        sentence = f"Say why, in at most {MAX_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    with transaction.atomic():
        action = lock_action(action_id)
        _require_free(action)
        if decision == APPLY and action.state == CHECKED:  # the question of before lapsed or was withdrawn
            move_action(action=action, move="send_back", actor=actor, at=at, payload={"why": "asked again"})
        require_move(action, "check" if decision == APPLY else "take_back")
        terms = terms_of(action)
        preview = preview_action(actor, action_id, at=at)
        accounts = len(preview.accounts) + preview.hidden_accounts
        orders = len(preview.orders) + preview.hidden_orders
        verb = "Apply" if decision == APPLY else "Take back"
        summary = f"{verb} {action.listing.symbol}: {terms.sentence}; {accounts} accounts, {orders} open orders"
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type=KIND,
            subject_id=str(action.id),
            subject_version=action.version,
            payload={
                "decision": decision,
                "action_id": str(action.id),
                "version": action.version,
                "terms": terms_to_json(terms),
                "accounts": accounts,
                "orders": orders,
                "units": plain(preview.units),
                "cash": plain(preview.cash),
                "reason": reason.strip(),
            },
            summary=summary,
        )
        action.authorisation_id = raised.id
        if decision == APPLY:
            move_action(action=action, move="check", actor=actor, at=at, payload={"authorisation_id": str(raised.id)})
        else:
            action.save(update_fields=["authorisation_id"])
    return ActionAsked(raised.id, f"{summary}. It waits for a second person.")


def _require_free(action: CorporateAction) -> None:
    if AuthorisationRequest.objects.filter(kind=KIND, subject_id=str(action.id), state__in=OPEN).exists():
        raise Conflict("DECISION_PENDING", "A decision about this waits for a second person already.")
