"""Staging: the database holds what the reader gives, whichever way the lines went, and nothing of a file that is refused."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from reconciliation.domain.records import COLUMNS, Kind, Type, names_of
from reconciliation.formats.csv_file import CsvStatement
from reconciliation.formats.problems import FileProblem
from reconciliation.formats.read_statement import open_statement
from reconciliation.staging import staged
from tests.unit.reconciliation.files import EXAMPLES, written

pytestmark = pytest.mark.django_db


def table_of(path: Path, kind: str, **options: Any) -> tuple[list[tuple[Any, ...]], Any]:
    with connection.cursor() as cursor, staged(cursor, path, kind, **options) as found:
        cursor.execute(f"SELECT line, {', '.join(names_of(Kind(kind)))} FROM {found.table} ORDER BY line")
        return cursor.fetchall(), found


def typed(kind: str, line: int, values: tuple[str, ...]) -> tuple[Any, ...]:
    read: dict[Type, Any] = {
        Type.TEXT: str,
        Type.AMOUNT: Decimal,
        Type.DATE: date.fromisoformat,
        Type.INSTANT: datetime.fromisoformat,
    }
    return (
        line,
        *(read[one.type](text) if text else None for one, text in zip(COLUMNS[Kind(kind)], values, strict=True)),
    )


@pytest.mark.parametrize("kind", [kind.value for kind in Kind])
def test_what_is_staged_is_what_is_read(kind: str) -> None:
    rows, found = table_of(EXAMPLES / f"{kind}.csv", kind)
    statement = open_statement(EXAMPLES / f"{kind}.csv", kind)
    assert rows == [typed(kind, row.line, row.values) for row in statement.rows()]
    assert found.rows == len(rows) == found.counted.rows
    assert found.counted == statement.counted


def test_clean_and_unclean_lines_of_one_file_arrive_alike(tmp_path: Path) -> None:
    """Every line spelled at random; what goes through untouched and what is read first must not differ."""
    dice = random.Random(38)
    wild = {
        "qty": ["10", "10.0", "+10", "-0.5", "1e3", "NaN", "1,5", "", "0.123456789", "Infinity", "-7"],
        "isin": ["GB00BH4HKS39", "gb00bh4hks39", "GB00BH4HKS38", "", '"GB0005405286"'],
        "symbol": ["VOD.L", "", " VOD.L ", '"a ""b"""', "null", "\\N", "\\."],
        "as_of": ["2026-11-25", "20261125", "2026-02-30", "2024-02-29", "today", "infinity", ""],
        "account": ["AC1", "", "#AC1", '"AC,1"', "Müller", "x" * 40],
        "basis": ["settled", "Traded", "", "owed"],
        "mic": ["XLON", "xlon", "LSE", ""],
        "note": ["", "free text", '"quoted; text"'],
    }
    lines = [",".join(wild)] + [",".join(dice.choice(cells) for cells in wild.values()) for _ in range(2_000)]
    path = written(tmp_path, "\n".join(lines))
    rows, found = table_of(path, "positions")
    statement = open_statement(path, "positions")
    assert rows == [typed("positions", row.line, row.values) for row in statement.rows()]
    assert 20 < len(rows) < 1_000
    assert list(found.problems) == list(statement.problems)
    assert found.problems.counts == statement.problems.counts
    assert found.counted == statement.counted


def test_a_clean_file_is_not_read_value_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_arguments: Any) -> None:
        raise AssertionError("a clean line was read value by value")

    monkeypatch.setattr(CsvStatement, "judge", never)
    for kind in ("positions", "orders", "executions"):
        assert table_of(EXAMPLES / f"{kind}.csv", kind)[1].rows > 1


