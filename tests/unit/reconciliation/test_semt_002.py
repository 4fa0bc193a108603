"""semt.002: aggregate balances of accounts and sub-accounts; half a statement is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciliation.formats.problems import FileProblem
from reconciliation.formats.read_statement import open_statement, raw_records
from tests.unit.reconciliation.files import EXAMPLES, codes, read, written

EXAMPLE = EXAMPLES / "semt_002.xml"
TEXT = EXAMPLE.read_text()


def test_the_example_is_read_as_documented() -> None:
    rows, found = read(EXAMPLE, "positions")
    assert [(row["line"], row["account"], row["isin"], row["qty"], row["basis"], row["as_of"]) for row in rows] == [
        ("1", "AC4471", "GB00BH4HKS39", "15000", "settled", "2026-11-25"),
        ("2", "AC4471", "GB0005405286", "-2400.5", "settled", "2026-11-25"),
        ("3", "AC4472", "GB0007980591", "900", "settled", "2026-11-25"),
    ]
    assert (found.header.format, found.header.sequence, found.header.reference) == ("semt_002", 77, "REG-20261125")
    assert found.header.cut_at.isoformat() == "2026-11-25T22:00:00+00:00"
    assert [row["qty"] for row in read(EXAMPLE, "holdings")[0]] == ["15000", "-2400.5", "900"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<Qty><Qty><Qty><Unit>15000</Unit></Qty></Qty></Qty>", "<Qty><Unit>15000</Unit></Qty>"),
        ("<Qty><Qty><Qty><Unit>15000</Unit></Qty></Qty></Qty>", "<Qty><Qty><FaceAmt>15000</FaceAmt></Qty></Qty>"),
        ("<Pgntn><PgNb>1</PgNb><LastPgInd>true</LastPgInd></Pgntn>", ""),
        ("<StmtBsis><Cd>SETT</Cd></StmtBsis>", ""),
        ("<ISIN>GB00BH4HKS39</ISIN>", "<ISIN>GB00BH4HKS39</ISIN><OthrId><Id>VOD</Id><Tp><Cd>TIKR</Cd></Tp></OthrId>"),
        ("SctiesBalCtdyRpt", "SctiesBalCtdyRptV02"),
        ("semt.002.001.11", "semt.002.001.02"),
    ],
)
def test_versions_and_habits_give_the_same_rows(tmp_path: Path, old: str, new: str) -> None:
    assert old in TEXT
    wanted, _found = read(EXAMPLE, "holdings")
    assert read(written(tmp_path, TEXT.replace(old, new)), "holdings")[0] == wanted


def test_traded_positions_are_no_holdings(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT.replace("SETT", "TRAD"))
    assert {row["basis"] for row in read(path, "positions")[0]} == {"traded"}
    with pytest.raises(FileProblem) as problem:
        read(path, "holdings")
    assert problem.value.code == "FILE_KIND_DIFFERS"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<LastPgInd>true", "<LastPgInd>false", "FILE_PAGES_MISSING"),
        ("<PgNb>1", "<PgNb>2", "FILE_PAGES_MISSING"),
        ("<Cd>COMP", "<Cd>DELT", "FILE_NOT_COMPLETE"),
        ("<Cd>SETT", "<Cd>CONT", "FILE_KIND_DIFFERS"),
        ("2026-11-25T22", "25.11.2026T22", "FILE_STRUCTURE"),
        ("StmtGnlDtls", "Other", "FILE_STRUCTURE"),
        ("</BalForAcct>", "", "FILE_XML_BROKEN"),
    ],
)
def test_what_cannot_be_whole_is_refused(tmp_path: Path, old: str, new: str, code: str) -> None:
    with pytest.raises(FileProblem) as problem:
        read(written(tmp_path, TEXT.replace(old, new)), "holdings")
    assert problem.value.code == code


def test_a_balance_without_an_aggregate_is_told_and_never_taken_from_what_is_available(tmp_path: Path) -> None:
    content = TEXT.replace(
        "<AggtBal><ShrtLngInd>LONG</ShrtLngInd><Qty><Qty><Qty><Unit>15000</Unit></Qty></Qty></Qty></AggtBal>", ""
    )
    rows, found = read(written(tmp_path, content), "holdings")
    assert [row["line"] for row in rows] == ["2", "3"]
    assert codes(found) == [(1, "qty", "RECORD_STRUCTURE")]


def test_bad_identifiers_are_told_by_balance(tmp_path: Path) -> None:
    rows, found = read(written(tmp_path, TEXT.replace("GB0005405286", "GB0005405287")), "holdings")
    assert len(rows) == 2
    assert codes(found) == [(2, "isin", "ISIN_INVALID")]


def test_any_cut_is_noticed(tmp_path: Path) -> None:
    whole = TEXT.rstrip()
    for end in [*range(0, len(whole), 61), len(whole) - 1]:
        with pytest.raises(FileProblem):
            read(written(tmp_path, whole[:end]), "holdings")


def test_the_raw_record_of_a_line_is_what_the_file_says() -> None:
    raw = raw_records(EXAMPLE, "semt_002", "holdings", {3})
    assert "GB0007980591" in raw[3]
    assert raw[3].startswith("<BalForSubAcct")


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("<AcctSvcr><AnyBIC>CUSTGB2LXXX</AnyBIC></AcctSvcr>", "CUSTGB2LXXX"),
        ("<AcctSvcr><Id><PrtryId><Id>REG-7</Id></PrtryId></Id></AcctSvcr>", "REG-7"),
        ("", ""),
    ],
)
def test_the_source_is_the_servicer_of_the_account(tmp_path: Path, said: str, source: str) -> None:
    path = written(tmp_path, TEXT.replace("<SfkpgAcct><Id>AC4471", f"{said}<SfkpgAcct><Id>AC4471", 1))
    assert open_statement(path, "positions").header.source == source
    assert [row["account"] for row in read(path, "positions")[0]] == ["AC4471", "AC4471", "AC4472"]
