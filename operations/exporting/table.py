"""A table to be exported: typed cells under named columns, a heading that says where it comes from, and its digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from zoneinfo import ZoneInfo

from kernel.canonical import payload_hash

MOST_ROWS = 50_000
"""More rows than this are left out and the file says so."""

Cell = str | Decimal | int | datetime | date | None


@dataclass(frozen=True, slots=True)
class Column:
    """``name`` is the key in JSON, ``title`` what people read. Numbers are known by the type of their cells, never by text."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Heading:
    """Who took what, when, by which filter. ``zone`` is the IANA name in which people read ``at`` and every time of the rows."""

    title: str
    who: str
    at: datetime
    zone: str = "UTC"
    filter: Mapping[str, str] = field(default_factory=dict)

    def local(self, moment: datetime) -> str:
        """A time as the file shows it: ISO 8601 with microseconds and offset."""
        return moment.astimezone(ZoneInfo(self.zone)).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` hold at most the bound given to :func:`make_table`; ``left_out`` says that there were more. ``sha256`` is over
    the canonical JSON of ``{"columns": names, "rows": rows}`` (see ``kernel.canonical``), whatever the form of the file."""

    heading: Heading
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    sha256: str
    left_out: str = ""

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """The header block: what each file says of itself."""
        head = self.heading
        chosen = "; ".join(f"{name}: {value}" for name, value in head.filter.items() if value)
        lines = [
            ("Export", head.title),
            ("Taken by", head.who),
            ("Taken at", f"{head.local(head.at)} ({head.zone})"),
            ("Filter", chosen or "none"),
            ("Rows", str(len(self.rows))),
            ("SHA-256 of rows", self.sha256),
        ]
        return (*lines, ("Left out", self.left_out)) if self.left_out else tuple(lines)


def make_table(
    heading: Heading, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, most: int = MOST_ROWS
) -> Table:
    """Take at most ``most`` rows. Raises ValueError for a row of another width or a float, which no figure of ours ever is."""
    taken = tuple(tuple(row) for row in islice(iter(rows), most + 1))
    for row in taken:
        if len(row) != len(columns):
            raise ValueError(f"A row has {len(row)} cells under {len(columns)} columns.")
        if any(isinstance(cell, float) for cell in row):
            raise ValueError("A float is no figure.")
    kept = taken[:most]
    left_out = f"There are more rows than {most:,}: only the first are here. Narrow the filter." if taken[most:] else ""
    digest = payload_hash({"columns": [column.name for column in columns], "rows": kept})
    return Table(heading, tuple(columns), kept, digest, left_out)
