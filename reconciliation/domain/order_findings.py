"""What one difference between orders is called, why it is there and what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from kernel.numbers import ZERO, plain, spelt
from reconciliation.domain.causes import Causes, moment
from reconciliation.domain.findings import Category, Difference, Finding
from reconciliation.domain.order_records import OurOrder, TheirOrder
from reconciliation.domain.rules import Rules

OUR_NAMES = ("order",)
THEIR_NAMES = ("cl_ord_id", "venue_order_id")
HUNDRED = Decimal(100)
_SUGGEST = {
    Category.STATUS: "Ask the venue for the status of the order; its word may be accepted with a second person.",
    Category.QUANTITY: "Reconcile the executions of the order first; a missing one explains what is executed.",
    Category.PRICE: "Compare with the request as it was sent and the venue's answer, and ask them.",
}


def pair_finding(category: Category, differences: Sequence[Difference], order: OurOrder, row: TheirOrder) -> Finding:
    """Both have the order, and differ."""
    return Finding(
        category=category,
        ids=_ids(order, row),
        names=OUR_NAMES,
        why=_why(category, differences, order, row),
        suggestion=_SUGGEST[category],
        differences=tuple(differences),
        ours=order.raw,
        theirs=their_record(row),
        lines=(row.line,),
        exposure=_exposure(category, differences, order, row),
        **_subject(order),
    )


def _why(category: Category, differences: Sequence[Difference], order: OurOrder, row: TheirOrder) -> str:
    told = "; ".join(_said(one) for one in differences)
    by_field = {one.field: one for one in differences}
    what = f"order {order.ref} ({row.cl_ord_id or row.venue_order_id or order.cl_ord_id} in the file)"
    if category is Category.STATUS and not order.answered:
        return f"The venue has never answered our {what}; the file says how it stands: {told}."
    if (
        category is Category.PRICE
        and order.now.price
        and row.price in (order.now.price * HUNDRED, order.now.price / HUNDRED)
    ):
        return f"The limit of {what} differs by exactly a hundred, most likely pence against pounds: {told}."
    if category is Category.QUANTITY and "cum_qty" in by_field:
        return f"The two sides differ in what {what} has executed: {told}. The executions tell which one is missing."
    return f"The two records of {what} differ: {told}."


def _said(one: Difference) -> str:
    ours, theirs, difference = one.spelt
    by = f" ({difference})" if difference else ""
    return f"{one.field.replace('_', ' ')} {ours or 'none'} with us, {theirs or 'none'} with them{by}"


def _exposure(
    category: Category, differences: Sequence[Difference], order: OurOrder, row: TheirOrder
) -> Decimal | None:
    price = order.now.price or row.price
    if price is None:
        return None
    if category is Category.PRICE:
        units = max(order.now.leaves_qty, row.leaves_qty or ZERO)
        return abs(sum((Decimal(one.difference or 0) for one in differences), ZERO)) * units / order.divisor
    if category is Category.QUANTITY:
        units = max((abs(Decimal(one.difference)) for one in differences if one.difference), default=row.order_qty)
    else:
        units = max(order.now.leaves_qty, row.leaves_qty or ZERO)
    return abs(units * price) / order.divisor


def duplicate(order: OurOrder, row: TheirOrder, copy: int) -> Finding:
    """The file lists the order more than once."""
    name = row.cl_ord_id or row.venue_order_id
    return Finding(
        category=Category.DUPLICATE_SUSPECT,
        ids=_ids(order, row),
        names=OUR_NAMES,
        why=f"The file lists order {order.ref} once more, as {name} with status {row.status}: it may work twice at the venue.",
        suggestion="Ask the venue for the status of both names before anything is canceled.",
        ours=order.raw,
        theirs=their_record(row),
        lines=(row.line,),
        exposure=_worth(row, order.divisor),
        copy=copy,
        **_subject(order),
    )


def missing_internal(row: TheirOrder, alike: Sequence[OurOrder], causes: Causes, rules: Rules, copy: int) -> Finding:
    """They have an order that is none of ours."""
    name = row.cl_ord_id or row.venue_order_id or f"line {row.line}"
    at, looked = row.transact_time, causes.looked_at
    late = at is not None and looked is not None and at > looked - rules.patience
    what = f"They list order {name} ({spelt(row.order_qty)}{_at(row)}) with status {row.status}"
    cause = causes.of_missing(at, row.cl_ord_id, row.venue_order_id)
    if late:
        why = f"{what}, entered {moment(at)}, moments before this run; our word of it may be under way."
    elif cause:
        why = f"{what}, which is none of ours: {cause}."
    else:
        why = f"{what}; no order of ours has or had that name."
    return Finding(
        category=Category.TIMING if late else Category.MISSING_INTERNAL,
        ids={
            **{key: value for key, value in their_ids(row).items() if value},
            **({} if row.cl_ord_id or row.venue_order_id else {"line": str(row.line)}),
        },
        names=(*THEIR_NAMES, "line"),
        why=why,
        suggestion="Ask the venue who entered it. If it is ours, record it as phoned; if not, have it canceled by them.",
        theirs=their_record(row),
        lines=(row.line,),
        candidates=tuple(
            {**one.raw, "reason": "same instrument, side, quantity and limit; other names"} for one in alike
        ),
        exposure=_worth(row, row.divisor),
        currency=row.money,
        account_id=row.account_id,
        instrument_id=row.instrument_id,
        event_at=row.transact_time,
        copy=copy,
    )


def missing_external(order: OurOrder, hints: Sequence[TheirOrder]) -> Finding:
    """We have it and the file does not."""
    if order.answered:
        why = (
            f"Our books have order {order.ref} ({order.cl_ord_id or order.venue_order_id}) at the venue, "
            f"{spelt(order.now.leaves_qty)} of it open; the file does not list it."
        )
    else:
        why = (
            f"Order {order.ref} ({order.cl_ord_id}) was handed over and never answered, and the file does not list it: "
            f"it may never have arrived."
        )
    price = order.now.price
    return Finding(
        category=Category.MISSING_EXTERNAL,
        ids=_ids(order, None),
        names=OUR_NAMES,
        why=why,
        suggestion="Ask the venue for its status; absent from a list does not mean canceled, and nothing is inferred from it.",
        ours=order.raw,
        candidates=tuple(their_record(row) for row in hints),
        exposure=abs(order.now.leaves_qty * price) / order.divisor if price is not None else None,
        **_subject(order),
    )


def _subject(order: OurOrder) -> dict[str, Any]:
    return {
        "currency": order.currency,
        "account_id": order.account_id,
        "instrument_id": order.instrument_id,
        "order_id": order.id,
        "event_at": order.updated_at,
    }


def _ids(order: OurOrder, row: TheirOrder | None) -> dict[str, str]:
    ids = {
        "order": order.ref,
        "cl_ord_id": order.cl_ord_id,
        "venue_order_id": order.venue_order_id,
        "account": order.account,
        "isin": order.isin,
    }
    if row is not None:
        ids |= {name: value for name, value in their_ids(row).items() if value}
    return {name: value for name, value in ids.items() if value}


def their_ids(row: TheirOrder) -> dict[str, str]:
    """The names the row gives."""
    return {"cl_ord_id": row.cl_ord_id, "venue_order_id": row.venue_order_id, "orig_cl_ord_id": row.orig_cl_ord_id}


def their_record(row: TheirOrder) -> Mapping[str, Any]:
    """What the row says, as the break keeps it beside the raw line."""
    said: dict[str, Any] = {
        "line": row.line,
        **their_ids(row),
        "account": row.account,
        "instrument": row.instrument,
        "side": row.side,
        "ord_type": row.ord_type,
        "time_in_force": row.time_in_force,
        "ord_status": row.status,
        "order_qty": plain(row.order_qty),
        "cum_qty": plain(row.cum_qty) if row.cum_qty is not None else "",
        "leaves_qty": plain(row.leaves_qty) if row.leaves_qty is not None else "",
        "price": plain(row.price) if row.price is not None else "",
        "transact_time": row.transact_time.isoformat() if row.transact_time else "",
    }
    return {name: value for name, value in said.items() if value != ""}


def _worth(row: TheirOrder, divisor: int) -> Decimal | None:
    if row.price is None:
        return None
    units = row.order_qty - (row.cum_qty or ZERO) if row.leaves_qty is None else row.leaves_qty
    return abs(units * row.price) / divisor


def _at(row: TheirOrder) -> str:
    return f" @ {spelt(row.price)}" if row.price else ""
