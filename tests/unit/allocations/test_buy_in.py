"""Buy-in by the dated rules of each market: held to the words of the rules, counted on settlement days."""

from __future__ import annotations

from datetime import date

import pytest

from allocations.domain.buy_in import age_in_days, buy_in_day, parse_rules, rule_for
from allocations.selectors.buy_in import buy_in_rules

THANKSGIVING = frozenset({date(2026, 11, 26)})
TUESDAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("mic", "is_short", "due", "penalty"),
    [
        ("XNYS", True, date(2026, 11, 25), False),  # T+2 of a trade of the 23rd
        ("XNYS", False, date(2026, 11, 30), False),  # the third settlement day: the 26th is none
        ("XNAS", False, date(2026, 11, 30), False),
        ("XETR", False, None, True),
        ("XPAR", True, None, True),
        ("XLON", False, None, False),
        ("XASX", False, date(2026, 11, 27), False),
    ],
)
def test_each_market_has_its_rule(mic: str, is_short: bool, due: date | None, penalty: bool) -> None:
    rule = rule_for(buy_in_rules(), mic=mic, is_short=is_short, settlement_date=TUESDAY)
    assert rule is not None
    assert rule.cash_penalty is penalty
    assert buy_in_day(rule, TUESDAY, THANKSGIVING) == due


def test_before_a_rule_and_where_none_is_known_nothing_is_due() -> None:
    assert rule_for(buy_in_rules(), mic="XETR", is_short=False, settlement_date=date(2022, 1, 31)) is None
    assert rule_for(buy_in_rules(), mic="XTKS", is_short=False, settlement_date=TUESDAY) is None
    assert buy_in_day(None, TUESDAY, THANKSGIVING) is None


def test_age_counts_settlement_days_and_a_bad_line_is_named() -> None:
    ages = [age_in_days(TUESDAY, day, THANKSGIVING) for day in (TUESDAY, date(2026, 11, 25), date(2026, 11, 30))]
    assert ages == [0, 1, 3]
    row = {
        "mic": "XNYS",
        "sale": "",
        "valid_from": "2020-01-01",
        "valid_to": "",
        "days": "1",
        "cash_penalty": "no",
        "source": "x",
    }
    for wrong in ({"sale": "both"}, {"days": "one"}, {"source": ""}, {"valid_from": "soon"}):
        with pytest.raises(ValueError, match="row 2"):
            parse_rules([row | wrong])
