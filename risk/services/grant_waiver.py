"""Let a gate of the start of day pass one account, or all, until a time: for the service that applies two people's word alone.

Nothing but such a gate can be opened so: a kill switch, a breaker or a break stands however many people agree. The table's trigger
holds the same, and that the request was approved about this block and account.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Invalid, NotFound
from kernel.ids import new_id
from risk.domain.stops import is_openable
from risk.locks import lock_blocks, lock_waivers_of
from risk.models import Waiver
from risk.permissions import IMPOSE_BLOCK, require_right
from risk.services._events import record
from risk.services.end_waiver import end


def grant_waiver(
    *, actor: Principal, at: datetime, scope: str, scope_id: str, source: str, account_id: str, until: datetime,
    reason: str, request_id: UUID,
) -> Waiver:  # fmt: skip
    """The word as it stands; one that stood for the same account ends with it.

    Raises NotPermitted RIGHT_MISSING, Invalid BLOCK_INVALID, NotFound BLOCK_UNKNOWN when the gate does not stand.
    """
    require_right(actor, IMPOSE_BLOCK, "Your role may not open a gate.")
    if not actor.is_process or not is_openable(source) or until <= at or not reason.strip():
        raise Invalid(
            "BLOCK_INVALID",
            "Only a gate of the start of day is opened, by our own process, with a reason, for a while.",
        )
    with transaction.atomic():
        block = lock_blocks(scope=scope, scope_id=scope_id, source=source)
        if block is None:
            raise NotFound("BLOCK_UNKNOWN", "That gate does not stand.", {"scope": scope, "source": source})
        for standing in lock_waivers_of(block.id):
            if standing.account_id == account_id:
                end(standing, actor=actor, at=at, reason="Another word took its place.")
        waiver = Waiver.objects.create(
            id=new_id(), block=block, account_id=account_id, until=until, reason=reason, request_id=request_id,
            granted_by=actor.on_behalf_of or actor.actor, granted_at=at,
        )  # fmt: skip
        payload = {
            "waiver_id": str(waiver.id), "block_id": str(block.id), "scope": scope, "scope_id": scope_id, "source": source,
            "account_id": account_id, "until": until.isoformat(), "reason": reason, "authorisation_id": str(request_id),
        }  # fmt: skip
        record(stream=f"risk:{scope}:{scope_id}", kind="WaiverGranted", actor=actor, at=at, payload=payload)
    return waiver
