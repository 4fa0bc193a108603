"""Stops that people press: which blocks are only let go by a second person, and what their events are called. Pure.

A stop is a block of a source named here. It is imposed by its own service and lifted by ``decide_stop_release`` alone.
"""

from __future__ import annotations

KILL_SWITCH = "kill_switch"

BREAKER = "breaker"
EXECUTIONS = "executions"

RELEASED_KINDS: dict[str, str] = {
    KILL_SWITCH: "KillSwitchReleased",
    BREAKER: "BreakerReleased",
    EXECUTIONS: "ExecutionsReleased",
}
"""What is recorded when a second person releases a stop, by the source of its block up to the first colon."""


BREAK = "break"
"""Blocks of this kind stand and fall with a break of reconciliation: no person imposes or lifts one."""
NEW_ALONE = ":new"
"""A block whose source ends so lets what exists be worked, replaces included, and stops new orders alone."""


START_OF_DAY = "start_of_day"
"""Gates of the start of day: the only blocks that two people may open for a day without the fact they wait for."""


AT_START = "at_start"
"""Markets that wait at the start of the house until what their venue said last is compared."""

OPENED_BY_FACTS: dict[str, str] = {
    BREAK: "A block of a break stands and falls with the break: settle that.",
    START_OF_DAY: "A gate of the start of day opens when its feed is taken in, or for a day by two people who say why.",
    AT_START: "A market that waits since the start opens when what its venue said last is compared.",
}
"""Blocks that no person imposes or lifts, by the source up to the first colon, and what to do instead."""


def is_openable(source: str) -> bool:
    """Whether a block of this source may be waived."""
    return kind_of(source) == START_OF_DAY


def is_of_break(source: str) -> bool:
    """Whether the block is reconciliation's to impose and lift."""
    return kind_of(source) == BREAK


def kind_of(source: str) -> str:
    """The source without what it names: ``breaker:SIM1`` is of kind ``breaker``."""
    return source.partition(":")[0]


def is_stop(source: str) -> bool:
    """Whether a second person must release a block of this source."""
    return kind_of(source) in RELEASED_KINDS
