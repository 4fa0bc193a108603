"""What we tell a counterparty of an allocation, as messages both rooms know (``kernel.post_trade``). Pure.

As buy side we instruct (J, in messages of at most ``LINES`` accounts, each whole in itself), affirm (AU) and answer reports (AT). As
broker we report (AS) and confirm (AK), and answer instructions (P). What was sent is undone by a cancel that names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from allocations.domain.matching import Says
from kernel.numbers import ZERO
from kernel.post_trade import (
    AccountLine,
    AckStatus,
    FillLine,
    MessageKind,
    OrderLine,
    PostTradeMessage,
    TransType,
)

LINES = 1000
CANCELED = "-X"
"""What the name of a cancel ends with: the name of what it undoes comes before."""
REPLACED = "-R"
CAME_BACK = "returned:"
"""How the source of a rejection begins that nobody said: a message of ours came back."""
ACKS = (MessageKind.ALLOCATION_ACK, MessageKind.ALLOCATION_REPORT_ACK, MessageKind.CONFIRMATION_ACK)
PRICE_PLACES = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Line:
    """An allocation with what names it; money without a sign."""

    allocation_id: UUID
    number: int
    block_id: UUID
    block_number: int
    round: int
    kind: str
    counterparty: str
    account: str
    account_class: str
    symbol: str
    isin: str
    mic: str
    currency: str
    capacity: str
    side: str
    qty: Decimal
    avg_px: Decimal
    gross: Decimal
    commission: Decimal
    fees: Decimal
    net: Decimal
    trade_date: date
    settlement_date: date
    state: str

    @property
    def ref(self) -> str:
        """What people and counterparties call it."""
        return f"A-{self.number}"

    @property
    def block_ref(self) -> str:
        """The block's name."""
        return f"B-{self.block_number}"

    @property
    def says(self) -> Says:
        """As it is compared with what the counterparty says: with the price as it was told, not one that nobody could repeat."""
        return Says(
            account=self.account, block_ref=self.block_ref, isin=self.isin, symbol=self.symbol, mic=self.mic, side=self.side,
            currency=self.currency, trade_date=self.trade_date, settlement_date=self.settlement_date, qty=self.qty,
            avg_px=self.avg_px.quantize(PRICE_PLACES), gross=self.gross, commission=self.commission, fees=self.fees, net=self.net,
        )  # fmt: skip

    @property
    def account_line(self) -> AccountLine:
        """As it travels."""
        return AccountLine(
            ref=self.ref, account=self.account, qty=self.qty, avg_px=self.avg_px.quantize(PRICE_PLACES), gross=self.gross,
            commission=self.commission, fees=self.fees, net=self.net,
        )  # fmt: skip


def split_charges(charges: Iterable[Sequence[object]]) -> tuple[Decimal, Decimal]:
    """Commission, and everything else together: [kind, name, version, amount] each."""
    commission = fees = ZERO
    for kind, _name, _version, amount in charges:
        if kind == "commission":
            commission += Decimal(str(amount))
        else:
            fees += Decimal(str(amount))
    return commission, fees


def said_of(message: PostTradeMessage, line: AccountLine | None) -> Says:
    """What a message of the counterparty says of one account; of none, what it says of the whole."""
    shared = Says(
        block_ref=message.block_ref, isin=message.isin, symbol=message.symbol, mic=message.mic, side=message.side,
        currency=message.currency, trade_date=message.trade_date, settlement_date=message.settlement_date,
        qty=message.qty, avg_px=message.avg_px,
    )  # fmt: skip
    if line is None:
        return shared
    return replace(
        shared, account=line.account, qty=line.qty, avg_px=line.avg_px, gross=line.gross, commission=line.commission,
        fees=line.fees, net=line.net,
    )  # fmt: skip


def message_ref(first: Line, version: int) -> str:
    """The name of a message: block, round, the first allocation in it, and its version."""
    return f"{first.block_ref}-{first.round}-{first.number}.{version}"


def next_ref(ref: str) -> str:
    """The name of what replaces a message: the same with ``-R1``, then ``-R2``."""
    base, mark, number = ref.partition(REPLACED)
    return f"{base}{REPLACED}{int(number) + 1 if mark else 1}"


def of_block(
    kind: MessageKind,
    lines: Sequence[Line],
    *,
    ref: str,
    at: datetime,
    orders: Sequence[OrderLine] = (),
    fills: Sequence[FillLine] = (),
    trans_type: TransType = TransType.NEW,
    ref_of: str = "",
) -> PostTradeMessage:
    """An instruction (J) or a report (AS) of these lines, or the cancel of one."""
    first = lines[0]
    qty = sum((line.qty for line in lines), ZERO)
    return PostTradeMessage(
        kind=kind, ref=ref, ref_of=ref_of, trans_type=trans_type, counterparty=first.counterparty, transact_at=at,
        block_ref=first.block_ref, side=first.side, symbol=first.symbol, isin=first.isin, mic=first.mic,
        currency=first.currency, capacity=first.capacity, qty=qty, avg_px=first.avg_px.quantize(PRICE_PLACES),
        trade_date=first.trade_date, settlement_date=first.settlement_date, orders=tuple(orders), fills=tuple(fills),
        accounts=tuple(line.account_line for line in lines),
    )  # fmt: skip


def confirmation(
    line: Line, *, ref: str, at: datetime, trans_type: TransType = TransType.NEW, ref_of: str = ""
) -> PostTradeMessage:
    """Our confirmation (AK) of one allocation, or its cancel."""
    whole = of_block(MessageKind.CONFIRMATION, [line], ref=ref, at=at, trans_type=trans_type, ref_of=ref_of)
    return replace(whole, allocation_ref=line.ref)


def answer(
    kind: MessageKind,
    status: AckStatus,
    *,
    counterparty: str,
    ref_of: str,
    at: datetime,
    text: str = "",
    reject_code: str = "",
    trade_date: date | None = None,
    block_ref: str = "",
    allocation_ref: str = "",
) -> PostTradeMessage:
    """P, AT or AU: what we say to the message ``ref_of`` of the counterparty; a no without a code of FIX says that it differs."""
    no = (reject_code or "DIFFERS") if status is AckStatus.REJECTED else ""
    return PostTradeMessage(
        kind=kind, ref=f"{ref_of}-{status.value}"[:64], counterparty=counterparty, transact_at=at, ref_of=ref_of, block_ref=block_ref,
        allocation_ref=allocation_ref, ack_status=status, reject_code=no,
        text=text, trade_date=trade_date,
    )  # fmt: skip
