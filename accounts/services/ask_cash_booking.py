"""Ask a second person to bring cash into an account by hand: money that arrived and that no file has told of yet."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.permissions import require_withdrawal_asker
from accounts.selectors import get_account
from accounts.services.ask_withdrawal import require_cash_shape
from authorisation.domain.principal import Principal
from authorisation.services.raise_request import raise_request
from journal.services.claim_key import claim_key
from journal.services.store_answer import store_answer
from kernel.canonical import payload_hash
from kernel.numbers import plain

KIND = "cash_booking"
ROUTE = "cash-booking"


def ask_cash_booking(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    account_id: UUID,
    currency: str,
    amount: Decimal,
    purpose: str,
) -> UUID:
    """The id of the authorisation request. ``purpose`` says where the money came from. Nothing moves before it is approved.

    Raises NotPermitted RIGHT_MISSING, NotFound ACCOUNT_UNKNOWN, Invalid CASH_INVALID, Conflict (the key was used with other
    content); then nothing changed.
    """
    require_withdrawal_asker(actor)
    account = get_account(actor, account_id)
    purpose = purpose.strip()
    require_cash_shape("CASH_INVALID", currency, amount, purpose)
    asked = {"account_id": str(account.id), "currency": currency, "amount": plain(amount), "purpose": purpose}
    owner, digest = f"user:{actor.user_id}", payload_hash(asked)
    with transaction.atomic():
        stored = claim_key(principal=owner, route=ROUTE, key=idempotency_key, payload_hash=digest)
        if stored is not None:
            return UUID(stored.answer["authorisation_id"])
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type="account",
            subject_id=str(account.id),
            subject_version=1,
            payload={**asked, "account": account.code},
            summary=f"book {amount:,f} {currency} into {account.code}: {purpose}",
            desk_id=account.desk_id,
            group_id=account.group_id,
            value=amount,
            currency=currency,
        )
        store_answer(
            principal=owner, route=ROUTE, key=idempotency_key, payload_hash=digest, status=202,
            answer={"authorisation_id": str(raised.id)}, at=at,
        )  # fmt: skip
        return raised.id
