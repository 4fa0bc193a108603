"""The body of every order message as it was handed over, against the message that was on the wire.

The engine adds a header, number and times of its own, and sorts fields; secrets are masked. Everything else must be equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from operations.fsck.check import Found
from operations.fsck.snapshot import Snapshot
from venues.domain.fix_codec import SOH

_SENT = """
SELECT h.cl_ord_id, h.body, w.raw
  FROM venues_handover h JOIN venues_wiremessage w
    ON w.cl_ord_id = h.cl_ord_id AND w.direction = 'out' AND w.msg_type IN ('D', 'F', 'G')
"""
ENGINE_ADDS = (
    "8=",
    "9=",
    "34=",
    "43=",
    "49=",
    "50=",
    "52=",
    "56=",
    "57=",
    "97=",
    "115=",
    "122=",
    "128=",
    "129=",
    "10=",
)


def differing_bodies(snapshot: Snapshot) -> Iterator[Found]:
    """Messages that say more or less than what was handed over; the same field twice counts twice."""
    for cl_ord_id, body, raw in snapshot.copy(_SENT, "text", "text", "text"):
        handed, sent = _said(body), _said(raw)
        if handed != sent:
            less, more = Counter(handed) - Counter(sent), Counter(sent) - Counter(handed)
            yield Found(
                cl_ord_id, f"was handed over with {sorted(less.elements())} and left with {sorted(more.elements())}"
            )


def _said(text: str) -> list[str]:
    return sorted([field for field in text.split(SOH) if field and not field.startswith(ENGINE_ADDS)])
