"""Keep on which day a person or a key last came, and last used each right: at most one write a right and day in a process.

What it sees: rights that a guard asked for and found while somebody was at a page or the API (``Principal.used``). What it
does not see: what a desk or an account group granted was used for, and what processes did on somebody's behalf.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import date, datetime

from authorisation.domain.principal import Principal
from authorisation.models import AccessUse
from journal.bulk import insert_rows

MOST_KNOWN = 10_000
_KNOWN: OrderedDict[tuple[str, str], date] = OrderedDict()
_LATER = (
    "(actor, right_used) DO UPDATE SET last_on = excluded.last_on "
    "WHERE authorisation_accessuse.last_on < excluded.last_on"
)


def note_uses(*, actor: Principal, at: datetime) -> int:
    """Note that the actor came today, with the rights used since it was loaded. Returns how many rows were to be written."""
    day = at.date()
    new = sorted(right for right in {"", *actor.used} if _KNOWN.get((actor.actor, right), date.min) < day)
    if not new:
        return 0
    rows = [(actor.actor, right, day) for right in new]
    insert_rows(AccessUse, rows, fields=("actor", "right", "last_on"), on_conflict=_LATER)
    for right in new:
        _KNOWN[actor.actor, right] = day
    while len(_KNOWN) > MOST_KNOWN:
        _KNOWN.popitem(last=False)
    return len(new)
