"""What had not settled by the record date is claimed to the minor unit, and nothing of what had."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from allocations.domain.market_claims import MarketClaim, Settling, claims_of
from refdata.domain.action_terms import ActionKind, ActionTerms, Fractions

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
        MarketClaim("S1-1", "C1", True, D(333), D("10.16"), "GBP"),
        MarketClaim("S2-1", "C2", True, D(60), D("1.83"), "GBP"),
        MarketClaim("S4-1", "C1", False, D(50), D("-1.52"), "GBP"),
    ]


def test_of_a_split_shares_are_owed_for_what_settled_late_in_old_ones_and_money_for_what_was_cut_off() -> None:
    terms = replace(SPLIT, fraction_px=D("0.90"))
    late = [(date(2026, 11, 20), D(100)), (RECORD, D(233))]
    rows = [
        Settling("S1-1", "C1", True, D(333), late), Settling("S2-1", "C2", False, D(10), [(RECORD, D(10))]),
        Settling("S3-2", "C3", True, D(499), made_of=D(333)), Settling("S4-2", "C4", False, D(499), [(RECORD, D(499))], made_of=D(333)),
        Settling("S5-1", "C5", True, D(50)),
    ]  # fmt: skip
    # 233 old ones are 349 and a half new ones: 116 whole ones are missing. Half a share of 0.90 is 0.45.
    assert claims_of(terms, rows, by=date(2026, 11, 22)) == [
        MarketClaim("S1-1", "C1", True, D(233), D(116)), MarketClaim("S2-1", "C2", False, D(10), D(-5)),
        MarketClaim("S3-2", "C3", True, D("0.5"), D("0.45"), "GBP"), MarketClaim("S4-2", "C4", False, D("0.5"), D("-0.45"), "GBP"),
    ]  # fmt: skip
    assert claims_of(replace(terms, fractions=Fractions.DOWN), rows[2:4], by=RECORD) == []
    assert claims_of(ActionTerms(ActionKind.NAME_CHANGE, RECORD), rows, by=RECORD) == []
