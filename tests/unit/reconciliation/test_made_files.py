"""Files as counterparties write them: read again by nothing of ours, they say what the book says."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from io import StringIO

import pytest
from lxml import etree

from reconciliation.domain.making.bank_files import write_camt_053, write_mt940
from reconciliation.domain.making.csv_file import DRESSES, write_csv
from reconciliation.domain.making.fix_log import write_fix_log
from reconciliation.domain.making.semt_002 import write_semt_002
from reconciliation.domain.making.sheet import Book
from tests.unit.reconciliation.sheets import books, cash, executions, positions

NAMED = [pytest.param(book, id=book.name) for book in books()]


def said(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    text = content.decode("utf-8-sig").replace("\r\n", "\n")
    rows = [line for line in text.splitlines() if not line.startswith("#")]
    return [
        {name.lower(): cell.strip() for name, cell in row.items() if cell.strip()}
        for row in csv.DictReader(StringIO("\n".join(rows)), delimiter=delimiter)
    ]


def words(book: Book) -> list[dict[str, str]]:
    return [{name: value for name, value in record.values.items() if value} for record in book.records]


@pytest.mark.parametrize("book", NAMED)
@pytest.mark.parametrize("dress", DRESSES)
def test_however_it_is_dressed_a_file_says_the_same(book: Book, dress: str) -> None:
    content, places = write_csv(book, DRESSES[dress], seed=3)
    rows = said(content, DRESSES[dress].delimiter)
    for row in rows:
        row.pop("house_code", None)
        row.pop("remarks", None)
    assert rows == words(book)
    assert content != write_csv(book)[0] or dress == "bare"
    lines = content.decode("utf-8-sig").splitlines()
    for record, place in zip(book.records, places, strict=True):
        assert next(iter(record.values.values())) in lines[place - 1]


def test_a_file_counts_and_sums_itself() -> None:
    lines = write_csv(executions())[0].decode().splitlines()
    total = sum(record.number("last_qty") for record in executions().records)
    assert lines[0] == "#STATEMENT kind=executions source=BROKER date=2026-11-20 cut=2026-11-20T18:00:00.000000Z"
    assert lines[-1] == f"#TRAILER rows={len(executions().records)} sum.last_qty={total}"


@pytest.mark.parametrize("mark", ["|", "\x01"])
@pytest.mark.parametrize("noise", [True, False])
def test_a_log_holds_each_execution_once_among_the_noise(mark: str, noise: bool) -> None:
    book = executions()
    content, places = write_fix_log(book, mark=mark, noise=noise)
    lines = content.decode().splitlines()
    messages = [dict(f.split("=", 1) for f in line.split(" : ", 1)[1].split(mark) if f) for line in lines]
    for line, message in zip(lines, messages, strict=True):
        raw = line.split(" : ", 1)[1].replace(mark, "\x01")
        body = raw[raw.index("\x0135=") + 1 : raw.rindex("10=")]
        assert int(message["9"]) == len(body)
        assert int(message["10"]) == sum(raw[: raw.rindex("10=")].encode()) % 256
    told = [one for one in messages if one["35"] == "8" and "43" not in one]
    assert [one["17"] for one in told] == [record["exec_id"] for record in book.records]
    assert [messages[place - 1]["17"] for place in places] == [record["exec_id"] for record in book.records]
    assert [one["150"] for one in told[-2:]] == ["H", "G"]
    assert [one["34"] for one in told] == sorted({one["34"] for one in told}, key=int)
    assert (len(messages) > len(told)) == noise


def test_camt_053_adds_up() -> None:
    spaces = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}
    root = etree.fromstring(write_camt_053(cash()))
    statements = root.findall(".//c:Stmt", spaces)
    assert len(statements) == 4
    for statement in statements:
        by_code = {
            bal.findtext(".//c:Cd", namespaces=spaces): signed(bal, spaces)
            for bal in statement.findall("c:Bal", spaces)
        }
        moved = sum(signed(entry, spaces) for entry in statement.findall("c:Ntry", spaces))
        assert by_code["OPBD"] + moved == by_code["CLBD"] != by_code["CLAV"]
    refs = [one.text for one in root.findall(".//c:EndToEndId", spaces)]
    assert refs == [record["our_ref"] for record in cash().records if record["record"] == "entry"]


def signed(node: etree._Element, spaces: dict[str, str]) -> Decimal:
    amount = Decimal(node.findtext("c:Amt", namespaces=spaces) or "")
    return -amount if node.findtext("c:CdtDbtInd", namespaces=spaces) == "DBIT" else amount


def test_mt940_adds_up() -> None:
    text = write_mt940(cash()).decode()
    messages = text.split("\r\n-\r\n")[:-1]
    assert len(messages) == 4
    for message in messages:
        opening, closing = (balance(message, tag) for tag in ("60F", "62F"))
        moved = sum(amount(*found) for found in re.findall(r":61:\d{10}([CD])([\d,]+)N", message))
        assert opening + moved == closing
    assert re.findall(r"NSEC(\S+)//", text) == [r["our_ref"] for r in cash().records if r["record"] == "entry"]


def balance(message: str, tag: str) -> Decimal:
    found = re.search(rf":{tag}:([CD])\d{{6}}GBP([\d,]+)", message)
    assert found
    return amount(*found.groups())


def amount(mark: str, text: str) -> Decimal:
    return Decimal(text.replace(",", ".")) * (1 if mark == "C" else -1)


def test_semt_002_holds_each_position() -> None:
    spaces = {"s": "urn:iso:std:iso:20022:tech:xsd:semt.002.001.11"}
    root = etree.fromstring(write_semt_002(positions()))
    found = [
        (account.findtext(".//s:Id", namespaces=spaces), line.findtext(".//s:ISIN", namespaces=spaces),
         line.findtext("s:AggtBal//s:Unit", namespaces=spaces))
        for account in root.findall(".//s:SubAcctDtls", spaces)
        for line in account.findall("s:BalForSubAcct", spaces)
    ]  # fmt: skip
    assert found == [(record["account"], record["isin"], record["qty"]) for record in positions().records]
