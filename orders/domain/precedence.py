"""The FIX precedence of OrdStatus (39) as data: which of several true states an order is reported in.

Source: FIX 4.4 with Errata 20030618, Volume 4, Execution Report. Highest first. Replaced (5) is not an OrdStatus in
4.4: a replaced order shows New, PartiallyFilled or Filled. New, Rejected and PendingNew tie in the specification, as
do Canceled and Expired; ``orders.domain.derive`` settles the ties by the facts.
"""

from __future__ import annotations

HIGH_TO_LOW = ("6", "E", "3", "B", "2", "7", "9", "4", "C", "1", "0", "8", "A", "D")

RANK: dict[str, int] = {code: len(HIGH_TO_LOW) - place for place, code in enumerate(HIGH_TO_LOW)}


def outranks(mark: str, said: str) -> bool:
    """True when a venue that says ``said`` cannot at the same time hold the order to be in ``mark``."""
    return said in RANK and RANK[mark] > RANK[said]
