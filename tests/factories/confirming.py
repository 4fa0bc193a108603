"""A block that is booked and confirmed with a counterparty whose messages a test says itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import TradingAccount
from allocations.models import Confirmation, CounterpartyTerms, MatchTolerance
from allocations.services._confirming import RELEASED
from allocations.services.on_allocated_confirm import handle as allocated
from allocations.services.on_post_trade_received import RECEIVED, RETURNED
from allocations.services.on_post_trade_received import handle as received
from journal.domain.chain import EventDraft
from journal.domain.records import EventRecord
from journal.models import Event
from journal.selectors import stream_records
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from kernel.post_trade import AckStatus, MessageKind, PostTradeMessage, from_json, to_json
from tests.factories import AT, DeskWorld, make_account, make_desk
from tests.factories.allocations import BookedWorld, booked_block

PARTY = "T1"


@dataclass
class ConfirmingWorld:
    """``said`` is what was released to the counterparty, in order; ``hear`` is what it answers."""

    desk: DeskWorld
    made: BookedWorld
    wire: int = 0

    @property
    def said(self) -> list[PostTradeMessage]:
        """Every message that was released to the counterparty."""
        return [from_json(event.payload) for event in stream_records(f"post-trade:{PARTY}") if event.kind == RELEASED]

    def hear(self, *messages: PostTradeMessage, at: datetime = AT, wire: str = "", kind: str = RECEIVED) -> None:
        """The counterparty says these; the listener works them as one slice."""
        drafts = []
        for message in messages:
            self.wire += 1
            payload = to_json(message) | {
                "wire_message_id": wire or f"{self.made.block.ref}:{self.wire}",
                "session": "T1-A",
            }
            drafts.append(event(kind, f"post-trade:{PARTY}", payload, at))
        append_to_stream(drafts=drafts, at=at)
        received(records([draft.id for draft in drafts]))

    def come_back(self, *messages: PostTradeMessage, text: str = "unsupported message") -> None:
        """Their session refuses these of ours."""
        head = {"accounts": (), "ack_status": AckStatus.REJECTED, "reject_code": "380=3", "text": text}
        self.hear(*(replace(one, **head) for one in messages), kind=RETURNED)  # type: ignore[arg-type]

    def states(self) -> dict[str, str]:
        """Ref to state of every confirmation."""
        return dict(Confirmation.objects.order_by("ref").values_list("ref", "state"))


def confirming_world(
    shares: tuple[int, ...] = (600, 400), *, desk: DeskWorld | None = None, **block: Any
) -> ConfirmingWorld:
    """A block of accounts C-0, C-1, … that is booked; its event was listened to."""
    desk = desk or make_desk()
    number = block.get("number", 1)
    accounts = [(known_account(desk, f"C{number}-{place}"), units) for place, units in enumerate(shares)]
    world = ConfirmingWorld(desk, booked_block(desk, accounts, **block))
    listen(world)
    return world


def known_account(desk: DeskWorld, code: str) -> TradingAccount:
    """The account of this code, made if need be."""
    return TradingAccount.objects.filter(code=code).first() or make_account(code, group=desk.group)


def listen(world: ConfirmingWorld) -> None:
    """The listener takes everything the block's stream holds, again if it must."""
    allocated(world.made.events)


def agree(**values: Any) -> CounterpartyTerms:
    """What was agreed with the counterparty."""
    version = CounterpartyTerms.objects.count() + 1
    return CounterpartyTerms.objects.create(
        **{"counterparty": PARTY, "role": "buy_side", "channel": "fix"} | values,
        version=version, event_id=new_id(), recorded_at=AT,
    )  # fmt: skip


def allow(field: str, amount: str = "0", *, bps: str = "0", **values: Any) -> MatchTolerance:
    """A tolerance of the counterparty."""
    version = MatchTolerance.objects.count() + 1
    return MatchTolerance.objects.create(
        **{"counterparty": PARTY, "field": field, "amount": Decimal(amount), "bps": Decimal(bps)} | values,
        version=version, event_id=new_id(), recorded_at=AT,
    )  # fmt: skip


def their_confirmation(
    world: ConfirmingWorld, place: int, *, ref: str = "", named: bool = True, **line: Any
) -> PostTradeMessage:
    """The AK of one account as the instruction has it, with changes of the account's line."""
    asked = world.said[0]
    account = replace(asked.accounts[place], **line)
    if not named:
        account = replace(account, ref="")
    return replace(
        asked, kind=MessageKind.CONFIRMATION, ref=ref or f"K-{place}", ref_of=asked.ref, orders=(), qty=account.qty,
        allocation_ref=account.ref, accounts=(account,), transact_at=AT + timedelta(minutes=1),
    )  # fmt: skip


def their_ack(kind: MessageKind, ref_of: str, status: AckStatus, text: str = "") -> PostTradeMessage:
    """P, AT or AU."""
    return PostTradeMessage(
        kind=kind,
        ref="",
        ref_of=ref_of,
        counterparty=PARTY,
        transact_at=AT + timedelta(minutes=2),
        ack_status=status,
        text=text,
    )


def event(kind: str, stream: str, payload: dict[str, Any], at: datetime) -> EventDraft:
    """An event of a room that is not under test."""
    event_id = new_id()
    return EventDraft(
        id=event_id, stream=stream, kind=kind, actor="process:test", correlation_id=event_id, event_at=at, received_at=at,
        business_date=at.date(), payload=payload,
    )  # fmt: skip


def records(ids: list[Any]) -> list[EventRecord]:
    """Events as a listener is given them."""
    streams = sorted(set(Event.objects.filter(id__in=ids).values_list("stream", flat=True)))
    return [one for stream in streams for one in stream_records(stream) if one.id in ids]


def anomalies() -> list[tuple[str, str]]:
    """Kind and whether it was raised or cleared, in order."""
    rows = Event.objects.filter(kind__in=("AnomalyRaised", "AnomalyCleared")).order_by("id")
    return [(row.payload["kind"], row.kind.removeprefix("Anomaly").lower()) for row in rows]
