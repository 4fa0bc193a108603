"""Build a projection from nothing beside the one in force, then put it in force: what a new version needs once.

The one in force goes on meanwhile; nobody sees the new one before it has caught up.
"""

from __future__ import annotations

from datetime import datetime

from journal.domain.projecting import Projection
from journal.selectors.horizon import Horizon
from journal.services.advance_projection import advance_projection
from journal.services.swap_projection import swap_projection


def rebuild_projection(*, projection: Projection, at: datetime, slice_: int = 200_000) -> int:
    """Read the whole journal in slices up to what is settled, keep the state, put its version in force.

    ``projection`` is empty when given. Returns the position it stands at.
    """
    horizon = Horizon()
    position = 0
    while position < (ceiling := horizon.position()):
        position = advance_projection(projection=projection, position=position, up_to=ceiling, limit=slice_)
    swap_projection(projection=projection, position=position, at=at)
    return position
