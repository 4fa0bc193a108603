"""Post-trade messages for tests: one that a room releases, and what a counterparty says back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from journal.domain.chain import EventDraft
from journal.models import Event
from journal.services.append_to_stream import append_to_stream
from journal.services.run_listener import run_listener
from kernel.ids import new_id
from kernel.post_trade import AccountLine, FillLine, MessageKind, PostTradeMessage, from_json, to_json
from venues.domain.fix_codec import Fields
from venues.domain.post_trade import write
from venues.services import on_post_trade_released


def block_message(at: datetime, **changes: Any) -> PostTradeMessage:
    """An allocation instruction of 300 VOD.L for two accounts."""
    line = AccountLine(
        "1001", "ACME-1", Decimal(100), Decimal("72.5"), None, Decimal("3.63"), Decimal("0.5"), Decimal("76.63")
    )
    message = PostTradeMessage(
        kind=MessageKind.ALLOCATION_INSTRUCTION, ref="B-7-1", counterparty="T1", transact_at=at, block_ref="B-7", side="1",
        symbol="VOD.L", isin="GB00BH4HKS39", mic="XLON", currency="GBP", qty=Decimal(300), avg_px=Decimal("72.5"),
        trade_date=date(2026, 11, 26), settlement_date=date(2026, 11, 30),
        fills=(FillLine("E-1", Decimal(100), Decimal("72.5")), FillLine("E-2", Decimal(200), Decimal("72.5"))),
        accounts=(line, replace(line, ref="1002", account="ACME-2", qty=Decimal(200), net=Decimal("153.26"))),
    )  # fmt: skip
    return replace(message, **changes)


def confirmation_of(block: PostTradeMessage, place: int, ref: str, **changes: Any) -> PostTradeMessage:
    """The broker's confirmation of one account of a block."""
    line = replace(block.accounts[place], gross=Decimal("72.50") * (place + 1))
    said = replace(
        block, kind=MessageKind.CONFIRMATION, ref=ref, ref_of=block.ref, allocation_ref=line.ref, capacity="A", fills=(),
        qty=line.qty, accounts=(line,),
    )  # fmt: skip
    return replace(said, **changes)


def fix44(message: PostTradeMessage) -> Fields:
    """As the counterparty's FIX 4.4 would say it."""
    return list(write(message, begin_string="FIX.4.4"))


def release(message: PostTradeMessage, *, at: datetime) -> Event:
    """What the room that allocates does: one event."""
    event_id = new_id()
    draft = EventDraft(
        id=event_id, stream=f"post-trade:{message.counterparty}", kind="PostTradeMessageReleased", actor="process:test",
        correlation_id=event_id, event_at=at, received_at=at, business_date=at.date(), payload=to_json(message),
    )  # fmt: skip
    append_to_stream(drafts=[draft], at=at)
    return Event.objects.get(id=event_id)


def route_post_trade(*, at: datetime) -> None:
    """What relay does with the releases."""
    kinds = ("PostTradeMessageReleased",)
    while run_listener(name="venues.post_trade", kinds=kinds, handle=on_post_trade_released.handle, at=at).handled:
        pass


def received() -> list[PostTradeMessage]:
    """What the inbox told, in order."""
    events = Event.objects.filter(kind="PostTradeMessageReceived").order_by("position")
    return [from_json(event.payload) for event in events]
