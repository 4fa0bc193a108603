"""MT940: entries and booked balances whatever stands around them; pages follow one another, cuts and flips are noticed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciliation.formats.problems import FileProblem
from reconciliation.formats.read_statement import open_statement, raw_records
from tests.unit.reconciliation.files import EXAMPLES, read, written

EXAMPLE = EXAMPLES / "mt940.txt"
TEXT = EXAMPLE.read_text()
PLAIN = ":20:REF\n:25:AC1\n:28C:7/1\n:60F:C251231GBP100,\n:61:{}\n:62F:{}GBP{}\n"


def one_entry(entry: str, sign: str = "C251231", closing: str = "110,") -> str:
    return PLAIN.format(entry, sign, closing)


def test_the_example_is_read_as_documented() -> None:
    rows, found = read(EXAMPLE, "cash")
    assert [(row["line"], row["amount"], row.get("entry_ref"), row.get("our_ref")) for row in rows] == [
        ("6", "-12350", "NB2611250017", "O-2611-004097"),
        ("10", "2500", "NB2611250018", "W-0001"),
        ("19", "-150", "NB2611250019", None),
        ("21", "990000", None, None),
    ]
    assert (rows[3]["opening"], rows[3]["as_of"]) == ("1000000", "2026-11-25")
    assert rows[0]["narrative"] == "Purchase VOD.L, 15,000 shares, settled 25 November"
    assert (found.header.format, found.header.sequence, str(found.header.statement_date)) == (
        "mt940",
        118,
        "2026-11-25",
    )
    assert (found.header.opening, found.header.closing, found.header.proven) == (1_000_000, 990_000, True)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: re.sub(r"\{1:.*\n|-\}\n", "", text),
        lambda text: re.sub(r"\{1:.*\n", "", text).replace("-}", "-"),
        lambda text: re.sub(r"\{1:.*\n", "{4:\n", text),
        lambda text: text.replace("Deposit", "D\u00e9p\u00f4t"),
        lambda text: text.replace("{4:\n", "{3:{108:X}}{4:\n"),
        lambda text: text.replace(":28C:", ":21:NONREF\n:28C:"),
        lambda text: text.replace(":86:Reversal", ":NS:own\n:86:Reversal"),
    ],
)
def test_what_stands_around_changes_nothing(tmp_path: Path, change: object) -> None:
    content = change(TEXT)  # type: ignore[operator]
    for encoding in ("utf-8", "latin-1"):
        rows, _found = read(written(tmp_path, content.encode(encoding)), "cash")
        assert [row["amount"] for row in rows] == ["-12350", "2500", "-150", "990000"]


@pytest.mark.parametrize(
    ("entry", "closing", "row"),
    [
        ("2512311231C10,NTRFOURS//THEIRS", "C251231|110,", {"amount": "10", "our_ref": "OURS", "entry_ref": "THEIRS"}),
        ("251231D10,5NTRFNONREF", "C251231|89,5", {"amount": "-10.5", "entry_ref": "7/1"}),
        ("251231RC10,NTRFX", "C251231|90,", {"amount": "-10", "our_ref": "X"}),
        ("251231RDP10,NTRFX", "C251231|110,", {"amount": "10", "our_ref": "X"}),
        ("2512310102C10,S103X", "C251231|110,", {"as_of": "2026-01-02", "value_date": "2025-12-31"}),
        ("2601021231C10,FMSCX", "C251231|110,", {"as_of": "2025-12-31", "value_date": "2026-01-02"}),
        ("251231D200,NTRFX", "D251231|100,", {"amount": "-200"}),
        ("251231C10,NTRFX\n:86:166?00TRF?20EREF+END-TO?21-END?22SVWZ+x", "C251231|110,", {"our_ref": "END-TO-END"}),
        ("251231C10,NTRFX\n:86:/EREF/NOTPROVIDED/", "C251231|110,", {"our_ref": "X"}),
    ],
)
def test_entries(tmp_path: Path, entry: str, closing: str, row: dict[str, str]) -> None:
    sign, amount = closing.split("|")
    rows, _found = read(written(tmp_path, one_entry(entry, sign, amount)), "cash")
    assert rows[0] | row == rows[0]
    assert "our_ref" in row or "our_ref" not in rows[0] or "NONREF" not in entry


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (one_entry("251231C10,NTRFX", "C251231", "111,"), "FILE_BALANCE_DIFFERS"),
        (one_entry("251231C10.00NTRFX"), "FILE_STRUCTURE"),
        (one_entry("251331C10,NTRFX"), "FILE_STRUCTURE"),
        (one_entry("25123113C10,NTRFX"), "FILE_STRUCTURE"),
        (one_entry("251231C10,NTRFX").replace(":62F:", ":64:"), "FILE_TRUNCATED"),
        (one_entry("251231C10,NTRFX").replace(":62F:", ":62M:"), "FILE_PAGES_MISSING"),
        (one_entry("251231C10,NTRFX").replace(":60F:", ":60M:"), "FILE_PAGES_MISSING"),
        (one_entry("251231C10,NTRFX") + ":20:REF\n:25:AC2\n", "FILE_TRUNCATED"),
        (one_entry("251231C10,NTRFX").replace("62F:C251231GBP", "62F:C251231EUR"), "FILE_STRUCTURE"),
        (one_entry("251231C10,NTRFX").replace(":61:", ":34F:GBPD0,\n:61:"), "FILE_STRUCTURE"),
        (one_entry("251231C10,NTRFX\n" + "x\n" * 300), "FILE_RECORD_TOO_LONG"),
        (TEXT.replace("118/2", "118/3"), "FILE_PAGES_MISSING"),
        (":20:REF\n:25:AC1\n:28C:7/1\n:34F:GBP0,\n:13D:2511261200+0000\n", "FILE_FORMAT_UNKNOWN"),  # an MT942
        (TEXT.replace(":60M:C261125GBP990150", ":60M:C261125GBP990151"), "FILE_PAGES_MISSING"),
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path: Path, content: str, code: str) -> None:
    with pytest.raises(FileProblem) as problem:
        read(written(tmp_path, content), "cash")
    assert problem.value.code == code


def test_any_cut_that_loses_something_is_noticed(tmp_path: Path) -> None:
    wanted, _found = read(EXAMPLE, "cash")
    for end in range(len(TEXT)):
        try:
            rows, _found = read(written(tmp_path, TEXT[:end]), "cash")
        except FileProblem:
            continue
        assert rows == wanted, f"cut at {end}"


def test_any_flipped_digit_of_an_amount_is_noticed(tmp_path: Path) -> None:
    for found in re.finditer(r"(?:GBP|[CD])(\d+,\d*)", TEXT[: TEXT.index(":64:")]):
        for at in range(found.start(1), found.end(1)):
            if TEXT[at].isdigit():
                flipped = TEXT[:at] + str((int(TEXT[at]) + 1) % 10) + TEXT[at + 1 :]
                with pytest.raises(FileProblem):
                    read(written(tmp_path, flipped), "cash")


def test_several_statements_cannot_prove_that_none_is_missing(tmp_path: Path) -> None:
    one = one_entry("251231C10,NTRFX")
    rows, found = read(written(tmp_path, one + one.replace("AC1", "AC2")), "cash")
    assert [row["account"] for row in rows if row["record"] == "balance"] == ["AC1", "AC2"]
    assert [note.code for note in found.notes] == ["NOT_PROVEN_WHOLE"]
    assert found.header.closing is None


def test_the_raw_record_of_a_line_is_what_the_file_says() -> None:
    raw = raw_records(EXAMPLE, "mt940", "cash", {10, 21})
    assert raw == {
        10: ":61:2611261125C2500,NTRFNONREF//NB2611250018\n:86:/EREF/W-0001/REMI/Deposit",
        21: ":62F:C261125GBP990000,00",
    }


@pytest.mark.parametrize(
    ("block", "source"),
    [
        ("{1:F01NORTGB2LAXXX0000000000}{2:I940OMSXGB2LXXXXN}{4:", "NORTGB2L"),
        ("{1:F01OMSXGB2LXXXX0000000000}{2:O9401200261125NORTGB2LA12322221234562611251201N}{4:", "NORTGB2L123"),
        ("{1:F01OMSXGB2LXXXX0000000000}{4:", ""),
        ("", ""),
    ],
)
def test_the_sender_is_the_bank_of_the_blocks(tmp_path: Path, block: str, source: str) -> None:
    text = f"{block}\n" + one_entry("251231251231C10,NTRFNONREF")
    assert open_statement(written(tmp_path, text, "a.txt"), "cash").header.source == source
