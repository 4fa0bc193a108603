"""Ask for an entry of the restricted or watch list, or for its end. Why is kept with the entry, for compliance alone.

The request that waits for a second person carries a digest of source and reason, so that a decision binds to them without
showing them to whoever may see requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from authorisation.domain.principal import Principal
from authorisation.services.raise_request import raise_request
from kernel.canonical import payload_hash
from kernel.errors import Conflict, Invalid, NotFound
from kernel.ids import new_id
from refdata.models import Instrument
from risk.domain.rulebook.entering_marks import entered_restriction
from risk.models import Restriction
from risk.permissions import SEE_RESTRICTIONS, require_scope
from risk.rulebook.entries import END, KIND, RESTRICTION, SET
from risk.services.request_rule_change import RuleChangeAsked, require_no_other, require_reason

LIST_WORDS = {"restricted": "restricted list", "watch": "watch list"}


def request_restriction(*, actor: Principal, at: datetime, given: Mapping[str, Any]) -> RuleChangeAsked:
    """Ask for a new entry. ``subject_id`` is the instrument's id.

    Raises NotPermitted RIGHT_MISSING, Invalid RESTRICTION_INVALID by field, NotFound SCOPE_UNKNOWN; then nothing is kept.
    """
    actor.require(SEE_RESTRICTIONS, "Restrictions are for compliance alone.")
    entry = entered_restriction(given)
    name = _subject_name(entry["subject_id"])
    with transaction.atomic():
        scope = require_scope(actor, entry["scope"], entry["scope_id"])
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('risk_restriction_number')")
            number = cursor.fetchone()[0]
        moments = {
            key: datetime.fromisoformat(entry[key]) if entry[key] else None
            for key in ("effective_from", "effective_until")
        }
        row = Restriction(
            **(entry | moments), id=new_id(), reference=f"R-{number:06d}", subject_name=name, asked_at=at, version=0
        )
        row._history_date, row._change_reason = at, "asked for"
        row.save(force_insert=True)
        summary = f"{row.reference}: put {name} on the {LIST_WORDS[row.list]} for {scope} ({row.sides})"
        return _raise(actor, at, row, SET, f"{name} for {scope}", summary)


def request_restriction_end(*, actor: Principal, at: datetime, restriction_id: UUID, reason: str) -> RuleChangeAsked:
    """Ask for the end of an entry, at the moment of the second person's word.

    Raises NotPermitted RIGHT_MISSING, NotFound RESTRICTION_UNKNOWN, Conflict (RESTRICTION_ENDED, DECISION_PENDING).
    """
    actor.require(SEE_RESTRICTIONS, "Restrictions are for compliance alone.")
    require_reason(reason)
    with transaction.atomic():
        row = Restriction.objects.filter(id=restriction_id, approved_at__isnull=False).first()
        if row is None:
            raise NotFound("RESTRICTION_UNKNOWN", "There is no such restriction.")
        if row.effective_until is not None and row.effective_until <= at:
            raise Conflict("RESTRICTION_ENDED", f"{row.reference} has ended already.")
        summary = f"{row.reference}: take {row.subject_name} off the {LIST_WORDS[row.list]}"
        return _raise(actor, at, row, END, row.subject_name, summary)


def _subject_name(subject_id: str) -> str:
    try:
        instrument = Instrument.objects.filter(pk=UUID(subject_id)).first()
    except ValueError:
        instrument = None
    if instrument is None:
        sentence = "There is no such instrument."
        raise Invalid("RESTRICTION_INVALID", sentence, {"subject_id": [sentence]})
    return f"{instrument.name} ({instrument.isin})"[:120]


def _raise(actor: Principal, at: datetime, row: Restriction, action: str, name: str, summary: str) -> RuleChangeAsked:
    require_no_other(f"{RESTRICTION}:{row.id}")
    raised = raise_request(
        actor=actor,
        at=at,
        kind=KIND,
        subject_type=RESTRICTION,
        subject_id=f"{RESTRICTION}:{row.id}",
        subject_version=row.version,
        payload={
            "about": RESTRICTION,
            "action": action,
            "name": name,
            "restriction_id": str(row.id),
            "reference": row.reference,
            "list": row.list,
            "sides": row.sides,
            "sweep": row.sweep,
            "effective_from": row.effective_from.isoformat(),
            "effective_until": row.effective_until.isoformat() if row.effective_until else None,
            "why_sha256": why_digest(row),
        },
        summary=summary[:500],
    )
    return RuleChangeAsked(raised.id, f"{row.reference} waits for a second person of compliance.")


def why_digest(row: Restriction) -> str:
    """What stands for source and reason wherever others than compliance may look."""
    return payload_hash({"source": row.source, "reason": row.reason})
