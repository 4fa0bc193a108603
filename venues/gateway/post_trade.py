"""The gateway's side of post-trade messages: what left is marked as left, what may not have left is settled after each logon.

A message is marked once its text is stored, never before: a mark without a text would hide one that was lost, because the other side
asks for it by the number that only the text has. Settled is a little after the logon, because the other side's request to send numbers
again, which is evidence, comes with it; and only behind what this gateway gave to the engine itself, so that a text that waits for the
database is never taken for a message that did not leave.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from venues.adapters.registry import adapter_named
from venues.gateway.engine import Engine
from venues.gateway.sending import put_on_wire
from venues.services.mark_handed_over import Outgoing
from venues.services.mark_post_trade_left import mark_post_trade_left
from venues.services.settle_post_trade import Held, settle_post_trade
from venues.services.take_over_sessions import TakenSession

SETTLE_AFTER = timedelta(seconds=5)
UNMARKED_AFTER = timedelta(seconds=60)
SETTLE_LIMIT = 64


class PostTradeDoor:
    """One term of one gateway: which texts are not stored yet, and up to where requests to send again are settled.

    ``stored`` are texts of post-trade messages, in the order in which the recorder stored them.
    """

    def __init__(self, group: str) -> None:
        self._group = group
        self.stored: deque[str] = deque()
        self._unstored: dict[str, tuple[int, datetime]] = {}
        self._unmarked: list[int] = []
        self._asked_upto: dict[str, int] = {}

    def put_on_wire(self, engine: Engine, session: str, outgoing: Sequence[Outgoing], at: datetime) -> None:
        """Give them to the engine; they are marked once the recorder has stored what it made of them."""
        for message, raw in put_on_wire(engine, session, outgoing, at):
            self._unstored[raw] = (message.intent_id, at)
        self.mark(at)

    def settle(
        self, engine: Engine, session: TakenSession, *, epoch: str, fence: int, since: datetime, now: datetime
    ) -> None:
        """One slice of what may not have left, of a session that is logged on ``since``."""
        self.mark(now)
        first = min((at for _, at in self._unstored.values()), default=now)
        if now - since < SETTLE_AFTER or first < max(since, now - UNMARKED_AFTER):
            return
        held = Held(
            group=self._group, session=session.name, epoch=epoch, fence=fence, adapter=adapter_named(session.adapter),
            before=max(since, now - UNMARKED_AFTER), at=now,
        )  # fmt: skip
        settled = settle_post_trade(held=held, asked_after=self._asked_upto.get(session.name, 0), limit=SETTLE_LIMIT)
        self._asked_upto[session.name] = settled.asked_upto
        self.put_on_wire(engine, session.name, settled.outgoing, now)

    def mark(self, at: datetime) -> None:
        """Mark what is stored by now."""
        while self.stored:
            stored = self._unstored.pop(self.stored.popleft(), None)
            self._unmarked += [stored[0]] if stored is not None else []
        mark_post_trade_left(intent_ids=self._unmarked, at=at)
        self._unmarked = []
