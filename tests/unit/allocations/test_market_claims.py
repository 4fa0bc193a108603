"""What had not settled by the record date is claimed to the minor unit, and nothing of what had."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from allocations.domain.market_claims import MarketClaim, Settling, claims_of
from refdata.domain.action_terms import ActionKind, ActionTerms

D = Decimal
RECORD = date(2026, 11, 24)
DIVIDEND = ActionTerms(
    ActionKind.CASH_DIVIDEND, date(2026, 11, 23), record_date=RECORD, amount=D("0.0305"), currency="GBP"
)
SPLIT = ActionTerms(ActionKind.SPLIT, date(2026, 11, 23), ratio_new=D(3), ratio_old=D(2), currency="GBP")


def test_money_of_a_dividend_comes_with_what_is_received_late_and_goes_with_what_is_delivered_late() -> None:
    late = date(2026, 11, 25)
    rows = [
        Settling("S1-1", "C1", True, D(333)),
        Settling("S2-1", "C2", True, D(100), [(RECORD, D(40)), (late, D(60))]),
        Settling("S3-1", "C3", True, D(100), [(RECORD, D(100))]),
        Settling("S4-1", "C1", False, D(50), [(late, D(50))]),
    ]
    # 333 × 0.0305 = 10.1565, 60 × 0.0305 = 1.83, 50 × 0.0305 = 1.525, half-even 1.52
    assert claims_of(DIVIDEND, rows, by=RECORD) == [
        MarketClaim("S1-1", "C1", True, D(333), money=D("10.16")),
        MarketClaim("S2-1", "C2", True, D(60), money=D("1.83")),
        MarketClaim("S4-1", "C1", False, D(50), money=D("-1.52")),
    ]


def test_shares_of_a_split_are_whole_new_ones() -> None:
    rows = [Settling("S1-1", "C1", True, D(333)), Settling("S2-1", "C2", False, D(10))]
    assert [one.new_units for one in claims_of(SPLIT, rows, by=date(2026, 11, 22))] == [D(499), D(-15)]
    assert claims_of(ActionTerms(ActionKind.NAME_CHANGE, RECORD), rows, by=RECORD) == []
