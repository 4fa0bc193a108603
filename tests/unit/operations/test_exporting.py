"""Exports opened again: typed figures, text that stays text, the same bytes twice, and a digest anybody can compute."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest
from openpyxl import load_workbook

from kernel.errors import Invalid
from operations.exporting import FORMS, Column, Heading, Section, Table, export_table, make_table, pdf_of, zip_of
from operations.exporting.cells import neutral
from operations.exporting.csv_file import BOM, csv_of
from operations.exporting.table import Cell

AT = datetime(2026, 7, 1, 9, 41, 7, 123456, tzinfo=UTC)
HEADING = Heading("Orders of the desk", "auditor (=cmd)", AT, "Europe/London", {"view": "=HYPERLINK()", "account": ""})
COLUMNS = (Column("ref", "Order"), Column("qty", "Quantity"), Column("at", "Time"), Column("note", "Note"))
HOSTILE = (
    "=cmd|'/C calc'!A0", "+44 20", "-2+3+cmd|' /C calc'!A0", "-5", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1",
    "a;=1", 'a";"=1', "a\n=1", "a,\t@x", "8=FIX.4.4\x0135=8\x01", "", "plain", "Łukasz 李",
)  # fmt: skip


def table_of(*rows: tuple[Cell, ...], most: int = 50_000) -> Table:
    return make_table(HEADING, COLUMNS, rows, most=most)


def row(note: str = "", qty: Cell = D("-5.50")) -> tuple[Cell, ...]:
    return ("O-1", qty, AT, note)


def read_csv(data: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def read_xlsx(data: bytes) -> list[list[object]]:
    return [[cell.value for cell in line] for line in load_workbook(io.BytesIO(data)).worksheets[0].iter_rows()]


def test_every_form_says_who_when_by_which_filter_and_how_many() -> None:
    table = table_of(row("one"), row("two"))
    lines = read_csv(csv_of(table))
    assert lines[:6] == [
        ["Export", "Orders of the desk"],
        ["Taken by", "auditor (=cmd)"],
        ["Taken at", "2026-07-01T10:41:07.123456+01:00 (Europe/London)"],
        ["Filter", "view: =HYPERLINK()"],
        ["Rows", "2"],
        ["SHA-256 of rows", table.sha256],
    ]
    assert lines[6:9] == [
        [],
        ["Order", "Quantity", "Time", "Note"],
        ["O-1", "-5.5", "2026-07-01T10:41:07.123456+01:00", "one"],
    ]
    sheet = read_xlsx(export_table(table, "xlsx").body)
    assert [line[:2] for line in sheet[:6]] == lines[:6]
    assert sheet[8] == ["O-1", D("-5.5"), "2026-07-01T10:41:07.123456+01:00", "one"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_a_formula_when_it_is_opened_again(text: str) -> None:
    table = table_of(row(text))
    for delimiter in ",;\t|":
        cells = [cell for line in read_csv(csv_of(table), delimiter) for cell in line]
        assert not [cell for cell in cells if cell.lstrip(' "')[:1] in tuple("=+@\t\r\n\uff1d")], delimiter
    book = load_workbook(io.BytesIO(export_table(table, "xlsx").body))
    opened = list(book.worksheets[0].iter_rows())[-1]
    assert [cell.data_type for cell in opened] == ["s", "n", "s", "s" if text else "n"]
    assert str(opened[3].value or "")[:1] not in tuple("=+-@\t\r")
    assert json.loads(export_table(table, "json").body)["rows"][0][3] == text
    assert export_table(table, "pdf").body.startswith(b"%PDF-")


def test_a_negative_number_stays_one_and_a_text_that_looks_like_one_stays_text() -> None:
    assert neutral("-5") == "'-5"
    assert read_csv(csv_of(table_of(row("-5", D("-5")))))[-1][1:4:2] == ["-5", "'-5"]
    last = read_xlsx(export_table(table_of(row("-5", D("-5"))), "xlsx").body)[-1]
    assert last[1] == -5
    assert last[3] == "'-5"


@pytest.mark.parametrize(
    ("figure", "opened"),
    [
        (D("123456789012345"), 123456789012345),
        (D("1234567890123456"), "1234567890123456"),
        (D("0.12345678901234567"), "0.12345678901234567"),
        (D("1E+3"), 1000),
        (10**20 + 1, "100000000000000000001"),
        (True, "yes"),
        (None, None),
        (date(2026, 7, 1), "2026-07-01"),
    ],
)
def test_a_figure_is_never_rounded_by_a_spreadsheet(figure: Cell, opened: object) -> None:
    assert read_xlsx(export_table(table_of(row("", figure)), "xlsx").body)[-1][1] == opened


def test_the_digest_of_the_rows_is_the_same_in_every_form_and_computable_from_the_json() -> None:
    table = table_of(row("ä"), row("=1"))
    files = {form: export_table(table, form) for form in FORMS}
    assert {file.rows_sha256 for file in files.values()} == {table.sha256}
    read = json.loads(files["json"].body)
    again = json.dumps(
        {"columns": read["columns"], "rows": read["rows"]}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert hashlib.sha256(again.encode()).hexdigest() == read["sha256"] == table.sha256
    assert hashlib.sha256(files["pdf"].body).hexdigest() == files["pdf"].sha256
    assert files["csv-bom"].body == BOM + files["csv"].body
    assert table_of(row("ä"), row("=2")).sha256 != table.sha256


@pytest.mark.parametrize("form", FORMS)
def test_the_same_table_gives_the_same_bytes(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = export_table(table_of(row("one"), row("two")), form)
    later = 1_800_000_000.0
    monkeypatch.setattr("time.time", lambda: later)
    monkeypatch.setattr("time.localtime", lambda *_: time.gmtime(later))
    monkeypatch.setattr("openpyxl.writer.excel.datetime.datetime", _Later)
    assert export_table(table_of(row("one"), row("two")), form) == first


class _Later(datetime):
    """A clock that another saving would read."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return datetime(2031, 1, 1, tzinfo=UTC)


def test_rows_beyond_the_bound_are_left_out_and_the_file_says_so() -> None:
    table = table_of(*[row(str(number)) for number in range(6)], most=5)
    assert len(table.rows) == 5
    assert "more rows than 5" in dict(table.facts)["Left out"]
    assert "Left out" in csv_of(table).decode()
    assert table_of(*[row()] * 5, most=5).left_out == ""


def test_a_pdf_runs_over_pages_and_draws_what_latin_fonts_lack_as_escapes() -> None:
    long = make_table(HEADING, COLUMNS, [row("words " * 200, D(number)) for number in range(120)])
    data = pdf_of(HEADING, [Section("All", ("<b>not markup</b> & so on",), long), Section("None", (), table_of())])
    assert data.count(b"/Type /Page\n") > 4 or data.count(b"/Type /Page ") > 4
    assert data == pdf_of(
        HEADING, [Section("All", ("<b>not markup</b> & so on",), long), Section("None", (), table_of())]
    )


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(ValueError, match="cells under"):
        make_table(HEADING, COLUMNS, [("one",)])
    with pytest.raises(ValueError, match="float"):
        make_table(HEADING, COLUMNS, [("O", 0.5, AT, "")])  # type: ignore[list-item]
    with pytest.raises(Invalid) as refused:
        export_table(table_of(row()), "exe")
    assert refused.value.code == "EXPORT_FORM_UNKNOWN"


def test_an_archive_depends_on_its_parts_alone() -> None:
    assert zip_of({"a": b"1", "b": b"2"}) == zip_of({"a": b"1", "b": b"2"}) != zip_of({"b": b"2", "a": b"1"})
