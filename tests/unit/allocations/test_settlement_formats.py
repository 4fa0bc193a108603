"""The examples of ``docs/formats/settlement.md`` are what we write and read, byte for byte; what is hostile or unclear is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from allocations.domain.instructing import Function, Ticket
from allocations.formats import settlement_csv, status_xml
from allocations.formats.settlement_xml import write_cancellations, write_instructions
from allocations.formats.status_records import BadFile, BadLine, StatusLine

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "formats" / "examples"
D = Decimal
AT = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
BUY = Ticket(
    "S1000-1", Function.NEW, "RECE", "GB00BH4HKS39", D(1000), D("724.50"), "GBP", date(2026, 11, 20), date(2026, 11, 24),
    "AC4471-GBP-S", "AC4471-GBP-C", "CRSTGB22", "HARBGB2L", "SIM1", AT,
)  # fmt: skip
SALE = Ticket(
    "S1001-1", Function.NEW, "DELI", "GB0031348658", D("12.5"), D(0), "GBP", date(2026, 11, 20), date(2026, 11, 24),
    "AC4472-GBP-S", "AC4472-GBP-C", "CRSTGB22", "HARBGB2L", "", AT,
)  # fmt: skip


def test_what_is_written_is_the_example() -> None:
    assert write_instructions([BUY, SALE], file_id="0193f0a0") == (EXAMPLES / "settlement_sese_023.xml").read_text()
    assert settlement_csv.write_tickets([BUY, SALE]) == (EXAMPLES / "settlement_instructions.csv").read_text()
    canceled = write_cancellations([BUY], file_id="0193f0a1")
    assert "<TxId>S1000-1</TxId>" in canceled
    assert "sese.020" in canceled
    again = write_instructions([replace(BUY, ref="S1000-2", previous="S1000-1")], file_id="0193f0a2")
    assert (
        re.sub(r"\s", "", again)
        .partition("</SttlmTpAndAddtlParams>")[2]
        .startswith(
            "<Lnkgs><PrcgPos><Cd>INFO</Cd></PrcgPos><Ref><SctiesSttlmTxId>S1000-1</SctiesSttlmTxId></Ref></Lnkgs><TradDtls>"
        )
    )


def seen(lines: list[StatusLine | BadLine]) -> list[tuple[object, ...]]:
    return [
        (one.our_ref, one.status, one.their_ref, one.qty, one.amount, one.currency, one.reason_code, one.effective_at)
        for one in lines
        if isinstance(one, StatusLine)
    ]


def test_the_examples_of_custodians_are_read_alike() -> None:
    advices = list(status_xml.read_statuses((EXAMPLES / "settlement_sese_024.xml").read_bytes()))
    told = datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert seen(advices) == [
        ("S1000-1", "matched", "C-77", None, None, "", "", told),
        ("S1001-1", "pending", "C-78", None, None, "", "LACK", told),
        ("S1002-1", "rejected", "C-79", None, None, "", "SAFE", told),
        ("S1003-1", "failed", "C-80", None, None, "", "CLAC", told),
    ]
    assert [one.reason for one in advices if isinstance(one, StatusLine)][1] == "Stock is on loan"
    settled = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    confirmations = [
        ("S1000-1", "partial", "C-81", D(400), D("289.80"), "GBP", "", settled),
        ("S1000-1", "settled", "C-82", D(600), D("434.70"), "GBP", "", noon),
    ]
    assert seen(list(status_xml.read_statuses((EXAMPLES / "settlement_sese_025.xml").read_bytes()))) == confirmations
    lines = list(settlement_csv.read_statuses((EXAMPLES / "settlement_statuses.csv").read_text()))
    assert seen(lines)[1:] == confirmations


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("S1,settled,R1,10,1,GBP,,,2026-11-24T10:00", "does not say its zone"),
        ("S1,settled,,10,1,GBP,,,2026-11-24", "their_ref"),
        ("S1,settled,R1,10,1,GBP,,,", "does not say when"),
        ("S1,settled,R1,-10,1,GBP,,,2026-11-24", "plain positive decimal"),
        ("S1,settled,R1,1e5,1,GBP,,,2026-11-24", "plain positive decimal"),
        ("S1,settled,R1,10,1,GBX,,,2026-11-24", "no currency"),
        ("S1,done,R1,10,1,GBP,,,2026-11-24", "no status"),
        (",settled,R1,10,1,GBP,,,2026-11-24", "our_ref"),
        ("S1,settled,R1,10,1", "values"),
        ("S1,pending,,,,,TOO LONG A CODE,,", "reason_code"),
    ],
)
def test_a_record_that_is_not_clear_is_left_out_and_told(text: str, why: str) -> None:
    (line,) = settlement_csv.read_statuses(",".join(settlement_csv.IN) + "\n" + text)
    assert isinstance(line, BadLine)
    assert why in line.sentence


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b"<!--" + b"x" * 40_000 + b'--><!DOCTYPE a [<!ENTITY x "y">]><a><SctiesSttlmTxConf>&x;</SctiesSttlmTxConf></a>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a><SctiesSttlmTxConf/></a>'.encode("utf-16-le"),
        b"<a><SctiesSttlmTxConf></a>",
        b"<a/>",
        b"<a>" + b"<b>" * 300 + b"</b>" * 300 + b"</a>",
        b"<a><SctiesSttlmTxConf><x>" + b"y" * (1 << 21) + b"</x></SctiesSttlmTxConf></a>",
    ],
)
def test_hostile_xml_is_refused(content: bytes) -> None:
    with pytest.raises(BadFile):
        list(status_xml.read_statuses(content))


def test_a_header_that_was_not_agreed_makes_the_file_unusable() -> None:
    with pytest.raises(BadFile, match="missing: effective_at"):
        list(settlement_csv.read_statuses("our_ref,status,their_ref,quantity,amount,currency,reason_code,reason\n"))
