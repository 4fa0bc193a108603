"""An order and its requests as far as a hand-over concerns them: read narrow, because it is on the way of every message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from journal.domain.chain import Head


@dataclass(slots=True)
class LeavingRequest:
    """A locked request; ``orig_cl_ord_id`` becomes the one it leaves with."""

    id: UUID
    kind: str
    state: str
    cl_ord_id: str
    orig_cl_ord_id: str | None
    payload: Mapping[str, Any]


@dataclass(slots=True)
class LeavingOrder:
    """A locked order with all its requests, oldest first."""

    id: UUID
    ref: str
    account_id: UUID
    desk_id: int
    correlation_id: UUID
    trade_date: date
    head: Head
    facts: Mapping[str, Any]
    requests: list[LeavingRequest]
