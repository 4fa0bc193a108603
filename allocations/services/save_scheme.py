"""Save the next version of a scheme: what a second person has approved, or the house's first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max

from allocations.models import Scheme, WashAccount
from authorisation.domain.principal import Principal
from authorisation.models import Desk
from authorisation.services.decide_request import NotApplied
from journal.domain.chain import EventDraft
from journal.locks import lock_heads
from journal.services.append_to_stream import append_to_stream
from kernel.errors import InvariantBroken
from kernel.ids import new_id


def save_scheme(
    *,
    actor: Principal,
    at: datetime,
    body: Mapping[str, Any],
    request_id: UUID | None,
    version: int | None = None,
    told: Mapping[str, Any] | None = None,
) -> Scheme:
    """The next version, in the caller's transaction. ``version`` is the one it follows; raises NotApplied where it does not. ``told``: who
    asked and why, for the event.

    Without a request only our own processes save: raises InvariantBroken SECOND_PERSON_MISSING.
    """
    if request_id is None and not actor.is_process:
        raise InvariantBroken("SECOND_PERSON_MISSING", "A scheme is saved by a request that another person decides.")
    stream = f"allocation-scheme:{body['code']}"
    lock_heads([stream])
    last = Scheme.objects.filter(code=body["code"]).aggregate(last=Max("version"))["last"] or 0
    if version is not None and version != last:
        raise NotApplied(f"Scheme {body['code']} has changed since this was asked.")
    wash = WashAccount.objects.filter(account__code=body["wash_account"]).first() if body["wash_account"] else None
    event_id = new_id()
    payload = {**body, "version": last + 1, "authorisation_id": str(request_id) if request_id else None, **(told or {})}
    draft = EventDraft(
        id=event_id, stream=stream, kind="SchemeSaved", actor=actor.actor, on_behalf_of=actor.on_behalf_of,
        correlation_id=request_id or event_id, event_at=at, received_at=at, business_date=at.date(), payload=payload,
    )  # fmt: skip
    append_to_stream(drafts=[draft], at=at)
    return Scheme.objects.create(
        code=body["code"], version=last + 1, name=body["name"], desk=Desk.objects.filter(code=body["desk"]).first(),
        method=body["method"], lines=body["lines"], parameters=body["parameters"], wash_account=wash,
        strategy=body["strategy"], books_alone=body["books_alone"], ended=body["ended"], request_id=request_id,
        event_id=event_id, recorded_at=at,
    )  # fmt: skip
