"""One settlement instruction as it is told to a custodian, whatever the format. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from kernel.numbers import ZERO

DELIVER, RECEIVE = "DELI", "RECE"


class Function(StrEnum):
    """What a line asks of the custodian."""

    NEW = "NEWM"
    CANCEL = "CANC"


@dataclass(frozen=True, slots=True)
class Ticket:
    """``amount`` is unsigned: a delivery is paid for, a receipt pays. ``counterparty`` is our name of the other side.
    ``previous``: the refused reference that it takes the place of."""

    ref: str
    function: Function
    delivery: str
    isin: str
    qty: Decimal
    amount: Decimal
    currency: str
    trade_date: date
    settlement_date: date
    safekeeping_account: str
    cash_account: str
    place: str
    agent: str
    counterparty: str
    made_at: datetime
    previous: str = ""

    @property
    def is_free(self) -> bool:
        """Free of payment."""
        return self.amount == ZERO


def ref_of(allocation_number: int, version: int) -> str:
    """TxId of an instruction: at most 16 characters, as custodians take them."""
    return f"S{allocation_number}-{version}"
