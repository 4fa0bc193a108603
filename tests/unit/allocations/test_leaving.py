"""When an instruction leaves: a table of the control, and the cut-offs of the release on real calendars."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from allocations.domain.leaving import SendingTerms, Verdict, Waiting, leave_by, parse_rules, rule_for, verdict
from allocations.selectors.leaving import instruct_cut_offs

MARK = datetime(2026, 11, 23, 18, tzinfo=UTC)
BEFORE, AFTER = MARK - timedelta(microseconds=1), MARK + timedelta(hours=1)
TRADED = date(2026, 11, 20)
BLOCK = Waiting("ACC-1", "XLON", TRADED, MARK, is_confirmed=True, party_confirms=True, affirmed=False)
DIRECT = replace(BLOCK, is_confirmed=False, party_confirms=True)
BY_HAND = replace(BLOCK, party_confirms=False)


def rule(leaves: str, account: str = "", mic: str = "", since: date = TRADED, version: int = 1) -> SendingTerms:
    return SendingTerms(account, mic, leaves, since, version)


BOOKING, AFFIRMATION = rule("on_booking"), rule("on_affirmation")


@pytest.mark.parametrize(
    ("waiting", "rules", "at", "due"),
    [
        (BLOCK, [], BEFORE, Verdict.WAITS),
        (BLOCK, [], MARK, Verdict.LEAVES_LATE),
        (BLOCK, [], AFTER, Verdict.LEAVES_LATE),
        (replace(BLOCK, affirmed=True), [], BEFORE, Verdict.LEAVES),
        (replace(BLOCK, affirmed=True), [], AFTER, Verdict.LEAVES),
        (BLOCK, [BOOKING], BEFORE, Verdict.LEAVES),
        (BLOCK, [rule("on_booking", since=date(2026, 11, 21))], BEFORE, Verdict.WAITS),
        (DIRECT, [], BEFORE, Verdict.LEAVES),
        (DIRECT, [AFFIRMATION], BEFORE, Verdict.LEAVES),
        (BY_HAND, [], BEFORE, Verdict.LEAVES),
        (BY_HAND, [AFFIRMATION], BEFORE, Verdict.WAITS),
        (replace(BLOCK, again=True), [AFFIRMATION], BEFORE, Verdict.LEAVES),
        (replace(BLOCK, held=True, affirmed=True), [BOOKING], BEFORE, Verdict.HELD),
        (replace(BLOCK, held=True, again=True), [BOOKING], MARK, Verdict.HELD_LATE),
    ],
)
def test_it_leaves_by_rule_and_at_the_mark_at_the_latest_unless_a_person_holds_it(
    waiting: Waiting, rules: list[SendingTerms], at: datetime, due: Verdict
) -> None:
    assert verdict(waiting, rules, at=at) is due
    assert due.goes == (due in (Verdict.LEAVES, Verdict.LEAVES_LATE))


def test_the_narrowest_rule_in_force_counts_and_of_it_the_newest() -> None:
    rules = [
        rule("on_booking"), rule("on_affirmation", mic="XLON"), rule("on_booking", account="ACC-1"),
        rule("on_affirmation", account="ACC-1", mic="XLON"), rule("on_booking", account="ACC-1", mic="XLON", version=2),
        rule("on_affirmation", account="ACC-1", mic="XLON", since=date(2026, 11, 21), version=3),
    ]  # fmt: skip

    def found(**asked: Any) -> SendingTerms | None:
        given: dict[str, Any] = {"account": "ACC-1", "mic": "XLON", "trade_date": TRADED}
        return rule_for(rules, **(given | asked))

    assert [found(), found(trade_date=date(2026, 11, 21)), found(mic="XETR"), found(account="ACC-2"), found(account="X", mic="X")] == [
        rules[4], rules[5], rules[2], rules[1], rules[0]
    ]  # fmt: skip
    assert found(trade_date=date(2026, 11, 19)) is None


@pytest.mark.parametrize(
    ("mic", "traded", "settles", "holidays", "due"),
    [
        ("XLON", date(2026, 11, 20), date(2026, 11, 24), (), "2026-11-23T18:00:00+00:00"),
        ("XLON", date(2026, 12, 23), date(2026, 12, 29), (date(2026, 12, 25), date(2026, 12, 28)), "2026-12-24T18:00:00+00:00"),
        ("XLON", date(2027, 10, 11), date(2027, 10, 12), (), "2027-10-12T04:00:00+00:00"),
        ("XNYS", date(2026, 11, 20), date(2026, 11, 23), (), "2026-11-21T02:30:00+00:00"),
        ("XNYS", date(2026, 7, 2), date(2026, 7, 6), (date(2026, 7, 3),), "2026-07-03T01:30:00+00:00"),
        ("XASX", date(2026, 11, 20), date(2026, 11, 24), (), "2026-11-23T07:00:00+00:00"),
        ("XTKS", date(2026, 11, 20), date(2026, 11, 24), (), "2026-11-23T15:00:00+00:00"),
    ],
)  # fmt: skip
def test_cut_offs_are_hours_on_the_wall_so_many_settlement_days_before(
    mic: str, traded: date, settles: date, holidays: tuple[date, ...], due: str
) -> None:
    asked: dict[str, Any] = {"mic": mic, "trade_date": traded, "settlement_date": settles, "holidays": holidays}
    assert leave_by(instruct_cut_offs(), zone=ZoneInfo("Asia/Tokyo"), **asked).isoformat() == due


@pytest.mark.parametrize(
    "change", [{"source": ""}, {"days_before": "6"}, {"zone": "Mars/Base"}, {"instruct_by": "25:00"}]
)
def test_a_line_that_cannot_be_read_is_named(change: dict[str, str]) -> None:
    line = {
        "mic": "XLON", "valid_from": "2026-01-01", "instruct_by": "18:00", "days_before": "1", "zone": "Europe/London", "source": "x"
    }  # fmt: skip
    assert len(parse_rules([line])) == 1
    with pytest.raises(ValueError, match="row 2"):
        parse_rules([line | change])
    with pytest.raises(ValueError, match="twice"):
        parse_rules([line, line])
