"""The text form of a feed: what is written is read, what cannot be read is set aside, nothing counts before it is whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from refdata.adapters import FeedLost, open_feed
from refdata.adapters.file_feed import FileFeed
from refdata.adapters.lines import LineReader, tick_line, word_line
from refdata.domain.ticks import FeedTick

D = Decimal
AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
S = timedelta(seconds=1)
VOD = FeedTick(
    "VOD.L", "GBX", AT, last=D("72.34"), bid=D("72.33"), ask=D("72.35"), bid_size=D(500), ask_size=D("1E+3"),
    previous_close=D("72"), phase="continuous",
)  # fmt: skip
GONE = FeedTick("BP.L", "GBX", AT, withdrawn=True)
HELLO, BEAT = word_line("hello", at=AT), word_line("beat", at=AT + S)


def test_what_is_written_is_read() -> None:
    words = LineReader().take([HELLO, tick_line(VOD, at=AT), tick_line(GONE, at=AT), BEAT])
    assert (words.ticks, words.heard_at, words.snapshot, words.unread) == ([VOD, GONE], AT + S, True, [])


def test_nothing_is_handed_out_before_everything_was_told() -> None:
    reader = LineReader()
    assert reader.take([HELLO, tick_line(VOD, at=AT)]).heard_at is None
    assert reader.take([BEAT]).ticks == [VOD]
    later = reader.take([tick_line(GONE, at=AT + S)])
    assert (later.ticks, later.snapshot) == ([GONE], False)


def changed(**fields: object) -> str:
    return json.dumps(json.loads(tick_line(VOD, at=AT)) | fields)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "not json",
        '{"type":"quote","at":"2026-11-20T10:00:00+00:00"}',
        '{"type":"beat","at":"2026-11-20T10:00:00"}',
        '{"type":"beat"}',
        changed(last=72.34),
        changed(last="7.2e1"),
        changed(last="NaN"),
        changed(last="1.123456789"),
        changed(last=" 72"),
        changed(symbol=""),
        changed(symbol="X" * 25),
        changed(symbol=5),
        changed(unit="POUND"),
        changed(phase="a\nb"),
        changed(made_at="yesterday"),
        changed(symbol="VOD.L", padding="x" * 2000),
    ],
)
def test_a_line_that_cannot_be_read_is_set_aside_and_the_others_count(line: str) -> None:
    words = LineReader().take([HELLO, line, tick_line(VOD, at=AT), BEAT])
    assert (words.ticks, words.unread) == ([VOD], [line[:120]])


def test_zero_and_negative_prices_are_read_because_judging_them_is_not_the_readers_matter() -> None:
    words = LineReader().take([HELLO, changed(last="-5", bid="0"), BEAT])
    assert (words.ticks[0].last, words.ticks[0].bid) == (D(-5), D(0))


def test_a_recording_is_played_at_its_pace_and_in_our_time(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    second = FeedTick("VOD.L", "GBX", AT + 5 * S, last=D("72.4"))
    path.write_text(
        "\n".join([HELLO, tick_line(VOD, at=AT), word_line("beat", at=AT), tick_line(second, at=AT + 5 * S)])
    )
    now = [AT + 100 * S]
    feed = FileFeed(path, clock=lambda: now[0], sleep=lambda seconds: None)
    words = feed.read(timeout_s=0.1)
    assert (words.snapshot, [tick.made_at for tick in words.ticks], words.heard_at) == (True, [now[0]], now[0])
    now[0] += 4 * S
    assert feed.read(timeout_s=0.1).heard_at is None
    now[0] += S
    assert [(tick.last, tick.made_at) for tick in feed.read(timeout_s=0.1).ticks] == [(D("72.4"), now[0])]
    with pytest.raises(FeedLost):
        feed.read(timeout_s=0.1)


@pytest.mark.parametrize("address", ["unix:/nowhere/at.all", "tcp:127.0.0.1:1", "file:/nowhere"])
def test_a_feed_that_is_not_there_is_lost(address: str) -> None:
    with pytest.raises(FeedLost):
        open_feed(address)


@pytest.mark.parametrize("address", ["", "unix:", "http://feed", "udp:1"])
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        open_feed(address)
