"""What was found in a file, in plain values that rows of tables and rules share. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """``fault_code`` and ``fault`` when the reader could not use it; ``rows`` None when only its header was read.

    ``opening`` and ``closing`` are booked balances by ``account currency``, as far as the door gathered them.
    """

    format: str = ""
    source: str = ""
    day: date | None = None
    cut_at: datetime | None = None
    sequence: str = ""
    previous: str = ""
    said: Mapping[str, Any] = field(default_factory=dict)
    rows: int | None = None
    refused_rows: int = 0
    sums: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[Mapping[str, Any]] = ()
    opening: Mapping[str, Decimal] = field(default_factory=dict)
    closing: Mapping[str, Decimal] = field(default_factory=dict)
    fault_code: str = ""
    fault: str = ""
