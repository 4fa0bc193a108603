"""Level 6: our tables against what was not written by us. In the demo these are the files of the simulated venues.

Only what both sides have had time to say is compared: sessions that are on, whose messages are all worked, and orders about
which the venue has said nothing in the last seconds. Elsewhere there is no venue to read, and the checks hold of nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from operations.fsck.check import Check, Found, Level
from operations.fsck.snapshot import AT, Snapshot
from operations.fsck.venue_truth import Trades, VenueOrder, read_venue_orders
from venues.domain.inbox import UNWORKED

GRACE = timedelta(seconds=15)

_QUIET_GROUPS = f"""
SELECT s."group" FROM venues_fixsession s
 GROUP BY s."group"
HAVING bool_and(s.state = 'logged_on' AND s.state_at < {AT} - %s) AND NOT EXISTS (
       SELECT FROM (SELECT s."group" AS own, w.recorded_at AS at FROM {UNWORKED}) AS unworked
        WHERE own = s."group" AND at < {AT} - %s)
"""
_ORDERS = """
SELECT o.id, o.ref, r.cl_ord_id, r.state, r.handed_over_at, o.ord_status, o.order_qty, o.cum_qty, o.leaves_qty, o.price,
       o.is_open, EXISTS (SELECT FROM orders_orderrequest f WHERE f.order_id = o.id
                           AND f.state IN ('handed_over', 'unknown')) AS in_flight
  FROM orders_order o JOIN orders_orderrequest r ON r.order_id = o.id AND r.kind = 'new'
 WHERE r.handed_over_at IS NOT NULL AND o.session_group = ANY(%s)
"""
_EXECUTIONS = """
SELECT x.order_id, coalesce(nullif(x.exec_ref_id, ''), x.exec_id), coalesce(x.stated_qty, x.effective_qty),
       coalesce(x.stated_px, x.effective_px)
  FROM orders_execution x JOIN orders_order o ON o.id = x.order_id
 WHERE x.effective_qty > 0 AND o.session_group = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class _Ours:
    """An order of ours as far as a venue knows it too."""

    ref: str
    name: str
    state: str
    handed_over_at: datetime
    ord_status: str | None
    order_qty: Decimal | None
    cum_qty: Decimal
    leaves_qty: Decimal
    price: Decimal | None
    is_open: bool
    in_flight: bool
    trades: Trades


@dataclass(frozen=True, slots=True)
class _Both:
    """Both sides as of the snapshot."""

    ours: tuple[_Ours, ...]
    theirs: dict[str, VenueOrder]
    settled_before: datetime


@lru_cache(maxsize=1)
def _both(snapshot: Snapshot) -> _Both | None:
    if snapshot.truth is None or not snapshot.truth.is_dir():
        return None
    settled_before = snapshot.at - GRACE
    groups = [row[0] for row in snapshot.rows(_QUIET_GROUPS, [GRACE, GRACE])]
    trades: dict[Any, Trades] = defaultdict(dict)
    for order_id, name, qty, px in snapshot.rows(_EXECUTIONS, [groups]):
        trades[order_id][name] = (qty, px)
    ours = tuple(_Ours(*(*row[1:], trades[row[0]])) for row in snapshot.rows(_ORDERS, [groups]))
    return _Both(ours, read_venue_orders(snapshot.truth, settled_before=settled_before), settled_before)


def _pairs(snapshot: Snapshot) -> Iterator[tuple[_Ours, VenueOrder]]:
    """Orders that both sides know and nobody is speaking of now."""
    both = _both(snapshot)
    for order in both.ours if both else ():
        found = both.theirs.get(order.name) if both else None
        if found is not None and not (found.in_motion or found.unsaid or order.in_flight):
            yield order, found


