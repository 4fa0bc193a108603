"""camt.053, the bank's statement of an account (`docs/formats/camt_053.md`), any version: booked balances and booked entries.

Opening is OPBD (else PRCD), closing is CLBD: never what is *available* (CLAV), never an interim balance. Opening and
booked entries must come to closing, else nothing of the file is used. A statement over several pages is one, and must be
whole. `line` counts entries and closing balances from 1.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from kernel.numbers import ZERO, plain
from reconciliation.domain.records import Kind
from reconciliation.formats.camt_summary import Summary
from reconciliation.formats.cash_rows import balance_row, entry_row, judge_balance
from reconciliation.formats.directives import take_manifest
from reconciliation.formats.problems import BadValue, FileCode, FileProblem, NoteCode
from reconciliation.formats.statement import Header, Record, Statement
from reconciliation.formats.values import read_date, read_instant, read_number
from reconciliation.formats.xml_file import XmlFile, all_at, first_at, local, raw_of, text_at

NAME: Final = "camt_053"
KINDS: Final = frozenset({Kind.CASH})
_BEGIN = re.compile(rb"<(?:[\w.-]+:)?BkToCstmrStmt\b|xsd:camt\.053\.")
_PARTS: Final = ("Id", "ElctrncSeqNb", "LglSeqNb", "FrToDt", "StmtPgntn", "Acct", "Bal", "TxsSummry", "Ntry", "Stmt")
_NOT_GIVEN: Final = frozenset({"", "NOTPROVIDED", "NONREF", "NOT PROVIDED"})


@dataclass(slots=True)
class _Account:
    """What is known of the statement of an account so far; pages add to it."""

    account: str = ""
    currency: str = ""
    source: str = ""
    reference: str = ""
    sequence: str = ""
    until: str = ""
    opening: Decimal | None = None
    closing: Decimal | None = None
    closing_date: str = ""
    closing_raw: str = ""
    entered: Decimal = ZERO
    summary: Summary = field(default_factory=Summary)
    interim: bool = False
    pages: int = 0


def is_camt_053(begin: bytes) -> bool:
    """Told by the message's element or its namespace."""
    return _BEGIN.search(begin) is not None


