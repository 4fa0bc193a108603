"""camt.053: booked balances and entries of any version, batches apart, pages together; wrong sums and hostile XML refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciliation.formats import xml_file
from reconciliation.formats.problems import FileProblem
from reconciliation.formats.read_statement import open_statement, raw_records
from tests.unit.reconciliation.files import EXAMPLES, read, written

EXAMPLE = EXAMPLES / "camt_053.xml"
TEXT = EXAMPLE.read_text()
ENTRIES = [
    ("-12350", "NB2611250017", "O-2611-004097"),
    ("2000", "NB2611250018A", "W-0001"),
    ("500", "NB2611250018B", "W-0002"),
]


SUMMARY = "<TxsSummry>{}</TxsSummry>"
PENDING = "<Ntry><Amt Ccy='GBP'>4</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts></Ntry>"
TRUE = (
    "<TtlNtries><NbOfNtries>3</NbOfNtries><Sum>7</Sum></TtlNtries>",
    "<TtlNtries><NbOfNtries>2</NbOfNtries><Sum>3.00</Sum></TtlNtries>",  # without what is pending
    "<TtlCdtNtries><NbOfNtries>2</NbOfNtries><Sum>6</Sum></TtlCdtNtries><TtlDbtNtries><NbOfNtries>1</NbOfNtries></TtlDbtNtries>",
)
UNTRUE = (
    ("<TtlNtries><NbOfNtries>4</NbOfNtries></TtlNtries>", "FILE_COUNT_DIFFERS"),
    ("<TtlNtries><Sum>3.01</Sum></TtlNtries>", "FILE_SUM_DIFFERS"),
    ("<TtlCdtNtries><NbOfNtries>3</NbOfNtries></TtlCdtNtries>", "FILE_COUNT_DIFFERS"),
    ("<TtlDbtNtries><Sum>2</Sum></TtlDbtNtries>", "FILE_SUM_DIFFERS"),
    ("<TtlDbtNtries><Sum>1,00</Sum></TtlDbtNtries>", "FILE_STRUCTURE"),
)


def statement(*parts: str, account: str = "AC1", page: str = "") -> str:
    return f"<Stmt><Id>S</Id>{page}<Acct><Id><IBAN>{account}</IBAN></Id><Ccy>GBP</Ccy></Acct>{''.join(parts)}</Stmt>"


def balance(
    code: str, amount: str, *, sign: str = "CRDT", more: str = "", day: str = "2026-11-25", currency: str = "GBP"
) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry>{more}</Tp><Amt Ccy='{currency}'>{amount}</Amt>"
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def entry(
    amount: str, *, sign: str = "CRDT", status: str = "<Sts>BOOK</Sts>", more: str = "", currency: str = "GBP"
) -> str:
    return f"<Ntry><Amt Ccy='{currency}'>{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{more}{status}</Ntry>"


COUNTED = (entry("2"), entry("1", sign="DBIT"), PENDING)


def document(*statements: str, version: str = "02") -> str:
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
    return f"<Document xmlns='{space}'><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr>{''.join(statements)}</BkToCstmrStmt></Document>"


def page(number: int, *, last: bool) -> str:
    return f"<StmtPgntn><PgNb>{number}</PgNb><LastPgInd>{str(last).lower()}</LastPgInd></StmtPgntn>"


def test_the_example_is_read_as_documented() -> None:
    rows, found = read(EXAMPLE, "cash")
    assert [(row["amount"], row["entry_ref"], row["our_ref"]) for row in rows[:3]] == ENTRIES
    assert rows[3] == {
        "line": "4", "record": "balance", "account": "AC4471", "currency": "GBP", "opening": "1000000", "amount": "990150",
        "as_of": "2026-11-25",
    }  # fmt: skip
    header = found.header
    assert (header.format, header.source, header.sequence) == ("camt_053", "NORTGB2L", 118)
    assert (str(header.statement_date), header.cut_at.isoformat()) == ("2026-11-25", "2026-11-25T23:00:00+00:00")
    assert (header.opening, header.closing, header.proven) == (1_000_000, 990_150, True)
    assert found.notes.counts == {"NOT_BOOKED": 1}


def test_prefixes_versions_and_envelopes_change_nothing(tmp_path: Path) -> None:
    prefixed = re.sub(r"<(/?)(\w)", r"<\1c:\2", TEXT.replace("xmlns=", "xmlns:c=")).replace("<c:?xml", "<?xml")
    body = TEXT.split("?>", 1)[1]
    for number, content in enumerate(
        (
            TEXT.replace("001.08", "001.02").replace("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>"),
            TEXT.replace("001.08", "001.13"),
            prefixed,
            f"<Envelope><AppHdr xmlns='urn:head'><Fr/></AppHdr>{body}</Envelope>",
            "\ufeff" + TEXT,
            TEXT.replace("\n", "").replace("  ", ""),
        )
    ):
        rows, _found = read(written(tmp_path, content), "cash")
        assert [(row["amount"], row["entry_ref"], row["our_ref"]) for row in rows[:3]] == ENTRIES, number


def test_only_booked_balances_count(tmp_path: Path) -> None:
    """Available, interim and forward balances stand beside them, before and behind."""
    content = document(
        statement(
            *(balance(code, "1") for code in ("CLAV", "OPAV", "ITBD", "ITAV", "FWAV")),
            balance("PRCD", "10.00", sign="DBIT", day="2026-11-24"),
            balance("CLBD", "2.50", sign="DBIT"),
            balance("CLAV", "99"),
            entry("7.50"),
            entry("5", status="<Sts>PDNG</Sts>"),
            entry("5", status="<Sts><Cd>INFO</Cd></Sts>"),
        )
    )
    rows, found = read(written(tmp_path, content), "cash")
    assert [(row["record"], row.get("opening"), row["amount"]) for row in rows] == [
        ("entry", None, "7.5"),
        ("balance", "-10", "-2.5"),
    ]
    assert found.notes.counts["NOT_BOOKED"] == 2


def test_the_direction_of_a_reversal_is_its_own(tmp_path: Path) -> None:
    reversal = entry("3", sign="DBIT", more="<RvslInd>true</RvslInd>")
    rows, _found = read(
        written(tmp_path, document(statement(balance("OPBD", "3"), balance("CLBD", "0"), reversal))), "cash"
    )
    assert rows[0]["amount"] == "-3"


def test_a_batch_that_does_not_come_to_its_entry_stays_one_row(tmp_path: Path) -> None:
    content = TEXT.replace('<Amt Ccy="GBP">500.00</Amt>', '<Amt Ccy="GBP">501.00</Amt>')
    rows, found = read(written(tmp_path, content), "cash")
    assert [row["amount"] for row in rows] == ["-12350", "2500", "990150"]
    assert found.notes.counts["BATCH_NOT_SPLIT"] == 1


def test_what_the_statement_says_its_entries_come_to_is_judged(tmp_path: Path) -> None:
    for said in TRUE:
        assert (
            len(
                read(
                    written(tmp_path, document(statement(balance("CLBD", "1"), SUMMARY.format(said), *COUNTED))), "cash"
                )[0]
            )
            == 3
        )
    back = entry("1", sign="DBIT", more="<RvslInd>true</RvslInd>")
    for said in (
        "<TtlCdtNtries><Sum>1</Sum></TtlCdtNtries>",
        "<TtlDbtNtries><Sum>1</Sum></TtlDbtNtries>",
    ):  # either way
        read(
            written(tmp_path, document(statement(balance("CLBD", "1"), SUMMARY.format(said), entry("2"), back))), "cash"
        )


def test_pages_of_one_statement_are_one(tmp_path: Path) -> None:
    interim = "<SubTp><Cd>INTM</Cd></SubTp>"
    first = statement(balance("OPBD", "1"), balance("CLBD", "3", more=interim), entry("2"), page=page(1, last=False))
    second = statement(balance("OPBD", "3", more=interim), balance("CLBD", "7"), entry("4"), page=page(2, last=True))
    rows, _found = read(written(tmp_path, document(first, second)), "cash")
    assert [(row["record"], row.get("opening"), row["amount"]) for row in rows] == [
        ("entry", None, "2"),
        ("entry", None, "4"),
        ("balance", "1", "7"),
    ]
    for content in (document(first), document(second), document(first, statement(balance("CLBD", "3"), account="AC2"))):
        with pytest.raises(FileProblem) as problem:
            read(written(tmp_path, content), "cash")
        assert problem.value.code == "FILE_PAGES_MISSING"


def test_several_accounts_have_a_balance_each_and_the_header_is_about_none(tmp_path: Path) -> None:
    one = statement(balance("OPBD", "1"), balance("CLBD", "3"), entry("2"))
    other = statement(balance("CLBD", "5"), account="AC2")
    rows, found = read(written(tmp_path, document(one, other)), "cash")
    assert [(row["account"], row["amount"]) for row in rows if row["record"] == "balance"] == [
        ("AC1", "3"),
        ("AC2", "5"),
    ]
    assert found.header.closing is None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (document(statement(balance("OPBD", "1"), balance("CLBD", "3"), entry("1"))), "FILE_BALANCE_DIFFERS"),
        (document(statement(balance("OPBD", "1"), balance("CLBD", "1"), entry("0", currency="EUR"))), "FILE_STRUCTURE"),
        (document(statement(balance("OPBD", "1"), balance("CLBD", "1", currency="EUR"))), "FILE_STRUCTURE"),
        (document(statement(balance("OPBD", "1"), balance("CLAV", "1"))), "FILE_STRUCTURE"),
        (document(statement(balance("OPBD", "1,0"), balance("CLBD", "1"))), "FILE_STRUCTURE"),
        (document(statement(balance("CLBD", "1", sign="?"))), "FILE_STRUCTURE"),
        (document(statement(balance("CLBD", "1", day="2026-02-30"))), "FILE_STRUCTURE"),
        (
            document(statement(balance("CLBD", "1"), "<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>")),
            "FILE_COUNT_DIFFERS",
        ),
        *((document(statement(balance("CLBD", "1"), SUMMARY.format(said), *COUNTED)), code) for said, code in UNTRUE),
        (document(statement(balance("CLBD", "9"), entry("-1", sign="DBIT"))), "FILE_STRUCTURE"),
        (document(statement(balance("CLBD", "-9", sign="DBIT"))), "FILE_STRUCTURE"),
        (document(), "FILE_STRUCTURE"),
        (TEXT.replace("BkToCstmrStmt", "BkToCstmrAcctRpt").replace("camt.053", "camt.052"), "FILE_FORMAT_UNKNOWN"),
        (TEXT.replace("<Stmt>", "<Stmt><Bal>", 1), "FILE_XML_BROKEN"),
        (TEXT.replace("NB-118-1", "NB&unknown;"), "FILE_XML_BROKEN"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused(tmp_path: Path, content: str, code: str) -> None:
    with pytest.raises(FileProblem) as problem:
        read(written(tmp_path, content), "cash")
    assert problem.value.code == code


def test_any_cut_is_noticed(tmp_path: Path) -> None:
    whole = TEXT.rstrip().encode()
    for end in [*range(0, len(whole), 97), len(whole) - 1]:
        with pytest.raises(FileProblem):
            read(written(tmp_path, whole[:end]), "cash")


def test_any_flipped_digit_of_an_amount_is_noticed(tmp_path: Path) -> None:
    booked = TEXT[: TEXT.index("CLAV")], TEXT[TEXT.index("TxsSummry") : TEXT.index("PDNG") - 120]
    for part in booked:
        offset = TEXT.index(part)
        for found in re.finditer(r'<Amt Ccy="GBP">([\d.]+)</Amt>', part):
            for at in range(found.start(1), found.end(1)):
                digit = TEXT[offset + at]
                if not digit.isdigit():
                    continue
                flipped = TEXT[: offset + at] + str((int(digit) + 1) % 10) + TEXT[offset + at + 1 :]
                try:
                    rows, statement_read = read(written(tmp_path, flipped), "cash")
                except FileProblem:
                    continue
                assert statement_read.notes.counts["BATCH_NOT_SPLIT"] == 1, found[0]  # within a batch: it stays whole
                assert "2500" in [row["amount"] for row in rows]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "prolog",
    [
        f'<!DOCTYPE Document [<!ENTITY l0 "ha">{LAUGHS}]>',
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">',
        "<!doctype Document>",
        f"<!--{'x' * 40_000}--><!DOCTYPE Document [<!ENTITY x 'y'>]>",
    ],
)
def test_a_document_type_is_refused_before_anything_of_it_is_used(tmp_path: Path, prolog: str) -> None:
    hostile = TEXT.replace("?>\n", f"?>\n{prolog}\n", 1).replace("NB-118-1", "&x;")
    with pytest.raises(FileProblem) as problem:
        read(written(tmp_path, hostile), "cash")
    assert problem.value.code in ("FILE_XML_DOCTYPE", "FILE_XML_BROKEN")


@pytest.mark.parametrize("junk", ["<a>" * 300, "<Ntry>" + "<a/>" * 60_000, "<Ntry><a b='" + "x" * 300_000])
def test_depth_width_and_text_are_bounded(tmp_path: Path, junk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_file, "MOST_HELD", 100_000)
    with pytest.raises(FileProblem) as problem:
        read(written(tmp_path, TEXT.replace("<Ntry>", junk, 1)), "cash")
    assert problem.value.code in ("FILE_RECORD_TOO_LONG", "FILE_XML_BROKEN")


def test_the_raw_record_of_a_line_is_what_the_file_says() -> None:
    raw = raw_records(EXAMPLE, "camt_053", "cash", {1, 4})
    assert "NB2611250017" in raw[1]
    assert "990150.00" in raw[4]
    assert "CLBD" in raw[4]


def test_a_large_file_needs_little_memory(tmp_path: Path) -> None:
    """4 MB here, 100 MB and more by hand: what is held does not grow with the file."""
    import psutil

    path, one = (
        tmp_path / "large.xml",
        entry("1", more="<AcctSvcrRef>R</AcctSvcrRef><NtryDtls>" + "<x>filler</x>" * 20 + "</NtryDtls>"),
    )
    head, tail = document(statement(balance("OPBD", "0"), balance("CLBD", "10000"), "@")).split("@")
    with path.open("w") as file:
        file.write(head)
        for _ in range(100):
            file.write(one * 100)
        file.write(tail)
    assert path.stat().st_size > 3_500_000
    process = psutil.Process()
    rows = open_statement(path, "cash").rows()
    first = next(rows)
    before, most, count = process.memory_info().rss, 0, 1
    for count, _row in enumerate(rows, 2):
        if count % 2_000 == 0:
            most = max(most, process.memory_info().rss)
    assert (first.line, count) == (1, 10_001)
    assert most - before < 3_000_000
