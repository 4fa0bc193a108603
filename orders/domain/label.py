"""What names an order to the world outside, and by which grants somebody may hear of it. Pure."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID


class OrderLabel(NamedTuple):
    """Names that never change, and the desk and account group that must both be granted (``permissions.can_see``)."""

    order_id: UUID
    ref: str
    client_order_id: str
    account: str
    desk_id: int
    group_id: int
