"""Blocks that are booked, as their tables and events have them, without the services that book: for what comes after.

``booked_block`` writes block, allocations and ``AllocationBooked``; ``reversed_block`` ends them and tells it. Money of accounts
is not moved: who needs balances books with the service.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.models import CashBalance, Client, TradingAccount
from allocations.domain.telling import BlockTold, LineTold, direct_parts, parts
from allocations.models import Allocation, Block, BlockFill, SendingRule, WashAccount
from journal.bulk import write_rows
from journal.domain.chain import EventDraft
from journal.domain.records import EventRecord
from journal.selectors import stream_records
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from kernel.numbers import ZERO, round_money
from tests.factories import AT, DeskWorld, make_account

DAY = date(2026, 11, 20)
SETTLES = date(2026, 11, 24)


@dataclass(frozen=True, slots=True)
class BookedWorld:
    """A block with what each account got."""

    block: Block
    lines: tuple[Allocation, ...]

    @property
    def events(self) -> list[EventRecord]:
        """Those of the block, in order."""
        return list(stream_records(f"block:{self.block.id}"))


def make_wash_account(world: DeskWorld, code: str = "WASH-1") -> WashAccount:
    """A wash account of the desk with its rounding and error accounts."""
    made = [make_account(f"{code}{end}", group=world.group, cash="0") for end in ("", "-R", "-E")]
    return WashAccount.objects.create(account=made[0], desk=world.desk, rounding_account=made[1], error_account=made[2])


def leave_at_once() -> None:
    """Instructions leave on booking: for what is not about when they leave."""
    if not SendingRule.objects.exists():
        SendingRule.objects.create(
            leaves="on_booking", valid_from=date(2000, 1, 1), version=1, event_id=new_id(), recorded_at=AT
        )


def make_clients(world: DeskWorld, code: str, count: int, *, cash: int = 10_000_000) -> list[tuple[UUID, str]]:
    """So many accounts of one client with settled pounds, as (id, code), in no time."""
    client = Client.objects.create(id=new_id(), code=code, name=f"Many of {code}")
    made = [(new_id(), f"{code}{number:05d}") for number in range(count)]
    rows = [(pk, name, name, client.id, world.group.pk, "GBP", "active", False, 1) for pk, name in made]
    write_rows(
        TradingAccount, rows,
        fields=("id", "code", "name", "client_id", "group_id", "base_currency", "state", "short_allowed", "version"),
    )  # fmt: skip
    fields = ("account_id", "currency", "settled", "pending", "reserved")
    write_rows(CashBalance, [(pk, "GBP", cash, 0, 0) for pk, _ in made], fields=fields)
    return made


@transaction.atomic
def booked_block(
    world: DeskWorld,
    shares: Sequence[tuple[TradingAccount, int]],
    *,
    wash: WashAccount | None = None,
    side: str = "1",
    px: str = "72.45",
    number: int = 1,
    at: datetime = AT,
    trade_date: date = DAY,
    settlement_date: date = SETTLES,
    fees: str = "0",
    session_group: str = "T1",
) -> BookedWorld:
    """A block of the world's listing that ``shares`` (account, units) divide at one price; the rounding line where it is needed."""
    wash = wash or make_wash_account(world, f"WASH-{number}")
    sign = -1 if side == "1" else 1
    price, charge = Decimal(px), Decimal(fees)
    qty = sum(units for _, units in shares)
    cash = sign * round_money(qty * price / world.listing.price_divisor, world.listing.currency)
    block = Block.objects.create(
        id=new_id(), number=number, key=f"w:test:{number}", kind=Block.Kind.BLOCK, account=wash.account, desk=world.desk,
        listing=world.listing, instrument_id=world.listing.instrument_id, side=side, currency=world.listing.currency,
        price_divisor=world.listing.price_divisor, session_group=session_group, trade_date=trade_date,
        settlement_date=settlement_date, qty=qty, notional=qty * price, avg_px=price, cash=cash, fills=1, state="booked",
        round=1, method="fixed", created_at=at, updated_at=at, booked_at=at, booked_by="test",
    )  # fmt: skip
    lines, event_id, left = [], new_id(), cash
    for place, (account, units) in enumerate(shares):
        gross = sign * round_money(units * price / block.price_divisor, block.currency)
        left -= gross
        lines.append(_line(block, account, 1000 * number + place, units, gross, charge, event_id, at))
    if left:
        lines.append(_line(block, wash.rounding_account, 1000 * number + 999, 0, left, ZERO, event_id, at))
    made = BookedWorld(block, tuple(Allocation.objects.bulk_create(lines)))
    _tell("AllocationBooked", made, at, event_id)
    return made


@transaction.atomic
def reversed_block(made: BookedWorld, *, at: datetime, why: str = "busted") -> None:
    """Every line of it is undone before it settled: the block is to be booked anew."""
    event_id = new_id()
    made.block.change()
    made.block.save(update_fields=["state"])
    for line in made.lines:
        line.state, line.ended_at, line.ended_event_id = "reversed", at, event_id
        line.save(update_fields=["state", "ended_at", "ended_event_id"])
    _tell("AllocationReversed", made, at, event_id, why=why)


