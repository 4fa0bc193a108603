"""Every lock this room takes: prices by ascending listing, after the row of their feed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final
from uuid import UUID

from journal.bulk import raw_cursor
from refdata.domain.judging import Held
from refdata.domain.quality import Quality

_HELD = """
SELECT listing_id, last, bid, ask, bid_size, ask_size, previous_close, phase, quality, suspicion, doubted_last,
       doubted_at, doubted_tick, witnesses, source, priced_at, tick, session
  FROM refdata_referenceprice WHERE listing_id = ANY(%s::uuid[]) ORDER BY listing_id FOR NO KEY UPDATE
"""
_NAMES: Final = tuple(field.name for field in fields(Held))
_QUALITY_AT: Final = _NAMES.index("quality")


def lock_prices(listing_ids: Iterable[UUID]) -> dict[UUID, Held]:
    """The prices held of these listings, locked until commit: one statement. Who has none yet is absent."""
    with raw_cursor() as cursor:
        cursor.execute(_HELD, [sorted(set(listing_ids))])
        return {row[0]: _held(*row[1:]) for row in cursor.fetchall()}


def _held(*values: Any) -> Held:
    return Held(**dict(zip(_NAMES, values, strict=True)) | {"quality": Quality(values[_QUALITY_AT])})
