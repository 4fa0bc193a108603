"""How much of each execution is more than was ordered, and what that share is in money. Pure.

The share above OrderQty is nobody's yet: it lies in a suspense account until a person accepts it, the venue takes it back,
or room is made for it. It is a function of the executions in the venue's order, of OrderQty and of the excess that was
accepted, and of nothing else; what is booked is the difference to what was booked before. So the order of arrival cannot
matter, and a bust or a replace that makes room moves the right share back to the last minor unit.

What was accepted is so many units of the day on which two people said so (``Acceptance``); a split that the venue states since then
makes as many more or fewer of them as of everything else.

Invariant: the two shares of an execution add up to it, in units and in money.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from accounts.domain.arithmetic import Effect, fill_effect
from kernel.fix import Side
from kernel.numbers import QTY_PLACES, ZERO
from orders.domain.state import EXACT, ONE, Exec, State

WHOLE = Decimal("0.000001")
"""Within this of a whole share a figure that a ratio made is that share (ADR 0066)."""


class Terms(NamedTuple):
    """What turns units into money."""

    side: Side
    divisor: int
    currency: str


class Acceptance(NamedTuple):
    """``qty`` units of excess, when the splits that the venue had stated of the order came to ``new`` for ``old``."""

    qty: Decimal
    new: Decimal = ONE
    old: Decimal = ONE


def acceptance_of(payload: Mapping[str, Any]) -> Acceptance:
    """As an ExcessAccepted event tells it; one that names no split was said of an order that had none."""
    new, old = payload.get("split", ("1", "1"))
    return Acceptance(Decimal(payload["qty"]), Decimal(new), Decimal(old))


def accepted_units(acceptances: Iterable[Acceptance], state: State) -> Decimal:
    """All that was accepted, in the units in which the venue speaks now.

    A function of what was accepted and of the facts, so late reports cannot leave a trace. What a ratio leaves beyond the decimals is
    no excess that anybody could accept: nearer to all of it than ``WHOLE``, it is all of it.
    """
    total, scaled = ZERO, False
    for one in acceptances:
        up, down = EXACT.multiply(state.new, one.old), EXACT.multiply(state.old, one.new)
        scaled = scaled or up != down
        total = EXACT.add(total, one.qty if up == down else EXACT.divide(EXACT.multiply(one.qty, up), down))
    if not scaled:
        return total
    over = EXACT.subtract(state.cum_qty, state.order_qty or ZERO)
    return over if abs(EXACT.subtract(over, total)) < WHOLE else _rounded(total)


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
    return _rounded(EXACT.divide(EXACT.multiply(excess, execution.kept[0]), execution.qty))


def _rounded(exact: Decimal) -> Decimal:
    whole = exact.to_integral_value(rounding=ROUND_HALF_EVEN, context=EXACT)
    near = whole if abs(EXACT.subtract(whole, exact)) < WHOLE else exact
    return EXACT.normalize(near.quantize(QTY_PLACES, rounding=ROUND_HALF_EVEN, context=EXACT))


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
