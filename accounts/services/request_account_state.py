"""Ask a second person for another state of an account: frozen, reduce only, closed, or active again.

What must stop at once is stopped by a block or the kill switch, by one person; this is what the account is from then on.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.locks import lock_account
from accounts.models import TradingAccount
from accounts.permissions import require_state_asker
from accounts.selectors import get_account
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict, Invalid

KIND = "account_state"
MAX_REASON = 500


def request_account_state(*, actor: Principal, at: datetime, account_id: UUID, state: str, reason: str) -> UUID:
    """The id of the authorisation request, bound to the account's version of now.

    Raises NotPermitted RIGHT_MISSING, NotFound ACCOUNT_UNKNOWN, Invalid STATE_INVALID or REASON_INVALID, Conflict
    ACCOUNT_CLOSED, DECISION_PENDING or STATE_STANDS; then nothing is kept.
    """
    require_state_asker(actor)
    seen = get_account(actor, account_id)
    if state not in TradingAccount.State.values:
        raise Invalid("STATE_INVALID", "Choose a state.", {"state": ["Choose a state."]})
    if not reason.strip() or len(reason) > MAX_REASON:
        sentence = f"Say why, in at most {MAX_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    with transaction.atomic():
        account = lock_account(seen.id)
        if account.state == TradingAccount.State.CLOSED:
            raise Conflict("ACCOUNT_CLOSED", f"Account {account.code} is closed; open another one.")
        if account.state == state:
            raise Conflict("STATE_STANDS", f"Account {account.code} is {state} already.")
        if AuthorisationRequest.objects.filter(kind=KIND, subject_id=str(account.id), state__in=OPEN).exists():
            raise Conflict("DECISION_PENDING", "A change of this account waits for a second person already.")
        words = TradingAccount.State(state).label.lower()
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type="account",
            subject_id=str(account.id),
            subject_version=account.version,
            payload={"account": account.code, "account_id": str(account.id), "state": state, "reason": reason.strip()},
            summary=f"make account {account.code} {words}, because: {reason.strip()}"[:500],
            desk_id=seen.desk_id,
            group_id=seen.group_id,
        )
    return raised.id
