"""The record of post-trade messages goes through JSON and comes out the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from kernel.post_trade import (
    AccountLine,
    AckStatus,
    FillLine,
    MessageKind,
    OrderLine,
    PostTradeMessage,
    TransType,
    from_json,
    to_json,
)

AT = datetime(2026, 11, 26, 15, 30, 0, 123000, tzinfo=UTC)
WHOLE = PostTradeMessage(
    kind=MessageKind.ALLOCATION_INSTRUCTION,
    ref="B-7.2",
    ref_of="B-7.1",
    block_ref="B-7",
    trans_type=TransType.REPLACE,
    counterparty="SIM",
    transact_at=AT,
    side="1",
    symbol="VOD",
    currency="GBP",
    qty=Decimal("1200"),
    avg_px=Decimal("71.123456789012"),
    trade_date=date(2026, 11, 26),
    settlement_date=date(2026, 11, 30),
    orders=(OrderLine("A2611000001.1", "X1", Decimal(1200), Decimal("71.123456789012")),),
    fills=(FillLine("E1", Decimal(1200), Decimal("71.1")),),
    accounts=(AccountLine("A-1", "AC4471", Decimal(1200), Decimal("71.1"), gross=Decimal("853.48"), fees=Decimal(0)),),
)
ACK = PostTradeMessage(
    kind=MessageKind.CONFIRMATION_ACK,
    ref="K1",
    ref_of="C-1-1",
    counterparty="SIM",
    transact_at=AT,
    ack_status=AckStatus.AFFIRMED,
)


@pytest.mark.parametrize("message", [WHOLE, ACK], ids=["instruction", "ack"])
def test_it_comes_back_as_it_went(message: PostTradeMessage) -> None:
    assert from_json(to_json(message)) == message


def test_numbers_travel_as_text_and_nothing_empty_travels() -> None:
    body = to_json(WHOLE)

    assert body["qty"] == "1200"
    assert body["accounts"][0]["fees"] == "0"
    assert "isin" not in body
    assert "ack_status" not in body


def test_a_word_nobody_wrote_is_refused() -> None:
    with pytest.raises(ValueError, match="rumour"):
        from_json({**to_json(ACK), "kind": "rumour"})
