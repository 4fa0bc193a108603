"""What an order counts against the limits of its scopes: a pure function of its row and its open requests, as holds are.

Invariant: an order that is over counts nothing, unless a staged replace of it still waits to be entered; otherwise it is
one order, and its units and value are the largest of what works now and what each open replace asks for. It is valued as
its hold is: at its limit, else at the reference price it was checked with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from accounts.domain.arithmetic import trade_value
from kernel.numbers import ZERO
from orders.domain.holding import Asked
from risk.domain.exposure import Priced
from risk.domain.usage import NOTHING, Counted


def counted_for(
    terms: Priced,
    *,
    leaves_qty: Decimal,
    cum_qty: Decimal,
    is_open: bool,
    is_filled: bool = False,
    asked: Iterable[Asked] = (),
) -> Counted:
    """What the order counts from now on. A filled order counts again only through a replace that may revive it."""
    is_over = not is_open and not is_filled
    counted = counted_at(terms, leaves_qty) if is_open else NOTHING
    for wish in asked:
        if is_over and not wish.staged:
            continue
        wanted = replace(terms, price=wish.price, stop_px=wish.stop_px)
        counted = counted.worse(counted_at(wanted, wish.order_qty - cum_qty))
    return counted


def counted_at(terms: Priced, qty: Decimal) -> Counted:
    """One open order of so many units. Without any price it has no value: nothing of it was checked by us (a phoned one)."""
    qty, px = max(qty, ZERO), terms.basis
    if px is None:
        return Counted(1, qty)
    value = trade_value(qty=qty, px=px, divisor=terms.price_divisor, currency=terms.currency)
    return Counted(1, qty, value.amount)
