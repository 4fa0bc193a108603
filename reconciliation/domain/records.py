"""What one record of the outside says, kind by kind: the columns that readers fill, staging holds and matching compares. Pure.

One table for all formats: a CSV's header names these columns, the reader of any other format fills the same ones. Values
are text as the file says it until staging gives them their type. A column that is not ``required`` may be empty; empty is
"the file does not say", never zero.

Quantities in units, never signed by side (``side`` says it; a short position is negative). Money signed from the account's
point of view: positive came in. Prices in the unit the venue trades in (pence are not pounds).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a file is about: ``START_OF_DAY`` are taken into the books, ``RECONCILED`` compared with them, some both."""

    ACCOUNTS = "accounts"
    HOLDINGS = "holdings"
    OPEN_ORDERS = "open_orders"
    CASH = "cash"
    ORDERS = "orders"
    EXECUTIONS = "executions"
    POSITIONS = "positions"
    ALLOCATIONS = "allocations"
    SETTLEMENTS = "settlements"


START_OF_DAY = (Kind.ACCOUNTS, Kind.CASH, Kind.HOLDINGS, Kind.OPEN_ORDERS)
RECONCILED = (
    Kind.ORDERS, Kind.OPEN_ORDERS, Kind.EXECUTIONS, Kind.POSITIONS, Kind.CASH, Kind.ALLOCATIONS, Kind.SETTLEMENTS,
)  # fmt: skip


class Type(StrEnum):
    """How staging types a column. ``amount`` is numeric(24, 8), ``instant`` a UTC timestamp with microseconds."""

    TEXT = "text"
    AMOUNT = "amount"
    DATE = "date"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True)
class Column:
    """``name`` is the CSV header too; ``says`` is the line of the format page; ``longest`` bounds texts."""

    name: str
    type: Type
    says: str
    required: bool = False
    longest: int = 64


def _text(name: str, says: str, *, required: bool = False, longest: int = 64) -> Column:
    return Column(name, Type.TEXT, says, required, longest)


def _amount(name: str, says: str, *, required: bool = False) -> Column:
    return Column(name, Type.AMOUNT, says, required)


_ACCOUNT = _text("account", "The trading account, as we call it or by a declared alternate", required=True, longest=34)
_ISIN = _text("isin", "ISO 6166; this or a symbol must be there", longest=12)
_SYMBOL = _text("symbol", "As typed at the desk (VOD.L), or the venue's own symbol together with mic", longest=24)
_MIC = _text("mic", "ISO 10383 of the market", longest=4)
_CL_ORD_ID = _text("cl_ord_id", "FIX 11: our name of the request the order works under")
_ORIG = _text("orig_cl_ord_id", "FIX 41: the request it took the place of")
_VENUE_ORDER_ID = _text("venue_order_id", "FIX 37: the counterparty's name of the order")
_SIDE = _text("side", "FIX 54: 1 buy, 2 sell, 5 sell short, 6 sell short exempt; the words buy, sell too", longest=20)
_AS_OF = Column("as_of", Type.DATE, "The day the figure is of; the file's own when empty")

_ORDER: tuple[Column, ...] = (
    _CL_ORD_ID,
    _ORIG,
    _VENUE_ORDER_ID,
    _text("account", "The trading account, where the counterparty knows it", longest=34),
    _ISIN,
    _SYMBOL,
    _MIC,
    _SIDE,
    _text("ord_type", "FIX 40: 1 market, 2 limit, 3 stop, 4 stop limit", longest=20),
    _text("time_in_force", "FIX 59; empty is a day order", longest=20),
    _text("ord_status", "FIX 39, or its word: new, partially_filled, filled, canceled, …", required=True, longest=24),
    _amount("order_qty", "FIX 38", required=True),
    _amount("cum_qty", "FIX 14"),
    _amount("leaves_qty", "FIX 151"),
    _amount("price", "FIX 44, in the unit the venue trades in"),
    Column("transact_time", Type.INSTANT, "FIX 60, with its zone"),
)

_POST_TRADE: tuple[Column, ...] = (
    _text(
        "our_ref",
        "Our name of it as they give it back: A-… , the ConfirmID, or the reference of the instruction",
        longest=35,
    ),
    _text("their_ref", "Their name of it", longest=64),
    _ACCOUNT,
    _ISIN,
    _SYMBOL,
    _MIC,
    _text("side", "FIX 54, of the account: 1 buy or receipt, 2 sale or delivery", required=True, longest=20),
    _amount("qty", "Units, from zero up", required=True),
    _text("currency", "ISO 4217 of money", longest=3),
    Column("trade_date", Type.DATE, "FIX 75; the file's own day when empty"),
    Column("settlement_date", Type.DATE, "FIX 64"),
)

