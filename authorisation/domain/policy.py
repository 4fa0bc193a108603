"""What needs a second person, which right that person needs, and how long the request waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from authorisation.domain.principal import ADMINISTER_USERS, DECIDE_RISK_CHANGE, DECIDE_STATIC_DATA, RELEASE_ORDER
from kernel.errors import InvariantBroken


@dataclass(frozen=True, slots=True)
class KindPolicy:
    """``right`` is the checker's role right by codename; ``patience`` is how long a request waits before it lapses."""

    kind: str
    title: str
    right: str
    patience: timedelta


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
        KindPolicy("user_right", "User right", ADMINISTER_USERS, timedelta(days=2)),
    )
}


def policy_of(kind: str) -> KindPolicy:
    """The policy of a kind; raises InvariantBroken AUTHORISATION_KIND_UNKNOWN, because nobody could ever decide it."""
    policy = POLICIES.get(kind)
    if policy is None:
        raise InvariantBroken("AUTHORISATION_KIND_UNKNOWN", f"No policy says who decides about {kind!r}.")
    return policy
