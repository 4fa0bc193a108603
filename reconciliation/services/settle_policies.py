"""Let every open break stop what its policy says and nothing more, tell what stands open too long: after a run, and by time.

A transaction for some hundred breaks, and one for each that ends an order: a crash leaves some settled and others not, and the
sweeper goes on where it was. Said twice nothing changes. What a doubted run found stops nothing. Cancels go through the
orders' normal door, for orders that the venue's own record is about, and are told as something to look at afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from journal.bulk import update_rows
from journal.domain.records import Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft, raise_anomaly
from journal.services.set_anomalies import set_anomalies
from kernel.crash_points import crash_point
from kernel.errors import Conflict
from orders.models import Order
from orders.services.cancel_order import cancel_order
from reconciliation.domain.effects import NO_POLICY, Policy, Stands, must_stand
from reconciliation.domain.records import Kind
from reconciliation.locks import lock_break, lock_breaks
from reconciliation.models import Break
from reconciliation.selectors.effects import facts_of, find_due, is_overdue, session_groups, trusted_among
from reconciliation.selectors.rules import policies_in_force
from reconciliation.services._effects import ACTOR, break_draft, change_effects
from reconciliation.services._tell_breaks import break_anomaly

BATCH = 250
"""Breaks that are settled in one transaction: their locks are held for some tens of milliseconds."""
ROUTE = "break_policy"
NOBODY_TO_BLOCK, CANCELED_BY_POLICY = "BREAK_NOBODY_TO_BLOCK", "ORDER_CANCELED_BY_POLICY"
Policies = Mapping[tuple[str, str], Policy]


@dataclass(frozen=True, slots=True)
class Settled:
    """How many breaks stop something else than before, how many orders were asked to end, how many were told as overdue."""

    changed: int = 0
    canceled: int = 0
    escalated: int = 0


def settle_policies(*, at: datetime, run_id: UUID | None = None, batch: int = BATCH) -> Settled:
    """Settle the breaks of a run, or a slice of all that need it (the sweeper comes again); ``batch`` a transaction."""
    policies = policies_in_force()
    due = find_due(policies, at=at, run_id=run_id)
    groups = session_groups() if due.unsettled else {}
    changed = canceled = escalated = 0
    for ids in _batched(due.unsettled, batch):
        moved, alone = _settle(ids, policies, groups, at)
        changed += moved
        crash_point("policy.settled")
        for break_id in alone:
            moved, ended = _settle_canceling(break_id, policies, groups, at)
            changed, canceled = changed + moved, canceled + ended
            crash_point("policy.settled")
    for ids in _batched(due.overdue, batch):
        escalated += _escalate(ids, policies, at)
    return Settled(changed, canceled, escalated)


def _batched(ids: Sequence[UUID], most: int) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), most):
        yield ids[start : start + most]


def _policy(policies: Policies, item: Break) -> Policy:
    return policies.get((item.kind, item.category), NO_POLICY)


def _wanted(items: Sequence[Break], policies: Policies, groups: Mapping[str, str]) -> list[tuple[Break, Stands]]:
    """What must stand because of each, of those where something else does."""
    trusted = trusted_among(items)
    found = [(item, must_stand(_policy(policies, item), facts_of(item, groups, trusted))) for item in items]
    return [(item, wanted) for item, wanted in found if wanted != item.effect]


def _settle(
    break_ids: Collection[UUID], policies: Policies, groups: Mapping[str, str], at: datetime
) -> tuple[int, list[UUID]]:
    """Those of one transaction: how many stop something else now, and which may end an order and are settled alone."""
    with transaction.atomic():
        found = _wanted(lock_breaks(break_ids), policies, groups)
        alone = [item.id for item, wanted in found if wanted is Stands.CANCELING and is_proven(item)]
        changes = [(item, wanted) for item, wanted in found if item.id not in alone]
        change_effects(changes, at=at)
        set_anomalies(matters=[_toothless(item, wanted) for item, wanted in changes], actor=ACTOR.actor, at=at)
        if changes:
            crash_point("policy.written")
    return len(changes), alone


def _settle_canceling(break_id: UUID, policies: Policies, groups: Mapping[str, str], at: datetime) -> tuple[bool, bool]:
    """One break whose order is asked to end with it: whether what stands is another now, and whether the order was asked."""
    with transaction.atomic():
        found = _wanted([lock_break(break_id)], policies, groups)
        change_effects(found, at=at)
        set_anomalies(matters=[_toothless(item, wanted) for item, wanted in found], actor=ACTOR.actor, at=at)
        ended = any(wanted is Stands.CANCELING and _cancel(item, at) for item, wanted in found)
        crash_point("policy.written")
    return bool(found), ended


def _toothless(item: Break, wanted: Stands) -> tuple[Anomaly, bool]:
    """The matter of a break that should stop something and cannot, and whether it is so."""
    toothless = wanted is Stands.TOOTHLESS
    why = "nobody can tell whose account or which session it is about" if toothless else "it is known or settled by now"
    anomaly = Anomaly(
        kind=NOBODY_TO_BLOCK,
        severity=Severity.HIGH,
        subject_type="break",
        subject_id=str(item.id),
        sentence=f"{item.ref} should stop something by its policy: {why}.",
        dedupe_key=f"break-toothless:{item.key}",
        evidence={"ref": item.ref, "kind": item.kind, "source": item.source},
    )
    return anomaly, toothless


def is_proven(item: Break) -> bool:
    """Whether the counterparty's own record names the order: only then a working order is asked to end by itself."""
    return (
        item.kind in (Kind.ORDERS, Kind.OPEN_ORDERS, Kind.EXECUTIONS)
        and bool(item.theirs)
        and item.order_id is not None
    )


