"""Cash as banks send it: camt.053.001.08 and MT940, a statement for each account and currency. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from xml.sax.saxutils import escape

from reconciliation.domain.making.sheet import Book, Record, instant

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
LONGEST_SWIFT_REF = 16


@dataclass(frozen=True, slots=True)
class BankStatement:
    """The balance of one account in one currency, and what moved it."""

    number: int
    balance: Record
    entries: Sequence[Record]


def statements_of(book: Book) -> list[BankStatement]:
    """Each balance with its entries. Entries without a balance belong to no statement: a bank has none."""
    entries: dict[tuple[str, str], list[Record]] = {}
    balances: list[Record] = []
    for record in book.records:
        if record["record"] == "entry":
            entries.setdefault((record["account"], record["currency"]), []).append(record)
        else:
            balances.append(record)
    return [
        BankStatement(number, balance, entries.get((balance["account"], balance["currency"]), ()))
        for number, balance in enumerate(balances, start=1)
    ]


def write_camt_053(book: Book) -> bytes:
    """One message."""
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{NAMESPACE}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>{book.source}-{book.day:%Y%m%d}</MsgId><CreDtTm>{instant(book.cut_at)}</CreDtTm></GrpHdr>\n"
    )
    body = "".join(line for statement in statements_of(book) for line in _camt_statement(book, statement))
    return f"{head}{body}</BkToCstmrStmt></Document>\n".encode()


def _camt_statement(book: Book, statement: BankStatement) -> Iterator[str]:
    balance = statement.balance
    currency, before = balance["currency"], book.day - timedelta(days=1)
    yield f"<Stmt><Id>{book.day:%Y%m%d}-{statement.number}</Id><ElctrncSeqNb>{book.day:%j}</ElctrncSeqNb>"
    yield f"<CreDtTm>{instant(book.cut_at)}</CreDtTm>"
    yield f"<Acct><Id><Othr><Id>{escape(balance['account'])}</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>\n"
    yield _camt_balance("OPBD", balance.number("opening"), currency, before)
    yield _camt_balance("CLBD", balance.number("amount"), currency, book.day)
    # What banks also say, and what nobody may take for the booked balance.
    yield _camt_balance("CLAV", balance.number("amount") - Decimal("12.34"), currency, book.day)
    for entry in statement.entries:
        amount = entry.number("amount")
        yield (
            f'<Ntry><Amt Ccy="{currency}">{abs(amount):.2f}</Amt><CdtDbtInd>{_sign(amount)}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
            f"<BookgDt><Dt>{book.day}</Dt></BookgDt><ValDt><Dt>{entry['value_date']}</Dt></ValDt>"
            f"<AcctSvcrRef>{escape(entry['entry_ref'])}</AcctSvcrRef><BkTxCd><Prtry><Cd>SECU</Cd></Prtry></BkTxCd>"
            f"<NtryDtls><TxDtls><Refs><EndToEndId>{escape(entry['our_ref'] or 'NOTPROVIDED')}</EndToEndId></Refs>"
            f'<Amt Ccy="{currency}">{abs(amount):.2f}</Amt><CdtDbtInd>{_sign(amount)}</CdtDbtInd>'
            f"</TxDtls></NtryDtls></Ntry>\n"
        )
    yield "</Stmt>\n"


def _camt_balance(code: str, amount: Decimal, currency: str, day: date) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{abs(amount):.2f}</Amt>'
        f"<CdtDbtInd>{_sign(amount)}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def _sign(amount: Decimal) -> str:
    return "DBIT" if amount < 0 else "CRDT"


def write_mt940(book: Book) -> bytes:
    """One message a statement, one after the other. References longer than the field stand in :86: as /EREF/."""
    return "".join(
        "\r\n".join([*_mt940_statement(book, statement), "-", ""]) for statement in statements_of(book)
    ).encode()


def _mt940_statement(book: Book, statement: BankStatement) -> Iterator[str]:
    balance = statement.balance
    currency, before = balance["currency"], book.day - timedelta(days=1)
    yield f":20:{book.day:%y%m%d}S{statement.number}"
    yield f":25:{balance['account']}"
    yield f":28C:{int(f'{book.day:%j}')}/1"
    yield f":60F:{_mark(balance.number('opening'))}{before:%y%m%d}{currency}{_comma(balance.number('opening'))}"
    for entry in statement.entries:
        amount, value = entry.number("amount"), date.fromisoformat(entry["value_date"])
        ours = entry["our_ref"]
        short = ours if ours and len(ours) <= LONGEST_SWIFT_REF else "NONREF"
        yield f":61:{value:%y%m%d}{book.day:%m%d}{_mark(amount)}{_comma(amount)}NSEC{short}//{entry['entry_ref'][-16:]}"
        yield f":86:/EREF/{ours}" if ours else f":86:{entry['narrative'] or 'CHARGES'}"
    yield f":62F:{_mark(balance.number('amount'))}{book.day:%y%m%d}{currency}{_comma(balance.number('amount'))}"
    yield f":64:{_mark(balance.number('amount'))}{book.day:%y%m%d}{currency}{_comma(balance.number('amount'))}"


def _mark(amount: Decimal) -> str:
    return "D" if amount < 0 else "C"


def _comma(amount: Decimal) -> str:
    return f"{abs(amount):.2f}".replace(".", ",")
