"""BAI2: ledger balances and details; every control total and count holds or nothing is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciliation.formats.problems import FileProblem
from reconciliation.formats.read_statement import raw_records
from tests.unit.reconciliation.files import EXAMPLES, codes, read, written

EXAMPLE = EXAMPLES / "bai2.txt"
TEXT = EXAMPLE.read_text()


def built(*records: str, currency: str = "USD", group: str = "") -> str:
    """A file of one account with the controls that these records of it need; amounts are the third field of a 16."""
    lines = [line for record in records for line in record.split("\n")]
    summary = [int(one) for one in re.findall(r"\d{3},([+-]?\d+),", re.sub(r"^03,\w+,\w*,", "", records[0]))]
    total = sum(summary) + sum(int(one.split(",")[2] or 0) for one in lines if one.startswith("16"))
    return "\n".join(
        [
            "01,BANK,OMS,261125,0900,5,,,2/",
            group or f"02,OMS,BANK,1,261125,,{currency},2/",
            *lines,
            f"49,{total},{len(lines) + 1}/",
            f"98,{total},1,{len(lines) + 3}/",
            f"99,{total},1,{len(lines) + 5}/",
        ]
    )


def test_the_example_is_read_as_documented() -> None:
    rows, found = read(EXAMPLE, "cash")
    assert rows == [
        {"line": "4", "record": "entry", "account": "AC4480", "currency": "USD", "amount": "15000", "as_of": "2026-11-25",
         "entry_ref": "NB0017", "our_ref": "W-0003", "value_date": "2026-11-26", "narrative": "195 WIRE IN,DEPOSIT"},
        {"line": "5", "record": "entry", "account": "AC4480", "currency": "USD", "amount": "-3000", "as_of": "2026-11-25",
         "entry_ref": "NB0018", "our_ref": "O-2611-004101", "narrative": "475 CHECK PAID SECOND LINE OF THE TEXT"},
        {"line": "3", "record": "balance", "account": "AC4480", "currency": "USD", "opening": "500000", "amount": "512000",
         "as_of": "2026-11-25"},
    ]  # fmt: skip
    assert (found.header.format, found.header.source, found.header.sequence) == ("bai2", "NORTHUS33", 118)
    assert (str(found.header.statement_date), found.header.proven) == ("2026-11-25", True)


@pytest.mark.parametrize(
    ("record", "row"),
    [
        ("16,142,500,,B,C,TEXT/", {"amount": "5", "entry_ref": "B", "our_ref": "C", "narrative": "142 TEXT"}),
        ("16,455,500,Z,,,/", {"amount": "-5", "entry_ref": "A/2026-11-25/1", "narrative": "455"}),
        ("16,142,500,S,100,200,200,B,C,T", {"entry_ref": "B", "our_ref": "C", "narrative": "142 T"}),
        ("16,142,500,D,2,0,300,1,200,B,C,T", {"entry_ref": "B", "our_ref": "C"}),
        ("16,142,500,V,20261127,0900,B,C,T", {"value_date": "2026-11-27"}),
        ("16,142,500,,B\n88,C,MORE, TEXT", {"entry_ref": "B", "our_ref": "C", "narrative": "142 MORE,TEXT"}),
        ("16,142,500,,B,C,A TEXT   ", {"narrative": "142 A TEXT"}),
    ],
)
def test_details(tmp_path: Path, record: str, row: dict[str, str]) -> None:
    content = built("03,A,USD,015,700,,/", record)
    for spelled in (content, content.replace("\n", "\r\n"), content.replace("\n", "     \n")):
        rows, _found = read(written(tmp_path, spelled), "cash")
        assert rows[0] | row == rows[0]


@pytest.mark.parametrize(("currency", "amount"), [("USD", "7"), ("JPY", "700"), ("KWD", "0.7")])
def test_the_currency_says_how_many_digits_are_behind_the_point(tmp_path: Path, currency: str, amount: str) -> None:
    for content in (built(f"03,A,{currency},015,700,,/"), built("03,A,,015,700,,/", currency=currency)):
        rows, _found = read(written(tmp_path, content), "cash")
        assert (rows[0]["currency"], rows[0]["amount"]) == (currency, amount)


def test_available_balances_are_never_used_and_a_missing_ledger_balance_is_told(tmp_path: Path) -> None:
    rows, found = read(written(tmp_path, built("03,A,USD,040,1,,,045,2,,/", "16,142,500,,B,C,T/")), "cash")
    assert [row["record"] for row in rows] == ["entry"]
    assert codes(found) == [(3, "amount", "BALANCE_MISSING")]


def test_details_are_optional_so_a_gap_is_noted(tmp_path: Path) -> None:
    rows, found = read(written(tmp_path, built("03,A,USD,010,100,,/\n88,015,700,,/", "16,142,500,,B,C,T/")), "cash")
    assert [row["record"] for row in rows] == ["entry", "balance"]
    assert found.notes.counts == {"BALANCE_NOT_EXPLAINED": 1}


def test_a_type_that_is_neither_credit_nor_debit_is_left_out(tmp_path: Path) -> None:
    rows, found = read(
        written(tmp_path, built("03,A,USD,015,700,,/", "16,950,500,,B,C,T/", "16,890,,,,,NOTE/")), "cash"
    )
    assert [row["record"] for row in rows] == ["balance"]
    assert codes(found) == [(4, "", "RECORD_STRUCTURE")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (TEXT.replace("1500000", "1500001"), "FILE_SUM_DIFFERS"),
        (TEXT.replace("49,154000000,5", "49,154000000,6"), "FILE_COUNT_DIFFERS"),
        (TEXT.replace("98,154000000,1,7", "98,154000000,2,7"), "FILE_COUNT_DIFFERS"),
        (TEXT.replace("99,154000000,1,9/", "99,154000000,1,8/"), "FILE_COUNT_DIFFERS"),
        (TEXT.replace("49,154000000,5/", "49,154000000/"), "FILE_TRUNCATED"),
        (TEXT[: TEXT.index("99,")], "FILE_TRUNCATED"),
        (TEXT + "02,OMS,BANK,1,261125,,USD,2/\n", "FILE_ROWS_AFTER_END"),
        (TEXT.replace("02,OMS,NORTHUS33,1", "02,OMS,NORTHUS33,4"), "FILE_NOT_COMPLETE"),
        (TEXT.replace("USD,2/\n03", "USD,3/\n03"), "FILE_NOT_COMPLETE"),
        (TEXT.replace("1500000", "15000.00"), "FILE_STRUCTURE"),
        (TEXT.replace("16,195", "17,195"), "FILE_STRUCTURE"),
        (TEXT.replace("NORTHUS33,1,261125", "NORTHUS33,1,261325"), "FILE_STRUCTURE"),
        (TEXT.replace("03,AC4480", "16,195"), "FILE_STRUCTURE"),
        (TEXT.replace("3000000,,NB", "3000000,Q,NB").replace("300000,,NB0018", "300000,Q,NB0018"), "FILE_STRUCTURE"),
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path: Path, content: str, code: str) -> None:
    with pytest.raises(FileProblem) as problem:
        read(written(tmp_path, content), "cash")
    assert problem.value.code == code


def test_any_cut_is_noticed(tmp_path: Path) -> None:
    whole = TEXT.rstrip().removesuffix("/")
    for end in range(len(whole)):
        with pytest.raises(FileProblem):
            read(written(tmp_path, whole[:end]), "cash")


def test_the_raw_record_of_a_line_has_its_continuations() -> None:
    assert raw_records(EXAMPLE, "bai2", "cash", {5}) == {
        5: "16,475,300000,,NB0018,O-2611-004101,CHECK PAID\n88,SECOND LINE OF THE TEXT"
    }
