"""How we confirm with a counterparty, and whose word is missing. Pure.

*buy_side*: we instruct allocations (35=J), the counterparty confirms (35=AK), we affirm (35=AU). *broker*: the mirror; a broker does
not affirm its own confirmation. The clock names who is late by what is missing, not by who complains.
"""

from __future__ import annotations

from dataclasses import dataclass

from allocations.domain import transitions as moves

BUY_SIDE, BROKER = "buy_side", "broker"
FIX, FILE, BY_HAND = "fix", "file", "none"
OURS, THEIRS = "ours", "theirs"
NOBODY = "by-hand"
"""The counterparty of a block that went to no session: confirmed by telephone and by hand."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed with a counterparty. ``confirms_direct``: also trades of a client's own orders.

    By default not: there the client has its note, and with the broker the execution reports and its file of executions are the
    agreement. A second confirmation of the same trade would be a second clock for nothing.
    """

    counterparty: str
    role: str = BUY_SIDE
    channel: str = FIX
    confirms_direct: bool = False

    @property
    def sends_messages(self) -> bool:
        """Whether ours leave over FIX."""
        return self.channel == FIX


def default_terms(counterparty: str) -> Terms:
    """What holds while nothing was agreed: the executing broker confirms to us over its session."""
    return Terms(counterparty, channel=BY_HAND if counterparty == NOBODY else FIX)


def late_party(role: str, state: str) -> str:
    """Whose word a confirmation waits for: *ours* or *theirs*; empty when for nobody's."""
    if state in (moves.AFFIRMED, moves.CANCELED):
        return ""
    if state in (moves.WAITING, moves.MISMATCHED, moves.REJECTED):
        return OURS
    if role == BROKER:
        return THEIRS
    return OURS if state == moves.MATCHED else THEIRS
