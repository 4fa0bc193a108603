"""Rights that somebody must always hold, or the house could not be stopped, decided about or administered. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from authorisation.domain.principal import (
    ADMINISTER_USERS,
    DECIDE_RISK_CHANGE,
    DECIDE_STATIC_DATA,
    RELEASE_ORDER,
    RUN_ACCESS_REVIEW,
)
from kernel.errors import Refused

LEAST_HOLDERS: Mapping[str, int] = {
    "engage_kill_switch": 1,
    RELEASE_ORDER: 1,
    DECIDE_RISK_CHANGE: 1,
    DECIDE_STATIC_DATA: 1,
    RUN_ACCESS_REVIEW: 1,
    ADMINISTER_USERS: 2,  # one asks, the other decides
}
"""Active people, never services, by right."""


def too_few(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[str, ...]:
    """Rights that would be held by fewer people than must, and by fewer than before: what was short may stay short."""
    return tuple(
        right
        for right, least in LEAST_HOLDERS.items()
        if after.get(right, 0) < least and after.get(right, 0) < before.get(right, 0)
    )


def require_kept(before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Raise Refused LAST_HOLDER naming the first right that too few people would be left with."""
    for right in too_few(before, after):
        least = LEAST_HOLDERS[right]
        people = "person" if least == 1 else "people"
        raise Refused(
            "LAST_HOLDER",
            f"At least {least} {people} must hold {right}, and {after.get(right, 0)} would be left. Give it to somebody first.",
            {"right": right, "left": after.get(right, 0), "least": least},
        )
