"""Instructions (sese.023) and cancellation requests (sese.020) as one file: a business file header with a document each.

The same tickets make the same bytes. Quantities are units, money has the decimals of its currency; only what the tickets say is
in it. Element order is that of the ISO 20022 schemas named below. What is sent again names the reference it takes the place of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from lxml import etree

from allocations.domain.instructing import DELIVER, Ticket
from kernel.numbers import minor_unit, plain

HEADER: Final = "urn:iso:std:iso:20022:tech:xsd:head.002.001.01"
SESE_023: Final = "urn:iso:std:iso:20022:tech:xsd:sese.023.001.09"
SESE_020: Final = "urn:iso:std:iso:20022:tech:xsd:sese.020.001.07"


def write_instructions(tickets: Sequence[Ticket], *, file_id: str) -> str:
    """The file of new instructions."""
    return _file([_instruction(ticket) for ticket in tickets], "sese.023.001.09", file_id, tickets)


def write_cancellations(tickets: Sequence[Ticket], *, file_id: str) -> str:
    """The file of requests to cancel what was instructed under the same refs."""
    return _file([_cancellation(ticket) for ticket in tickets], "sese.020.001.07", file_id, tickets)


def _file(documents: Sequence[Any], message: str, file_id: str, tickets: Sequence[Ticket]) -> str:
    root = etree.Element(etree.QName(HEADER, "Xchg"), nsmap={None: HEADER})
    about = _add(root, "PyldDesc")
    details = _add(about, "PyldDtls")
    _add(details, "PyldIdr", file_id)
    _add(details, "CreDtAndTm", tickets[0].made_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    _add(_add(about, "PyldTpDtls"), "Tp", "ISO20022")
    manifest = _add(about, "MnfstDtls")
    _add(manifest, "DocTp", message)
    _add(manifest, "NbOfDocs", str(len(documents)))
    for document in documents:
        _add(root, "Pyld").append(document)
    content: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return content.decode()


def _instruction(ticket: Ticket) -> Any:
    document = etree.Element(etree.QName(SESE_023, "Document"), nsmap={None: SESE_023})
    body = _add(document, "SctiesSttlmTxInstr")
    _add(body, "TxId", ticket.ref)
    kind = _add(body, "SttlmTpAndAddtlParams")
    _add(kind, "SctiesMvmntTp", ticket.delivery)
    _add(kind, "Pmt", "FREE" if ticket.is_free else "APMT")
    if ticket.previous:
        link = _add(body, "Lnkgs")
        _add(_add(link, "PrcgPos"), "Cd", "INFO")
        _add(_add(link, "Ref"), "SctiesSttlmTxId", ticket.previous)
    trade = _add(body, "TradDtls")
    _add(_add(_add(trade, "TradDt"), "Dt"), "Dt", ticket.trade_date.isoformat())
    _add(_add(_add(trade, "SttlmDt"), "Dt"), "Dt", ticket.settlement_date.isoformat())
    _add(_add(body, "FinInstrmId"), "ISIN", ticket.isin)
    _quantity(body, ticket)
    _add(_add(_add(body, "SttlmParams"), "SctiesTxTp"), "Cd", "TRAD")
    _parties(body, ticket)
    if not ticket.is_free:
        _money(_add(body, "SttlmAmt"), ticket)
    return document


def _cancellation(ticket: Ticket) -> Any:
    document = etree.Element(etree.QName(SESE_020, "Document"), nsmap={None: SESE_020})
    body = _add(document, "SctiesTxCxlReq")
    ours = _add(_add(body, "AcctOwnrTxId"), "SctiesSttlmTxId")
    _add(ours, "TxId", ticket.ref)
    _add(ours, "SctiesMvmntTp", ticket.delivery)
    _add(ours, "Pmt", "FREE" if ticket.is_free else "APMT")
    _add(_add(body, "SfkpgAcct"), "Id", ticket.safekeeping_account)
    details = _add(body, "TxDtls")
    _add(_add(details, "FinInstrmId"), "ISIN", ticket.isin)
    _add(_add(_add(details, "SttlmDt"), "Dt"), "Dt", ticket.settlement_date.isoformat())
    _add(_add(_add(details, "SttlmQty"), "Qty"), "Unit", plain(ticket.qty))
    if not ticket.is_free:
        _money(_add(details, "SttlmAmt"), ticket)
    return document


def _quantity(body: Any, ticket: Ticket) -> None:
    about = _add(body, "QtyAndAcctDtls")
    _add(_add(_add(about, "SttlmQty"), "Qty"), "Unit", plain(ticket.qty))
    _add(_add(about, "SfkpgAcct"), "Id", ticket.safekeeping_account)
    if not ticket.is_free:
        _add(_add(about, "CshAcct"), "Prtry", ticket.cash_account)


def _parties(body: Any, ticket: Ticket) -> None:
    """The depository on both sides; the custodian on ours, the other side by our name of it."""
    gives = ticket.delivery == DELIVER
    for name, ours in (("DlvrgSttlmPties", gives), ("RcvgSttlmPties", not gives)):
        side = _add(body, name)
        _add(_add(_add(side, "Dpstry"), "Id"), "AnyBIC", ticket.place)
        party = _add(_add(side, "Pty1"), "Id")
        if ours:
            _add(party, "AnyBIC", ticket.agent)
        else:
            other = _add(party, "PrtryId")
            _add(other, "Id", ticket.counterparty or "UNKNOWN")
            _add(other, "Issr", "OMS")


def _money(parent: Any, ticket: Ticket) -> None:
    amount = _add(parent, "Amt", plain_money(ticket))
    amount.set("Ccy", ticket.currency)
    _add(parent, "CdtDbtInd", "CRDT" if ticket.delivery == DELIVER else "DBIT")


def plain_money(ticket: Ticket) -> str:
    """With the decimals of the currency."""
    return format(ticket.amount.quantize(minor_unit(ticket.currency)), "f")


def _add(parent: Any, name: str, text: str = "") -> Any:
    """A child in the namespace of its parent."""
    child = etree.SubElement(parent, etree.QName(etree.QName(parent).namespace, name))
    if text:
        child.text = text
    return child
