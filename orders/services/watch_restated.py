"""Sweeper: executions that their venue stated anew for a split which the house does not apply are told, order by order.

What the venue states moves no units (ADR 0066): the corporate action brings them. Where none with that ratio is applied to the
day of the trade, accounts have the old shares, and a person finds out whether a notice is missing, of another ratio or another ex
date, or whether the venue is wrong. The matter ends by itself when they agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.numbers import plain
from orders.domain.restated import Split, is_explained
from orders.models import Execution
from refdata.as_at import terms_of
from refdata.domain.action_transitions import STANDS
from refdata.models import CorporateAction

ACTOR = process_principal("corporate-actions")
RESTATED = "EXECUTION_RESTATED"
WINDOW = timedelta(days=400)
"""An order good till canceled lives through this much; what is older is found by its files alone."""


def watch_restated(*, at: datetime) -> int:
    """How many orders have executions that no action explains."""
    rows = (
        Execution.objects.filter(stated_qty__isnull=False, trade_date__gte=(at - WINDOW).date())
        .select_related("order__listing")
        .order_by("order_id", "id")
    )
    by_order: defaultdict[UUID, list[Execution]] = defaultdict(list)
    for row in rows:
        by_order[row.order_id].append(row)
    splits = _splits({one[0].order.listing.instrument_id for one in by_order.values()})
    return sum(_watch(executions, splits, at=at) for executions in by_order.values())


def _splits(instruments: set[UUID]) -> Mapping[UUID, Sequence[Split]]:
    found: defaultdict[UUID, list[Split]] = defaultdict(list)
    actions = CorporateAction.objects.filter(
        instrument_id__in=instruments, state__in=STANDS, kind__in=("split", "reverse_split")
    )
    for action in actions.order_by("ex_date", "id"):
        terms = terms_of(action)
        found[action.instrument_id].append(Split(terms.ex_date, *terms.ratio))
    return found


def _watch(executions: Sequence[Execution], splits: Mapping[UUID, Sequence[Split]], *, at: datetime) -> bool:
    order = executions[0].order
    known = splits.get(order.listing.instrument_id, ())
    open_ones = [
        one
        for one in executions
        if not is_explained(one.effective_qty, one.as_venue_says[0], trade_date=one.trade_date, splits=known)
    ]
    named = ", ".join(
        f"{one.exec_id} ({plain(one.effective_qty)} became {plain(one.as_venue_says[0])})" for one in open_ones[:5]
    )
    sentence = (
        f"{order.ref}: the venue states executions of {order.listing.symbol} anew and no corporate action that is applied says so: "
        f"{named}{f' and {len(open_ones) - 5} more' if len(open_ones) > 5 else ''}. Accounts have the units of the day of the trade."
        if open_ones
        else f"{order.ref}: corporate actions explain what the venue states of its executions."
    )
    anomaly = Anomaly(
        kind=RESTATED,
        severity=Severity.HIGH,
        subject_type="order",
        subject_id=str(order.id),
        sentence=sentence,
        dedupe_key=f"restated:{order.id}",
        evidence={"ref": order.ref, "account_id": str(order.account_id), "executions": len(open_ones)},
    )
    set_anomaly(anomaly=anomaly, wrong=bool(open_ones), actor=ACTOR.actor, at=at)
    return bool(open_ones)
