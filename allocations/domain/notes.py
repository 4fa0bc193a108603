"""What a contract note says: the facts of its trades as plain text, nothing that is not printed. Pure.

Figures are plain decimals (the page groups them), days ISO, times in the market's zone with its name. A note is rendered from these
facts alone; two notes of the same facts are the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from accounts.domain.fee_words import charge_words
from allocations.domain.note_regimes import TERMS
from kernel.fix import OrdType, Side
from kernel.numbers import minor_unit, plain

TEMPLATE = 1
MOST_FILLS = 200
CANCELED = "Nothing is due for this trade any more; what was paid or delivered for it is returned."
CAPACITY_WORDS = {
    "A": "as agent for the client", "P": "as principal: the other side was the firm", "R": "as riskless principal",
    "I": "as agent for the client", "G": "for the firm's own account",
}  # fmt: skip
ORDER_TYPE_WORDS = {one.value: one.name.replace("_", " ").capitalize() for one in OrdType}


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution: when, how much, at what price in the price unit."""

    at: datetime
    qty: Decimal
    px: Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    """An allocation with all that a note says of it. ``fills`` are those of its block, as time went; ``own_fills``: all were the client's.

    ``gross`` and ``net`` are signed from the account's point of view; ``charges`` are (name, amount), a cost is positive.
    """

    ref: str
    block_ref: str
    order_refs: tuple[str, ...]
    side: str
    isin: str
    instrument: str
    symbol: str
    qty: Decimal
    avg_px: Decimal
    price_unit: str
    currency: str
    gross: Decimal
    charges: tuple[tuple[str, Decimal], ...]
    fees: Decimal
    net: Decimal
    trade_date: date
    settlement_date: date
    capacity: str
    order_types: tuple[str, ...]
    fills: tuple[Fill, ...]
    own_fills: bool
    place: str = ""
    undoes: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """Who says it to whom, where, and under which name. ``replaces`` and ``cancels`` are numbers of other notes."""

    number: str
    regime: str
    firm: str
    firm_lines: tuple[str, ...]
    client: str
    client_code: str
    lei: str
    account: str
    account_name: str
    mic: str
    market: str
    zone: ZoneInfo
    trade_date: date
    issued_at: datetime
    replaces: str = ""
    cancels: str = ""
    why: str = ""


def note_number(series: str, number: int) -> str:
    """As it is printed and said: UK-000123."""
    return f"{series}-{number:06d}"


def facts_of(heading: Heading, trades: Sequence[Trade]) -> dict[str, Any]:
    """All that is printed, as JSON."""
    return {
        "template": TEMPLATE,
        "regime": heading.regime,
        "title": "Cancellation of contract note" if heading.cancels else "Contract note",
        "number": heading.number,
        "statement": _statement(heading),
        "cancels": heading.cancels,
        "replaces": heading.replaces,
        "why": heading.why,
        "trade_date": heading.trade_date.isoformat(),
        "issued_at": _moment(heading.issued_at, heading.zone),
        "firm": {"name": heading.firm, "lines": list(heading.firm_lines)},
        "client": {"name": heading.client, "code": heading.client_code, "lei": heading.lei},
        "account": {"code": heading.account, "name": heading.account_name},
        "market": {"mic": heading.mic, "name": heading.market},
        "trades": [_trade(one, heading) for one in trades],
        "totals": _totals(trades, heading),
        "terms": list(TERMS[heading.regime]),
    }


def _statement(heading: Heading) -> str:
    if heading.cancels:
        return f"This note cancels note {heading.cancels}. What it told of was undone for your account; nothing replaces it."
    if heading.replaces:
        return f"This note cancels and replaces note {heading.replaces}. Please put this one in its place."
    return ""


