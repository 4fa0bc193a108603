"""semt.002, the custodian's or registry's statement of holdings (`docs/formats/semt_002.md`), any version: aggregate balances.

A holding is the *aggregate* balance of an instrument in a safekeeping account, never what is available of it. A sub-account's
balances are its own. Only a complete statement with all its pages is used: what it does not list is nothing, so half of
one would empty accounts. `line` counts balances from 1.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from reconciliation.domain.records import Kind, names_of
from reconciliation.formats.directives import take_manifest
from reconciliation.formats.problems import BadValue, FileCode, FileProblem, RowCode, shown
from reconciliation.formats.statement import Header, Record, Statement
from reconciliation.formats.values import read_date, read_instant
from reconciliation.formats.xml_file import XmlFile, first_at, local, raw_of, text_at

NAME: Final = "semt_002"
KINDS: Final = frozenset({Kind.HOLDINGS, Kind.POSITIONS})
_BEGIN = re.compile(rb"<(?:[\w.-]+:)?SctiesBalCtdyRpt|xsd:semt\.002\.")
_BALANCES: Final = ("BalForAcct", "BalForSubAcct")
_PARTS: Final = ("Pgntn", "StmtGnlDtls", "AcctSvcr", "SfkpgAcct", "SubAcctDtls", *_BALANCES)
_BASES: Final = {"": "settled", "SETT": "settled", "TRAD": "traded"}


def is_semt_002(begin: bytes) -> bool:
    """Told by the message's element or its namespace."""
    return _BEGIN.search(begin) is not None


class Semt002Statement(Statement):
    """The balances of a semt.002, account by account."""

    def __init__(self, path: Path, kind: Kind) -> None:
        super().__init__(path, kind, Header(NAME, kind, proven=True))
        self.digest_said = take_manifest(self.header, path)
        self._file = XmlFile(path)
        self._names = names_of(kind)
        self._account = ""
        self._sub_account = ""
        self._basis = ""
        self._as_of = ""
        self._reports = 0
        self._raw_wanted: Container[int] = ()
        self.raw: dict[int, str] = {}
        self._begin()

    @property
    def sha256(self) -> str:
        return self._file.sha256

    def records(self) -> Iterator[Record]:
        number = 0
        for element in self._file.elements(*_PARTS, around="SubAcctDtls"):
            match local(element):
                case "BalForAcct" | "BalForSubAcct":
                    number += 1
                    if number in self._raw_wanted:
                        self.raw[number] = raw_of(element)
                    said = self._balance(number, element)
                    if said is not None:
                        yield number, [said.get(name, "") for name in self._names]
                case "SubAcctDtls":
                    self._sub_account = ""
                case _:
                    self._take_part(element)
        if not self._reports:
            raise FileProblem(FileCode.STRUCTURE, "The file has no statement of holdings (StmtGnlDtls).")

    def keep_raw(self, lines: Container[int]) -> dict[int, str]:
        """The wanted balances as they stand in the file."""
        self._raw_wanted = lines
        for _record in self.records():
            pass
        return self.raw

    def _begin(self) -> None:
        """The header, which stands before the first balance."""
        for element in XmlFile(self.path).elements(*_PARTS, around="SubAcctDtls"):
            if local(element) == "SubAcctDtls" or local(element) in _BALANCES:
                break
            self._take_part(element)
        self._reports = 0

    def _take_part(self, element: Any) -> None:
        match local(element), local(element.getparent()):
            case "Pgntn", _:
                if text_at(element, "PgNb").lstrip("0") != "1" or text_at(element, "LastPgInd").lower() not in (
                    "true",
                    "1",
                ):
                    sentence = "The file is one page of several: what the others list would look like nothing."
                    raise FileProblem(FileCode.PAGES_MISSING, sentence)
            case "StmtGnlDtls", _:
                self._reports += 1
                self._take_details(element)
            case "AcctSvcr", _:
                said = text_at(element, "AnyBIC", "Id/AnyBIC", "PrtryId/Id", "Id/PrtryId/Id")
                self.header.source = self.header.source or said[:64]
            case "SfkpgAcct", "SubAcctDtls":
                self._sub_account = _account(element)
            case "SfkpgAcct", parent if parent not in _BALANCES:
                self._account = _account(element)

    def _take_details(self, element: Any) -> None:
        header = self.header
        if text_at(element, "UpdTp/Cd").upper() == "DELT":
            raise FileProblem(
                FileCode.NOT_COMPLETE, "The statement tells changes only (DELT), a complete one is needed."
            )
        basis = text_at(element, "StmtBsis/Cd").upper()
        self._basis = _BASES.get(basis, "")
        if not self._basis or (self._basis == "traded" and self.kind is Kind.HOLDINGS):
            sentence = f"The statement is on basis {basis}, {self.kind.value} need settled balances (SETT)."
            raise FileProblem(FileCode.KIND_DIFFERS, sentence)
        header.reference = text_at(element, "StmtId", "QryRef")[:64]
        number = text_at(element, "RptNb/Shrt", "RptNb/Lng", "RptNb", "ElctrncSeqNb")
        if header.sequence is None and number.isascii() and number.isdigit():
            header.sequence = int(number[:15])
        said = text_at(element, "StmtDtTm/DtTm", "StmtDtTm/Dt")
        try:
            self._as_of = read_date(said[:10])
        except BadValue as bad:
            raise FileProblem(FileCode.STRUCTURE, f"StmtDtTm: {bad.sentence}") from bad
        header.statement_date = header.statement_date or date.fromisoformat(self._as_of)
        with suppress(BadValue):  # a day, or a time without a zone, is no cut
            header.cut_at = header.cut_at or datetime.fromisoformat(read_instant(said))

    def _balance(self, number: int, element: Any) -> dict[str, str] | None:
        aggregate = first_at(element, "AggtBal")
        amount = text_at(aggregate, *_QUANTITIES) if aggregate is not None else ""
        if not amount:
            self.lose(
                number, RowCode.STRUCTURE, "The balance has no aggregate quantity (AggtBal, Unit or FaceAmt).", "qty"
            )
            return None
        sign = text_at(aggregate, "ShrtLngInd").upper()
        if sign not in ("LONG", "SHOR", ""):
            self.lose(number, RowCode.STRUCTURE, f"ShrtLngInd {shown(sign)} is neither LONG nor SHOR.", "qty")
            return None
        instrument = first_at(element, "FinInstrmId")
        isin = text_at(instrument, "ISIN")
        return {
            "account": self._sub_account or self._account,
            "isin": isin,
            "symbol": "" if isin else text_at(instrument, "OthrId/Id"),
            "mic": text_at(element, "FinInstrmAttrbts/PlcOfListg/MktIdrCd", "FinInstrmAttrbts/PlcOfListg/Id/MktIdrCd"),
            "qty": f"-{amount}" if sign == "SHOR" and not amount.startswith("-") else amount,
            "basis": self._basis,
            "as_of": self._as_of,
        }


_QUANTITIES: Final = tuple(
    f"{way}{what}"
    for way in ("Qty/Qty/Qty/", "Qty/Qty/", "Qty/", "Qty/Qty/OrgnlAndCurFaceAmt/")
    for what in ("Unit", "FaceAmt")
)
"""Where versions put the quantity of an aggregate balance."""


def raw_balances(path: Path, kind: Kind, lines: Container[int]) -> dict[int, str]:
    """The wanted balances as they stand in the file."""
    return Semt002Statement(path, kind).keep_raw(lines)


def _account(element: Any) -> str:
    return "".join(text_at(element, "Id", "Id/Id", "IBAN").split())
