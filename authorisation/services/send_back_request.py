"""Ask the maker something before one decides. Nobody decides until the maker answers, in a new version, or takes it back."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from authorisation.domain.four_eyes import is_visible, require_decidable
from authorisation.domain.principal import Principal
from authorisation.locks import lock_request_row
from authorisation.selectors import facts_of
from authorisation.services._events import record
from authorisation.services._moving import drop_claim, save_open
from journal.bulk import one_transaction
from kernel.errors import Invalid, NotFound

MAX_QUESTION = 1000


def send_back_request(
    *, actor: Principal, at: datetime, authorisation_id: UUID, question: str, payload_hash: str
) -> None:
    """Only for whoever may decide it now, about what was looked at.

    Where its policy stops the clock, the maker has the whole patience to answer, and the checkers have what was left.
    Raises as a decision does, and Invalid QUESTION_INVALID; then nothing changed.
    """
    question = question.strip()
    if not question or len(question) > MAX_QUESTION:
        sentence = f"Ask something, in at most {MAX_QUESTION} characters."
        raise Invalid("QUESTION_INVALID", sentence, {"question": [sentence]})
    with one_transaction():
        row = lock_request_row(authorisation_id)
        facts = facts_of(row)
        if not is_visible(facts, actor):
            raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
        require_decidable(facts, actor, at, payload_hash=payload_hash)

        row.send_back()

        drop_claim(row)
        row.question, row.asked_by_id, row.asked_at = question, actor.user_id, at
        if row.policy is not None and row.policy.stops_clock:
            row.paused_left_s = int((row.expires_at - at).total_seconds())
            row.expires_at = at + timedelta(seconds=row.policy.patience_s)
        save_open(row, "question", "asked_by", "asked_at", "paused_left_s", "expires_at")
        record(
            stream=f"authorisation:{row.id}",
            kind="AuthorisationSentBack",
            actor=actor,
            at=at,
            payload={"question": question, "version": row.version, "expires_at": row.expires_at},
        )