def test_types_are_those_of_the_kind_and_empty_is_null() -> None:
    rows, _found = table_of(EXAMPLES / "executions.csv", "executions")
    first = dict(zip(("line", *names_of(Kind.EXECUTIONS)), rows[0], strict=True))
    assert first["line"] == 3
    assert first["exec_ref_id"] is None
    assert first["last_px"] == Decimal("72.34")
    assert first["transact_time"] == datetime(2026, 11, 25, 14, 2, 10, 118_000, UTC)
    assert first["settlement_date"] == date(2026, 11, 27)


def test_what_empty_means_is_filled_in(tmp_path: Path) -> None:
    for content in ("account,symbol,qty\nAC1,VOD,1\n", "account,symbol,qty,basis\nAC1,VOD,1,\n"):
        rows, _found = table_of(written(tmp_path, content), "positions")
        assert rows[0] == (2, "AC1", None, "VOD", None, Decimal(1), "settled", None)


@pytest.mark.parametrize("ending", ["#TRAILER rows=4 sum.last_qty=2401", "#TRAILER rows=5", ""])
def test_a_file_found_wrong_in_its_last_line_leaves_no_table(tmp_path: Path, ending: str) -> None:
    lines = (EXAMPLES / "executions.csv").read_text().splitlines()
    path = written(tmp_path, "\n".join([*lines[:-1], ending]))
    with connection.cursor() as cursor:
        with pytest.raises(FileProblem), staged(cursor, path, "executions"):
            raise AssertionError("it must not be used")
        cursor.execute("SELECT COUNT(*) FROM pg_class WHERE relname LIKE 'staged_%' AND relpersistence = 't'")
        assert cursor.fetchone() == (0,)


def test_the_table_is_gone_at_the_end_and_two_can_be_there_at_once() -> None:
    path = EXAMPLES / "positions.csv"
    with connection.cursor() as cursor:
        with staged(cursor, path, "positions") as one, staged(cursor, path, "positions") as other:
            assert one.table != other.table
            cursor.execute(f"SELECT COUNT(*) FROM {one.table} JOIN {other.table} USING (line)")
            assert cursor.fetchone() == (2,)
        cursor.execute("SELECT to_regclass(%s)", [one.table])
        assert cursor.fetchone() == (None,)


def test_sums_that_hold_are_those_of_rows_and_of_rows_left_out(tmp_path: Path) -> None:
    content = "account,isin,qty\nAC1,GB00BH4HKS39,10\nAC2,GB00BH4HKS38,5\n#TRAILER rows=2 sum.qty=15\n"
    _rows, found = table_of(written(tmp_path, content), "positions")
    assert found.counted.sums == {"qty": 15}
    assert (found.rows, found.counted.refused) == (1, 1)
    with pytest.raises(FileProblem) as problem:
        table_of(written(tmp_path, content.replace("=15", "=10")), "positions")
    assert problem.value.code == "FILE_SUM_DIFFERS"


def test_of_a_fix_log_each_order_has_its_last_report() -> None:
    rows, _found = table_of(EXAMPLES / "fix_log.txt", "orders")
    assert [(row[0], row[3], row[11], row[13]) for row in rows] == [(7, "LX-88120", "1", 200), (8, "LX-88131", "4", 0)]
    rows, found = table_of(EXAMPLES / "fix_log.txt", "open_orders")
    assert [(row[0], row[3]) for row in rows] == [(7, "LX-88120")]
    assert found.notes.counts["NOT_OPEN"] == 1
    assert table_of(EXAMPLES / "fix_log.txt", "executions")[1].rows == 4


def test_whoever_stops_it_midway_leaves_no_table_and_a_transaction_that_goes_on() -> None:
    class Cancelled(Exception):
        pass

    def stop(rows: int) -> None:
        raise Cancelled

    with connection.cursor() as cursor:
        with pytest.raises(Cancelled), staged(cursor, EXAMPLES / "cash.csv", "cash", on_block=stop):
            raise AssertionError("it was stopped")
        cursor.execute("SELECT COUNT(*) FROM pg_class WHERE relname LIKE 'staged_%' AND relpersistence = 't'")
        assert cursor.fetchone() == (0,)
