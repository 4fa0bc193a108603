"""Every lock this room takes: a corporate action (after approval requests, before accounts), then listings, last prices.

Prices are locked by ascending listing, after the row of their feed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final
from uuid import UUID

from journal.bulk import raw_cursor
from kernel.errors import NotFound
from refdata.domain.judging import Held
from refdata.domain.quality import Quality
from refdata.models import CorporateAction, Listing

_HELD = """
SELECT listing_id, last, bid, ask, bid_size, ask_size, previous_close, phase, quality, suspicion, doubted_last,
       doubted_at, doubted_tick, witnesses, source, priced_at, tick, session
  FROM refdata_referenceprice WHERE listing_id = ANY(%s::uuid[]) ORDER BY listing_id FOR NO KEY UPDATE
"""
_NAMES: Final = tuple(field.name for field in fields(Held))
_QUALITY_AT: Final = _NAMES.index("quality")


def lock_action(action_id: UUID) -> CorporateAction:
    """The action, locked until commit. Raises NotFound ACTION_UNKNOWN."""
    rows = CorporateAction.objects.select_for_update(no_key=True, of=("self",))
    action = rows.select_related("instrument", "listing__market").filter(id=action_id).first()
    if action is None:
        raise NotFound("ACTION_UNKNOWN", "There is no such corporate action.")
    return action


def lock_listings_of(instrument_id: UUID) -> list[Listing]:
    """Every listing of the instrument, by id, locked until commit."""
    rows = Listing.objects.select_for_update(no_key=True, of=("self",)).select_related("instrument")
    return list(rows.filter(instrument_id=instrument_id).order_by("id"))


def lock_prices(listing_ids: Iterable[UUID]) -> dict[UUID, Held]:
    """The prices held of these listings, locked until commit: one statement. Who has none yet is absent."""
    with raw_cursor() as cursor:
        cursor.execute(_HELD, [sorted(set(listing_ids))])
        return {row[0]: _held(*row[1:]) for row in cursor.fetchall()}


def _held(*values: Any) -> Held:
    return Held(**dict(zip(_NAMES, values, strict=True)) | {"quality": Quality(values[_QUALITY_AT])})