def _trade(trade: Trade, heading: Heading) -> dict[str, Any]:
    places = -int(minor_unit(trade.currency).as_tuple().exponent)
    return {
        "ref": trade.ref,
        "block": trade.block_ref,
        "orders": list(trade.order_refs),
        "side": f"CANCELED: {side_word(trade.side)}" if heading.cancels else side_word(trade.side),
        "isin": trade.isin,
        "instrument": trade.instrument,
        "symbol": trade.symbol,
        "qty": plain(trade.qty),
        "price": plain(trade.avg_px),
        "price_unit": trade.price_unit,
        "average": _average(trade),
        "executions": [
            {"time": f"{one.at.astimezone(heading.zone):%H:%M:%S}", "qty": plain(one.qty), "price": plain(one.px)}
            for one in trade.fills
        ]
        if trade.own_fills and 1 < len(trade.fills) <= MOST_FILLS
        else [],
        "venue": f"{heading.market} ({heading.mic})",
        "time": _times(trade.fills, heading.zone),
        "order_type": ", ".join(ORDER_TYPE_WORDS.get(code, code) for code in trade.order_types),
        "capacity": CAPACITY_WORDS.get(trade.capacity, ""),
        "currency": trade.currency,
        "places": places,
        "gross": plain(abs(trade.gross)),
        "charges": [{"name": charge_words(name), "amount": plain(amount)} for name, amount in trade.charges],
        "fees": plain(trade.fees),
        "net": plain(abs(trade.net)),
        "net_label": _due(trade.net, heading),
        "trade_date": trade.trade_date.isoformat(),
        "settlement_date": trade.settlement_date.isoformat(),
        "settlement": CANCELED if heading.cancels else _settlement(trade, places),
        "remark": f"This trade undoes {trade.undoes}, which had settled." if trade.undoes else "",
    }


def side_word(side: str) -> str:
    """What the client did, in a word."""
    return {Side.BUY: "BOUGHT", Side.SELL: "SOLD"}.get(Side(side), "SOLD SHORT")


def _due(net: Decimal, heading: Heading) -> str:
    """The word beside what is paid or received; of a trade that is no more, what it would have been."""
    if heading.cancels:
        return "Was due to you" if net > 0 else "Was due from you"
    return "You receive" if net > 0 else "You pay"


def _average(trade: Trade) -> str:
    if len(trade.fills) < 2 and trade.own_fills:
        return ""
    shared = "" if trade.own_fills else f" of block {trade.block_ref}, which was executed for several accounts together"
    if len(trade.fills) < 2:
        return f"The price is that of the execution{shared}."
    return f"The price is the average of the {len(trade.fills)} executions{shared}, weighted by quantity."


def _times(fills: Sequence[Fill], zone: ZoneInfo) -> str:
    """First to last, with the zone's name; nothing where nothing is known."""
    if not fills:
        return ""
    first, last = fills[0].at.astimezone(zone), fills[-1].at.astimezone(zone)
    till = "" if f"{first:%H:%M:%S}" == f"{last:%H:%M:%S}" else f" to {last:%H:%M:%S}"
    return f"{first:%H:%M:%S}{till} {last:%Z}"


def _settlement(trade: Trade, places: int) -> str:
    """What the client has to do, and by when."""
    amount = f"{trade.currency} {abs(trade.net):,.{places}f}"
    pays = f"{amount} is due from you" if trade.net <= 0 else f"{amount} is due to you"
    units = f"{Decimal(plain(trade.qty)):,} units"
    stock = f"against receipt of {units}" if Side(trade.side).is_buy else f"against delivery of {units}"
    place = f" at {trade.place}" if trade.place else ""
    return f"{pays} on {trade.settlement_date:%d %B %Y}, {stock}{place}."


def _totals(trades: Sequence[Trade], heading: Heading) -> list[dict[str, Any]]:
    """By currency, in order of the alphabet: what is paid or received of all trades together."""
    totals = []
    for currency in sorted({trade.currency for trade in trades}):
        chosen = [trade for trade in trades if trade.currency == currency]
        net = sum((trade.net for trade in chosen), Decimal(0))
        totals.append(
            {
                "currency": currency,
                "places": -int(minor_unit(currency).as_tuple().exponent),
                "trades": len(chosen),
                "fees": plain(sum((trade.fees for trade in chosen), Decimal(0))),
                "net": plain(abs(net)),
                "net_label": _due(net, heading),
            }
        )
    return totals


def _moment(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%d %B %Y %H:%M} {local:%Z}"
