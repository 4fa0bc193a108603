"""How much of a locate an order takes: what it has sold short under it, and what it may still sell. Pure.

A locate is a quantity that is consumed: fills use it up, leaves hold it, a cancel gives the leaves back, buying back gives
nothing back. While a replace is unanswered the larger of old and new is held, as of cash and stock (``holding``).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from kernel.numbers import ZERO


def borrowed(
    *, cum_qty: Decimal, leaves_qty: Decimal, is_open: bool, is_filled: bool, asked: Iterable[tuple[Decimal, bool]] = ()
) -> Decimal:
    """Units. ``asked`` are open replaces: total quantity wanted (executed included), and whether the replace is staged
    (it outlives its order)."""
    held = leaves_qty if is_open else ZERO
    for order_qty, staged in asked:
        if is_open or is_filled or staged:
            held = max(held, order_qty - cum_qty)
    return cum_qty + held
