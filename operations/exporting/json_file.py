"""JSON: heading, columns and rows exactly as they are; nothing is neutralised because nothing here is run.

``sha256`` can be computed again by anybody: it is over the canonical JSON of ``{"columns": …, "rows": …}`` as they stand here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernel.canonical import canonical_json
from operations.exporting.pdf_file import Section
from operations.exporting.table import Heading, Table

FORMAT = "oms-table/1"
DOCUMENT_FORMAT = "oms-document/1"


def json_of(table: Table) -> bytes:
    """The whole file; decimals as text, times in UTC."""
    head = table.heading
    body = {
        "format": FORMAT,
        "title": head.title,
        "taken_by": head.who,
        "taken_at": head.at,
        "zone": head.zone,
        "filter": {name: value for name, value in head.filter.items() if value},
        "row_count": len(table.rows),
        "left_out": table.left_out,
        "sha256": table.sha256,
        "titles": [column.title for column in table.columns],
        "columns": [column.name for column in table.columns],
        "rows": table.rows,
    }
    return canonical_json(body) + b"\n"


def json_of_document(heading: Heading, sections: Sequence[Section], facts: Sequence[tuple[str, str]]) -> bytes:
    """What is said and every table of it, each with its digest."""
    body = {
        "format": DOCUMENT_FORMAT,
        "title": heading.title,
        "at": heading.at,
        "facts": dict(facts),
        "sections": [
            {
                "title": section.title,
                "sentences": section.sentences,
                **(_of_section(section.table) if section.table is not None else {}),
            }
            for section in sections
        ],
    }
    return canonical_json(body) + b"\n"


def _of_section(table: Table) -> dict[str, Any]:
    return {
        "columns": [column.name for column in table.columns],
        "rows": table.rows,
        "row_count": len(table.rows),
        "left_out": table.left_out,
        "sha256": table.sha256,
    }
