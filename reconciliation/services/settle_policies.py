"""Let every open break stop what its policy says and nothing more, tell what stands open too long: after a run, and by time.

One transaction a break: a crash leaves some settled and others not, and the sweeper goes on where it was. Said twice
nothing changes. What a doubted run found stops nothing. Cancels go through the orders' normal door, for orders that the
venue's own record is about, and are told as something to look at afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from journal.services.set_anomaly import set_anomaly
from kernel.crash_points import crash_point
from kernel.errors import Conflict
from orders.models import Order
from orders.services.cancel_order import cancel_order
from reconciliation.domain.effects import NO_POLICY, Policy, Stands, must_stand
from reconciliation.domain.records import Kind
from reconciliation.locks import lock_break
from reconciliation.models import Break
from reconciliation.selectors.effects import facts_of, find_due, is_overdue, session_groups
from reconciliation.selectors.rules import policies_in_force
from reconciliation.services._effects import ACTOR, change_effect, record_break
from reconciliation.services._tell_breaks import break_anomaly

ROUTE = "break_policy"
NOBODY_TO_BLOCK, CANCELED_BY_POLICY = "BREAK_NOBODY_TO_BLOCK", "ORDER_CANCELED_BY_POLICY"


@dataclass(frozen=True, slots=True)
class Settled:
    """How many breaks stop something else than before, how many orders were asked to end, how many were told as overdue."""

    changed: int = 0
    canceled: int = 0
    escalated: int = 0


def settle_policies(*, at: datetime, run_id: UUID | None = None) -> Settled:
    """Settle the breaks of a run, or all that need it (at most a slice; the sweeper comes again)."""
    policies = policies_in_force()
    due = find_due(policies, at=at, run_id=run_id)
    groups = session_groups() if due.unsettled else {}
    changed = canceled = 0
    for break_id in due.unsettled:
        moved, ended = _settle(break_id, policies, groups, at)
        changed, canceled = changed + moved, canceled + ended
        crash_point("policy.settled")
    escalated = sum(_escalate(break_id, policies, at) for break_id in due.overdue)
    return Settled(changed, canceled, escalated)


def _policy(policies: dict[tuple[str, str], Policy], item: Break) -> Policy:
    return policies.get((item.kind, item.category), NO_POLICY)


def _settle(
    break_id: UUID, policies: dict[tuple[str, str], Policy], groups: dict[str, str], at: datetime
) -> tuple[bool, bool]:
    """One break: whether what stands is another now, and whether its order was asked to end."""
    with transaction.atomic():
        item = lock_break(break_id)
        wanted = must_stand(_policy(policies, item), facts_of(item, groups))
        if wanted == item.effect:
            return False, False
        change_effect(item, wanted, at=at)
        _tell_toothless(item, wanted, at)
        ended = wanted is Stands.CANCELING and _cancel(item, at)
        crash_point("policy.written")
    return True, ended


def _tell_toothless(item: Break, wanted: Stands, at: datetime) -> None:
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
    set_anomaly(anomaly=anomaly, wrong=toothless, actor=ACTOR.actor, at=at)


def is_proven(item: Break) -> bool:
    """Whether the counterparty's own record names the order: only then a working order is asked to end by itself."""
    return item.kind in (Kind.ORDERS, Kind.EXECUTIONS) and bool(item.theirs) and item.order_id is not None


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


def _escalate(break_id: UUID, policies: dict[tuple[str, str], Policy], at: datetime) -> bool:
    """Told once, under the break's own matter and with a higher severity."""
    with transaction.atomic():
        item = lock_break(break_id)
        if not is_overdue(item, _policy(policies, item), at=at):
            return False
        item.escalated_at = at
        item.save(update_fields=["escalated_at"])
        record_break(item, "BreakEscalated", {}, actor=ACTOR.actor, at=at)
        raise_anomaly(anomaly=_overdue(item), actor=ACTOR.actor, at=at)
    return True


def _overdue(item: Break) -> Anomaly:
    sentence = f"{item.ref} is open for longer than its policy allows: {item.why}"
    return replace(break_anomaly(item), severity=Severity.HIGH, sentence=sentence)
