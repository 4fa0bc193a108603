"""Our instructions as a custodian reads them (sese.023, sese.020), and its answers as it writes them (sese.024, sese.025). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from allocations.custodian.course import Instructed, Word
from allocations.domain import transitions as moves
from allocations.domain.settling import ACCEPTED
from kernel.numbers import minor_unit, plain

ENVELOPE: Final = "urn:iso:std:iso:20022:tech:xsd:head.003.001.01"
HEADER: Final = "urn:iso:std:iso:20022:tech:xsd:head.001.001.02"
SESE_024: Final = "urn:iso:std:iso:20022:tech:xsd:sese.024.001.12"
SESE_025: Final = "urn:iso:std:iso:20022:tech:xsd:sese.025.001.11"
UNITS: Final = (moves.PARTIAL, moves.SETTLED)


def read_instructions(content: bytes) -> Iterator[Instructed]:
    """Every instruction of a file of ours; the amount of one that is free of payment is zero."""
    for body in _bodies(content, "SctiesSttlmTxInstr"):
        amount = body.find(".//{*}SttlmAmt/{*}Amt")
        yield Instructed(
            ref=_text(body, "{*}TxId"),
            delivery=_text(body, "{*}SttlmTpAndAddtlParams/{*}SctiesMvmntTp"),
            isin=_text(body, "{*}FinInstrmId/{*}ISIN"),
            qty=Decimal(_text(body, "{*}QtyAndAcctDtls/{*}SttlmQty/{*}Qty/{*}Unit")),
            amount=Decimal(0) if amount is None else Decimal(str(amount.text)),
            currency="" if amount is None else str(amount.get("Ccy")),
            settlement_date=date.fromisoformat(_text(body, "{*}TradDtls/{*}SttlmDt/{*}Dt/{*}Dt")),
            safekeeping_account=_text(body, "{*}QtyAndAcctDtls/{*}SfkpgAcct/{*}Id"),
            previous=_text(body, "{*}Lnkgs/{*}Ref/{*}SctiesSttlmTxId"),
        )


def read_cancellations(content: bytes) -> list[str]:
    """References that we asked to cancel."""
    return [_text(body, "{*}AcctOwnrTxId/{*}SctiesSttlmTxId/{*}TxId") for body in _bodies(content, "SctiesTxCxlReq")]


def write_words(words: Sequence[Word], *, at: datetime) -> bytes:
    """One file: a header, and a document for each word in the order given."""
    root = etree.Element(etree.QName(ENVELOPE, "BizData"), nsmap={None: ENVELOPE})
    header = etree.SubElement(_add(root, "Hdr"), etree.QName(HEADER, "AppHdr"), nsmap={None: HEADER})
    _add(header, "CreDt", _moment(at))
    load = _add(root, "Pyld")
    for word in words:
        load.append(_confirmation(word) if word.status in UNITS else _advice(word))
    content: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return content


def _advice(word: Word) -> Any:
    document, body = _document(SESE_024, "SctiesSttlmTxStsAdvc")
    _names(_add(body, "TxId"), word)
    if word.status == moves.REJECTED:
        _reason(_add(_add(body, "PrcgSts"), "Rjctd"), word)
    elif word.status == moves.CANCELED:
        _reason(_add(_add(body, "PrcgSts"), "Canc"), word)
    elif word.status == ACCEPTED:
        _add(_add(_add(body, "PrcgSts"), "AckdAccptd"), "NoSpcfdRsn", "NORE")
    elif word.status == moves.MATCHED:
        _add(_add(body, "MtchgSts"), "Mtchd")
    else:
        _reason(_add(_add(body, "SttlmSts"), "Flng" if word.status == moves.FAILED else "Pdg"), word)
    return document


def _confirmation(word: Word) -> Any:
    asked = word.instructed
    document, body = _document(SESE_025, "SctiesSttlmTxConf")
    names = _add(body, "TxIdDtls")
    _names(names, word)
    _add(names, "SctiesMvmntTp", asked.delivery)
    _add(names, "Pmt", "APMT" if asked.amount else "FREE")
    if word.status == moves.PARTIAL:
        _add(_add(body, "AddtlParams"), "PrtlSttlm", "PAIN")
    trade = _add(body, "TradDtls")
    _add(_add(_add(trade, "SttlmDt"), "Dt"), "Dt", asked.settlement_date.isoformat())
    _add(_add(_add(trade, "FctvSttlmDt"), "Dt"), "DtTm", _moment(word.at))
    _add(_add(body, "FinInstrmId"), "ISIN", asked.isin)
    about = _add(body, "QtyAndAcctDtls")
    _add(_add(_add(about, "SttldQty"), "Qty"), "Unit", plain(word.qty or Decimal(0)))
    _add(_add(about, "SfkpgAcct"), "Id", asked.safekeeping_account)
    _add(_add(_add(body, "SttlmParams"), "SctiesTxTp"), "Cd", "TRAD")
    if word.amount:
        paid = _add(body, "SttldAmt")
        _add(paid, "Amt", format(word.amount.quantize(minor_unit(asked.currency)), "f")).set("Ccy", asked.currency)
        _add(paid, "CdtDbtInd", "CRDT" if asked.delivery == "DELI" else "DBIT")
    return document


def _bodies(content: bytes, name: str) -> Iterator[Any]:
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    yield from etree.fromstring(content, parser).iter(f"{{*}}{name}")


def _document(namespace: str, name: str) -> tuple[Any, Any]:
    document = etree.Element(etree.QName(namespace, "Document"), nsmap={None: namespace})
    return document, _add(document, name)


def _names(parent: Any, word: Word) -> None:
    _add(parent, "AcctOwnrTxId", word.instructed.ref)
    _add(parent, "AcctSvcrTxId", word.their_ref)


def _reason(parent: Any, word: Word) -> None:
    if word.reason_code:
        _add(_add(_add(parent, "Rsn"), "Cd"), "Cd", word.reason_code)
    else:
        _add(parent, "NoSpcfdRsn", "NORE")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _text(body: Any, path: str) -> str:
    return str(body.findtext(path) or "").strip()


def _add(parent: Any, name: str, text: str = "") -> Any:
    child = etree.SubElement(parent, etree.QName(etree.QName(parent).namespace, name))
    if text:
        child.text = text
    return child
