"""What the checks of conduct look at beside the order itself: its scopes and source, the rulebook, and its peers.

Orders loads the peers under its locks and hands them down: orders like this one a moment ago, and open orders of the
same account, client or firm that this one would trade with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from risk.domain.rulebook.book import Rulebook
from risk.domain.rulebook.entries import Pair


@dataclass(frozen=True, slots=True)
class Twin:
    """An earlier order with the same account, listing, side, quantity and price."""

    ref: str
    entered_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Opposite:
    """An open order on the other side that this one would trade with; ``nearness`` is account, client or firm."""

    ref: str
    nearness: str
    price: Decimal | None
    leaves_qty: Decimal


@dataclass(frozen=True, slots=True)
class ConductFacts:
    """``rulebook`` is None when it could not be read: nothing is judged then, so everything that adds risk is refused."""

    rulebook: Rulebook | None
    pairs: tuple[Pair, ...] = ()
    source: str = ""
    strategy: str = ""
    twins: Sequence[Twin] = ()
    opposite: Sequence[Opposite] = ()


WATCH_LIST_HIT = "WATCH_LIST_HIT"
FOR_COMPLIANCE_ALONE = frozenset({WATCH_LIST_HIT})
"""Kinds of matters that nobody else may know to exist."""

NOT_LOADED = ConductFacts(rulebook=None)