@transaction.atomic
def direct_trade(
    world: DeskWorld,
    *,
    units: int = 1000,
    px: str = "72.45",
    side: str = "1",
    number: int = 500,
    fees: str = "0",
    at: datetime = AT,
) -> BookedWorld:
    """A trade of an order that was for the world's own account: a direct block with its one allocation."""
    price, sign = Decimal(px), -1 if side == "1" else 1
    gross = sign * round_money(units * price / world.listing.price_divisor, world.listing.currency)
    block = Block.objects.create(
        id=new_id(), number=number, key=f"d:test:{number}", kind=Block.Kind.DIRECT, account=world.account, desk=world.desk,
        listing=world.listing, instrument_id=world.listing.instrument_id, side=side, currency=world.listing.currency,
        price_divisor=world.listing.price_divisor, session_group="T1", trade_date=DAY, settlement_date=SETTLES, qty=units,
        notional=units * price, avg_px=price, cash=gross, fills=1, state="booked", round=1, method="direct", created_at=at,
        updated_at=at, booked_at=at, booked_by="test",
    )  # fmt: skip
    event_id = new_id()
    line = _line(block, world.account, 1000 * number, units, gross, Decimal(fees), event_id, at)
    line.save()
    made = BookedWorld(block, (line,))
    draft = _draft(
        "DirectTradesFormed",
        "allocations:direct",
        direct_parts([(told_block(block), told_line(line))])[0],
        at,
        event_id,
    )
    append_to_stream(drafts=[draft], at=at)
    return made


def told_block(block: Block) -> BlockTold:
    """The block as its events tell it."""
    return BlockTold(
        block.id, block.number, block.kind, block.round, block.account_id, block.desk_id, block.listing_id,
        block.instrument_id, block.side, block.currency, block.price_divisor, block.capacity, block.session_group,
        block.trade_date, block.settlement_date, block.method, block.scheme,
    )  # fmt: skip


def told_line(line: Allocation) -> LineTold:
    """An allocation as its events tell it."""
    return LineTold(
        line.id, line.number, line.account_id, line.booked_account_id, line.side, line.qty, line.avg_px, line.gross,
        line.fees, line.net, line.trade_date, line.settlement_date, tuple(tuple(charge) for charge in line.charges),
        line.is_rounding, line.state, line.reason, line.compensates_id,
    )  # fmt: skip


def _line(
    block: Block,
    account: TradingAccount,
    number: int,
    units: int,
    gross: Decimal,
    fees: Decimal,
    event_id: UUID,
    at: datetime,
) -> Allocation:
    charges = [["commission", "commission", 1, str(fees)]] if fees else []
    return Allocation(
        id=new_id(), number=number, block=block, round=block.round, account=account, booked_account_id=account.id,
        side=block.side, qty=units, avg_px=block.avg_px, gross=gross, charges=charges, fees=fees, net=gross - fees,
        is_rounding=not units, trade_date=block.trade_date, settlement_date=block.settlement_date, state="booked",
        booked_event_id=event_id, booked_at=at,
    )  # fmt: skip


def _tell(kind: str, made: BookedWorld, at: datetime, event_id: UUID, *, why: str = "") -> None:
    told = parts(told_block(made.block), [told_line(line) for line in made.lines], why=why)
    ids = [event_id, *(new_id() for _ in told[1:])]
    stream = f"block:{made.block.id}"
    append_to_stream(
        drafts=[_draft(kind, stream, payload, at, one) for payload, one in zip(told, ids, strict=True)], at=at
    )


def _draft(kind: str, stream: str, payload: dict[str, object], at: datetime, event_id: UUID) -> EventDraft:
    return EventDraft(
        id=event_id, stream=stream, kind=kind, actor="process:allocations", correlation_id=event_id, event_at=at,
        received_at=at, business_date=DAY, payload=payload,
    )  # fmt: skip


def open_block(
    world: DeskWorld,
    fills: Sequence[tuple[int, str]],
    *,
    wash: WashAccount | None = None,
    side: str = "1",
    number: int = 1,
    order_id: UUID | None = None,
    at: datetime = AT,
    **values: object,
) -> Block:
    """A block of executions (units, price) of one order that nobody has allocated yet, in the world's listing."""
    wash = wash or make_wash_account(world, f"WASH-{number}")
    listing, sign = world.listing, -1 if side == "1" else 1
    cash = [round_money(units * Decimal(px) / listing.price_divisor, listing.currency) for units, px in fills]
    qty, notional = sum(units for units, _ in fills), sum((units * Decimal(px) for units, px in fills), ZERO)
    defaults: dict[str, object] = {
        "id": new_id(), "number": number, "key": f"w:open:{number}", "kind": Block.Kind.BLOCK, "account": wash.account,
        "desk": world.desk, "listing": listing, "instrument_id": listing.instrument_id, "side": side,
        "currency": listing.currency, "price_divisor": listing.price_divisor, "session_group": "T1", "trade_date": DAY,
        "settlement_date": SETTLES, "qty": qty, "notional": notional, "avg_px": notional / qty, "cash": sign * sum(cash),
        "fills": len(fills), "state": "ready", "created_at": at, "updated_at": at,
    }  # fmt: skip
    block = Block.objects.create(**(defaults | values))
    order_id = order_id or new_id()
    BlockFill.objects.bulk_create(
        [
            BlockFill(
                execution_id=new_id(), block=block, order_id=order_id, qty=units, px=Decimal(px), cash=sign * money,
                event_id=new_id(), updated_at=at,
            )
            for (units, px), money in zip(fills, cash, strict=True)
        ]
    )  # fmt: skip
    return block
