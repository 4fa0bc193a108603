"""What a counterparty is told of an allocation, and what its answer is compared with, are the same figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from allocations.domain.confirm_messages import Line


def test_a_price_longer_than_the_wire_is_compared_as_it_was_told() -> None:
    """Seen in a day of the demo desk: 55.300224358974 was told as 55.30022436, and its echo was called a mismatch."""
    line = Line(
        allocation_id=UUID(int=1), number=19, block_id=UUID(int=2), block_number=18, round=1, kind="block", counterparty="SIM1",
        account="AC4483", account_class="client", symbol="ORA.PA", isin="FR0000133308", mic="XPAR", currency="EUR", capacity="A",
        side="1", qty=Decimal(52), avg_px=Decimal("55.300224358974"), gross=Decimal("2875.61"), commission=Decimal("3.9"),
        fees=Decimal("11.5"), net=Decimal("2891.01"), trade_date=date(2026, 11, 26), settlement_date=date(2026, 11, 30),
        state="booked",
    )  # fmt: skip
    assert line.says.avg_px == line.account_line.avg_px == Decimal("55.30022436")
