"""A table as a file in one of the forms, with its name, type and digest."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from kernel.canonical import sha256
from kernel.errors import Invalid
from operations.exporting.csv_file import csv_of
from operations.exporting.json_file import json_of
from operations.exporting.pdf_file import pdf_of_table
from operations.exporting.table import Table
from operations.exporting.xlsx_file import xlsx_of

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMS: dict[str, tuple[str, str, Callable[[Table], bytes]]] = {
    "csv": ("csv", "text/csv; charset=utf-8", csv_of),
    "csv-bom": ("csv", "text/csv; charset=utf-8", lambda table: csv_of(table, bom=True)),
    "xlsx": ("xlsx", _XLSX, xlsx_of),
    "json": ("json", "application/json", json_of),
    "pdf": ("pdf", "application/pdf", pdf_of_table),
}
"""Name of a form: suffix, type, maker."""


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file to hand over. ``sha256`` is of the whole file; ``rows_sha256`` of the rows in it, the same in every form."""

    name: str
    content_type: str
    body: bytes
    sha256: str
    rows_sha256: str
    rows: int


def export_table(table: Table, form: str) -> ExportedFile:
    """Raises Invalid EXPORT_FORM_UNKNOWN."""
    if form not in FORMS:
        raise Invalid("EXPORT_FORM_UNKNOWN", f"A file is made as one of {', '.join(FORMS)}.")
    suffix, content_type, make = FORMS[form]
    body = make(table)
    slug = re.sub(r"[^a-z0-9]+", "-", table.heading.title.lower()).strip("-")[:60] or "export"
    name = f"{slug}-{table.heading.at:%Y%m%dT%H%M%SZ}.{suffix}"
    return ExportedFile(name, content_type, body, sha256(body).hex(), table.sha256, len(table.rows))
