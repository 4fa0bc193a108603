"""Ask a second person for where an account's trades settle from a date on. Nothing changes before it is approved."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.selectors import get_account
from allocations.domain.standing import StandingTerms, require_terms
from allocations.permissions import require_work
from allocations.selectors.standing import newest_version
from authorisation.domain.principal import Principal
from authorisation.services.raise_request import raise_request
from journal.services.claim_key import claim_key
from journal.services.store_answer import store_answer
from kernel.canonical import payload_hash
from kernel.errors import Invalid

KIND = "standing_instruction"
ROUTE = "standing-instruction"
REASON_LENGTH = 400


def ask_standing_instruction(
    *, actor: Principal, at: datetime, idempotency_key: str, account_id: UUID, terms: StandingTerms, reason: str
) -> UUID:
    """The id of the authorisation request.

    Raises NotPermitted RIGHT_MISSING, NotFound ACCOUNT_UNKNOWN, Invalid SSI_INVALID or REASON_MISSING, Conflict (the key was used
    with other content); then nothing changed.
    """
    require_work(actor)
    account = get_account(actor, account_id)
    require_terms(terms)
    reason = reason.strip()
    if not reason or len(reason) > REASON_LENGTH:
        raise Invalid("REASON_MISSING", f"Say why, in at most {REASON_LENGTH} characters.")
    asked = {"account_id": str(account.id), "account": account.code, "terms": terms.to_json(), "reason": reason}
    owner, digest = f"user:{actor.user_id}", payload_hash(asked)
    with transaction.atomic():
        stored = claim_key(principal=owner, route=ROUTE, key=idempotency_key, payload_hash=digest)
        if stored is not None:
            return UUID(stored.answer["authorisation_id"])
        version = newest_version(account.id, terms.mic, terms.currency)
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type="standing_instruction",
            subject_id=f"{account.id}:{terms.mic}:{terms.currency}",
            subject_version=version,
            payload=asked,
            summary=_summary(account.code, terms),
            desk_id=account.desk_id,
            group_id=account.group_id,
        )
        store_answer(
            principal=owner, route=ROUTE, key=idempotency_key, payload_hash=digest, status=202,
            answer={"authorisation_id": str(raised.id)}, at=at,
        )  # fmt: skip
        return raised.id


def _summary(code: str, terms: StandingTerms) -> str:
    where = f"{terms.mic or 'any market'} in {terms.currency}"
    if terms.ended:
        return f"{code}: no standing instruction for {where} from {terms.effective_from} on"
    return f"{code} settles {where} at {terms.agent}, {terms.safekeeping_account}, from {terms.effective_from} on"
