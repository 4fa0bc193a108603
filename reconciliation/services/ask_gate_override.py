"""Ask a second person to let one account, or all, trade today though a file of the start of day is not in the books.

It is about one gate that stands, bound to the day its file is about: when the file comes, when the gate is set anew or when the
day ends, there is nothing left to approve.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.models import TradingAccount
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict, Invalid
from orders.permissions import visible_groups
from reconciliation.domain.gate_overrides import read_until, require_text
from reconciliation.locks import lock_feed
from reconciliation.models import Feed
from reconciliation.permissions import require_work
from reconciliation.selectors.gates import KIND, find_gate


def ask_gate_override(
    *,
    actor: Principal,
    at: datetime,
    feed: str,
    account: str,
    reason: str,
    evidence: str,
    until: datetime | None = None,
) -> UUID:
    """The id of the request. ``account`` by its code, empty for every account the gate concerns; ``until`` None: today.

    Raises NotPermitted RIGHT_MISSING, Invalid OVERRIDE_INVALID, Conflict GATE_OPEN or DECISION_PENDING.
    """
    require_work(actor)
    why = require_text("reason", reason, "Say why it cannot wait.")
    proof = require_text(
        "evidence", evidence, "Say what shows that the figures we have are good enough, and who said so."
    )
    if not Feed.objects.filter(pk=feed).exists():
        raise Invalid("OVERRIDE_INVALID", "There is no such feed.", {"feed": ["There is no such feed."]})
    seen = TradingAccount.objects.select_related("group").filter(group_id__in=visible_groups(actor))
    of = seen.filter(code=account).first() if account else None
    if account and of is None:
        raise Invalid(
            "OVERRIDE_INVALID", "There is no such account that you may see.", {"account": ["There is no such account."]}
        )
    with transaction.atomic():
        row = lock_feed(feed)
        end = read_until(until, at=at, zone=ZoneInfo(row.zone))
        gate = find_gate(feed=row, account=of)
        if gate is None:
            raise Conflict("GATE_OPEN", f"No gate of {row.title} keeps {account or 'the firm'} from trading.")
        subject = f"{gate.id}:{of.id if of else ''}"
        if AuthorisationRequest.objects.filter(kind=KIND, subject_id=subject, state__in=OPEN).exists():
            raise Conflict("DECISION_PENDING", "A request to open this gate waits for a second person already.")
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type="gate",
            subject_id=subject,
            subject_version=1,
            payload={
                "block_id": str(gate.id), "feed": row.code, "account_id": str(of.id) if of else "", "account": account,
                "until": end.isoformat(), "reason": why, "evidence": proof, "gate": gate.reason,
            },
            summary=f"let {account or 'every account'} trade without {row.title} until {end:%H:%M} UTC, because: {why}"[:500],
            desk_id=of.group.desk_id if of else None,
            group_id=of.group_id if of else None,
        )  # fmt: skip
    return raised.id
