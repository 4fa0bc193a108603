"""What readers of the journal are given, and what writers of anomalies hand over. Frozen, plain, pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

ANOMALY_RAISED = "AnomalyRaised"
ANOMALY_CLEARED = "AnomalyCleared"


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One committed event as a listener sees it. ``position`` orders all events; ``seq`` orders one stream."""

    position: int
    id: UUID
    stream: str
    seq: int
    kind: str
    version: int
    actor: str
    on_behalf_of: str
    correlation_id: UUID
    causation_id: UUID | None
    event_at: datetime
    received_at: datetime
    recorded_at: datetime
    business_date: date
    payload: dict[str, Any]


class Severity(StrEnum):
    """How much harm an anomaly can do while nobody looks."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something a person must look at. One ``dedupe_key`` is one matter: raised again it counts, it does not multiply.

    ``evidence`` is plain JSON; ``sentence`` says what is wrong and what we believe.
    """

    kind: str
    severity: Severity
    subject_type: str
    subject_id: str
    sentence: str
    dedupe_key: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer once given under an idempotency key: HTTP ``status`` and JSON ``answer``."""

    payload_hash: str
    status: int
    answer: Any


@dataclass(frozen=True, slots=True)
class ListenerRun:
    """One pass of a listener. ``busy``: another copy holds the cursor. ``position``: read up to here."""

    name: str
    position: int
    handled: int = 0
    set_aside: int = 0
    busy: bool = False
    more: bool = False


@dataclass(frozen=True, slots=True)
class CursorLag:
    """How far a listener is behind: events it has not read, and the age of the oldest of them in seconds."""

    name: str
    position: int
    depth: int
    oldest_s: float
