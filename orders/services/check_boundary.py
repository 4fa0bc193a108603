"""The last look before the wire at one request: see ``check_boundaries``."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from orders.domain.results import BoundaryAnswer
from orders.services.check_boundaries import check_boundaries


def check_boundary(*, request_id: UUID, at: datetime) -> BoundaryAnswer:
    """Whether it may leave now, else the code and sentence of the first refusal. Three reads, no lock, no write."""
    return check_boundaries(request_ids=[request_id], at=at)[request_id]
