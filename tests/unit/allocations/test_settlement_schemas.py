"""What we write of settlement is what ISO 20022 publishes: nothing it does not know, in its order, all it asks for, in its widths.

The schemas come as classes from a package; ours is read into them and written out again, and must come out as it went in.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from lxml import etree
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.serializers import XmlSerializer

from allocations.custodian.course import REAL, Instructed, course
from allocations.custodian.papers import write_words
from allocations.domain.instructing import Function
from allocations.formats.settlement_xml import write_cancellations, write_instructions
from tests.unit.allocations.test_settlement_formats import AT, BUY, EXAMPLES, SALE

SCHEMAS = {
    "SctiesTxCxlReq": "Sese02000107",
    "SctiesSttlmTxInstr": "Sese02300111",  # what we write says it is version 9; the package has the newest alone
    "SctiesSttlmTxStsAdvc": "Sese02400112",
    "SctiesSttlmTxConf": "Sese02500111",
}
STRICT = ParserConfig(fail_on_unknown_properties=True, fail_on_converter_warnings=True)


def answers() -> bytes:
    """All that a custodian may say of two hundred instructions."""
    words = []
    for number in range(200):
        one = Instructed(
            f"S{number}-1",
            "RECE",
            BUY.isin,
            Decimal(1000),
            Decimal("724.5"),
            "GBP",
            BUY.settlement_date,
            "AC4471-GBP-S",
        )
        words += course(one, received_at=AT, seed=1, pace=REAL)
    return write_words(words, at=AT + timedelta(days=4))


def ours() -> Iterator[tuple[str, bytes]]:
    again = replace(BUY, ref="S1000-2", previous="S1000-1")
    yield "instructions", write_instructions([BUY, SALE, again], file_id="0193f0a0").encode()
    gone = [replace(one, function=Function.CANCEL) for one in (BUY, SALE)]
    yield "cancellations", write_cancellations(gone, file_id="0193f0a1").encode()
    yield "a custodian's answers", answers()
    for number in ("023", "024", "025"):
        yield f"example of {number}", (EXAMPLES / f"settlement_sese_{number}.xml").read_bytes()


@pytest.mark.parametrize(("what", "content"), list(ours()), ids=[what for what, _ in ours()])
def test_every_message_is_of_its_schema(what: str, content: bytes) -> None:
    seen = 0
    for document in etree.fromstring(content).iter("{*}Document"):
        assert faults(document) == [], what
        seen += 1
    assert seen > 0


def test_a_message_of_another_order_or_width_is_seen() -> None:
    content = write_instructions([BUY], file_id="0193f0a0").encode()
    (document,) = etree.fromstring(content).iter("{*}Document")
    body = document[0]
    body.insert(0, body[1])
    assert faults(document) == ["order"]
    body.insert(0, body[1])
    assert faults(document) == []
    body.find("{*}TxId").text = "S" * 36
    assert [fault.rpartition("/")[2] for fault in faults(document)] == ["TxId too long"]


def schema_of(document: Any) -> type[Any]:
    """Imported where it is asked for: the package makes five thousand classes, and every worker reads this file."""
    found: type[Any] = getattr(import_module("python_iso20022.sese"), SCHEMAS[etree.QName(document[0]).localname])
    return found


def faults(document: Any) -> list[str]:
    """What the schema of a message does not allow of it."""
    schema = schema_of(document)
    text = re.sub(
        rb'xmlns="[^"]*"', f'xmlns="{schema.Meta.namespace}"'.encode(), etree.tostring(document, with_tail=False)
    )
    read = XmlParser(config=STRICT).from_bytes(text, schema)
    written = etree.fromstring(XmlSerializer().render(read).encode())
    order = [] if in_turn(etree.fromstring(text)) == in_turn(written) else ["order"]
    return order + list(lacking(read, ""))


def in_turn(document: Any) -> list[tuple[str, str]]:
    """Names and texts below the document, whose own name the package writes as its class."""
    elements = document.iterdescendants(etree.Element)
    return [(etree.QName(one).localname, (one.text or "").strip().replace(".000Z", "Z")) for one in elements]


def lacking(record: Any, path: str) -> Iterator[str]:
    """Required elements that are not there, and texts beyond their width or pattern."""
    for field in dataclasses.fields(record):
        value, here = getattr(record, field.name), f"{path}/{field.metadata.get('name', field.name)}"
        if field.metadata.get("required") and value in (None, []):
            yield f"{here} missing"
        if isinstance(value, str):
            if len(value) > field.metadata.get("max_length", len(value)):
                yield f"{here} too long"
            if not re.fullmatch(field.metadata.get("pattern", ".*"), value):
                yield f"{here} pattern"
        for inner in value if isinstance(value, list) else [value]:
            if dataclasses.is_dataclass(inner):
                yield from lacking(inner, here)
