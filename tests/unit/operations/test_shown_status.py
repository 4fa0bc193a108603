"""What people read for every pair of the venue's word and our request's state."""

from __future__ import annotations

import pytest

from kernel.fix import OrdStatus
from operations.domain.shown_status import REQUEST_WORDS, shown_status
from orders.models import OrderRequest


@pytest.mark.parametrize(
    ("ord_status", "request_state", "family", "text"),
    [
        (None, "pending_authorisation", "waiting", "Queued"),
        (None, "released", "waiting", "Released"),
        (None, "handed_over", "waiting", "Sent"),
        (None, "refused", "refused", "Refused"),
        (None, "declined", "refused", "Declined"),
        ("0", "accepted", "working", "Working"),
        ("1", "accepted", "working", "Partial"),
        ("2", "accepted", "done", "Filled"),
        ("4", "accepted", "ended", "Canceled"),
        ("6", "handed_over", "waiting", "Cancel pending"),
        ("8", "rejected", "refused", "Rejected"),
        ("0", "unknown", "unknown", "Unknown"),
        (None, "unknown", "unknown", "Unknown"),
        ("Z", "accepted", "unknown", "Unknown"),
    ],
)
def test_the_status_people_see(ord_status: str | None, request_state: str, family: str, text: str) -> None:
    shown = shown_status(ord_status=ord_status, request_state=request_state)
    assert (shown.family, shown.text) == (family, text)


def test_an_over_fill_is_louder_than_filled() -> None:
    shown = shown_status(ord_status="2", request_state="accepted", overfilled=True)
    assert (shown.family, shown.text) == ("unknown", "Over-filled")


@pytest.mark.parametrize(
    ("ord_status", "family", "text"), [("2", "done", "Over-fill accepted"), ("4", "ended", "Canceled")]
)
def test_an_over_fill_that_was_accepted_is_no_open_matter(ord_status: str, family: str, text: str) -> None:
    shown = shown_status(ord_status=ord_status, request_state="accepted", overfilled=True, excess_accepted=True)
    assert (shown.family, shown.text) == (family, text)


def test_every_code_has_text_and_glyph() -> None:
    for status in OrdStatus:
        shown = shown_status(ord_status=status, request_state="accepted")
        assert shown.text
        assert shown.code
        assert shown.text != "Unknown"
    assert set(REQUEST_WORDS) == set(OrderRequest.State.values)
