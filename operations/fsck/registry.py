"""Every check there is, from the guards outwards, and which of them are carried out when."""

from __future__ import annotations

from collections.abc import Collection

from operations.fsck import (
    access,
    actions,
    allocations,
    approvals,
    blocks,
    breaks,
    claims,
    confirmations,
    exceptions,
    guards,
    journal,
    money,
    notes,
    orders,
    post_trade_wire,
    prices,
    reconciliation,
    retention,
    reviews,
    settlement,
    truth,
    usage,
    webhooks,
    wire,
)
from operations.fsck.check import Check, Level

CHECKS: tuple[Check, ...] = (
    *guards.CHECKS,
    *access.CHECKS,
    *journal.CHECKS,
    *retention.CHECKS,
    *orders.CHECKS,
    *approvals.CHECKS,
    *money.CHECKS,
    *blocks.CHECKS,
    *allocations.CHECKS,
    *usage.CHECKS,
    *settlement.CHECKS,
    *claims.CHECKS,
    *prices.CHECKS,
    *actions.CHECKS,
    *wire.CHECKS,
    *post_trade_wire.CHECKS,
    *exceptions.CHECKS,
    *breaks.CHECKS,
    *confirmations.CHECKS,
    *reconciliation.CHECKS,
    *reviews.CHECKS,
    *webhooks.CHECKS,
    *notes.CHECKS,
    *prices.DOUBTS,
    *truth.CHECKS,
)
BY_CODE = {check.code: check for check in CHECKS}


def up_to(level: Level, *, codes: Collection[str] = ()) -> tuple[Check, ...]:
    """The checks up to and including a level; with ``codes`` only those named, whatever their level."""
    if codes:
        return tuple(check for check in CHECKS if check.code in codes)
    return tuple(check for check in CHECKS if check.level <= level)


def before_opening() -> tuple[Check, ...]:
    """What a start waits for: guards, journal, orders and money, without the passes that read whole tables.

    Level 4 and above look at what processes do and have not done yet when none of them runs.
    """
    return tuple(check for check in up_to(Level.MONEY) if not check.reads_all)
