"""The one transition table of ``OrderRequest.state``, and the OrdStatus pairs that FIX illustrates.

The table of our own states binds: nothing moves a request by a pair that is not in it (services ask
``may_move``, the models declare it, the diagram in the docs is drawn from it). The OrdStatus graph only illustrates:
disorder makes many other pairs reachable within one batch, so there the facts bind, not the graph.
"""

from __future__ import annotations

from typing import NamedTuple

CAPTURED = "captured"
PENDING_AUTHORISATION = "pending_authorisation"
REFUSED = "refused"
DECLINED = "declined"
LAPSED = "lapsed"
WITHDRAWN = "withdrawn"
RELEASED = "released"
HANDED_OVER = "handed_over"
UNKNOWN = "unknown"
ACCEPTED = "accepted"
REJECTED = "rejected"


class Move(NamedTuple):
    """``cause`` says in a few words what makes the request go from ``source`` to ``target``."""

    source: str
    target: str
    cause: str


REQUEST_MOVES: tuple[Move, ...] = (
    Move(CAPTURED, REFUSED, "a check refuses"),
    Move(CAPTURED, PENDING_AUTHORISATION, "a check asks for a second person"),
    Move(CAPTURED, RELEASED, "all checks pass or are acknowledged"),
    Move(PENDING_AUTHORISATION, RELEASED, "approved, and the checks still hold"),
    # Approved in a world that has changed: the checks run again and may refuse now.
    Move(PENDING_AUTHORISATION, REFUSED, "the checks refuse on approval"),
    Move(PENDING_AUTHORISATION, DECLINED, "a checker says no"),
    Move(PENDING_AUTHORISATION, LAPSED, "nobody decided in time"),
    Move(PENDING_AUTHORISATION, WITHDRAWN, "the maker takes it back"),
    Move(RELEASED, HANDED_OVER, "given to the FIX engine"),
    # The last boundary: block, kill switch, session down too long, terms no longer current.
    Move(RELEASED, REFUSED, "refused at the last boundary"),
    # A cancel of an order that was never sent completes here; no venue has heard of either.
    Move(RELEASED, WITHDRAWN, "canceled before it was sent"),
    # A cancel that completes locally: it was never sent and is answered by us.
    Move(RELEASED, ACCEPTED, "completed without the venue"),
    Move(HANDED_OVER, ACCEPTED, "the venue accepts"),
    Move(HANDED_OVER, REJECTED, "the venue rejects"),
    Move(HANDED_OVER, UNKNOWN, "no proof that it was sent, or no answer in time"),
    Move(UNKNOWN, ACCEPTED, "the venue accepts"),
    Move(UNKNOWN, REJECTED, "the venue rejects"),
    # The engine proves that it never left: a hand-over that did not happen is ours to end.
    Move(UNKNOWN, REFUSED, "proven never sent"),
    # Acknowledged orders may still be rejected by the trader or exchange behind the first answer.
    Move(ACCEPTED, REJECTED, "the venue rejects after it had accepted"),
    # The reverse only by the venue's own later word, as when a status answer denied what a late report proves.
    Move(REJECTED, ACCEPTED, "a later report proves acceptance"),
)

REQUEST_STATES: tuple[str, ...] = (
    *(CAPTURED, PENDING_AUTHORISATION, REFUSED, DECLINED, LAPSED, WITHDRAWN),
    *(RELEASED, HANDED_OVER, UNKNOWN, ACCEPTED, REJECTED),
)

INITIAL = frozenset({CAPTURED, PENDING_AUTHORISATION, REFUSED, RELEASED})
"""States a request may be born in: capture judges and writes at once."""

ENDED_BY_US = frozenset({REFUSED, DECLINED, LAPSED, WITHDRAWN})
"""We ended the request: no venue has it and nothing more can come of it."""

IN_FLIGHT = frozenset({RELEASED, HANDED_OVER, UNKNOWN})
"""The venue may yet act on the request: reservations stay, the larger of old and new counts."""

_PAIRS = frozenset((move.source, move.target) for move in REQUEST_MOVES)


def may_move(source: str, target: str) -> bool:
    """True when a request may go from ``source`` to ``target``. Staying where it is, is no move."""
    return (source, target) in _PAIRS


def sources_of(target: str) -> list[str]:
    """States from which a request may go to ``target``, in table order: what the model declares."""
    return [move.source for move in REQUEST_MOVES if move.target == target]


ORD_STATUS_ILLUSTRATED: tuple[tuple[str, str], ...] = (
    *(("A", "0"), ("A", "8")),
    *(("0", "0"), ("0", "1"), ("0", "2"), ("0", "3"), ("0", "6"), ("0", "E"), ("0", "8"), ("0", "7")),
    *(("1", "1"), ("1", "2"), ("1", "3"), ("1", "6"), ("1", "E"), ("1", "4")),
    *(("2", "1"), ("2", "2"), ("2", "E")),
    ("3", "1"),
    *(("6", "0"), ("6", "1"), ("6", "2"), ("6", "6"), ("6", "4")),
    *(("E", "0"), ("E", "1"), ("E", "2"), ("E", "E"), ("E", "4")),
    ("7", "1"),
)
"""OrdStatus pairs the FIX order state matrices show (4.4 Appendix D, 5.0 SP2). Absence does not mean forbidden."""
