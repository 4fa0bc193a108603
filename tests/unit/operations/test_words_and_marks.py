"""Numbers, times and timeline lines as people read them; colours far enough apart for everybody."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from accounts.domain.fee_words import CHARGE_WORDS
from operations.domain.numbers import grouped, signed
from operations.domain.timeline import describe
from operations.templatetags.oms import charge, moment, waited
from tests.architecture.house import ROOT


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        ("45000", 0, "45,000"),
        ("72.3", 2, "72.30"),
        ("-1234.5", 2, "−1,234.50"),
        ("0.00000001", 0, "0.00000001"),
        (None, 2, "—"),
        ("", 0, "—"),
    ],
)
def test_grouped(value: str | None, places: int, text: str) -> None:
    assert grouped(value, places) == text


def test_every_published_charge_has_a_name_of_its_own() -> None:
    with (ROOT / "accounts/data/fee_schedules.csv").open(newline="") as file:
        published = {row["name"] for row in csv.DictReader(file)}
    assert published - CHARGE_WORDS.keys() == {"commission"}
    assert [charge(name) for name in ("uk_sdrt", "commission", "clearing_fee")] == [
        "UK SDRT",
        "Commission",
        "Clearing fee",
    ]


def test_signed_and_waited() -> None:
    assert signed("28000") == "+28,000"
    assert signed("-2") == "−2"
    assert [waited(value) for value in (41, 259, -130, 93_600)] == ["41s", "4m 19s", "−2m 10s", "1d 2h"]


def test_a_moment_carries_its_utc_time_and_its_date_with_the_year_unless_today() -> None:
    shown = str(moment(datetime(2020, 2, 3, 9, 36, 48, 377_001, tzinfo=UTC)))
    assert "03 Feb 2020 09:36:48.377" in shown
    assert 'title="2020-02-03 09:36:48.377001 UTC"' in shown


@pytest.mark.parametrize(
    ("kind", "payload", "text"),
    [
        ("OrderCaptured", {"terms": {"order_qty": "20000", "price": "231.5"}}, "Order captured: 20,000 @ 231.5"),
        (
            "ExecutionRecorded",
            {"last_qty": "2000", "last_px": "231.48", "exec_id": "7A01"},
            "Fill: 2,000 @ 231.48 · ExecID 7A01",
        ),
        (
            "ReportApplied",
            {
                "ord_status_before": "0",
                "ord_status": "1",
                "cum_qty": "2000",
                "leaves_qty": "18000",
                "report": {"text": ""},
            },
            "Venue report: New → Partially Filled · filled 2,000, leaves 18,000",
        ),
        ("RequestDeclined", {"sentence": "Too large."}, "Declined by a second person: Too large."),
        ("SomethingNew", {}, "Something new"),
    ],
)
def test_a_line_of_the_timeline(kind: str, payload: dict[str, object], text: str) -> None:
    assert describe(kind, payload).text == text


def test_every_glyph_that_is_drawn_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'id="g-([a-z]+)"', (ROOT / "templates/sprite.html").read_text()))
    drawn: set[str] = set()
    for path in Path(ROOT / "templates").rglob("*.html"):
        drawn |= set(re.findall(r'{% glyph "([a-z]+)" %}', path.read_text()))
    assert drawn <= sprite


def test_nothing_is_inline() -> None:
    for path in Path(ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", text), path.name
