"""Keep which session group an order goes to: ``record_routes`` for one order."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from orders.services.record_routes import record_routes


def record_route(*, order_id: UUID, session_group: str, at: datetime) -> None:
    """Set the group. Raises NotFound ORDER_UNKNOWN, Conflict ORDER_ROUTED when it went elsewhere before."""
    record_routes(routes={order_id: session_group}, at=at)
