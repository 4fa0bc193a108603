"""CSV: every habit that is harmless gives the same rows, every cut, flip and ambiguity is named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciliation.domain.records import COLUMNS, Kind, names_of
from reconciliation.formats.blocks import BLOCK
from reconciliation.formats.problems import FileProblem
from reconciliation.formats.read_statement import open_statement, raw_records
from reconciliation.formats.statement import csv_cells
from tests.unit.reconciliation.files import EXAMPLES, codes, read, written

KINDS = [kind.value for kind in Kind]
PLAIN = "account,isin,qty\nAC1,GB00BH4HKS39,10\nAC2,GB0005405286,20.5\n"
ROWS = [
    {"account": "AC1", "isin": "GB00BH4HKS39", "qty": "10", "basis": "settled"},
    {"account": "AC2", "isin": "GB0005405286", "qty": "20.5", "basis": "settled"},
]


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_each_kind_is_read_whole(kind: str) -> None:
    rows, statement = read(EXAMPLES / f"{kind}.csv", kind)
    assert statement.problems.total == statement.notes.total == 0
    assert len(rows) == statement.counted.records == statement.header.said.rows
    assert statement.header.proven
    assert statement.header.format == "csv"
    assert statement.header.statement_date.isoformat() == "2026-11-25"
    header = (EXAMPLES / f"{kind}.csv").read_text().splitlines()[1]
    assert tuple(header.split(",")) == names_of(Kind(kind)), "the example shows every column in its order"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "\ufeff" + PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        "sep=;\n" + PLAIN.replace(",", ";").replace("20.5", "20,5"),
        PLAIN.rstrip("\n"),
        '"Account","ISIN","QTY"\n"AC1","GB00BH4HKS39","10"\n"AC2","GB0005405286","20.5"\n',
        "# made by a bank\n\n Account , SecurityID,Quantity \n AC1 ,gb00bh4hks39, 10.00\n,,\nAC2,GB0005405286,+20.50,,\n",
        "QTY,note,isin,ACCOUNT\n10,hello,GB00BH4HKS39,AC1\n20.5,,GB0005405286,AC2\n",
        PLAIN.replace("qty", "qty,").replace("0\n", "0,,\n"),
        "SecurityID,account,isin,qty\nx,AC1,GB00BH4HKS39,10\ny,AC2,GB0005405286,20.5\n",
        "account,isin,qty,raw\nAC1,GB00BH4HKS39,10,8=FIX.4.4|9=5|35=0|10=000|\nAC2,GB0005405286,20.5,\n",
        PLAIN + "#TRAILER rows=2 sum.qty=30.50\n",
        PLAIN + "#TRAILER,rows=2,sum=30.5\n\n",
    ],
)
def test_harmless_habits_give_the_same_rows(tmp_path: Path, content: str) -> None:
    rows, statement = read(written(tmp_path, content), "positions")
    assert [{name: value for name, value in row.items() if name != "line"} for row in rows] == ROWS
    assert statement.problems.total == 0


def test_records_over_several_lines_keep_the_line_where_they_begin(tmp_path: Path) -> None:
    path = written(
        tmp_path, 'account,isin,qty\n"AC1","GB00BH4HKS39",\n"10"\nAC2,"GB0005405286","2\n"\nAC3,GB0005405286,3\n'
    )
    rows, statement = read(path, "positions")
    assert [(row["line"], row["qty"]) for row in rows] == [("4", "2"), ("6", "3")]
    assert codes(statement) == [(2, "qty", "VALUE_MISSING"), (3, "", "ROW_WIDTH")]
    assert raw_records(path, "csv", "positions", {4, 6}) == {4: 'AC2,"GB0005405286","2\n"', 6: "AC3,GB0005405286,3"}


def test_a_line_end_in_a_text_for_people_is_a_blank_and_in_a_name_a_fault(tmp_path: Path) -> None:
    head = "account,client,name,account_group,base_currency,state\n"
    said = '"AC1",C,"Arcadia, ""Overlay""\r\n  second line",EQ,EUR,active\n"A\nC",C,x,EQ,EUR,active\n'
    rows, statement = read(written(tmp_path, head + said), "accounts")
    assert [row["name"] for row in rows] == ['Arcadia, "Overlay" second line']
    assert codes(statement) == [(4, "account", "TEXT_CONTROL")]


def test_each_bad_value_is_told_by_line_and_column_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "account,isin,qty,as_of\n"
        "AC1,GB00BH4HKS38,1e3,2026-02-30\n"
        "AC2,GB0005405286,5,2026-11-25\n"
        ",GB0005405286,5,\n"
        "AC4,,5,\n"
        "AC5,GB0005405286\n"
        'AC6,"GB0005405286"x,5,\n',
    )
    rows, statement = read(path, "positions")
    assert [row["line"] for row in rows] == ["3"]
    assert codes(statement) == [
        (2, "isin", "ISIN_INVALID"),
        (2, "qty", "NUMBER_INVALID"),
        (2, "as_of", "DATE_INVALID"),
        (4, "account", "VALUE_MISSING"),
        (5, "isin", "INSTRUMENT_MISSING"),
        (6, "", "ROW_WIDTH"),
        (7, "", "ROW_QUOTES"),
    ]
    assert (statement.counted.records, statement.counted.rows, statement.counted.refused) == (6, 1, 5)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "FILE_EMPTY"),
        (b"\n\n", "FILE_EMPTY"),
        (b"\x1f\x8b\x08\x00rest", "FILE_COMPRESSED"),
        (b"PK\x03\x04rest", "FILE_COMPRESSED"),
        (PLAIN.encode("utf-16"), "FILE_ENCODING"),
        ("account,isin,qty\nMüller,GB00BH4HKS39,1\n".encode("latin-1"), "FILE_ENCODING"),
        (b"account,isin,qty\nAC1,GB00BH4HKS39,1\x000\n", "FILE_NUL_BYTES"),
        (b"account,isin,qty\n" + b"x" * 400_000, "FILE_RECORD_TOO_LONG"),
        (b'account,isin,qty\n"' + b"x\n" * 40_000, "FILE_RECORD_TOO_LONG"),
        (b'account,isin,qty\n"AC1,GB00BH4HKS39,1\n', "FILE_TRUNCATED"),
        (b"account,isin\nAC1,GB00BH4HKS39\n", "FILE_COLUMNS_MISSING"),
        (b"hello world", "FILE_COLUMNS_MISSING"),
        (b"account,isin,qty,QTY\nAC1,GB00BH4HKS39,1,2\n", "FILE_COLUMN_TWICE"),
        (PLAIN.encode() + b"#TRAILER rows=3\n", "FILE_COUNT_DIFFERS"),
        (PLAIN.encode() + b"#TRAILER rows=2 sum.qty=30.51\n", "FILE_SUM_DIFFERS"),
        (PLAIN.encode() + b"#TRAILER rows=2\nAC3,GB0005405286,1\n", "FILE_ROWS_AFTER_END"),
        (PLAIN.encode() + b"#TRAILER\n", "FILE_TRUNCATED"),
        (PLAIN.encode() + b"#TRAILER rows=two\n", "FILE_DIRECTIVE_INVALID"),
        (PLAIN.encode() + b"#TRAILER rows=2 sum.price=3\n", "FILE_DIRECTIVE_INVALID"),
        (b"#STATEMENT kind=cash\n" + PLAIN.encode() + b"#TRAILER rows=2\n", "FILE_KIND_DIFFERS"),
        (b"#STATEMENT date=tomorrow\n" + PLAIN.encode(), "FILE_DIRECTIVE_INVALID"),
        (b"#STATEMENT date=2026-11-25\n" + PLAIN.encode(), "FILE_TRUNCATED"),
    ],
)
def test_files_that_cannot_be_used_are_refused_by_name(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(FileProblem) as problem:
        read(written(tmp_path, content), "positions")
    assert problem.value.code == code
    assert problem.value.sentence.endswith(".")


def test_a_manifest_counts_sums_and_names_the_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, PLAIN)
    said = {"source": "CUSTODIAN", "date": "2026-11-25", "cut": "2026-11-25T22:00:00Z", "sequence": 7, "previous": "6"}
    said |= {"rows": 2, "sums": {"qty": "30.5"}, "sha256": hashlib.sha256(PLAIN.encode()).hexdigest()}
    manifest = written(tmp_path, json.dumps(said), "file.manifest")
    _rows, statement = read(path, "positions")
    assert statement.header.proven
    assert (statement.header.source, statement.header.sequence, statement.header.previous) == ("CUSTODIAN", 7, "6")
    for change, code in (
        ({"rows": 3}, "FILE_COUNT_DIFFERS"),
        ({"sums": {"qty": "30"}}, "FILE_SUM_DIFFERS"),
        ({"sha256": "0" * 64}, "FILE_DIGEST_DIFFERS"),
        ({"sums": {"qty": 30.5}}, "FILE_MANIFEST_INVALID"),
        ({"kind": "cash"}, "FILE_KIND_DIFFERS"),
    ):
        manifest.write_text(json.dumps(said | change))
        with pytest.raises(FileProblem) as problem:
            read(path, "positions")
        assert problem.value.code == code


def test_a_file_without_trailer_says_so(tmp_path: Path) -> None:
    _rows, statement = read(written(tmp_path, PLAIN), "positions")
    assert [one.code for one in statement.notes] == ["NOT_PROVEN_WHOLE"]
    assert not statement.header.proven


def test_what_is_passed_over_is_named(tmp_path: Path) -> None:
    _rows, statement = read(
        written(tmp_path, "account,isin,qty,colour\nAC1,GB00BH4HKS39,1,red\n#TRAILER rows=1\n"), "positions"
    )
    assert [(one.code, one.column) for one in statement.notes] == [("COLUMN_IGNORED", "colour")]


def test_a_sum_is_judged_with_the_rows_that_are_left_out_and_not_where_one_cannot_be_read(tmp_path: Path) -> None:
    bad_isin = PLAIN + "AC3,XX0000000000,4.5\n"
    _rows, statement = read(written(tmp_path, bad_isin + "#TRAILER rows=3 sum.qty=35\n"), "positions")
    assert statement.notes.total == 0
    _rows, statement = read(
        written(tmp_path, PLAIN + "AC3,GB00BH4HKS39,4.5x\n#TRAILER rows=3 sum.qty=35\n"), "positions"
    )
    assert [one.code for one in statement.notes] == ["SUM_NOT_JUDGED"]


def test_problems_are_bounded_and_their_counts_are_not(tmp_path: Path) -> None:
    path = written(tmp_path, "account,isin,qty\n" + "AC1,GB00BH4HKS39,x\n" * 3_000)
    _rows, statement = read(path, "positions")
    assert len(statement.problems.kept) == 1_000
    assert statement.problems.counts == {"NUMBER_INVALID": 3_000}


def test_any_cut_of_a_file_with_a_trailer_is_noticed(tmp_path: Path) -> None:
    for kind in KINDS:
        whole = (EXAMPLES / f"{kind}.csv").read_bytes()
        wanted = [row.values for row in open_statement(EXAMPLES / f"{kind}.csv", kind).rows()]
        for end in range(0, len(whole), 1 if kind == "positions" else 11):
            path = written(tmp_path, whole[:end])
            try:
                statement = open_statement(path, kind)
                rows = [row.values for row in statement.rows()]
            except FileProblem:
                continue
            assert end > whole.rindex(b"rows="), f"{kind} cut at {end} was taken"
            assert rows == wanted


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_digit_of_a_summed_column_is_noticed(tmp_path: Path, data: st.DataObject) -> None:
    whole = (EXAMPLES / "executions.csv").read_text()
    lines = whole.splitlines()
    at = data.draw(st.integers(2, 5))
    cells = lines[at].split(",")
    place = names_of(Kind.EXECUTIONS).index("last_qty")
    digit = data.draw(st.integers(0, len(cells[place]) - 1))
    other = data.draw(st.sampled_from([one for one in "0123456789" if one != cells[place][digit]]))
    cells[place] = cells[place][:digit] + other + cells[place][digit + 1 :]
    lines[at] = ",".join(cells)
    with pytest.raises(FileProblem) as problem:
        read(written(tmp_path, "\n".join(lines) + "\n"), "executions")
    assert problem.value.code == "FILE_SUM_DIFFERS"


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).map(str.strip).filter(bool)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(TEXT, TEXT, st.decimals(places=4, min_value=-(10**9), max_value=10**9)), max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_rows_written_are_the_rows_read(tmp_path: Path, rows: list[tuple[str, str, object]], delimiter: str) -> None:
    lines = [csv_cells([account, symbol, f"{qty:f}"], delimiter) for account, symbol, qty in rows]
    content = "\n".join([delimiter.join(["account", "symbol", "qty"]), *lines, f"#TRAILER rows={len(rows)}", ""])
    if any(line.startswith("#") for line in lines):
        return  # a comment, as documented
    statement = open_statement(written(tmp_path, content), "positions")
    found = [(row.values[0], row.values[2], row.values[4]) for row in statement.rows()]
    expected = [(a, s, f"{q:f}".rstrip("0").rstrip(".") if q else "0") for a, s, q in rows]
    assert found == expected
    assert statement.problems.total == 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(KINDS),
    st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))),
    st.booleans(),
)
def test_no_bytes_raise_anything_but_a_file_problem(tmp_path: Path, kind: str, noise: bytes, headed: bool) -> None:
    header = ",".join(one.name for one in COLUMNS[Kind(kind)]).encode() + b"\n" if headed else b""
    path = written(tmp_path, header + noise)
    try:
        for _row in open_statement(path, kind).rows():
            pass
    except FileProblem:
        pass


def test_a_raw_record_over_two_blocks_is_whole(tmp_path: Path) -> None:
    row = "AC1,GB00BH4HKS39,1\n"
    before = (BLOCK - len("account,isin,qty\n")) // len(row)
    text = "account,isin,qty\n" + row * before + 'AC2,"GB0005405286","2\n3\n\n4"\nAC3,GB0005405286,3\n' + row * 2
    path = written(tmp_path, text)
    begin = before + 2
    found = raw_records(path, "csv", "positions", {2, begin, begin + 4, begin + 6})
    assert found == {
        2: "AC1,GB00BH4HKS39,1", begin: 'AC2,"GB0005405286","2\n3\n\n4"', begin + 4: "AC3,GB0005405286,3",
        begin + 6: "AC1,GB00BH4HKS39,1",
    }  # fmt: skip


def test_a_quote_that_nobody_closes_does_not_swallow_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, 'account,isin,qty\nAC2,"GB0005405286,2\n' + "AC1,GB00BH4HKS39,1\n" * 300)
    assert raw_records(path, "csv", "positions", {2})[2].count("\n") == 199
