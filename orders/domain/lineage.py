"""Which ClOrdID a request names as its predecessor (OrigClOrdID), and what an amend builds on. Pure.

FIX asks for the last request that was not rejected. Which that is, is known only when the request leaves: one before it
may have been refused here, or rejected there, since it was captured. So the name is given at the hand-over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from orders.domain.transitions import ENDED_BY_US, HANDED_OVER, RELEASED, UNKNOWN
from orders.domain.venue_rules import VenueRules

_UNANSWERED = frozenset({HANDED_OVER, UNKNOWN})


class Link(NamedTuple):
    """A request of an order, as far as the chain of names goes."""

    kind: str
    state: str
    cl_ord_id: str
    orig_cl_ord_id: str | None
    seq: int


def predecessor(links: Iterable[Link], *, working: str | None, names_last_accepted: bool) -> str | None:
    """The ClOrdID to name: the end of the chain of replaces that left and are unanswered, else the working one.

    The end is what no other of them names; the youngest, should a rejection in the middle have left two.
    """
    flying = [link for link in links if link.kind == "replace" and link.state in _UNANSWERED]
    if names_last_accepted or not flying:
        return working
    named = {link.orig_cl_ord_id for link in flying}
    ends = [link for link in flying if link.cl_ord_id not in named] or flying
    return max(ends, key=lambda link: link.seq).cl_ord_id


@dataclass(frozen=True, slots=True)
class Departure:
    """What a request says of its order when it leaves: its predecessor, the venue's id, and what is executed so far."""

    orig_cl_ord_id: str | None
    venue_order_id: str | None
    cum_qty: Decimal


class Departing:
    """One locked order whose requests leave one after the other: each sees those that left before it."""

    def __init__(
        self,
        *,
        working: str | None,
        venue_order_id: str | None,
        cum_qty: Decimal,
        rules: VenueRules,
        links: Iterable[Link],
    ) -> None:
        self._working, self._venue_order_id, self._cum_qty = working, venue_order_id, cum_qty
        self._last_accepted = rules.names_last_accepted
        self._links = {link.cl_ord_id: link for link in links}

    def departure(self, cl_ord_id: str) -> Departure | None:
        """How the request leaves; None when it is not released any more."""
        link = self._links[cl_ord_id]
        if link.state != RELEASED:
            return None
        before = (other for other in self._links.values() if other is not link)
        orig = predecessor(before, working=self._working, names_last_accepted=self._last_accepted)
        return Departure(None if link.kind == "new" else orig, self._venue_order_id, self._cum_qty)

    def left(self, cl_ord_id: str, departure: Departure) -> None:
        """The request is on its way: what follows names it."""
        link = self._links[cl_ord_id]
        self._links[cl_ord_id] = link._replace(state=HANDED_OVER, orig_cl_ord_id=departure.orig_cl_ord_id)


def is_open_request(state: str) -> bool:
    """Whether a request may still come to something at the venue without a new decision of ours."""
    return state not in ENDED_BY_US and state not in ("accepted", "rejected")


def basis_of(working: Mapping[str, Any], asked: Iterable[tuple[int, str, Mapping[str, Any]]]) -> Mapping[str, Any]:
    """The terms a further amend builds on: those last asked for and still open (seq, state, message), else the working ones."""
    still = [(seq, message) for seq, state, message in asked if is_open_request(state)]
    return max(still, key=lambda item: item[0])[1] if still else working
