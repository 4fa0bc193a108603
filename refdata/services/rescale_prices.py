"""Carry prices over a corporate action: every figure of some listings times one factor, as a tick of its own.

Called by whoever applies the action, in its transaction, once for each; the feed's connection and what it vouches for
stay as they are. A doubt stays too: the feed's next words are measured by the new figures.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID

from journal.bulk import one_transaction, update_rows, write_rows
from kernel.ids import new_id
from refdata.domain.judging import Held
from refdata.locks import lock_prices
from refdata.models import PriceTick, ReferencePrice

SOURCE = "rescaled"
_PLACES = Decimal("0.00000001")
_FIELDS = ("last", "bid", "ask", "bid_size", "ask_size", "previous_close", "tick", "priced_at")
_TICK = (
    "id", "listing_id", "source", "made_at", "received_at", "last", "bid", "ask", "previous_close", "phase", "outcome",
)  # fmt: skip


def rescale_prices(
    *, at: datetime, listing_ids: Collection[UUID], factor: Decimal
) -> dict[UUID, tuple[Decimal, Decimal]]:
    """Multiply last, bid, ask and previous close by ``factor`` (half-even to eight places); sizes are forgotten.

    Returns the last price before and after by listing; listings without a price are absent.
    """
    if not factor.is_finite() or factor <= 0:
        raise ValueError(f"a price cannot be scaled by {factor}")
    with one_transaction():
        held = lock_prices(listing_ids)
        scaled = {listing_id: _scaled(price, factor, at) for listing_id, price in sorted(held.items())}
        write_prices(scaled, at=at)
    return {listing_id: (held[listing_id].last, now.last) for listing_id, now in scaled.items()}


def write_prices(prices: Mapping[UUID, Held], *, at: datetime) -> None:
    """Store locked prices as they are given, each with its tick."""
    write_rows(PriceTick, [_row(listing_id, now, at) for listing_id, now in prices.items()], fields=_TICK)
    rows = [(listing_id, *(getattr(now, name) for name in _FIELDS)) for listing_id, now in prices.items()]
    update_rows(ReferencePrice, rows, key=("listing_id",), fields=_FIELDS)


def _scaled(held: Held, factor: Decimal, at: datetime) -> Held:
    def times(value: Decimal | None) -> Decimal | None:
        return None if value is None else (value * factor).quantize(_PLACES, rounding=ROUND_HALF_EVEN)

    last = times(held.last)
    assert last is not None
    return replace(
        held,
        last=last,
        bid=times(held.bid),
        ask=times(held.ask),
        bid_size=None,
        ask_size=None,
        previous_close=times(held.previous_close),
        tick=new_id(),
        priced_at=max(at, held.priced_at),
    )


def _row(listing_id: UUID, now: Held, at: datetime) -> tuple[object, ...]:
    figures = (now.last, now.bid, now.ask, now.previous_close)
    return (now.tick, listing_id, SOURCE, at, at, *figures, now.phase, "applied")
