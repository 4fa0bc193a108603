"""Sweeper: when a restriction comes into force, the open orders it concerns are listed, or canceled, or kept, as it says.

Orders that nobody would let in any more are a matter somebody owns, until none of them works. Why is not said here either.
Done in slices, one transaction each; an order whose cancel is on its way is left alone, so a repetition changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from orders.selectors.restricted import MOST_NAMED, count_working, list_working
from orders.services._stopping import Ending, end_orders
from risk.domain.rulebook.entries import CONTACT_COMPLIANCE
from risk.models import Restriction
from risk.selectors.restrictions import list_in_force, list_to_sweep
from risk.services.mark_swept import mark_swept

SLICE = 250
ACTOR = "process:restrictions"
RESTRICTED, RESTRICTED_ORDERS = "RESTRICTED", "RESTRICTED_ORDERS"
_DONE = {
    Restriction.Sweep.LIST: "Nothing was done about them.",
    Restriction.Sweep.CANCEL: "Their cancels were asked for.",
    Restriction.Sweep.KEEP: "They are kept on purpose.",
}


def sweep_restrictions(*, at: datetime) -> int:
    """How many restrictions were swept. Those swept before are looked at again: their matter closes with the last order."""
    swept = 0
    for restriction in list_to_sweep(at=at):
        if restriction.sweep == Restriction.Sweep.CANCEL:
            _cancel_all(restriction, at)
        with transaction.atomic():
            _tell(restriction, at)
            mark_swept(restriction_id=restriction.id, at=at)
        swept += 1
    for restriction in list_in_force(at=at):
        _tell(restriction, at)
    return swept


def _cancel_all(restriction: Restriction, at: datetime) -> None:
    why = Ending(
        code=RESTRICTED,
        sentence=f"Ended: {CONTACT_COMPLIANCE} ({restriction.reference}).",
        key=f"restriction:{restriction.id}",
        process="restrictions",
        actor=ACTOR,
        maker_id=0,
    )
    after: UUID | None = None
    while True:
        found = list_working(restriction, limit=SLICE, after=after)
        if not found:
            return
        with transaction.atomic():
            end_orders(why, [item.order_id for item in found], at=at)
        after = found[-1].order_id


def _tell(restriction: Restriction, at: datetime) -> None:
    """One matter a restriction while orders of it are open."""
    count = count_working(restriction)
    named = [item.ref for item in list_working(restriction, limit=MOST_NAMED)] if count else []
    orders = "1 open order is" if count == 1 else f"{count:,} open orders are"
    sentence = (
        f"{orders} in {restriction.subject_name}, which is {CONTACT_COMPLIANCE} ({restriction.reference}). "
        f"{_DONE[Restriction.Sweep(restriction.sweep)]}"
        if count
        else f"No order is open in {restriction.subject_name} any more ({restriction.reference})."
    )
    anomaly = Anomaly(
        kind=RESTRICTED_ORDERS,
        severity=Severity.LOW if restriction.sweep == Restriction.Sweep.KEEP else Severity.HIGH,
        subject_type="restriction",
        subject_id=restriction.reference,
        sentence=sentence,
        dedupe_key=f"restricted-orders:{restriction.id}",
        evidence={"reference": restriction.reference, "orders": named, "count": count, "policy": restriction.sweep},
    )
    set_anomaly(anomaly=anomaly, wrong=count > 0, actor=ACTOR, at=at)
