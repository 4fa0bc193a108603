"""From the fields of a post-trade message to the words of the house. Pure.

A value that is absent stays absent; nothing is inferred from another field, with one exception that FIX itself states: a commission
a unit (CommType 1) is the quantity times it. What the specification does not have raises ValueError, so that the message is set
aside and seen by a person. An ack gets a name of what it says to whom, because FIX gives it none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from kernel.numbers import ZERO
from kernel.post_trade import AccountLine, AckStatus, FillLine, MessageKind, OrderLine, PostTradeMessage, TransType
from venues.domain.fix_codec import Fields, parse_utc_timestamp
from venues.domain.fix_groups import NO_ALLOCS, NO_CAPACITIES, NO_EXECS, NO_MISC_FEES, NO_ORDERS, Entry, entry_of
from venues.domain.post_trade_codes import AFFIRM_STATUSES, ALLOC_STATUSES, KINDS, REASON_TAGS, TRANS_TYPES

_SIDES = frozenset({"1", "2", "5", "6"})
_PER_UNIT, _ABSOLUTE = "1", "3"
_ISIN = "4"


def read(fields: Fields, *, counterparty: str) -> PostTradeMessage:
    """Raises ValueError for a message that is none of the six, or breaks the specification."""
    entry = entry_of(fields)
    kind = KINDS.get(entry.values.get(35, ""))
    match kind:
        case None:
            raise ValueError(f"MsgType {entry.values.get(35, '')} is no post-trade message")
        case MessageKind.ALLOCATION_INSTRUCTION | MessageKind.ALLOCATION_REPORT:
            return _block(kind, entry, counterparty)
        case MessageKind.CONFIRMATION:
            return _confirmation(entry, counterparty)
        case _:
            return _ack(kind, entry, counterparty)


def _block(kind: MessageKind, entry: Entry, counterparty: str) -> PostTradeMessage:
    values = entry.values
    is_report = kind is MessageKind.ALLOCATION_REPORT
    trans = _trans_type(values, 71)
    before = values.get(795 if is_report else 72, "")
    if trans is not TransType.NEW and not before:
        raise ValueError(f"a {trans.value} names no earlier message")
    ref = _needed(values, 755 if is_report else 70)
    status = _status(ALLOC_STATUSES, values, 87) if is_report else None
    return PostTradeMessage(
        kind=kind,
        ref=ref,
        counterparty=counterparty,
        transact_at=_moment(values),
        ref_of=values.get(70, "") if is_report and trans is TransType.NEW else before,
        block_ref=values.get(793) or values.get(70, ""),
        trans_type=trans,
        ack_status=status,
        reject_code=values.get(88, "") if is_report else "",
        text=values.get(58, ""),
        **_instrument(values),
        qty=_needed_quantity(values, 53),
        avg_px=_needed_number(values, 6),
        trade_date=_day(_needed(values, 75)),
        settlement_date=_day(values.get(64, "")),
        total_accounts=_count(values.get(892, "")),
        orders=_orders(entry),
        fills=tuple(
            FillLine(_needed(one.values, 17), _needed_quantity(one.values, 32), _needed_number(one.values, 31))
            for one in entry.of(NO_EXECS)
        ),
        accounts=tuple(_account(one) for one in entry.of(NO_ALLOCS)),
    )


def _count(text: str) -> int | None:
    if text and not (text.isascii() and text.isdigit() and len(text) < 8):
        raise ValueError(f"TotNoAllocs {text[:20]!r} is no number of accounts")
    return int(text) if text else None


def _account(one: Entry) -> AccountLine:
    values = one.values
    qty = _needed_quantity(values, 80)
    return AccountLine(
        ref=values.get(467, ""),
        account=_needed(values, 79),
        qty=qty,
        avg_px=_needed_number(values, 153),
        commission=_commission(values, qty),
        fees=_fees(one),
        net=_number(values, 154),
    )


def _confirmation(entry: Entry, counterparty: str) -> PostTradeMessage:
    values = entry.values
    trans = _trans_type(values, 666)
    before = values.get(772, "")
    if trans is not TransType.NEW and not before:
        raise ValueError(f"a {trans.value} names no earlier confirmation")
    qty, avg_px = _needed_quantity(values, 80), _needed_number(values, 6)
    line = AccountLine(
        ref=values.get(467, ""),
        account=_needed(values, 79),
        qty=qty,
        avg_px=avg_px,
        gross=_number(values, 381),
        commission=_commission(values, qty),
        fees=_fees(entry),
        net=_number(values, 118),
    )
    capacities = {one.values.get(528, "") for one in entry.of(NO_CAPACITIES)}
    return PostTradeMessage(
        kind=MessageKind.CONFIRMATION,
        ref=_needed(values, 664),
        counterparty=counterparty,
        transact_at=_moment(values),
        ref_of=values.get(70, "") if trans is TransType.NEW else before,
        block_ref=values.get(793) or values.get(70, ""),
        allocation_ref=line.ref,
        trans_type=trans,
        text=values.get(58, ""),
        **_instrument(values),
        capacity=capacities.pop() if len(capacities) == 1 else "",
        qty=qty,
        avg_px=avg_px,
        trade_date=_day(_needed(values, 75)),
        settlement_date=_day(values.get(64, "")),
        orders=_orders(entry),
        accounts=(line,),
    )


def _ack(kind: MessageKind, entry: Entry, counterparty: str) -> PostTradeMessage:
    values = entry.values
    confirms = kind is MessageKind.CONFIRMATION_ACK
    named = _needed(values, {MessageKind.CONFIRMATION_ACK: 664, MessageKind.ALLOCATION_REPORT_ACK: 755}.get(kind, 70))
    status = _status(AFFIRM_STATUSES, values, 940) if confirms else _status(ALLOC_STATUSES, values, 87)
    return PostTradeMessage(
        kind=kind,
        ref=f"{named}:{status.value}",
        counterparty=counterparty,
        transact_at=_moment(values),
        ref_of=named,
        block_ref="" if confirms else values.get(793) or values.get(70, ""),
        ack_status=status,
        reject_code=values.get(REASON_TAGS[kind], "") if status is AckStatus.REJECTED else "",
        text=values.get(58, ""),
        trade_date=_day(values.get(75, "")),
    )


def _orders(entry: Entry) -> tuple[OrderLine, ...]:
    """Orders whose executed part is said; an order that is only named says nothing that could be compared."""
    return tuple(
        OrderLine(
            one.values.get(11, ""),
            one.values.get(37, ""),
            _quantity(one.values, 800) or _quantity(one.values, 38) or ZERO,
            _number(one.values, 799) or ZERO,
        )
        for one in entry.of(NO_ORDERS)
    )


def _instrument(values: Mapping[int, str]) -> dict[str, Any]:
    side = _needed(values, 54)
    if side not in _SIDES:
        raise ValueError(f"54={side!r} is no side the house knows")
    return {
        "side": side,
        "symbol": values.get(55, ""),
        "isin": values.get(48, "") if values.get(22) == _ISIN else "",
        "mic": values.get(207, ""),
        "currency": values.get(15, ""),
    }


def _commission(values: Mapping[int, str], qty: Decimal) -> Decimal | None:
    amount, kind = _number(values, 12), values.get(13, _ABSOLUTE)
    if amount is None or kind == _ABSOLUTE:
        return amount
    if kind == _PER_UNIT:
        return amount * qty
    raise ValueError(f"13={kind}: only a commission in money or a unit can be compared")


def _fees(entry: Entry) -> Decimal | None:
    """The sum of all fees; None when none is said."""
    fees = entry.of(NO_MISC_FEES)
    return sum((_needed_number(one.values, 137) for one in fees), ZERO) if fees else None


def _trans_type(values: Mapping[int, str], tag: int) -> TransType:
    code = _needed(values, tag)
    if code not in TRANS_TYPES:
        raise ValueError(f"{tag}={code!r} is not in the specification")
    return TRANS_TYPES[code]


def _status(codes: Mapping[str, AckStatus], values: Mapping[int, str], tag: int) -> AckStatus:
    code = _needed(values, tag)
    if code not in codes:
        raise ValueError(f"{tag}={code!r} is not in the specification")
    return codes[code]


def _moment(values: Mapping[int, str]) -> datetime:
    """TransactTime (60), else SendingTime (52), which every message has."""
    found = parse_utc_timestamp(values.get(60, "")) or parse_utc_timestamp(values.get(52, ""))
    if found is None:
        raise ValueError("neither TransactTime (60) nor SendingTime (52) is a time")
    return found


def _day(text: str) -> date | None:
    if not text:
        return None
    return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date()


def _number(values: Mapping[int, str], tag: int) -> Decimal | None:
    text = values.get(tag)
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{tag}={text!r} is not a number") from error
    if not value.is_finite():
        raise ValueError(f"{tag}={text!r} is not a finite number")
    return value


def _quantity(values: Mapping[int, str], tag: int) -> Decimal | None:
    value = _number(values, tag)
    if value is not None and value < 0:
        raise ValueError(f"{tag}={value} is negative")
    return value


def _needed_number(values: Mapping[int, str], tag: int) -> Decimal:
    value = _number(values, tag)
    if value is None:
        raise ValueError(f"tag {tag} is missing")
    return value


def _needed_quantity(values: Mapping[int, str], tag: int) -> Decimal:
    value = _quantity(values, tag)
    if value is None:
        raise ValueError(f"tag {tag} is missing")
    return value


def _needed(values: Mapping[int, str], tag: int) -> str:
    value = values.get(tag, "").strip()
    if not value:
        raise ValueError(f"tag {tag} is missing")
    return value
