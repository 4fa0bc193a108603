"""A second person signs a run off: takes note of what it left open, in words of their own, once and for good.

The event keeps the statement, what was open by category and currency, and the digest of exactly that, so that a later
report can show what was known. Nothing about a break changes: a signed run leaves its breaks as open as they were.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.four_eyes import people_behind
from authorisation.domain.principal import Principal
from authorisation.domain.stepping_up import require_confirmed
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.canonical import jsonable
from kernel.ids import new_id
from reconciliation.domain.sign_off import refusal, require_statement
from reconciliation.locks import lock_run
from reconciliation.models import Run
from reconciliation.permissions import require_decide
from reconciliation.selectors.signing import open_statement, sign_off_facts

RUN_SIGNED_OFF = "RunSignedOff"


def sign_run_off(*, actor: Principal, at: datetime, run_id: UUID, statement: str, digest: str) -> Run:
    """``digest`` is of the open statement that was read (``selectors.signing``). Raises NotPermitted RIGHT_MISSING,
    STEP_UP_NEEDED, SIGNED_BY_STARTER, SIGNED_BY_HAND or RUN_NOT_ALL_SEEN, NotFound RUN_UNKNOWN, Conflict RUN_NOT_ENDED,
    RUN_SIGNED or RUN_CHANGED, Invalid STATEMENT_INVALID; then nothing changed."""
    require_decide(actor)
    require_confirmed(actor)
    with transaction.atomic():
        run = lock_run(run_id)
        left_open = open_statement(run)
        facts = sign_off_facts(run, actor, statement=left_open)
        refused = refusal(facts, people_behind(actor))
        if refused is not None:
            raise refused
        require_statement(facts, statement=statement, digest=digest)
        run.signed_by, run.signed_at, run.sign_off = actor.actor, at, statement.strip()
        run.save(update_fields=["signed_by", "signed_at", "sign_off"])
        payload = {
            "run_id": run.pk,
            "statement": run.sign_off,
            "open": left_open.count,
            "accepted": left_open.accepted,
            "by_category": left_open.by_category,
            "exposure": left_open.exposure,
            "digest": left_open.digest,
        }
        append_to_stream(drafts=[_event(run, actor, at, payload)], at=at)
    return run


def _event(run: Run, actor: Principal, at: datetime, payload: dict[str, object]) -> EventDraft:
    return EventDraft(
        id=new_id(),
        stream=f"run:{run.pk}",
        kind=RUN_SIGNED_OFF,
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=run.pk,
        event_at=at,
        received_at=at,
        business_date=run.as_of,
        payload=jsonable(payload),
    )
