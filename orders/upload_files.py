"""Reads an uploaded CSV or XLSX file row by row. Wrong files are refused whole, before a single row is kept."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from kernel.errors import Invalid
from orders.domain.upload_rows import MAX_ROWS, SURPLUS, header_faults

MAX_BYTES = 20 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
MAX_PARTS = 500


def read_rows(*, file_name: str, content: bytes) -> list[dict[str, str]]:
    """Rows by lower-case column name, empty ones left out; at most 100,000. Raises Invalid (UPLOAD_…) otherwise."""
    if len(content) > MAX_BYTES:
        raise Invalid("UPLOAD_TOO_LARGE", "The file is larger than 20 MB; split it.")
    if file_name.lower().endswith(".xlsx"):
        cells = _xlsx_cells(content)
    elif file_name.lower().endswith(".csv"):
        cells = _csv_cells(content)
    else:
        raise Invalid("UPLOAD_TYPE", "Only .csv and .xlsx files are read.")
    header = next(cells, None)
    if header is None:
        raise Invalid("UPLOAD_EMPTY", "The file has no rows.")
    faults = header_faults(header)
    if faults:
        raise Invalid("UPLOAD_COLUMNS", " ".join(faults[:5]), {"columns": faults[:50]})
    names = [name.strip().lower() for name in header]
    rows: list[dict[str, str]] = []
    for line in islice(cells, MAX_ROWS * 2):
        if not any(cell.strip() for cell in line):
            continue
        row = dict(zip(names, [*line, *[""] * (len(names) - len(line))], strict=False))
        surplus = " ".join(line[len(names) :]).strip()
        if surplus:
            row[SURPLUS] = surplus
        rows.append(row)
        if len(rows) > MAX_ROWS:
            raise Invalid("UPLOAD_TOO_MANY_ROWS", f"The file has more than {MAX_ROWS:,} rows; split it.")
    if not rows:
        raise Invalid("UPLOAD_EMPTY", "The file has a header and no rows.")
    return rows


def _csv_cells(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(
            "UPLOAD_ENCODING", f"The file is not UTF-8 (byte {error.start + 1}); save it as CSV UTF-8."
        ) from error
    if "\x00" in text:
        raise Invalid("UPLOAD_ENCODING", "The file holds zero bytes; save it as CSV UTF-8.")
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise Invalid("UPLOAD_MALFORMED", f"The file is not well-formed CSV: {error}.") from error


def _xlsx_cells(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS:
                raise Invalid("UPLOAD_TOO_LARGE", f"The workbook has more than {MAX_PARTS} parts.")
            if sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise Invalid("UPLOAD_TOO_LARGE", "The workbook unpacks to more than 200 MB.")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
        for row in book.worksheets[0].iter_rows(values_only=True):
            yield [_cell_text(value) for value in row]
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError) as error:
        # SyntaxError is what every XML parser's own error is, whichever of them the library found installed.
        raise Invalid("UPLOAD_MALFORMED", "The file is not a readable .xlsx workbook.") from error


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        # A spreadsheet keeps every number as binary; its shortest text is what the person typed.
        return repr(value).removesuffix(".0")
    if hasattr(value, "date"):
        return str(value.date())
    return str(value)
