"""A person says that records of one side are records of the other: one to many, of the same keys, with the reason.

Within the tolerance one person closes them; beyond it a second one must say so too. What they add up to is never reason
enough: account, instrument or currency, side and source must be the same, and the reason is kept with every break.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import Conflict, Invalid
from kernel.numbers import plain
from reconciliation.domain.repairs import Matched, Repair, match
from reconciliation.locks import lock_breaks
from reconciliation.models import Break
from reconciliation.permissions import require_work
from reconciliation.selectors.repairs import facts_of, find_breaks, pending_request
from reconciliation.selectors.rules import get_rules
from reconciliation.services._closing import close_break
from reconciliation.services._repairing import Asked, once, raise_repair, require_reason

MOST = 200


def match_by_hand(
    *, actor: Principal, at: datetime, idempotency_key: str, route: str, break_ids: Sequence[UUID], reason: str
) -> Asked:
    """Match them. ``authorisation_id`` None: they are closed; else a second person is asked.

    Raises NotPermitted, NotFound BREAK_UNKNOWN, Invalid (REASON_INVALID, MATCH_TOO_MANY), Conflict (MATCH_ONE_SIDED,
    MATCH_KEYS_DIFFER, MATCH_TAKEN, REPAIR_PENDING).
    """
    require_work(actor)
    said, ids = require_reason(reason), sorted(set(break_ids))
    if len(ids) > MOST:
        raise Invalid("MATCH_TOO_MANY", f"At most {MOST} records at once.")
    find_breaks(actor, ids)

    def question() -> Asked:
        items = lock_breaks(ids)
        found = match([facts_of(item) for item in items])
        waiting = [item.ref for item in items if pending_request(item.id) is not None]
        if waiting:
            raise Conflict("REPAIR_PENDING", f"A request about {', '.join(waiting)} waits for a second person already.")
        refs = ", ".join(item.ref for item in items)
        if within(items[0], found):
            close_matched(items, reason=said, request_id=None, actor=actor.actor, at=at)
            return Asked(None, f"{refs} are matched.")
        details = {"breaks": [str(item.id) for item in items], "refs": refs, **differs(found)}
        summary = f"match {refs}, which differ by {plain(found.qty)} units and {plain(found.value)} {found.currency}"
        return raise_repair(
            items[0], actor=actor, at=at, repair=Repair.MATCH.value, reason=said, details=details, summary=summary
        )

    content = {"breaks": [str(one) for one in ids], "reason": said}
    return once(actor=actor, at=at, route=route, key=idempotency_key, content=content, question=question)


def differs(found: Matched) -> dict[str, str]:
    """The difference as it is kept with a request."""
    return {name: value if isinstance(value, str) else plain(value) for name, value in asdict(found).items()}


def within(item: Break, found: Matched) -> bool:
    """Whether one person's word is enough."""
    rules = get_rules(kind=item.kind, source=item.source)
    return abs(found.qty) <= rules.of("qty") and abs(found.value) <= rules.of("amount", found.currency)


def close_matched(
    items: Sequence[Break], *, reason: str, request_id: UUID | None, actor: str, at: datetime, on_behalf_of: str = ""
) -> None:
    """Every one of them, naming the others and the reason; they are locked."""
    refs = ", ".join(item.ref for item in items)
    for item in items:
        close_break(
            item, closed_as=Break.ClosedAs.MATCHED, sentence=f"Matched by hand ({refs}): {reason}", request_id=request_id,
            actor=actor, on_behalf_of=on_behalf_of, at=at,
        )  # fmt: skip
