"""The outbox of the post-trade simulation on the tables: events, intents, hand-overs, wire messages, and the services as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from journal.selectors.anomalies import is_raised
from kernel.post_trade import AckStatus, MessageKind, PostTradeMessage
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import Fields, format_message
from venues.inbox import consume_post_trade_all
from venues.models import PostTradeIntent, WireMessage
from venues.services.hand_over_post_trade import hand_over_post_trade
from venues.services.mark_handed_over import Outgoing
from venues.services.mark_post_trade_left import mark_post_trade_left
from venues.services.settle_post_trade import Held, settle_post_trade

LIMIT = 500


class DatabaseOutbox:
    """One session of one group, whose row has the fence 1. ``release_to`` lets a message of a name go and routes it."""

    def __init__(self, *, group: str, session: str, at: datetime, release_to: Callable[[str], None]) -> None:
        self._group, self._session, self._at = group, session, at
        self._release_to = release_to
        self._out: dict[str, Outgoing] = {}
        self._inbound = 0
        self._asked = 0

    def release(self, names: Sequence[str]) -> None:
        for name in names:
            self._release_to(name)

    def hand_over(self) -> list[str]:
        adapter = adapter_named("fix44")
        handed = hand_over_post_trade(
            group=self._group, session=self._session, epoch="e", fence=1, adapter=adapter, limit=LIMIT, at=self._at
        )
        return self._take(handed.outgoing)

    def mark_left(self, names: Sequence[str]) -> None:
        mark_post_trade_left(intent_ids=[self._out[name].intent_id for name in names], at=self._at)

    def store(self, name: str, number: int, *, flagged: bool) -> None:
        fields = self._out[name].fields
        if ((97, "Y") in fields) is not flagged:
            raise AssertionError(f"{name} is flagged otherwise than meant")
        self._keep("out", number, fields)

    def hear_answer(self, name: str) -> None:
        said = PostTradeMessage(
            MessageKind.ALLOCATION_ACK, "", self._group, self._at, name, ack_status=AckStatus.ACCEPTED
        )
        self._hear(adapter_named("fix44").map_post_trade(said))
        consume_post_trade_all()

    def hear_request(self, begin: int) -> None:
        self._hear([(35, "2"), (7, str(begin)), (16, "0")])

    def settle(self) -> list[str]:
        at = self._at + timedelta(minutes=5)
        held = Held(self._group, self._session, "e", 1, adapter_named("fix44"), before=at, at=at)
        settled = settle_post_trade(held=held, asked_after=self._asked, limit=LIMIT)
        self._asked = settled.asked_upto
        return self._take(settled.outgoing)

    def told(self) -> set[str]:
        rows = PostTradeIntent.objects.exclude(reason="").values_list("id", "name", "answered_at")
        return {name for pk, name, answered in rows if answered or is_raised(f"post-trade-unanswered:{pk}")}

    def _take(self, outgoing: Sequence[Outgoing]) -> list[str]:
        self._out |= {one.cl_ord_id: one for one in outgoing}
        return [one.cl_ord_id for one in outgoing]

    def _hear(self, fields: Fields) -> None:
        self._inbound += 1
        self._keep("in", self._inbound, fields)

    def _keep(self, direction: str, number: int, fields: Fields) -> None:
        raw = format_message("FIX.4.4", [*fields, (34, str(number))])
        WireMessage.objects.create(
            direction=direction, session=self._session, epoch="e", msg_seq_num=number, msg_type=fields[0][1], raw=raw,
            recorded_at=self._at,
        )  # fmt: skip
