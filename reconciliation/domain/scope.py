"""Which open breaks a run answers for: those it must find again if they still were. Pure.

Executions, orders and cash entries belong to a day: only a run of that day can say that they agree now. A position or a
balance is one figure that goes on, and so is what is open at a venue: any later run sees it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from reconciliation.domain.records import Kind

GOING_ON = frozenset({Kind.POSITIONS, Kind.CASH, Kind.OPEN_ORDERS})


def answers_for(kind: str, *, as_of: date, last_seen: date) -> bool:
    """Whether a run of ``as_of`` speaks about a break that was last seen by a run of ``last_seen``."""
    return last_seen <= as_of if kind in GOING_ON else last_seen == as_of


def speaks_of(only: Mapping[str, Collection[str]], ids: Mapping[str, str]) -> bool:
    """Whether a file that speaks of these words alone (basis, account, balances or entries) speaks of a break with these ids."""
    return all(ids.get(name, "") in words for name, words in only.items())
