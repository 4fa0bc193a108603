"""What needs a second person, and by which policy: how many people, with which right, for how long. Pure.

A kind is known in code; its policies are dated rows, of which the first come from here and every later one from a
request of its own. Of the rows that stand, the most special rules: that of the desk before that of the house, that of
the highest mark passed before that of any value. But a special row can only ask for more people, never for fewer; and
what cannot be compared (no value, another currency) counts as above every mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from authorisation.domain.principal import (
    ADMINISTER_USERS,
    DECIDE_ALLOCATION,
    DECIDE_BREAK,
    DECIDE_POST_TRADE,
    DECIDE_RISK_CHANGE,
    DECIDE_STATIC_DATA,
    KEEP_RECORDS,
    RELEASE_ORDER,
    RUN_ACCESS_REVIEW,
)
from kernel.errors import InvariantBroken

CLAIM_S = 120
MOST_CHECKERS = 5


@dataclass(frozen=True, slots=True)
class KindPolicy:
    """A kind and its first policy. ``right`` is the checker's role right by codename; ``patience`` is how long a request
    waits before it lapses, ``checkers`` how many people must say yes; ``afterwards``: it is about what was done already, and
    whoever did it cannot take the question back."""

    kind: str
    title: str
    right: str
    patience: timedelta
    checkers: int = 1
    afterwards: bool = False


POLICIES: dict[str, KindPolicy] = {
    policy.kind: policy
    for policy in (
        KindPolicy("order_request", "Order release", RELEASE_ORDER, timedelta(minutes=30)),
        KindPolicy("suspense", "Trades in suspense", RELEASE_ORDER, timedelta(hours=8)),
        KindPolicy("limit_change", "Limit change", DECIDE_RISK_CHANGE, timedelta(days=1)),
        KindPolicy("rate_change", "Rate change", DECIDE_RISK_CHANGE, timedelta(days=1)),
        KindPolicy("rule_change", "Rule change", DECIDE_RISK_CHANGE, timedelta(days=1)),
        KindPolicy("stop_release", "Release of a stop", DECIDE_RISK_CHANGE, timedelta(hours=1)),
        KindPolicy("corporate_action", "Corporate action", DECIDE_STATIC_DATA, timedelta(days=2)),
        KindPolicy("static_data", "Static data", DECIDE_STATIC_DATA, timedelta(days=2)),
        KindPolicy("withdrawal", "Withdrawal", DECIDE_STATIC_DATA, timedelta(days=1)),
        KindPolicy("cash_booking", "Cash booked by hand", DECIDE_STATIC_DATA, timedelta(days=1)),
        KindPolicy("account_state", "State of an account", DECIDE_STATIC_DATA, timedelta(days=1)),
        KindPolicy("break_repair", "Repair of a break", DECIDE_BREAK, timedelta(days=2)),
        KindPolicy("recon_rules", "Rules of reconciliation", DECIDE_BREAK, timedelta(days=2)),
        KindPolicy("allocation", "Allocation of a block", DECIDE_ALLOCATION, timedelta(hours=8)),
        KindPolicy("standing_instruction", "Standing settlement instruction", DECIDE_POST_TRADE, timedelta(days=2)),
        KindPolicy("post_trade_rules", "Rules of post-trade", DECIDE_POST_TRADE, timedelta(days=2)),
        KindPolicy("cancel_review", "Review of a cancel", RELEASE_ORDER, timedelta(days=3), afterwards=True),
        KindPolicy("user_right", "User right", ADMINISTER_USERS, timedelta(days=2)),
        KindPolicy("webhook", "Events out of the house", DECIDE_RISK_CHANGE, timedelta(days=2)),
        KindPolicy("api_key", "Key of the API", ADMINISTER_USERS, timedelta(days=2)),
        KindPolicy("sign_in_reset", "Reset of a sign-in", ADMINISTER_USERS, timedelta(days=1)),
        KindPolicy("hold_release", "Release of a legal hold", KEEP_RECORDS, timedelta(days=7)),
        KindPolicy("retention_change", "How long records are kept", KEEP_RECORDS, timedelta(days=7)),
        KindPolicy("policy_change", "Change of who decides", DECIDE_RISK_CHANGE, timedelta(days=2)),
        KindPolicy("start_of_day", "File of the start of day", DECIDE_BREAK, timedelta(days=1)),
        KindPolicy("gate_override", "Gate of the start of day", DECIDE_BREAK, timedelta(hours=4)),
        KindPolicy("access_review", "Close of an access review", RUN_ACCESS_REVIEW, timedelta(days=5)),
    )
}


def policy_of(kind: str) -> KindPolicy:
    """What the code knows of a kind; raises InvariantBroken AUTHORISATION_KIND_UNKNOWN: nobody could ever decide it."""
    policy = POLICIES.get(kind)
    if policy is None:
        raise InvariantBroken("AUTHORISATION_KIND_UNKNOWN", f"No policy says who decides about {kind!r}.")
    return policy


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A row that stands. ``above`` None: for any value; ``stops_clock``: whether a question to the maker does."""

    id: int
    kind: str
    desk_id: int | None
    above: Decimal | None
    currency: str
    version: int
    checkers: int
    right: str
    patience_s: int
    claim_s: int
    stops_clock: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """The row that rules a request, and how many people it needs."""

    row: PolicyRow
    checkers: int


def choose(rows: Iterable[PolicyRow], *, desk_id: int | None, value: Decimal | None, currency: str) -> Chosen | None:
    """What rules a request, of the rows of its kind that stand. None: nobody may decide it."""
    applying = [
        row for row in rows if row.desk_id in (None, desk_id) and (row.above is None or _passes(row, value, currency))
    ]
    if not any(row.above is None for row in applying):
        return None  # a mark without a floor below it: a policy was half ended, and no guess is made
    ruling = max(applying, key=lambda row: (row.desk_id is not None, row.above is not None, row.above or 0, row.id))
    return Chosen(ruling, max(row.checkers for row in applying))


def _passes(row: PolicyRow, value: Decimal | None, currency: str) -> bool:
    assert row.above is not None
    return value is None or currency != row.currency or value > row.above
