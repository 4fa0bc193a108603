"""Put a held request before a second person."""

from __future__ import annotations

from datetime import timedelta

from authorisation.models import AuthorisationRequest
from kernel.canonical import payload_hash
from kernel.numbers import plain
from orders.domain.drafting import CaptureDraft
from orders.domain.words import SIDE_WORDS
from orders.locks import AccountRow
from orders.services._capturing import Submission
from risk.domain.answers import Verdict
from risk.domain.facts import Facts

PATIENCE = timedelta(minutes=30)


def hold_for_authorisation(draft: CaptureDraft, submission: Submission, account: AccountRow, facts: Facts) -> None:
    """Open the authorisation request of a held new order."""
    terms = submission.terms
    at_price = f" at {plain(terms.price)} {facts.listing.price_unit}" if terms.price is not None else " at market"
    payload = {"request_id": str(draft.result.request_id), "ref": draft.result.ref}
    AuthorisationRequest.objects.create(
        id=draft.result.authorisation_id,
        kind="order_request",
        subject_type="order_request",
        subject_id=str(draft.result.request_id),
        subject_version=1,
        desk_id=account.desk_id,
        payload=payload,
        payload_hash=payload_hash(payload),
        summary=f"{SIDE_WORDS[terms.side]} {plain(terms.order_qty)} {facts.listing.symbol}{at_price} for {account.code}",
        reasons=[
            {"code": answer.code, "sentence": answer.sentence}
            for answer in draft.result.checks
            if answer.verdict is Verdict.AUTHORISE
        ],
        maker_id=submission.actor.user_id,
        created_at=submission.at,
        expires_at=submission.at + PATIENCE,
    )
