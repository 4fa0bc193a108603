"""Files of a test, and what a reader makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reconciliation.domain.records import COLUMNS, Kind
from reconciliation.formats.read_statement import open_statement

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "docs" / "formats" / "examples"


def written(folder: Path, content: str | bytes, name: str = "file") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, kind: str, **options: Any) -> tuple[list[dict[str, str]], Any]:
    """The rows by column, without empty values, and the statement at its end."""
    statement = open_statement(path, kind, **options)
    names = [one.name for one in COLUMNS[Kind(kind)]]
    rows = [
        {"line": str(row.line)} | {name: value for name, value in zip(names, row.values, strict=True) if value}
        for row in statement.rows()
    ]
    return rows, statement


def codes(statement: Any) -> list[tuple[int, str, str]]:
    """The problems as line, column and code."""
    return [(one.line, one.column, one.code) for one in statement.problems]
