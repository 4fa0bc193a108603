"""Whether an allocation instruction of a client can be worked, before anything is compared; and with which code of FIX we say no. Pure.

The codes are those of AllocRejCode (88): what FIX has no code for travels as "other" with ours in the text. An instruction in
fragments (TotNoAllocs, 892) is judged when all its accounts have come: until then it is received, no more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from kernel.numbers import ZERO, plain
from kernel.post_trade import AccountLine

UNKNOWN_ACCOUNT, WRONG_QUANTITY, WRONG_PRICE, WRONG_COMMISSION, WRONG_SHARES, WRONG_MONEY, MISMATCHED = (
    *("0", "1", "2", "4", "8", "9", "11"),
)
_CODES = {
    "qty": WRONG_QUANTITY,
    "avg_px": WRONG_PRICE,
    "commission": WRONG_COMMISSION,
    "gross": WRONG_MONEY,
    "fees": WRONG_MONEY,
    "net": WRONG_MONEY,
    "account": UNKNOWN_ACCOUNT,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an instruction is refused: AllocRejCode (88) and the sentence."""

    code: str
    sentence: str


def is_whole(*, came: int, total: int | None) -> bool:
    """Whether all accounts of an instruction have come; one that says no total is whole in itself."""
    return total is None or came >= total


def fault_in(qty: Decimal | None, lines: Sequence[AccountLine], known: Collection[str]) -> Fault | None:
    """The first thing wrong with a whole instruction of these accounts; ``known``: the codes among them that are ours."""
    if not lines:
        return Fault(WRONG_SHARES, "It names no account.")
    strange = sorted({line.account for line in lines} - set(known))
    if strange:
        more = f" and {len(strange) - 3} more" if len(strange) > 3 else ""
        return Fault(UNKNOWN_ACCOUNT, f"Unknown account {', '.join(strange[:3])}{more}.")
    empty = [line.account for line in lines if line.qty <= ZERO]
    if empty:
        return Fault(WRONG_SHARES, f"{empty[0]} is given no quantity.")
    shares = sum((line.qty for line in lines), ZERO)
    if qty is not None and shares != qty:
        return Fault(WRONG_SHARES, f"The accounts add up to {plain(shares)}, the block is {plain(qty)}.")
    return None


def code_of(field: str) -> str:
    """The code for a field in which an instruction differs from what we booked."""
    return _CODES.get(field, MISMATCHED)
