"""What one difference between executions is called, why it is there and what to do: pairs, missing ones, duplicates. Pure.

A pair may differ in several ways, each its own finding. Account, side and instrument count as quantity: what the one holds,
the other does not. Currency counts as price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from kernel.fix import Side
from kernel.numbers import ZERO, plain, spelt
from reconciliation.domain.causes import Causes, moment
from reconciliation.domain.findings import Category, Difference, Finding, number_difference
from reconciliation.domain.rules import Rules
from reconciliation.domain.trade_records import OurTrade, TheirTrade, Told

PAIR_NAMES = ("order", "exec_id")
THEIR_NAMES = ("exec_id", "cl_ord_id", "venue_order_id", "trade_date")
HUNDRED = Decimal(100)
_SIDES = {Side.BUY.value: "buy", Side.SELL.value: "sell", Side.SELL_SHORT.value: "sell short", "6": "sell short exempt"}


def of_pair(told: Told, ours: OurTrade, rules: Rules) -> list[Finding]:
    """Every way in which the two records of one execution differ; none when they agree."""
    quantity, price = _quantity(told, ours, rules), _price(told, ours, rules)
    if quantity and told.corrected_by != ours.exec_ref_id and (told.corrected_by or ours.exec_ref_id):
        quantity, price = [*quantity, *price], []  # a correction that one side lacks is one matter
    found = []
    for category, differences in (
        (Category.QUANTITY, quantity),
        (Category.PRICE, price),
        (Category.FEE, _fee(told.row, ours, rules)),
        (Category.TIMING, _timing(told.row, ours, rules)),
    ):
        if differences:
            found.append(_pair_finding(category, differences, told, ours))
    return found


def _quantity(told: Told, ours: OurTrade, rules: Rules) -> list[Difference]:
    row, differences = told.row, []
    if not rules.within("qty", ours.qty, told.qty):
        differences.append(number_difference("qty", ours.qty, told.qty))
    if row.side and row.side != ours.side:
        differences.append(Difference("side", side_word(ours.side), side_word(row.side)))
    if row.instrument and row.instrument_id != ours.instrument_id:
        differences.append(Difference("instrument", ours.isin or ours.symbol, row.instrument))
    if row.account and row.account_id != ours.account_id:
        differences.append(Difference("account", ours.account, row.account))
    return differences


def _price(told: Told, ours: OurTrade, rules: Rules) -> list[Difference]:
    if not told.qty or not ours.qty:
        return []  # of what is taken back the price is of no matter
    differences = []
    if not rules.within("price", ours.px, told.px, ours.currency):
        differences.append(number_difference("price", ours.px, told.px))
    if told.row.currency and told.row.currency != ours.currency:
        differences.append(Difference("currency", ours.currency, told.row.currency))
    return differences


def _fee(row: TheirTrade, ours: OurTrade, rules: Rules) -> list[Difference]:
    pairs = (("commission", ours.commission, row.commission), ("fees", ours.fees, row.fees))
    return [
        number_difference(name, mine, said)
        for name, mine, said in pairs
        if said is not None and not rules.within("fee", mine, said, ours.currency)
    ]


def _timing(row: TheirTrade, ours: OurTrade, rules: Rules) -> list[Difference]:
    differences = []
    if row.trade_date is not None and row.trade_date != ours.trade_date:
        differences.append(Difference("trade_date", ours.trade_date.isoformat(), row.trade_date.isoformat()))
    if (
        row.settlement_date is not None
        and ours.settlement_date is not None
        and row.settlement_date != ours.settlement_date
    ):
        mine, said = ours.settlement_date.isoformat(), row.settlement_date.isoformat()
        differences.append(Difference("settlement_date", mine, said))
    if row.transact_time is not None and row.kind == "trade":
        apart = row.transact_time - ours.event_at
        seconds = Decimal(apart.days * 86_400 + apart.seconds) + Decimal(apart.microseconds) / 1_000_000
        if abs(seconds) > rules.of("seconds"):
            mine, said = ours.event_at.isoformat(), row.transact_time.isoformat()
            differences.append(Difference("transact_time", mine, said, f"{plain(seconds)} s"))
    return differences


def _pair_finding(category: Category, differences: list[Difference], told: Told, ours: OurTrade) -> Finding:
    return Finding(
        category=category,
        ids=_ids_of_pair(told, ours),
        names=PAIR_NAMES,
        why=_WHY[category](differences, told, ours),
        suggestion=_SUGGEST[category],
        differences=tuple(differences),
        ours=ours.raw,
        theirs=their_record(told.row),
        lines=tuple(told.lines),
        exposure=_exposure(category, differences, told, ours),
        currency=ours.currency,
        account_id=ours.account_id,
        instrument_id=ours.instrument_id,
        order_id=ours.order_id,
        execution_id=ours.execution_id,
        event_at=ours.event_at,
    )


def _exposure(category: Category, differences: list[Difference], told: Told, ours: OurTrade) -> Decimal:
    """What may be wrong: the units that differ at our price, the whole trade where side, account or instrument differ."""
    price = ours.px or told.px
    by_field = {one.field: one for one in differences}
    if category is Category.QUANTITY:
        if by_field.keys() & {"account", "instrument"}:
            return max(ours.value, told.value)
        if "side" in by_field:
            return abs((ours.qty + told.qty) * price) / ours.divisor
        return abs((told.qty - ours.qty) * price) / ours.divisor
    if category is Category.PRICE:
        return (
            max(ours.value, told.value)
            if "currency" in by_field
            else abs((told.px - ours.px) * ours.qty) / ours.divisor
        )
    if category is Category.FEE:
        return sum((abs(Decimal(one.difference)) for one in differences), ZERO)
    return ours.value


def _why_quantity(differences: list[Difference], told: Told, ours: OurTrade) -> str:
    what = f"execution {ours.exec_id} on {_order(ours)}"
    if told.busted_by and ours.qty:
        return f"They busted {what} with ExecID {told.busted_by}; our books still have it with {spelt(ours.qty)}."
    if not ours.qty and told.qty:
        reference = f" with ExecID {ours.exec_ref_id}" if ours.exec_ref_id else ""
        return f"Our books have {what} busted{reference}; they list it with {spelt(told.qty)} and without a bust."
    corrected = ""
    if told.corrected_by and told.corrected_by != ours.exec_ref_id:
        corrected = f" They corrected it with ExecID {told.corrected_by}, which we do not have."
    elif ours.exec_ref_id and not told.corrected_by:
        corrected = f" We have a correction of it, ExecID {ours.exec_ref_id}, which they do not list."
    return f"The two records of {what} differ: {_list(differences)}.{corrected}"


def _why_price(differences: list[Difference], told: Told, ours: OurTrade) -> str:
    what = f"execution {ours.exec_id} on {_order(ours)}"
    if ours.px and told.px in (ours.px * HUNDRED, ours.px / HUNDRED):
        return (
            f"The price of {what} differs by exactly a hundred: ours is {spelt(ours.px)} {ours.price_unit}, theirs "
            f"{spelt(told.px)} is most likely in another unit (pence against pounds)."
        )
    return f"The two records of {what} differ in price: {_list(differences)}."


def _why_fee(differences: list[Difference], told: Told, ours: OurTrade) -> str:
    return f"The costs of execution {ours.exec_id} on {_order(ours)} differ: {_list(differences)} {ours.currency}."


def _why_timing(differences: list[Difference], told: Told, ours: OurTrade) -> str:
    return f"Both have execution {ours.exec_id} on {_order(ours)}, at different times: {_list(differences)}."


_WHY = {
    Category.QUANTITY: _why_quantity,
    Category.PRICE: _why_price,
    Category.FEE: _why_fee,
    Category.TIMING: _why_timing,
}
_SUGGEST = {
    Category.QUANTITY: "Ask the counterparty for its execution report; book a bust or correction only when they reported it.",
    Category.PRICE: "Compare with the execution report as it came over the wire, which is kept with the order, and ask them.",
    Category.FEE: "Compare with the schedule in force on the trade date; within the limit a second person may write it off.",
    Category.TIMING: "If it is only a matter of time, accept it as timing until the day on which it must agree.",
}


def missing_internal(
    told: Told, name: str, namesakes: Sequence[OurTrade], elsewhere: Sequence[OurTrade], alike: Sequence[OurTrade],
    causes: Causes, rules: Rules, copy: int,
) -> Finding:  # fmt: skip
    """They have it and we do not; or it is so recent that it may be under way."""
    row = told.row
    late = _may_be_under_way(row.transact_time, causes, rules)
    return Finding(
        category=Category.TIMING if late else Category.MISSING_INTERNAL,
        ids=_their_ids(row, name),
        names=THEIR_NAMES,
        why=_why_missing(told, name, namesakes, elsewhere, causes, late),
        suggestion=(
            "Wait for the report; it closes itself when it has come."
            if late
            else "Have the reported execution booked with a second person: the file names it, and a late report of the same "
            "ExecID will count once."
        ),
        theirs=their_record(row),
        lines=tuple(told.lines),
        candidates=tuple(our_candidate(ours) for ours in alike),
        exposure=told.value,
        currency=row.money,
        account_id=row.account_id or row.order_account_id,
        instrument_id=row.instrument_id or row.order_instrument_id,
        order_id=row.order_id,
        event_at=row.transact_time,
        copy=copy,
    )


def _may_be_under_way(at: datetime | None, causes: Causes, rules: Rules) -> bool:
    return at is not None and causes.looked_at is not None and at > causes.looked_at - rules.patience


def _why_missing(
    told: Told, name: str, namesakes: Sequence[OurTrade], elsewhere: Sequence[OurTrade], causes: Causes, late: bool
) -> str:
    row = told.row
    if told.orphan and not row.exec_ref_id:
        return f"They {'busted' if told.busted_by else 'corrected'} a trade with ExecID {row.exec_id} and do not say which (19)."
    if told.orphan:
        return (
            f"They {'busted' if told.busted_by else 'corrected'} ExecID {name} with ExecID {row.exec_id}; neither our books nor "
            f"the file has that trade."
        )
    what = f"They have ExecID {name} ({spelt(row.qty)} @ {spelt(row.px)}{_on(row)})"
    if late:
        return f"{what} at {moment(row.transact_time)}, moments before this run; our report of it may be under way."
    busted = f" They busted it since, with ExecID {told.busted_by}." if told.busted_by else ""
    if namesakes:
        figures = ", ".join(f"{spelt(one.qty)} @ {spelt(one.px)}" for one in namesakes[:3])
        return (
            f"{what}; our books have that ExecID on the same order with other figures ({figures}): it repeats.{busted}"
        )
    cause = causes.of_missing(row.transact_time, name, row.cl_ord_id, row.venue_order_id)
    if cause:
        return f"{what} that our books never received: {cause}.{busted}"
    if row.named and row.order_id is None:
        return f"{what}; no order of ours has that name.{busted}"
    if elsewhere:
        return f"{what}; our books have an execution of that ExecID on another order, {_order(elsewhere[0])}, only.{busted}"
    return f"{what} that our books never received.{busted}"


def missing_external(
    ours: OurTrade, namesakes: Sequence[OurTrade], alike: Sequence[Told], causes: Causes, copy: int
) -> Finding:
    """We have it and the file does not."""
    what = f"Our books have ExecID {ours.exec_id} ({spelt(ours.qty)} @ {spelt(ours.px)}) on {_order(ours)}"
    if namesakes:
        why = f"{what}; the file has that ExecID on the order with other figures only: it repeats."
    elif ours.note:
        why = f"{what}, {ours.note}; the file does not have it."
    elif ours.suspense_qty:
        why = (
            f"{what}, {spelt(ours.suspense_qty)} of it in suspense as more than was ordered; the file does not have it."
        )
    else:
        why = f"{what}, executed at {moment(ours.event_at)}; the file does not have it."
    return Finding(
        category=Category.MISSING_EXTERNAL,
        ids=_our_ids(ours),
        names=(*PAIR_NAMES, "venue_order_id"),
        why=why,
        suggestion="Ask the counterparty for it by ExecID; only their bust takes it out of our books.",
        ours=ours.raw,
        candidates=tuple(their_record(told.row) for told in alike),
        exposure=ours.value,
        currency=ours.currency,
        account_id=ours.account_id,
        instrument_id=ours.instrument_id,
        order_id=ours.order_id,
        execution_id=ours.execution_id,
        event_at=ours.event_at,
        copy=copy,
    )


def duplicate_of_theirs(told: Told, ours: OurTrade, copy: int) -> Finding:
    """They list the same execution once more than we have it."""
    why = (
        f"They list ExecID {ours.exec_id} ({spelt(ours.qty)} @ {spelt(ours.px)}) on {_order(ours)} once more than our books "
        f"have it, equal in every figure: most likely a repeated line."
    )
    return Finding(
        category=Category.DUPLICATE_SUSPECT,
        ids=_ids_of_pair(told, ours),
        names=(*PAIR_NAMES, "twice"),
        why=why,
        suggestion="Ask them whether it is one trade or two; nothing is booked before they say so.",
        ours=ours.raw,
        theirs=their_record(told.row),
        lines=tuple(told.lines),
        exposure=ours.value,
        currency=ours.currency,
        account_id=ours.account_id,
        instrument_id=ours.instrument_id,
        order_id=ours.order_id,
        execution_id=ours.execution_id,
        event_at=ours.event_at,
        copy=copy,
    )


def duplicate_of_ours(ours: OurTrade, same: OurTrade, copy: int) -> Finding:
    """We have the same execution once more than they list it."""
    why = (
        f"Our books have ExecID {ours.exec_id} ({spelt(ours.qty)} @ {spelt(ours.px)}) on {_order(ours)} once more than they "
        f"list it, equal in every figure: it may have been counted twice."
    )
    return Finding(
        category=Category.DUPLICATE_SUSPECT,
        ids={**_our_ids(ours), "twice": "ours"},
        names=(*PAIR_NAMES, "twice"),
        why=why,
        suggestion="Compare both reports as they came; if it is one trade, have them bust the other.",
        ours={**ours.raw, "same_as": str(same.id)},
        exposure=ours.value,
        currency=ours.currency,
        account_id=ours.account_id,
        instrument_id=ours.instrument_id,
        order_id=ours.order_id,
        execution_id=ours.execution_id,
        event_at=ours.event_at,
        copy=copy,
    )


def _ids_of_pair(told: Told, ours: OurTrade) -> dict[str, str]:
    names = {"cl_ord_id": told.row.cl_ord_id, "venue_order_id": told.row.venue_order_id}
    return {**_our_ids(ours), **{name: value for name, value in names.items() if value}}


def _our_ids(ours: OurTrade) -> dict[str, str]:
    ids = {
        "order": ours.order_ref,
        "exec_id": ours.exec_id,
        "exec_ref_id": ours.exec_ref_id,
        "cl_ord_id": ours.cl_ord_id,
        "venue_order_id": ours.venue_order_id,
        "account": ours.account,
        "isin": ours.isin,
    }
    return {name: value for name, value in ids.items() if value}


def _their_ids(row: TheirTrade, name: str) -> dict[str, str]:
    """A file that names no order repeats its ExecIDs from day to day: then the day belongs to the name."""
    ids = {
        "exec_id": name,
        "exec_ref_id": row.exec_id if row.exec_id != name else row.exec_ref_id,
        "cl_ord_id": row.cl_ord_id,
        "venue_order_id": row.venue_order_id,
        "order": row.order_ref,
        "account": row.account,
        "instrument": row.instrument,
        "trade_date": row.trade_date.isoformat() if row.trade_date and not row.named else "",
    }
    return {key: value for key, value in ids.items() if value}


def their_record(row: TheirTrade) -> Mapping[str, Any]:
    """What the row says, as the break keeps it beside the raw line."""
    said = {
        "line": row.line,
        "exec_id": row.exec_id,
        "exec_ref_id": row.exec_ref_id,
        "exec_type": row.kind,
        "cl_ord_id": row.cl_ord_id,
        "venue_order_id": row.venue_order_id,
        "account": row.account,
        "instrument": row.instrument,
        "side": side_word(row.side),
        "last_qty": plain(row.qty),
        "last_px": plain(row.px),
        "currency": row.currency,
        "commission": plain(row.commission) if row.commission is not None else "",
        "fees": plain(row.fees) if row.fees is not None else "",
        "trade_date": row.trade_date.isoformat() if row.trade_date else "",
        "transact_time": row.transact_time.isoformat() if row.transact_time else "",
        "settlement_date": row.settlement_date.isoformat() if row.settlement_date else "",
    }
    return {name: value for name, value in said.items() if value != ""}


def our_candidate(ours: OurTrade) -> Mapping[str, Any]:
    """One of ours that agrees in economics: for a person to look at."""
    return {**ours.raw, "reason": "same instrument, side, quantity, price and day; other names"}


def side_word(side: str) -> str:
    """For people."""
    return _SIDES.get(side, side)


def _order(ours: OurTrade) -> str:
    if ours.order_ref:
        return f"order {ours.order_ref}"
    return f"the unknown order {ours.venue_order_id or ours.cl_ord_id}"


def _on(row: TheirTrade) -> str:
    if row.order_ref:
        return f" on order {row.order_ref}"
    named = row.cl_ord_id or row.venue_order_id
    return f" on {named}" if named else ""


def _list(differences: Sequence[Difference]) -> str:
    said = []
    for one in differences:
        ours, theirs, difference = one.spelt
        by = f" ({difference})" if difference else ""
        said.append(f"{one.field.replace('_', ' ')} {ours or 'none'} with us, {theirs or 'none'} with them{by}")
    return "; ".join(said)
