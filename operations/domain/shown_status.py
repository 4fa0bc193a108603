"""What the screen says about an order: one pure function of the venue's word and of our own request's state.

Six families carry it. Text and glyph always say it; the tint is the third cue.
"""

from __future__ import annotations

from dataclasses import dataclass

from kernel.fix import OrdStatus

NEUTRAL, WAITING, WORKING, DONE, ENDED, REFUSED, UNKNOWN = (
    "neutral",
    "waiting",
    "working",
    "done",
    "ended",
    "refused",
    "unknown",
)


@dataclass(frozen=True, slots=True)
class ShownStatus:
    """``code`` names glyph and test hook, ``family`` the tint, ``text`` the words people read."""

    code: str
    family: str
    text: str


_VENUE_SAID: dict[OrdStatus, ShownStatus] = {
    OrdStatus.NEW: ShownStatus("working", WORKING, "Working"),
    OrdStatus.PARTIALLY_FILLED: ShownStatus("partial", WORKING, "Partial"),
    OrdStatus.FILLED: ShownStatus("filled", DONE, "Filled"),
    OrdStatus.DONE_FOR_DAY: ShownStatus("ended", ENDED, "Done for day"),
    OrdStatus.CANCELED: ShownStatus("ended", ENDED, "Canceled"),
    OrdStatus.REPLACED: ShownStatus("working", WORKING, "Working"),
    OrdStatus.PENDING_CANCEL: ShownStatus("waiting", WAITING, "Cancel pending"),
    OrdStatus.STOPPED: ShownStatus("working", WORKING, "Stopped"),
    OrdStatus.REJECTED: ShownStatus("refused", REFUSED, "Rejected"),
    OrdStatus.SUSPENDED: ShownStatus("waiting", WAITING, "Suspended"),
    OrdStatus.PENDING_NEW: ShownStatus("sent", WAITING, "Sent"),
    OrdStatus.CALCULATED: ShownStatus("filled", DONE, "Calculated"),
    OrdStatus.EXPIRED: ShownStatus("ended", ENDED, "Expired"),
    OrdStatus.ACCEPTED_FOR_BIDDING: ShownStatus("working", WORKING, "Working"),
    OrdStatus.PENDING_REPLACE: ShownStatus("waiting", WAITING, "Replace pending"),
}

_WE_SAID: dict[str, ShownStatus] = {
    "captured": ShownStatus("neutral", NEUTRAL, "Captured"),
    "pending_authorisation": ShownStatus("queued", WAITING, "Queued"),
    "refused": ShownStatus("refused", REFUSED, "Refused"),
    "declined": ShownStatus("refused", REFUSED, "Declined"),
    "lapsed": ShownStatus("ended", ENDED, "Lapsed"),
    "withdrawn": ShownStatus("ended", ENDED, "Withdrawn"),
    "released": ShownStatus("queued", WAITING, "Released"),
    "handed_over": ShownStatus("sent", WAITING, "Sent"),
    "accepted": ShownStatus("working", WORKING, "Working"),
    "rejected": ShownStatus("refused", REFUSED, "Rejected"),
}

_OVER_ACCEPTED = ShownStatus("filled", DONE, "Over-fill accepted")
_UNKNOWN = ShownStatus("unknown", UNKNOWN, "Unknown")


def shown_status(
    *, ord_status: str | None, request_state: str, overfilled: bool = False, excess_accepted: bool = False
) -> ShownStatus:
    """The status people see. A fate we do not know outranks everything; then the venue's word; then ours.

    An over-fill is an open matter until all of it was accepted.
    """
    if request_state == "unknown":
        return _UNKNOWN
    if overfilled and not excess_accepted:
        return ShownStatus("unknown", UNKNOWN, "Over-filled")
    if overfilled and ord_status == OrdStatus.FILLED:
        return _OVER_ACCEPTED
    if ord_status is None:
        return _WE_SAID.get(request_state, _UNKNOWN)
    try:
        return _VENUE_SAID[OrdStatus(ord_status)]
    except ValueError:
        return _UNKNOWN


REQUEST_WORDS: dict[str, ShownStatus] = {
    **_WE_SAID,
    "accepted": ShownStatus("filled", DONE, "Accepted"),
    "unknown": _UNKNOWN,
}
"""The same families for the state of one request on the order page."""
