"""Which rules a contract note follows, by when it must be there, and what it must say: by the market's country and the trade date.

Deadlines are dated lines of ``allocations/data/note_regimes.csv``; the newest that is not after the trade date counts. Business
days are those on which the market's depository settles. What a note must say is ``MUST_SAY``: a note that lacks one of its
entries is not issued. A country without a line has no regime: None, never another's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from refdata.domain.settlement import is_settlement_day

COLUMNS = ("regime", "countries", "valid_from", "base", "days", "hour", "source")
UK, EU, US, AU = "UK", "EU", "US", "AU"
BASES = ("trade", "settlement")


@dataclass(frozen=True, slots=True)
class Regime:
    """``base``: which day ``days`` business days and the ``hour`` (of the market's wall) are counted from."""

    code: str
    countries: frozenset[str]
    valid_from: date
    base: str
    days: int
    hour: time
    source: str


@dataclass(frozen=True, slots=True)
class Must:
    """``at`` is where the fact stands: ``trade.`` of every trade, else of the note. ``item``: the rule's own mark for it."""

    at: str
    what: str
    item: str


_MIFID = (
    Must("firm.name", "who reports", "(a)"),
    Must("client.name", "the client", "(b)"),
    Must("trade.trade_date", "trading day", "(c)"),
    Must("trade.time", "trading time", "(d)"),
    Must("trade.order_type", "type of the order", "(e)"),
    Must("trade.venue", "venue", "(f)"),
    Must("trade.isin", "instrument", "(g)"),
    Must("trade.side", "bought or sold", "(h)"),
    Must("trade.qty", "quantity", "(j)"),
    Must("trade.price", "unit price", "(k)"),
    Must("trade.gross", "total consideration", "(l)"),
    Must("trade.fees", "commissions and expenses", "(m)"),
    Must("trade.settlement", "what the client has to do, and by when", "(o)"),
    Must("trade.capacity", "whether the firm was the other side", "(p)"),
)
_ANNEX = {
    "(a)": "1", "(b)": "2", "(c)": "3", "(d)": "4", "(e)": "5", "(f)": "6", "(g)": "7", "(h)": "8", "(j)": "10", "(k)": "11",
    "(l)": "12", "(m)": "13", "(o)": "17", "(p)": "18",
}  # fmt: skip
MUST_SAY: Mapping[str, tuple[Must, ...]] = {
    EU: _MIFID,
    UK: tuple(Must(one.at, one.what, _ANNEX[one.item]) for one in _MIFID),
    US: (
        Must("firm.name", "the broker", "(a)"),
        Must("client.name", "the customer", "(a)"),
        Must("trade.trade_date", "date of the transaction", "(a)(1)"),
        Must("trade.time", "time of the transaction", "(a)(1)"),
        Must("trade.isin", "identity of the security", "(a)(1)"),
        Must("trade.price", "price", "(a)(1)"),
        Must("trade.qty", "number of shares", "(a)(1)"),
        Must("trade.capacity", "agent or principal", "(a)(2)"),
        Must("trade.fees", "remuneration", "(a)(2)(i)(B)"),
        Must("trade.net", "what is paid or received", "(a)"),
        Must("trade.settlement_date", "settlement date", "(a)"),
    ),
    AU: (
        Must("firm.name", "the participant", "3.4.1"),
        Must("client.name", "the client", "3.4.1"),
        Must("trade.trade_date", "date", "3.4.1"),
        Must("trade.isin", "financial product", "3.4.1"),
        Must("trade.qty", "number", "3.4.1"),
        Must("trade.price", "price, also where it is an average (3.4.2)", "3.4.1"),
        Must("trade.net", "what is paid or received", "3.4.1"),
        Must("trade.settlement", "by when it is paid", "3.4.1"),
        Must("trade.venue", "market", "3.4.1"),
    ),
}

TERMS: Mapping[str, tuple[str, ...]] = {
    UK: (
        "Where a price is an average, the price of each execution is given on request, as is what each charge is made of.",
        "Tell us at once if anything on this note differs from what you asked for.",
    ),
    EU: (
        "Where a price is an average, the price of each execution is given on request, as is what each charge is made of.",
        "Tell us at once if anything on this note differs from what you asked for.",
    ),
    US: (
        (
            "Where a price is an average, the details of each execution are given on written request, as are the name of the other "
            "side of the trade and, where we received any, the source and amount of other remuneration."
        ),
    ),
    AU: (
        (
            "Each trade is made under the rules and procedures of its market and of its clearing and settlement facilities, which "
            "may cancel or amend it; an error on this note may be corrected."
        ),
        "Where a price is an average, the details of each execution are given on request.",
    ),
}  # fmt: skip


def parse_regimes(rows: Sequence[Mapping[str, str]]) -> tuple[Regime, ...]:
    """The lines of the file. Raises ValueError for one that cannot be read, naming its row."""
    found: list[Regime] = []
    for number, row in enumerate(rows, start=2):
        try:
            found.append(_parse(row))
        except (KeyError, ValueError) as error:
            raise ValueError(f"note_regimes.csv, row {number}: {error}") from error
    return tuple(found)


def _parse(row: Mapping[str, str]) -> Regime:
    days = int(row["days"])
    if row["regime"] not in MUST_SAY or row["base"] not in BASES or not 0 <= days <= 5 or not row["source"]:
        raise ValueError("a regime, a base, days or a source that are none")
    return Regime(
        row["regime"], frozenset(row["countries"].split()), date.fromisoformat(row["valid_from"]), row["base"], days,
        time.fromisoformat(row["hour"]), row["source"],
    )  # fmt: skip


def regime_on(regimes: Sequence[Regime], country: str, trade_date: date) -> Regime | None:
    """The line in force for trades of that day on a market of that country."""
    held = [one for one in regimes if country in one.countries and one.valid_from <= trade_date]
    return max(held, key=lambda one: one.valid_from, default=None)


def due_at(
    regime: Regime, *, trade_date: date, settlement_date: date, zone: ZoneInfo, holidays: Collection[date]
) -> datetime:
    """By when a note of that day must be there, in UTC."""
    day, remaining = (trade_date if regime.base == "trade" else settlement_date), regime.days
    while remaining:
        day += timedelta(days=1)
        if is_settlement_day(day, holidays):
            remaining -= 1
    return datetime.combine(day, regime.hour, tzinfo=zone).astimezone(UTC)


def missing(regime: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """What the rules want said and the facts do not say, in words; each once."""
    lacking: list[str] = []
    for must in MUST_SAY[regime]:
        scope, _, name = must.at.partition(".")
        places = facts["trades"] if scope == "trade" else [facts[scope]]
        if not all(str(place.get(name) or "") for place in places):
            lacking.append(f"{must.what} {must.item}")
    return tuple(lacking)
