"""Which price an auction uncrosses at: most volume, then least surplus, then nearest the reference, then the higher."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Uncrossing:
    """The auction's price, its volume, and the surplus: positive where more was bid for than offered."""

    px: int
    volume: int
    surplus: int


def uncross(
    *,
    bids: Iterable[tuple[int, int]],
    asks: Iterable[tuple[int, int]],
    market_buy: int,
    market_sell: int,
    reference: int,
) -> Uncrossing | None:
    """The uncrossing of limit ``(price, quantity)`` pairs and market quantities, or None when nothing can trade.

    Candidates are the limit prices; with market orders alone, or where they tie, the reference price decides.
    """
    bid_prices, bid_sums = _cumulate(bids)
    ask_prices, ask_sums = _cumulate(asks)
    total_bid = bid_sums[-1] if bid_sums else 0
    candidates = sorted(set(bid_prices) | set(ask_prices) | {reference})
    best: Uncrossing | None = None
    for px in candidates:
        below = bisect_left(bid_prices, px)
        bought = market_buy + total_bid - (bid_sums[below - 1] if below else 0)
        up_to = bisect_right(ask_prices, px)
        sold = market_sell + (ask_sums[up_to - 1] if up_to else 0)
        volume = min(bought, sold)
        if volume == 0:
            continue
        found = Uncrossing(px=px, volume=volume, surplus=bought - sold)
        if best is None or _rank(found, reference) > _rank(best, reference):
            best = found
    return best


def _cumulate(levels: Iterable[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Prices ascending, and the running sum of quantity up to each."""
    merged: dict[int, int] = {}
    for px, qty in levels:
        merged[px] = merged.get(px, 0) + qty
    prices = sorted(merged)
    sums: list[int] = []
    running = 0
    for px in prices:
        running += merged[px]
        sums.append(running)
    return prices, sums


def _rank(found: Uncrossing, reference: int) -> tuple[int, int, int, int]:
    return found.volume, -abs(found.surplus), -abs(found.px - reference), found.px