def differing_states(snapshot: Snapshot) -> Iterator[Found]:
    """Orders whose status, quantities or price are not the venue's."""
    for order, venue in _pairs(snapshot):
        state = venue.state
        compared = {
            "ord_status": (order.ord_status, state["ord_status"]),
            "order_qty": (order.order_qty, Decimal(state["order_qty"])),
            "cum_qty": (order.cum_qty, Decimal(state["cum_qty"])),
            "leaves_qty": (order.leaves_qty, Decimal(state["leaves_qty"])),
            "price": (order.price, Decimal(state["price"]) if state["price"] else None),
        }
        for name, (here, there) in compared.items():
            if here != there:
                yield Found(order.ref, f"{name} is {here} here and {there} at the venue")


def differing_executions(snapshot: Snapshot) -> Iterator[Found]:
    """Trades that only one side has, or that differ."""
    for order, venue in _pairs(snapshot):
        theirs = {name: trade for name, trade in venue.trades.items() if trade[0] > 0}
        for name in sorted(order.trades.keys() | theirs.keys()):
            here, there = order.trades.get(name), theirs.get(name)
            if here != there:
                yield Found(order.ref, f"execution {name} is {_shown(here)} here and {_shown(there)} at the venue")


def _shown(trade: tuple[Decimal, Decimal] | None) -> str:
    return f"{trade[0]} at {trade[1]}" if trade else "nothing"


def one_sided_orders(snapshot: Snapshot) -> Iterator[Found]:
    """Open orders of ours that no venue knows, and orders that live at a venue and are none of ours."""
    both = _both(snapshot)
    if both is None:
        return
    for order in both.ours:
        settled = order.handed_over_at < both.settled_before and order.state == "accepted"
        if order.is_open and settled and order.name not in both.theirs:
            yield Found(order.ref, "is open here and no venue knows it")
    known = {name for (name,) in snapshot.rows("SELECT cl_ord_id FROM orders_orderrequest")}
    seen: set[int] = set()
    for venue in both.theirs.values():
        if venue.is_open and id(venue) not in seen and not venue.in_motion and known.isdisjoint(venue.names):
            yield Found(venue.state["order_id"], f"is open at the venue as {venue.names[0]} and is none of ours")
        seen.add(id(venue))


# Found by the comparison after each logon; asked about until both sides agree.
_OPEN_DIFFERENCES = f"""
SELECT coalesce(nullif(d.cl_ord_id, ''), d.venue_order_id) AS subject,
       format('%s: %s here, %s at the venue, since %s', d.kind, d.ours, d.theirs, d.found_at) AS what
  FROM venues_recoverydifference d WHERE d.resolved_at IS NULL AND d.found_at < {AT} - interval '60 seconds'
"""

_ASK = "Believe neither side: ask the venue (35=H, or its phone) and compare its raw messages with the order's"

CHECKS = (
    Check(
        "DIFFERENCE_OPEN", "I7", Level.TRUTH,
        "What the last comparison with a venue found different has been settled (grace 60 s).",
        f"{_ASK}; the page of the session lists what differs, its account stays blocked meanwhile.",
        sql=_OPEN_DIFFERENCES,
    ),
    Check(
        "VENUE_STATE_DIFFERS", "I7", Level.TRUTH,
        "Status, quantities and price of every order are the venue's (grace 15 s).",
        f"{_ASK}; block the account until they agree.",
        look=differing_states, reads_all=True,
    ),
    Check(
        "VENUE_EXECUTIONS_DIFFER", "I7", Level.TRUTH,
        "Every trade of the venue is here once with its figures, and no other is (grace 15 s).",
        f"{_ASK}; block the account until they agree.",
        look=differing_executions, reads_all=True,
    ),
    Check(
        "ORDER_ON_ONE_SIDE", "I1", Level.TRUTH,
        "Every open order is open on both sides (grace 15 s).",
        f"{_ASK}; an order only the venue knows must be taken on or canceled by phone.",
        look=one_sided_orders, reads_all=True,
    ),
)  # fmt: skip
