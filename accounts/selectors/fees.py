"""Fee schedules as this process knows them: read once a version, kept until the next."""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from uuid import UUID

from accounts.domain.fee_book import FeeBook, FeeSchedule
from accounts.domain.fees import Basis, ChargeKind, ChargeTerms, Tier
from accounts.models import FeeSchedule as FeeScheduleRow
from kernel.numbers import Rounding
from refdata.selectors import get_static_version

FEE_SCHEDULES: Final = "fee_schedules"
_book = [FeeBook()]


def get_fee_book() -> FeeBook:
    """All fee schedules of now."""
    return fee_book_of(get_static_version(FEE_SCHEDULES))


def fee_book_of(version: UUID | None) -> FeeBook:
    """All fee schedules, from the process's cache while they are of ``version``: who has read
    ``static_version(FEE_SCHEDULES)`` with the rest pays nothing. None: nothing was ever set.
    """
    if version is None:
        return FeeBook()
    if _book[0].version != version:
        _book[0] = FeeBook(tuple(list_fee_schedules()), version)
    return _book[0]


def list_fee_schedules() -> list[FeeSchedule]:
    """Every version of every schedule there is."""
    return [_schedule(row) for row in FeeScheduleRow.objects.order_by("name", "version", "id")]


def _schedule(row: FeeScheduleRow) -> FeeSchedule:
    terms = ChargeTerms(
        name=row.name,
        version=row.version,
        kind=ChargeKind(row.kind),
        basis=Basis(row.basis),
        rounding=Rounding(row.rounding),
        currency=row.currency,
        flat=row.flat,
        per_share=row.per_share,
        bps=row.bps,
        tiers=tuple(Tier(Decimal(up_to) if up_to is not None else None, Decimal(bps)) for up_to, bps in row.tiers),
        minimum=row.minimum,
        maximum=row.maximum,
        maximum_bps=row.maximum_bps,
        above=row.above,
    )
    return FeeSchedule(
        terms=terms,
        effective_from=row.effective_from,
        effective_to=row.effective_to,
        mic=row.mic,
        issuers=tuple(row.issuers.split()),
        asset_class=row.asset_class,
        account_class=row.account_class,
        side=row.side,
    )
