"""What somebody must look at once a block is booked: shares that lie in suspense, and what undoing settled ones has cost."""

from __future__ import annotations

from datetime import datetime

from allocations.domain import transitions as moves
from allocations.models import Allocation, Block
from allocations.services._round import BookedRound
from authorisation.domain.principal import Principal
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from journal.services.set_anomaly import set_anomaly
from kernel.numbers import plain

PARKED, COMPENSATED, STANDS = "ALLOCATION_PARKED", "ALLOCATION_COMPENSATED", "ALLOCATION_STANDS"
MOST_NAMED = 20


def tell_round(block: Block, done: BookedRound, *, actor: Principal, at: datetime) -> None:
    """What came of a round that a person must hear of."""
    tell_parked(block, actor=actor, at=at)
    set_stands(block, "", actor=actor, at=at)
    if not done.compensated:
        return
    cost = f"{plain(done.error)} {block.currency} of price and {plain(-done.given_back)} of charges"
    raise_anomaly(
        anomaly=Anomaly(
            kind=COMPENSATED,
            severity=Severity.HIGH,
            subject_type="block",
            subject_id=str(block.id),
            sentence=f"Settled shares of {block.ref} were undone by trades of today: {cost} went to the error account.",
            dedupe_key=f"allocation-compensated:{block.id}:{done.round}",
            evidence={
                "block": block.ref, "round": done.round, "trades": done.compensated, "currency": block.currency,
                "price_difference": plain(done.error), "charges_given_back": plain(done.given_back),
            },
        ),
        actor=actor.actor,
        at=at,
    )  # fmt: skip


def tell_parked(block: Block, *, actor: Principal, at: datetime) -> None:
    """One matter a block: raised while lines of it are parked, cleared when none is. Lines by their own names: whose they are is told by
    the page of the block to those who may see the account."""
    rows = Allocation.objects.filter(block=block, state=moves.PARKED).order_by("number")
    lines = [{"allocation": row.ref, "qty": plain(row.qty), "reason": row.reason} for row in rows[:MOST_NAMED]]
    now = "lie in suspense: their accounts may not take them now" if lines else "lie in suspense no more"
    set_anomaly(
        anomaly=Anomaly(
            kind=PARKED,
            severity=Severity.HIGH,
            subject_type="block",
            subject_id=str(block.id),
            sentence=f"Shares of {block.ref} {now}.",
            dedupe_key=f"allocation-parked:{block.id}",
            evidence={"block": block.ref, "parked": rows.count(), "lines": lines},
        ),
        wrong=bool(lines),
        actor=actor.actor,
        at=at,
    )


def set_stands(block: Block, why: str, *, actor: Principal, at: datetime) -> None:
    """That a block could not be booked as was said before, and why; with no reason: that it is booked."""
    set_anomaly(
        anomaly=Anomaly(
            kind=STANDS,
            severity=Severity.HIGH,
            subject_type="block",
            subject_id=str(block.id),
            sentence=f"{block.ref} waits for a person: {why}" if why else f"{block.ref} is booked.",
            dedupe_key=f"allocation-stands:{block.id}",
            evidence={"block": block.ref, "why": why},
        ),
        wrong=bool(why),
        actor=actor.actor,
        at=at,
    )
