"""Cut-offs: every line of the file before, on and after its first day, over summer time, weekends and holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from allocations.domain.cut_offs import CutOffs, cut_offs_on, parse_rules, rule_on
from allocations.selectors.cut_offs import cut_off_rules

CHRISTMAS = frozenset({date(2026, 12, 25), date(2026, 12, 28)})
ROW = {
    "mic": "XNYS", "valid_from": "2024-05-28", "allocate_by": "19:00", "allocate_days": "0", "affirm_by": "21:00",
    "affirm_days": "0", "zone": "America/New_York", "not_for": "retail", "source": "a rule",
}  # fmt: skip


def on(mic: str, day: date) -> CutOffs:
    return cut_offs_on(cut_off_rules(), mic, day, settlement_holidays=CHRISTMAS)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("mic", "day", "allocate_by", "affirm_by"),
    [
        # New York: 19:00 and 21:00 on trade date, on both sides of and on the days when its clocks change.
        ("XNYS", date(2026, 10, 30), utc(2026, 10, 30, 23, 0), utc(2026, 10, 31, 1, 0)),
        ("XNYS", date(2026, 11, 1), utc(2026, 11, 2, 0, 0), utc(2026, 11, 2, 2, 0)),
        ("XNYS", date(2026, 11, 2), utc(2026, 11, 3, 0, 0), utc(2026, 11, 3, 2, 0)),
        ("XNAS", date(2027, 3, 12), utc(2027, 3, 13, 0, 0), utc(2027, 3, 13, 2, 0)),
        ("XNAS", date(2027, 3, 14), utc(2027, 3, 14, 23, 0), utc(2027, 3, 15, 1, 0)),
        ("XNAS", date(2024, 5, 28), utc(2024, 5, 28, 23, 0), utc(2024, 5, 29, 1, 0)),
        # A half day and a day on which the market trades and its depository rests have the same hours: both are of the trade date.
        ("XNYS", date(2026, 11, 27), utc(2026, 11, 28, 0, 0), utc(2026, 11, 28, 2, 0)),
        ("XNYS", date(2026, 12, 28), utc(2026, 12, 29, 0, 0), utc(2026, 12, 29, 2, 0)),
        # London: noon of the next business day, over a weekend, a holiday and the clocks; from T+1 on the trade date's end.
        ("XLON", date(2026, 10, 23), utc(2026, 10, 26, 12, 0), utc(2026, 10, 26, 12, 0)),
        ("XLON", date(2026, 10, 22), utc(2026, 10, 23, 11, 0), utc(2026, 10, 23, 11, 0)),
        ("XLON", date(2026, 12, 24), utc(2026, 12, 29, 12, 0), utc(2026, 12, 29, 12, 0)),
        ("XLON", date(2027, 10, 8), utc(2027, 10, 11, 11, 0), utc(2027, 10, 11, 11, 0)),
        ("XLON", date(2027, 10, 11), utc(2027, 10, 11, 22, 59), utc(2027, 10, 11, 22, 59)),
        ("XLON", date(2027, 11, 1), utc(2027, 11, 1, 23, 59), utc(2027, 11, 1, 23, 59)),
        # The continent: the same with 23:00 on trade date from T+1 on.
        ("XETR", date(2026, 11, 26), utc(2026, 11, 27, 11, 0), utc(2026, 11, 27, 11, 0)),
        ("XPAR", date(2027, 10, 8), utc(2027, 10, 11, 10, 0), utc(2027, 10, 11, 10, 0)),
        ("XPAR", date(2027, 10, 11), utc(2027, 10, 11, 21, 0), utc(2027, 10, 11, 21, 0)),
        ("XETR", date(2027, 10, 31), utc(2027, 10, 31, 22, 0), utc(2027, 10, 31, 22, 0)),
        # Sydney is ahead of UTC: its noon is the day before's night there.
        ("XASX", date(2026, 11, 26), utc(2026, 11, 27, 1, 0), utc(2026, 11, 27, 1, 0)),
        ("XASX", date(2026, 4, 3), utc(2026, 4, 6, 2, 0), utc(2026, 4, 6, 2, 0)),
    ],
)
def test_the_clock_is_the_market_s(mic: str, day: date, allocate_by: datetime, affirm_by: datetime) -> None:
    found = on(mic, day)
    assert (found.allocate_by, found.affirm_by) == (allocate_by, affirm_by)


def test_every_line_counts_from_its_day_on_and_not_before() -> None:
    for rule in cut_off_rules():
        before = rule_on(cut_off_rules(), rule.mic, rule.valid_from - timedelta(days=1))
        assert before is None or before.valid_from < rule.valid_from
        assert rule_on(cut_off_rules(), rule.mic, rule.valid_from) is rule
    assert on("XNYS", date(2024, 5, 27)) == CutOffs() == on("XSWX", date(2026, 11, 26))


def test_institutional_cut_offs_do_not_bind_retail_accounts() -> None:
    found = on("XNYS", date(2026, 11, 25))
    assert found.affirm_by_of("retail") is None
    assert found.affirm_by_of("standard") == found.affirm_by == utc(2026, 11, 26, 2, 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"source": ""}, "row 2: a cut-off without a source"),
        ({"zone": "America/Nowhere"}, "row 2"),
        ({"affirm_by": "25:00"}, "row 2"),
        ({"affirm_days": "-1"}, "row 2: -1 days after the trade date"),
        ({"valid_from": "28 May"}, "row 2"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(change: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_rules([ROW | change])


def test_a_market_is_told_once_a_day() -> None:
    with pytest.raises(ValueError, match="says twice"):
        parse_rules([ROW, ROW])
