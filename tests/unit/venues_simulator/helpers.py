"""Short ways to write books and orders in whole units; one unit of price or quantity is 1e8 inside."""

from __future__ import annotations

from kernel.fix import OrdType, TimeInForce
from venues.simulator.book import Book
from venues.simulator.model import BookEvent, BookOrder, Phase, Removed, Traded, Triggered
from venues.simulator.units import SCALE


def order(
    key: str,
    side: str,
    qty: int,
    px: int | None = None,
    *,
    stop: int | None = None,
    tif: TimeInForce = TimeInForce.DAY,
    min_qty: int = 0,
    display: int = 0,
) -> BookOrder:
    """An order of ``qty`` at ``px`` (None = market)."""
    kinds = {(True, False): OrdType.MARKET, (False, False): OrdType.LIMIT, (True, True): OrdType.STOP}
    kind = kinds.get((px is None, stop is not None), OrdType.STOP_LIMIT)
    return BookOrder(
        key=key,
        is_buy=side == "buy",
        ord_type=kind,
        time_in_force=tif,
        qty=qty * SCALE,
        price=None if px is None else px * SCALE,
        stop_px=None if stop is None else stop * SCALE,
        min_qty=min_qty * SCALE,
        display=display * SCALE,
    )


def book(phase: Phase = Phase.CONTINUOUS, reference: int = 100) -> Book:
    """An empty book."""
    return Book("TEST", reference=reference * SCALE, phase=phase)


def said(events: list[BookEvent]) -> list[str]:
    """Events as short text: ``buyer x seller qty@px by taker``, ``-key leaves why``, ``!key``."""
    lines = []
    for event in events:
        if isinstance(event, Traded):
            by = f" by {event.taker}" if event.taker else ""
            lines.append(f"{event.buy} x {event.sell} {event.qty // SCALE}@{event.px // SCALE}{by}")
        elif isinstance(event, Removed):
            lines.append(f"-{event.key} {event.leaves // SCALE} {event.why.value}")
        elif isinstance(event, Triggered):
            lines.append(f"!{event.key}")
    return lines


def depth(one: Book) -> tuple[list[str], list[str]]:
    """Bids and asks, best first, as ``price: key shown/leaves``."""

    def side(levels: list[tuple[int, dict[str, BookOrder]]]) -> list[str]:
        return [
            f"{px // SCALE}: " + ", ".join(f"{o.key} {o.shown // SCALE}/{o.leaves // SCALE}" for o in level.values())
            for px, level in levels
        ]

    return side(list(one.bids.levels())), side(list(one.asks.levels()))