class Camt053Statement(Statement):
    """The accounts of a camt.053, one after the other."""

    def __init__(self, path: Path, kind: Kind) -> None:
        super().__init__(path, kind, Header(NAME, kind, proven=True))
        self.digest_said = take_manifest(self.header, path)
        self._file = XmlFile(path)
        self._number = 0
        self._raw_wanted: Container[int] = ()
        self.raw: dict[int, str] = {}
        self._begin()

    @property
    def sha256(self) -> str:
        return self._file.sha256

    def records(self) -> Iterator[Record]:
        held = _Account()
        statements = 0
        for element in self._file.elements(*_PARTS, around="Stmt"):
            if local(element.getparent()) != "Stmt" and local(element) != "Stmt":
                continue
            if local(element) == "Ntry":
                yield from self._entries(element, held)
            elif local(element) != "Stmt":
                _take_part(element, held)
            else:
                statements += 1
                if held.interim:
                    held.interim = False
                    continue  # the next page goes on
                yield self._balance(held)
                held = _Account()
        if statements == 0:
            raise FileProblem(FileCode.STRUCTURE, "The file has no statement (Stmt).")
        if held.pages or held.account:
            raise FileProblem(FileCode.PAGES_MISSING, f"The last pages of the statement of {held.account} are missing.")

    def keep_raw(self, lines: Container[int]) -> dict[int, str]:
        """The wanted records as they stand in the file."""
        self._raw_wanted = lines
        for _record in self.records():
            pass
        return self.raw

    def _begin(self) -> None:
        """The header, from the first account: its balances stand before its entries."""
        first = _Account()
        for element in XmlFile(self.path).elements(*_PARTS, around="Stmt"):
            if local(element) in ("Stmt", "Ntry"):
                break
            if local(element.getparent()) == "Stmt":
                _take_part(element, first)
        header = self.header
        header.source = header.source or first.source
        header.reference = first.reference
        if header.sequence is None and first.sequence.isascii() and first.sequence.isdigit():
            header.sequence = int(first.sequence[:15])
        if first.closing_date:
            header.statement_date = header.statement_date or date.fromisoformat(first.closing_date)
        if first.until:
            header.cut_at = header.cut_at or datetime.fromisoformat(first.until)
        header.opening, header.closing = first.opening, first.closing

    def _balance(self, held: _Account) -> Record:
        if held.closing is None:
            raise FileProblem(FileCode.STRUCTURE, f"The statement of {held.account or 'an account'} has no CLBD.")
        self._number += 1
        if self._number in self._raw_wanted:
            self.raw[self._number] = held.closing_raw
        held.summary.judge(held.account)
        judge_balance(held.account, opening=held.opening, entered=held.entered, closing=held.closing)
        if (held.opening, held.closing) != (self.header.opening, self.header.closing):
            self.header.opening = self.header.closing = None  # several accounts: the header is about none of them
        return self._number, balance_row(
            account=held.account,
            currency=held.currency,
            opening="" if held.opening is None else plain(held.opening),
            amount=plain(held.closing),
            as_of=held.closing_date,
        )

    def _entries(self, entry: Any, held: _Account) -> Iterator[Record]:
        """The entry as one row, or one for each of its transactions where they come to its amount."""
        self._number += 1
        number = self._number
        if number in self._raw_wanted:
            self.raw[number] = raw_of(entry)
        status = text_at(entry, "Sts/Cd", "Sts", "Sts/Prtry")
        booked = status in ("BOOK", "")  # without one it counts, and the balances tell whether it should
        held.summary.count(entry, booked=booked)
        if not booked:
            self.notes.add(number, "", NoteCode.NOT_BOOKED, f"The entry is {status}, not booked.")
            return
        amount, currency = _signed(entry, number)
        if held.currency and currency != held.currency:
            sentence = f"Entry {number} is in {currency}, its account {held.account} in {held.currency}."
            raise FileProblem(FileCode.STRUCTURE, sentence)
        held.entered += amount
        reference = text_at(entry, "AcctSvcrRef", "NtryRef") or f"{held.reference}/{number}"
        common = {
            "account": held.account,
            "currency": currency,
            "as_of": _day(entry, "BookgDt"),
            "value_date": _day(entry, "ValDt"),
        }
        details = [one for group in all_at(entry, "NtryDtls") for one in all_at(group, "TxDtls")]
        parts = self._parts(details, number, amount, currency) if len(details) > 1 else [(amount, details[:1])]
        batch = text_at(entry, "NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId")
        for at, (part, about) in enumerate(parts, 1):
            own = text_at(about[0], "Refs/AcctSvcrRef") if about else ""
            yield (
                number,
                entry_row(
                    **common,
                    amount=plain(part),
                    entry_ref=own if own and len(parts) > 1 else reference if len(parts) == 1 else f"{reference}/{at}",
                    our_ref=_our_ref(about[0] if about else None) or batch,
                    narrative=_narrative(entry, about[0] if about else None),
                ),
            )

    def _parts(
        self, details: list[Any], number: int, amount: Decimal, currency: str
    ) -> list[tuple[Decimal, list[Any]]]:
        """The transactions of a batch with their amounts; the batch as it is when they do not come to it."""
        parts = []
        for one in details:
            found = first_at(one, "Amt")
            found = first_at(one, "AmtDtls/TxAmt/Amt") if found is None else found
            if found is None or found.get("Ccy") != currency:
                break
            sign = text_at(one, "CdtDbtInd") or ("CRDT" if amount >= 0 else "DBIT")
            parts.append((_amount(found.text, number) * (1 if sign == "CRDT" else -1), [one]))
        if len(parts) == len(details) and sum(part for part, _one in parts) == amount:
            return parts
        sentence = f"The {len(details)} transactions of the entry do not come to its amount: it stays one row."
        self.notes.add(number, "amount", NoteCode.BATCH_NOT_SPLIT, sentence)
        return [(amount, [])]


def raw_entries(path: Path, kind: Kind, lines: Container[int]) -> dict[int, str]:
    """The wanted entries and balances as they stand in the file."""
    return Camt053Statement(path, kind).keep_raw(lines)


def _take_part(element: Any, held: _Account) -> None:
    """A child of the statement that says something of the whole of it."""
    match local(element):
        case "Id":
            held.reference = (element.text or "").strip()
        case "ElctrncSeqNb":
            held.sequence = (element.text or "").strip()
        case "LglSeqNb":
            held.sequence = held.sequence or (element.text or "").strip()
        case "FrToDt":
            held.until = _instant_or_none(text_at(element, "ToDtTm"))
        case "StmtPgntn":
            held.pages += 1
            held.interim = text_at(element, "LastPgInd").lower() in ("false", "0")
            if text_at(element, "PgNb").lstrip("0") != str(held.pages):
                sentence = f"A statement has page {text_at(element, 'PgNb')} where page {held.pages} is due."
                raise FileProblem(FileCode.PAGES_MISSING, sentence)
        case "Acct":
            _take_account(element, held)
        case "Bal":
            _take_balance(element, held)
        case "TxsSummry":
            if not held.pages:  # of a page or of them all: nobody says which
                held.summary.hear(element)


