"""Files of the generator through the readers: however a sender writes them, the rows are the records of the book."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from reconciliation.domain.making.csv_file import DRESSES, write_csv
from reconciliation.domain.making.fix_log import write_fix_log
from reconciliation.domain.making.sheet import Book
from reconciliation.domain.records import COLUMNS, Kind, Type
from reconciliation.formats.read_statement import open_statement
from tests.unit.reconciliation.sheets import books, executions

STATUS = {"canceled": "4", "partially_filled": "1"}  # staging has the code of FIX 39
NAMED = [pytest.param(book, id=book.name) for book in books()]


def read(path: Path, content: bytes, kind: Kind) -> list[dict[str, object]]:
    path.write_bytes(content)
    statement = open_statement(path, kind)
    rows = [
        typed(kind, dict(zip([c.name for c in COLUMNS[kind]], row.values, strict=True))) for row in statement.rows()
    ]
    assert not statement.problems.total, statement.problems
    return rows


def typed(kind: Kind, values: dict[str, str]) -> dict[str, object]:
    """Only what says something, as what it is."""
    found: dict[str, object] = {}
    for column in COLUMNS[kind]:
        text = values.get(column.name, "")
        if text and column.type is Type.AMOUNT:
            found[column.name] = Decimal(text)
        elif text and column.type is Type.INSTANT:
            found[column.name] = datetime.fromisoformat(text)
        elif text:
            found[column.name] = STATUS.get(text, text)
    return found


@pytest.mark.parametrize("book", NAMED)
def test_csv_however_it_is_dressed(book: Book, tmp_path: Path) -> None:
    plain = read(tmp_path / "plain.csv", write_csv(book)[0], book.kind)
    wanted = [typed(book.kind, dict(record.values)) for record in book.records]
    assert [{name: row.get(name) for name in want} for row, want in zip(plain, wanted, strict=True)] == wanted
    for name, dress in DRESSES.items():
        assert read(tmp_path / f"{name}.csv", write_csv(book, dress, seed=5)[0], book.kind) == plain, name


@pytest.mark.parametrize("mark", ["|", "\x01"])
@pytest.mark.parametrize("noise", [True, False])
def test_a_fix_log_with_its_noise(mark: str, noise: bool, tmp_path: Path) -> None:
    book = executions()
    rows = read(tmp_path / "log", write_fix_log(book, mark=mark, noise=noise)[0], book.kind)
    wanted = [typed(book.kind, dict(record.values)) for record in book.records]
    for row, want in zip(rows, wanted, strict=True):
        row["symbol"] = want["symbol"]  # a drop copy has the venue's own
        assert {name: row.get(name) for name in want} == want
