"""How much of each execution is more than was ordered, and what that share is in money. Pure.

The share above OrderQty is nobody's yet: it lies in a suspense account until a person accepts it, the venue takes it back,
or room is made for it. It is a function of the executions in the venue's order, of OrderQty and of the excess that was
accepted, and of nothing else; what is booked is the difference to what was booked before. So the order of arrival cannot
matter, and a bust or a replace that makes room moves the right share back to the last minor unit.

Invariant: the two shares of an execution add up to it, in units and in money.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from accounts.domain.arithmetic import Effect, fill_effect
from kernel.fix import Side
from kernel.numbers import QTY_PLACES, ZERO
from orders.domain.state import EXACT, Exec


class Terms(NamedTuple):
    """What turns units into money."""

    side: Side
    divisor: int
    currency: str


def excess_by_execution(
    executions: Iterable[tuple[str, Decimal]], *, order_qty: Decimal | None, accepted: Decimal = ZERO
) -> dict[str, Decimal]:
    """Units above what was ordered and accepted, by identity; executions without any are absent.

    ``executions`` (identity and effective quantity) stand in the venue's order: who comes last is over. An order without
    a quantity yet has no excess.
    """
    if order_qty is None:
        return {}
    room = EXACT.add(order_qty, accepted)
    found: dict[str, Decimal] = {}
    for identity, qty in executions:
        own = min(qty, max(room, ZERO))
        room = EXACT.subtract(room, qty)
        if own < qty:
            found[identity] = EXACT.subtract(qty, own)
    return found


def booked_excess(
    executions: Iterable[Exec], *, order_qty: Decimal | None, accepted: Decimal = ZERO
) -> dict[str, Decimal]:
    """The same in the shares in which each execution is booked, which a split since then makes others than the venue's."""
    execs = {one.identity: one for one in executions}
    found = excess_by_execution(
        [(one.identity, one.qty) for one in execs.values()], order_qty=order_qty, accepted=accepted
    )
    return {identity: _booked(execs[identity], excess) for identity, excess in found.items()}


def _booked(execution: Exec, excess: Decimal) -> Decimal:
    if execution.kept is None or excess == execution.qty:
        return execution.booked[0] if excess == execution.qty else excess
    exact = EXACT.divide(EXACT.multiply(excess, execution.kept[0]), execution.qty)
    return EXACT.normalize(exact.quantize(QTY_PLACES, rounding=ROUND_HALF_EVEN, context=EXACT))


def excess_units(*, cum_qty: Decimal, order_qty: Decimal | None, accepted: Decimal = ZERO) -> Decimal:
    """All of it together: what was executed beyond what was ordered and accepted."""
    if order_qty is None:
        return ZERO
    return max(EXACT.subtract(cum_qty, EXACT.add(order_qty, accepted)), ZERO)


def suspended_effect(terms: Terms, *, qty: Decimal, px: Decimal, excess: Decimal) -> Effect:
    """What the share of ``excess`` units of an execution changes: all of it less what the rest of it changes."""
    if not excess:
        return Effect(ZERO, ZERO)
    whole = fill_effect(side=terms.side, qty=qty, px=px, divisor=terms.divisor, currency=terms.currency)
    own = fill_effect(side=terms.side, qty=qty - excess, px=px, divisor=terms.divisor, currency=terms.currency)
    return whole - own


def whole_effect(terms: Terms, executions: Iterable[Exec]) -> Effect:
    """What all the executions change together: the position of an order nobody knows."""
    qty, cash = ZERO, ZERO
    for execution in executions:
        effect = fill_effect(
            side=terms.side,
            qty=execution.booked[0],
            px=execution.booked[1],
            divisor=terms.divisor,
            currency=terms.currency,
        )
        qty, cash = qty + effect.qty, cash + effect.cash
    return Effect(qty, cash)