def _take_account(element: Any, held: _Account) -> None:
    account = "".join(text_at(element, "Id/IBAN", "Id/Othr/Id", "Id/PrtryAcct/Id", "Id/BBAN").split())
    if held.account and account != held.account:
        raise FileProblem(FileCode.PAGES_MISSING, f"The last pages of the statement of {held.account} are missing.")
    held.account = account
    held.currency = text_at(element, "Ccy") or held.currency
    held.source = text_at(element, "Svcr/FinInstnId/BICFI", "Svcr/FinInstnId/BIC", "Svcr/FinInstnId/Nm")[:64]


def _take_balance(element: Any, held: _Account) -> None:
    """Booked balances alone; one of a page (INTM) neither opens nor closes the statement."""
    code = text_at(element, "Tp/CdOrPrtry/Cd", "Tp/Cd")
    page = text_at(element, "Tp/SubTp/Cd") == "INTM"
    if code not in ("OPBD", "PRCD", "CLBD"):
        return
    if page:
        held.interim = held.interim or code == "CLBD"
        return
    amount, currency = _signed(element, 0)
    held.currency = held.currency or currency
    if currency != held.currency:
        raise FileProblem(FileCode.STRUCTURE, f"A balance of {held.account} is in {currency}, not {held.currency}.")
    if code == "CLBD":
        day = _day(element, "Dt")
        if held.closing is None or day >= held.closing_date:
            held.closing, held.closing_date, held.closing_raw = amount, day, raw_of(element)
    elif held.opening is None or code == "OPBD":
        held.opening = amount


def _signed(element: Any, number: int) -> tuple[Decimal, str]:
    """Amount from the account's point of view, and its currency. A reversal's direction is already its own."""
    found, sign = first_at(element, "Amt"), text_at(element, "CdtDbtInd")
    if found is None or sign not in ("CRDT", "DBIT"):
        where = f"Entry {number}" if number else "A balance"
        raise FileProblem(FileCode.STRUCTURE, f"{where} has no Amt or no CdtDbtInd.")
    amount = _amount(found.text, number)
    if amount < 0:
        where = f"Entry {number}" if number else "A balance"
        sentence = f"{where} has the amount {plain(amount)}: a sign beside CdtDbtInd says two things."
        raise FileProblem(FileCode.STRUCTURE, sentence)
    return (amount if sign == "CRDT" else -amount), str(found.get("Ccy") or "")


def _amount(text: str | None, number: int) -> Decimal:
    try:
        return Decimal(read_number((text or "").strip()))
    except BadValue as bad:
        raise FileProblem(FileCode.STRUCTURE, f"Record {number or 'of a balance'}: {bad.sentence}") from bad


def _day(element: Any, name: str) -> str:
    """The date of a date-or-time choice, as the bank says it in its own zone."""
    text = text_at(element, f"{name}/Dt", f"{name}/DtTm")[:10]
    try:
        return read_date(text) if text else ""
    except BadValue as bad:
        raise FileProblem(FileCode.STRUCTURE, bad.sentence) from bad


def _instant_or_none(text: str) -> str:
    try:
        return read_instant(text)
    except BadValue:
        return ""  # a time without a zone is no cut; the balance has its day


def _our_ref(detail: Any) -> str:
    for path in ("Refs/EndToEndId", "Refs/InstrId", "Refs/PmtInfId", "Refs/TxId", "Refs/Prtry/Ref"):
        text = text_at(detail, path)
        if text.upper() not in _NOT_GIVEN:
            return text
    return ""


def _narrative(entry: Any, detail: Any) -> str:
    texts = [(one.text or "").strip() for one in all_at(detail, "RmtInf/Ustrd")]
    texts += [
        text_at(detail, "RmtInf/Strd/CdtrRefInf/Ref"),
        text_at(detail, "AddtlTxInf"),
        text_at(entry, "AddtlNtryInf"),
    ]
    return " ".join(" ".join(texts).split())[:500]
