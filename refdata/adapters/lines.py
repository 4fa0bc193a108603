"""The text form of a feed: JSON lines. ``docs/formats/price_feed.md`` is its description. Pure.

Numbers are texts of plain decimals, never JSON numbers. A line that cannot be read is set aside and said; the feed
goes on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from refdata.adapters.base import FeedWords
from refdata.domain.ticks import FeedTick

LONGEST_LINE: Final = 2_000
SHOWN: Final = 120
_NUMBER = re.compile(r"-?\d{1,16}(\.\d{1,8})?")
_FIGURES: Final = {
    "last": "last", "bid": "bid", "ask": "ask", "bid_size": "bid_size", "ask_size": "ask_size", "close": "previous_close",
}  # fmt: skip
_WORDS: Final = frozenset({"hello", "tick", "beat"})


def tick_line(tick: FeedTick, *, at: datetime) -> str:
    """One tick as a line, without its end."""
    told: dict[str, Any] = {"type": "tick", "at": at.isoformat(), "symbol": tick.symbol, "unit": tick.unit}
    told["made_at"] = tick.made_at.isoformat()
    for name, attribute in _FIGURES.items():
        value = getattr(tick, attribute)
        if value is not None:
            told[name] = f"{value:f}"
    if tick.phase:
        told["phase"] = tick.phase
    if tick.withdrawn:
        told["withdrawn"] = True
    return json.dumps(told, separators=(",", ":"))


def word_line(word: str, *, at: datetime) -> str:
    """``hello`` before everything is told, ``beat`` after it and then every second."""
    return json.dumps({"type": word, "at": at.isoformat()}, separators=(",", ":"))


class LineReader:
    """Turns lines into words. Keeps back what comes before the first ``beat``: it is handed out as one snapshot."""

    def __init__(self) -> None:
        self._complete = False
        self._kept: list[FeedTick] = []
        self._unread: list[str] = []

    def take(self, lines: Iterable[str]) -> FeedWords:
        """The words of these lines."""
        ticks: list[FeedTick] = []
        heard_at: datetime | None = None
        snapshot = False
        for line in lines:
            try:
                word, at, tick = _parsed(line)
            except (ValueError, KeyError, TypeError, AttributeError):
                self._unread.append(line[:SHOWN])
                continue
            heard_at = at
            if tick is not None:
                (ticks if self._complete else self._kept).append(tick)
            elif word == "beat" and not self._complete:
                self._complete = snapshot = True
                ticks, self._kept = self._kept, []
        if not self._complete:
            return FeedWords()
        unread, self._unread = self._unread, []
        return FeedWords(ticks, heard_at, snapshot, unread)


def _parsed(line: str) -> tuple[str, datetime, FeedTick | None]:
    if len(line) > LONGEST_LINE:
        raise ValueError("line too long")
    told = json.loads(line)
    word, at = told["type"], _instant(told["at"])
    if word not in _WORDS:
        raise ValueError("unknown word")
    if word != "tick":
        return word, at, None
    figures = {attribute: _number(told[name]) for name, attribute in _FIGURES.items() if name in told}
    symbol, unit, phase = told["symbol"], told.get("unit", ""), told.get("phase", "")
    if not (_is_text(symbol, 24) and symbol and _is_text(unit, 3) and _is_text(phase, 16)):
        raise ValueError("symbol, unit or phase is no short text")
    tick = FeedTick(
        symbol=symbol,
        unit=unit,
        made_at=_instant(told.get("made_at", told["at"])),
        phase=phase,
        withdrawn=told.get("withdrawn", False) is True,
        **figures,
    )
    return word, at, tick


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and value.isprintable()


def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError("no plain decimal")
    return Decimal(text)


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("time without zone")
    return moment
