"""Holdings as a depository sends them: one semt.002.001.11 statement of custody an account. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from kernel.numbers import plain
from reconciliation.domain.making.sheet import Book, Record, instant

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:semt.002.001.11"


def write_semt_002(book: Book) -> bytes:
    """One document; each account of the book is a sub-account of the statement."""
    accounts: dict[str, list[Record]] = {}
    for record in book.records:
        accounts.setdefault(record["account"], []).append(record)
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{NAMESPACE}"><SctiesBalCtdyRpt>'
        "<Pgntn><PgNb>1</PgNb><LastPgInd>true</LastPgInd></Pgntn>\n"
        f"<StmtGnlDtls><StmtId>{book.source}-{book.day:%Y%m%d}</StmtId>"
        f"<StmtDtTm><DtTm>{instant(book.cut_at)}</DtTm></StmtDtTm><Frqcy><Cd>DAIL</Cd></Frqcy><UpdTp><Cd>COMP</Cd></UpdTp>"
        "<StmtBsis><Tp><Cd>SETT</Cd></Tp></StmtBsis><ActvtyInd>true</ActvtyInd><SubAcctInd>true</SubAcctInd></StmtGnlDtls>\n"
        f"<SfkpgAcct><Id>{escape(book.source)}</Id></SfkpgAcct>\n"
    )
    body = "".join(_sub_account(account, records) for account, records in accounts.items())
    return f"{head}{body}</SctiesBalCtdyRpt></Document>\n".encode()


def _sub_account(account: str, records: Iterable[Record]) -> str:
    lines = "".join(_balance(record) for record in records)
    return f"<SubAcctDtls><SfkpgAcct><Id>{escape(account)}</Id></SfkpgAcct><ActvtyInd>true</ActvtyInd>\n{lines}</SubAcctDtls>\n"


def _balance(record: Record) -> str:
    qty = record.number("qty")
    sign = "SHOR" if qty < 0 else "LONG"
    unit = f"<Qty><Qty><Qty><Unit>{plain(abs(qty))}</Unit></Qty></Qty></Qty>"
    return (
        f"<BalForSubAcct><FinInstrmId><ISIN>{record['isin']}</ISIN></FinInstrmId>"
        f"<AggtBal><ShrtLngInd>{sign}</ShrtLngInd>{unit}</AggtBal>"
        f"<AvlblBal>{unit}</AvlblBal></BalForSubAcct>\n"
    )
