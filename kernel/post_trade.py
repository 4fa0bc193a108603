"""Post-trade messages in the words of the house: what travels between the room that allocates and the room that sends.

Neither of the two knows the other: both know this record. It carries FIX AllocationInstruction (35=J), its ack (P),
AllocationReport (AS), its ack (AT), Confirmation (AK) and its ack (AU), and the lines of files that say the same. Decimals travel as
text; quantities are units, prices are in the price unit of the venue, money is unsigned unless a field says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


class MessageKind(StrEnum):
    """Which message it is."""

    ALLOCATION_INSTRUCTION = "allocation_instruction"
    ALLOCATION_ACK = "allocation_ack"
    ALLOCATION_REPORT = "allocation_report"
    ALLOCATION_REPORT_ACK = "allocation_report_ack"
    CONFIRMATION = "confirmation"
    CONFIRMATION_ACK = "confirmation_ack"


class TransType(StrEnum):
    """AllocTransType (71) or ConfirmTransType (666): what it does to the one named by ``ref_of``."""

    NEW = "new"
    REPLACE = "replace"
    CANCEL = "cancel"


class AckStatus(StrEnum):
    """What an ack says: AllocStatus (87) of P and AT, AffirmStatus (940) of AU."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    AFFIRMED = "affirmed"


@dataclass(frozen=True, slots=True)
class FillLine:
    """An execution in a block: ExecID (17), LastQty (32), LastPx (31)."""

    exec_id: str
    qty: Decimal
    px: Decimal


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order of a block: ClOrdID (11), OrderID (37), its executed quantity and average price."""

    cl_ord_id: str
    venue_order_id: str
    qty: Decimal
    avg_px: Decimal


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account of an allocation: IndividualAllocID (467), AllocAccount (79), AllocQty (80), and money in the currency."""

    ref: str
    account: str
    qty: Decimal
    avg_px: Decimal
    gross: Decimal | None = None
    commission: Decimal | None = None
    fees: Decimal | None = None
    net: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PostTradeMessage:
    """``ref`` is the sender's name of it (AllocID, AllocReportID, ConfirmID), ``ref_of`` the one it answers, replaces or
    cancels, ``block_ref`` the block, ``allocation_ref`` the account's allocation (IndividualAllocID). A confirmation has one
    account line; an ack has none. ``total_accounts`` (TotNoAllocs) is said where a block comes in fragments of one name."""

    kind: MessageKind
    ref: str
    counterparty: str
    transact_at: datetime
    ref_of: str = ""
    block_ref: str = ""
    allocation_ref: str = ""
    trans_type: TransType = TransType.NEW
    ack_status: AckStatus | None = None
    reject_code: str = ""
    text: str = ""
    side: str = ""
    symbol: str = ""
    isin: str = ""
    mic: str = ""
    currency: str = ""
    capacity: str = ""
    qty: Decimal | None = None
    avg_px: Decimal | None = None
    trade_date: date | None = None
    settlement_date: date | None = None
    total_accounts: int | None = None
    orders: tuple[OrderLine, ...] = ()
    fills: tuple[FillLine, ...] = ()
    accounts: tuple[AccountLine, ...] = field(default_factory=tuple)


_LINES: dict[str, type[Any]] = {"orders": OrderLine, "fills": FillLine, "accounts": AccountLine}
_DECIMALS = frozenset({"qty", "px", "avg_px", "gross", "commission", "fees", "net"})
_TEXTS = ("ref", "account", "exec_id", "cl_ord_id", "venue_order_id")
_DATES = frozenset({"trade_date", "settlement_date"})
BESIDE = frozenset({"wire_message_id", "session"})
"""What the event of a message that came says beside it: the stored message, and the session that carried it."""


def to_json(message: PostTradeMessage) -> dict[str, Any]:
    """As plain JSON; what is empty is left out, but for names that must be there."""
    return _told(message, needed=("ref",))


def _told(record: Any, *, needed: tuple[str, ...]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for column in fields(record):
        value = getattr(record, column.name)
        if value in (None, "", ()) and column.name not in needed:
            continue
        if column.name in _LINES:
            told[column.name] = [_told(line, needed=_TEXTS) for line in value]
        elif isinstance(value, StrEnum):
            told[column.name] = value.value
        elif isinstance(value, Decimal):
            told[column.name] = format(value.normalize(), "f")
        elif isinstance(value, datetime | date):
            told[column.name] = value.isoformat()
        else:
            told[column.name] = value
    return told


def from_json(body: Mapping[str, Any]) -> PostTradeMessage:
    """The inverse of :func:`to_json`; raises ValueError, KeyError or TypeError for what it cannot have written.

    What an event says beside the message (``BESIDE``) is left out.
    """
    read: dict[str, Any] = {}
    for name, value in body.items():
        if name in BESIDE:
            continue
        if name in _LINES:
            read[name] = tuple(_LINES[name](**_blank(_LINES[name]) | _numbers(line)) for line in value)
        else:
            read[name] = value
    read = _numbers(read)
    read["kind"] = MessageKind(body["kind"])
    read["transact_at"] = datetime.fromisoformat(body["transact_at"])
    if "trans_type" in body:
        read["trans_type"] = TransType(body["trans_type"])
    if "ack_status" in body:
        read["ack_status"] = AckStatus(body["ack_status"])
    for name in _DATES & body.keys():
        read[name] = date.fromisoformat(body[name])
    return PostTradeMessage(**_blank(PostTradeMessage) | read)


def _blank(kind: type[Any]) -> dict[str, Any]:
    """The names and texts of a record as they are when nothing was said of them."""
    return {column.name: "" for column in fields(kind) if column.type == "str"}


def _numbers(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Decimal(value) if name in _DECIMALS else value for name, value in body.items()}
