"""Put another version of a projection in force: its snapshot and the pointer to it become visible together."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from journal.bulk import insert_rows
from journal.domain.projecting import Projection
from journal.models import ProjectionInForce
from journal.services.store_snapshot import store_snapshot


def swap_projection(
    *, projection: Projection, position: int, at: datetime, singleton: tuple[str, int] | None = None
) -> None:
    """From this commit on readers find this version, as of ``position``; until then the one before."""
    with transaction.atomic():
        store_snapshot(projection=projection, position=position, at=at, singleton=singleton)
        insert_rows(
            ProjectionInForce,
            [(projection.name, projection.version, at)],
            fields=("name", "version", "swapped_at"),
            on_conflict="(name) DO UPDATE SET version = excluded.version, swapped_at = excluded.swapped_at",
        )
