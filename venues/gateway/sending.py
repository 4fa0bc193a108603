"""Giving the engine what was handed over: after the commit, once each."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from kernel.clock import utc_now
from kernel.crash_points import crash_point
from venues.gateway.engine import Engine
from venues.services.mark_handed_over import Outgoing

log = logging.getLogger("venues.gateway")

STALE = timedelta(seconds=3)  # far more than a batch takes, far less than a silent session or lease lasts


def put_on_wire(
    engine: Engine, session: str, outgoing: Sequence[Outgoing], handed_at: datetime
) -> list[tuple[Outgoing, str]]:
    """Those that the engine took, with the text that it made of each.

    What cannot leave because the session just fell is asked for, or settled, at logon.
    """
    left = []
    if outgoing:
        crash_point("after_hand_over")
    for message in outgoing:
        if utc_now() - handed_at > STALE:
            # This process was frozen in between; the fate of the message is already asked for, perhaps by another.
            log.warning("%s was handed over too long ago and is not sent", message.cl_ord_id)
        elif raw := engine.send(session, message.fields):
            left.append((message, raw))
        else:
            log.warning("session %s fell before %s could leave", session, message.cl_ord_id)
        crash_point("between_sends")
    if outgoing:
        crash_point("after_send")
    return left