def _cancel(item: Break, at: datetime) -> bool:
    """Ask for its end once; what stands in the way is told with it. Never forced: only the venue's word ends an order."""
    if item.order_id is None or not is_proven(item):
        return False
    order = Order.objects.filter(id=item.order_id, is_open=True).first()
    if order is None:
        return False
    try:
        cancel_order(
            actor=ACTOR, at=at, idempotency_key=str(item.id), route=ROUTE, order_id=order.id,
            reason=f"{item.ref}: {item.why}"[:500],
        )  # fmt: skip
        sentence = f"{order.ref} was asked to end because of {item.ref}; look at it afterwards."
    except Conflict as obstacle:
        sentence = f"{order.ref} should end because of {item.ref} and was not asked to: {obstacle.sentence}"
    anomaly = Anomaly(
        kind=CANCELED_BY_POLICY,
        severity=Severity.MEDIUM,
        subject_type="order",
        subject_id=str(order.id),
        sentence=sentence,
        dedupe_key=f"break-cancel:{item.id}",
        evidence={"ref": item.ref, "order": order.ref, "why": item.why},
    )
    raise_anomaly(anomaly=anomaly, actor=ACTOR.actor, at=at)
    return True


def _escalate(break_ids: Collection[UUID], policies: Policies, at: datetime) -> int:
    """Told once, each under its own matter and with a higher severity; how many."""
    with transaction.atomic():
        items = lock_breaks(break_ids)
        trusted = trusted_among(items)
        late = [item for item in items if is_overdue(item, _policy(policies, item), trusted, at=at)]
        update_rows(Break, [(item.id, at) for item in late], key=("id",), fields=("escalated_at",))
        drafts = [break_draft(item, "BreakEscalated", {}, actor=ACTOR.actor, at=at) for item in late]
        drafts += [anomaly_draft(anomaly=_overdue(item), actor=ACTOR.actor, at=at) for item in late]
        append_to_stream(drafts=drafts, at=at)
    return len(late)


def _overdue(item: Break) -> Anomaly:
    sentence = f"{item.ref} is open for longer than its policy allows: {item.why}"
    return replace(break_anomaly(item), severity=Severity.HIGH, sentence=sentence)
