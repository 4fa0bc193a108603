"""Status advices (sese.024) and settlement confirmations (sese.025) of a file, any version, with or without an envelope.

XML from outside: no document type, no entity, no network; a record is handed out at its end tag and forgotten, and more than
``MOST_HELD`` bytes between two of them is no record. The parser itself bounds depth and text (``huge_tree`` is off).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree

from allocations.domain import transitions as moves
from allocations.domain.settling import ACCEPTED
from allocations.formats.status_records import BadFile, BadLine, StatusLine, line_of

MOST_HELD: Final = 1 << 20
CHUNK: Final = 32_768
ADVICE: Final = "SctiesSttlmTxStsAdvc"
CONFIRMATION: Final = "SctiesSttlmTxConf"
_DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_CODE = re.compile(r"[A-Z0-9]{4}")


def read_statuses(content: bytes) -> Iterator[StatusLine | BadLine]:
    """Every record, in order. Raises BadFile where the XML is broken, has a document type, or holds no record."""
    if _DOCTYPE.search(content[:CHUNK]):
        raise _doctype()
    source = _Source(content)
    parser = etree.iterparse(
        source, events=("end",), tag=["{*}CreDt", f"{{*}}{ADVICE}", f"{{*}}{CONFIRMATION}"], resolve_entities=False,
        load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    number, told_at = 0, ""
    try:
        for _event, element in parser:
            about = element.getroottree().docinfo  # whatever its encoding, and wherever it stands
            if about.doctype or about.internalDTD is not None:
                raise _doctype()
            name = _local(element)
            if name == "CreDt":
                told_at = (element.text or "").strip()
                continue
            number += 1
            raw = str(etree.tostring(element, encoding="unicode", with_tail=False))
            values = _advice(element, told_at) if name == ADVICE else _confirmation(element)
            yield line_of(number, raw, values)
            _forget(element)
            source.held = 0
    except etree.XMLSyntaxError as error:
        raise BadFile("FILE_BROKEN", f"Line {error.lineno or 0} is not well-formed XML: {str(error)[:120]}.") from error
    if not number:
        raise BadFile("FILE_WITHOUT_RECORDS", f"The file has neither {ADVICE} nor {CONFIRMATION}.")


def _doctype() -> BadFile:
    return BadFile("FILE_DOCTYPE", "The file has a document type or defines entities: none is taken.")


class _Source:
    """Bytes for the parser, counted since the last record that was forgotten."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)
        self.held = 0

    def read(self, _size: int = -1) -> bytes:
        chunk = self._file.read(CHUNK)
        self.held += len(chunk)
        if self.held > MOST_HELD:
            raise BadFile("FILE_RECORD_TOO_LONG", f"More than {MOST_HELD:,} bytes without the end of a record.")
        return chunk


def _advice(record: Any, told_at: str) -> Mapping[str, str]:
    """The last of processing, matching and settlement status that it has: each presupposes the one before."""
    status, reason = ACCEPTED, None
    for path, said in (
        ("PrcgSts/Canc", moves.CANCELED),
        ("PrcgSts/Rjctd", moves.REJECTED),
        ("MtchgSts/Umtchd", moves.PENDING),
        ("IfrrdMtchgSts/Umtchd", moves.PENDING),
        ("MtchgSts/Mtchd", moves.MATCHED),
        ("IfrrdMtchgSts/Mtchd", moves.MATCHED),
        ("SttlmSts/Pdg", moves.PENDING),
        ("SttlmSts/Flng", moves.FAILED),
    ):
        found = record.find(_any(path))
        if found is not None and not (said == moves.PENDING and status in (moves.CANCELED, moves.REJECTED)):
            status, reason = said, found
    return {
        "our_ref": _text(record, "TxId/AcctOwnrTxId"),
        "their_ref": _text(record, "TxId/AcctSvcrTxId"),
        "status": status,
        "quantity": "",
        "amount": "",
        "currency": "",
        "reason_code": _reason_code(reason),
        "reason": _reason_text(reason),
        "effective_at": told_at,
    }


def _confirmation(record: Any) -> Mapping[str, str]:
    amount = record.find(_any("SttldAmt/Amt"))
    partial = _text(record, "AddtlParams/PrtlSttlm") in ("PAIN", "PARC")
    return {
        "our_ref": _text(record, "TxIdDtls/AcctOwnrTxId"),
        "their_ref": _text(record, "TxIdDtls/AcctSvcrTxId"),
        "status": moves.PARTIAL if partial else moves.SETTLED,
        "quantity": _text(record, "QtyAndAcctDtls/SttldQty/Qty/Unit", "QtyAndAcctDtls/SttldQty/Unit"),
        "amount": "" if amount is None else (amount.text or "").strip(),
        "currency": "" if amount is None else str(amount.get("Ccy") or ""),
        "reason_code": "",
        "reason": "",
        "effective_at": _text(
            record, "TradDtls/FctvSttlmDt/Dt/DtTm", "TradDtls/FctvSttlmDt/DtTm", "TradDtls/FctvSttlmDt/Dt/Dt",
            "TradDtls/FctvSttlmDt/Dt",
        ),
    }  # fmt: skip


def _reason_code(element: Any) -> str:
    """The first code of four within it: LACK, CLAC, NMAT and the like."""
    if element is None:
        return ""
    for one in element.iter("{*}Cd"):
        text = (one.text or "").strip()
        if _CODE.fullmatch(text):
            return text
    return ""


def _reason_text(element: Any) -> str:
    found = None if element is None else element.find(".//{*}AddtlRsnInf")
    return "" if found is None else (found.text or "").strip()


def _text(element: Any, *paths: str) -> str:
    for path in paths:
        found = element.find(_any(path))
        text = "" if found is None else (found.text or "").strip()
        if text:
            return str(text)
    return ""


def _any(path: str) -> str:
    return "/".join(f"{{*}}{step}" for step in path.split("/"))


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _forget(element: Any) -> None:
    """Nothing that was handed out stays in memory, nor what came before it."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while parent[0] is not element:
            del parent[0]