COLUMNS: dict[Kind, tuple[Column, ...]] = {
    Kind.ACCOUNTS: (
        _ACCOUNT,
        _text("client", "The client's code", required=True, longest=24),
        _text("client_name", "The client's name", longest=120),
        _text("lei", "ISO 17442 of the client", longest=20),
        _text("name", "What the account is called", required=True, longest=120),
        _text("account_group", "The group it is granted with", required=True, longest=24),
        _text("base_currency", "ISO 4217", required=True, longest=3),
        _text("state", "active, reduce_only, frozen or closed", required=True, longest=12),
        _text("account_class", "What fees it pays; standard when empty", longest=24),
        _text("short_allowed", "yes or no; no when empty", longest=5),
    ),
    Kind.HOLDINGS: (_ACCOUNT, _ISIN, _SYMBOL, _MIC, _amount("qty", "Settled units", required=True), _AS_OF),
    Kind.POSITIONS: (
        _ACCOUNT,
        _ISIN,
        _SYMBOL,
        _MIC,
        _amount("qty", "Units on ``basis``; negative is short", required=True),
        _text("basis", "settled or traded; settled when empty", longest=8),
        _AS_OF,
    ),
    Kind.CASH: (
        _text("record", "balance or entry; balance when empty", longest=8),
        _ACCOUNT,
        _text("currency", "ISO 4217", required=True, longest=3),
        _amount("opening", "Of a balance: booked, at the begin of the day"),
        _amount(
            "amount",
            "Of a balance: booked (never available), at its end. Of an entry: what came in or went out",
            required=True,
        ),
        _AS_OF,
        _text("entry_ref", "Of an entry: the bank's reference"),
        _text(
            "our_ref",
            "Of an entry: ours, as the bank gives it back: order, ExecID, withdrawal or end-to-end id",
            longest=140,
        ),
        Column("value_date", Type.DATE, "Of an entry"),
        _text("narrative", "Of an entry: what else the bank says", longest=500),
    ),
    Kind.ALLOCATIONS: (
        *_POST_TRADE,
        _amount("avg_px", "FIX 153, in the unit the venue trades in"),
        _amount("gross", "FIX 381, without costs, from zero up"),
        _amount("commission", "FIX 12, a cost is positive"),
        _amount("fees", "FIX 137 summed, a cost is positive"),
        _amount("net", "FIX 154, from zero up"),
        _text("status", "unconfirmed, confirmed or affirmed", longest=24),
    ),
    Kind.SETTLEMENTS: (
        *_POST_TRADE,
        _amount("amount", "Money against the units, from zero up"),
        _amount("settled_qty", "Of the units, those that changed hands"),
        _text("status", "pending, partial, settled, failed or rejected", longest=24),
    ),
    Kind.ORDERS: _ORDER,
    Kind.OPEN_ORDERS: _ORDER,
    Kind.EXECUTIONS: (
        _text("exec_id", "FIX 17", required=True),
        _text("exec_ref_id", "FIX 19: of a bust or correction, the execution it is about"),
        _text("exec_type", "trade, bust (FIX H) or correction (FIX G); trade when empty", longest=12),
        _CL_ORD_ID,
        _VENUE_ORDER_ID,
        _text("account", "The trading account, where the counterparty knows it", longest=34),
        _ISIN,
        _SYMBOL,
        _MIC,
        _SIDE,
        _amount("last_qty", "FIX 32", required=True),
        _amount("last_px", "FIX 31, in the unit the venue trades in", required=True),
        _text("currency", "ISO 4217 of money", longest=3),
        _amount("commission", "FIX 12, in ``currency``, a cost is positive"),
        _amount("fees", "FIX 137 summed, in ``currency``, a cost is positive"),
        Column("trade_date", Type.DATE, "FIX 75; the venue's date of transact_time when empty"),
        Column("transact_time", Type.INSTANT, "FIX 60, with its zone"),
        Column("settlement_date", Type.DATE, "FIX 64"),
    ),
}


def names_of(kind: Kind) -> tuple[str, ...]:
    """The columns of a kind, in order."""
    return tuple(column.name for column in COLUMNS[kind])
