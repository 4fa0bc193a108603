"""The words others use for what FIX has a code for, and for the few choices of our own. Blind to case, spaces and underscores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kernel.fix import ORD_STATUS_NAMES, OrdStatus

TRADE: Final = "trade"
BUST: Final = "bust"
CORRECTION: Final = "correction"
BALANCE: Final = "balance"
ENTRY: Final = "entry"


def plain_word(text: str) -> str:
    """``Partially_Filled``, ``PARTIALLY FILLED`` and ``PartiallyFilled`` are one word."""
    return "".join(one for one in text.lower() if one.isalnum())


_SIDES: Final = dict(zip("1256", "1256", strict=True)) | {
    "buy": "1", "b": "1", "sell": "2", "s": "2", "sellshort": "5", "ss": "5", "sellshortexempt": "6", "sse": "6",
}  # fmt: skip
_ORD_TYPES: Final = dict(zip("1234", "1234", strict=True)) | {
    "market": "1", "mkt": "1", "limit": "2", "lmt": "2", "stop": "3", "stoplimit": "4",
}  # fmt: skip
_TIMES: Final = dict(zip("0123467", "0123467", strict=True)) | {
    "day": "0", "gtc": "1", "goodtillcancel": "1", "opg": "2", "atopen": "2", "attheopening": "2", "ioc": "3",
    "immediateorcancel": "3", "fok": "4", "fillorkill": "4", "gtd": "6", "goodtilldate": "6", "atclose": "7",
    "attheclose": "7", "atc": "7", "moc": "7",
}  # fmt: skip
_STATUSES: Final = (
    {status.value.lower(): status.value for status in OrdStatus}
    | {name.lower(): status.value for status, name in ORD_STATUS_NAMES.items()}
    | {"cancelled": "4", "partfilled": "1", "partial": "1", "accepted": "0", "open": "0"}
)
_EXEC_TYPES: Final = (
    dict.fromkeys(("trade", "f", "fill", "partialfill", "1", "2"), TRADE)
    | dict.fromkeys(("bust", "busted", "h", "cancel", "tradecancel"), BUST)
    | dict.fromkeys(("correction", "corrected", "g", "correct", "tradecorrect"), CORRECTION)
)
_YES_NO: Final = dict.fromkeys(("yes", "y", "true", "t", "1"), "yes") | dict.fromkeys(
    ("no", "n", "false", "f", "0"), "no"
)

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "side": _SIDES,
    "ord_type": _ORD_TYPES,
    "time_in_force": _TIMES,
    "ord_status": _STATUSES,
    "exec_type": _EXEC_TYPES,
    "record": {"balance": BALANCE, "b": BALANCE, "entry": ENTRY, "e": ENTRY},
    "basis": {"settled": "settled", "traded": "traded"},
    "short_allowed": _YES_NO,
    "state": {
        "active": "active", "reduceonly": "reduce_only", "frozen": "frozen", "closed": "closed",
    },
}  # fmt: skip
"""Column -> word as :func:`plain_word` has it -> what staging holds."""

OPEN: Final = frozenset({"side", "ord_type", "time_in_force"})
"""Columns where any other single letter or digit is a FIX code too: it stays, and will agree with nothing of ours."""

DEFAULTS: Final[Mapping[str, str]] = {"exec_type": TRADE, "record": BALANCE, "basis": "settled", "short_allowed": "no"}
"""What an empty value means, where the contract of the kind says so."""
