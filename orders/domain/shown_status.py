"""What the screen says about an order: one pure function of the venue's word and of the states of our own requests.

Six families carry it (neutral, waiting, working, done, ended, refused) and a seventh, unknown, is the loudest: a fate
we do not know, an over-fill. Text and glyph always say it; colour is the third cue. The two words are never mixed: the
venue's is ``ord_status``, ours is the request's state, and ours only speaks while the venue has not, or where a
request of ours is still on its way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from kernel.fix import OrdStatus
from kernel.numbers import ZERO
from orders.domain.transitions import (
    ACCEPTED,
    CAPTURED,
    DECLINED,
    HANDED_OVER,
    LAPSED,
    PENDING_AUTHORISATION,
    REFUSED,
    REJECTED,
    RELEASED,
    UNKNOWN,
    WITHDRAWN,
)

FAMILIES = ("neutral", "waiting", "working", "done", "ended", "refused", "unknown")


class RequestView(NamedTuple):
    """One request of the order: ``kind`` is new, replace or cancel."""

    kind: str
    state: str


@dataclass(frozen=True, slots=True)
class ShownStatus:
    """``code`` is stable (tests, filters), ``text`` for people, ``glyph`` a name in the sprite, ``family`` the tint."""

    code: str
    text: str
    glyph: str
    family: str


_UNKNOWN = ShownStatus("unknown", "Unknown", "unknown", "unknown")
_OVERFILLED = ShownStatus("overfilled", "Over-filled", "unknown", "unknown")
_CLOSED_WITH_FILLS = ShownStatus("canceled_partial", "Canceled, part filled", "ended", "ended")

VENUE_SAYS: dict[OrdStatus, ShownStatus] = {
    OrdStatus.PENDING_NEW: ShownStatus("pending_new", "Pending at venue", "waiting", "waiting"),
    OrdStatus.ACCEPTED_FOR_BIDDING: ShownStatus("bidding", "Accepted for bidding", "working", "working"),
    OrdStatus.NEW: ShownStatus("working", "Working", "working", "working"),
    OrdStatus.REPLACED: ShownStatus("working", "Working", "working", "working"),
    OrdStatus.PARTIALLY_FILLED: ShownStatus("partial", "Partial", "partial", "working"),
    OrdStatus.STOPPED: ShownStatus("stopped", "Stopped (guaranteed)", "partial", "working"),
    OrdStatus.SUSPENDED: ShownStatus("suspended", "Suspended", "queued", "waiting"),
    OrdStatus.PENDING_CANCEL: ShownStatus("cancel_pending", "Cancel pending", "waiting", "waiting"),
    OrdStatus.PENDING_REPLACE: ShownStatus("replace_pending", "Replace pending", "waiting", "waiting"),
    OrdStatus.FILLED: ShownStatus("filled", "Filled", "filled", "done"),
    OrdStatus.CALCULATED: ShownStatus("calculated", "Calculated", "filled", "done"),
    OrdStatus.DONE_FOR_DAY: ShownStatus("done_for_day", "Done for day", "ended", "ended"),
    OrdStatus.CANCELED: ShownStatus("canceled", "Canceled", "ended", "ended"),
    OrdStatus.EXPIRED: ShownStatus("expired", "Expired", "ended", "ended"),
    OrdStatus.REJECTED: ShownStatus("rejected", "Rejected", "refused", "refused"),
}

WE_SAY: dict[str, ShownStatus] = {
    CAPTURED: ShownStatus("captured", "Draft", "neutral", "neutral"),
    PENDING_AUTHORISATION: ShownStatus("authorisation", "Awaiting approval", "queued", "waiting"),
    RELEASED: ShownStatus("queued", "Queued", "queued", "waiting"),
    HANDED_OVER: ShownStatus("sent", "Sent", "sent", "waiting"),
    UNKNOWN: _UNKNOWN,
    ACCEPTED: ShownStatus("accepted", "Accepted", "filled", "done"),
    REFUSED: ShownStatus("refused", "Refused", "refused", "refused"),
    DECLINED: ShownStatus("declined", "Declined", "refused", "refused"),
    REJECTED: ShownStatus("rejected", "Rejected", "refused", "refused"),
    LAPSED: ShownStatus("lapsed", "Lapsed", "ended", "ended"),
    WITHDRAWN: ShownStatus("withdrawn", "Withdrawn", "ended", "ended"),
}
"""The words for the state of one request, also used on its own line of the order page."""

_ON_ITS_WAY: dict[tuple[str, str], ShownStatus] = {
    ("cancel", PENDING_AUTHORISATION): ShownStatus("cancel_held", "Cancel awaiting approval", "queued", "waiting"),
    ("cancel", RELEASED): ShownStatus("cancel_queued", "Cancel queued", "queued", "waiting"),
    ("cancel", HANDED_OVER): ShownStatus("cancel_sent", "Cancel sent", "sent", "waiting"),
    ("replace", PENDING_AUTHORISATION): ShownStatus("replace_held", "Replace awaiting approval", "queued", "waiting"),
    ("replace", RELEASED): ShownStatus("replace_queued", "Replace queued", "queued", "waiting"),
    ("replace", HANDED_OVER): ShownStatus("replace_sent", "Replace sent", "sent", "waiting"),
}
_ALIVE = frozenset(
    {OrdStatus.PENDING_NEW, OrdStatus.ACCEPTED_FOR_BIDDING, OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED}
    | {OrdStatus.STOPPED, OrdStatus.SUSPENDED}
)


def shown_status(
    *,
    requests: Iterable[RequestView],
    ord_status: OrdStatus | str | None,
    order_qty: Decimal | None,
    cum_qty: Decimal = ZERO,
) -> ShownStatus:
    """The status people see. ``requests`` in the order they were made; the NEW may be absent (phoned orders)."""
    views = tuple(requests)
    if any(view.state == UNKNOWN for view in views):
        return _UNKNOWN
    if order_qty is not None and cum_qty > order_qty:
        return _OVERFILLED
    if ord_status is None:
        new = next((view for view in views if view.kind == "new"), None)
        return WE_SAY[new.state] if new is not None else _UNKNOWN
    said = OrdStatus(ord_status)
    if said in _ALIVE:
        # The youngest request of ours that the venue has not spoken of yet tells more than "working".
        for view in reversed(views):
            shown = _ON_ITS_WAY.get((view.kind, view.state))
            if shown is not None:
                return shown
    if said is OrdStatus.CANCELED and cum_qty > ZERO:
        return _CLOSED_WITH_FILLS
    return VENUE_SAYS[said]
