"""Which rights nobody may hold together, over the union of all roles of a person. One table; pure.

The services refuse what it names, the trigger ``authorisation_toxic`` is made from it (``trigger_rows``), and fsck
looks for it. Rights of rooms above are named as text: this room knows nothing of orders, only that these do not mix.

Invariant: every right of the house is either a side of a pair or listed in ``HARMLESS`` (a test over all rights).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from authorisation.domain.principal import (
    ADMINISTER_ACCOUNTS,
    ADMINISTER_USERS,
    CANCEL_ORDER,
    DECIDE_ALLOCATION,
    DECIDE_POST_TRADE,
    DECIDE_RISK_CHANGE,
    DECIDE_STATIC_DATA,
    ENTER_ORDER,
    KEEP_RECORDS,
    RELEASE_ORDER,
    REVIEW_ACCESS,
    RUN_ACCESS_REVIEW,
    SEE_ACCESS,
)
from kernel.errors import Refused

TRADES = frozenset({ENTER_ORDER})
RELEASES = frozenset({RELEASE_ORDER, DECIDE_ALLOCATION})
SETS_LIMITS = frozenset({"ask_risk_change", DECIDE_RISK_CHANGE})
RECONCILES = frozenset(
    {
        "ask_static_data",
        DECIDE_STATIC_DATA,
        "judge_price",
        ADMINISTER_ACCOUNTS,
        "open_recovery_gate",
        "switch_session",
        "work_break",
        "decide_break",
        "close_exception",
        "force_close_exception",
        "work_post_trade",
        DECIDE_POST_TRADE,
    }
)
STOPS_OR_CANCELS = frozenset({"switch_trading", "impose_block", CANCEL_ORDER})
ADMINISTERS = frozenset({ADMINISTER_USERS})
REVIEWS_ACCESS = frozenset({REVIEW_ACCESS, RUN_ACCESS_REVIEW})
HARMLESS = frozenset(
    {
        "engage_kill_switch",
        "see_restrictions",
        "search_audit",
        KEEP_RECORDS,
        SEE_ACCESS,
        "work_exception",
        "allocate_block",
    }
)
"""They see, say what they see, propose what a rule or a second person judges, or stop at once with a second person to go on:
nobody gains by holding them beside anything."""


@dataclass(frozen=True, slots=True)
class ToxicPair:
    """Holding any right of ``one`` beside any right of ``other``; ``why`` is the sentence people read."""

    code: str
    one: frozenset[str]
    other: frozenset[str]
    why: str


PAIRS: tuple[ToxicPair, ...] = (
    ToxicPair(
        "DEALER_AND_CHECKER",
        TRADES,
        RELEASES,
        "Who enters orders neither releases orders nor decides who gets what of them.",
    ),
    ToxicPair("DEALER_AND_LIMITS", TRADES, SETS_LIMITS, "Who enters orders does not set the limits they meet."),
    ToxicPair(
        "DEALER_AND_RECONCILIATION", TRADES, RECONCILES, "Who enters orders does not keep the records that prove them."
    ),
    ToxicPair(
        "ADMINISTRATOR_AND_BUSINESS",
        ADMINISTERS,
        TRADES | RELEASES | SETS_LIMITS | RECONCILES | STOPS_OR_CANCELS,
        "Who gives rights uses none: an administrator neither trades nor decides.",
    ),
    ToxicPair(
        "ADMINISTRATOR_AND_REVIEWER",
        ADMINISTERS,
        REVIEWS_ACCESS,
        "Who gives rights does not say whether they are still needed.",
    ),
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A pair that is held: the two rights (``one`` and ``other`` of it), its code and why."""

    code: str
    one: str
    other: str
    why: str


def conflicts_of(rights: Collection[str]) -> tuple[Conflict, ...]:
    """Every toxic pair among the rights, in the order of the table, then by name."""
    held = frozenset(rights)
    return tuple(
        Conflict(pair.code, one, other, pair.why)
        for pair in PAIRS
        for one in sorted(pair.one & held)
        for other in sorted(pair.other & held)
    )


def require_harmless(rights: Collection[str], *, holder: str) -> None:
    """Raise Refused TOXIC_RIGHTS naming the first pair that ``holder`` would hold."""
    found = conflicts_of(rights)
    if found:
        first = found[0]
        raise Refused(
            "TOXIC_RIGHTS",
            f"{holder} would hold {first.one} and {first.other} together. {first.why}",
            {"pair": first.code, "rights": [first.one, first.other], "holder": holder},
        )


def trigger_rows() -> tuple[tuple[str, str, str], ...]:
    """``(code, one right, other right)``: the table as the database holds it."""
    return tuple((pair.code, one, other) for pair in PAIRS for one in sorted(pair.one) for other in sorted(pair.other))
