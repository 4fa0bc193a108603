"""A person affirms what both sides say alike, or what was agreed by telephone where no message travels.

Only the side that did not confirm affirms: as broker we wait for the other side's word. What differs beyond the tolerances is not
affirmed here (``accept_mismatch`` asks a second person).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.domain.terms import BROKER, FIX
from allocations.models import CounterpartyRecord
from allocations.permissions import require_work
from allocations.selectors.confirming import Standing, terms_of, theirs_of
from allocations.services._acting import Acted, hold, named, once, require_reason
from allocations.services._confirm_watch import watch_blocks
from allocations.services._confirming import Step, carry_out
from allocations.services.match_confirmations import tell_affirmed
from authorisation.domain.principal import Principal
from kernel.errors import Conflict


def affirm_confirmation(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    route: str,
    confirmation_ids: Sequence[UUID],
    reason: str = "",
) -> Acted:
    """Affirm them all or none; ``reason`` is needed where no record of theirs matched: with whom it was agreed, and how.

    Raises NotPermitted RIGHT_MISSING, NotFound CONFIRMATION_UNKNOWN, Invalid, Conflict (BROKER_AFFIRMS_NOT, CONFIRMATION_STATE,
    CONFIRMATION_DIFFERS).
    """
    require_work(actor)
    ids = sorted(set(confirmation_ids))

    def act() -> Acted:
        items = hold(actor, ids)
        for one in items:
            require_affirmable(one)
        unsaid = [one for one in items if one.row.state != moves.MATCHED]
        why = require_reason(reason) if unsaid else reason.strip()
        carry_out(
            [Step(one, "send", reason=why) for one in unsaid if one.row.state == moves.WAITING], actor=actor, at=at
        )
        carry_out([Step(one, "affirm", reason=why) for one in items], actor=actor, at=at)
        tell_theirs(items, at=at)
        watch_blocks({one.line.block_id for one in items}, at=at)
        return Acted(f"{named(items)} affirmed.")

    content = {"confirmations": [str(one) for one in ids], "reason": reason}
    return once(actor=actor, at=at, route=route, key=idempotency_key, content=content, act=act)


def require_affirmable(one: Standing) -> None:
    """Raise Conflict with why not, as a page shows it beside the button."""
    why = why_not_affirmed(role=one.row.role, state=one.row.state, channel=one.row.channel, ref=one.row.ref)
    if why is not None:
        raise why


def why_not_affirmed(*, role: str, state: str, channel: str, ref: str) -> Conflict | None:
    """Why one person may not affirm it; None: may."""
    if role == BROKER:
        return Conflict("BROKER_AFFIRMS_NOT", f"{ref} is our own confirmation: the other side affirms it.")
    if state == moves.MISMATCHED:
        return Conflict(
            "CONFIRMATION_DIFFERS", f"{ref} differs by more than is allowed: accept the difference instead."
        )
    if state == moves.MATCHED or (channel != FIX and state in (moves.WAITING, moves.SENT)):
        return None
    if state in (moves.WAITING, moves.SENT):
        return Conflict("CONFIRMATION_STATE", f"{ref} waits for the counterparty's confirmation.")
    return Conflict("CONFIRMATION_STATE", f"{ref} is {state}: there is nothing to affirm.")


def tell_theirs(items: Sequence[Standing], *, at: datetime) -> None:
    """Answer the counterparty's confirmations of these with our word."""
    by_id = {one.row.id: one for one in items}
    said: dict[UUID, list[CounterpartyRecord]] = {pk: [] for pk in by_id}
    paired = CounterpartyRecord.objects.filter(confirmation_id__in=by_id, state=CounterpartyRecord.State.PAIRED)
    for record in paired.order_by("id"):
        if record.confirmation_id is not None:
            said[record.confirmation_id].append(record)
    terms = terms_of({one.row.counterparty for one in items})
    for party, agreed in sorted(terms.items()):
        chosen = [one for one in items if one.row.counterparty == party]
        tell_affirmed(agreed, [(one, [theirs_of(row) for row in said[one.row.id]]) for one in chosen], at=at)
