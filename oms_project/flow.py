"""Which event runs which listener, and what runs by time: the only place where rooms above learn of what happens below.

A listener is a module ``<room>.services.on_<event>`` with ``handle(events)``. It runs at least once an event, behind
its own durable cursor, in one transaction with that cursor; it is idempotent by event id.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listener:
    """``name`` is the cursor's key and never changes; ``kinds`` are the events it is woken for, at most ``most`` in a transaction."""

    name: str
    module: str
    kinds: tuple[str, ...]
    most: int = 500


_ALLOCATED = (
    "AllocationBooked",
    "AllocationReversed",
    "AllocationCompensated",
    "DirectTradesFormed",
    "DirectTradesReversed",
    "DirectTradesCompensated",
)
"""An event of these tells of up to a thousand lines, so fewer of them are one transaction."""


LISTENERS: tuple[Listener, ...] = (
    # First: what stops comes before what sends.
    Listener(
        name="orders.kill_switch",
        module="orders.services.on_kill_switch",
        kinds=("KillSwitchEngaged", "KillSwitchReleased"),
    ),
    Listener(
        name="orders.limits",
        module="orders.services.on_limit_changed",
        kinds=("LimitChanged", "LimitBegan"),
    ),
    Listener(
        name="venues.route",
        module="venues.services.on_order_released",
        kinds=("OrderReleased", "ReplaceReleased", "CancelReleased"),
    ),
    Listener(
        name="venues.disown",
        module="venues.services.on_trades_disowned",
        kinds=("TradesDisowned",),
    ),
    Listener(
        name="allocations.blocks",
        module="allocations.services.on_executions",
        kinds=("ExecutionRecorded", "ExecutionCorrected", "ExecutionBusted", "ExcessMoved"),
    ),
    Listener(
        name="allocations.requests",
        module="allocations.services.on_requests_closed",
        kinds=("AuthorisationLapsed", "AuthorisationWithdrawn"),
    ),
    Listener(
        name="allocations.feed",
        module="allocations.services.on_allocated_feed",
        kinds=_ALLOCATED,
        most=50,
    ),
    Listener(
        name="allocations.notes",
        module="allocations.services.on_allocated_notes",
        kinds=("AllocationReversed", "DirectTradesReversed"),
        most=50,
    ),
    Listener(
        name="venues.post_trade",
        module="venues.services.on_post_trade_released",
        kinds=("PostTradeMessageReleased",),
    ),
    Listener(
        name="reconciliation.reconnect",
        module="reconciliation.services.on_recovery_ended",
        kinds=("RecoveryEnded",),
    ),
    Listener(
        name="allocations.confirm",
        module="allocations.services.on_allocated_confirm",
        kinds=_ALLOCATED,
        most=50,
    ),
    Listener(
        name="allocations.post_trade",
        module="allocations.services.on_post_trade_received",
        kinds=("PostTradeMessageReceived", "PostTradeMessageReturned"),
    ),
    Listener(
        name="allocations.settle",
        module="allocations.services.on_allocated_settle",
        kinds=_ALLOCATED,
        most=50,
    ),
    Listener(
        name="reconciliation.suspicion",
        module="reconciliation.services.on_anomaly_raised",
        kinds=("AnomalyRaised",),
    ),
    Listener(
        name="operations.exceptions",
        module="operations.services.on_anomaly_raised",
        kinds=("AnomalyRaised", "AnomalyCleared"),
    ),
    Listener(
        name="operations.notices",
        module="operations.services.on_exception_told",
        kinds=("ExceptionOpened", "ExceptionWorsened", "ExceptionAssigned", "ExceptionCommented", "ExceptionEscalated"),
    ),
)


@dataclass(frozen=True, slots=True)
class Sweeper:
    """A service called with ``at``, named after its module: it finds what time has made due. Idempotent.

    One that ``reads_journal`` is also given the relay's ``horizon``.
    """

    module: str
    every_s: float
    reads_journal: bool = False


SWEEPERS: tuple[Sweeper, ...] = (
    Sweeper("orders.services.cancel_stopped", every_s=0.02),
    Sweeper("orders.services.tell_unproven", every_s=5),
    Sweeper("orders.services.lapse_order_requests", every_s=2),
    Sweeper("orders.services.match_waiting_reports", every_s=1),
    Sweeper("orders.services.enter_staged", every_s=1),
    Sweeper("orders.services.roll_days", every_s=30),
    Sweeper("orders.services.mark_stuck", every_s=5),
    Sweeper("orders.services.sweep_restrictions", every_s=5),
    Sweeper("orders.services.apply_corporate_actions", every_s=1),
    Sweeper("orders.services.review_corporate_actions", every_s=30),
    Sweeper("orders.services.watch_restated", every_s=60),
    Sweeper("refdata.services.watch_feeds", every_s=2),
    Sweeper("refdata.services.purge_ticks", every_s=60),
    Sweeper("authorisation.services.lapse_roles", every_s=2),
    Sweeper("risk.services.begin_limits", every_s=1),
    Sweeper("orders.services.watch_limits", every_s=2),
    Sweeper("orders.services.watch_owners", every_s=60),
    Sweeper("orders.services.count_executions", every_s=1),
    Sweeper("risk.services.watch_processes", every_s=2),
    Sweeper("venues.services.watch_breakers", every_s=2),
    Sweeper("venues.services.watch_post_trade", every_s=5),
    Sweeper("orders.services.run_due_canaries", every_s=60),
    Sweeper("authorisation.services.end_expired_sessions", every_s=30),
    Sweeper("authorisation.services.tell_sign_in_failures", every_s=60),
    Sweeper("authorisation.services.watch_reviews", every_s=60),
    Sweeper("allocations.services.book_alone", every_s=5),
    Sweeper("allocations.services.watch_wash", every_s=60),
    Sweeper("allocations.services.complete_blocks", every_s=2),
    Sweeper("allocations.services.cascade_blocks", every_s=1),
    Sweeper("allocations.services.keep_outcomes", every_s=60),
    Sweeper("reconciliation.services.set_gates", every_s=5),
    Sweeper("reconciliation.services.watch_start", every_s=1),
    Sweeper("reconciliation.services.watch_arrivals", every_s=15),
    Sweeper("allocations.services.watch_cut_offs", every_s=15),
    Sweeper("operations.services.watch_exceptions", every_s=2),
    Sweeper("operations.services.purge_notices", every_s=3600),
    Sweeper("journal.services.purge_keys", every_s=3600),
    Sweeper("authorisation.services.purge_nonces", every_s=30),
    Sweeper("outbound.services.purge_attempts", every_s=3600),
    Sweeper("reconciliation.services.settle_policies", every_s=5),
    Sweeper("reconciliation.services.reopen_accepted", every_s=60),
    Sweeper("reconciliation.services.compare_again", every_s=15),
    Sweeper("allocations.services.instruct_settlements", every_s=30),
    Sweeper("allocations.services.write_settlement_files", every_s=5),
    Sweeper("allocations.services.watch_settlements", every_s=60),
    Sweeper("allocations.services.watch_claims", every_s=60),
    Sweeper("journal.services.seal_events", every_s=1, reads_journal=True),
)
