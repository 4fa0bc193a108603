"""CSV: the header block as rows of two cells, an empty row, titles, rows. UTF-8, CRLF, comma; a BOM only when asked for."""

from __future__ import annotations

import csv
import io

from operations.exporting.cells import cell_text, is_typed, neutral
from operations.exporting.table import Cell, Heading, Table

BOM = b"\xef\xbb\xbf"


def csv_of(table: Table, *, bom: bool = False) -> bytes:
    """The whole file."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    for name, value in table.facts:
        writer.writerow((name, neutral(value)))
    writer.writerow(())
    writer.writerow([neutral(column.title) for column in table.columns])
    for row in table.rows:
        writer.writerow([_cell(cell, table.heading) for cell in row])
    return (BOM if bom else b"") + buffer.getvalue().encode()


def _cell(cell: Cell, heading: Heading) -> str:
    text = cell_text(cell, heading)
    return text if is_typed(cell) else neutral(text)
