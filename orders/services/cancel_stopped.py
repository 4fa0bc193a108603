"""Sweeper: what a stop is about ends, in slices. One transaction a slice, so that a crash at any step resumes behind it.

What has not left the house is refused here and lets go what it held; for what has, a cancel is released, which no second
person holds. A stop is worked until somebody releases it: each pass finds what slipped in beside the press, and asks
again, a few times, for a cancel that came to nothing. ``StoppedOrder`` names every order reached: the proof is made of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from journal.bulk import insert_rows, update_rows
from kernel.crash_points import crash_point
from orders.domain.stopping import KILL_SWITCH, MOST_ASKED, asks_again
from orders.locks import lock_sweep
from orders.models import KillSweep, StoppedOrder
from orders.selectors.stopping import (
    find_revivable,
    find_to_stop,
    find_undone,
)
from orders.services._stopping import Case, Ending, end_orders

SLICE = 250
PASS_EVERY = timedelta(seconds=1)
ACTOR = "process:kill-switch"


def cancel_stopped(*, at: datetime) -> int:
    """One slice of every stop that stands. Returns how many orders it reached; idempotent."""
    reached = 0
    standing = KillSweep.objects.filter(ended_at__isnull=True).order_by("engaged_at", "id").values_list("id", flat=True)
    for sweep_id in list(standing[:50]):
        with transaction.atomic():
            sweep = lock_sweep(sweep_id)
            if sweep is None or (sweep.position is None and sweep.pass_at and at - sweep.pass_at < PASS_EVERY):
                continue
            reached += _slice(sweep, at)
            crash_point("kill_sweep.written")
        crash_point("kill_sweep.committed")
    return reached


def _slice(sweep: KillSweep, at: datetime) -> int:
    """The next orders of the pass; at its end, what may revive and what was asked in vain."""
    scope = {"scope": sweep.scope, "scope_id": sweep.scope_id}
    wanted = find_to_stop(sweep_id=sweep.id, position=sweep.position, limit=SLICE, **scope)
    ended = len(wanted) < SLICE
    again: list[UUID] = []
    if ended:
        undone = find_undone(sweep_id=sweep.id, most=MOST_ASKED, limit=SLICE)
        again = [
            one.order_id
            for one in undone
            if asks_again(
                found=one.found,
                is_open=True,
                asked=one.asked,
                cancel_state=one.cancel_state,
                ended_at=one.ended_at,
                at=at,
            )
        ]
        wanted += find_revivable(limit=SLICE, **scope)
    done = _work(sweep, [*wanted, *again], at) if wanted or again else 0
    sweep.position = None if ended else wanted[-1]
    if ended:
        sweep.pass_at, sweep.reached_at = at, sweep.reached_at or at
    sweep.save(update_fields=["position", "pass_at", "reached_at"])
    return done


def _work(sweep: KillSweep, order_ids: Sequence[UUID], at: datetime) -> int:
    """End them, and remember each for the proof."""
    why = Ending(
        code=KILL_SWITCH,
        sentence=f"Stopped by the kill switch ({sweep.name}): {sweep.reason}",
        key=f"kill:{sweep.id}",
        process="kill-switch",
        actor=sweep.pressed_by,
        maker_id=sweep.pressed_by_id,
        on_behalf_of=sweep.on_behalf_of,
    )
    cases = end_orders(why, order_ids, at=at)
    _remember(sweep, cases, at)
    return len(cases)


def _remember(sweep: KillSweep, cases: Sequence[Case], at: datetime) -> None:
    insert_rows(
        StoppedOrder,
        [(sweep.id, case.order.id, case.plan.found.value, case.order.cum_qty, 0, at) for case in cases],
        fields=("sweep_id", "order_id", "found", "cum_qty", "asked", "at"),
        on_conflict="DO NOTHING",
    )
    asked = [case.order.id for case in cases if case.plan.cancel]
    counts = StoppedOrder.objects.filter(sweep=sweep, order_id__in=asked).values_list("id", "asked")
    update_rows(StoppedOrder, [(key, count + 1) for key, count in counts], key=("id",), fields=("asked",))
