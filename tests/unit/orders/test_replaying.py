"""Facts read at once are the facts folded one by one; a report read back from its event is the report that was written."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journal.domain.records import EventRecord
from kernel.fix import ExecType, OrdStatus
from orders.domain.facts import facts_of_reports
from orders.domain.fold import fold
from orders.domain.replaying import replay
from orders.domain.report import Position, Report
from orders.domain.report_json import report_of, report_to_json
from tests.unit.orders.paths import OrderPath, facts_after, order_paths

PATHS = order_paths()


@st.composite
def arrived(draw: st.DrawFn) -> tuple[OrderPath, list[Report]]:
    """Reports in any order, some of them twice, some again under a later number."""
    path = draw(st.sampled_from(PATHS))
    reports = [report for report in path.reports for _ in range(draw(st.integers(1, 2)))]
    later = [
        replace(report, position=Position(report.position.epoch, report.position.seq + 1000))
        for report in path.reports
        if draw(st.booleans())
    ]
    return path, draw(st.permutations(reports + later))


@settings(max_examples=300, deadline=None)
@given(arrived())
def test_reading_all_at_once_is_folding_one_by_one(case: tuple[OrderPath, list[Report]]) -> None:
    path, reports = case
    facts = facts_after(path.requests, [])
    told = []
    for report in reports:
        folded = fold(facts, report)
        facts = folded.facts
        if not folded.duplicate:
            told.append(report)  # only these leave an event
    assert facts_of_reports(facts.requests, told) == facts


def event(kind: str, payload: dict[str, object], *, seq: int = 1) -> EventRecord:
    at = datetime(2026, 11, 20, 10, 0, 0, 5, tzinfo=UTC)
    return EventRecord(
        seq,
        UUID(int=seq),
        "order:1",
        seq,
        kind,
        1,
        "process:inbox",
        "",
        UUID(int=9),
        None,
        at,
        at,
        at,
        at.date(),
        payload,
    )


def test_a_report_comes_back_whole() -> None:
    at = datetime(2026, 11, 20, 10, 0, 0, 5, tzinfo=UTC)
    full = Report(
        msg_type="8", position=Position("e1", 7), identity="e1|V|X|F", received_at=at, event_at=at, trade_date=at.date(),
        exec_type=ExecType.TRADE, ord_status=OrdStatus.PARTIALLY_FILLED, cl_ord_id="A.1", orig_cl_ord_id="A.0",
        venue_order_id="V", exec_id="X", exec_ref_id="W", order_qty=Decimal(9), price=Decimal("1.5"),
        stop_px=Decimal("1.25"), last_qty=Decimal(3), last_px=Decimal("1.4"), cum_qty=Decimal(3), leaves_qty=Decimal(6),
        avg_px=Decimal("1.4"), restatement_reason="0", reject_code="99", text="so", last_mkt="XLON", poss_resend=True,
        poss_dup=True, wire_message_id=12, session="SIM1-A", mapping="fix44/1", asked_for="A.2", inferred="expired",
        raw_sha256="ab",
    )  # fmt: skip
    empty = [item.name for item in fields(Report) if getattr(full, item.name) in (None, "", False, 0)]
    assert empty == ["undated", "symbol", "security_id", "market", "side"], (
        "all that an order's reports keep has to be tried here"
    )
    least = Report("9", Position("e1", 8), "e1|8", at, at, at.date())
    for report in (full, least):
        assert report_of(event("ReportApplied", {"report": report_to_json(report)})) == report


def test_a_stream_that_does_not_begin_with_its_order_is_refused() -> None:
    with pytest.raises(ValueError, match="the stream begins with OrderReleased"):
        replay([event("OrderReleased", {})])
    assert replay([]) is None
