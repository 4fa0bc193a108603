"""What a comparison finds, and by what name a finding is known again. Pure.

A break's key follows from kind, source, category and the ids of the records it is about, and from nothing else: no run, no
time, no figure. So the same difference found again is the same break, whatever it has grown to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from kernel.numbers import parse_decimal, plain, spelt

LONGEST_KEY = 300


class Category(StrEnum):
    """How two records can disagree; ``Break.Category`` has the same values."""

    MISSING_INTERNAL = "missing_internal"
    MISSING_EXTERNAL = "missing_external"
    STATUS = "status"
    QUANTITY = "quantity"
    PRICE = "price"
    FEE = "fee"
    DUPLICATE_SUSPECT = "duplicate_suspect"
    TIMING = "timing"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs: both words, and by how much where it is a number."""

    field: str
    ours: str
    theirs: str
    difference: str = ""

    def as_json(self) -> dict[str, str]:
        """As the break keeps it."""
        return {"field": self.field, "ours": self.ours, "theirs": self.theirs, "difference": self.difference}

    @property
    def spelt(self) -> tuple[str, str, str]:
        """Both words and the difference as a sentence says them: figures with their thousands apart, names as they are."""
        by = parse_decimal(self.difference) if self.difference else None
        if by is None:
            return self.ours, self.theirs, self.difference
        ours, theirs = (
            spelt(found) if (found := parse_decimal(one)) is not None else one for one in (self.ours, self.theirs)
        )
        return ours, theirs, spelt(by)


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between the books and a file, before anybody knows whether it was there yesterday.

    ``ids`` are the names both sides use; ``names`` of them make the key. ``lines`` are where the file says it. ``exposure`` is
    what may be wrong, in ``currency``, never negative.
    """

    category: Category
    ids: Mapping[str, str]
    names: tuple[str, ...]
    why: str
    suggestion: str = ""
    differences: tuple[Difference, ...] = ()
    ours: Mapping[str, Any] = field(default_factory=dict)
    theirs: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[int, ...] = ()
    candidates: tuple[Mapping[str, Any], ...] = ()
    exposure: Decimal | None = None
    currency: str = ""
    account_id: UUID | None = None
    instrument_id: UUID | None = None
    order_id: UUID | None = None
    execution_id: UUID | None = None
    event_at: datetime | None = None
    copy: int = 0  # of records that are the same in every name: which one of them

    def key(self, kind: str, source: str) -> str:
        """By what it is known again."""
        return break_key(
            kind, source, self.category, ((name, self.ids.get(name, "")) for name in self.names), self.copy
        )


def break_key(kind: str, source: str, category: str, ids: Iterable[tuple[str, str]], copy: int = 0) -> str:
    """``executions:XLON:quantity:exec_id=X1:order=O-2611-000001``; too long, its end is replaced by a digest of the whole."""
    parts = [f"{name}={value}" for name, value in ids if value]
    text = ":".join([kind, source, category, *parts, *([f"copy={copy}"] if copy else [])])
    if len(text) <= LONGEST_KEY:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    return f"{text[: LONGEST_KEY - len(digest) - 1]}#{digest}"


def number_difference(name: str, ours: Decimal, theirs: Decimal) -> Difference:
    """Theirs less ours."""
    return Difference(name, plain(ours), plain(theirs), plain(theirs - ours))


def with_unread(findings: Sequence[Finding], unread: int) -> Sequence[Finding]:
    """The findings, where what they miss in the file may be among the ``unread`` problems its reader had: then they say so."""
    if not unread:
        return findings
    doubt = f" {unread} of its figures could not be read; it may be among those."
    return [
        replace(found, why=found.why + doubt) if found.category is Category.MISSING_EXTERNAL else found
        for found in findings
    ]
