"""A table as a file in one of the forms, with its name, type and digest."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kernel.canonical import payload_hash, sha256
from kernel.errors import Invalid
from operations.exporting.csv_file import csv_of
from operations.exporting.json_file import json_of, json_of_document
from operations.exporting.pdf_file import Section, pdf_of, pdf_of_table
from operations.exporting.table import Heading, Table
from operations.exporting.xlsx_file import xlsx_of, xlsx_of_document

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMS: dict[str, tuple[str, str, Callable[[Table], bytes]]] = {
    "csv": ("csv", "text/csv; charset=utf-8", csv_of),
    "csv-bom": ("csv", "text/csv; charset=utf-8", lambda table: csv_of(table, bom=True)),
    "xlsx": ("xlsx", _XLSX, xlsx_of),
    "json": ("json", "application/json", json_of),
    "pdf": ("pdf", "application/pdf", pdf_of_table),
}
"""Name of a form: suffix, type, maker."""
DOCUMENT_FORMS: dict[str, Callable[[Heading, Sequence[Section], Sequence[tuple[str, str]]], bytes]] = {
    "pdf": lambda heading, sections, facts: pdf_of(heading, sections, facts=facts),
    "xlsx": xlsx_of_document,
    "json": json_of_document,
}


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
    name = _name(table.heading, suffix)
    return ExportedFile(name, content_type, body, sha256(body).hex(), table.sha256, len(table.rows))


def export_document(
    heading: Heading, sections: Sequence[Section], facts: Sequence[tuple[str, str]], form: str
) -> ExportedFile:
    """Sentences and several tables as one file. Raises Invalid EXPORT_FORM_UNKNOWN: what is no single table is no CSV."""
    if form not in DOCUMENT_FORMS:
        raise Invalid("EXPORT_FORM_UNKNOWN", f"A report is made as one of {', '.join(DOCUMENT_FORMS)}.")
    body = DOCUMENT_FORMS[form](heading, sections, facts)
    tables = [section.table for section in sections if section.table is not None]
    digest = payload_hash({"tables": [table.sha256 for table in tables]})
    rows = sum(len(table.rows) for table in tables)
    return ExportedFile(_name(heading, form), FORMS[form][1], body, sha256(body).hex(), digest, rows)


def _name(heading: Heading, suffix: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", heading.title.lower()).strip("-")[:60] or "export"
    return f"{slug}-{heading.at:%Y%m%dT%H%M%SZ}.{suffix}"
