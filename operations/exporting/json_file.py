"""JSON: heading, columns and rows exactly as they are; nothing is neutralised because nothing here is run.

``sha256`` can be computed again by anybody: it is over the canonical JSON of ``{"columns": …, "rows": …}`` as they stand here.
"""

from __future__ import annotations

from kernel.canonical import canonical_json
from operations.exporting.table import Table

FORMAT = "oms-table/1"


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
