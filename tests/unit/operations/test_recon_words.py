"""Shares, paces, buckets, records: what the reconciliation pages say of figures, at the marks and beside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from operations.domain.raw_records import decode_line, read_side
from operations.domain.recon_words import (
    BUCKETS,
    FAMILIES,
    FAMILY_OF,
    bucket_of,
    bucket_starts,
    seconds_left,
    share_matched,
)
from reconciliation.models import Break


def test_every_category_has_one_family() -> None:
    named = [category for family in FAMILIES for category in family.categories]
    assert sorted(named) == sorted(Break.Category.values)
    assert FAMILY_OF["duplicate_suspect"].name == "fill"


@pytest.mark.parametrize(
    ("matched", "internal", "external", "share"),
    [
        (18_191, 18_204, 18_206, "99.91"),
        (999_999, 1_000_000, 1_000_000, "99.99"),  # never 100.00 while something did not match
        (10, 10, 10, "100.00"),
        (0, 5, 0, "0.00"),
        (1, 3, 2, "33.33"),
    ],
)
def test_a_share_is_of_the_longer_side_and_rounded_down(matched: int, internal: int, external: int, share: str) -> None:
    assert share_matched(matched, internal, external) == Decimal(share)


def test_nothing_compared_has_no_share() -> None:
    assert share_matched(0, 0, 0) is None


@pytest.mark.parametrize(
    ("done", "total", "seconds", "left"),
    [(25, 100, 10, 30), (0, 100, 10, None), (100, 100, 10, None), (25, 100, 0, None), (99, 100, 99, 1)],
)
def test_what_is_left_goes_at_the_pace_so_far(done: int, total: int, seconds: int, left: int | None) -> None:
    assert seconds_left(done=done, total=total, running_for=timedelta(seconds=seconds)) == left


@pytest.mark.parametrize(
    ("hours", "title"),
    [(0, "today"), (23.99, "today"), (24, "1 to 3 days"), (72, "3 to 7 days"), (168, "7 to 30 days"), (720, "older")],
)
def test_a_bucket_begins_at_its_mark(hours: float, title: str) -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    age = timedelta(hours=hours)
    assert bucket_of(age) == title
    by_start = next(name for name, start in bucket_starts(at) if start is None or at - age > start)
    assert by_start == title  # as the database sorts them
    assert [name for name, _ in bucket_starts(at)] == [name for name, _ in BUCKETS]


def test_a_record_is_its_fields_without_where_it_stands() -> None:
    side = read_side(
        {
            "record": {"qty": "5", "note": ""},
            "isin": "X",
            "raw": "a,b",
            "file": "f.csv",
            "line": 7,
            "sha256": "ab",
            "gone": None,
        }
    )
    assert side.fields == (("qty", "5"), ("isin", "X"))
    assert (side.raw, side.file, side.line, side.sha256, side.decoded) == ("a,b", "f.csv", "7", "ab", ())
    assert side.is_there
    assert not read_side({}).is_there


def test_values_of_values_are_said_in_words() -> None:
    assert read_side({"legs": [{"qty": 1, "px": "2"}, "x"]}).fields == (("legs", "qty 1 · px 2, x"),)


@pytest.mark.parametrize("separator", ["\x01", "|", "^"])
def test_a_fix_line_is_decoded_whatever_separates_its_fields(separator: str) -> None:
    line = separator.join(["8=FIX.4.4", "35=8", "17=9F31", "554=secret", "10=000", ""])
    assert [(one.tag, one.name, one.value) for one in decode_line(line)] == [
        (8, "BeginString", "FIX.4.4"), (35, "MsgType", "8"), (17, "ExecID", "9F31"), (554, "Password", "***"),
        (10, "CheckSum", "000"),
    ]  # fmt: skip
    assert "secret" not in read_side({"raw": line}).raw


@pytest.mark.parametrize("line", ["", "exec_id,qty", "8=FIX.4.4", "8=FIX.4.4|not a field|", "35=8|17=9F31|"])
def test_what_is_no_fix_message_is_left_as_it_is(line: str) -> None:
    assert decode_line(line) == ()
