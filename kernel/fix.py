"""FIX code sets in the spelling of the specification (4.4 with Errata 20030618 unless said)."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """Side (54)."""

    BUY = "1"
    SELL = "2"
    SELL_SHORT = "5"
    SELL_SHORT_EXEMPT = "6"

    @property
    def is_buy(self) -> bool:
        return self is Side.BUY

    @property
    def is_short(self) -> bool:
        return self in (Side.SELL_SHORT, Side.SELL_SHORT_EXEMPT)


class OrdType(StrEnum):
    """OrdType (40)."""

    MARKET = "1"
    LIMIT = "2"
    STOP = "3"
    STOP_LIMIT = "4"


class TimeInForce(StrEnum):
    """TimeInForce (59). Absent on the wire means Day."""

    DAY = "0"
    GTC = "1"
    AT_OPEN = "2"
    IOC = "3"
    FOK = "4"
    GTD = "6"
    AT_CLOSE = "7"


class OrdStatus(StrEnum):
    """OrdStatus (39): the venue's word about an order."""

    NEW = "0"
    PARTIALLY_FILLED = "1"
    FILLED = "2"
    DONE_FOR_DAY = "3"
    CANCELED = "4"
    REPLACED = "5"
    PENDING_CANCEL = "6"
    STOPPED = "7"
    REJECTED = "8"
    SUSPENDED = "9"
    PENDING_NEW = "A"
    CALCULATED = "B"
    EXPIRED = "C"
    ACCEPTED_FOR_BIDDING = "D"
    PENDING_REPLACE = "E"


class ExecType(StrEnum):
    """ExecType (150), 4.2 values included."""

    NEW = "0"
    PARTIAL_FILL = "1"
    FILL = "2"
    DONE_FOR_DAY = "3"
    CANCELED = "4"
    REPLACED = "5"
    PENDING_CANCEL = "6"
    STOPPED = "7"
    REJECTED = "8"
    SUSPENDED = "9"
    PENDING_NEW = "A"
    CALCULATED = "B"
    EXPIRED = "C"
    RESTATED = "D"
    PENDING_REPLACE = "E"
    TRADE = "F"
    TRADE_CORRECT = "G"
    TRADE_CANCEL = "H"
    ORDER_STATUS = "I"
    TRIGGERED = "L"


class ExecTransType(StrEnum):
    """ExecTransType (20), FIX 4.2 only."""

    NEW = "0"
    CANCEL = "1"
    CORRECT = "2"
    STATUS = "3"


class MsgType(StrEnum):
    """MsgType (35) of the messages the house speaks."""

    HEARTBEAT = "0"
    REJECT = "3"
    LOGON = "A"
    NEW_ORDER_SINGLE = "D"
    EXECUTION_REPORT = "8"
    ORDER_CANCEL_REJECT = "9"
    ORDER_CANCEL_REQUEST = "F"
    ORDER_CANCEL_REPLACE_REQUEST = "G"
    ORDER_STATUS_REQUEST = "H"
    ORDER_MASS_STATUS_REQUEST = "AF"
    DONT_KNOW_TRADE = "Q"
    BUSINESS_MESSAGE_REJECT = "j"
    ALLOCATION_INSTRUCTION = "J"
    ALLOCATION_INSTRUCTION_ACK = "P"
    ALLOCATION_REPORT = "AS"
    ALLOCATION_REPORT_ACK = "AT"
    CONFIRMATION = "AK"
    CONFIRMATION_ACK = "AU"


ORD_STATUS_NAMES: dict[OrdStatus, str] = {
    OrdStatus.NEW: "New",
    OrdStatus.PARTIALLY_FILLED: "PartiallyFilled",
    OrdStatus.FILLED: "Filled",
    OrdStatus.DONE_FOR_DAY: "DoneForDay",
    OrdStatus.CANCELED: "Canceled",
    OrdStatus.REPLACED: "Replaced",
    OrdStatus.PENDING_CANCEL: "PendingCancel",
    OrdStatus.STOPPED: "Stopped",
    OrdStatus.REJECTED: "Rejected",
    OrdStatus.SUSPENDED: "Suspended",
    OrdStatus.PENDING_NEW: "PendingNew",
    OrdStatus.CALCULATED: "Calculated",
    OrdStatus.EXPIRED: "Expired",
    OrdStatus.ACCEPTED_FOR_BIDDING: "AcceptedForBidding",
    OrdStatus.PENDING_REPLACE: "PendingReplace",
}
