"""The fields of an outbound contract: where each comes from in the journal, what it looks like outside. Pure.

A field is always there; one that may have nothing to say is null. Figures are text, as everywhere in the house.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from kernel.numbers import plain
from kernel.texts import utc_text


class Shape(StrEnum):
    """What a value looks like outside."""

    TEXT = "text"
    FIGURE = "figure"  # a decimal number as text, without exponent
    ID = "id"
    DAY = "day"
    TIME = "time"
    WORD = "word"  # one of a closed list


FIGURE_PATTERN = r"^-?[0-9]+(\.[0-9]+)?$"
_SCHEMAS: dict[Shape, dict[str, Any]] = {
    Shape.TEXT: {"type": "string"},
    Shape.FIGURE: {"type": "string", "pattern": FIGURE_PATTERN},
    Shape.ID: {"type": "string", "format": "uuid"},
    Shape.DAY: {"type": "string", "format": "date"},
    Shape.TIME: {"type": "string", "format": "date-time"},
    Shape.WORD: {"type": "string"},
}


@dataclass(frozen=True, slots=True)
class Field:
    """``at`` is the dotted place in the event's payload; ``words`` turns a code of ours into the word told outside.

    Without ``nullable`` a missing value is a breach (``ContractBroken``). An empty text is nothing, and told as null.
    """

    name: str
    shape: Shape
    at: str
    why: str
    nullable: bool = False
    words: Mapping[str, str] = field(default_factory=dict)

    def read(self, payload: Mapping[str, Any]) -> str | None:
        """The value as told outside. Raises ContractBroken where the payload does not keep what the contract promises."""
        found: Any = payload
        for step in self.at.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is None or found == "":
            if self.nullable:
                return None
            raise ContractBroken(f"{self.name} is missing at {self.at}")
        try:
            return self._told(found)
        except (KeyError, ValueError, ArithmeticError) as error:
            raise ContractBroken(f"{self.name} is {found!r}, which is no {self.shape.value}") from error

    def _told(self, found: Any) -> str:
        if self.shape is Shape.FIGURE:
            return plain(Decimal(found))
        if self.shape is Shape.ID:
            return str(UUID(str(found)))
        if self.shape is Shape.DAY:
            return date.fromisoformat(found).isoformat()
        if self.shape is Shape.TIME:
            return utc_text(datetime.fromisoformat(found).astimezone(UTC))
        return self.words[found] if self.words else str(found)

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the value."""
        made: dict[str, Any] = {**_SCHEMAS[self.shape], "description": self.why}
        if self.words:
            made["enum"] = [*sorted(set(self.words.values())), *([None] if self.nullable else [])]
        if self.nullable:
            made["type"] = ["string", "null"]
        return made


@dataclass(frozen=True, slots=True)
class Rows:
    """A list at ``at``, empty where there is none; ``of`` names the parts of each row: a key of it, or its place where it is a list."""

    name: str
    at: str
    why: str
    of: tuple[Field, ...]

    def read(self, payload: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every row as told outside. Raises ContractBroken as its fields do."""
        found: Any = payload
        for step in self.at.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        rows = [
            row if isinstance(row, Mapping) else {str(n): part for n, part in enumerate(row)} for row in found or ()
        ]
        return [{field.name: field.read(row) for field in self.of} for row in rows]

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the list."""
        row = {
            "type": "object", "properties": {one.name: one.schema for one in self.of},
            "required": sorted(one.name for one in self.of), "additionalProperties": True,
        }  # fmt: skip
        return {"type": "array", "items": row, "description": self.why}


class ContractBroken(Exception):
    """An event that does not keep the promise of its contract; nobody outside is told a guess instead."""
