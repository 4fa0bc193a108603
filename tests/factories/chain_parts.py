"""What a chain of trades is made of: executions as the venue says them, orders as it has them, desks that divide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from django.db import transaction

from allocations.models import WashAccount
from authorisation.domain.principal import Principal
from kernel.errors import OmsError
from kernel.fix import Side
from kernel.numbers import ZERO, minor_unit
from orders.domain.results import CaptureResult
from orders.domain.state import ONE
from refdata.models import Listing
from tests.factories import DeskWorld


@dataclass
class Said:
    """What the venue says of one execution as it stands: nothing of a busted one."""

    order: CaptureResult
    listing: Listing
    account: str
    side: Side
    number: int
    qty: Decimal
    px: Decimal
    day: date
    ref: str

    def worth(self, qty: Decimal) -> tuple[Decimal, Decimal]:
        """Units and money that ``qty`` of it bring."""
        value = (qty * self.px / self.listing.price_divisor).quantize(
            minor_unit(self.listing.currency), ROUND_HALF_EVEN
        )
        return (qty, -value) if self.side.is_buy else (-qty, value)


@dataclass
class Placed:
    """An order that works at the venue. ``accepted`` is excess that two people took, in the shares of before any split;
    ``anew`` is the ratio by which the venue has stated what was executed."""

    result: CaptureResult
    listing: Listing
    account: str
    side: Side
    ordered: Decimal
    left: Decimal
    dead: bool = False
    accepted: Decimal = ZERO
    anew: Decimal = ONE


@dataclass(frozen=True)
class Team:
    """A desk with a wash account of its own: who trades and divides for whom."""

    desk: DeskWorld
    wash: WashAccount
    dealer: Principal
    clients: tuple[str, ...]


def taken(step: Callable[[], object]) -> bool:
    """Whether the house took the step; what it refuses changes nothing."""
    try:
        with transaction.atomic():
            step()
    except OmsError:
        return False
    return True
